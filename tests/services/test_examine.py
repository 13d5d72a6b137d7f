"""What `settlement doctor` finds: nothing in a healthy record, and every corruption by its own check with its ids."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from builders import KEYS, City, SteeredClock, a_2304, a_2305, open_test_resources, reverse, settle
from database import Databases, ops_engine
from sealing import VERIFIER
from services.eventful import Eventful, make_eventful
from services.planting import CORRUPTIONS, Copy, Corruption
from settlement.db.embedded import DatabaseUrls
from settlement.db.migrations import newest_revision, upgrade
from settlement.db.secrets import KeyRing
from settlement.domain.audit import MOST_IDS, Examination, Invariant, Tally
from settlement.plans.canonical import canonical_json, sha256_hex
from settlement.services.audit.examine import examine
from settlement.services.audit.examine_rooms import UNUSED, Room, Taking, less, out_of_place, plus
from settlement.services.resources import Resources

NOON = datetime(2025, 3, 11, 4, 0, tzinfo=UTC)
NEEDS_A_SUPERUSER = {"logins_are_plain"}


@pytest.fixture(scope="module")
def eventful_template(databases: Databases) -> Iterator[tuple[str, Eventful]]:
    """A database with the eventful city, made once and copied by each test."""
    name = databases.clone()
    try:
        yield name, asyncio.run(make_eventful(databases.urls(name)))
    finally:
        databases.drop(name)


@pytest.fixture
def copy(databases: Databases, eventful_template: tuple[str, Eventful]) -> Iterator[Copy]:
    """A copy of the eventful city of one test's own."""
    name, eventful = eventful_template
    with databases.copy(name) as urls:
        yield Copy(urls, eventful)


async def examined(urls: DatabaseUrls, keys: KeyRing | None = KEYS) -> Examination:
    async with ops_engine(urls) as ops:
        return await examine(ops, keys, verifier=VERIFIER)


def broken(examination: Examination) -> dict[str, tuple[str, ...]]:
    return {finding.invariant.name: finding.ids for finding in examination.broken}


async def test_a_healthy_record_breaks_no_law_and_every_check_looks_at_something(copy: Copy) -> None:
    examination = await examined(copy.urls)
    assert broken(examination) == {}
    assert [finding.invariant.name for finding in examination.findings if finding.examined == 0] == []
    assert not any(finding.not_examined for finding in examination.findings)


async def test_an_empty_database_breaks_no_law(databases: Databases) -> None:
    with databases.copy() as urls:
        assert broken(await examined(urls)) == {}


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda corruption: corruption.name)
async def test_a_corruption_is_found_by_its_own_check_and_named(copy: Copy, corruption: Corruption) -> None:
    ids = corruption.plant(copy)
    found = broken(await examined(copy.urls))
    assert set(found) == {corruption.check, *corruption.also}
    assert sorted(found[corruption.check]) == sorted(map(str, ids))


async def test_every_law_has_a_corruption_that_breaks_it(copy: Copy) -> None:
    names = [finding.invariant.name for finding in (await examined(copy.urls)).findings]
    assert len(set(names)) == len(names)
    assert {corruption.check for corruption in CORRUPTIONS} | NEEDS_A_SUPERUSER == set(names)


async def test_a_record_from_before_its_numbers_is_numbered_by_its_times(copy: Copy) -> None:
    copy.do(
        *(f"ALTER TABLE {table} DROP COLUMN number" for table in ("settlement", "reversal", "hold")),
        "ALTER TABLE hold DROP COLUMN end_number",
        "DROP TRIGGER hold_end_numbered ON hold",
        "DROP FUNCTION number_hold_end",
        "DROP SEQUENCE record_number",
        "DROP INDEX hold_of_cancelled",
        "DROP INDEX bill_cancelled_unseen",
        "DROP INDEX bill_by_place, rerating_by_member, worklist_item_of_rerating",
        "CREATE INDEX bill_replaces_once ON bill (fund_id, replaces_bill_id)",
        "UPDATE alembic_version SET version_num = '0016'",
    )
    assert upgrade(copy.urls.owner) == newest_revision()
    assert broken(await examined(copy.urls)) == {}
    assert copy.one("SELECT count(*) FROM hold WHERE end_number > number") > 0
    last = copy.one(
        "SELECT max(number) FROM (SELECT number FROM settlement UNION SELECT end_number FROM hold) AS every"
    )
    assert copy.one("SELECT nextval('record_number')") > last


@pytest.mark.parametrize(
    ("given", "taken_back", "complaint"),
    [
        (
            "ALTER ROLE settlement_app BYPASSRLS",
            "ALTER ROLE settlement_app NOBYPASSRLS",
            "settlement_app is a superuser or bypasses row-level security",
        ),
        (
            "CREATE ROLE strong; GRANT strong TO settlement_ops",
            "DROP ROLE strong",
            "settlement_ops is a member of strong",
        ),
    ],
)
async def test_a_login_with_more_rights_than_it_needs_is_named(
    databases: Databases, copy: Copy, given: str, taken_back: str, complaint: str
) -> None:
    with psycopg.connect(databases.server.superuser_url, autocommit=True) as superuser:
        superuser.execute(given.encode())
        try:
            found = broken(await examined(copy.urls))
        finally:
            superuser.execute(taken_back.encode())
    assert found == {"logins_are_plain": (complaint,)}


async def test_without_keys_nothing_sealed_is_opened_and_the_findings_say_so(copy: Copy) -> None:
    examination = await examined(copy.urls, None)
    assert examination.broken == ()
    passed_over = {finding.invariant.name: finding.why for finding in examination.findings if finding.not_examined}
    assert set(passed_over) == {"persons_are_sealed", "numbers_are_sealed", "messages_are_sealed"}
    assert all("no keys were given" in why for why in passed_over.values())


async def test_keys_of_another_installation_open_nothing(copy: Copy) -> None:
    others = KeyRing(active="k1", sealing={"k1": bytes(16)}, index=bytes(32))
    found = broken(await examined(copy.urls, others))
    assert set(found) == {"persons_are_sealed", "numbers_are_sealed", "messages_are_sealed"}


async def test_a_settlement_of_another_engine_is_passed_over_and_not_called_broken(copy: Copy) -> None:
    bill = copy.bill("pushed")
    receipt = copy.one(f"SELECT receipt FROM settlement WHERE {bill}")
    digest = sha256_hex(canonical_json(receipt | {"engine_version": "0"}))
    copy.do(
        f"""UPDATE settlement SET engine_version = '0', receipt_hash = '{digest}',
            receipt = jsonb_set(receipt, '{{engine_version}}', '"0"') WHERE {bill}"""
    )
    examination = await examined(copy.urls)
    assert examination.broken == ()
    passed_over = {finding.invariant.name for finding in examination.findings if finding.not_examined == 1}
    assert passed_over == {"settlement_replays", "room_taken_as_computed"}


async def test_a_running_service_causes_no_false_alarm(
    resources: Resources, city: City, database: DatabaseUrls
) -> None:
    async def settle_and_reverse() -> None:
        for member in city.members:
            output = a_2304(member)
            settled = await settle(resources, city, output)
            await settle(resources, city, a_2304(member))
            await reverse(resources, city, settled, a_2305(output))

    async with ops_engine(database) as ops:
        work = asyncio.gather(*(settle_and_reverse() for _ in range(3)))
        examinations = []
        while not work.done():
            examinations.append(await examine(ops, KEYS))
        await work
        examinations.append(await examine(ops, KEYS))
    assert [broken(examination) for examination in examinations] == [{}] * len(examinations)


async def test_an_examination_tells_how_far_it_is(database: DatabaseUrls) -> None:
    told: list[tuple[int, int]] = []
    async with ops_engine(database) as ops:
        await examine(ops, KEYS, lambda done, of: told.append((done, of)))
    assert told == [(done, len(told)) for done in range(1, len(told) + 1)]


async def test_two_processes_whose_clocks_differ_break_no_law(city: City, database: DatabaseUrls) -> None:
    """The times tell another order of recording than the one in which the member was locked."""
    slow = SteeredClock()
    slow.forward(minutes=-30)
    async with open_test_resources(database) as right, open_test_resources(database, slow, seed=8) as late:
        for resources in (right, late, right, late):
            output = a_2304(city.member)
            settled = await settle(resources, city, output)
        await reverse(right, city, settled, a_2305(output))
        await settle(late, city, a_2304(city.member))
    assert broken(await examined(database)) == {}


def test_a_tally_counts_every_offender_and_names_the_first() -> None:
    tally = Tally(Invariant("law", "It holds."))
    for number in range(100):
        tally.note(number % 2 == 0, number)
    finding = tally.finding()
    assert (finding.examined, finding.broken, len(finding.ids)) == (100, 50, MOST_IDS)
    assert finding.ids[:2] == ("1", "3")


def a_taking(number: int, found: Room | None, took: Room, end_number: int | None = None) -> Taking:
    """Return a record of which each command has an instant of its own, in the order of the numbers."""
    ended_at = None if end_number is None else _instant(end_number)
    own = UUID(int=number)
    return Taking(own, number, _instant(number), found, took, own, end_number=end_number, ended_at=ended_at)


def a_hold(number: int, found: Room, took: Room, seconds: float, asked_until: float | None = None) -> Taking:
    """Return a hold that ends by its time, so many seconds after noon."""
    asked = None if asked_until is None else NOON + timedelta(seconds=asked_until)
    taking = a_taking(number, found, took)
    return replace(taking, expires_at=NOON + timedelta(seconds=seconds), asked_until=asked, served=True)


def _instant(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def takings_in_order(seed: int, count: int = 12) -> list[Taking]:
    """Return what a member's settlements found and took, some of them reversed in between."""
    chance, numbers = random.Random(seed), itertools.count(1)
    takings: list[Taking] = []
    standing: Room = UNUSED
    for _ in range(count):
        took: Room = (chance.randrange(3), chance.randrange(3), chance.randrange(2), 0, 0, 0)
        takings.append(a_taking(next(numbers), standing, took))
        standing = plus(standing, took)
        again = chance.randrange(len(takings))
        if chance.random() < 0.4 and takings[again].end_number is None:
            number = next(numbers)
            takings[again] = replace(takings[again], end_number=number, ended_at=_instant(number))
            standing = less(standing, takings[again].took)
    return takings


@pytest.mark.parametrize("seed", range(30))
def test_takings_are_explained_by_the_order_of_their_numbers_whatever_the_clocks_say(seed: int) -> None:
    chance, takings = random.Random(seed), takings_in_order(seed)
    assert out_of_place(takings) == set()
    said = [NOON + timedelta(minutes=minute) for minute in range(2 * len(takings))]
    chance.shuffle(said)
    told = [replace(each, at=said.pop(), ended_at=said.pop() if each.ended_at else None) for each in takings]
    chance.shuffle(told)
    assert out_of_place(told) == set()


def test_room_that_was_not_there_is_named() -> None:
    one, other = (100, 100, 50, 0, 0, 0), (40, 40, 20, 0, 0, 0)
    takings = [a_taking(1, UNUSED, one), a_taking(2, one, other), a_taking(3, one, other), a_taking(4, None, UNUSED)]
    assert out_of_place(takings) == {UUID(int=3), UUID(int=4)}


def test_room_that_was_given_back_is_found_by_what_was_recorded_after_it_alone() -> None:
    one, other = (100, 100, 50, 0, 0, 0), (40, 40, 20, 0, 0, 0)
    first, second = a_taking(1, UNUSED, one), a_taking(2, one, other, end_number=3)
    assert out_of_place([first, second, a_taking(4, one, other)]) == set()
    late = replace(second, end_number=5)
    assert out_of_place([first, late, a_taking(4, one, other)]) == {UUID(int=4)}


def test_what_a_command_ends_makes_room_for_what_it_records_whichever_was_numbered_first() -> None:
    one = (100, 100, 50, 0, 0, 0)
    ended = a_taking(1, UNUSED, one, end_number=3)
    recorded = replace(a_taking(2, UNUSED, one), at=_instant(3))
    assert out_of_place([ended, recorded]) == set()


def test_an_end_that_is_numbered_before_its_record_is_no_end() -> None:
    one = (100, 100, 50, 0, 0, 0)
    assert out_of_place([a_taking(2, UNUSED, one, end_number=1), a_taking(3, UNUSED, one)]) == {UUID(int=3)}


def test_a_hold_counts_until_its_time_is_over_by_the_clock_of_whoever_reads_it() -> None:
    one, other = (100, 100, 50, 0, 0, 0), (40, 40, 20, 0, 0, 0)
    hold = a_hold(1, UNUSED, one, seconds=1_800)
    before, after = NOON + timedelta(seconds=1_799), NOON + timedelta(seconds=1_800)
    for at, found in ((before, one), (after, UNUSED)):
        assert out_of_place([hold, replace(a_taking(2, found, other), at=at)]) == set()
        wrong = less(one, found)
        assert out_of_place([hold, replace(a_taking(2, wrong, other), at=at)]) == {UUID(int=2)}


@pytest.mark.parametrize(
    ("seconds", "may"),
    [
        pytest.param(1_799, (True,), id="in its own time"),
        pytest.param(1_805, (True, False), id="about its own end"),
        pytest.param(2_400, (True,), id="prolonged"),
        pytest.param(2_995, (True, False), id="about the end of the question"),
        pytest.param(3_005, (True, False), id="about the end of the question, later"),
        pytest.param(3_011, (False,), id="after the question"),
    ],
)
def test_a_prolonged_hold_may_stand_or_not_about_its_bounds_alone(seconds: int, may: tuple[bool, ...]) -> None:
    hold = a_hold(1, UNUSED, (100, 100, 50, 0, 0, 0), seconds=1_800, asked_until=3_000)
    assert hold.may_stand(NOON + timedelta(seconds=seconds)) == may


def test_a_re_rating_finds_what_stands_before_the_place_of_its_bill_and_what_is_served_first() -> None:
    rich, less, more, later = (900, 900, 300, 0, 1, 0), (500, 500, 100, 0, 1, 0), (500, 500, 250, 0, 1, 0), UNUSED
    promised = (70, 70, 40, 0, 1, 0)
    cancelled = a_taking(1, UNUSED, rich, end_number=4)
    poor = a_taking(2, rich, less, end_number=6)
    after = a_taking(3, plus(rich, less), later)
    hold = a_hold(5, less, promised, seconds=86_400)
    rated = frozenset({poor.record_id, after.record_id})
    raised = replace(a_taking(6, promised, more), record_id=poor.record_id, place=poor.place, rated=rated)
    takings = [cancelled, poor, after, hold]
    assert out_of_place([*takings, raised]) == set()
    assert out_of_place([*takings, replace(raised, found=UNUSED)]) == {raised.record_id}
    last = replace(
        a_taking(7, plus(promised, more), UNUSED),
        record_id=after.record_id,
        place=UUID(int=3),
        rated=rated,
        at=raised.at,
    )
    ended = replace(after, end_number=8, ended_at=raised.at)
    assert out_of_place([cancelled, poor, ended, hold, raised, last]) == set(), "one command rates both"


@pytest.mark.parametrize(("moved", "found"), [(5, UNUSED), (3, (40, 40, 20, 0, 0, 0))])
def test_a_re_rating_finds_a_bill_in_the_place_that_it_had_then(moved: int, found: Room) -> None:
    one, other = (100, 100, 50, 0, 0, 0), (40, 40, 20, 0, 0, 0)
    first = a_taking(1, UNUSED, one, end_number=4)
    corrected = replace(a_taking(2, one, other), place=UUID(int=0), moved=moved)
    rated = frozenset({first.record_id, corrected.record_id})
    raised = replace(a_taking(4, found, one), record_id=first.record_id, place=first.place, rated=rated)
    assert out_of_place([first, corrected, raised]) == set()
    assert out_of_place([first, corrected, replace(raised, found=less(other, found))]) == {first.record_id}


def test_a_re_rating_finds_what_it_leaves_as_it_is_wherever_that_stands() -> None:
    """A bill that cannot be computed any more, and one of another term of the benefit, keep their room before it."""
    one, other, more = (100, 100, 50, 0, 0, 0), (40, 40, 20, 0, 0, 0), (100, 100, 60, 0, 0, 0)
    first, later = a_taking(1, UNUSED, one, end_number=3), a_taking(2, one, other)
    raised = replace(a_taking(3, other, more), record_id=first.record_id, place=first.place)
    assert out_of_place([first, later, replace(raised, rated=frozenset({first.record_id}))]) == set()
    together = frozenset({first.record_id, later.record_id})
    assert out_of_place([first, later, replace(raised, rated=together)]) == {first.record_id}


def test_what_goes_on_takes_no_other_room_than_what_its_command_ends() -> None:
    one, other = (100, 100, 50, 0, 0, 0), (140, 140, 50, 0, 0, 0)
    cancelled = a_taking(1, UNUSED, one, end_number=2)
    kept = replace(a_hold(3, UNUSED, one, seconds=86_400), at=_instant(2), decided=False)
    assert out_of_place([cancelled, kept]) == set()
    assert out_of_place([cancelled, replace(kept, took=other)]) == {kept.record_id}
