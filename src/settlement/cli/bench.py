"""`settlement bench`: what one settlement costs, beside `pgbench` on the same statements."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.table import Table

from settlement.cli.shell import told_plainly
from settlement.cli.telling import Json, console, fail
from settlement.config import read_settings
from settlement.lab.bench.outcome import BenchFailed, Figures
from settlement.lab.bench.run import Request, run_bench

_LABELS = {
    "settle_per_second": "settlements per second",
    "pgbench_per_second": "pgbench -M prepared, the same statements, per second",
    "settle_vs_pgbench": "ours / pgbench",
    "p50_ms": "median latency, ms",
    "p99_ms": "99th percentile, ms",
    "one_client_ms": "median latency of one client alone, ms",
    "api_cpu_ms": "CPU of the API per settlement, ms",
    "database_cpu_ms": "CPU of PostgreSQL per settlement, ms",
    "driver_cpu_ms": "CPU of the driver per settlement, ms (it shares the machine)",
    "wal_bytes": "WAL per settlement, bytes",
    "round_trips": "round trips per settlement",
    "commits": "commits per settlement",
    "adjudicate_us": "adjudicate one bill, microseconds",
    "explain_us": "explain one bill, microseconds",
    "simulate_bills_per_second": "bills per second in simulation, one core, prepared in memory",
    "simulate_file_bills_per_second": "bills per second in simulation, one core, from a CSV file to the result",
    "settlements": "settlements timed",
    "pgbench_transactions": "pgbench transactions timed",
    "clients": "concurrent clients",
    "members": "members",
    "seconds": "seconds timed on each side",
}


app = typer.Typer(add_completion=False)


@app.command()
def bench(
    seconds: Annotated[int, typer.Option(min=1, help="Timed seconds on each side, in alternating slices.")] = 20,
    clients: Annotated[int, typer.Option(min=1, max=512, help="Concurrent clients on each side.")] = 16,
    members: Annotated[int, typer.Option(min=1, help="Members whose bills are brought.")] = 2000,
    seed: Annotated[int, typer.Option(help="Decides the bills.")] = 7,
    as_json: Json = False,
) -> None:
    """Measure settlements through the API side by side with pgbench, on a database that is dropped at the end."""
    with told_plainly():
        settings = read_settings()
        if settings.database_url is not None:
            fail("The benchmark makes and drops a database on the embedded server: unset DATABASE_URL and repeat.")
        if members < clients:
            fail(f"Each client settles for members of its own: give at least {clients} members.")
        try:
            with console.status("Starting …") as status:
                request = Request(seconds, clients, members, seed)
                figures = run_bench(
                    settings.settlement_data_dir, request, lambda what: status.update(f"Benchmark: {what} …")
                )
        except BenchFailed as failed:
            fail(f"The benchmark was stopped: {failed}.")
    if as_json:
        print(json.dumps(figures.to_json()))
    else:
        console.print(_table(figures))


def _table(figures: Figures) -> Table:
    shown = figures.to_json()
    table = Table(box=None, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, label in _LABELS.items():
        table.add_row(label, f"{shown[name]:,}")
    return table
