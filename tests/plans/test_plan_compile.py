"""The compiled plan: what it pays, that every fen is explained, and that an obvious second calculator agrees."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from plan_builders import (
    EDGES,
    HANGZHOU,
    STAY,
    VISIT,
    a_bill,
    a_changed_text,
    a_compiled_plan,
    bills,
    histories,
    pay_in_order,
    stays,
    used_rooms,
)

from settlement.domain.benefits import Benefit, Consumption, PlanFacts, StepKind, UsedRoom
from settlement.domain.bills import BillFigures
from settlement.domain.errors import InvariantViolation
from settlement.domain.money import ZERO, Money, Rounding, rounded
from settlement.plans.compile import compile_version

PLAN = a_compiled_plan()
CAP = 3_020_000

ODD_BANDS = (
    (0, 100_000, 33_335),
    (100_000, 1_000_000, 50_000),
    (1_000_000, 1_500_000, 90_000),
    (1_500_000, 5_000_000, 60_000),
)
"""Hangzhou's bands with a first rate of 33.335 % that leaves halves of a fen: fen from, fen to, rate in 100,000ths."""
ODD_PLANS = {
    rounding: a_compiled_plan(
        a_changed_text(
            ("mode: half_up", f"mode: {rounding}"), ('"20%"', '"33.335%"'), ("amount: 100\n", 'amount: "0.01"\n')
        )
    )
    for rounding in Rounding
}


def the_benefit(figures: BillFigures, facts: PlanFacts = STAY, room: UsedRoom | None = None) -> Benefit:
    (benefit,) = PLAN.adjudicate(figures, facts, {} if room is None else {"inpatient": room})
    return benefit


def used(base: int, burden: int, paid: int) -> UsedRoom:
    return UsedRoom(Money(base), Money(burden), Money(paid))


@pytest.mark.parametrize(
    ("own", "room", "aid", "steps"),
    [
        pytest.param(0, None, 0, [], id="a_bill_without_own_share_pays_nothing"),
        pytest.param(30_000, None, 10_000, [("band", -24_000), ("minimum", 4_000)], id="is_raised_to_the_minimum"),
        pytest.param(80_000, None, 16_000, [("band", -64_000)], id="pays_20_percent_of_the_first_band"),
        pytest.param(
            1_200_000, None, 650_000, [("band", -80_000), ("band", -450_000), ("band", -20_000)], id="adds_up_the_bands"
        ),
        pytest.param(
            6_000_000,
            None,
            3_020_000,
            [("band", -80_000), ("band", -450_000), ("band", -50_000), ("band", -1_400_000), ("band", -1_000_000)],
            id="pays_nothing_above_50000",
        ),
        pytest.param(
            206_700,
            used(206_700, 206_700, 73_350),
            103_350,
            [("band", -103_350)],
            id="a_second_bill_goes_on_where_the_first_stopped",
        ),
        pytest.param(
            20_000,
            used(20_000, 20_000, 10_000),
            0,
            [("band", -16_000), ("earlier_bills", -4_000)],
            id="the_minimum_is_not_paid_twice",
        ),
        pytest.param(
            6_000,
            None,
            6_000,
            [("band", -4_800), ("minimum", 8_800), ("burden_limit", -4_000)],
            id="the_minimum_stops_at_the_burden",
        ),
        pytest.param(
            100_000,
            used(6_000, 6_000, 6_000),
            17_000,
            [("band", -75_200), ("band", -3_000), ("earlier_bills", -8_800), ("earlier_bills", 4_000)],
            id="what_the_burden_withheld_is_made_good",
        ),
        pytest.param(
            100_000,
            used(100_000, 100_000, 25_000),
            45_000,
            [("band", -50_000), ("earlier_bills", -5_000)],
            id="an_overpayment_is_taken_into_account",
        ),
        pytest.param(
            10_000,
            used(100_000, 100_000, 40_000),
            0,
            [("band", -5_000), ("earlier_bills", -5_000)],
            id="an_overpayment_is_never_collected",
        ),
        pytest.param(
            10_000,
            used(100_000, 100_000, 0),
            25_000,
            [("band", -5_000), ("earlier_bills", 20_000)],
            id="an_underpayment_is_made_good",
        ),
    ],
)
def test_a_bill_is_paid_and_every_fen_is_explained(
    own: int, room: UsedRoom | None, aid: int, steps: list[tuple[str, int]]
) -> None:
    benefit = the_benefit(a_bill(allowed=own), room=room)
    assert benefit.amount == aid
    assert [(step.kind.value, int(step.delta)) for step in benefit.steps] == steps
    assert benefit.consumption == Consumption(Money(own), Money(own), Money(aid), times=1 if aid else 0)


def test_the_term_limit_takes_what_is_beyond_it_and_names_its_clause() -> None:
    text = a_changed_text(("amount: 30200", "amount: 5000"))
    (benefit,) = a_compiled_plan(text).adjudicate(a_bill(allowed=1_200_000), STAY, {})
    assert benefit.amount == 500_000
    assert (benefit.steps[-1].kind, benefit.steps[-1].delta) == (StepKind.TERM_LIMIT, Money(-150_000))
    assert benefit.steps[-1].clause == "待遇标准：年度最高补助 30,200 元，达到后本年度责任终止"
    assert benefit.steps[-1].label == "每期补助最高 5,000 元"


@pytest.mark.parametrize(
    ("facts", "label"),
    [
        pytest.param(VISIT, "限住院医疗费", id="outpatient"),
        pytest.param(replace(STAY, hospital_level=1), "限二级及以上医院", id="level_1_hospital"),
        pytest.param(replace(STAY, hospital_level=0), "限二级及以上医院", id="hospital_without_a_level"),
        pytest.param(replace(STAY, person_category="retired"), "限在职职工", id="retired"),
        pytest.param(replace(STAY, insurance_type="390"), "限参加职工基本医疗保险的人员", id="resident_insurance"),
        pytest.param(
            replace(STAY, insurance_type="390", hospital_level=None, discharged_on=None),
            "限参加职工基本医疗保险的人员",
            id="a_known_exclusion_needs_no_other_fact",
        ),
    ],
)
def test_a_bill_that_the_benefit_does_not_reach_uses_nothing_and_says_why(facts: PlanFacts, label: str) -> None:
    room = used(50_000, 60_000, 10_000)
    benefit = the_benefit(a_bill(allowed=500_000), facts, room)
    assert (benefit.base, benefit.amount, benefit.consumption) == (ZERO, ZERO, Consumption())
    assert [(step.kind, step.delta, step.label) for step in benefit.steps] == [(StepKind.NOT_ELIGIBLE, ZERO, label)]
    assert PLAN.missing_fact(facts) is None
    assert PLAN.amounts(a_bill(allowed=500_000), facts, {"inpatient": room}) == {"inpatient": ZERO}


@pytest.mark.parametrize(
    ("facts", "asked"),
    [
        (replace(STAY, discharged_on=None, hospital_level=None), "discharged_on"),
        (replace(STAY, hospital_level=None), "hospital_level"),
        (replace(STAY, insurance_type=None), "insurance_type"),
        (replace(STAY, person_category=None, hospital_level=None), "person_category"),
        (replace(STAY, admitted_on=None), None),
    ],
)
def test_a_fact_that_the_plan_needs_is_asked_for_and_never_guessed(facts: PlanFacts, asked: str | None) -> None:
    assert PLAN.missing_fact(facts) == asked
    if asked:
        for price in (PLAN.adjudicate, PLAN.amounts):
            with pytest.raises(InvariantViolation, match=asked):
                price(a_bill(allowed=100), facts, {})


def test_a_plan_says_which_facts_dates_and_limits_it_has() -> None:
    assert PLAN.needed_facts == {"care", "discharged_on", "hospital_level", "insurance_type", "person_category"}
    assert (PLAN.plan_code, PLAN.version, PLAN.stay_date) == ("hangzhou", "2018", "discharge")
    assert PLAN.limits == {"inpatient": Money(CAP)}


def test_the_service_date_of_a_visit_is_its_settlement_and_of_a_stay_the_declared_date() -> None:
    stay = replace(STAY, discharged_on=date(2027, 1, 1), admitted_on=date(2026, 12, 30), settled_on=date(2027, 1, 4))
    by_admission = a_compiled_plan(a_changed_text(("stay_date: discharge", "stay_date: admission")))
    assert PLAN.service_date(stay) == date(2027, 1, 1)
    assert by_admission.service_date(stay) == date(2026, 12, 30)
    assert PLAN.service_date(replace(stay, discharged_on=None)) is None
    assert PLAN.service_date(replace(stay, care="outpatient")) == date(2027, 1, 4)
    assert by_admission.missing_fact(replace(stay, admitted_on=None)) == "admitted_on"


def test_a_term_is_the_calendar_year_of_the_service_date() -> None:
    term = PLAN.terms(date(2026, 12, 31))["inpatient"]
    assert (term.code, term.first_day, term.last_day) == ("2026", date(2026, 1, 1), date(2026, 12, 31))
    assert PLAN.terms(date(2027, 1, 1))["inpatient"].code == "2027"
    assert the_benefit(a_bill(allowed=100), replace(STAY, discharged_on=date(2027, 1, 1))).term.code == "2027"


def test_a_version_is_compiled_once_and_its_source_is_plain_python() -> None:
    version = HANGZHOU.versions[0]
    again = type(version).from_canonical(version.canonical())
    assert compile_version(again) is compile_version(version)
    compile(PLAN.source, "the source", "exec")
    assert version.digest in PLAN.source


def test_text_of_the_file_cannot_become_code() -> None:
    text = a_changed_text(("clause: 待遇标准：住院医疗费", r'clause: "x\n    raise SystemExit\u2028\r"'))
    (benefit,) = a_compiled_plan(text).adjudicate(a_bill(allowed=80_000), STAY, {})
    assert benefit.amount == 16_000


def test_two_benefits_of_one_version_are_priced_side_by_side() -> None:
    (document,) = HANGZHOU.versions
    inpatient = document.body.benefits[0]
    second = inpatient.model_copy(update={"code": "second", "conditions": ()})
    version = document.model_copy(
        update={"body": document.body.model_copy(update={"benefits": (inpatient, second)})}, deep=True
    )
    compiled = compile_version(type(version).from_canonical(version.canonical()))
    first, other = compiled.adjudicate(a_bill(allowed=80_000), replace(STAY, hospital_level=1), {})
    assert (first.amount, other.amount) == (ZERO, Money(16_000))
    visit = replace(VISIT, hospital_level=None)
    assert compiled.amounts(a_bill(allowed=80_000), visit, {})["second"] == 16_000
    assert compiled.missing_fact(visit) is None


@pytest.mark.parametrize("rounding", list(Rounding))
@example(base=10_000)
@example(base=30_000)
@given(base=st.sampled_from([edge for edge in EDGES if edge >= 0]) | st.integers(0, 7_000_000))
def test_the_bands_are_rounded_once_as_the_plan_declares(rounding: Rounding, base: int) -> None:
    exact = sum(
        (Fraction(rate, 100_000) * max(0, min(base, high) - low) for low, high, rate in ODD_BANDS), start=Fraction(0)
    )
    expected = min(max(rounded(exact, rounding), 1 if base > 0 else 0), base, CAP)
    assert ODD_PLANS[rounding].amounts(a_bill(allowed=base), STAY, {})["inpatient"] == expected


@given(figures=bills(), facts=stays(), room=used_rooms())
def test_base_and_steps_add_up_to_the_amount_from_any_used_room(
    figures: BillFigures, facts: PlanFacts, room: UsedRoom
) -> None:
    benefit = the_benefit(figures, facts, room)
    assert int(benefit.base) + sum(int(step.delta) for step in benefit.steps) == benefit.amount
    assert benefit.amount >= 0
    assert int(room.paid) + benefit.amount <= max(CAP, int(room.paid))
    assert all(step.clause and step.label for step in benefit.steps)
    assert all(step.delta != ZERO for step in benefit.steps if step.kind is not StepKind.NOT_ELIGIBLE)


@given(figures=bills(), facts=stays(), room=used_rooms())
def test_the_fast_path_pays_the_fen_that_is_explained(figures: BillFigures, facts: PlanFacts, room: UsedRoom) -> None:
    fast = PLAN.amounts(figures, facts, {"inpatient": room})["inpatient"]
    explained = the_benefit(figures, facts, room)
    assert fast == explained.amount == explained.consumption.paid


@given(history=histories())
def test_an_obvious_calculator_agrees_on_every_bill_of_a_history(history: list[tuple[BillFigures, PlanFacts]]) -> None:
    assert pay_in_order(PLAN, history) == obvious_payments(history)


@given(history=histories())
def test_a_term_never_pays_more_than_the_burden_or_the_limit(history: list[tuple[BillFigures, PlanFacts]]) -> None:
    burden = sum(int(figures.patient_share) for figures, facts in history if is_reached(facts))
    assert sum(pay_in_order(PLAN, history)) <= min(burden, CAP)


@given(history=histories(), data=st.data())
def test_the_order_of_bills_does_not_change_what_a_term_pays(
    history: list[tuple[BillFigures, PlanFacts]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(history))
    assert sum(pay_in_order(PLAN, shuffled)) == sum(pay_in_order(PLAN, history))


@given(base=st.integers(0, 7_000_000), cuts=st.lists(st.integers(0, 7_000_000), max_size=5))
def test_a_base_split_over_bills_is_paid_as_one(base: int, cuts: list[int]) -> None:
    edges = sorted({0, base, *(cut for cut in cuts if cut < base)})
    parts = [(a_bill(allowed=high - low), STAY) for low, high in pairwise(edges)]
    assert sum(pay_in_order(PLAN, parts)) == sum(pay_in_order(PLAN, [(a_bill(allowed=base), STAY)]))


def is_reached(facts: PlanFacts) -> bool:
    return facts.care == "inpatient" and facts.hospital_level in (2, 3)


def obvious_payments(history: list[tuple[BillFigures, PlanFacts]]) -> list[int]:
    """Price a history in decimal yuan from the published sentences, from the beginning for every bill."""
    paid: list[Decimal] = []
    for count, (_, facts) in enumerate(history, 1):
        so_far = [figures for figures, each in history[:count] if is_reached(each)]
        total = obvious_total(so_far) if is_reached(facts) else Decimal(0)
        paid.append(max(Decimal(0), total - sum(paid)))
    return [int(each * 100) for each in paid]


def obvious_total(bills_of_term: list[BillFigures]) -> Decimal:
    base = burden = Decimal(0)
    for figures in bills_of_term:
        own = int(figures.allowed) - int(figures.insurer_paid) - int(figures.provider_absorbed)
        base += max(Decimal(0), Decimal(own) / 100)
        burden += Decimal(int(figures.patient_share)) / 100
    aid = Decimal(0)
    for low, high, percent in ((0, 1_000, 20), (1_000, 10_000, 50), (10_000, 15_000, 90), (15_000, 50_000, 60)):
        if base > low:
            aid += (min(base, Decimal(high)) - low) * percent / 100
    aid = aid.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if base > 0:
        aid = max(aid, Decimal(100))
    return min(aid, burden, Decimal(30_200))
