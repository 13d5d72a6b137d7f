"""Explanations: what a member reads in Chinese and English, and the same as plain data."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from plan_builders import STAY, a_bill, a_changed_text, a_compiled_plan, bills, stays, used_rooms

from settlement.domain.benefits import PlanFacts, Step, StepKind, UsedRoom
from settlement.domain.bills import BillFigures
from settlement.domain.money import ZERO, Money
from settlement.plans.explain import Explanation, explain

PLAN = a_compiled_plan()


def explained(own: int, facts: PlanFacts = STAY, room: UsedRoom | None = None) -> Explanation:
    used = {} if room is None else {"inpatient": room}
    (explanation,) = explain(PLAN.adjudicate(a_bill(allowed=own), facts, used), PLAN.limits)
    return explanation


def test_a_first_small_bill_is_told_from_its_own_share_to_what_is_left() -> None:
    sentences = explained(30_000).sentences
    assert [sentence.zh for sentence in sentences] == [
        "住院医疗费补助：本单纳入补助计算的金额为 300.00 元。",
        "1,000 元及以下部分补助 20%：本单在此段有 240.00 元由您负担（待遇标准：1,000 元及以下部分补助 20%）。",
        "每期补助不足 100 元的，补足至 100 元：增加 40.00 元（待遇标准：补助不足 100 元的按 100 元补助）。",
        "本单补助 100.00 元。",
        "2026 年度已补助：本单之前 0.00 元，本单之后 100.00 元，尚余 30100.00 元。",
    ]
    assert sentences[0].en == "住院医疗费补助: 300.00 yuan of this bill count towards the benefit."
    assert sentences[2].en.startswith("40.00 yuan are added to reach the minimum (")
    assert sentences[-2].en == "This bill is paid 100.00 yuan."
    assert sentences[-1].en == (
        "Paid in term 2026: 0.00 yuan before this bill, 100.00 yuan with it; 30100.00 yuan are left."
    )


def test_a_bill_that_is_not_reached_is_told_why_and_shows_the_term_unchanged() -> None:
    room = UsedRoom(Money(30_000), Money(30_000), Money(10_000))
    explanation = explained(500_000, replace(STAY, hospital_level=1), room)
    assert [sentence.zh for sentence in explanation.sentences] == [
        "限二级及以上医院：本单不符合，不予补助（待遇标准：二级及以上医院）。",
        "本单补助 0.00 元。",
        "2026 年度已补助：本单之前 100.00 元，本单之后 100.00 元，尚余 30100.00 元。",
    ]
    assert explanation.used_after == room


@pytest.mark.parametrize(
    ("room", "words"),
    [
        (UsedRoom(Money(20_000), Money(20_000), Money(10_000)), "前单据此补足的部分计入本单：减少 40.00 元"),
        (UsedRoom(Money(100_000), Money(100_000), Money(21_000)), "本期前单已多补 10 元，先行抵扣：减少 10.00 元"),
        (UsedRoom(Money(100_000), Money(100_000), Money(18_750)), "本期前单少补 12.50 元，本单补回：增加 12.50 元"),
    ],
)
def test_what_earlier_bills_change_is_said_with_its_direction(room: UsedRoom, words: str) -> None:
    assert any(words in sentence.zh for sentence in explained(20_000, room=room).sentences)


def test_a_term_that_was_paid_beyond_its_limit_has_nothing_left() -> None:
    opening = UsedRoom(Money(6_000_000), Money(6_000_000), Money(3_100_000))
    explanation = explained(80_000, room=opening)
    assert (explanation.benefit.amount, explanation.remaining) == (ZERO, ZERO)


def test_a_plan_without_a_limit_says_nothing_of_what_is_left() -> None:
    text = a_changed_text(("          - rule: term_limit\n            amount: 30200\n", "            #"))
    text = text.replace("            #            clause: 待遇标准：年度最高补助 30,200 元，达到后本年度责任终止\n", "")
    plan = a_compiled_plan(text)
    (explanation,) = explain(plan.adjudicate(a_bill(allowed=80_000), STAY, {}), plan.limits)
    assert explanation.remaining is None
    assert explanation.sentences[-1].zh == "2026 年度已补助：本单之前 0.00 元，本单之后 160.00 元。"
    assert explanation.to_json()["remaining"] is None


def test_every_kind_of_step_has_a_sentence() -> None:
    (benefit,) = PLAN.adjudicate(a_bill(allowed=80_000), STAY, {})
    for kind in StepKind:
        told = replace(benefit, steps=(Step("a clause", kind, Money(-1), "a label"),))
        assert "a clause" in " ".join(sentence.en for sentence in explain([told], {})[0].sentences)


def test_an_explanation_is_plain_data_in_yuan() -> None:
    document = explained(30_000).to_json()
    assert json.loads(json.dumps(document)) == document
    assert (document["base"], document["amount"], document["remaining"]) == ("300.00", "100.00", "30100.00")
    assert document["term"] == {"code": "2026", "first_day": "2026-01-01", "last_day": "2026-12-31"}
    assert document["used_after"] == {
        "base": "300.00",
        "burden": "300.00",
        "paid": "100.00",
        "days": 0,
        "times": 1,
        "deductible": "0.00",
    }


@given(figures=bills(), facts=stays(), room=used_rooms())
def test_used_room_and_what_is_left_always_make_the_limit(
    figures: BillFigures, facts: PlanFacts, room: UsedRoom
) -> None:
    (explanation,) = explain(PLAN.adjudicate(figures, facts, {"inpatient": room}), PLAN.limits)
    assert explanation.remaining == PLAN.limits["inpatient"] - explanation.used_after.paid
    assert explanation.used_after.paid == room.paid + explanation.benefit.amount
    assert explanation.remaining >= ZERO
