"""Re-rating by itself: each cause is looked at once, and what the plan declares is followed."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from builders import (
    HANGZHOU_FILE,
    KEYS,
    City,
    Node,
    SteeredClock,
    a_2304,
    a_2305,
    a_city,
    bill_id_of,
    facts,
    once,
    open_test_resources,
    reverse,
    settle,
)
from database import ops_engine, rows_of
from settlement.db.embedded import DatabaseUrls
from settlement.db.engine import fund_transaction
from settlement.db.rerating import Cause, list_causes
from settlement.domain.money import Money
from settlement.domain.scope import PersonCategory
from settlement.domain.settlements import OtherPayer, RevisionReason
from settlement.domain.time import CHINA
from settlement.services.audit.examine import examine
from settlement.services.bills import rerate_what_changed as looking
from settlement.services.bills.add_later_payer import AddLaterPayer, add_later_payer
from settlement.services.bills.commands import Outcome
from settlement.services.bills.rerate_what_changed import rerate_what_changed
from settlement.services.bills.transfer_aid import TransferAid, transfer_aid
from settlement.services.members.add_member import NewMember, add_members
from settlement.services.resources import Resources

WHOLE = {"hifp": "0.00", "absorbed": "0.00", "account": "0.00", "excluded": "0.00", "allowed": "60000.00"}
"""A bill that takes the whole of the term's limit."""
BINZHOU_FILE = HANGZHOU_FILE.with_name("binzhou.yaml")
LOOKS = "SELECT kind, rerating_id IS NOT NULL FROM rerating_look ORDER BY looked_at"


def declaring(tmp_path: Path, plan_file: Path, effect: str) -> Path:
    """Return a plan that declares something else for earlier changes."""
    text = plan_file.read_text(encoding="utf-8")
    assert text.count("effect: propose") == 1
    file = tmp_path / plan_file.name
    file.write_text(text.replace("effect: propose", f"effect: {effect}"), encoding="utf-8")
    return file


def visit(number: int, city: City, **amounts: str) -> Node:
    return a_2304(city.member, mdtrt_id=f"V{number:08d}", **amounts)


async def a_reversal(resources: Resources, city: City) -> Outcome:
    """A bill that got nothing while another, reversed since, had the whole limit. The place is still kept."""
    whole = visit(1, city, **WHOLE)
    first = await settle(resources, city, whole)
    poor = await settle(resources, city, visit(2, city))
    assert poor.answer["mutual_aid"]["amount"] == "0.00"
    await reverse(resources, city, first, a_2305(whole))
    return poor


async def look(resources: Resources, database: DatabaseUrls, *, all_times: bool = False) -> int:
    async with ops_engine(database) as ops:
        return await rerate_what_changed(resources, ops, all_times=all_times)


async def broken(database: DatabaseUrls) -> list[str]:
    async with ops_engine(database) as engine:
        examination = await examine(engine, KEYS)
    return [finding.invariant.name for finding in examination.broken]


async def test_a_reversal_is_looked_at_once_its_place_is_kept_for_nobody_any_more(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    await a_reversal(resources, city)
    assert await look(resources, database) == 0
    clock.forward(days=2)
    assert await look(resources, database) == 1
    assert await look(resources, database, all_times=True) == 0
    assert rows_of(database, LOOKS) == [("reversed", True)]
    assert rows_of(database, "SELECT state, actor LIKE '%.rerating' FROM rerating") == [("proposed", True)]
    assert rows_of(database, "SELECT kind FROM worklist_item") == [("rerating_proposed",)]
    assert rows_of(database, "SELECT max(revision) FROM settlement") == [(1,)]
    assert await broken(database) == []


async def test_a_worker_that_has_not_read_the_newest_version_yet_rates_the_bills_under_it(
    database: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It reads it within its transaction, even where it has one connection in all."""
    monkeypatch.setattr("builders.POOL_SIZE", 1)
    text = HANGZHOU_FILE.read_text(encoding="utf-8").replace("effective_from: 2018-01-01", "effective_from: 2018-01-02")
    newer = tmp_path / "newer.yaml"
    newer.write_text(text.replace('version: "2018"', 'version: "2018b"', 1), encoding="utf-8")
    clock = SteeredClock()
    async with open_test_resources(database, clock) as counter, open_test_resources(database, clock, seed=8) as worker:
        city = await a_city(counter, code="newer")
        whole = visit(1, city, **WHOLE)
        first = await settle(counter, city, whole)
        assert len((await worker.rules.of(city.fund_id)).versions) == 1
        await city.office.publish(counter, newer)
        poor = await settle(counter, city, visit(2, city))
        assert poor.answer["plan"]["version"] == "2018b"
        await reverse(counter, city, first, a_2305(whole))
        clock.forward(days=2)
        assert await look(worker, database) == 1
    assert rows_of(database, "SELECT state, net_fen FROM rerating") == [("proposed", 38983)]


async def test_what_is_older_than_three_days_is_found_where_all_times_are_looked_at(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    await a_reversal(resources, city)
    clock.forward(days=30)
    assert await look(resources, database) == 0
    assert await look(resources, database, all_times=True) == 1


async def test_a_plan_that_raises_pays_at_once_what_is_gained_and_that_is_no_new_cause(
    resources: Resources, clock: SteeredClock, database: DatabaseUrls, tmp_path: Path
):
    city = await a_city(resources, code="raising", plan_file=declaring(tmp_path, HANGZHOU_FILE, "raise"))
    poor = await a_reversal(resources, city)
    clock.forward(days=2)
    assert await look(resources, database) == 1
    assert await look(resources, database) == 0
    assert rows_of(database, "SELECT state, net_fen FROM rerating") == [("applied", 38983)]
    paid = f"SELECT revision, aid_to_card_fen FROM settlement WHERE bill_id = '{bill_id_of(poor)}' ORDER BY revision"
    assert rows_of(database, paid) == [(1, 0), (2, 38983)]
    assert rows_of(database, "SELECT count(*) FROM worklist_item") == [(0,)]
    assert await broken(database) == []


async def test_a_plan_that_leaves_earlier_bills_lists_nothing_and_the_cause_is_done(
    resources: Resources, clock: SteeredClock, database: DatabaseUrls, tmp_path: Path
):
    city = await a_city(resources, code="leaving", plan_file=declaring(tmp_path, HANGZHOU_FILE, "leave"))
    await a_reversal(resources, city)
    clock.forward(days=2)
    assert await look(resources, database) == 1
    assert await look(resources, database) == 0
    assert rows_of(database, LOOKS) == [("reversed", False)]
    assert rows_of(database, "SELECT (SELECT count(*) FROM rerating), (SELECT count(*) FROM worklist_item)") == [(0, 0)]


async def test_a_decrease_is_only_proposed_even_where_the_plan_raises(
    resources: Resources, clock: SteeredClock, database: DatabaseUrls, tmp_path: Path
):
    """Whoever paid later takes something off; the member keeps what he was shown until a person decides."""
    city = await a_city(resources, code="bz", plan_file=declaring(tmp_path, BINZHOU_FILE, "raise"))
    clock.now = datetime(2026, 5, 11, 10, tzinfo=CHINA)
    stay = facts(city, admitted_on="2026-05-01", discharged_on="2026-05-11")
    settled = await settle(resources, city, a_2304(city.member, setl_time="2026-05-11 09:58:00"), stay)
    payer = AddLaterPayer(city.caller, bill_id_of(settled), OtherPayer("惠民保", Money(500_00)), "HMB-1")
    proposed = (await add_later_payer(resources, payer))["rerating"]
    assert await look(resources, database) == 1
    assert rows_of(database, LOOKS) == [("later_payer", True)]
    assert rows_of(database, "SELECT state, net_fen < 0, rerating_id::text FROM rerating") == [
        ("proposed", True, proposed["rerating_id"])
    ]
    assert rows_of(database, "SELECT max(revision) FROM settlement") == [(1,)]
    assert await broken(database) == []


async def test_where_one_bill_gains_and_another_loses_a_person_decides_even_where_the_plan_raises(
    resources: Resources, clock: SteeredClock, database: DatabaseUrls, tmp_path: Path
):
    """Without the first stay the second one has the whole deductible; without the third, the fourth has room."""
    city = await a_city(resources, code="raising", plan_file=declaring(tmp_path, HANGZHOU_FILE, "raise"))
    outputs = [visit(1, city), visit(2, city), visit(3, city, **WHOLE), visit(4, city)]
    bills = [await settle(resources, city, output) for output in outputs]
    for number in (0, 2):
        await reverse(resources, city, bills[number], a_2305(outputs[number]))
    clock.forward(days=2)
    await look(resources, database)
    [(state, net, kept)] = rows_of(database, "SELECT state, net_fen, lines FROM rerating")
    fen = [line["aid_now_fen"] - line["aid_recorded_fen"] for line in kept]  # type: ignore[union-attr,index]
    assert (state, net) == ("proposed", sum(fen))
    assert (fen[0] < 0, fen[1] > 0, sum(fen) > 0) == (True, True, True)
    assert rows_of(database, "SELECT max(revision) FROM settlement") == [(1,)]
    assert await broken(database) == []


async def test_a_transfer_moves_no_room_and_is_no_cause(resources: Resources, city: City, database: DatabaseUrls):
    settled = await settle(resources, city, visit(1, city))
    await transfer_aid(
        resources, TransferAid(city.caller, bill_id_of(settled), RevisionReason.NOT_SHOWN, once(city.caller))
    )
    assert await look(resources, database) == 0


def a_line(city: City, **changed: object) -> NewMember:
    first_day, last_day = date(2025, 1, 2), date(2026, 12, 31)
    given = {"name": city.member.name, "certificate": city.member.certificate, "unit_code": "u1"}
    more = {"person_category": PersonCategory.ACTIVE, "first_day": first_day, "last_day": last_day}
    return NewMember(**{**given, **more, **changed})  # type: ignore[arg-type]


async def test_a_roster_recorded_after_bills_of_its_span_is_looked_at_once(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    for number in (1, 2):
        await settle(resources, city, visit(number, city))
    await add_members(resources, city.fund_id, [a_line(city, person_category=PersonCategory.RETIRED)])
    await add_members(resources, city.fund_id, [a_line(city, first_day=date(2027, 1, 1), last_day=date(2027, 12, 31))])
    assert await look(resources, database) == 1
    assert await look(resources, database, all_times=True) == 0
    [(kind, _)] = rows_of(database, LOOKS)
    assert kind == "roster"
    await settle(resources, city, visit(3, city))
    assert await look(resources, database) == 0
    assert await broken(database) == []


async def test_a_module_that_the_late_roster_names_is_proposed(
    resources: Resources, clock: SteeredClock, database: DatabaseUrls
):
    city = await a_city(resources, code="late", shares={"critical": 1})
    settled = await settle(resources, city, visit(1, city))
    more = {"critical": 1, "self_pay": 1}
    await add_members(resources, city.fund_id, [a_line(city, shares=more)])
    assert await look(resources, database) == 1
    [(state, of_bill, net)] = rows_of(database, "SELECT state, of_bill_id, net_fen FROM rerating")
    assert (state, of_bill, net) == ("proposed", bill_id_of(settled), 38983)
    assert await broken(database) == []


async def test_two_workers_look_once(database: DatabaseUrls, monkeypatch: pytest.MonkeyPatch):
    """Both have found the cause before either looks at it: the later one finds its mark, and nothing fails."""
    clock, both = SteeredClock(), asyncio.Barrier(2)

    async def found_by_both(*given: Any) -> list[Cause]:
        causes = await list_causes(*given)
        if causes:
            await both.wait()
        return causes

    monkeypatch.setattr(looking, "list_causes", found_by_both)
    async with open_test_resources(database, clock) as first, open_test_resources(database, clock, seed=8) as second:
        city = await a_city(first, code="twice")
        await a_reversal(first, city)
        clock.forward(days=2)
        with capture_logs() as told:
            looked = await asyncio.gather(look(first, database), look(second, database))
    assert sorted(looked) == [0, 1]
    assert told == []
    assert rows_of(database, "SELECT count(*) FROM rerating") == [(1,)]


async def test_a_worker_that_ends_before_the_mark_leaves_nothing_and_the_next_round_looks_again(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
):
    await a_reversal(resources, city)
    clock.forward(days=2)

    async def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as ending:
        ending.setattr(looking, "add_look", killed)
        with pytest.raises(KeyboardInterrupt):
            await look(resources, database)
    assert rows_of(database, "SELECT (SELECT count(*) FROM rerating), (SELECT count(*) FROM worklist_item)") == [(0, 0)]
    assert await look(resources, database) == 1
    assert rows_of(database, "SELECT count(*) FROM rerating") == [(1,)]


async def test_a_busy_member_is_left_to_the_next_round(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    await a_reversal(resources, city)
    clock.forward(days=2)
    async with fund_transaction(resources.engine, city.fund_id) as connection:
        await looking.lock_member(connection, city.fund_id, "counter", member_id=city.member.member_id)
        assert await look(resources, database) == 0
    assert await look(resources, database) == 1
