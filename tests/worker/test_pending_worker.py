"""Real workers that ask: killed in the middle they strand nothing, told to stop they give back, two share the work."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from asked_city import AskedCity, an_asked_city, write_profile
from builders import KEYS
from database import Databases, rows_of
from lab.running import insurer_on_thread
from serving import START_SECONDS, worker_process
from settlement.db.embedded import DatabaseUrls
from settlement.services.audit.examine import examine

LEASE_SECONDS = 9
STRICT = {"connect_timeout_seconds": 0.2, "answer_timeout_seconds": 0.3, "slow_answer_seconds": 0.3}


@pytest.fixture
def database(databases: Databases) -> Iterator[DatabaseUrls]:
    with databases.copy() as urls:
        yield urls


@pytest.fixture
async def asked(database: DatabaseUrls, tmp_path: Path) -> AsyncIterator[AskedCity]:
    with insurer_on_thread(tmp_path / "insurer", clock="system") as server:
        async with an_asked_city(database, server.url, write_profile(tmp_path, server.url, **STRICT)) as city:
            yield city


async def until(done: Callable[[], bool], seconds: float) -> float:
    """Wait until something holds; return how long that took."""
    began = time.monotonic()
    while not done():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        await asyncio.sleep(0.01)
    return time.monotonic() - began


def count(database: DatabaseUrls, condition: str) -> int:
    return int(str(rows_of(database, f"SELECT count(*) FROM pending_question WHERE {condition}")[0][0]))


async def a_lost_stay(asked: AskedCity, nth: int = 0) -> None:
    visit = await asked.stay(nth)
    await asked.insurers.fault("no_answer_after", infno="2304")
    await asked.report(visit, await asked.lost(visit))


async def test_a_worker_killed_in_the_middle_of_a_question_strands_nothing(
    asked: AskedCity, database: DatabaseUrls, tmp_path: Path
):
    await asked.insurers.fault("no_answer_before", infno="5204", hold=True, count=0)
    await a_lost_stay(asked)
    while count(database, "asker_id IS NOT NULL") == 0:
        with worker_process(database, tmp_path, tmp_path) as worker:
            await until(lambda: count(database, "asker_id IS NOT NULL") == 1, START_SECONDS)
            worker.kill()
            worker.wait()
    (await asked.insurers.http.delete(f"{asked.insurers.url}/admin/faults")).raise_for_status()
    with worker_process(database, tmp_path, tmp_path):
        await until(lambda: count(database, "outcome = 'settled'") == 1, LEASE_SECONDS + START_SECONDS)
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(1,)]


async def test_a_worker_told_to_stop_gives_back_what_it_was_asking_and_ends_cleanly(
    asked: AskedCity, database: DatabaseUrls, tmp_path: Path
):
    await asked.insurers.fault("no_answer_before", infno="5204", hold=True, count=0)
    await a_lost_stay(asked)
    with worker_process(database, tmp_path, tmp_path) as worker:
        await until(lambda: count(database, "asker_id IS NOT NULL") == 1, START_SECONDS)
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 60) == 0
    assert count(database, "asker_id IS NULL AND closed_at IS NULL AND due_at <= now()") == 1


async def test_workers_killed_again_and_again_leave_only_facts(
    asked: AskedCity, database: DatabaseUrls, tmp_path: Path
):
    for nth in range(6):
        await asked.bring(await asked.settled_at_insurer(nth))
    for nth in range(6, 9):
        await a_lost_stay(asked, nth)
    moments = random.Random(5)
    for _ in range(4):
        with worker_process(database, tmp_path, tmp_path) as worker:
            await until(
                lambda: b"pending" in (tmp_path / "worker.log").read_bytes() or _leased(database), START_SECONDS
            )
            await asyncio.sleep(moments.uniform(0, 0.5))
            worker.kill()
            worker.wait()
    with worker_process(database, tmp_path, tmp_path), worker_process(database, tmp_path, tmp_path):
        await until(lambda: count(database, "outcome IN ('confirmed', 'settled')") == 9, LEASE_SECONDS + START_SECONDS)
    assert rows_of(database, "SELECT count(*), count(DISTINCT bill_id) FROM settlement") == [(9, 9)]
    assert rows_of(database, "SELECT count(*) FROM bill WHERE state = 'pending'") == [(0,)]
    examination = await examine(asked.ops, KEYS)
    assert [finding.invariant.name for finding in examination.findings if finding.broken] == []


def _leased(database: DatabaseUrls) -> bool:
    return count(database, "asker_id IS NOT NULL OR closed_at IS NOT NULL") > 0


async def test_two_real_workers_ask_each_question_once(asked: AskedCity, database: DatabaseUrls, tmp_path: Path):
    for nth in range(12):
        await asked.bring(await asked.settled_at_insurer(nth))
    write_profile(tmp_path, asked.insurers.url)
    with worker_process(database, tmp_path, tmp_path) as one, worker_process(database, tmp_path, tmp_path) as other:
        await until(lambda: count(database, "outcome = 'confirmed'") == 12, START_SECONDS)
        for worker in (one, other):
            _end(worker)
    assert count(database, "tries = 1") == 12
    assert (await asked.insurers.get("stats"))["messages"]["5203"] == 12


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
