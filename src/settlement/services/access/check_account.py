"""Look whether the account for which a staff token was given may still act."""

from __future__ import annotations

from settlement.db.engine import fund_transaction
from settlement.db.staff import find_staff_by_id
from settlement.domain.ids import FundId, StaffId
from settlement.services.access.tokens import TokenInvalid
from settlement.services.resources import Resources


async def check_account(resources: Resources, fund_id: FundId, staff_id: StaffId) -> None:
    """Raise `TokenInvalid` when the account was disabled after its token was given."""
    async with fund_transaction(resources.engine, fund_id) as connection:
        account = await find_staff_by_id(connection, fund_id, staff_id)
    if account is None or account.disabled_at is not None:
        raise TokenInvalid
