"""A kept receipt is computed again to the same fen, or what changed is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from plan_builders import HANGZHOU, STAY, a_bill
from typer.testing import CliRunner

from settlement.cli.plans import app
from settlement.domain.benefits import UsedRoom
from settlement.domain.money import Money
from settlement.plans.compile import compile_version
from settlement.plans.kept_receipt import ReceiptUnusable, keep_receipt, replay_kept
from settlement.plans.receipt import Inputs, make_receipt

VERSION = HANGZHOU.versions[0]
RUN = CliRunner()


def a_kept_receipt() -> str:
    plan, figures = compile_version(VERSION), a_bill(allowed=206_700)
    used = {"inpatient": UsedRoom(Money(206_700), Money(206_700), Money(73_350))}
    receipt = make_receipt(plan, Inputs(figures, STAY), used, plan.adjudicate(figures, STAY, used))
    return keep_receipt(receipt.to_json(), receipt.hash, VERSION.canonical())


def changed(**changes: Any) -> str:
    kept = json.loads(a_kept_receipt())
    kept["receipt"] |= changes
    return json.dumps(kept)


def test_a_kept_receipt_gives_the_same_fen_and_steps() -> None:
    replayed = replay_kept(a_kept_receipt())
    assert replayed.same
    assert replayed.aid_then == replayed.aid_now == Money(103_350)


def test_a_changed_amount_is_told_with_both_amounts() -> None:
    result = json.loads(a_kept_receipt())["receipt"]["result"]
    result[0]["amount"] = "1033.51"
    replayed = replay_kept(changed(result=result))
    assert not replayed.same
    assert any("1033.51 then" in change and "1033.50 now" in change for change in replayed.changes)
    assert any("not the one that was recorded" in change for change in replayed.changes)


def test_a_step_that_is_new_or_gone_is_told() -> None:
    result = json.loads(a_kept_receipt())["receipt"]["result"]
    gone, result[0]["steps"] = result[0]["steps"][0], []
    changes = replay_kept(changed(result=result)).changes
    assert any(f"now has a step {gone['kind']} {gone['delta']}" in change for change in changes)


def test_another_engine_and_another_plan_are_told() -> None:
    changes = replay_kept(changed(engine_version="0", plan_digest="0" * 64)).changes
    assert any("engine 0 then" in change for change in changes)
    assert any("not the version that the receipt names" in change for change in changes)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"receipt": {}, "plan": "x", "receipt_hash": ""}'])
def test_what_is_no_kept_receipt_is_refused(text: str) -> None:
    with pytest.raises(ReceiptUnusable):
        replay_kept(text)


def test_the_command_says_whether_it_is_the_same(tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    file.write_text(a_kept_receipt(), encoding="utf-8")
    told = RUN.invoke(app, ["replay", str(file), "--json"])
    assert (told.exit_code, json.loads(told.stdout)["same"]) == (0, True)
    file.write_text(changed(engine_version="0"), encoding="utf-8")
    told = RUN.invoke(app, ["replay", str(file)])
    assert told.exit_code == 1
    assert "computed by engine 0 then" in told.stdout
