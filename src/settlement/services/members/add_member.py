"""Enrol a member: the person, sealed, and the cover of one term."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from settlement.services.funds.rules import FundRules
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
    shares: Mapping[str, int] | None = None
    """Shares by module; `None` where the roster names no modules: the plan's basic ones are then held once."""
    union_member: bool | None = None


async def add_members(resources: Resources, fund_id: FundId, new: Sequence[NewMember]) -> list[MemberId]:
    """Enrol members, all in one transaction; a cover that is there already is left as it is.

    Raises `UnitUnknown`, `NewMemberUnusable`; then nobody was enrolled.
    """
    if not new:
        return []
    rules = await resources.rules.of(fund_id)
    async with fund_transaction(resources.engine, fund_id) as connection:
        units = {unit.code: unit for unit in await list_units(connection, fund_id)}
        checked = [_checked(line, units, rules) for line in new]
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
                line.shares,
                line.union_member,
            )
            for line, (_, unit), member_id in zip(new, checked, enrolled, strict=True)
        ]
        await add_memberships(connection, fund_id, covers, resources.clock())
        return enrolled


def _sealed(resources: Resources, fund_id: FundId, identity: Identity) -> SealedPerson:
    fresh = MemberId(resources.ids.new())
    index = certificate_index(resources.keys, fund_id, identity.certificate)
    return SealedPerson(fresh, index, seal_identity(resources.keys, fund_id, fresh, identity))


def _checked(line: NewMember, units: dict[str, Unit], rules: FundRules) -> tuple[Identity, Unit]:
    certificate = normalised(line.certificate.type, line.certificate.number)
    if line.unit_code not in units:
        raise UnitUnknown(unit_code=line.unit_code)
    if not line.name.strip() or not certificate.number:
        raise NewMemberUnusable(why="name and certificate number must be given")
    if is_masked(certificate.number):
        raise NewMemberUnusable(why="the certificate number is masked; give the whole number")
    if line.first_day > line.last_day:
        raise NewMemberUnusable(why="the last day is before the first")
    _check_shares(line, rules)
    return Identity(line.name.strip(), certificate), units[line.unit_code]


def _check_shares(line: NewMember, rules: FundRules) -> None:
    """Raise `NewMemberUnusable` for a module that the plan of the first day does not have, or too many shares of it."""
    version = rules.version_on(line.first_day)
    if line.shares is None or version is None:
        return
    for code, shares in line.shares.items():
        most = version.plan.modules.get(code)
        if most is None:
            known = ", ".join(version.plan.modules) or "none"
            raise NewMemberUnusable(why=f"the plan has no module {code}; it has: {known}")
        if not 0 <= shares <= most:
            raise NewMemberUnusable(why=f"of module {code} a member holds 0 to {most} shares")
