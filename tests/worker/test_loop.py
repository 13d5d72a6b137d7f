"""The worker's rounds: what fails in one keeps nothing from the next, and a clean-up is many small statements."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import structlog

from builders import KEYS, City, SteeredClock, a_2304, settle
from database import as_owner, ops_engine, rows_of, until_somebody_waits_for
from settlement.db.embedded import DatabaseUrls
from settlement.db.messages import delete_expired_messages
from settlement.domain.ids import IdSource
from settlement.services.messages import drop_expired
from settlement.services.resources import Resources
from settlement.worker import examination, loop
from settlement.worker.clock import watching

EXPIRED = "UPDATE message_body SET expires_at = '2025-01-01'"


async def test_expired_messages_are_dropped_a_few_at_a_time_until_none_is_left(
    resources: Resources, city: City, database: DatabaseUrls, clock: SteeredClock, monkeypatch: pytest.MonkeyPatch
):
    for _ in range(5):
        await settle(resources, city, a_2304(city.member))
    as_owner(database, EXPIRED)
    await settle(resources, city, a_2304(city.member))
    async with ops_engine(database) as ops:
        async with ops.connect() as connection:
            assert await delete_expired_messages(connection, clock(), 2) == 2
        assert rows_of(database, "SELECT count(*) FROM message_body") == [(4,)]
        monkeypatch.setattr(drop_expired, "AT_ONCE", 2)
        assert await drop_expired.drop_expired_messages(ops, clock) == 3
        assert await drop_expired.drop_expired_messages(ops, clock) == 0
    assert rows_of(database, "SELECT count(*) FROM message_body") == [(1,)]


async def test_a_clean_up_that_fails_is_tried_again_in_its_time_and_delays_no_numbering(
    database: DatabaseUrls, clock: SteeredClock, monkeypatch: pytest.MonkeyPatch
):
    stop, thorough, cleaned = asyncio.Event(), [], []

    async def number(_: object, *, all_times: bool) -> int:
        thorough.append(all_times)
        if len(thorough) == 7:
            stop.set()
        return 0

    async def fail_to_clean(*_: object) -> int:
        cleaned.append(len(thorough))
        raise TimeoutError

    monkeypatch.setattr(loop, "number_all_events", number)
    monkeypatch.setattr(loop, "drop_expired_messages", fail_to_clean)
    monkeypatch.setattr(loop, "ROUND_SECONDS", 0.001)
    monkeypatch.setattr(loop, "ROUNDS_BETWEEN_CLEANUPS", 3)
    async with ops_engine(database) as ops, asyncio.timeout(10):
        await loop.work(ops, clock, stop)
    assert thorough == [True, False, False, True, False, False, True]
    assert cleaned == [1, 4, 7]


async def test_an_examination_that_fails_is_told_and_made_again(
    database: DatabaseUrls, clock: SteeredClock, monkeypatch: pytest.MonkeyPatch
):
    stop, tried = asyncio.Event(), []

    async def fail_twice(*_: object) -> int:
        tried.append(len(tried))
        if len(tried) < 3:
            raise TimeoutError
        stop.set()
        return 0

    monkeypatch.setattr(examination, "examine_when_due", fail_twice)
    monkeypatch.setattr(loop, "ROUND_SECONDS", 0.001)
    async with ops_engine(database) as ops, asyncio.timeout(10):
        await loop.repeat("examination", examination.examining(ops, KEYS, IdSource(clock, random.Random(1))), stop)
    assert tried == [0, 1, 2]


async def test_a_worker_that_is_told_to_stop_does_not_wait_for_an_examination(
    city: City, database: DatabaseUrls, clock: SteeredClock
):
    stop = asyncio.Event()
    async with ops_engine(database) as ops, asyncio.timeout(30):
        with psycopg.connect(database.owner) as owner:
            owner.execute("LOCK TABLE settlement")
            job = examination.examining(ops, KEYS, IdSource(clock, random.Random(1)))
            working = asyncio.create_task(loop.repeat("examination", job, stop))
            await asyncio.to_thread(until_somebody_waits_for, database, "settlement")
            stop.set()
            await working
    assert rows_of(database, "SELECT count(*) FROM examination") == [(0,)]


async def test_the_worker_says_so_while_its_clock_is_apart_from_the_databases(database: DatabaseUrls):
    behind = [10.0, 10.0, 0.0, 0.0]

    def clock() -> datetime:
        return datetime.now(UTC) - timedelta(seconds=behind[0])

    async with ops_engine(database) as ops:
        look = watching(ops, clock)
        with structlog.testing.capture_logs() as told:
            while behind:
                assert await look() == 30
                behind.pop(0)
    assert [line["event"] for line in told] == ["clock.apart", "clock.apart", "clock.together"]
    assert told[0]["log_level"] == "error"
    assert 9 < told[0]["offset_seconds"] < 11
