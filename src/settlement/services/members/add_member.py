"""Enrol a member: the person, sealed, and the cover of one term."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from settlement.db.engine import fund_transaction
from settlement.db.people import (
    Identity,
    Membership,
    SealedPerson,
    add_memberships,
    add_people,
    certificate_index,
    seal_identity,
)
from settlement.db.registry import Unit, list_units
from settlement.domain.bills import Certificate
from settlement.domain.certificates import is_masked, normalised
from settlement.domain.errors import SettlementError
from settlement.domain.ids import FundId, MemberId, MembershipId
from settlement.domain.scope import PersonCategory
from settlement.services.resources import Resources


class UnitUnknown(SettlementError):
    """The fund has no unit with this code."""

    code = "unit_unknown"


class NewMemberUnusable(SettlementError):
    """What was given of a member cannot be kept; `why` says what to mend."""

    code = "member_unusable"


@dataclass(frozen=True, slots=True)
class NewMember:
    """One line of a roster: who, through which unit, in which category, from when to when (both days included)."""

    name: str
    certificate: Certificate
    unit_code: str
    person_category: PersonCategory
    first_day: date
    last_day: date


async def add_members(resources: Resources, fund_id: FundId, new: Sequence[NewMember]) -> list[MemberId]:
    """Enrol members, all in one transaction; a cover that is there already is left as it is.

    Raises `UnitUnknown`, `NewMemberUnusable`; then nobody was enrolled.
    """
    if not new:
        return []
    rules = await resources.rules.of(fund_id)
    async with fund_transaction(resources.engine, fund_id) as connection:
        units = {unit.code: unit for unit in await list_units(connection, fund_id)}
        checked = [_checked(line, units) for line in new]
        sealed = [_sealed(resources, fund_id, identity) for identity, _ in checked]
        enrolled = await add_people(connection, fund_id, sealed, resources.clock())
        covers = [
            Membership(
                MembershipId(resources.ids.new()),
                member_id,
                unit.unit_id,
                unit.code,
                rules.fund.plan_code,
                line.person_category.value,
                line.first_day,
                line.last_day,
            )
            for line, (_, unit), member_id in zip(new, checked, enrolled, strict=True)
        ]
        await add_memberships(connection, fund_id, covers, resources.clock())
        return enrolled


def _sealed(resources: Resources, fund_id: FundId, identity: Identity) -> SealedPerson:
    fresh = MemberId(resources.ids.new())
    index = certificate_index(resources.keys, fund_id, identity.certificate)
    return SealedPerson(fresh, index, seal_identity(resources.keys, fund_id, fresh, identity))


def _checked(line: NewMember, units: dict[str, Unit]) -> tuple[Identity, Unit]:
    certificate = normalised(line.certificate.type, line.certificate.number)
    if line.unit_code not in units:
        raise UnitUnknown(unit_code=line.unit_code)
    if not line.name.strip() or not certificate.number:
        raise NewMemberUnusable(why="name and certificate number must be given")
    if is_masked(certificate.number):
        raise NewMemberUnusable(why="the certificate number is masked; give the whole number")
    if line.first_day > line.last_day:
        raise NewMemberUnusable(why="the last day is before the first")
    return Identity(line.name.strip(), certificate), units[line.unit_code]
