"""Announce that a unit goes on for another term: until its roster comes, its members' cover is provisional."""

from __future__ import annotations

from datetime import date

from settlement.db.engine import fund_transaction
from settlement.db.registry import add_renewal
from settlement.domain.ids import FundId
from settlement.services.members.add_member import UnitUnknown
from settlement.services.resources import Resources


async def announce_renewal(resources: Resources, fund_id: FundId, unit_code: str, first_day: date) -> None:
    """Record that a unit renews from a day on, under the fund's plan.

    What provisional cover then means, and until when, is the plan's (`provisional`). Raises `UnitUnknown`, and
    `AlreadyRegistered` when this was announced before.
    """
    rules = await resources.rules.of(fund_id)
    async with fund_transaction(resources.engine, fund_id) as connection:
        at = resources.clock()
        if not await add_renewal(connection, fund_id, unit_code, rules.fund.plan_code, first_day, at):
            raise UnitUnknown(unit_code=unit_code)
