"""Sessions of staff at the dashboard: rows named by the hash of a random token, which only the browser holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from settlement.db.tables import fund, staff, staff_session
from settlement.domain.ids import FundId, StaffId


@dataclass(frozen=True, slots=True)
class StaffSession:
    """A session that was not ended, with the account behind it; whether it is still good is the service's to say."""

    staff_id: StaffId
    login: str
    roles: tuple[str, ...]
    fund_name: str
    opened_at: datetime
    used_at: datetime


async def find_fund_of_code(engine: AsyncEngine, code: str) -> FundId | None:
    """Return the id of the fund with a code: what a transaction is bound to before it can see anything."""
    async with engine.connect() as connection:
        found = (await connection.execute(select(func.fund_of_code(code)))).scalar_one_or_none()
    return FundId(found) if found else None


async def add_session(
    connection: AsyncConnection, fund_id: FundId, token_hash: str, staff_id: StaffId, at: datetime
) -> None:
    """Insert a session that begins now."""
    values = {"fund_id": fund_id, "token_hash": token_hash, "staff_id": staff_id, "opened_at": at, "used_at": at}
    await connection.execute(insert(staff_session).values(values))


async def find_session(connection: AsyncConnection, fund_id: FundId, token_hash: str) -> StaffSession | None:
    """Return the session of a token unless it was ended or its account disabled."""
    of_staff = and_(staff.c.fund_id == staff_session.c.fund_id, staff.c.staff_id == staff_session.c.staff_id)
    statement = (
        select(
            staff.c.staff_id,
            staff.c.login,
            staff.c.roles,
            fund.c.name,
            staff_session.c.opened_at,
            staff_session.c.used_at,
        )
        .join(staff, of_staff)
        .join(fund, fund.c.fund_id == staff_session.c.fund_id)
        .where(staff_session.c.fund_id == fund_id, staff_session.c.token_hash == token_hash)
        .where(staff_session.c.ended_at.is_(None), staff.c.disabled_at.is_(None))
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    return StaffSession(row.staff_id, row.login, tuple(row.roles), row.name, row.opened_at, row.used_at)


async def touch_session(connection: AsyncConnection, fund_id: FundId, token_hash: str, at: datetime) -> None:
    """Note that a session was used."""
    mine = (staff_session.c.fund_id == fund_id) & (staff_session.c.token_hash == token_hash)
    later = func.greatest(staff_session.c.used_at, at)
    await connection.execute(update(staff_session).where(mine).values(used_at=later))


async def end_session(connection: AsyncConnection, fund_id: FundId, token_hash: str, at: datetime) -> None:
    """End one session; one that was ended stays so."""
    mine = (staff_session.c.fund_id == fund_id) & (staff_session.c.token_hash == token_hash)
    await connection.execute(update(staff_session).where(mine, staff_session.c.ended_at.is_(None)).values(ended_at=at))


async def end_sessions_of(connection: AsyncConnection, fund_id: FundId, login: str, at: datetime) -> None:
    """End every session of an account."""
    account = select(staff.c.staff_id).where(staff.c.fund_id == fund_id, staff.c.login == login)
    theirs = (staff_session.c.fund_id == fund_id) & staff_session.c.staff_id.in_(account)
    await connection.execute(
        update(staff_session).where(theirs, staff_session.c.ended_at.is_(None)).values(ended_at=at)
    )
