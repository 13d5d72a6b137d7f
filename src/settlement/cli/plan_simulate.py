"""`settlement plan simulate`: what a draft would cost, who gains and who loses, and how long the fund lasts."""

from __future__ import annotations

import asyncio
import calendar
import csv
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from settlement.cli.telling import Json, console, fail, tell
from settlement.domain.money import Money, NotMoney
from settlement.plans.findings import PlanRefused
from settlement.plans.model import Plan, PlanVersion, read_plan
from settlement.plans.simulation.balance import Balance, Fund, run_down
from settlement.plans.simulation.columns import BadHeader
from settlement.plans.simulation.grouping import Period
from settlement.plans.simulation.page import page
from settlement.plans.simulation.report import PlanName, Report
from settlement.plans.simulation.simulate import Plans
from settlement.plans.values import read_rate
from settlement.services.simulation.bill_file import BillsUnreadable
from settlement.services.simulation.run_simulation import Request, Simulated, Told, all_cores, simulate_file


def add_to(app: typer.Typer) -> None:
    """Add the commands to the plan workshop."""
    app.command("simulate")(simulate)
    app.command("sample-bills")(sample_bills)


def simulate(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The draft: a plan file (YAML).")],
    bills: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A file of bills: CSV or Parquet.")
    ] = None,
    fund_code: Annotated[str | None, typer.Option("--fund", help="Instead: the settlements of a fund.")] = None,
    first_day: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of settlement.")
    ] = None,
    last_day: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day of settlement.")
    ] = None,
    history_from: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="With --fund: settlements from here on use room before --from."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Compare with another plan file instead of what was paid."),
    ] = None,
    version: Annotated[str | None, typer.Option(help="Version of the draft; its newest by default.")] = None,
    against_version: Annotated[str | None, typer.Option(help="Version of the other plan.")] = None,
    opening_balance: Annotated[str | None, typer.Option(help="What the fund has on the first day, in yuan.")] = None,
    dues: Annotated[
        str | None, typer.Option(help="Yuan per membership and month, or a CSV file of `month,income`.")
    ] = None,
    members: Annotated[int | None, typer.Option(min=1, help="Memberships; else those who have a bill.")] = None,
    take_up: Annotated[str | None, typer.Option(help="Payments per 100 memberships today, e.g. 2.7.")] = None,
    years: Annotated[int, typer.Option(min=1, max=50, help="For how many years the bills are repeated.")] = 1,
    growth: Annotated[str, typer.Option(help="By how much costs grow from year to year, e.g. 5%.")] = "0%",
    processes: Annotated[int | None, typer.Option(min=1, help="Processes; as many as cores by default.")] = None,
    html: Annotated[Path | None, typer.Option(dir_okay=False, help="Write charts and tables to one HTML file.")] = None,
    spark: Annotated[
        str | None, typer.Option(help="Run on Spark, at this master (e.g. local[2]); needs settlement[spark].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Simulate a draft on a file of bills, or on a fund's own settlements, over all cores."""
    if (bills is None) == (fund_code is None):
        fail("Give either --bills FILE or --fund CODE.")
    if fund_code is not None and (first_day is None or last_day is None):
        fail("With --fund, give --from and --to: the days of settlement.")
    draft, draft_name = _version(file, version)
    other, other_name = (None, None) if against is None else _version(against, against_version)
    period = Period(first_day.date() if first_day else date.min, last_day.date() if last_day else date.max)
    plans = Plans(draft.canonical(), other.canonical() if other else None)
    request = Request(plans, period, processes or all_cores())
    fund = _fund(opening_balance, dues, members, years, growth)
    percent = _decimal(take_up)

    began = time.perf_counter()
    if bills is not None and spark is not None:
        simulated = _on_spark(bills, request, spark)
    elif bills is not None:
        simulated = _from_file(bills, request, as_json)
    else:
        since = history_from.date() if history_from else period.first_day
        simulated = _from_fund(fund_code or "", since, request, as_json)
    seconds = time.perf_counter() - began

    days = simulated.tally.days
    shown = _whole_months(period, days)
    memberships = members or simulated.tally.whole.members
    report = Report(
        draft=draft_name,
        against=other_name,
        has_before=simulated.has_before,
        source=bills.name if bills else f"{fund_code}",
        first_day=shown.first_day,
        last_day=shown.last_day,
        tally=simulated.tally,
        balance=fund(memberships, days, shown) if fund and days else None,
        memberships=memberships,
        take_up=percent,
        not_read=simulated.not_read,
        processes=request.processes,
        seconds=seconds,
    )
    _tell(report, html, as_json)


def _tell(report: Report, html: Path | None, as_json: bool) -> None:
    """Write the page, if one is wanted, and print the tables or one JSON object."""
    if html is not None:
        html.write_text(page(report), encoding="utf-8")
    if as_json:
        print(json.dumps(report.to_json(), ensure_ascii=False))
    else:
        from settlement.cli.plan_simulation_tables import show

        show(report, console)
        if html is not None:
            print(f"Charts: {html}")


def sample_bills(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="The CSV file to write.")],
    members: Annotated[int, typer.Option(min=1)] = 1000,
    seed: Annotated[int, typer.Option(help="Decides the bills.")] = 7,
    year: Annotated[int, typer.Option(min=2000, max=2100)] = 2025,
    plan_path: Annotated[
        Path | None,
        typer.Option("--plan", exists=True, dir_okay=False, help="Say as `paid` what it paid those who claimed."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a made-up year of bills, to try a simulation on."""
    from settlement.lab.bench.year import write_year

    count = write_year(file, seed, members, year, _version(plan_path, None)[0] if plan_path else None)
    tell(as_json, {"bills": count, "file": str(file)}, f"Wrote {count:,} bills to {file}.")


def _from_file(bills: Path, request: Request, as_json: bool) -> Simulated:
    try:
        with _progress(as_json) as told:
            return simulate_file(bills, request, told)
    except BillsUnreadable as unreadable:
        fail(f"{unreadable}.")


def _on_spark(bills: Path, request: Request, master: str) -> Simulated:
    # Imported here: nothing else needs it.
    from settlement.plans.simulation.spark import simulate_on_spark

    try:
        tally, columns = simulate_on_spark(bills, request.plans, request.period, master)
    except ModuleNotFoundError as missing:
        fail(f"Spark needs its extra ({missing.name} is missing): install settlement[spark], and Java 17.")
    except BadHeader as bad:
        fail(f"{bills}: {bad}; docs/simulation.md lists the columns.")
    return Simulated(tally, columns.has_paid or request.plans.against is not None, columns.not_read)


def _from_fund(code: str, history_from: date, request: Request, as_json: bool) -> Simulated:
    # Imported here: it alone among the ways of this command opens a database.
    from settlement.app import open_ops
    from settlement.cli.shell import installation, told_plainly
    from settlement.db.registry import list_funds
    from settlement.services.simulation.recorded_bills import simulate_recorded

    async def simulated() -> Simulated:
        async with open_ops(opened) as ops:
            async with ops.connect() as connection:
                found = {fund.code: fund for fund in await list_funds(connection)}
            if code not in found:
                fail(f"There is no fund {code!r}; `settlement fund list` shows the funds.")
            with _progress(as_json) as told:
                return await simulate_recorded(ops, found[code].fund_id, history_from, request, told)

    with told_plainly():
        opened = installation(settlement_log_level="warning")
        return asyncio.run(simulated())


@contextmanager
def _progress(as_json: bool) -> Iterator[Told]:
    """Show how far the simulation is, on a terminal; nothing on a pipe."""
    shown = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    hidden = as_json or not shown.is_terminal
    with Progress(*columns, TimeRemainingColumn(), console=shown, transient=True, disable=hidden) as progress:
        tasks: dict[str, TaskID] = {}

        def told(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what.capitalize(), total=max(of, 1))
            progress.update(tasks[what], completed=done, total=max(of, 1))

        yield told


def _version(file: Path, name: str | None) -> tuple[PlanVersion, PlanName]:
    """Read a plan file's version; a file with errors is refused with what `plan check` says."""
    from settlement.plans.checks.run import refuse_unsound

    try:
        plan = read_plan(file)
        version = _named(plan, file, name)
        refuse_unsound(version)
    except PlanRefused as refused:
        fail(str(refused))
    names = plan.header.names
    return version, PlanName(version.plan_code, version.version, version.digest, names.zh, names.en)


def _named(plan: Plan, file: Path, name: str | None) -> PlanVersion:
    found = {version.version: version for version in plan.versions}
    if name is not None and name not in found:
        fail(f"{file} has no version {name!r}, but {', '.join(found)}.")
    return plan.versions[-1] if name is None else found[name]


_Balances = Callable[[int, dict[date, tuple[int, int]], Period], Balance]


def _fund(opening: str | None, dues: str | None, members: int | None, years: int, growth: str) -> _Balances | None:
    """Return what follows the fund, once memberships and days are known; without an opening balance nothing does."""
    if opening is None:
        if dues is not None:
            fail("Dues need --opening-balance: what the fund has on the first day.")
        return None
    try:
        opening_fen = int(Money.from_yuan(opening))
        rate = Fraction(0) if growth.strip() in {"0", "0%"} else read_rate(growth)
        incomes = _incomes(Path(dues)) if dues is not None and Path(dues).is_file() else None
        each = int(Money.from_yuan(dues)) if dues is not None and incomes is None else 0
    except (NotMoney, ValueError) as refused:
        fail(f"{refused}. Give amounts as 1234.56, growth as 5%, dues as an amount or a file of month,income.")
    if each and members is None:
        fail("Dues per membership need --members: not everybody who pays has a bill.")
    monthly = each * (members or 0)

    def balances(_: int, days: dict[date, tuple[int, int]], period: Period) -> Balance:
        fund = Fund(opening_fen, monthly, incomes or {}, years, rate)
        return run_down(fund, days, period.first_day, period.last_day)

    return balances


def _incomes(file: Path) -> dict[date, int]:
    """Read `month,income` lines, as `2025-01,120000.00`."""
    incomes = {}
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for number, row in enumerate(csv.reader(lines), 1):
            if not row or (number == 1 and row[0].strip() in {"month", "月份"}):
                continue
            if len(row) != 2:
                raise ValueError(f"{file}, line {number}: it is not month,income")
            incomes[date.fromisoformat(f"{row[0].strip()}-01")] = int(Money.from_yuan(row[1]))
    return incomes


def _decimal(text: str | None) -> Decimal | None:
    try:
        value = Decimal(text.removesuffix("%")) if text is not None else None
    except InvalidOperation:
        value = Decimal(0)
    if value is not None and not 0 < value < 10_000:
        fail(f"--take-up {text!r} is not a number of payments per 100 memberships, as 2.7.")
    return value


def _whole_months(period: Period, days: dict[date, tuple[int, int]]) -> Period:
    """Return the days that are shown: as asked for, or else the whole months in which there are bills."""
    first = period.first_day if period.first_day > date.min else min(days, default=date.min).replace(day=1)
    last = period.last_day
    if last == date.max:
        last = max(days, default=first)
        last = last.replace(day=calendar.monthrange(last.year, last.month)[1])
    return Period(first, last)
