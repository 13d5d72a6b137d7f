"""What people are shown, as text: what the check says, the boundary table, explanations, the workbook, the page.

    WRITE_SHOWN=1 pytest tests/plans/test_shown.py

writes it anew into `tests/plans/shown/`, to be read in the difference before it is committed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from plan_builders import LIBRARY
from shown_made import SHOWN_MADE
from shown_sheets import SHOWN_SHEETS
from shown_simulation import SHOWN_SIMULATION
from shown_texts import SHOWN_TEXTS
from simulation_builders import a_visit_or_stay
from wrong_plans import SOUND, WRONG, WRONG_FORM

from settlement.plans.boundaries import boundaries
from settlement.plans.cases import price_in_order
from settlement.plans.checks.run import check_plan
from settlement.plans.explain import explain
from settlement.plans.findings import PlanRefused
from settlement.plans.model import load_plan, read_plan
from settlement.plans.simulation.balance import Fund, run_down
from settlement.plans.simulation.page import page
from settlement.plans.simulation.report import PlanName, Report
from settlement.plans.simulation.simulate import Plans, simulate
from settlement.plans.simulation.tally import Tally

HERE = Path(__file__).parent
EXPLAINED = ("hangzhou", "avic", "quanzhou", "shanghai", "weihai", "yulin-progressive")


def findings() -> Iterator[str]:
    """Yield what the check says of each wrong plan, in both languages."""
    for id_, wrong in {**WRONG, **WRONG_FORM}.items():
        try:
            said = check_plan(load_plan(wrong.text, "plan.yaml"))
        except PlanRefused as refused:
            said = list(refused.findings)
        yield f"## {id_}"
        yield from (
            f"{each.id} {each.severity.value} {each.file}:{each.line} [{each.clause}]\n{each.zh}\n{each.en}"
            for each in said
        )


def tables() -> Iterator[str]:
    """Yield the boundary cases of plans of every kind."""
    for path in sorted(LIBRARY.glob("*.yaml")):
        yield f"## {path.stem}"
        yield from (str(boundary) for boundary in boundaries(read_plan(path)))
    yield "## sound"
    yield from (str(boundary) for boundary in boundaries(load_plan(SOUND, "plan.yaml")))


def explanations() -> Iterator[str]:
    """Yield what a member reads of each worked case of some plans, in both languages."""
    for name in EXPLAINED:
        plan = read_plan(LIBRARY / f"{name}.yaml")
        for case in plan.file.cases:
            yield f"## {name}: {case.name}"
            for priced in price_in_order(plan, case.bills):
                if isinstance(priced, str):
                    yield priced
                    continue
                for told in explain(priced.benefits, priced.compiled.limits, priced.next_yuan()):
                    yield from (f"{said.zh} | {said.en}" for said in told.sentences)


def simulated() -> Report:
    """Return the report of a small year with gains, losses, held bills, bad rows, large and small units."""
    plans = Plans(read_plan(LIBRARY / "hangzhou.yaml").versions[0].canonical())
    members = [
        [
            replace(
                a_visit_or_stay(number, date(2025, 1 + number % 12, 5), number % 3 + 1, 90_000 * number, number % 2),
                unit="大单位" if number < 50 else "小单位",
                paid={"paid": 150_000 * (number % 7)},
            )
        ]
        for number in range(80)
    ]
    members.append([replace(members[3][0], facts=replace(members[3][0].facts, hospital_level=None))])
    tally = simulate(plans, members)
    tally.refuse(7, "no date")
    return a_report(tally)


def a_report(tally: Tally, **changes: Any) -> Report:
    """Return a report of a tally over 2025."""
    report = Report(
        draft=PlanName("p", "1", "f" * 64, "方案<甲>", "Plan A"),
        against=None,
        has_before=True,
        source="bills.csv",
        first_day=date(2025, 1, 1),
        last_day=date(2025, 12, 31),
        tally=tally,
        balance=run_down(Fund(3_000_000, 40_000), tally.days, date(2025, 1, 1), date(2025, 12, 31)),
        memberships=200,
        take_up=Decimal("2.7"),
        not_read=("x",),
        processes=1,
        seconds=2.625,
    )
    return replace(report, **changes)


def drawn() -> Iterator[str]:
    """Yield the page of a small year, one that compares two plans, and one of nothing."""
    report = simulated()
    yield page(report)
    yield page(replace(report, against=PlanName("q", "2", "e" * 64, "方案乙", "Plan B")))
    yield page(replace(report, has_before=False, balance=None, take_up=None))
    yield page(a_report(Tally(), balance=None))
    rich = run_down(Fund(9_000_000_000), report.tally.days, report.first_day, report.last_day)
    yield page(replace(report, balance=rich))


def reported() -> Iterator[str]:
    """Yield the same as JSON objects."""
    report = simulated()
    for each in (
        report,
        replace(report, against=PlanName("q", "2", "e" * 64, "方案乙", "Plan B"), seconds=0),
        replace(report, has_before=False, balance=None, take_up=None),
        a_report(Tally(), memberships=0),
    ):
        yield json.dumps(each.to_json(), ensure_ascii=False, indent=1)


SHOWN: dict[str, Callable[[], Iterator[str]]] = {
    "findings.txt": findings,
    "boundaries.txt": tables,
    "explanations.txt": explanations,
    "simulation.html": drawn,
    "simulation.json": reported,
    **SHOWN_SHEETS,
    **SHOWN_SIMULATION,
    **SHOWN_TEXTS,
    **SHOWN_MADE,
}


def text_of(name: str) -> str:
    """Return what is shown now, under the name of the file that keeps it."""
    return "\n".join(SHOWN[name]()) + "\n"
