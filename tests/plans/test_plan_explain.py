"""Explanations: what a member reads in Chinese and English, and the same as plain data."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from plan_builders import STAY, a_bill, a_changed_text, a_compiled_plan, bills, stays, used_rooms

from settlement.domain.benefits import PlanFacts, Step, StepKind, UsedRoom
from settlement.domain.bills import BillFigures
from settlement.domain.money import ZERO, Money
from settlement.plans.cases import PricedBill, price_in_order
from settlement.plans.explain import Explanation, closing, explain
from settlement.plans.model import read_plan

PLAN = a_compiled_plan()


def explained(own: int, facts: PlanFacts = STAY, room: UsedRoom | None = None) -> Explanation:
    used = {} if room is None else {"inpatient": room}
    (explanation,) = explain(PLAN.adjudicate(a_bill(allowed=own), facts, used), PLAN.limits)
    return explanation


def test_a_first_small_bill_is_told_from_its_own_share_to_what_is_left() -> None:
    sentences = explained(30_000).sentences
    assert [sentence.zh for sentence in sentences] == [
        "住院医疗费补助：本单纳入补助计算的金额为 300.00 元。",
        "1,000 元及以下部分补助 20%：本单在此段有 240.00 元按比例不予补助（待遇标准：1,000 元及以下部分补助 20%）。",
        "每期补助不足 100 元的，补足至 100 元：增加 40.00 元（待遇标准：补助不足 100 元的按 100 元补助）。",
        "本单补助 100.00 元。",
        "2026 年度已补助：本单之前 0.00 元，本单之后 100.00 元，尚余 30100.00 元。",
    ]
    assert sentences[0].en == f"{PLAN.benefits[0].names.en}: 300.00 yuan of this bill count towards the benefit."
    assert sentences[2].en.startswith("40.00 yuan are added to reach the minimum (")
    assert sentences[-2].en == "This bill is paid 100.00 yuan."
    assert sentences[-1].en == (
        "Paid in term 2026: 0.00 yuan before this bill, 100.00 yuan with it; 30100.00 yuan are left."
    )


def test_a_bill_that_is_not_reached_is_told_why_and_shows_the_term_unchanged() -> None:
    room = UsedRoom(Money(30_000), Money(30_000), Money(10_000))
    explanation = explained(500_000, replace(STAY, hospital_level=1), room)
    assert [sentence.zh for sentence in explanation.sentences] == [
        "住院医疗费补助：限二级及以上医院，本单不予补助（待遇标准：二级及以上医院）。",
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


EXTRA = Path(__file__).parent / "extra"


def told(plan: str, case: str, language: str = "zh") -> list[str]:
    """Explain the last bill of a worked case of a plan among the small ones, closing lines included."""
    file = read_plan(EXTRA / f"{plan}.yaml")
    bills = next(each.bills for each in file.file.cases if each.name == case)
    priced = price_in_order(file, bills)[-1]
    assert isinstance(priced, PricedBill)
    explanations = explain(priced.benefits, priced.compiled.limits, priced.next_yuan(), priced.origins())
    last = closing([each.benefit for each in explanations], priced.compiled.term_limits)
    sentences = [*(said for each in explanations for said in each.sentences), *last]
    return [getattr(sentence, language) for sentence in sentences]


def test_a_base_is_told_as_the_sum_and_difference_that_it_is() -> None:
    assert told("gansu", "商业保险已付 1,000 元")[5] == (
        "范围内自付补助：本单纳入补助计算的金额：政策范围内费用 10000.00 − 医保基金支付合计 7000.00 − 医保起付线 "
        "500.00 − 其他保障支付 1000.00 = 1500.00 元（第二项：范围内个人自付，不含起付线，先扣除其他保险的赔付）。"
    )


def test_a_sum_below_zero_is_told_with_what_it_counts_as() -> None:
    sentences = told("gansu", "商业保险已付 2,800 元")
    assert any("= -300.00 元，按 0.00 元计（" in sentence for sentence in sentences)


def test_the_clause_of_the_choice_that_was_taken_is_told() -> None:
    assert told("gansu", "二级医院两次")[1] == (
        "每次结算补助最高 110 元：超过限额的 290.00 元不予补助（第一项：二级医院第二次及以后 110 元）。"
    )


def test_all_benefits_together_and_what_their_common_limit_has_left_are_told_last() -> None:
    assert told("gansu", "二级医院两次")[-2:] == [
        "各项合计：本单补助 470.00 元。",
        "每期限额（2010-07-01 至 2011-06-30 保障期合计最高 20000.00 元）："
        "本单之前已用 580.00 元，本单之后 1050.00 元，尚余 18950.00 元。",
    ]


def test_a_refusal_names_its_benefit_in_either_language() -> None:
    case = "等待期第 30 天和第 31 天入院"
    assert told("gansu", case)[0].startswith("起付线补助：首次参加后 30 天内为等待期，本单不予补助（")
    assert told("gansu", case, "en")[0].startswith("Aid for the insurer's deductible: this bill is not covered (")


def test_days_are_told_before_the_limit_as_their_money_is() -> None:
    assert told("beijing-allowance", "一次住院 184 天")[:2] == [
        "住院津贴：本次住院到此 184 天（按过夜计），前 3 天不付，第 4 至 184 天共 181 天，每天 40 元"
        "（待遇标准：自每次住院第 4 天起每天 40 元，前三天没有），计 7240.00 元。",
        "每期最多补助 180 天：超过限额的 40.00 元不予补助（待遇标准：每期最多 180 天，即 7,200 元）。",
    ]


@pytest.mark.parametrize(
    ("plan", "case", "words"),
    [
        ("beijing-allowance", "续保没有间断，1 月 1 日入院", "前 3 天不付，第 4 至 10 天共 7 天"),
        ("beijing-allowance", "中途结算，三天只扣一次", "其中 5 天已经算过，第 6 至 19 天共 14 天"),
    ],
)
def test_a_stay_is_told_by_its_days(plan: str, case: str, words: str) -> None:
    assert words in told(plan, case)[0]


def test_the_parts_of_a_stay_over_two_terms_are_told_with_their_days() -> None:
    case = "上年入院，12 月 28 日至 1 月 8 日"
    zh = told("beijing-allowance", case)
    assert zh[0].startswith("住院津贴（2010-12-28 至 2010-12-31 的部分）：方案当时尚未开始，这一部分不予补助（")
    assert zh[2].startswith(
        "住院津贴（2011-01-01 至 2011-01-08 的部分）：本次住院到此 11 天（按过夜计），其中 4 天已经算过，"
    )
    assert zh[-1] == "各项合计：本单补助 280.00 元。"
    assert told("beijing-allowance", case, "en")[2].startswith("Inpatient allowance (the part from 2011-01-01 to ")


def test_days_that_were_all_counted_already_are_told_so() -> None:
    zh = told("nights-over-terms", "方案开始以前的年度，1 月 1 日出院")
    assert zh[9] == "过夜津贴（2011-01-01 的部分）：本次住院到此 12 天（按过夜计），都已经算过，计 0.00 元。"


def test_the_next_yuan_is_one_within_scope_that_the_member_bears() -> None:
    assert told("gansu", "起付线低于标准")[-3] == "如果本单范围内费用多 1 元（由您自付），补助将增加 0.60 元。"
