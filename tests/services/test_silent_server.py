"""An answer of the database never comes and the process lives on: nobody waits for ever, and the same key finds out."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from builders import City, a_2304, open_test_resources, settle
from database import rows_of
from settlement.db import engine as engines
from settlement.db.embedded import DatabaseUrls
from settlement.db.engine import Timeouts, fund_transaction, open_engine
from settlement.services.funds.rules import RulesShelf
from settlement.services.resources import Resources
from settlement.services.transactions import NotRecorded, run, told_plainly
from wire import Fate, wire_to

SHORT = Timeouts(lock=5, statement=2, connect=1, beyond_the_server=0.5)
KEY = "H50010302473-20250311-000001"


@asynccontextmanager
async def impatient(resources: Resources, url: str, timeouts: Timeouts = SHORT) -> AsyncIterator[Resources]:
    """Another process, as far as the database can tell: a pool and a memory of its own."""
    engine = open_engine(url, 2, timeouts)
    try:
        yield replace(resources, engine=engine, rules=RulesShelf(engine, None))
    finally:
        await engine.dispose()


@pytest.mark.parametrize("fate", [Fate.COMMIT_SWALLOWED, Fate.ANSWER_SWALLOWED])
async def test_a_commit_without_an_answer_is_not_known_here_and_told_truly_there(
    resources: Resources, city: City, database: DatabaseUrls, fate: Fate
):
    output, another = a_2304(city.member), a_2304(city.member)
    with wire_to(database) as wire:
        behind, beside = wire.url(database.app), database.app
        async with impatient(resources, behind) as cut_off, impatient(resources, beside) as sound:
            wire.let_the_next_commit_be(fate)
            began = time.monotonic()
            lost = asyncio.create_task(settle(cut_off, city, output, key=KEY))
            assert await asyncio.to_thread(wire.happened.wait, 20)
            truth, refused = await asyncio.gather(
                settle(sound, city, output, key=KEY), asyncio.wait_for(lost, 10), return_exceptions=True
            )
            assert isinstance(refused, NotRecorded)
            assert not isinstance(truth, BaseException), truth
            assert truth.replayed is (fate is Fate.ANSWER_SWALLOWED)
            assert truth.created
            assert truth.answer["state"] == "live"
            assert (await settle(sound, city, another)).answer["state"] == "live"
            assert time.monotonic() - began < SHORT.transaction + 5
            wire.let_the_next_commit_be(Fate.PASSED)
            again = await settle(cut_off, city, output, key=KEY)
            assert (again.replayed, again.answer) == (True, truth.answer)
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(2,)]
    assert rows_of(database, "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'") == [(0,)]


async def test_a_begin_without_an_answer_is_begun_anew(resources: Resources, city: City, database: DatabaseUrls):
    async with impatient(resources, database.app) as working:
        async with fund_transaction(working.engine, city.fund_id) as connection:
            backend = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        os.kill(backend, signal.SIGSTOP)
        try:
            began = time.monotonic()
            assert (await settle(working, city, a_2304(city.member))).answer["state"] == "live"
            assert SHORT.connect <= time.monotonic() - began < SHORT.connect + 4
        finally:
            os.kill(backend, signal.SIGCONT)


async def test_a_process_that_falls_silent_within_a_transaction_frees_the_member(
    resources: Resources, city: City, database: DatabaseUrls
):
    short = replace(SHORT, statement=0.3, beyond_the_server=60)
    async with impatient(resources, database.app, short) as silent:

        async def stands_still() -> None:
            async with fund_transaction(silent.engine, city.fund_id) as connection:
                await connection.execute(text("SELECT 1 FROM member FOR NO KEY UPDATE"))
                await asyncio.sleep(1)
                await connection.execute(text("SELECT 1"))

        standing = asyncio.create_task(run(stands_still))
        await asyncio.sleep(0.1)
        assert (await settle(resources, city, a_2304(city.member))).answer["state"] == "live"
        assert not standing.done()
        with pytest.raises(NotRecorded):
            await standing


async def test_a_whole_transaction_has_a_deadline(resources: Resources, city: City, database: DatabaseUrls):
    short = replace(SHORT, statement=1, beyond_the_server=-0.5)

    async def waits_for_a_lock() -> None:
        async with fund_transaction(waiting.engine, city.fund_id) as connection:
            await connection.execute(text("SELECT 1 FROM member FOR NO KEY UPDATE"))

    async with impatient(resources, database.app, short) as waiting, open_test_resources(database, seed=4) as holding:
        async with fund_transaction(holding.engine, city.fund_id) as connection:
            await connection.execute(text("SELECT 1 FROM member FOR NO KEY UPDATE"))
            began = time.monotonic()
            with pytest.raises(NotRecorded):
                await run(waits_for_a_lock)
            assert time.monotonic() - began < 3
        await run(waits_for_a_lock)


def test_a_connection_is_watched_by_the_network_as_well(monkeypatch: pytest.MonkeyPatch):
    given: dict[str, object] = {}

    def noted(*_: object, **options: object) -> object:
        given.update(options)
        raise LookupError

    monkeypatch.setattr(engines, "create_async_engine", noted)
    with pytest.raises(LookupError):
        open_engine("postgresql://somewhere/db", 1)
    connecting = given["connect_args"]
    assert isinstance(connecting, dict)
    assert {name: connecting[name] for name in ("keepalives_idle", "keepalives_interval", "keepalives_count")} == {
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    }
    assert connecting["tcp_user_timeout"] == 20_000
    assert "-c idle_in_transaction_session_timeout=20000ms" in connecting["options"]


def test_what_fails_every_time_is_not_told_as_worth_repeating():
    for ours in (errors.ProgramLimitExceeded(), errors.StatementTooComplex(), errors.UndefinedTable()):
        assert told_plainly(ours) is None
        assert told_plainly(DBAPIError("", {}, ours)) is None
    for theirs in (errors.AdminShutdown(), errors.DiskFull(), errors.QueryCanceled(), psycopg.OperationalError()):
        assert isinstance(told_plainly(theirs), NotRecorded)
