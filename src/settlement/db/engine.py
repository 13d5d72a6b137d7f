"""Connections and the one shape of transaction that the service uses: bound to a fund from its first statement."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection as DriverConnection
from psycopg import AsyncRawCursor, OperationalError
from psycopg import Error as PsycopgError
from psycopg.types.numeric import Int8Dumper
from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from settlement.domain.ids import FundId

LOCK_TIMEOUT_SECONDS = 8
STATEMENT_TIMEOUT_SECONDS = 20
CONNECT_TIMEOUT_SECONDS = 5


def driver_url(url: str) -> URL:
    """Return a `postgresql://` URL with the driver that this service is written for."""
    return make_url(url).set(drivername="postgresql+psycopg")


def open_engine(url: str, pool_size: int) -> AsyncEngine:
    """Open a pool of connections.

    In autocommit, because `fund_transaction` begins and commits itself; without a ping on checkout, because that is
    a round trip on the settle path (a broken connection fails its request, which the caller repeats under its key).
    """
    options = f"-c lock_timeout={LOCK_TIMEOUT_SECONDS}s -c statement_timeout={STATEMENT_TIMEOUT_SECONDS}s"
    engine = create_async_engine(
        driver_url(url),
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=LOCK_TIMEOUT_SECONDS,
        connect_args={"options": options, "connect_timeout": CONNECT_TIMEOUT_SECONDS},
    )
    event.listen(engine.sync_engine, "connect", _send_every_integer_as_bigint)
    return engine


@asynccontextmanager
async def fund_transaction(engine: AsyncEngine, fund_id: FundId) -> AsyncIterator[AsyncConnection]:
    """Run one transaction that sees one fund; commit at its end, roll back on any error.

    `BEGIN` and the fund travel in one message, so that binding a transaction to its fund costs no round trip.
    Row-level security compares every row with that setting, which ends with the transaction.
    """
    async with engine.connect() as connection:
        driver = await _begin(connection, fund_id)
        try:
            yield connection
            await driver.execute(b"COMMIT", prepare=False)
        except BaseException:
            await _abandon(connection, driver)
            raise


async def send(connection: AsyncConnection, statement: str, values: Sequence[Any]) -> None:
    """Send one statement with `$1`, `$2` … in a `fund_transaction`; it returns nothing. Raises what psycopg raises.

    It goes to the driver as it is. A text of more than 4,096 characters with named places is taken apart anew each
    time it is executed: 0.2 ms for a settlement's.
    """
    await AsyncRawCursor(await _driver(connection)).execute(statement.encode(), values)


async def _begin(connection: AsyncConnection, fund_id: FundId) -> DriverConnection[Any]:
    """Begin; on a connection that died in the pool (the server was restarted), begin on a new one: nothing was done."""
    begin = f"BEGIN; SET LOCAL app.fund = '{fund_id}'".encode()
    driver = await _driver(connection)
    try:
        await driver.execute(begin, prepare=False)
    except OperationalError:
        await connection.invalidate()
        driver = await _driver(connection)
        await driver.execute(begin, prepare=False)
    return driver


async def _abandon(connection: AsyncConnection, driver: DriverConnection[Any]) -> None:
    """Roll back, or throw the connection away when it cannot even do that."""
    try:
        await driver.execute(b"ROLLBACK", prepare=False)
    except PsycopgError:
        await connection.invalidate()


async def _driver(connection: AsyncConnection) -> DriverConnection[Any]:
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, DriverConnection)
    return driver


async def schema_revision(engine: AsyncEngine) -> str | None:
    """Return the revision that the database is at; `None` when it does not answer."""
    try:
        async with engine.connect() as connection:
            return (await connection.exec_driver_sql("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    except (SQLAlchemyError, PsycopgError):
        return None


def _send_every_integer_as_bigint(connection: Any, _record: object) -> None:
    """Give every integer one type. By default it follows the value, and each mixture of types is prepared anew."""
    connection.driver_connection.adapters.register_dumper(int, Int8Dumper)
