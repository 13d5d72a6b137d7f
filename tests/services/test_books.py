"""Books days: every record in exactly one, closed once a date in China, sealed once, and closed for good."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import CheckViolation, InsufficientPrivilege
from sqlalchemy import make_url

from builders import (
    KEYS,
    City,
    SteeredClock,
    a_2304,
    a_2305,
    a_city,
    bill_id_of,
    once,
    open_test_resources,
    reverse,
    settle,
)
from database import as_owner, ops_engine, rows_of, until_somebody_waits_for
from sealing import ANOTHER, SIGNER, VERIFIER
from serving import settings_of
from settlement.db import books
from settlement.db.audit import snapshot
from settlement.db.books import find_day
from settlement.db.embedded import DatabaseUrls
from settlement.db.settling import books_lock
from settlement.db.tables import settlement
from settlement.domain.books import FORMAT, BooksDay, DayContent, Seal, is_due
from settlement.domain.ids import FundId
from settlement.domain.settlements import RevisionReason
from settlement.domain.time import CHINA
from settlement.services.audit.examine import examine
from settlement.services.bills.transfer_aid import TransferAid, transfer_aid
from settlement.services.books.close_books_day import (
    BooksBusy,
    BooksClosedToday,
    close_books_day,
    close_due_books_days,
)
from settlement.services.books.hash_day import hash_day
from settlement.services.books.keep_books import BooksKeeping, keep_books
from settlement.services.books.seal_books_days import seal_closed_days
from settlement.services.books.seal_keys import Signer, write_new_key
from settlement.services.events.number_events import number_all_events
from settlement.services.resources import Resources

DAYS = "SELECT books_day, closed_at IS NULL FROM books_day ORDER BY books_day"


async def sealed(resources: Resources, database: DatabaseUrls, signer: Signer = SIGNER) -> list[Seal]:
    async with ops_engine(database) as ops:
        return await seal_closed_days(resources, ops, signer)


async def hashed(database: DatabaseUrls, city: City, number: int = 1) -> DayContent:
    async with ops_engine(database) as ops, snapshot(ops) as connection:
        day = await find_day(connection, city.fund_id, number)
        assert day is not None
        return await hash_day(connection, day, FORMAT)


async def test_what_is_recorded_after_a_close_is_in_the_next_day_and_so_is_the_reversal_of_an_older_bill(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    old = await settle(resources, city, output)
    assert await close_books_day(resources, city.fund_id) == 1
    await settle(resources, city, a_2304(city.members[1]))
    await reverse(resources, city, old, a_2305(output))
    assert rows_of(database, "SELECT books_day FROM settlement ORDER BY bill_id") == [(1,), (2,)]
    assert rows_of(database, "SELECT books_day FROM reversal") == [(2,)]
    assert rows_of(database, "SELECT DISTINCT record, books_day FROM posting ORDER BY 1, 2") == [
        ("reversal", 2),
        ("settlement", 1),
        ("settlement", 2),
    ]
    assert rows_of(database, DAYS) == [(1, False), (2, True)]


async def test_a_fund_closes_once_a_date_in_china(resources: Resources, city: City, clock: SteeredClock):
    clock.now = datetime(2025, 3, 11, 0, 30, tzinfo=CHINA)
    assert await close_books_day(resources, city.fund_id) == 1
    clock.now = datetime(2025, 3, 11, 23, 59, tzinfo=CHINA)
    with pytest.raises(BooksClosedToday):
        await close_books_day(resources, city.fund_id)
    clock.now = datetime(2025, 3, 12, 0, 0, tzinfo=CHINA)
    assert await close_books_day(resources, city.fund_id) == 2


async def test_of_those_who_close_at_once_one_wins_and_the_next_day_stays_open(
    resources: Resources, city: City, database: DatabaseUrls
):
    closing = [close_books_day(resources, city.fund_id) for _ in range(6)]
    results = await asyncio.gather(*closing, return_exceptions=True)
    assert results.count(1) == 1
    assert [type(result) for result in results if result != 1] == [BooksClosedToday] * 5
    assert rows_of(database, DAYS) == [(1, False), (2, True)]


async def test_settlements_while_the_day_closes_fall_each_in_one_day_and_the_sums_tie(database: DatabaseUrls):
    """The close has connections of its own, as in the worker; the last five bills come when it is done."""
    async with open_test_resources(database) as resources, open_test_resources(database, seed=8) as of_worker:
        city = await a_city(resources, code="busy", members=40)
        recorded, after_close = asyncio.Semaphore(0), asyncio.Event()

        async def bring(number: int) -> None:
            if number >= 35:
                await after_close.wait()
            output = a_2304(city.members[number])
            outcome = await settle(resources, city, output)
            recorded.release()
            if number % 5 == 0:
                await reverse(resources, city, outcome, a_2305(output))

        async def close_in_the_middle() -> int:
            for _ in range(12):
                await recorded.acquire()
            closed = await close_books_day(of_worker, city.fund_id)
            after_close.set()
            return closed

        [closed, *_] = await asyncio.gather(close_in_the_middle(), *(bring(number) for number in range(40)))
        [seal] = await sealed(resources, database)
        assert (closed, seal.statement.books_day) == (1, 1)
        of_fund = f"WHERE fund_id = '{city.fund_id}'"
        by_day = dict(rows_of(database, f"SELECT books_day, count(*) FROM settlement {of_fund} GROUP BY 1"))
        assert set(by_day) == {1, 2}
        assert sum(by_day.values()) == 40  # type: ignore[misc]
        first, second = [await hashed(database, city, number) for number in (1, 2)]
        assert first == seal.statement.content
        assert first.counts["settlement"] == by_day[1]
        assert first.counts.get("reversal", 0) + second.counts.get("reversal", 0) == 8
        totals = rows_of(
            database,
            f"SELECT sum(aid_on_bill_fen), sum(aid_to_card_fen), sum(aid_on_bill_fen) FILTER (WHERE undone) FROM ("
            f"SELECT *, EXISTS (SELECT FROM reversal WHERE reversal.bill_id = settlement.bill_id) AS undone "
            f"FROM settlement {of_fund}) AS record",
        )
        assert totals == [
            (
                first.sums.aid_on_bill + second.sums.aid_on_bill,
                first.sums.aid_to_card + second.sums.aid_to_card,
                first.sums.reversed_on_bill + second.sums.reversed_on_bill,
            )
        ]
        postings = rows_of(
            database,
            f"SELECT books_day, count(*) FROM posting {of_fund} GROUP BY 1 ORDER BY 1",
        )
        assert postings == [(1, first.counts["posting"]), (2, second.counts["posting"])]
        async with ops_engine(database) as ops:
            assert (await examine(ops, KEYS, verifier=VERIFIER)).broken == ()


async def test_a_close_waits_for_a_record_under_way_and_gives_up_rather_than_hold_up_the_counter(
    resources: Resources, city: City, database: DatabaseUrls
):
    with psycopg.connect(database.owner) as recording:
        recording.execute("SELECT pg_advisory_xact_lock_shared(%s)", [books_lock(city.fund_id)])
        with pytest.raises(BooksBusy):
            await close_books_day(resources, city.fund_id, tries=1)
        async with asyncio.timeout(5):
            await settle(resources, city, a_2304(city.member))
        closing = asyncio.create_task(close_books_day(resources, city.fund_id))
        done, _ = await asyncio.wait([closing], timeout=0.2)
        assert not done
        recording.rollback()
        assert await closing == 1


async def test_a_settlement_that_was_decided_and_not_yet_written_holds_its_day_open(
    resources: Resources, city: City, database: DatabaseUrls
):
    """Somebody stands before the table that it writes to: what it read, the open day too, was read by then."""
    with psycopg.connect(database.owner) as in_the_way:
        in_the_way.execute("LOCK TABLE settlement IN SHARE MODE")
        settling = asyncio.create_task(settle(resources, city, a_2304(city.member)))
        await asyncio.to_thread(until_somebody_waits_for, database, "settlement")
        with pytest.raises(BooksBusy):
            await close_books_day(resources, city.fund_id, tries=1)
        in_the_way.rollback()
    assert (await settling).answer["state"] == "live"
    assert await close_books_day(resources, city.fund_id) == 1
    assert rows_of(database, "SELECT books_day FROM settlement") == [(1,)]


async def test_a_hand_that_takes_no_lock_is_made_to_take_it_by_the_database(
    resources: Resources, city: City, database: DatabaseUrls
):
    await settle(resources, city, a_2304(city.member))
    by_hand = """INSERT INTO posting SELECT fund_id, bill_id, revision, record, 99, debit, credit, fen, books_day
        FROM posting WHERE line = 1"""
    with psycopg.connect(database.app) as recording:
        recording.execute(f"SET LOCAL app.fund = '{city.fund_id}'".encode())
        recording.execute(by_hand.encode())
        with pytest.raises(BooksBusy):
            await close_books_day(resources, city.fund_id, tries=1)
        recording.commit()
    assert await close_books_day(resources, city.fund_id) == 1


IN_A_CLOSED_DAY = {
    "settlement_in_open_day": "INSERT INTO settlement ({columns}) SELECT {values} FROM settlement",
    "reversal_in_open_day": """INSERT INTO reversal SELECT fund_id, bill_id, revision, gen_random_uuid(), 'other',
        'brought', NULL, business_date, books_day, actor, recorded_at FROM settlement""",
    "posting_in_open_day": """INSERT INTO posting SELECT fund_id, bill_id, revision, record, 99, debit, credit, fen,
        books_day FROM posting WHERE line = 1""",
    "consumption_in_open_day": """INSERT INTO consumption
        (fund_id, member_id, plan_code, benefit, term, bill_id, revision, base_fen, burden_fen, paid_fen, days, times)
        SELECT fund_id, member_id, plan_code, benefit, 'another', bill_id, revision, 1, 1, 1, 1, 1 FROM consumption
        WHERE benefit <> '_stay'""",
}


@pytest.mark.parametrize("login", ["app", "owner"])
@pytest.mark.parametrize("guard", sorted(set(IN_A_CLOSED_DAY)))
async def test_the_database_refuses_what_names_a_closed_day_whoever_writes_it(
    resources: Resources, city: City, database: DatabaseUrls, guard: str, login: str
):
    await settle(resources, city, a_2304(city.member))
    names = [column.name for column in settlement.columns]
    next_revision = ["revision + 1" if name == "revision" else name for name in names]
    statement = IN_A_CLOSED_DAY[guard].format(columns=", ".join(names), values=", ".join(next_revision))
    with psycopg.connect(getattr(database, login)) as hand:
        hand.execute(f"SET LOCAL app.fund = '{city.fund_id}'".encode())
        assert hand.execute(statement.encode()).rowcount == 1, "an open day takes it"
        hand.rollback()
        await close_books_day(resources, city.fund_id)
        hand.execute(f"SET LOCAL app.fund = '{city.fund_id}'".encode())
        with pytest.raises(CheckViolation, match="books day 1 is closed") as refused:
            hand.execute(statement.encode())
        assert refused.value.diag.constraint_name == guard


@pytest.mark.parametrize("change", ["closed_at = NULL", "closed_at = now()", "opened_at = now()"])
async def test_a_closed_day_is_never_opened_again_nor_closed_at_another_time(
    resources: Resources, city: City, database: DatabaseUrls, change: str
):
    await close_books_day(resources, city.fund_id)
    with pytest.raises(CheckViolation, match="stays as it is"):
        as_owner(database, f"UPDATE books_day SET {change} WHERE books_day = 1")


async def test_seals_are_only_added(resources: Resources, city: City, database: DatabaseUrls):
    await close_books_day(resources, city.fund_id)
    await sealed(resources, database)
    for login in (database.app, database.ops):
        for statement in ("UPDATE seal SET signature = ''", "DELETE FROM seal", "TRUNCATE seal"):
            with pytest.raises(InsufficientPrivilege), psycopg.connect(login) as hand:
                hand.execute(statement.encode())


def test_code_and_database_mean_the_same_lock(city: City, database: DatabaseUrls):
    assert rows_of(database, f"SELECT books_lock('{city.fund_id}')") == [(books_lock(city.fund_id),)]


def test_everything_that_names_a_books_day_is_sealed_and_guarded(database: DatabaseUrls):
    named = {
        str(table)
        for (table,) in rows_of(
            database,
            "SELECT table_name::text FROM information_schema.columns "
            "WHERE table_schema = 'public' AND column_name = 'books_day'",
        )
    } - {"books_day", "seal"}
    assert named == {"settlement", "reversal", "posting"}, "add the table to the lines of a day, with a guard"
    guarded = {str(name) for (name,) in rows_of(database, "SELECT tgrelid::regclass::text FROM pg_trigger")}
    assert named | {"consumption"} <= guarded
    [(kinds,)] = rows_of(
        database, "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'posting_record_known'"
    )
    assert str(kinds).count("::text,") + 1 == 2, "add the postings of the new kind to the lines of a day"


@pytest.mark.parametrize(
    ("opened", "now", "due"),
    [
        pytest.param("2025-03-10 00:30", "2025-03-11 00:30", True, id="at_its_hour"),
        pytest.param("2025-03-10 00:30", "2025-03-11 00:29", False, id="before_its_hour"),
        pytest.param("2025-03-10 23:59", "2025-03-11 00:31", True, id="however_short_it_was"),
        pytest.param("2025-03-11 00:30", "2025-03-11 23:59", False, id="not_twice_a_date"),
        pytest.param("2025-03-07 00:30", "2025-03-11 09:00", True, id="late_when_its_hour_was_missed"),
    ],
)
def test_a_day_is_due_once_a_date_from_its_hour_on(opened: str, now: str, due: bool):
    opened_at, at = (datetime.fromisoformat(text).replace(tzinfo=CHINA) for text in (opened, now))
    day = BooksDay(FundId(None), 1, opened_at, None)  # type: ignore[arg-type]
    assert is_due(day, at, time(0, 30)) is due


async def test_the_worker_closes_each_fund_once_a_date_and_seals_it(
    resources: Resources, city: City, database: DatabaseUrls, clock: SteeredClock
):
    await settle(resources, city, a_2304(city.member))
    keeping = BooksKeeping(resources, time(0, 30), SIGNER)
    async with ops_engine(database) as ops:
        kept = [await keep_books(keeping, ops) for _ in range(3)]
        assert [(round_.closed, round_.sealed) for round_ in kept] == [(1, 1), (0, 0), (0, 0)]
        clock.forward(days=3)
        assert (await keep_books(keeping, ops)).closed == 1
        assert await number_all_events(ops) == 3
    assert rows_of(database, "SELECT books_day, previous_hash IS NULL FROM seal ORDER BY 1") == [(1, True), (2, False)]


async def test_without_a_key_days_stay_closed_and_not_sealed_and_the_doctor_says_so(
    resources: Resources, city: City, database: DatabaseUrls, clock: SteeredClock
):
    keeping = BooksKeeping(resources, time(0, 30), None)
    async with ops_engine(database) as ops:
        assert (await keep_books(keeping, ops)).unsealed == 1
        clock.forward(days=1)
        assert (await keep_books(keeping, ops)).unsealed == 2
        [finding] = [
            finding for finding in (await examine(ops, KEYS)).findings if finding.invariant.name == "seals_form_a_chain"
        ]
        assert (finding.broken, finding.not_examined) == (0, 2)
        assert "SETTLEMENT_SEAL_KEY_FILE" in finding.why
        with_key = BooksKeeping(resources, time(0, 30), SIGNER)
        assert (await keep_books(with_key, ops)).sealed == 2


async def test_two_workers_seal_a_day_once(resources: Resources, city: City, database: DatabaseUrls):
    for _ in range(3):
        await settle(resources, city, a_2304(city.member))
    await close_books_day(resources, city.fund_id)
    results = await asyncio.gather(*(sealed(resources, database, signer) for signer in (SIGNER, ANOTHER, SIGNER)))
    assert sorted(len(seals) for seals in results) == [0, 0, 1]
    assert rows_of(database, "SELECT count(*), count(DISTINCT key_id) FROM seal") == [(1, 1)]
    assert rows_of(database, "SELECT sequence, type FROM event WHERE bill_id IS NULL") == [(1, "books_day.sealed.v1")]


async def test_a_seal_says_what_the_day_holds_and_an_event_of_the_fund_tells_it(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    undone = await settle(resources, city, output)
    await settle(resources, city, a_2304(city.members[1]))
    await reverse(resources, city, undone, a_2305(output))
    await close_books_day(resources, city.fund_id)
    [seal] = await sealed(resources, database)
    content = seal.statement.content
    postings = rows_of(database, "SELECT count(*) FROM posting")[0][0]
    counts = {"settlement": 2, "reversal": 1, "posting": postings, "consumption": 4, "event": 3}
    assert content.counts == counts
    sums = (content.sums.aid_on_bill, content.sums.aid_to_card, content.sums.reversed_on_bill)
    assert sums == (2 * 38_983, 0, 38_983)
    assert VERIFIER.verifies(seal)
    assert seal.follows(None)
    [(payload,)] = rows_of(database, "SELECT payload FROM event WHERE bill_id IS NULL")
    assert payload == seal.to_json()


async def test_the_hash_of_a_day_depends_on_its_records_alone(resources: Resources, city: City, database: DatabaseUrls):
    output = a_2304(city.member)
    await reverse(resources, city, await settle(resources, city, output), a_2305(output))
    await close_books_day(resources, city.fund_id)
    before = await hashed(database, city)
    name = make_url(database.owner).database
    as_owner(
        database,
        f"ALTER DATABASE {name} SET timezone = 'America/New_York'",
        f"ALTER DATABASE {name} SET enable_hashjoin = off",
        "CREATE INDEX backwards ON posting (fund_id, bill_id DESC)",
        "CLUSTER posting USING backwards",
    )
    await settle(resources, city, a_2304(city.members[1]))
    assert await hashed(database, city) == before


async def test_a_day_is_read_in_small_portions_and_hashed_alike(
    resources: Resources, city: City, database: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
):
    for member in city.members:
        await settle(resources, city, a_2304(member))
    whole = await hashed(database, city)
    monkeypatch.setattr(books, "LINES_AT_ONCE", 2)
    async with ops_engine(database) as ops, snapshot(ops) as connection:
        portions = [len(lines) async for _, lines in books.stream_day_lines(connection, city.fund_id, 1, 1)]
    assert max(portions) == 2
    assert sum(portions) == sum(whole.counts.values())
    assert await hashed(database, city) == whole


async def test_later_events_of_a_bill_belong_to_no_sealed_day(resources: Resources, city: City, database: DatabaseUrls):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    await close_books_day(resources, city.fund_id)
    before = await hashed(database, city)
    await settle(resources, city, output, confirmed_by="5203")
    await reverse(resources, city, settled, a_2305(output))
    assert rows_of(database, "SELECT count(*) FROM event") == [(3,)]
    assert await hashed(database, city) == before
    assert (await hashed(database, city, 2)).counts["event"] == 2


async def test_the_event_that_tells_a_revision_is_sealed_in_the_day_of_its_records(
    resources: Resources, city: City, database: DatabaseUrls, clock: SteeredClock
):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    await close_books_day(resources, city.fund_id)
    clock.forward(days=1)
    bill_id = bill_id_of(settled)
    await transfer_aid(resources, TransferAid(city.caller, bill_id, RevisionReason.NOT_SHOWN, once(city.caller)))
    await close_books_day(resources, city.fund_id)
    first, second = await hashed(database, city), await hashed(database, city, 2)
    assert (first.counts["settlement"], first.counts["event"]) == (1, 1)
    assert (second.counts["settlement"], second.counts["reversal"], second.counts["event"]) == (1, 1, 1)
    clock.forward(days=1)
    await reverse(resources, city, settled, a_2305(output))
    assert [await hashed(database, city), await hashed(database, city, 2)] == [first, second]
    assert (await hashed(database, city, 3)).counts["event"] == 1
    as_owner(database, "UPDATE event SET actor = 'nobody' WHERE type = 'settlement.revised.v1'")
    assert await hashed(database, city) == first
    assert await hashed(database, city, 2) != second


@contextmanager
def a_worker(urls: DatabaseUrls, folder: Path, key: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the worker as a process of its own that closes books days at midnight in China."""
    settings = settings_of(urls, folder)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("SETTLEMENT_", "DATABASE_"))},
        "DATABASE_URL": urls.app,
        "DATABASE_OPS_URL": urls.ops,
        "SETTLEMENT_KEY_FILE": str(settings.settlement_key_file),
        "SETTLEMENT_TOKEN_KEY": "x" * 40,
        "SETTLEMENT_SEAL_KEY_FILE": str(key),
        "SETTLEMENT_BOOKS_CLOSE_AT": "00:00",
    }
    process = subprocess.Popen([sys.executable, "-m", "settlement", "worker"], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def until(database: DatabaseUrls, query: str, found: list[tuple[object, ...]]) -> None:
    """Wait until a query finds this: what another process does has no other sign."""
    deadline = asyncio.get_running_loop().time() + 30
    while rows_of(database, query) != found:
        assert asyncio.get_running_loop().time() < deadline, rows_of(database, query)
        await asyncio.sleep(0.02)


async def test_a_worker_that_is_killed_between_close_and_seal_loses_nothing_and_the_next_one_seals(
    resources: Resources, city: City, database: DatabaseUrls
):
    await settle(resources, city, a_2304(city.member))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = folder / "seal.pem"
        write_new_key(key)
        with psycopg.connect(database.owner) as in_the_way:
            in_the_way.execute("LOCK TABLE seal IN ACCESS EXCLUSIVE MODE")
            with a_worker(database, folder, key) as worker:
                await until(database, DAYS, [(1, False), (2, True)])
                worker.kill()
                worker.wait()
            in_the_way.rollback()
        assert rows_of(database, "SELECT count(*) FROM seal") == [(0,)]
        with a_worker(database, folder, key):
            await until(database, "SELECT books_day FROM seal", [(1,)])
        assert rows_of(database, DAYS) == [(1, False), (2, True)]


async def test_a_close_of_one_fund_holds_up_no_other(resources: Resources, city: City, database: DatabaseUrls):
    other = await a_city(resources, code="other")
    with psycopg.connect(database.owner) as closing:
        closing.execute("SELECT pg_advisory_xact_lock(%s)", [books_lock(city.fund_id)])
        async with asyncio.timeout(5):
            await settle(resources, other, a_2304(other.member))
            async with ops_engine(database) as ops:
                assert [fund for fund, _ in await close_due_books_days(resources, ops, time(0, 0))] == []
    assert await close_books_day(resources, city.fund_id) == 1
