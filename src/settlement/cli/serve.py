"""`settlement serve`: the API."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Annotated

import typer
import uvicorn

from settlement.app import build_api, refuse_wrong_clock
from settlement.cli.shell import installation, told_plainly

KEEP_ALIVE_SECONDS = 75
"""Longer than the pools of hospital systems keep an idle connection, so that the client is the one to close it."""

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (else SETTLEMENT_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (else SETTLEMENT_PORT).")] = None,
) -> None:
    """Serve the API. Settlements in flight finish before it stops."""
    with told_plainly():
        opened = installation()
        asyncio.run(refuse_wrong_clock(opened))
    settings = opened.settings
    # uvicorn raises the signal anew once it has stopped; by default that ends the process before it can leave the
    # embedded server in an orderly way.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        build_api(opened),
        host=host or settings.settlement_host,
        port=settings.settlement_port if port is None else port,
        access_log=False,
        log_config=None,
        log_level=settings.settlement_log_level,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=30,
    )
