"""The worker's loop. Each use case commits by itself, so what was not done is done in the next round."""

from __future__ import annotations

import asyncio
import itertools

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.db.secrets import KeyRing
from settlement.domain.ids import IdSource
from settlement.domain.time import Clock
from settlement.services.audit.keep_examination import examine_when_due
from settlement.services.events.number_events import number_all_events
from settlement.services.messages.drop_expired import drop_expired_messages

ROUND_SECONDS = 1.0
ROUNDS_BETWEEN_CLEANUPS = 3600

log = structlog.get_logger()


async def work(ops: AsyncEngine, clock: Clock, stop: asyncio.Event) -> None:
    """Number events and clean up until told to stop. A round that fails is told to the log and tried again."""
    for number in itertools.count():
        if stop.is_set():
            return
        try:
            await _round(ops, clock, thorough=number % ROUNDS_BETWEEN_CLEANUPS == 0)
        except Exception as failed:
            log.warning("worker.round_failed", fault=type(failed).__name__)
        await _wait(stop)


async def _round(ops: AsyncEngine, clock: Clock, *, thorough: bool) -> None:
    """Number the new events; now and then look at every event, and drop the messages whose time is over."""
    numbered = await number_all_events(ops, all_times=thorough)
    dropped = await drop_expired_messages(ops, clock) if thorough else 0
    if numbered or dropped:
        log.info("worker.round", events_numbered=numbered, messages_dropped=dropped)


async def examine_in_time(ops: AsyncEngine, keys: KeyRing, ids: IdSource, stop: asyncio.Event) -> None:
    """Make the examinations that are due until told to stop; beside `work`, which does not wait for a long one."""
    while not stop.is_set():
        try:
            broken = await examine_when_due(ops, keys, ids)
            if broken is not None:
                log.info("worker.examined", invariants_broken=broken)
        except Exception as failed:
            log.warning("worker.examination_failed", fault=type(failed).__name__)
        await _wait(stop)


async def _wait(stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), ROUND_SECONDS)
    except TimeoutError:
        return
