"""Round trips and commits of one settlement: a short part with one API process on one connection."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from settlement.lab.bench.driver import Driver, driving
from settlement.lab.bench.meters import commits_of
from settlement.lab.bench.scene import Scene
from settlement.lab.bench.service import serving_through
from settlement.lab.bench.wire import Wire, counted_wire

_ROUNDS = 3
_SETTLEMENTS = 20
_STATISTICS_SECONDS = 1.1
"""A backend tells the statistics of its commits with the first one that ends a second after it last told them."""


@dataclass(frozen=True, slots=True)
class Trips:
    """Round trips and commits per settlement."""

    round_trips: float
    commits: float


async def count_trips(scene: Scene, seed: int, serials: Iterator[int]) -> Trips:
    """Count on the wire and in `pg_stat_database`; the median of some rounds, as autovacuum commits there too."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with counted_wire(scene.socket_directory, Path(folder)) as wire:
            opening = serving_through(scene, Path(folder))
            service = await asyncio.to_thread(opening.__enter__)
            try:
                async with driving(service, scene, seed, serials) as driver:
                    await driver.bring(scene.persons[:_SETTLEMENTS])
                    rounds = [await _round(driver, wire, scene) for _ in range(_ROUNDS)]
            finally:
                await asyncio.to_thread(opening.__exit__, None, None, None)
    return Trips(median(trips for trips, _ in rounds), median(commits for _, commits in rounds))


async def _round(driver: Driver, wire: Wire, scene: Scene) -> tuple[float, float]:
    persons = tuple(itertools.islice(itertools.cycle(scene.persons), _SETTLEMENTS))
    await _tell_statistics(driver)
    commits, trips = commits_of(scene.server.superuser_url), wire.trips
    await driver.bring(persons)
    trips = wire.trips - trips
    await _tell_statistics(driver)
    commits = commits_of(scene.server.superuser_url) - commits
    return trips / len(persons), commits / (len(persons) + 1)


async def _tell_statistics(driver: Driver) -> None:
    await asyncio.sleep(_STATISTICS_SECONDS)
    await driver.bring(driver.scene.persons[:1])
