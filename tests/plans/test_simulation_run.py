"""One calculator, two speeds: ledgers that stay give to the fen what the settle path's records give."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from records_run import RecordsRun
from simulation_builders import SHAPES, a_shape, a_visit_or_stay, fitted, hangzhou, members

from settlement.plans.compile import compile_version
from settlement.plans.model import PlanVersion, read_plan
from settlement.plans.simulation.bills import SimulatedBill
from settlement.plans.simulation.run import Missing, Run, run_of

VERSIONS = {"hangzhou": hangzhou(), **{name: a_shape(name) for name in SHAPES}}
PUBLISHED = sorted((Path(__file__).parents[2] / "plans").glob("*.yaml"))


def paid(run: Run | RecordsRun, bills: list[SimulatedBill]) -> list[object]:
    state, results = run.begin(), list[object]()
    for bill in bills:
        entry = run.prepare(state, bill)
        if isinstance(entry, Missing):
            results.append(entry)
        else:
            run.keep(state, entry)
            results.append(run.price(state, entry))
    return results


@pytest.mark.parametrize("version", [VERSIONS[name] for name in VERSIONS], ids=list(VERSIONS))
@settings(max_examples=120)
@given(bills=members())
def test_both_runs_pay_every_bill_the_same(version: PlanVersion, bills: list[SimulatedBill]):
    assert paid(run_of(version), bills) == paid(RecordsRun(compile_version(version)), bills)


@pytest.mark.parametrize("version", [VERSIONS[name] for name in VERSIONS], ids=list(VERSIONS))
@settings(max_examples=30)
@given(bills=members())
def test_bills_may_be_prepared_before_any_is_priced(version: PlanVersion, bills: list[SimulatedBill]):
    run = run_of(version)
    state, entries = run.begin(), []
    for bill in bills:
        entry = run.prepare(state, bill)
        assert not isinstance(entry, Missing)
        run.keep(state, entry)
        entries.append(entry)
    assert [run.price(state, entry) for entry in entries] == paid(run, bills)


def test_a_late_bill_of_the_last_term_meets_that_terms_room():
    run = run_of(VERSIONS["benefits_of_two_terms"])
    bills = [
        a_visit_or_stay(1, date(2025, 12, 20), 3, 600_000, 0),
        a_visit_or_stay(2, date(2026, 1, 5), 2, 600_000, 0),
        a_visit_or_stay(3, date(2025, 12, 28), 2, 600_000, 0),
    ]
    assert [aid[0] for aid in paid(run, bills) if isinstance(aid, tuple)] == [300_000, 300_000, 0]


def test_the_part_of_a_stay_without_cover_on_its_own_date_is_paid_nothing_in_both_runs():
    bill = a_visit_or_stay(1, date(2026, 1, 10), 19, 200_000, 0)
    covers = ((date(2025, 1, 1), date(2025, 12, 31)),)
    left = [replace(bill, facts=replace(bill.facts, covers=covers, cover_last_day=covers[0][1]))]
    version = VERSIONS["parts_of_one_settlement"]
    assert paid(run_of(version), left) == paid(RecordsRun(compile_version(version)), left) == [(43_190,)]


def test_a_bill_whose_fact_is_missing_is_held_and_takes_nothing():
    bill = a_visit_or_stay(1, date(2025, 5, 1), 3, 600_000, 0)
    unknown = replace(bill, facts=replace(bill.facts, insurance_type=None))
    run = run_of(VERSIONS["benefits_of_two_terms"])
    first, second, third = paid(run, [bill, unknown, bill])
    assert second == Missing("insurance_type")
    assert (first, third) == tuple(paid(run, [bill, bill]))


@pytest.mark.parametrize("file", PUBLISHED, ids=[file.stem for file in PUBLISHED])
@settings(max_examples=15, deadline=None)
@given(bills=members())
def test_both_runs_agree_on_every_published_plan(file: Path, bills: list[SimulatedBill]):
    version = read_plan(file).versions[-1]
    bills = fitted(version, bills)
    results = paid(run_of(version), bills)
    assert results == paid(RecordsRun(compile_version(version)), bills)
    assert not any(isinstance(result, Missing) for result in results)
