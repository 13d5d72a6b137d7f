"""Find out whom a session speaks for, and keep it from running out while it is used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from settlement.db.engine import fund_transaction
from settlement.db.sessions import find_session, touch_session
from settlement.domain.ids import FundId, StaffId
from settlement.services.access.tokens import ClientRefused, fund_of, hash_secret
from settlement.services.resources import Resources

LONGEST_SESSION = timedelta(hours=8)
"""A working day: whoever comes in the morning signs in anew."""
LONGEST_IDLE = timedelta(minutes=30)
TOUCHED_EVERY = timedelta(minutes=1)
"""So often at most a session's row is written for being used."""


@dataclass(frozen=True, slots=True)
class SignedInStaff:
    """The person of the staff whom a good session speaks for."""

    fund_id: FundId
    fund_name: str
    staff_id: StaffId
    login: str
    roles: tuple[str, ...]


async def use_session(resources: Resources, token: str) -> SignedInStaff | None:
    """Return whom a token speaks for; `None` when its session ended, ran out, or its account was disabled."""
    try:
        fund_id = fund_of(token)
    except ClientRefused:
        return None
    now, hashed = resources.clock(), hash_secret(token)
    async with fund_transaction(resources.engine, fund_id) as connection:
        found = await find_session(connection, fund_id, hashed)
        if found is None or now >= found.opened_at + LONGEST_SESSION or now >= found.used_at + LONGEST_IDLE:
            return None
        if now >= found.used_at + TOUCHED_EVERY:
            await touch_session(connection, fund_id, hashed, now)
    return SignedInStaff(fund_id, found.fund_name, found.staff_id, found.login, found.roles)
