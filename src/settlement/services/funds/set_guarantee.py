"""Say whether a fund guarantees a stay's aid to a hospital, and for how many days."""

from __future__ import annotations

from settlement.db import registry
from settlement.db.engine import fund_transaction
from settlement.domain.ids import FundId
from settlement.services.resources import Resources


async def set_guarantee(resources: Resources, fund_id: FundId, days: int | None) -> None:
    """Set the fund's rule; `None` ends it for holds to come. Holds that were made stand until they expire."""
    async with fund_transaction(resources.engine, fund_id) as connection:
        await registry.set_stay_hold_days(connection, fund_id, days)
    await resources.rules.read_anew(fund_id)
