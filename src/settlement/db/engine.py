"""Connections and the one shape of transaction that the service uses: bound to a fund from its first statement."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a connection waits, in seconds: for a lock, for a statement, for a connection and its first answer."""

    lock: float = LOCK_TIMEOUT_SECONDS
    statement: float = STATEMENT_TIMEOUT_SECONDS
    connect: float = CONNECT_TIMEOUT_SECONDS
    beyond_the_server: float = 5

    @property
    def transaction(self) -> float:
        """How long a transaction may take: a little longer than the server itself allows one statement."""
        return self.statement + self.beyond_the_server


def open_engine(url: str, pool_size: int, timeouts: Timeouts | None = None) -> AsyncEngine:
    """Open a pool of connections.

    In autocommit, because `fund_transaction` begins and commits itself; without a ping on checkout, because that is
    a round trip on the settle path (a broken connection fails its request, which the caller repeats under its key).

    Each end gives up by itself on one that is no longer heard, since what is locked stays locked until then: the
    server on a client that is silent within a transaction, we on a server that is silent, the network on both.
    """
    timeouts = timeouts or Timeouts()
    limits = {
        "lock_timeout": timeouts.lock,
        "statement_timeout": timeouts.statement,
        "idle_in_transaction_session_timeout": timeouts.statement,
    }
    engine = create_async_engine(
        driver_url(url),
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=timeouts.lock,
        execution_options={_TIMEOUTS: timeouts},
        connect_args={
            "options": " ".join(f"-c {name}={seconds * 1000:.0f}ms" for name, seconds in limits.items()),
            "connect_timeout": timeouts.connect,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": STATEMENT_TIMEOUT_SECONDS * 1000,
        },
    )
    event.listen(engine.sync_engine, "connect", _send_every_integer_as_bigint)
    return engine


_TIMEOUTS = "settlement_timeouts"


@asynccontextmanager
async def fund_transaction(engine: AsyncEngine, fund_id: FundId) -> AsyncIterator[AsyncConnection]:
    """Run one transaction that sees one fund; commit at its end, roll back on any error.

    `BEGIN` and the fund travel in one message, so that binding a transaction to its fund costs no round trip.
    Row-level security compares every row with that setting, which ends with the transaction.

    Where the answer to a statement or to the COMMIT does not come in time, `OperationalError` is raised as for any
    lost connection: whether it was committed is then not known here.
    """
    timeouts: Timeouts = engine.get_execution_options()[_TIMEOUTS]
    async with engine.connect() as connection:
        driver = await _begin(connection, fund_id, timeouts)
        with _answered_within(timeouts.transaction, driver):
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


@contextmanager
def _answered_within(seconds: float, driver: DriverConnection[Any]) -> Iterator[None]:
    """Hang up when time is over. Whoever waits for an answer then learns that the connection is lost, and so do we.

    Not by cancelling the wait: the driver would first ask the server to cancel the statement and wait for that.
    """
    alarm = asyncio.get_running_loop().call_later(seconds, _hang_up, driver)
    try:
        yield
    finally:
        alarm.cancel()


def _hang_up(driver: DriverConnection[Any]) -> None:
    with suppress(OSError, OperationalError), socket.socket(fileno=os.dup(driver.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


async def _begin(connection: AsyncConnection, fund_id: FundId, timeouts: Timeouts) -> DriverConnection[Any]:
    """Begin; on a connection that died in the pool (the server was restarted), begin on a new one: nothing was done.

    A BEGIN waits for nothing, so one that is not answered at once will not be.
    """
    begin = f"BEGIN; SET LOCAL app.fund = '{fund_id}'".encode()
    driver = await _driver(connection)
    try:
        with _answered_within(timeouts.connect, driver):
            await driver.execute(begin, prepare=False)
    except OperationalError:
        await connection.invalidate()
        driver = await _driver(connection)
        with _answered_within(timeouts.connect, driver):
            await driver.execute(begin, prepare=False)
    return driver


async def _abandon(connection: AsyncConnection, driver: DriverConnection[Any]) -> None:
    """Roll back, or throw the connection away when it cannot even do that (at once, when the line is down)."""
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
    """Return the revision that the database is at; `None` when it does not answer in time."""
    found = await _one_value(engine, "SELECT version_num FROM alembic_version")
    return str(found) if found is not None else None


async def read_database_clock(engine: AsyncEngine) -> datetime | None:
    """Return the database's present instant; `None` when it does not answer in time."""
    found = await _one_value(engine, "SELECT clock_timestamp()")
    return found if isinstance(found, datetime) else None


async def _one_value(engine: AsyncEngine, query: str) -> Any:
    """Return what a query says that waits for nothing; one that is not answered at once will not be."""
    timeouts: Timeouts = engine.get_execution_options()[_TIMEOUTS]
    try:
        async with engine.connect() as connection:
            with _answered_within(timeouts.connect, await _driver(connection)):
                return (await connection.exec_driver_sql(query)).scalar_one_or_none()
    except (SQLAlchemyError, PsycopgError):
        return None


def _send_every_integer_as_bigint(connection: Any, _record: object) -> None:
    """Give every integer one type. By default it follows the value, and each mixture of types is prepared anew."""
    connection.driver_connection.adapters.register_dumper(int, Int8Dumper)
