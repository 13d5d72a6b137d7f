"""People: the sealed identity, the numbers learnt for it, and who is a member when."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, and_, func, select, text
from sqlalchemy.dialects.postgresql import insert as insert_unless_there
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.parts import Part, insert_part
from settlement.db.secrets import KeyRing, Sealed
from settlement.db.tables import bill, membership, person, person_number, unit
from settlement.domain.bills import Certificate
from settlement.domain.ids import BillId, FundId, MemberId, MembershipId, UnitId

ROWS_AT_ONCE = 1000
"""A statement takes 65,535 parameters; a cover has eleven."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a person is, in the clear. It exists in memory and in the sealed envelope, nowhere else."""

    name: str
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Membership:
    """One member's cover under a plan, both days included, with the category the roster gives."""

    membership_id: MembershipId
    member_id: MemberId
    unit_id: UnitId
    unit_code: str
    plan_code: str
    person_category: str
    first_day: date
    last_day: date
    shares: Mapping[str, int] | None = None
    """Shares held by module; `None` where the roster names no modules."""
    union_member: bool | None = None


def certificate_index(keys: KeyRing, fund_id: FundId, certificate: Certificate) -> bytes:
    """Return the blind index by which a certificate's person is found within a fund."""
    return keys.blind_index("certificate", str(fund_id), certificate.type, certificate.number)


def number_index(keys: KeyRing, fund_id: FundId, insured_person_no: str) -> bytes:
    """Return the blind index by which an insured person number's person is found within a fund."""
    return keys.blind_index("insured_person_no", str(fund_id), insured_person_no)


def seal_identity(keys: KeyRing, fund_id: FundId, member_id: MemberId, identity: Identity) -> Sealed:
    """Seal who a person is, bound to the person's row."""
    document = {
        "name": identity.name,
        "certificate_type": identity.certificate.type,
        "certificate_number": identity.certificate.number,
    }
    return keys.seal(json.dumps(document, ensure_ascii=False).encode(), fund_id.bytes + member_id.bytes)


def open_identity(keys: KeyRing, fund_id: FundId, member_id: MemberId, sealed: Sealed) -> Identity:
    """Open a person's envelope. Raises `KeysUnusable` when it is not this row's or the key is gone."""
    document = json.loads(keys.open(sealed, fund_id.bytes + member_id.bytes))
    certificate = Certificate(document["certificate_type"], document["certificate_number"])
    return Identity(document["name"], certificate)


@dataclass(frozen=True, slots=True)
class SealedPerson:
    """A person to be kept: a fresh id, the blind index of the certificate, and the sealed identity."""

    member_id: MemberId
    certificate_index: bytes
    sealed: Sealed


async def add_people(
    connection: AsyncConnection, fund_id: FundId, new: Sequence[SealedPerson], at: datetime
) -> list[MemberId]:
    """Insert the persons whose certificates are not known yet, each with the row that is locked in its name.

    Return the member id of each, in their order: the fresh one, or that of the person who is known.
    """
    values = {
        "fund_id": fund_id,
        "at": at,
        "ids": [one.member_id for one in new],
        "indexes": [one.certificate_index for one in new],
        "keys": [one.sealed.key_id for one in new],
        "envelopes": [one.sealed.envelope for one in new],
    }
    await connection.execute(_ADD_PEOPLE, values)
    rows = await connection.execute(_KNOWN_PEOPLE, {"fund_id": fund_id, "indexes": values["indexes"]})
    known = {bytes(row.certificate_index): MemberId(row.person_id) for row in rows}
    return [known[one.certificate_index] for one in new]


_ADD_PEOPLE = text("""
WITH added AS (
    INSERT INTO person (fund_id, person_id, certificate_index, key_id, envelope, created_at)
    SELECT CAST(:fund_id AS uuid), given.*, CAST(:at AS timestamptz)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:indexes AS bytea[]), CAST(:keys AS text[]), CAST(:envelopes AS bytea[]))
         AS given
    ON CONFLICT (fund_id, certificate_index) DO NOTHING
    RETURNING person_id
)
INSERT INTO member (fund_id, member_id, created_at)
SELECT CAST(:fund_id AS uuid), person_id, CAST(:at AS timestamptz) FROM added
""")
_KNOWN_PEOPLE = text("""
SELECT person_id, certificate_index FROM person
WHERE fund_id = :fund_id AND certificate_index = ANY(CAST(:indexes AS bytea[]))
""")


async def add_memberships(
    connection: AsyncConnection, fund_id: FundId, covers: Sequence[Membership], at: datetime
) -> int:
    """Insert terms of cover; one that the member has already from the same day is left as it is. Return how many."""
    rows = [
        {
            "fund_id": fund_id,
            "membership_id": cover.membership_id,
            "member_id": cover.member_id,
            "unit_id": cover.unit_id,
            "plan_code": cover.plan_code,
            "person_category": cover.person_category,
            "first_day": cover.first_day,
            "last_day": cover.last_day,
            "recorded_at": at,
            "shares": None if cover.shares is None else dict(cover.shares),
            "union_member": cover.union_member,
        }
        for cover in covers
    ]
    added = 0
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = insert_unless_there(membership).values(rows[start : start + ROWS_AT_ONCE])
        added += (await connection.execute(some.on_conflict_do_nothing(constraint="membership_once"))).rowcount
    return added


def insert_number(
    fund_id: FundId, member_id: MemberId, index: bytes, sealed: Sealed, area: str, evidence: str, at: datetime
) -> Part:
    """Part of a write: an insured person number learnt for a member, with the evidence (which bill, which door)."""
    values = {
        "fund_id": fund_id,
        "number_index": index,
        "person_id": member_id,
        "key_id": sealed.key_id,
        "envelope": sealed.envelope,
        "area": area,
        "evidence": evidence,
        "learnt_at": at,
    }
    return insert_part("person_number", values)


async def find_member(
    connection: AsyncConnection, fund_id: FundId, certificate: bytes | None, number: bytes | None
) -> MemberId | None:
    """Return the member by blind index of certificate, else of insured person number, as `lock_member` does."""
    by_number = select(person_number.c.person_id).where(
        person_number.c.fund_id == fund_id, person_number.c.number_index == number
    )
    by_certificate = select(person.c.person_id).where(
        person.c.fund_id == fund_id, person.c.certificate_index == certificate
    )
    statement = select(func.coalesce(by_certificate.scalar_subquery(), by_number.scalar_subquery()))
    found = (await connection.execute(statement)).scalar_one()
    return MemberId(found) if found else None


async def list_memberships(connection: AsyncConnection, fund_id: FundId, limit: int) -> list[Membership]:
    """Return up to `limit` covers in the order of their ids."""
    statement = _memberships(fund_id).order_by(membership.c.membership_id).limit(limit)
    return [Membership(*row) for row in await connection.execute(statement)]


def _memberships(fund_id: FundId) -> Select[Any]:
    same_unit = and_(unit.c.fund_id == membership.c.fund_id, unit.c.unit_id == membership.c.unit_id)
    return (
        select(
            membership.c.membership_id,
            membership.c.member_id,
            membership.c.unit_id,
            unit.c.code,
            membership.c.plan_code,
            membership.c.person_category,
            membership.c.first_day,
            membership.c.last_day,
            membership.c.shares,
            membership.c.union_member,
        )
        .join(unit, same_unit)
        .where(membership.c.fund_id == fund_id)
    )


async def find_certificate_index_of_bill(connection: AsyncConnection, fund_id: FundId, bill_id: BillId) -> bytes | None:
    """Return the blind index of the certificate of a bill's member; `None` for a bill of nobody known."""
    statement = (
        select(person.c.certificate_index)
        .join(bill, and_(bill.c.fund_id == person.c.fund_id, bill.c.member_id == person.c.person_id))
        .where(bill.c.fund_id == fund_id, bill.c.bill_id == bill_id)
    )
    return (await connection.execute(statement)).scalar_one_or_none()
