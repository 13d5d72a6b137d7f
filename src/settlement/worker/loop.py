"""The worker's loop. Each use case commits by itself, so what was not done is done in the next round."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.domain.time import Clock
from settlement.services.books.keep_books import BooksKeeping, keep_books
from settlement.services.events.number_events import number_all_events
from settlement.services.messages.drop_expired import drop_expired_messages

ROUND_SECONDS = 1.0
ROUNDS_BETWEEN_CLEANUPS = 3600

log = structlog.get_logger()


async def work(ops: AsyncEngine, clock: Clock, stop: asyncio.Event, keeping: BooksKeeping | None = None) -> None:
    """Work until told to stop. A round that fails is told to the log and tried again a second later.

    Without `keeping` books days are neither closed nor sealed.
    """
    for number in itertools.count():
        if stop.is_set():
            return
        thorough = number % ROUNDS_BETWEEN_CLEANUPS == 0
        try:
            await _round(ops, clock, thorough=thorough)
        except Exception as failed:
            log.warning("worker.round_failed", fault=type(failed).__name__)
        try:
            await _books(keeping, ops, thorough=thorough)
        except Exception as failed:
            log.warning("worker.books_failed", fault=type(failed).__name__)
        await _wait(stop)


async def repeat(name: str, job: Callable[[], Awaitable[float]], stop: asyncio.Event) -> None:
    """Run one named job again and again until told to stop; it returns the seconds until its next time.

    Beside the other rounds, because it waits for others. When told to stop it is cancelled: each of its steps commits
    by itself, and it gives back what it holds. What fails is told to the log and tried again a second later.
    """
    told = asyncio.ensure_future(stop.wait())
    try:
        while not stop.is_set():
            running = asyncio.ensure_future(job())
            await asyncio.wait([running, told], return_when=asyncio.FIRST_COMPLETED)
            seconds = await _ended(name, running)
            await asyncio.wait([told], timeout=seconds)
    finally:
        told.cancel()


async def _ended(name: str, running: asyncio.Future[float]) -> float:
    running.cancel()
    try:
        return await running
    except asyncio.CancelledError:
        return 0
    except Exception as failed:
        log.warning("worker.job_failed", job=name, fault=type(failed).__name__)
        return ROUND_SECONDS


async def _round(ops: AsyncEngine, clock: Clock, *, thorough: bool) -> None:
    """Number the new events; now and then look at every event, and drop the messages whose time is over."""
    numbered = await number_all_events(ops, all_times=thorough)
    dropped = await drop_expired_messages(ops, clock) if thorough else 0
    if numbered or dropped:
        log.info("worker.round", events_numbered=numbered, messages_dropped=dropped)


async def _books(keeping: BooksKeeping | None, ops: AsyncEngine, *, thorough: bool) -> None:
    """Close the books days that are due and seal what is closed; now and then say how many wait for a key."""
    if keeping is None:
        return
    kept = await keep_books(keeping, ops)
    if kept.closed or kept.sealed:
        log.info("worker.books", days_closed=kept.closed, days_sealed=kept.sealed)
    if thorough and kept.unsealed:
        log.warning("worker.books_not_sealed", days=kept.unsealed)


async def _wait(stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), ROUND_SECONDS)
    except TimeoutError:
        return
