"""Trying a transaction again when that is right, and telling the caller plainly when it is not known to be done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from psycopg import Error as PsycopgError
from psycopg import InterfaceError, OperationalError
from psycopg.errors import (
    DeadlockDetected,
    IdleInTransactionSessionTimeout,
    LockNotAvailable,
    ProgramLimitExceeded,
    StatementTooComplex,
    TooManyArguments,
    TooManyColumns,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from settlement.db.parts import RecordedMeanwhile
from settlement.db.settling import KeyInProgress
from settlement.domain.errors import SettlementError
from settlement.services.members.queue import MemberBusy

MOST_TRIES = 4
POLL_SECONDS = 0.05
LONGEST_POLL_SECONDS = 10

DATABASE_FAILURES = (PoolTimeout, DBAPIError, PsycopgError)
"""What SQLAlchemy and the driver raise, wrapped or not."""

_AWAY = (OperationalError, InterfaceError, PoolTimeout, IdleInTransactionSessionTimeout)
_TOO_MUCH = (ProgramLimitExceeded, StatementTooComplex, TooManyArguments, TooManyColumns)
"""Operational by the driver's classes, but of the statement's own making (SQLSTATE class 54): it fails every time."""

T = TypeVar("T")


class NotRecorded(SettlementError):
    """The database did not do it, or did not say; only the command repeated under the same key finds out."""

    code = "not_recorded"


class CommandInProgress(SettlementError):
    """The same command is under way elsewhere and has not ended; it may be repeated under the same key."""

    code = "in_progress"


async def run(transaction: Callable[[], Awaitable[T]]) -> T:
    """Run a transaction; again, if another one came between or met it in a deadlock (at most three times more).

    Raises `CommandInProgress` when another one under the same key does not end within ten seconds (it is asked again
    without holding a connection), `MemberBusy` when a row lock was not to be had, `NotRecorded` when the database
    failed: then it is not known here whether it committed, and the same key finds out.
    """
    tries = 0
    loop = asyncio.get_running_loop()
    deadline = loop.time() + LONGEST_POLL_SECONDS
    while True:
        try:
            return await transaction()
        except KeyInProgress:
            if loop.time() > deadline:
                raise CommandInProgress from None
            await asyncio.sleep(POLL_SECONDS)
        except RecordedMeanwhile as meanwhile:
            tries += 1
            if tries == MOST_TRIES:
                raise CommandInProgress(str(meanwhile)) from meanwhile
        except DATABASE_FAILURES as failed:
            tries += 1
            if not isinstance(_cause(failed), DeadlockDetected) or tries == MOST_TRIES:
                raise told_plainly(failed) or failed from failed


def told_plainly(failed: Exception) -> SettlementError | None:
    """Return what a failure of the database means to a caller; `None` for one that is our own fault."""
    cause = _cause(failed)
    if isinstance(cause, LockNotAvailable):
        return MemberBusy()
    return NotRecorded() if isinstance(cause, _AWAY) and not isinstance(cause, _TOO_MUCH) else None


def _cause(failed: Exception) -> BaseException | None:
    return failed.orig if isinstance(failed, DBAPIError) else failed
