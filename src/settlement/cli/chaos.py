"""`settlement chaos`: whole histories of the service under seeded faults, judged by an independent model."""

from __future__ import annotations

import json
import signal
import sys
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from settlement.cli.shell import told_plainly
from settlement.cli.telling import Json, console
from settlement.lab.chaos.history import Played
from settlement.lab.chaos.run import Report, run_histories

app = typer.Typer(add_completion=False)


@app.command()
def chaos(
    seed: Annotated[int, typer.Option(help="Decides everything that happens.")] = 1,
    histories: Annotated[int, typer.Option(min=1, help="How many histories, numbered from --first.")] = 200,
    first: Annotated[int, typer.Option(min=0, help="The number of the first history.")] = 0,
    only: Annotated[int | None, typer.Option(min=0, help="Play the history of this number alone.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes at once; one per core unless given.")] = None,
    as_json: Json = False,
) -> None:
    """Play seeded histories on databases of their own, with crashes, lost answers and races; nothing of yours is used.

    Ends with 1 when something was violated, or when a kind of fault or a crash point was never hit (`--only` and
    runs of fewer than 200 histories do not claim to hit all).
    """
    # Told to stop, it stops its server and its processes, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    numbers = [only] if only is not None else list(range(first, first + histories))
    with told_plainly(), Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("histories", total=len(numbers))
        report = run_histories(seed, numbers, lambda done, _of: progress.update(task, completed=done), jobs)
    if as_json:
        print(json.dumps(report.to_json(), ensure_ascii=False))
    else:
        _tell(report)
    incomplete = bool(report.not_hit) and len(numbers) >= 200
    raise typer.Exit(1 if report.violations or incomplete else 0)


def _tell(report: Report) -> None:
    table = Table(box=None, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    told = report.to_json()
    for name in ("histories", "steps", "commits", "violations", "seconds"):
        table.add_row(name, f"{told[name]:,}")
    for name in ("actions", "faults", "crash_points"):
        table.add_section()
        for kind, count in told[name].items():
            table.add_row(f"{name.replace('_', ' ')}: {kind}", f"{count:,}")
    console.print(table)
    if report.not_hit:
        console.print(f"Never hit: {', '.join(report.not_hit)}")
    for name, violation in report.violations:
        console.print(f"[bold]{name}[/bold] {violation}")
    for played in report.failed:
        _tell_failing(report.seed, played)


def _tell_failing(seed: int, played: Played) -> None:
    """Print a failing history, made small, and how it is played again."""
    number = played.history.number
    console.print(f"\nHistory {played.history.name}, again: settlement chaos --seed {seed} --only {number}")
    for part in (*played.history.actions, *played.history.faults):
        console.print(f"  {part}")
    console.print(f"  trace {played.trace_hash}")
    for line in (*played.trace[-40:], *played.violations):
        console.print(f"    {line}", markup=False)
