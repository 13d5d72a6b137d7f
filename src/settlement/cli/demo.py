"""`settlement demo`: everything on one machine, to look at or, with `--once`, to check."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import Annotated, Any

import typer

from settlement.cli.shell import told_plainly
from settlement.cli.telling import BROKEN, Json, console, fail
from settlement.config import Settings, read_settings
from settlement.lab.demo.live import run_live
from settlement.lab.demo.once import run_once
from settlement.lab.demo.parts import PartFailed

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Settle a fixed day, check, and exit.")] = False,
    bills: Annotated[int, typer.Option(min=1, help="How many bills the fixed day has.")] = 2000,
    seed: Annotated[int, typer.Option(help="Decides the city and its day.")] = 7,
    port: Annotated[int, typer.Option(help="Port of the API; another one if somebody has it.")] = 8000,
    as_json: Json = False,
) -> None:
    """Run everything on one machine: database, simulated insurer, API, worker, a city whose hospitals bring bills."""
    with told_plainly():
        settings = read_settings()
        try:
            if once:
                _once(settings, seed, bills, as_json)
            else:
                asyncio.run(_until_stopped(settings, seed, port))
        except PartFailed as failed:
            fail(f"The demo could not start: {failed}.")


def _once(settings: Settings, seed: int, bills: int, as_json: bool) -> None:
    with console.status(f"Settling {bills:,} bills …"):
        summary = asyncio.run(run_once(settings.settlement_data_dir, seed, bills))
    if as_json:
        print(json.dumps(summary, ensure_ascii=False))
    else:
        for name, value in summary.items():
            console.print(f"  {name:<22}{_shown(value):>16}", highlight=False)
    if summary["invariants_broken"] or summary["unaccounted"]:
        raise typer.Exit(BROKEN)


async def _until_stopped(settings: Settings, seed: int, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for told in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(told, stop.set)
    await run_live(settings.settlement_data_dir, seed, port, console, stop)


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
