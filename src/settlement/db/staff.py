"""Staff accounts: who may sign in for a fund, in which roles, and how often a sign-in failed lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.registry import insert_once
from settlement.db.tables import sign_in_failure, staff
from settlement.domain.ids import FundId, StaffId


@dataclass(frozen=True, slots=True)
class Staff:
    """A person of the fund's staff. An account that was disabled stays, because records name it."""

    staff_id: StaffId
    login: str
    roles: tuple[str, ...]
    password_hash: str | None
    created_at: datetime
    disabled_at: datetime | None


async def add_staff(connection: AsyncConnection, fund_id: FundId, new: Staff) -> None:
    """Insert an account; of its password only the hash is kept. Raises `AlreadyRegistered`, for a disabled one too."""
    values = {
        "fund_id": fund_id,
        "staff_id": new.staff_id,
        "login": new.login,
        "roles": list(new.roles),
        "password_hash": new.password_hash,
        "created_at": new.created_at,
        "disabled_at": new.disabled_at,
    }
    await insert_once(
        connection, insert(staff).values(values), f"staff {new.login} (a disabled name is not used again)"
    )


async def find_staff(connection: AsyncConnection, fund_id: FundId, login: str) -> Staff | None:
    """Return an account by its login name, disabled ones too."""
    row = (await connection.execute(_accounts(fund_id).where(staff.c.login == login))).one_or_none()
    return _staff(row) if row else None


async def find_staff_by_id(connection: AsyncConnection, fund_id: FundId, staff_id: StaffId) -> Staff | None:
    """Return an account by its id, disabled ones too."""
    row = (await connection.execute(_accounts(fund_id).where(staff.c.staff_id == staff_id))).one_or_none()
    return _staff(row) if row else None


async def list_staff(connection: AsyncConnection, fund_id: FundId) -> list[Staff]:
    """Return a fund's accounts in the order in which they were added."""
    rows = await connection.execute(_accounts(fund_id).order_by(staff.c.created_at, staff.c.login))
    return [_staff(row) for row in rows]


async def disable_staff(connection: AsyncConnection, fund_id: FundId, login: str, at: datetime) -> bool:
    """Take an account's right to sign in and to act. Return whether it had it."""
    mine = (staff.c.fund_id == fund_id) & (staff.c.login == login) & staff.c.disabled_at.is_(None)
    return (await connection.execute(update(staff).where(mine).values(disabled_at=at))).rowcount == 1


async def set_password_hash(
    connection: AsyncConnection, fund_id: FundId, login: str, password_hash: str, instead_of: str | None = None
) -> bool:
    """Replace the hash of an account that may sign in, if given only that one. Return whether there was one."""
    mine = (staff.c.fund_id == fund_id) & (staff.c.login == login) & staff.c.disabled_at.is_(None)
    if instead_of is not None:
        mine &= staff.c.password_hash == instead_of
    return (await connection.execute(update(staff).where(mine).values(password_hash=password_hash))).rowcount == 1


_COUNT = text("""
INSERT INTO sign_in_failure AS known (fund_id, bucket, failures, since)
SELECT fund_id, :bucket, 1, CAST(:at AS timestamptz) FROM fund WHERE fund_id = :fund_id
ON CONFLICT ON CONSTRAINT sign_in_failure_pk DO UPDATE SET
    failures = CASE WHEN known.since <= :begun OR known.failures = 0 THEN 1 ELSE LEAST(known.failures, :most) + 1 END,
    since = CASE WHEN known.since <= :begun OR known.failures = 0 THEN EXCLUDED.since ELSE known.since END
RETURNING failures, since
""")


async def count_sign_in(
    connection: AsyncConnection, fund_id: FundId, bucket: int, at: datetime, most: int, window: timedelta
) -> datetime | None:
    """Count a sign-in as failed before it is tried; return when the bound ends if `most` have failed already.

    Counted beforehand, so that guesses that are sent at once do not all pass: the row's lock lets in one at a time.
    A fund that does not exist has no accounts and no counts.
    """
    values = {"fund_id": fund_id, "bucket": bucket, "at": at, "begun": at - window, "most": most}
    row = (await connection.execute(_COUNT, values)).one_or_none()
    return row.since + window if row is not None and row.failures > most else None


async def forget_failures(connection: AsyncConnection, fund_id: FundId, bucket: int) -> None:
    """Begin to count anew after a sign-in that succeeded."""
    mine = (sign_in_failure.c.fund_id == fund_id) & (sign_in_failure.c.bucket == bucket)
    await connection.execute(update(sign_in_failure).where(mine).values(failures=0))


def _accounts(fund_id: FundId) -> Select[Any]:
    columns = ("staff_id", "login", "roles", "password_hash", "created_at", "disabled_at")
    return select(*[staff.c[name] for name in columns]).where(staff.c.fund_id == fund_id)


def _staff(row: Row[Any]) -> Staff:
    return Staff(row.staff_id, row.login, tuple(row.roles), row.password_hash, row.created_at, row.disabled_at)
