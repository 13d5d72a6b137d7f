"""`settlement simulator`: the simulated insurer, a server of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from settlement.lab.insurer.options import InsurerOptions
from settlement.lab.insurer.server import run as run_simulator

app = typer.Typer(add_completion=False)


@app.command()
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
