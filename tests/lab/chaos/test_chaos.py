"""The simulation itself: it finds nothing in sound code, repeats itself, and finds a guard that was taken away."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import TextClause, text
from typer.testing import CliRunner

from settlement.cli import chaos
from settlement.db import settling
from settlement.lab.chaos import run
from settlement.lab.chaos.actions import ACTIONS
from settlement.lab.chaos.history import History, Planned, plan_history, play
from settlement.lab.chaos.plan import FLAT
from settlement.lab.chaos.points import NOT_PLAYED, named_queries, points_of_the_flow
from settlement.lab.chaos.run import shrink
from settlement.lab.chaos.scene import Scene, open_scene
from settlement.services.bills import decide_rerating, reverse_bill
from settlement.services.bills import settling as services_settling

FEW = 6
"""So many histories share out the actions."""


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with open_scene() as opened:
        yield opened


def test_a_history_violates_nothing_and_the_same_seed_tells_it_again(scene: Scene):
    history = plan_history(1, 13)
    first, again = play(scene, history), play(scene, history)
    assert first.violations == []
    assert first.trace == again.trace
    assert first.trace_hash == again.trace_hash
    assert first.steps > 50


def test_the_command_tells_one_history_as_json(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    @contextmanager
    def same_scene() -> Iterator[Scene]:
        yield scene

    monkeypatch.setattr(run, "open_scene", same_scene)
    told = CliRunner().invoke(chaos.app, ["--seed", "1", "--only", "1", "--json"])
    assert told.exit_code == 0
    report = json.loads(told.stdout.splitlines()[-1])
    assert (report["violations"], report["histories"], report["failing"]) == (0, 1, [])
    assert {"seed", "steps", "commits", "actions", "faults", "crash_points", "not_hit", "seconds"} <= set(report)
    assert report["not_hit"], "one history cannot hit every point, and the report says so"


def test_another_seed_or_number_is_another_history():
    plans = [plan_history(seed, number) for seed, number in ((1, 0), (2, 0), (1, 1))]
    assert len({plan.actions for plan in plans}) == 3
    assert plan_history(1, 0) == plans[0]


def only(name: str, number: int, times: int) -> History:
    """Return a history of one kind of action, all of whose instances start at once, without faults."""
    return of_kinds((name,) * times, number)


def of_kinds(names: tuple[str, ...], number: int) -> History:
    actions = tuple(Planned(place, name, 1000 * number + place, 0.0) for place, name in enumerate(names))
    return History(5, number, actions, ())


@pytest.mark.parametrize("first", range(FEW))
def test_every_action_can_be_played_beside_itself_and_a_few_others(scene: Scene, first: int):
    assert play(scene, of_kinds(tuple(sorted(ACTIONS)[first::FEW]) * 2, first)).violations == []


def without(statement: TextClause, guard: str) -> TextClause:
    assert guard in statement.text
    return text(statement.text.replace(guard, ""))


def test_twenty_bills_share_the_last_of_the_limit_to_the_fen(scene: Scene):
    played = play(scene, only("race_for_the_last", 3, 1))
    assert played.violations == []
    aid = {line.split()[1]: line.split()[3] for line in played.trace if line.startswith("recorded 4")}
    assert sum(int(fen) for split in aid.values() for fen in split.split("+")) == FLAT.limit_fen
    assert len(aid) == 21


def test_a_settlement_that_forgets_the_promise_is_found(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(services_settling, "promise_kept", lambda *_given: None)
    names = ("settle_as_promised", "promises_race", "publish_version", "race_for_the_limit")
    found = (violation for number in range(8) for violation in play(scene, of_kinds(names, number)).violations)
    assert any("its hold went from open to overtaken" in violation for violation in found)


def told_by_the_model(violations: list[str]) -> bool:
    return any(not violation.startswith("doctor") for violation in violations)


def test_a_missing_member_lock_is_found_and_made_small(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settling, "_LOCK", without(settling._LOCK, "FOR NO KEY UPDATE"))
    races = (play(scene, only("race_for_the_limit", number, 3)) for number in range(8))
    failed = next(played for played in races if told_by_the_model(played.violations))
    assert any("of a limit of" in violation for violation in failed.violations)
    smallest = shrink(scene, failed)
    assert smallest.violations
    assert len(smallest.history.actions) < 3
    assert play(scene, smallest.history).trace_hash == smallest.trace_hash


def test_a_settlement_that_does_not_hold_its_books_day_is_found(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    no_lock = "pg_advisory_xact_lock_shared(:books_lock) AS books"
    bare = settling._READ_AND_HOLD.text.replace(no_lock, "CAST(:books_lock AS bigint) AS books")
    assert bare != settling._READ_AND_HOLD.text
    monkeypatch.setattr(settling, "_READ_AND_HOLD", text(bare))
    names = ("close_by_hand", "keep_the_books", "settle_brought", "settle_brought", "settle_brought")
    found = (violation for number in range(16) for violation in play(scene, of_kinds(names, number)).violations)
    assert "500 our_bug" in next(found), "the triggers behind the lock refuse the record, and nobody expects it"


async def nothing_stored(*_given: object) -> None:
    return None


def test_a_reversal_that_forgets_its_stored_answer_is_found(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reverse_bill, "answered_before", nothing_stored)
    found = (
        violation for number in range(8) for violation in play(scene, only("reverse_brought", number, 3)).violations
    )
    assert "has its effect, and is refused" in next(found)


def test_a_kept_place_that_anybody_may_take_is_found(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    stands = "AND state = 'open' AND stands_until > :at"
    bare = settling._READ_AND_HOLD.text.replace(stands, f"{stands} AND kind <> 'successor'", 1)
    assert bare != settling._READ_AND_HOLD.text
    monkeypatch.setattr(settling, "_READ_AND_HOLD", text(bare))
    played = (play(scene, only("correct_old_first", number, 3)) for number in range(8))
    found = (violation for each in played for violation in each.violations)
    assert any("of a limit of" in violation or "recorded" in violation for violation in found)


def test_a_bill_that_corrects_another_and_is_not_put_in_its_place_is_found(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reverse_bill, "find_successor", nothing_stored)
    found = (
        violation for number in range(8) for violation in play(scene, only("correct_new_first", number, 2)).violations
    )
    assert any("replaced by None, not by" in violation for violation in found)


def test_a_decrease_that_no_person_decided_is_found(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    """The guard is one comparison within a function, so its source is changed."""
    source = inspect.getsource(decide_rerating.propose_under_lock)
    guard = " and not any(line.difference < ZERO for line in rerating.lines)"
    assert guard in source
    changed: dict[str, object] = dict(vars(decide_rerating))
    exec(source.replace(guard, ""), changed)
    monkeypatch.setattr(decide_rerating, "propose_under_lock", changed["propose_under_lock"])
    even_numbers_raise = range(0, 12, 2)
    found = (
        violation for number in even_numbers_raise for violation in play(scene, only("pay_later", number, 3)).violations
    )
    assert any("must be proposed" in violation for violation in found)


def test_crash_points_are_the_queries_that_the_doors_of_the_flow_call():
    points = points_of_the_flow()
    for known in (
        "settling.lock_member",
        "settling.read_under_lock",
        "parts.write_together",
        "bills.find_settled_bill",
    ):
        assert known in points
    assert {point for point in points if "." in point} - set(named_queries().values()) == {
        "transaction.begin",
        "transaction.commit",
        "gateway.9001",
        "gateway.5203",
        "gateway.5204",
    }
    assert not any(point.startswith(("audit.", "invariants.")) for point in points)
    assert set(NOT_PLAYED) <= set(named_queries().values())
    assert not set(NOT_PLAYED) & set(points)


def test_without_its_faults_no_process_of_a_history_dies_at_a_point(scene: Scene):
    history = replace(plan_history(1, 3), faults=())
    played = play(scene, history)
    assert played.violations == []
    assert not played.crashes
