"""Receipts: stored as JSON, read back exactly, replayed years later to the same fen and the same hash."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from plan_builders import STAY, a_bill, a_changed_text, a_compiled_plan, bills, stays, used_rooms

from settlement import ENGINE_VERSION
from settlement.domain.benefits import PlanFacts, UsedRoom
from settlement.domain.bills import BillFigures
from settlement.domain.money import Money
from settlement.plans.canonical import canonical_json
from settlement.plans.compile import CompiledPlan
from settlement.plans.receipt import Inputs, Receipt, make_receipt, replay
from settlement.plans.stored import (
    facts_from_json,
    facts_to_json,
    figures_from_json,
    figures_to_json,
    used_from_json,
    used_to_json,
)

PLAN = a_compiled_plan()
INPUTS = Inputs(a_bill(allowed=800_000, insurer_paid=500_001, excluded=700), STAY)
USED = {"inpatient": UsedRoom(Money(30_000), Money(30_000), Money(10_000))}


def a_receipt(inputs: Inputs = INPUTS, used: dict[str, UsedRoom] = USED, plan: CompiledPlan = PLAN) -> Receipt:
    return make_receipt(plan, inputs, used, plan.adjudicate(inputs.figures, inputs.facts, used))


@given(figures=bills(), facts=stays(), room=used_rooms())
def test_a_stored_adjudication_replays_to_the_same_receipt(
    figures: BillFigures, facts: PlanFacts, room: UsedRoom
) -> None:
    receipt = a_receipt(Inputs(figures, facts), {"inpatient": room})
    stored = json.loads(json.dumps(receipt.to_json()))
    inputs, used = Inputs.from_json(stored["inputs"]), used_from_json(stored["used_before"])
    assert (inputs, used) == (Inputs(figures, facts), {"inpatient": room})
    benefits = replay(PLAN, inputs, used)
    assert benefits == receipt.benefits
    assert make_receipt(PLAN, inputs, used, benefits).hash == receipt.hash


@given(figures=bills(), facts=stays(), room=used_rooms())
def test_figures_facts_and_used_room_are_read_as_written(
    figures: BillFigures, facts: PlanFacts, room: UsedRoom
) -> None:
    assert figures_from_json(json.loads(json.dumps(figures_to_json(figures)))) == figures
    assert facts_from_json(json.loads(json.dumps(facts_to_json(facts)))) == facts
    assert used_from_json(json.loads(json.dumps(used_to_json({"inpatient": room})))) == {"inpatient": room}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(a_receipt(replace(INPUTS, figures=a_bill(allowed=800_001, insurer_paid=500_001))), id="figures"),
        pytest.param(a_receipt(replace(INPUTS, facts=replace(STAY, hospital_level=2))), id="facts"),
        pytest.param(a_receipt(used={"inpatient": replace(USED["inpatient"], days=1)}), id="used_room"),
        pytest.param(a_receipt(plan=a_compiled_plan(a_changed_text(("code: hangzhou", "code: other")))), id="plan"),
        pytest.param(replace(a_receipt(), engine_version="0"), id="engine"),
        pytest.param(replace(a_receipt(), benefits=replay(PLAN, INPUTS, {})), id="result"),
    ],
)
def test_a_hash_is_of_every_part(other: Receipt) -> None:
    assert other.hash != a_receipt().hash


def test_a_number_that_json_does_not_know_has_no_canonical_text() -> None:
    assert canonical_json({"b": [1, "元"], "a": None}) == '{"a":null,"b":[1,"元"]}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def test_a_receipt_names_plan_and_engine_and_writes_yuan() -> None:
    document = a_receipt().to_json()
    assert (document["plan_digest"], document["engine_version"]) == (PLAN.digest, ENGINE_VERSION)
    assert document["inputs"]["figures"]["funds"]["oth"] == "2500.01"
    assert document["inputs"]["facts"]["discharged_on"] == "2026-03-10"
    assert document["used_before"]["inpatient"]["paid"] == "100.00"
    assert document["result"][0]["amount"] == "1250.00"
