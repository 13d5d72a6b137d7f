"""`settlement worker`: the background work."""

from __future__ import annotations

import asyncio
import signal

import typer

from settlement.app import make_ids, open_asker, open_books_keeping, open_ops, refuse_wrong_clock, utc_now
from settlement.cli.shell import installation, told_plainly
from settlement.worker.clock import watching
from settlement.worker.examination import examining
from settlement.worker.loop import repeat, work
from settlement.worker.pending import asking
from settlement.worker.rerating import rerating

app = typer.Typer(add_completion=False)


@app.command()
def worker() -> None:
    """Do the background work: number events, close and seal books days, ask about what is pending, re-rate, examine.

    It says so in the log when its clock is apart from the database's.
    """

    async def until_told() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for told in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(told, stop.set)
        async with (
            open_ops(opened) as ops,
            open_asker(opened, ops) as asker,
            open_books_keeping(opened) as keeping,
        ):
            await asyncio.gather(
                work(ops, utc_now, stop, keeping),
                repeat("pending", asking(asker), stop),
                repeat("rerating", rerating(asker.resources, ops), stop),
                repeat("examination", examining(ops, opened.keys, make_ids()), stop),
                repeat("clock", watching(ops, utc_now), stop),
            )

    with told_plainly():
        opened = installation()
        asyncio.run(refuse_wrong_clock(opened))
        asyncio.run(until_told())
