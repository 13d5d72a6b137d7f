"""Close a session at the dashboard: its token speaks for nobody from then on."""

from __future__ import annotations

from settlement.db.engine import fund_transaction
from settlement.db.sessions import end_session
from settlement.services.access.tokens import fund_of, hash_secret
from settlement.services.resources import Resources


async def close_session(resources: Resources, token: str) -> None:
    """End the session of a token. Raises `ClientRefused` for what is no token."""
    fund_id = fund_of(token)
    async with fund_transaction(resources.engine, fund_id) as connection:
        await end_session(connection, fund_id, hash_secret(token), resources.clock())
