"""`settlement worker`: the background work."""

from __future__ import annotations

import asyncio
import signal

import typer

from settlement.app import make_ids, open_ops, utc_now
from settlement.cli.shell import installation, told_plainly
from settlement.worker.loop import examine_in_time, work

app = typer.Typer(add_completion=False)


@app.command()
def worker() -> None:
    """Do the background work: number events for those who pull them, drop expired messages, examine every invariant."""

    async def until_told() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for told in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(told, stop.set)
        async with open_ops(opened) as ops:
            await asyncio.gather(work(ops, utc_now, stop), examine_in_time(ops, opened.keys, make_ids(), stop))

    with told_plainly():
        opened = installation()
        asyncio.run(until_told())
