"""`settlement reconcile day|breaks`: compare a business date with the bureau's and hospitals' lists."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn

from settlement.cli.shell import FundCode, with_fund
from settlement.cli.telling import BROKEN, Json, tell, tell_rows
from settlement.db.engine import fund_transaction
from settlement.db.reconciliation import BreakSearch, ListImport, count_breaks, list_breaks
from settlement.db.registry import Fund
from settlement.domain.ids import ClientId
from settlement.domain.reconciliation import BreakStatus, Source
from settlement.services.bills.commands import Caller
from settlement.services.reconciliation.act_on_break import settle_missing
from settlement.services.reconciliation.import_list import ListFile, Told, import_list
from settlement.services.reconciliation.run_day import DayRun, run_day
from settlement.services.resources import Resources

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Reconciliation with the bureau and hospitals.")
MOST_SHOWN = 1000

Day = Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="Business date.")]


@dataclass(frozen=True, slots=True)
class _Done:
    imports: tuple[ListImport, ...]
    ran: DayRun
    settled: int
    not_settled: int
    open_count: int


@app.command("day")
def reconcile_day(
    fund_code: FundCode,
    day: Day,
    bureau: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The bureau's list: JSON lines or CSV.")
    ] = None,
    hospital: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="A hospital's list: CSV or XLSX.")
    ] = None,
    hospital_code: Annotated[
        list[str] | None, typer.Option(help="A hospital that the list is whole for; needed where the list is empty.")
    ] = None,
    settle: Annotated[
        bool, typer.Option("--settle-missing", help="Settle what we lack from the bureau's figures, aid to the card.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Import the day's lists and compare them with our records; the exit code is 1 while breaks of the day are open."""
    codes = tuple(hospital_code or ())
    files = [ListFile(Source.BUREAU, day.date(), bureau)] if bureau else []
    files += [ListFile(Source.HOSPITAL, day.date(), path, codes) for path in hospital or ()]

    async def use(resources: Resources, fund: Fund) -> _Done:
        caller = Caller(ClientId(f"{fund.fund_id}.reconcile"), fund.fund_id, frozenset())
        with _progress(as_json) as told:
            imports = [await import_list(resources, caller, file, told) for file in files]
        ran = await run_day(resources, caller, day.date())
        settled, left = (0, 0)
        if settle:
            settled, left = await settle_missing(resources, caller, BreakSearch(business_date=day.date()))
        async with fund_transaction(resources.engine, fund.fund_id) as connection:
            search = BreakSearch(business_date=day.date(), status=BreakStatus.OPEN)
            open_count = await count_breaks(connection, fund.fund_id, search)
        return _Done(tuple(imports), ran, settled, left, open_count)

    done = with_fund(fund_code, use)
    tell(as_json, _to_json(done), _in_words(done))
    if done.open_count:
        raise typer.Exit(BROKEN)


@app.command("breaks")
def show_breaks(
    fund_code: FundCode,
    day: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Business date.")] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="Resolved ones, too.")] = False,
    as_json: Json = False,
) -> None:
    """Show open breaks, the oldest first (at most a thousand; the API pages)."""
    status = None if all_of_them else BreakStatus.OPEN
    search = BreakSearch(business_date=day.date() if day else None, status=status)

    async def use(resources: Resources, fund: Fund) -> list[dict[str, Any]]:
        async with fund_transaction(resources.engine, fund.fund_id) as connection:
            found = await list_breaks(connection, fund.fund_id, search, None, MOST_SHOWN)
        return [
            {
                "break": str(each.break_id),
                "day": each.business_date.isoformat(),
                "source": each.source.value,
                "kind": each.kind.value,
                "settlement": f"{each.area} {each.insurer_settlement_id}",
                "owner": each.owner or "",
                "status": each.resolution.value if each.resolution else each.status.value,
            }
            for each in found
        ]

    tell_rows(as_json, "breaks", with_fund(fund_code, use))


def _to_json(done: _Done) -> dict[str, Any]:
    compared = done.ran.compared
    return {
        "day": done.ran.day.isoformat(),
        "imports": [
            {
                "source": each.source.value,
                "lines": each.line_count,
                "refused_count": each.refused_count,
                "refused": [dict(line) for line in each.refused],
            }
            for each in done.imports
        ],
        "recorded": compared.recorded_count,
        "bureau": compared.bureau_count,
        "hospital": compared.hospital_count,
        "found": {source: dict(kinds) for source, kinds in compared.found.items()},
        "opened": compared.opened_count,
        "resolved": compared.resolved_count,
        "confirmed": done.ran.confirmed_count,
        "settled": done.settled,
        "not_settled": done.not_settled,
        "neighbours": [neighbour.isoformat() for neighbour in done.ran.neighbours],
        "open": done.open_count,
    }


def _in_words(done: _Done) -> str:
    compared = done.ran.compared
    kinds = [f"{source} {kind}: {times}" for source, of in compared.found.items() for kind, times in of.items()]
    refused = [
        f"line {line['line']}: {line['field']} {line['problem']}" for each in done.imports for line in each.refused
    ]
    return "\n".join(
        [
            f"{done.ran.day}: {compared.recorded_count:,} bills here, {compared.bureau_count:,} lines of the bureau, "
            f"{compared.hospital_count:,} of hospitals.",
            *([f"Not readable, so that nothing counts as absent there: {'; '.join(refused)}."] if refused else []),
            f"Breaks: {', '.join(kinds) if kinds else 'none'}. Opened {compared.opened_count:,}, closed "
            f"{compared.resolved_count:,}; confirmed {done.ran.confirmed_count:,} bills, settled {done.settled:,}.",
            f"Open of this day: {done.open_count:,}.",
        ]
    )


@contextmanager
def _progress(as_json: bool) -> Iterator[Told]:
    """Show how many lines were read, on a terminal; nothing on a pipe."""
    shown = Console(stderr=True)
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed:,.0f} lines"))
    with Progress(*columns, console=shown, transient=True, disable=as_json or not shown.is_terminal) as progress:
        task = progress.add_task("Reading", total=None)
        yield lambda lines: progress.update(task, completed=lines)
