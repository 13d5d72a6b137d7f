"""Simulates a source over all cores: rows are set aside by member, and each part is simulated by one process.

How many parts there are depends on the source alone, and sums of fen do not mind their order: the result is the same
with any number of processes.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from settlement.plans.simulation.bills import BadRow, BillReader
from settlement.plans.simulation.grouping import Period, bills_of, by_member
from settlement.plans.simulation.simulate import Plans, simulator
from settlement.plans.simulation.tally import Tally
from settlement.services.simulation.bill_file import open_bill_file
from settlement.services.simulation.spool import rows_of, spooled

Told = Callable[[str, int, int], None]
"""Hears what is being done, and how much of how much is done."""
_ROWS_BETWEEN = 5_000


@dataclass(frozen=True, slots=True)
class Request:
    """What is simulated: the plans, the days, over how many processes."""

    plans: Plans
    period: Period
    processes: int


@dataclass(frozen=True, slots=True)
class Simulated:
    """What came out, and what of the source was not used."""

    tally: Tally
    has_before: bool
    not_read: tuple[str, ...] = ()


def all_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def simulate_file(path: Path, request: Request, told: Told) -> Simulated:
    """Simulate a file of bills. Raises `BillsUnreadable`; rows that cannot be read are counted and left out."""
    refused = Tally()
    with open_bill_file(path) as file, spooled(file.size) as (spool, writing):
        told("reading", 0, file.size)
        for count, (number, cells) in enumerate(file.rows):
            try:
                spool.add(number, file.columns.member(cells), cells)
            except BadRow as bad:
                refused.refuse(number, str(bad))
            if count % _ROWS_BETWEEN == 0:
                told("reading", file.position(), file.size)
        writing.close()
        tally = simulate_parts(spool.paths, file.columns, request, told)
    tally.merge(refused)
    return Simulated(tally, file.columns.has_paid or request.plans.against is not None, file.columns.not_read)


def simulate_parts(parts: Sequence[Path], reader: BillReader, request: Request, told: Told) -> Tally:
    """Simulate each part of a spool and merge what comes out."""
    tally = Tally()
    parts = sorted((part for part in parts if part.stat().st_size), key=lambda part: -part.stat().st_size)
    sizes = [part.stat().st_size for part in parts]
    told("simulating", 0, sum(sizes))
    if request.processes == 1 or len(parts) <= 1:
        for done, part in enumerate(parts, 1):
            tally.merge(simulate_part(part, reader, request))
            told("simulating", sum(sizes[:done]), sum(sizes))
        return tally
    workers = min(request.processes, len(parts))
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        submitted = zip(parts, sizes, strict=True)
        running = {pool.submit(simulate_part, part, reader, request): size for part, size in submitted}
        try:
            while running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    tally.merge(future.result())
                    del running[future]
                told("simulating", sum(sizes) - sum(running.values()), sum(sizes))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return tally


def simulate_part(part: Path, reader: BillReader, request: Request) -> Tally:
    """Simulate the members of one part, in whatever process this is."""
    tally, each = Tally(), simulator(request.plans)
    for rows in by_member(rows_of(part), reader, tally):
        tally.add_member(each.member(bills_of(rows, reader, request.period, tally), tally))
    return tally
