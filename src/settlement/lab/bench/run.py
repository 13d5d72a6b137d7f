"""One run: our settlements and `pgbench` in alternating slices on one database, then what one settlement costs."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import psycopg

from settlement.lab.bench.adjudication import BillsPerSecond, Microseconds, time_adjudication, time_simulation
from settlement.lab.bench.capture import capture
from settlement.lab.bench.check import check_rows
from settlement.lab.bench.driver import Brought, Driver, driving
from settlement.lab.bench.meters import Usage, postmaster_of, read_meters, used
from settlement.lab.bench.outcome import Figures
from settlement.lab.bench.pgbench import PgbenchSlice, run_pgbench
from settlement.lab.bench.scene import Scene, set_scene
from settlement.lab.bench.scripts import write_scripts
from settlement.lab.bench.service import Service, serving
from settlement.lab.bench.trips import count_trips

_SCRIPTS = 16
_SLICE_SECONDS = 5
_LEAD_IN_SECONDS = 0.3
_ONE_CLIENT_SECONDS = 2.0

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What is measured: seconds of timed settling on each side, concurrent clients, members, and the seed."""

    seconds: int
    clients: int
    members: int
    seed: int


@dataclass(slots=True)
class Measured:
    """What the slices have measured so far."""

    plan: Microseconds
    simulated: BillsPerSecond
    ours: list[Brought] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    pgbench: list[PgbenchSlice] = field(default_factory=list)
    one_client: list[Brought] = field(default_factory=list)


def run_bench(data_directory: Path, request: Request, told: Told) -> Figures:
    """Measure and return the figures; `told` hears what is going on.

    Raises `BenchFailed` when something other than what is claimed was measured: a bill refused, a transaction of
    `pgbench` failed or not written, commits that are not durable.
    """
    told("seeding")
    with set_scene(data_directory, request.members) as scene, closing(scene.observer()) as observer:
        return asyncio.run(_run(scene, observer, request, told))


async def _run(scene: Scene, observer: psycopg.Connection, request: Request, told: Told) -> Figures:
    # First of all: in a process that had held thousands of answers, a bill took half as long again (55 to 36 µs).
    measured = Measured(time_adjudication(request.seed), time_simulation(request.seed))
    serials = itertools.count(1)
    captured = await capture(scene, request.seed, min(_SCRIPTS, request.members))
    scripts = write_scripts(scene.folder, observer, scene.fund_id, captured)
    with serving(scene) as service:
        async with driving(service, scene, request.seed, serials) as driver:
            told("warming up")
            await driver.bring_each(request.clients)
            await _alternate(scene, observer, service, driver, scripts, request, measured, told)
            told("one client")
            seconds = min(_ONE_CLIENT_SECONDS, request.seconds)
            measured.one_client, _ = await _our_slice(observer, service, driver, 1, seconds)
    told("checking what pgbench wrote")
    check_rows(observer, sum(part.committed for part in measured.pgbench))
    told("counting round trips")
    return await _figures(scene, request, measured, serials)


async def _alternate(
    scene: Scene,
    observer: psycopg.Connection,
    service: Service,
    driver: Driver,
    scripts: Sequence[Path],
    request: Request,
    measured: Measured,
    told: Told,
) -> None:
    """Take turns, so that what else the machine does meets both sides alike."""
    slices = max(2, round(request.seconds / _SLICE_SECONDS))
    for number in range(1, slices + 1):
        told(f"slice {number} of {slices}: ours")
        await driver.sign_in()
        brought, usage = await _our_slice(observer, service, driver, request.clients, request.seconds / slices)
        measured.ours += brought
        measured.usage += usage
        told(f"slice {number} of {slices}: pgbench")
        measured.pgbench.append(
            await asyncio.to_thread(run_pgbench, scene, scripts, request.clients, request.seconds / slices)
        )


async def _our_slice(
    observer: psycopg.Connection, service: Service, driver: Driver, clients: int, seconds: float
) -> tuple[list[Brought], Usage]:
    """Settle for a while; return what ended in the timed part and what it used."""
    stopped, brought = asyncio.Event(), list[Brought]()
    postmaster = postmaster_of(observer)
    settling = asyncio.create_task(driver.bring_until(stopped, clients, brought))
    await asyncio.sleep(_LEAD_IN_SECONDS)
    before = read_meters(observer, postmaster, service.pid)
    await asyncio.wait([settling], timeout=seconds)
    after = read_meters(observer, postmaster, service.pid)
    stopped.set()
    await settling
    return [one for one in brought if before.at <= one.at < after.at], used(before, after)


async def _figures(scene: Scene, request: Request, measured: Measured, serials: Iterator[int]) -> Figures:
    trips = await count_trips(scene, request.seed, serials)
    plan, simulated = measured.plan, measured.simulated
    count, usage = len(measured.ours), measured.usage
    ours = count / usage.seconds
    transactions = sum(part.transactions for part in measured.pgbench)
    theirs = transactions / sum(part.seconds for part in measured.pgbench)
    percentiles = quantiles((one.took for one in measured.ours), n=100)
    return Figures(
        settle_per_second=round(ours, 1),
        settle_vs_pgbench=round(ours / theirs, 3),
        pgbench_per_second=round(theirs, 1),
        api_cpu_ms=round(usage.api_cpu / count * 1000, 3),
        database_cpu_ms=round(usage.database_cpu / count * 1000, 3),
        driver_cpu_ms=round(usage.driver_cpu / count * 1000, 3),
        wal_bytes=round(usage.wal / count),
        round_trips=round(trips.round_trips, 2),
        commits=round(trips.commits, 2),
        p50_ms=round(percentiles[49] * 1000, 2),
        p99_ms=round(percentiles[98] * 1000, 2),
        one_client_ms=round(median(one.took for one in measured.one_client) * 1000, 2),
        adjudicate_us=round(plan.adjudicate, 1),
        explain_us=round(plan.explain, 1),
        simulate_bills_per_second=round(simulated.prepared),
        simulate_file_bills_per_second=round(simulated.from_file),
        clients=request.clients,
        members=request.members,
        settlements=count,
        pgbench_transactions=transactions,
        seconds=round(usage.seconds, 1),
        seed=request.seed,
    )
