"""The first two statements of the settle path, lock and read; `parts.py` has the third. Each is one round trip.

What is read in the statement that waits for a lock is from before the wait; so the lock is one statement and the
reading is the next (`docs/decisions/0004-lock-read-write.md`). They are plain SQL, to be read and explained.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.bills import HEAD_COLUMNS, head_from_mapping
from settlement.db.holds import promise_from_mapping
from settlement.db.secrets import Sealed
from settlement.domain.benefits import OTHER_PLANS, STAY, Taking, UsedRoom
from settlement.domain.cover import CoverSpan
from settlement.domain.ids import BillId, FundId, HoldId, MemberId, PlanVersionId
from settlement.domain.money import Money
from settlement.domain.promises import HoldKind, KeptPlace, Promise
from settlement.domain.settlements import BillHead


class KeyInProgress(Exception):
    """Another transaction holds this idempotency key; its answer is about to be stored."""


@dataclass(frozen=True, slots=True)
class CommandKey:
    """The scope in which a command is done once: the client and its idempotency key."""

    client_id: str
    key: str


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What a command was answered, and the fingerprint of that command."""

    fingerprint: str
    status: int
    body: dict[str, Any]


_LOCK = text("""
WITH gate AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(:key_lock) AS free
)
SELECT gate.free, locked.member_id
FROM gate
LEFT JOIN LATERAL (
    SELECT member.member_id
    FROM member
    WHERE gate.free
      AND member.fund_id = :fund_id
      AND member.member_id = COALESCE(
          CAST(:member_id AS uuid),
          (SELECT member_id FROM bill WHERE fund_id = :fund_id AND bill_id = :bill_id),
          (SELECT person_id FROM person WHERE fund_id = :fund_id AND certificate_index = :certificate_index),
          (SELECT person_id FROM person_number WHERE fund_id = :fund_id AND number_index = :number_index))
    FOR NO KEY UPDATE
) AS locked ON true
""")


async def lock_member(
    connection: AsyncConnection,
    fund_id: FundId,
    once: str,
    *,
    certificate_index: bytes | None = None,
    number_index: bytes | None = None,
    bill_id: BillId | None = None,
    member_id: MemberId | None = None,
) -> MemberId | None:
    """Make other settlements of this member wait until the transaction ends; return the member, if there is one.

    The member is the one named, else that of the bill, of the certificate, or of the insured person number; the row
    exists since the member was first seen, so there is always something to lock. `once` names what must not run twice
    at a time (the client's key, or the insurer's bill); its advisory lock is tried first and without waiting, so that
    who does not get it stands in no queue: then `KeyInProgress` is raised.
    """
    number = int.from_bytes(hashlib.sha256(f"{fund_id}\x1f{once}".encode()).digest()[:8], "big", signed=True)
    values = {
        "fund_id": fund_id,
        "key_lock": number,
        "certificate_index": certificate_index,
        "number_index": number_index,
        "bill_id": bill_id,
        "member_id": member_id,
    }
    row = (await connection.execute(_LOCK, values)).one()
    if not row.free:
        raise KeyInProgress
    return MemberId(row.member_id) if row.member_id else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reading statement is asked. A `None` finds nothing."""

    fund_id: FundId
    member_id: MemberId | None
    number_index: bytes | None
    area: str
    insurer_settlement_id: str | None
    hospital_code: str
    encounter_id: str | None
    charge_batch_no: str | None
    visit_no: str | None
    resettles: str | None
    """The insurer's settlement that this one takes the place of, where that was said."""
    plan_code: str
    service_date: date | None
    at: datetime
    """Holds whose time is over by then take no room."""
    command: CommandKey | None


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """The locked member's person as it is kept; the caller holds the keys."""

    certificate_index: bytes
    sealed: Sealed


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known, when a bill is settled under its member's lock: stored answer, head, person, version and room."""

    answer: StoredAnswer | None
    head: BillHead | None
    person: KnownPerson | None
    covers: tuple[CoverSpan, ...]
    """The member's spans of cover by this plan, in the order in which they were recorded."""
    number_owner: MemberId | None
    plan_version_id: PlanVersionId | None
    plan_digest: str | None
    hospital_level: int | None
    takings: tuple[Taking, ...]
    """What the member's live bills and open holds took, summed up by benefit, term and unit; stays one by one."""
    promises: tuple[Promise, ...]
    """The open holds of this charge batch, and a guarantee for its stay; they count in no room of their own bill."""
    chain: KeptPlace | None
    """The place of a cancelled bill of this visit that is kept for it; what is kept counts in no room of this bill."""


_OF_THIS_BATCH = """
    hold.hospital_code = :hospital_code AND hold.encounter_id = :encounter_id AND hold.kind <> 'successor'
    AND (hold.charge_batch_no = :charge_batch_no OR hold.kind = 'stay')
"""
_CHAIN = """
    SELECT hold.hold_id, hold.kind, hold.of_bill_id, cancelled.event_count, hold.place_bill_id,
           plan_version.digest AS plan_digest, hold.service_date, hold.stands_until
    FROM hold
    JOIN bill AS cancelled ON cancelled.fund_id = hold.fund_id AND cancelled.bill_id = hold.of_bill_id
        AND cancelled.state = 'reversed'
        AND NOT EXISTS (
            SELECT FROM bill AS mine
            WHERE mine.fund_id = hold.fund_id AND mine.area = :area
              AND mine.insurer_settlement_id = :insurer_settlement_id AND mine.bill_id < hold.place_bill_id)
    JOIN plan_version ON plan_version.fund_id = hold.fund_id AND plan_version.plan_version_id = hold.plan_version_id
    WHERE hold.fund_id = :fund_id AND hold.member_id = :member_id AND hold.state = 'open' AND hold.stands_until > :at
      AND hold.hospital_code = :hospital_code
      AND (hold.encounter_id = :encounter_id OR cancelled.visit_no = :visit_no
           OR cancelled.insurer_settlement_id = :resettles)
      AND (hold.kind = 'successor' OR (hold.charge_batch_no = :charge_batch_no AND hold.encounter_id = :encounter_id))
    ORDER BY (cancelled.insurer_settlement_id = :resettles) IS TRUE DESC, hold.kind = 'successor',
             hold.charge_batch_no = :charge_batch_no DESC, hold.place_bill_id, hold.hold_id
    LIMIT 1
"""
_TAKEN = f"""
    SELECT benefit, term, plan_code, unit, visit, care_from, care_to, hospital_code, diagnosis,
           base_fen, burden_fen, paid_fen, days, times, deductible_fen, bill_id AS record_id,
           COALESCE(place_bill_id, bill_id) AS place
    FROM consumption
    WHERE fund_id = :fund_id AND member_id = :member_id
      AND NOT EXISTS (
          SELECT FROM reversal
          WHERE reversal.fund_id = consumption.fund_id AND reversal.bill_id = consumption.bill_id
            AND reversal.revision = consumption.revision)
    UNION ALL
    SELECT benefit, term, plan_code, unit, visit, care_from, care_to, room.hospital_code, diagnosis,
           base_fen, burden_fen, paid_fen, days, times, deductible_fen, hold_id,
           COALESCE(place_bill_id, hold_id)
    FROM hold JOIN hold_room AS room USING (fund_id, hold_id)
    WHERE fund_id = :fund_id AND member_id = :member_id AND state = 'open' AND stands_until > :at
      AND ({_OF_THIS_BATCH}) IS NOT TRUE AND hold_id IS DISTINCT FROM (SELECT hold_id FROM chain)
"""
_TAKINGS = f"""
    (SELECT jsonb_agg(taking) FROM (
        SELECT benefit, term, plan_code <> :plan_code AS elsewhere, unit, CAST(NULL AS text) AS visit,
               CAST(NULL AS date) AS care_from, CAST(NULL AS date) AS care_to, CAST(NULL AS text) AS hospital,
               CAST(NULL AS text) AS diagnosis, sum(base_fen)::bigint AS base, sum(burden_fen)::bigint AS burden,
               sum(paid_fen)::bigint AS paid, sum(days)::int AS days, sum(times)::int AS times,
               sum(deductible_fen)::bigint AS deductible
        FROM taken WHERE benefit <> '{STAY}'
        GROUP BY benefit, term, elsewhere, unit
        UNION ALL
        (SELECT benefit, term, false, unit, visit, care_from, care_to, hospital_code, diagnosis, base_fen, burden_fen,
               paid_fen, days, times, deductible_fen
        FROM taken WHERE benefit = '{STAY}' AND plan_code = :plan_code
          AND (place < (SELECT place_bill_id FROM chain)) IS NOT FALSE
        ORDER BY place, record_id)) AS taking) AS takings
"""
_COVERS = """
    (SELECT jsonb_agg(jsonb_build_array(first_day, last_day, person_category, shares, union_member,
         unit.class, unit.region, unit.code, (SELECT min(unit_renewal.first_day) FROM unit_renewal
          WHERE unit_renewal.fund_id = :fund_id AND unit_renewal.unit_id = membership.unit_id
            AND unit_renewal.plan_code = :plan_code AND unit_renewal.first_day > membership.last_day))
         ORDER BY recorded_at)
     FROM membership JOIN unit USING (fund_id, unit_id)
     WHERE fund_id = :fund_id AND member_id = :member_id AND plan_code = :plan_code)"""
_KNOWN = f"""
    (SELECT json_build_array(fingerprint, status, body) FROM idempotency
     WHERE fund_id = :fund_id AND client_id = :client_id AND key = :key) AS answer,
    (SELECT to_jsonb(head) FROM (SELECT {HEAD_COLUMNS} FROM bill
     WHERE fund_id = :fund_id AND insurer_settlement_id = :insurer_settlement_id
       AND (area = :area OR hospital_code = :hospital_code)
     ORDER BY area = :area DESC LIMIT 1) AS head) AS head,
    known.certificate_index, known.key_id, known.envelope,
    {_COVERS} AS covers,
    (SELECT person_id FROM person_number WHERE fund_id = :fund_id AND number_index = :number_index) AS number_owner,
    version.plan_version_id, version.digest,
    (SELECT hospital_level.level FROM hospital_code JOIN hospital_level USING (fund_id, hospital_id)
     WHERE hospital_code.fund_id = :fund_id AND hospital_code.code = :hospital_code
       AND hospital_level.effective_from <= :service_date
     ORDER BY hospital_level.effective_from DESC LIMIT 1) AS hospital_level,
    {_TAKINGS},
    (SELECT to_jsonb(chain) FROM chain) AS chain,
    (SELECT jsonb_agg(to_jsonb(promise)) FROM (
        SELECT hold.*, plan_version.version AS plan_version, plan_version.digest AS plan_digest
        FROM hold JOIN plan_version USING (fund_id, plan_version_id)
        WHERE fund_id = :fund_id AND member_id = :member_id AND state = 'open' AND {_OF_THIS_BATCH}) AS promise
    ) AS promises
FROM (SELECT) AS here
LEFT JOIN (SELECT certificate_index, key_id, envelope FROM person
           WHERE fund_id = :fund_id AND person_id = :member_id) AS known ON true
LEFT JOIN (SELECT plan_version_id, digest FROM plan_version
           WHERE fund_id = :fund_id AND plan_code = :plan_code AND effective_from <= :service_date
           ORDER BY effective_from DESC, published_at DESC LIMIT 1) AS version ON true
"""
_WITH = f"WITH chain AS MATERIALIZED ({_CHAIN}), taken AS MATERIALIZED ({_TAKEN})"
_READ = text(f"{_WITH} SELECT {_KNOWN}")
_READ_AND_HOLD = text(f"{_WITH} SELECT pg_advisory_xact_lock_shared(:books_lock) AS books, {_KNOWN}")
_READ_TAKINGS = text(f"""
WITH chain AS (SELECT CAST(NULL AS uuid) AS hold_id, CAST(:before AS uuid) AS place_bill_id),
     every AS MATERIALIZED ({_TAKEN}),
     taken AS MATERIALIZED (SELECT * FROM every WHERE record_id <> ALL(CAST(:without_bills AS uuid[])))
SELECT {_TAKINGS}
""")


async def read_under_lock(connection: AsyncConnection, wanted: Wanted) -> Reading:
    """Read everything a settlement is decided on, and hold the fund's books day open until the transaction ends.

    Call it after `lock_member`. A close of the books day waits for this transaction or is seen by the write.
    """
    values = _values(wanted) | {"books_lock": books_lock(wanted.fund_id)}
    return _reading((await connection.execute(_READ_AND_HOLD, values)).one())


async def read_known(connection: AsyncConnection, wanted: Wanted) -> Reading:
    """Read the same for a question that writes nothing; it waits for no lock and holds none."""
    return _reading((await connection.execute(_READ, _values(wanted))).one())


def _values(wanted: Wanted) -> dict[str, Any]:
    return {
        "fund_id": wanted.fund_id,
        "member_id": wanted.member_id,
        "number_index": wanted.number_index,
        "area": wanted.area,
        "insurer_settlement_id": wanted.insurer_settlement_id,
        "hospital_code": wanted.hospital_code,
        "encounter_id": wanted.encounter_id,
        "charge_batch_no": wanted.charge_batch_no,
        "visit_no": wanted.visit_no,
        "resettles": wanted.resettles,
        "at": wanted.at,
        "plan_code": wanted.plan_code,
        "service_date": wanted.service_date,
        "client_id": wanted.command.client_id if wanted.command else None,
        "key": wanted.command.key if wanted.command else None,
    }


def _reading(row: Row[Any]) -> Reading:
    person = None
    if row.envelope is not None:
        person = KnownPerson(row.certificate_index, Sealed(row.key_id, row.envelope))
    return Reading(
        answer=StoredAnswer(*row.answer) if row.answer else None,
        head=head_from_mapping(row.head) if row.head else None,
        person=person,
        covers=tuple(_cover(*span) for span in row.covers or ()),
        number_owner=row.number_owner,
        plan_version_id=row.plan_version_id,
        plan_digest=row.digest,
        hospital_level=row.hospital_level,
        takings=tuple(taking_from_mapping(taking) for taking in row.takings or ()),
        promises=tuple(promise_from_mapping(promise) for promise in row.promises or ()),
        chain=_chain(row.chain) if row.chain else None,
    )


async def read_takings(
    connection: AsyncConnection,
    fund_id: FundId,
    member_id: MemberId,
    plan_code: str,
    at: datetime,
    *,
    without_bills: Sequence[BillId] = (),
    before: BillId | None = None,
) -> tuple[Taking, ...]:
    """Return what the member's live bills and open holds took, but for some bills; call it under the lock.

    With `before`, only the stays count whose place in the order of recording is before that bill's.
    """
    of_no_batch = {"hospital_code": None, "encounter_id": None, "charge_batch_no": None}
    values = {
        "fund_id": fund_id,
        "member_id": member_id,
        "plan_code": plan_code,
        "at": at,
        "without_bills": list(without_bills),
        "before": before,
        **of_no_batch,
    }
    takings = (await connection.execute(_READ_TAKINGS, values)).scalar_one()
    return tuple(taking_from_mapping(taking) for taking in takings or ())


async def take_books_day(connection: AsyncConnection, fund_id: FundId) -> None:
    """Hold the fund's books day open until the transaction ends, in a statement before the one that writes."""
    await connection.execute(select(func.pg_advisory_xact_lock_shared(books_lock(fund_id))))


def books_lock(fund_id: FundId) -> int:
    """Return the number of the advisory lock that closing a fund's books day takes alone."""
    return int.from_bytes(hashlib.sha256(b"books\x1f" + fund_id.bytes).digest()[:8], "big", signed=True)


def _chain(row: Mapping[str, Any]) -> KeptPlace:
    return KeptPlace(
        hold_id=HoldId(UUID(row["hold_id"])),
        kind=HoldKind(row["kind"]),
        of_bill_id=BillId(UUID(row["of_bill_id"])),
        event_count=row["event_count"],
        place_bill_id=BillId(UUID(row["place_bill_id"])),
        plan_digest=row["plan_digest"],
        service_date=date.fromisoformat(row["service_date"]),
        stands_until=datetime.fromisoformat(row["stands_until"]),
    )


async def read_covers(
    connection: AsyncConnection, fund_id: FundId, member_id: MemberId, plan_code: str
) -> tuple[CoverSpan, ...]:
    """Return a member's spans of cover by a plan, in the order in which they were recorded."""
    values = {"fund_id": fund_id, "member_id": member_id, "plan_code": plan_code}
    found = (await connection.execute(text(f"SELECT {_COVERS}"), values)).scalar_one()
    return tuple(_cover(*span) for span in found or ())


def _cover(
    first_day: str,
    last_day: str,
    person_category: str,
    shares: Mapping[str, int] | None,
    union_member: bool | None,
    unit_class: str | None,
    region: str | None,
    unit_code: str,
    renews_from: str | None,
) -> CoverSpan:
    return CoverSpan(
        date.fromisoformat(first_day),
        date.fromisoformat(last_day),
        person_category,
        shares,
        union_member,
        unit_class,
        region,
        unit_code,
        date.fromisoformat(renews_from) if renews_from else None,
    )


def taking_from_mapping(row: Mapping[str, Any]) -> Taking:
    """Return what a member's bills took, from the columns of a consumption row as JSON."""
    base, burden, paid, deductible = (Money(row[name]) for name in ("base", "burden", "paid", "deductible"))
    return Taking(
        code=OTHER_PLANS if row["elsewhere"] else row["benefit"],
        term=row["term"],
        room=UsedRoom(base, burden, paid, row["days"], row["times"], deductible),
        unit=row["unit"],
        visit=row["visit"],
        care_from=date.fromisoformat(row["care_from"]) if row["care_from"] else None,
        care_to=date.fromisoformat(row["care_to"]) if row["care_to"] else None,
        hospital=row["hospital"],
        diagnosis=row["diagnosis"],
    )
