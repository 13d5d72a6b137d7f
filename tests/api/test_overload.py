"""How settlements fare while quotes come in floods: measured with real processes, side by side in one run.

uv run pytest -m large tests/api/test_overload.py -s
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from statistics import median, quantiles

import pytest

from api.conftest import TwoFunds
from api.test_degradation import Sender, a_sender
from builders import a_2304, facts
from calling import body_of
from serving import service_process
from settlement.db.embedded import DatabaseUrls
from settlement.lab.his.gateway import open_client

SECONDS = 8.0
SETTLERS, QUOTERS, MOST_TURNS = 16, 150, 100


class Measured:
    """What came back within the time: milliseconds of settlements, and how quotes were answered."""

    def __init__(self) -> None:
        self.milliseconds: list[float] = []
        self.statuses: Counter[str] = Counter()

    def __str__(self) -> str:
        ninety_fifth = quantiles(self.milliseconds, n=20)[-1]
        return (
            f"{len(self.milliseconds) / SECONDS:.0f} settlements/s, median {median(self.milliseconds):.0f} ms, "
            f"95 % {ninety_fifth:.0f} ms; {dict(sorted(self.statuses.items()))}"
        )


async def measure(sender: Sender, quoters: int, name: str) -> Measured:
    """Settle in 16 lines, quote in so many others, each at once again; a shed quote comes again after a second.

    All is written beforehand, so that the sender's own work hardly counts.
    """
    quoted = body_of({"output": a_2304(sender.city.members[0]), "visit": facts(sender.city)})
    keys = [[f"{name}-{line:02d}-{turn:04d}" for turn in range(MOST_TURNS)] for line in range(SETTLERS)]
    for line, turns in enumerate(keys):
        for turn, key in enumerate(turns):
            sender.write((line * 7 + turn) % 100, key)
    measured, ends = Measured(), time.monotonic() + SECONDS

    async def settle(line: int) -> None:
        for key in keys[line]:
            if time.monotonic() >= ends:
                return
            status, _, seconds = await sender.send_written(key)
            measured.statuses[f"settlement {status}"] += 1
            measured.milliseconds.append(seconds * 1000)

    async def quote(_: int) -> None:
        while time.monotonic() < ends:
            status, _, _ = await sender.post("/v1/quotes", quoted, None)
            measured.statuses[f"quote {status}"] += 1
            if status == 503:
                await asyncio.sleep(1)

    await asyncio.gather(*map(settle, range(SETTLERS)), *map(quote, range(quoters)))
    return measured


@pytest.mark.large
async def test_settlements_go_on_while_quotes_are_shed(database: DatabaseUrls, two_funds: TwoFunds, tmp_path: Path):
    found: dict[str, Measured] = {}
    for name, bound in (("shed", "5"), ("not-shed", "200")):
        folder = tmp_path / name
        folder.mkdir()
        with service_process(database, folder, SETTLEMENT_QUOTES_AT_ONCE=bound) as service:
            async with open_client(60, 400) as http:
                sender = await a_sender(service.url, two_funds.clients, two_funds.city, http)
                await sender.settle(0, f"warm-up-{name}")
                found[f"{name}, no quotes"] = await measure(sender, 0, f"{name}-alone")
                found[f"{name}, {QUOTERS} lines of quotes"] = await measure(sender, QUOTERS, f"{name}-flood")
    for case, measured in found.items():
        print(f"{case}: {measured}")
    flood = found[f"shed, {QUOTERS} lines of quotes"]
    unbounded = found[f"not-shed, {QUOTERS} lines of quotes"]
    assert {status for status in flood.statuses if status.startswith("settlement")} == {"settlement 201"}
    assert flood.statuses["quote 503"] > 0
    assert median(flood.milliseconds) < median(unbounded.milliseconds)
