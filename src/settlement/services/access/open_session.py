"""Open a session at the dashboard for a person of the staff who signs in with fund, name and password."""

from __future__ import annotations

from settlement.db.engine import fund_transaction
from settlement.db.sessions import add_session, find_fund_of_code
from settlement.services.access.passwords import LONGEST, fits
from settlement.services.access.sign_in import SignInRefused, sign_in
from settlement.services.access.tokens import hash_secret, new_secret
from settlement.services.resources import Resources


async def open_session(resources: Resources, fund_code: str, login: str, password: str) -> str:
    """Return the token of a new session; only its hash is kept. Raises `SignInRefused`, `SignInBlocked`.

    The token begins with the fund's id, so that a session is looked for within one fund only. A fund that does not
    exist is answered like a wrong password, and after as long.
    """
    fund_id = await find_fund_of_code(resources.engine, fund_code) if "\x00" not in fund_code else None
    if fund_id is None:
        await fits(None, password[:LONGEST])
        raise SignInRefused
    account = await sign_in(resources, fund_id, login, password)
    token = f"{fund_id}.{new_secret()}"
    async with fund_transaction(resources.engine, fund_id) as connection:
        await add_session(connection, fund_id, hash_secret(token), account.staff_id, resources.clock())
    return token
