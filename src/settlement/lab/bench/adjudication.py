"""How long the plan takes for one bill, in this process: adjudication, and its explanation in sentences."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from random import Random
from statistics import median

from settlement.domain.benefits import PlanFacts, UsedRoom
from settlement.domain.bills import BillFigures, Care, InsurerBill
from settlement.domain.money import Money
from settlement.gateway.mapping import read_settlement
from settlement.gateway.messages import decode
from settlement.gateway.profile import load_profile
from settlement.lab.bench.bills import HOSPITALS, YEAR, Person, a_stay, as_body
from settlement.lab.bench.outcome import BenchFailed
from settlement.lab.demo.stage import plan_file
from settlement.plans.compile import CompiledPlan, compile_version
from settlement.plans.explain import explain
from settlement.plans.model import read_plan

_BILLS = 200
_REPEATS = 15


@dataclass(frozen=True, slots=True)
class Microseconds:
    """Microseconds per bill, the median of several repetitions."""

    adjudicate: float
    explain: float


def time_adjudication(seed: int) -> Microseconds:
    """Time the demo's plan on made-up stays of members with some used room."""
    figures, day = _figures(seed), date(YEAR, 3, 10)
    version = read_plan(plan_file()).version_on(day)
    if version is None:
        raise BenchFailed("the plan has no version in force on the stays' days")
    plan = compile_version(version)
    facts = PlanFacts(Care.INPATIENT, day, day, day, 3, "310", "active", setting="inpatient")
    used = {code: UsedRoom(Money(250_000), Money(300_000), Money(95_000), 0, 3) for code in plan.terms(day)}
    benefits = [plan.adjudicate(one, facts, used) for one in figures]
    return Microseconds(
        _each(lambda: _adjudicate_all(plan, figures, facts, used)),
        _each(lambda: [explain(priced, plan.limits) for priced in benefits]),
    )


def _adjudicate_all(
    plan: CompiledPlan, figures: list[BillFigures], facts: PlanFacts, used: dict[str, UsedRoom]
) -> None:
    for one in figures:
        plan.adjudicate(one, facts, used)


def _each(work: Callable[[], object]) -> float:
    times = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return median(times) / _BILLS * 1e6


def _figures(seed: int) -> list[BillFigures]:
    profile, chance = load_profile("simulator"), Random(seed)
    stays = [a_stay(chance, Person(number), HOSPITALS[0][0], str(number)) for number in range(_BILLS)]
    read = [read_settlement(decode(as_body(stay))["output"], profile) for stay in stays]
    figures = [bill.figures for bill in read if isinstance(bill, InsurerBill)]
    if len(figures) != _BILLS:
        raise BenchFailed("a made-up stay does not close")
    return figures
