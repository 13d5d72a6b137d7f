"""Readings of the plan language that two calculators once took differently, each with the figures that are right."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from agreeing import Counter, agree
from interpreter import Bill, PaidElsewhere
from plan_builders import STAY, VISIT, a_bill
from strategies import History

from settlement.domain.bills import InsurerFunds
from settlement.domain.money import Money
from settlement.plans.compile import compile_version
from settlement.plans.model import PlanVersion
from settlement.plans.origins import origins

Part = dict[str, Any]
C: Part = {"clause": "c"}
NAMES = {"zh": "甲", "en": "a"}
YEAR: Part = {"kind": "calendar_year", **C}
BASE: Part = {"base": {"plus": ["allowed"], **C}, "burden": {"plus": ["patient_share"], **C}}
ALWAYS = ((date(2024, 1, 1), date(2028, 12, 31)),)


def a_version(*benefits: Part, header: Part | None = None, **body: Any) -> PlanVersion:
    """A version of these benefits; what a benefit does not say is a base of what is allowed in a calendar year."""
    written = [
        {"code": f"b{number}", "names": NAMES, "term": YEAR}
        | ({} if {"per_day", "lump_sum"} & set(benefit) else BASE)
        | benefit
        for number, benefit in enumerate(benefits, 1)
    ]
    whole: Part = {
        "code": "reading",
        "names": NAMES,
        "source": "s",
        "stay_date": "discharge",
        "covers": [{"fact": "insurance_type", "one_of": ["310"], **C, "label": "l"}],
        "rounding": {"mode": "half_up", "place": "bands_total", **C},
        "account_money": {"counts_as": "burden", **C},
        "overpayment": {"recovery": "by_person", **C},
        **(header or {}),
    }
    version = {"version": "1", "effective_from": "2020-01-01", **C, "benefits": written, **body}
    return PlanVersion.from_canonical(json.dumps({"format": 1, "header": whole, "body": version}))


def a_stay(admitted: date, discharged: date, allowed: int = 0, visit: str | None = None, **changes: Any) -> Bill:
    """A stay's bill, its amount in yuan; without a visit it is its own."""
    keys = {name: changes.pop(name) for name in ("hospital", "receipt") if name in changes}
    facts = replace(STAY, admitted_on=admitted, discharged_on=discharged, settled_on=discharged, **changes)
    return Bill(a_bill(allowed * 100), facts, visit=visit or f"{admitted}-{discharged}", **keys)


def condition(fact: str, *values: object) -> Part:
    return {"fact": fact, "one_of": list(values), **C, "label": "l"}


def paid(version: PlanVersion, *bills: Bill, covers: Any = ALWAYS) -> list[list[str]]:
    """Settle bills both ways; return what each benefit, or each part of a split stay, was paid, in yuan."""
    settled = agree(version, History(bills, covers))
    return [[Money(int(each.paid)).yuan() for each in bill] for bill in settled]


def test_days_of_a_stay_that_is_paid_nothing_are_not_used_up() -> None:
    critical = {"lump_sum": {"amount": 1000, **C, "label": "l"}, "conditions": [condition("accident", True)]}
    per_day = {"counting": "nights", "days": [{"from_day": 1, "amount": 30, **C}], **C}
    rules = [
        {"rule": "limit", "over": "term", "days": 5, **C},
        {"rule": "not_beside", "benefits": ["b1"], "over": "settlement", **C},
    ]
    version = a_version(critical, {"per_day": per_day, "rules": rules})
    beside = a_stay(date(2026, 1, 1), date(2026, 1, 5), accident=True)
    after = a_stay(date(2026, 2, 1), date(2026, 2, 11))
    assert paid(version, beside, after) == [["1000.00", "0.00"], ["0.00", "150.00"]]


@pytest.mark.parametrize(("code", "other"), [("stay", "b2"), ("aid", "days"), ("in", "term_1"), ("shares", "held")])
def test_a_code_may_be_a_part_of_any_name_that_the_generated_source_has(code: str, other: str) -> None:
    per_day = {"counting": "nights", "days": [{"from_day": 1, "amount": 30, **C}], **C}
    long = {"fact": "stay_days", "at_least": 3, **C, "label": "l"}
    version = a_version({"code": code, "per_day": per_day, "conditions": [long]}, {"code": other, "per_day": per_day})
    assert paid(version, a_stay(date(2026, 1, 1), date(2026, 1, 5))) == [["120.00", "120.00"]]


def test_a_benefit_may_be_called_like_what_other_plans_took() -> None:
    limit = {"code": "all_plans", "names": NAMES, "of": "all_plans", "over": "term", "amount": 700, **C}
    version = a_version({"code": "other_plans"}, limits=[limit])
    stay = a_stay(date(2026, 6, 1), date(2026, 6, 2), 500)
    again = a_stay(date(2026, 7, 1), date(2026, 7, 2), 500)
    assert paid(version, stay, again) == [["500.00"], ["200.00"]]


def test_a_stay_is_not_held_for_its_dates_by_a_condition_that_is_not_asked_of_it() -> None:
    long = {"fact": "stay_days", "at_least": 3, "when": {"sex": ["male"]}, **C, "label": "l"}
    version = a_version({"conditions": [condition("care", "inpatient"), long]})
    stay = a_stay(date(2026, 1, 1), date(2026, 1, 5), 100, sex="female")
    unknown = replace(stay, facts=replace(stay.facts, admitted_on=None))
    assert paid(version, unknown) == [["100.00"]]
    asked = replace(unknown, facts=replace(unknown.facts, sex="male"))
    assert paid(version, asked) == []


BY_DAYS: Part = {"spanning": {"split": "by_days", **C}}


def test_what_others_paid_and_the_hospital_stated_is_split_with_the_stay() -> None:
    stated = [{"code": "bed", "names": NAMES, "if_not_stated": "zero", **C}]
    version = a_version(
        {"base": {"plus": ["allowed"], "minus": ["other_paid", "bed"], **C}}, header={**BY_DAYS, "stated": stated}
    )
    spans = a_stay(date(2026, 12, 31), date(2027, 1, 1), 1000, other_paid=Money(20_000), stated={"bed": Money(10_000)})
    assert paid(version, spans) == [["350.00", "350.00"]]


YEAR_AND_NEXT = a_stay(date(2026, 12, 31), date(2027, 1, 1), 10_000)


@pytest.mark.parametrize(
    ("rules", "each"),
    [
        ([{"rule": "limit", "over": "settlement", "amount": 6000, **C}], ["5000.00", "1000.00"]),
        ([{"rule": "deductible", "once_per": "settlement", "amount": 6000, **C}], ["0.00", "4000.00"]),
        ([{"rule": "rate", "rate": "1%", **C}, {"rule": "minimum", "amount": 70, **C}], ["70.00", "30.00"]),
    ],
    ids=["limit", "deductible", "minimum"],
)
@pytest.mark.parametrize("over", ["settlement", "term"])
def test_what_counts_once_per_settlement_counts_once_for_all_parts_of_a_split_stay(
    rules: list[Part], each: list[str], over: str
) -> None:
    version = a_version({"rules": rules, "accumulation": {"over": over, **C}}, header=BY_DAYS)
    of_terms = over == "term" and rules[-1]["rule"] == "minimum"
    assert paid(version, YEAR_AND_NEXT, YEAR_AND_NEXT)[0] == (["70.00", "70.00"] if of_terms else each)


@pytest.mark.parametrize("by", [{"amount": 6000}, {"burden": {"plus": ["over_limit"], **C}}], ids=["amount", "burden"])
def test_a_limit_of_several_benefits_for_a_settlement_is_one_for_all_parts_of_a_split_stay(by: Part) -> None:
    limit = {"code": "bill", "names": NAMES, "of": "all", "over": "settlement", **by, **C}
    version = a_version({}, {"code": "other"}, header=BY_DAYS, limits=[limit])
    figures = replace(YEAR_AND_NEXT.figures, over_limit=Money(600_000))
    each = ["5000.00", "1000.00", "0.00", "0.00"] if "amount" in by else ["3000.00", "0.00", "3000.00", "0.00"]
    again = replace(YEAR_AND_NEXT, figures=figures)
    assert paid(version, again, again)[0] == each


def test_days_of_an_allowance_are_limited_once_for_all_parts_of_a_split_stay() -> None:
    days = {"counting": "both_days", "days": [{"from_day": 1, "amount": 10, **C}], **C}
    limit = {"rule": "limit", "over": "settlement", "days": 5, **C}
    version = a_version({"per_day": days, "rules": [limit]}, header=BY_DAYS)
    spans = a_stay(date(2026, 12, 29), date(2027, 1, 10))
    assert paid(version, spans) == [["30.00", "20.00"]]


def test_what_the_room_of_one_term_took_of_a_stay_is_not_made_good_by_the_next() -> None:
    rules = [{"rule": "rate", "rate": "50%", **C}, {"rule": "term_limit", "amount": 3000, **C}]
    version = a_version({"rules": rules}, header=BY_DAYS)
    before = a_stay(date(2026, 3, 1), date(2026, 3, 5), 5000)
    assert paid(version, before, YEAR_AND_NEXT) == [["2500.00"], ["500.00", "2500.00"]]


def test_a_benefit_is_less_by_what_another_pays_for_each_part_and_not_twice() -> None:
    less = {"rules": [{"rule": "less_paid", "by": ["b1"], "over": "settlement", **C}]}
    version = a_version({"rules": [{"rule": "rate", "rate": "30%", **C}]}, less, header=BY_DAYS)
    assert paid(version, YEAR_AND_NEXT) == [["1500.00", "3500.00", "1500.00", "3500.00"]]


REIMBURSED = replace(a_bill(1_000_002), funds=InsurerFunds(hifp=Money(500_001), hifes=Money(500_001)))


def test_no_part_of_a_fully_reimbursed_stay_has_a_base_for_a_minimum() -> None:
    least = [{"rule": "minimum", "amount": 100, **C}]
    base = {"plus": ["allowed"], "minus": ["insurer_paid"], **C}
    version = a_version({"base": base, "rules": least, "accumulation": {"over": "term", **C}}, header=BY_DAYS)
    spans = replace(a_stay(date(2026, 12, 31), date(2027, 1, 1)), figures=REIMBURSED)
    assert paid(version, spans) == [["0.00", "0.00"]]


def test_the_sum_that_a_part_is_told_is_its_base() -> None:
    base = {"plus": ["allowed"], "minus": ["hifp"], **C}
    plan = compile_version(a_version({"base": base}, header=BY_DAYS))
    facts = replace(a_stay(date(2026, 12, 31), date(2027, 1, 1)).facts, counted_from=date(2026, 12, 31))
    figures = replace(a_bill(10), funds=InsurerFunds(hifp=Money(5)))
    parts = plan.adjudicate(figures, facts, {})
    told = origins(plan, figures, facts, parts)
    assert [sum(int(each.amount) for each in origin.amounts) for origin in told] == [int(part.base) for part in parts]
    assert [int(part.base) for part in parts] == [2, 3]


def test_a_lump_sum_is_paid_once_for_a_stay_over_two_terms() -> None:
    lump = {"lump_sum": {"amount": 1000, **C, "label": "l"}, "conditions": [condition("event", "cancer")]}
    events = [{"code": "cancer", "names": NAMES, "severities": [], **C}]
    version = a_version(lump, header={**BY_DAYS, "events": events})
    stay = a_stay(date(2026, 12, 31), date(2027, 1, 1), event="cancer")
    assert paid(version, stay) == [["1000.00"]]


def test_a_stay_over_a_gap_between_terms_is_split_into_each_term_and_the_gap() -> None:
    terms = [
        {"code": "t1", "first_day": "2026-01-01", "last_day": "2026-01-31"},
        {"code": "t2", "first_day": "2026-02-11", "last_day": "2026-12-31"},
    ]
    version = a_version({"term": {"kind": "named", "terms": terms, **C}}, header=BY_DAYS)
    spans = a_stay(date(2026, 1, 31), date(2026, 2, 11), 1200)
    assert paid(version, spans) == [["100.00", "0.00", "100.00"]]


def test_a_stay_that_outlasts_the_members_own_cover_is_paid_for_its_days_within_it() -> None:
    header = {**BY_DAYS, "stay_date": "admission"}
    version = a_version({"term": {"kind": "own_cover", **C}}, header=header)
    spans = a_stay(date(2026, 12, 31), date(2027, 1, 1), 1000)
    assert paid(version, spans, covers=((date(2026, 1, 1), date(2026, 12, 31)),)) == [["500.00", "0.00"]]


@pytest.mark.parametrize(
    ("stay_date", "cover", "each"),
    [
        pytest.param("discharge", ("2027-01-01", "2027-12-31"), ["0.00", "500.00"], id="covered_from_the_new_year"),
        pytest.param("discharge", ("2026-12-31", "2027-12-31"), ["500.00", "500.00"], id="covered_on_the_last_day"),
        pytest.param("admission", ("2026-01-01", "2026-12-31"), ["500.00", "0.00"], id="covered_up_to_the_new_year"),
        pytest.param("discharge", ("2026-01-01", "2026-12-31"), ["500.00", "0.00"], id="left_at_the_new_year"),
        pytest.param("admission", ("2027-01-01", "2027-12-31"), ["0.00", "500.00"], id="joined_at_the_new_year"),
    ],
)
def test_a_part_of_a_split_stay_without_cover_is_paid_nothing(
    stay_date: str, cover: tuple[str, str], each: list[str]
) -> None:
    version = a_version({}, header={**BY_DAYS, "stay_date": stay_date})
    first, last = (date.fromisoformat(day) for day in cover)
    spans = a_stay(date(2026, 12, 22), date(2027, 1, 10), 1000)
    assert paid(version, spans, covers=((first, last),)) == [each]


def test_each_part_of_a_stay_split_by_its_admission_meets_the_room_of_its_own_term() -> None:
    limited = {"rules": [{"rule": "term_limit", "amount": 700, **C}], "accumulation": {"over": "term", **C}}
    version = a_version(limited, header={**BY_DAYS, "stay_date": "admission"})
    old, new = a_stay(date(2026, 3, 1), date(2026, 3, 2), 400), a_stay(date(2027, 3, 1), date(2027, 3, 2), 600)
    spans = a_stay(date(2026, 12, 31), date(2027, 1, 1), 1000)
    assert paid(version, old, new, spans) == [["400.00"], ["600.00"], ["300.00", "100.00"]]


def test_a_part_of_a_stay_meets_what_other_plans_paid_in_its_own_term() -> None:
    limit = {"code": "all_plans", "names": NAMES, "of": "all_plans", "over": "term", "amount": 700, **C}
    version = a_version({}, header=BY_DAYS, limits=[limit])
    spans = a_stay(date(2026, 12, 31), date(2027, 1, 1), 1000)
    history = History(
        (spans,), ALWAYS, (PaidElsewhere(date(2026, 5, 1), 60_000), PaidElsewhere(date(2027, 5, 1), 40_000))
    )
    assert [int(each.paid) for each in agree(version, history)[0]] == [10_000, 30_000]


SECOND_STAY: Part = {
    "rules": [
        {"rule": "rate", "rate": [{"when": {"stay_ordinal": {"at_least": 2}}, "value": "50%"}, {"value": "100%"}], **C}
    ]
}


@pytest.mark.parametrize("unit", ["receipt", "visit", "stay"])
def test_mid_settlements_and_merged_stays_are_one_stay_whatever_a_plan_ties_together(unit: str) -> None:
    limit = {"rule": "limit", "over": unit, "amount": 100_000, **C}
    header = {"stays": {"merge_within_days": 10, "same": "any", **C}}
    days = {"days": [{"from_day": 1, "amount": 1, **C}], "counting": "both_days", "minimum_stay": 6, **C}
    version = a_version({"rules": [*SECOND_STAY["rules"], limit]}, {"per_day": days}, header=header)
    first = a_stay(date(2026, 1, 1), date(2026, 1, 3), 100, visit="1", receipt="R1")
    goes_on = a_stay(date(2026, 1, 1), date(2026, 1, 4), 100, visit="1", receipt="R2")
    again = a_stay(date(2026, 1, 10), date(2026, 1, 11), 100, visit="2", receipt="R3")
    and_again = a_stay(date(2026, 1, 15), date(2026, 1, 15), 100, visit="3", receipt="R4")
    other = a_stay(date(2026, 5, 1), date(2026, 5, 2), 100, visit="4", receipt="R5")
    settled = paid(version, first, goes_on, again, and_again, other)
    assert settled == [
        ["100.00", "0.00"],
        ["100.00", "0.00"],
        ["100.00", "6.00"],
        ["100.00", "1.00"],
        ["50.00", "0.00"],
    ]


def test_stays_are_numbered_in_the_term_of_the_first_benefit() -> None:
    version = a_version(SECOND_STAY, {"term": {"kind": "year_from", "starts": "09-01", **C}})
    first, second = a_stay(date(2026, 1, 1), date(2026, 1, 3), 100), a_stay(date(2026, 5, 1), date(2026, 5, 3), 100)
    assert paid(version, first, second) == [["100.00", "100.00"], ["50.00", "100.00"]]


def test_a_visit_is_no_stay_of_any_number_or_length() -> None:
    long = {"fact": "stay_days", "at_least": 3, **C, "label": "l"}
    version = a_version(SECOND_STAY, {"conditions": [long]})
    visit = Bill(a_bill(10_000), replace(VISIT, settled_on=date(2026, 3, 1)))
    assert paid(version, visit) == [["100.00", "0.00"]]


@pytest.mark.parametrize(("end", "start"), [("up_to", "above"), ("below", "from")])
def test_the_parts_of_bands_do_not_depend_on_the_side_of_an_edge(end: str, start: str) -> None:
    bands = [{end: 1000, "rate": "20%", **C}, {start: 1000, "rate": "70%", **C}]
    rounding = {"mode": "half_up", "place": "each_band", **C}
    version = a_version({"rules": [{"rule": "bands", "bands": bands}]}, header={"rounding": rounding})
    assert paid(version, a_stay(date(2026, 1, 1), date(2026, 1, 3), 1000)) == [["200.00"]]


def test_no_minimum_is_paid_below_a_franchise() -> None:
    rules = [
        {"rule": "franchise", "amount": 1500, "reached": "at", **C},
        {"rule": "rate", "rate": "1%", **C},
        {"rule": "minimum", "amount": 100, **C},
    ]
    below, at = a_stay(date(2026, 1, 1), date(2026, 1, 3), 1499), a_stay(date(2026, 2, 1), date(2026, 2, 3), 1500)
    assert paid(a_version({"rules": rules}), below, at) == [["0.00"], ["100.00"]]


def test_an_upgraded_lump_sum_keeps_to_the_limit_of_its_own_span() -> None:
    amount = [{"when": {"accident": [False]}, "value": 3000}, {"value": 10000}]
    lump = {
        "lump_sum": {"amount": amount, "upgrade": True, **C, "label": "l"},
        "accumulation": {"over": "term", **C},
        "rules": [{"rule": "term_limit", "amount": 8000, **C}],
    }
    mild = a_stay(date(2026, 1, 1), date(2026, 1, 3))
    severe = a_stay(date(2026, 2, 1), date(2026, 2, 3), accident=True)
    assert paid(a_version(lump), mild, severe) == [["3000.00"], ["5000.00"]]


def test_a_bill_is_not_held_for_a_benefit_that_the_member_does_not_hold_or_waits_for() -> None:
    module = {"code": "women", "names": NAMES, **C}
    waiting = {"days": 30, **C, "label": "l"}
    women = {"module": "women", "conditions": [condition("sex", "female")]}
    version = a_version({}, women, {"waiting": waiting, "conditions": [condition("place", "local")]}, modules=[module])
    early = ((date(2026, 1, 1), date(2026, 12, 31)),)
    stay = a_stay(date(2026, 1, 5), date(2026, 1, 7), 100)
    assert paid(version, stay, covers=early) == [["100.00", "0.00", "0.00"]]
    assert paid(version, replace(stay, facts=replace(stay.facts, shares={"women": 1})), covers=early) == []


def test_a_bill_is_held_for_a_stated_amount_that_only_a_limit_counts() -> None:
    limit = {"code": "own", "names": NAMES, "of": "all", "over": "settlement", "burden": {"plus": ["bed"], **C}, **C}
    stated = [{"code": "bed", "names": NAMES, "if_not_stated": "hold", **C}]
    version = a_version({}, header={"stated": stated}, limits=[limit])
    asked, told = (a_stay(date(2026, 1, 5), date(2026, 1, 7), 100, stated=bed) for bed in ({}, {"bed": Money(6_000)}))
    assert paid(version, asked, told) == [["60.00"]]


@pytest.mark.parametrize("counting", ["nights", "nights_at_least_one", "both_days"])
def test_a_visit_is_paid_no_day_of_an_allowance(counting: str) -> None:
    days = {"days": [{"from_day": 1, "amount": 30, **C}], "counting": counting, **C}
    visit = Bill(a_bill(10_000), replace(VISIT, settled_on=date(2026, 3, 1)))
    assert paid(a_version({"per_day": days}), visit) == [["0.00"]]


def test_a_stay_that_was_settled_in_part_is_split_from_there_on() -> None:
    version = a_version({}, header=BY_DAYS)
    first = a_stay(date(2026, 12, 1), date(2026, 12, 31), 1000, visit="1")
    rest = a_stay(date(2026, 12, 1), date(2027, 1, 1), 1000, visit="1")
    after = a_stay(date(2026, 12, 1), date(2027, 1, 9), 1000, visit="1")
    assert paid(version, first, rest, after) == [["1000.00"], ["500.00", "500.00"], ["1000.00"]]


def test_parts_of_a_stay_within_one_term_of_another_benefit_are_recorded_as_one() -> None:
    version = a_version({}, {"term": {"kind": "year_from", "starts": "09-01", **C}}, header=BY_DAYS)
    counter = Counter(version, History((), ALWAYS))
    counter.settle(a_stay(date(2026, 12, 31), date(2027, 1, 1), 1000))
    recorded = [(each.code, each.term, int(each.room.paid)) for each in counter.past]
    assert recorded[:-1] == [("b1", "2026", 50_000), ("b2", "2026-09-01", 100_000), ("b1", "2027", 50_000)]


def test_an_event_is_paid_once_in_its_own_term_however_long_the_stay() -> None:
    lump = {"lump_sum": {"amount": 1000, **C, "label": "l"}, "conditions": [condition("event", "cancer")]}
    limited = [{"rule": "limit", "over": "term", "times": 1, **C}]
    version = a_version({**lump, "rules": limited}, header=BY_DAYS)
    stated = a_stay(date(2026, 12, 30), date(2027, 1, 2), event="cancer", event_on=date(2026, 12, 31))
    again = replace(VISIT, event="cancer", event_on=date(2027, 2, 1), settled_on=date(2027, 2, 1))
    assert paid(version, stated, Bill(a_bill(0), again)) == [["1000.00"], ["1000.00"]]


@pytest.mark.parametrize(("again_on", "second"), [(date(2026, 1, 13), "100.00"), (date(2026, 1, 14), "50.00")])
def test_an_admission_counts_to_the_stay_before_up_to_and_with_the_days_that_the_plan_says(
    again_on: date, second: str
) -> None:
    version = a_version(SECOND_STAY, header={"stays": {"merge_within_days": 10, "same": "any", **C}})
    first, again = a_stay(date(2026, 1, 1), date(2026, 1, 3), 100), a_stay(again_on, date(2026, 1, 20), 100)
    assert paid(version, first, again) == [["100.00"], [second]]


def test_percentage_points_take_a_rate_to_nothing_at_most() -> None:
    bands = [{"up_to": 1000, "rate": "10%", **C}, {"above": 1000, "rate": "90%", **C}]
    modifiers = [{"add": "-20", "when": {"accident": [False]}, **C}]
    version = a_version({"rules": [{"rule": "bands", "bands": bands, "modifiers": modifiers}]})
    assert paid(version, a_stay(date(2026, 1, 1), date(2026, 1, 3), 2000)) == [["700.00"]]
