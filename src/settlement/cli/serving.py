"""`settlement serve|worker|simulator`: the long-running parts, each alone."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated, Literal, cast

import typer
import uvicorn

from settlement.app import build_api, open_ops, utc_now
from settlement.cli.shell import installation, told_plainly
from settlement.lab.insurer.options import InsurerOptions
from settlement.lab.insurer.server import run as run_simulator
from settlement.worker.loop import work


def add_to(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command()(serve)
    app.command()(worker)
    app.command()(simulator)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (else SETTLEMENT_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (else SETTLEMENT_PORT).")] = None,
) -> None:
    """Serve the API. Settlements in flight finish before it stops."""
    with told_plainly():
        opened = installation()
    settings = opened.settings
    # uvicorn raises the signal anew once it has stopped; by default that ends the process before it can leave the
    # embedded server in an orderly way.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        build_api(opened),
        host=host or settings.settlement_host,
        port=settings.settlement_port if port is None else port,
        access_log=False,
        log_level=settings.settlement_log_level,
        server_header=False,
        timeout_graceful_shutdown=30,
    )


def worker() -> None:
    """Do the background work: number events for those who pull them, drop expired messages."""

    async def until_told() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for told in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(told, stop.set)
        async with open_ops(opened) as ops:
            await work(ops, utc_now, stop)

    with told_plainly():
        opened = installation()
        asyncio.run(until_told())


def simulator(
    folder: Annotated[Path, typer.Option(help="Where it keeps its state, its raw log and the bureau's files.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 lets the system choose.")] = 8900,
    seed: Annotated[int, typer.Option(help="Decides the city: persons, hospitals, figures.")] = 1,
    persons: Annotated[int, typer.Option(help="How many people live there.")] = 6000,
    clock: Annotated[str, typer.Option(help="system, or message: its now is the message's inf_time.")] = "system",
    area: Annotated[str, typer.Option(help="Area code of the city.")] = "371600",
    auth: Annotated[str, typer.Option(help="none, apikey or x-tif.")] = "none",
) -> None:
    """Run the simulated insurer: a server of its own that behaves like the national interface."""
    options = InsurerOptions(
        folder=folder,
        host=host,
        port=port,
        seed=seed,
        persons=persons,
        clock=cast(Literal["system", "message"], clock),
        area=area,
        auth=cast(Literal["none", "apikey", "x-tif"], auth),
    )
    run_simulator(options)
