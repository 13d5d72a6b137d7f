"""How long the plan takes in this process: for one bill with its explanation, and for years of bills in simulation."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from settlement.domain.benefits import PlanFacts, UsedRoom
from settlement.domain.bills import BillFigures, Care, InsurerBill
from settlement.domain.money import Money
from settlement.gateway.mapping import read_settlement
from settlement.gateway.messages import decode
from settlement.gateway.profile import load_profile
from settlement.lab.bench.bills import HOSPITALS, YEAR, Person, a_stay, as_body
from settlement.lab.bench.outcome import BenchFailed
from settlement.lab.bench.year import simulated_members, write_year
from settlement.lab.demo.stage import plan_file
from settlement.plans.compile import CompiledPlan, compile_version
from settlement.plans.explain import explain
from settlement.plans.model import PlanVersion, read_plan
from settlement.plans.simulation.bills import SimulatedBill
from settlement.plans.simulation.grouping import Period
from settlement.plans.simulation.run import Missing, Run, run_of
from settlement.plans.simulation.simulate import Plans
from settlement.services.simulation.run_simulation import Request, simulate_file

_BILLS = 200
_REPEATS = 15
_SIMULATED_MEMBERS = 4_000


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


@dataclass(frozen=True, slots=True)
class BillsPerSecond:
    """Bills that one core simulates in a second of its own time, so that neighbours on the machine do not count."""

    prepared: float
    """Timed is the compiled function with the ledgers of each member's terms, the median of several repetitions.
    Reading, placing and turning bills into inputs were done before."""
    from_file: float
    """All of it: reading CSV, setting members aside, placing, pricing, adding up."""


def time_simulation(seed: int) -> BillsPerSecond:
    """Time a made-up year of members with several bills each, under the newest version of the demo's plan."""
    version = read_plan(plan_file()).versions[-1]
    run = run_of(version)
    members = [_prepared(run, bills) for bills in simulated_members(seed, _SIMULATED_MEMBERS, YEAR, version)]
    count = sum(map(len, members))
    times = []
    for _ in range(_REPEATS):
        began = time.process_time()
        for entries in members:
            state = run.begin()
            for entry in entries:
                run.price(state, entry)
        times.append(time.process_time() - began)
    return BillsPerSecond(count / median(times), _from_file(version, seed))


def _prepared(run: Run, bills: Sequence[SimulatedBill]) -> list[Any]:
    """Return a member's entries; one that the plan cannot compute would be another benchmark."""
    state, entries = run.begin(), []
    for bill in bills:
        entry = run.prepare(state, bill)
        if isinstance(entry, Missing):
            raise BenchFailed(f"the plan asks for {entry.fact}, which the made-up bills do not have")
        run.keep(state, entry)
        entries.append(entry)
    return entries


def _from_file(version: PlanVersion, seed: int) -> float:
    with tempfile.TemporaryDirectory(prefix="settlement-bench-") as folder:
        file = Path(folder) / "bills.csv"
        count = write_year(file, seed, _SIMULATED_MEMBERS, YEAR, version)
        request = Request(Plans(version.canonical()), Period(), 1)
        began = time.process_time()
        simulated = simulate_file(file, request, lambda what, done, of: None)
        took = time.process_time() - began
    if simulated.tally.whole.bills != count:
        raise BenchFailed("the simulation did not count every bill")
    return count / took


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
