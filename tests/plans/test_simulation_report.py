"""What a simulation adds up and shows: merged parts, the fund's last day, small units, and a page that stands alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from simulation_builders import a_visit_or_stay, hangzhou

from settlement.plans.simulation.balance import Fund, run_down
from settlement.plans.simulation.page import page
from settlement.plans.simulation.report import OTHER_UNITS, PlanName, Report, units_shown
from settlement.plans.simulation.simulate import Plans, simulate
from settlement.plans.simulation.tally import LARGEST, Group, Priced, Tally


def member(number: int, before: int, after: int, unit: str | None = None) -> list[Priced]:
    bill = replace(a_visit_or_stay(number, date(2025, 1 + number % 12, 5), 2, 100_000, 0), unit=unit)
    return [Priced(bill, {"paid": before}, {"inpatient": after})]


def test_parts_merged_in_any_order_are_the_whole():
    chance = Random(5)
    everybody = [member(n, chance.randrange(0, 5_000), chance.randrange(0, 5_000), f"U{n % 3}") for n in range(90)]
    whole, parts = Tally(), [Tally() for _ in range(4)]
    for number, bills in enumerate(everybody):
        whole.add_member(bills)
        parts[number % 4].add_member(bills)
        if number % 9 == 0:
            whole.refuse(number, "bad")
            parts[number % 4].refuse(number, "bad")
    for order in ((0, 1, 2, 3), (3, 1, 0, 2)):
        merged = Tally()
        for at in order:
            merged.merge(parts[at])
        assert merged == whole
    assert len(whole.gains) == len(whole.losses) == LARGEST


def test_gains_and_losses_are_counted_by_member():
    tally = Tally()
    for bills in (member(1, 100, 300), member(2, 300, 100), member(3, 50, 50)):
        tally.add_member(bills)
    whole = tally.whole
    assert (whole.gaining, whole.gain_fen, whole.losing, whole.loss_fen) == (1, 200, 1, 200)
    assert (whole.before_fen, whole.after_fen, whole.members, whole.beneficiaries) == (450, 450, 3, 3)


def test_bills_before_the_period_use_room_and_are_not_shown():
    plans = Plans(hangzhou().canonical())
    first = a_visit_or_stay(1, date(2025, 2, 1), 3, 6_000_000, 0)
    second = a_visit_or_stay(2, date(2025, 8, 1), 3, 6_000_000, 0)
    alone = simulate(plans, [[second]]).whole.after_fen
    after_history = simulate(plans, [[replace(first, counts=False), second]])
    assert alone == 3_020_000
    assert (after_history.whole.after_fen, after_history.whole.bills, after_history.history) == (0, 1, 1)


def test_a_bill_that_one_plan_cannot_compute_is_left_out_on_both_sides():
    bill = a_visit_or_stay(1, date(2025, 2, 1), 3, 500_000, 0)
    unknown = replace(bill, facts=replace(bill.facts, hospital_level=None))
    version = hangzhou()
    tally = simulate(Plans(version.canonical(), version.canonical()), [[unknown, bill]])
    assert tally.held == {"hospital_level": 1}
    assert (tally.whole.bills, tally.whole.before_fen) == (1, tally.whole.after_fen)


def test_the_fund_runs_dry_on_the_first_evening_on_which_it_owes():
    days = {date(2025, 1, 10): (0, 500), date(2025, 2, 3): (100, 700), date(2025, 2, 4): (0, 1)}
    balance = run_down(Fund(1_000, 200), days, date(2025, 1, 1), date(2025, 3, 31))
    assert [(m.day, m.before_fen, m.after_fen) for m in balance.months] == [
        (date(2025, 1, 31), 1_200, 700),
        (date(2025, 2, 28), 1_300, 199),
        (date(2025, 3, 31), 1_500, 399),
    ]
    assert (balance.dry_before, balance.dry_after) == (None, None)
    poorer = run_down(Fund(800, 200), days, date(2025, 1, 1), date(2025, 3, 31))
    assert poorer.dry_after == date(2025, 2, 4)


def test_repeated_years_grow_and_lose_no_leap_day():
    days = {date(2024, 2, 29): (0, 100), date(2024, 2, 28): (0, 1_000)}
    fund = Fund(10_000, years=3, growth=Fraction(1, 10))
    balance = run_down(fund, days, date(2024, 1, 1), date(2024, 12, 31))
    at_ends = [m.after_fen for m in balance.months if m.day.month == 12]
    assert at_ends == [10_000 - 1_100, 10_000 - 1_100 - 1_210, 10_000 - 1_100 - 1_210 - 1_331]


def test_incomes_by_month_go_before_dues_and_are_repeated():
    fund = Fund(0, 5, {date(2025, 2, 1): 100}, years=2)
    balance = run_down(fund, {}, date(2025, 1, 1), date(2025, 3, 31))
    assert [m.after_fen for m in balance.months][:3] == [5, 105, 110]
    assert [m.after_fen for m in balance.months if m.day == date(2026, 2, 28)] == [110 + 9 * 5 + 5 + 100]


def a_unit(beneficiaries: int) -> Group:
    return Group(members=beneficiaries + 5, beneficiaries=beneficiaries)


@pytest.mark.parametrize(
    ("units", "shown"),
    [
        pytest.param({"a": 20, "b": 30}, {"a": 20, "b": 30}, id="large_enough"),
        pytest.param({"a": 19, "b": 30, "c": 5}, {"b": 30, OTHER_UNITS: 24}, id="small_ones_together"),
        pytest.param({"a": 7, "b": 30, "c": 40}, {"c": 40, OTHER_UNITS: 37}, id="the_rest_would_tell_of_one"),
        pytest.param({"a": 7, "b": 3}, {}, id="all_together_too_few"),
        pytest.param({}, {}, id="none"),
    ],
)
def test_no_unit_is_shown_with_fewer_than_twenty_beneficiaries(units: dict[str, int], shown: dict[str, int]):
    found = units_shown({name: a_unit(count) for name, count in units.items()})
    assert {name: group.beneficiaries for name, group in found.items()} == shown


def a_report(tally: Tally, **changes: object) -> Report:
    report = Report(
        draft=PlanName("p", "1", "f" * 64, "方案<甲>", "Plan A"),
        against=None,
        has_before=True,
        source="bills.csv",
        first_day=date(2025, 1, 1),
        last_day=date(2025, 12, 31),
        tally=tally,
        balance=run_down(Fund(1_000), tally.days, date(2025, 1, 1), date(2025, 12, 31)),
        memberships=200,
        take_up=Decimal("2.7"),
        not_read=("x",),
        processes=1,
        seconds=1.0,
    )
    return replace(report, **changes)  # type: ignore[arg-type]


def a_tally() -> Tally:
    tally = Tally()
    for number in range(60):
        tally.add_member(member(number, 10 * number, 600, "大单位" if number < 50 else "小单位"))
    return tally


def test_the_page_stands_alone_and_names_no_small_unit_and_no_markup_of_others():
    text = page(a_report(a_tally()))
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert "方案&lt;甲&gt;" in text
    assert "小单位" not in text
    assert text.count("<svg") == 5


def test_the_page_can_be_drawn_without_anything_to_compare_and_without_bills():
    assert "Cost before" not in page(a_report(a_tally(), has_before=False, balance=None, take_up=None))
    assert "<h1>" in page(a_report(Tally(), balance=None))


def test_the_json_has_amounts_as_text_and_the_take_up():
    said = a_report(a_tally()).to_json()
    assert (said["cost_after"], said["payments_per_100"], said["times_as_many_payments"]) == ("360.00", "30.0", "11.1")
    assert said["fund"]["dry_after"] == "2025-01-05"
    assert {name: group["beneficiaries"] for name, group in said["by"]["unit"].items()} == {OTHER_UNITS: 60}
