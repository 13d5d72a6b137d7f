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
from settlement.db.secrets import KeyRing
from settlement.domain.audit import MOST_IDS, Examination, Invariant, Tally
from settlement.domain.ids import BillId
from settlement.plans.canonical import canonical_json, sha256_hex
from settlement.services.audit.examine import examine
from settlement.services.audit.examine_rooms import UNUSED, Room, Taking, out_of_place, some_order_explains
from settlement.services.resources import Resources

NOON = datetime(2025, 3, 11, 4, 0, tzinfo=UTC)
NEEDS_A_SUPERUSER = {"logins_are_plain"}


pytestmark = pytest.mark.xdist_group("examine")


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


def a_taking(number: int, found: Room, took: Room, at: int, reversed_at: int | None = None) -> Taking:
    return Taking(
        BillId(UUID(int=number)),
        NOON + timedelta(minutes=at),
        None if reversed_at is None else NOON + timedelta(minutes=reversed_at),
        found,
        took,
    )


def takings_in_order(seed: int, count: int = 12) -> list[Taking]:
    """Return what a member's settlements found and took, some of them reversed in between, timed as they happened."""
    chance, minute = random.Random(seed), itertools.count()
    takings: list[Taking] = []
    standing: Room = (0, 0, 0, 0, 0, 0)
    for number in range(count):
        took: Room = (chance.randrange(3), chance.randrange(3), chance.randrange(2), 0, 0, 0)
        takings.append(a_taking(number, standing, took, next(minute)))
        standing = tuple(map(sum, zip(standing, took, strict=True)))
        if chance.random() < 0.4:
            again = chance.randrange(len(takings))
            if takings[again].reversed_at is None:
                gone = takings[again]
                takings[again] = a_taking(gone.bill_id.int, gone.found, gone.took, _minutes(gone), next(minute))
                standing = tuple(one - other for one, other in zip(standing, gone.took, strict=True))
    return takings


def _minutes(taking: Taking) -> int:
    return int((taking.recorded_at - NOON).total_seconds() // 60)


@pytest.mark.parametrize("seed", range(30))
def test_takings_are_explained_in_the_order_of_their_times(seed: int) -> None:
    assert out_of_place(takings_in_order(seed)) == set()


@pytest.mark.parametrize("seed", range(30))
def test_takings_are_explained_whatever_the_clocks_say(seed: int) -> None:
    chance = random.Random(seed)
    shuffled = [
        a_taking(
            taking.bill_id.int,
            taking.found,
            taking.took,
            chance.randrange(100),
            None if taking.reversed_at is None else chance.randrange(100),
        )
        for taking in takings_in_order(seed)
    ]
    assert some_order_explains(shuffled)


@pytest.mark.parametrize("seed", range(10))
def test_many_promises_that_ended_are_explained_although_clocks_are_apart(seed: int) -> None:
    chance, standing = random.Random(seed), (0, 0, 0, 0, 0, 0)
    takings: list[Taking] = []
    promised = [(1_000 + 37 * number, 900 + number, 0, 0, 1, 0) for number in range(20)]
    for number, took in enumerate(promised):
        takings.append(a_taking(number, standing, took, chance.randrange(4), chance.randrange(4)))
        standing = tuple(map(sum, zip(standing, took, strict=True)))
    for number, took in enumerate(promised):
        standing = tuple(one - other for one, other in zip(standing, took, strict=True))
        less: Room = (took[0] - 5, took[1], 0, 0, 1, 0)
        takings.append(a_taking(100 + number, standing, less, chance.randrange(4)))
        standing = tuple(map(sum, zip(standing, less, strict=True)))
    assert some_order_explains(takings)


@pytest.mark.parametrize("seed", range(10))
def test_a_re_rating_after_a_race_of_promises_is_explained_although_clocks_are_apart(seed: int) -> None:
    """What happened within seconds is searched by itself, so that days later nothing is left to search for."""
    chance, standing = random.Random(seed), (0, 0, 0, 0, 0, 0)
    takings: list[Taking] = []
    promised = [(1_000 + 37 * number, 900 + number, 0, 0, 1, 0) for number in range(20)]
    for number, took in enumerate(promised):
        takings.append(a_taking(number, standing, took, chance.randrange(4), chance.randrange(4)))
        standing = tuple(map(sum, zip(standing, took, strict=True)))
    for number, took in enumerate(promised):
        standing = tuple(one - other for one, other in zip(standing, took, strict=True))
        less: Room = (took[0] - 5, took[1], 0, 0, 1, 0)
        settled = a_taking(100 + number, standing, less, chance.randrange(4), 1_000 if number == 7 else None)
        takings.append(replace(settled, place=settled.bill_id))
        standing = tuple(map(sum, zip(standing, less, strict=True)))
    before = tuple(map(sum, zip(*(taking.took for taking in takings[20:27]), strict=True)))
    raised: Room = (1_254, 907, 10, 0, 1, 0)
    takings.append(replace(a_taking(107, before, raised, 1_000), place=UUID(int=107), rerated=True))
    assert some_order_explains(takings, apart=timedelta(minutes=10))
    takings[-1] = replace(takings[-1], found=standing)
    assert not some_order_explains(takings, apart=timedelta(minutes=10))


def test_room_that_no_order_explains_is_named() -> None:
    one, other = (100, 100, 50, 0, 0, 0), (40, 40, 20, 0, 0, 0)
    takings = [
        a_taking(1, (0, 0, 0, 0, 0, 0), one, 1),
        a_taking(2, one, other, 2),
        a_taking(3, one, other, 3),
    ]
    assert out_of_place(takings) == {BillId(UUID(int=3))}
    assert not some_order_explains(takings)


def test_room_that_a_reversal_gave_back_may_be_taken_again() -> None:
    one, other = (100, 100, 50, 0, 0, 0), (40, 40, 20, 0, 0, 0)
    takings = [
        a_taking(1, (0, 0, 0, 0, 0, 0), one, 1),
        a_taking(2, one, other, 2, reversed_at=9),
        a_taking(3, one, other, 3),
    ]
    assert out_of_place(takings) == {BillId(UUID(int=3))}
    assert some_order_explains(takings)


def test_a_re_rating_is_explained_although_clocks_are_apart_and_only_by_what_stood_before_its_place() -> None:
    rich, less, more, other = (900, 900, 300, 0, 1, 0), (500, 500, 100, 0, 1, 0), (500, 500, 250, 0, 1, 0), UNUSED
    cancelled = replace(a_taking(1, UNUSED, rich, 1, reversed_at=2), place=UUID(int=1))
    poor = replace(a_taking(2, rich, less, 0, reversed_at=9), place=UUID(int=2))
    later = replace(a_taking(3, less, other, 3), place=UUID(int=3))
    raised = replace(a_taking(2, UNUSED, more, 9), place=UUID(int=2), rerated=True)
    takings = [cancelled, poor, later, raised]
    assert out_of_place(takings) != set(), "the poor bill was recorded by a clock that is behind"
    assert some_order_explains(takings)
    assert some_order_explains(takings, apart=timedelta(minutes=2))
    assert not some_order_explains(takings, apart=timedelta(seconds=30))
    assert not some_order_explains([cancelled, poor, later, replace(raised, found=less)])


def test_a_place_kept_since_about_a_re_rating_may_have_been_found_or_not() -> None:
    rich, poor, raised = (900, 900, 300, 0, 1, 0), (500, 500, 100, 0, 1, 0), (500, 500, 150, 0, 1, 0)
    seconds = [NOON + timedelta(seconds=second) for second in range(5)]
    first = replace(a_taking(1, rich, poor, 0), reversed_at=seconds[1], place=UUID(int=1))
    kept = replace(a_taking(2, UNUSED, rich, 0), served=((seconds[3], None),), place=UUID(int=2))
    again = replace(a_taking(1, rich, raised, 0), recorded_at=seconds[1], place=UUID(int=1), rerated=True)
    assert some_order_explains([first, kept, again], apart=timedelta(seconds=4))
    assert some_order_explains([first, kept, replace(again, found=UNUSED)], apart=timedelta(seconds=4))
    assert not some_order_explains([first, kept, replace(again, found=poor)], apart=timedelta(seconds=4))
    long_after = replace(kept, served=((NOON + timedelta(hours=1), None),))
    assert not some_order_explains([first, long_after, again], apart=timedelta(seconds=4))
