"""Who goes next: every statement, question and answer stops here, and the seed picks which stop is let go.

One statement is under way at a time. One that waits for a lock is parked, and another task goes on; PostgreSQL itself
says who waits for whom, so the same seed gives the same order whatever the machine does.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

import psycopg

from settlement.lab.chaos.faults import CRASH, Fault, kind_struck, matching
from settlement.lab.chaos.loop import SteeredLoop

ACTOR: ContextVar[str] = ContextVar("actor", default="-")
"""Whose command a task carries out, for the trace and for a fixed order of those that stop together."""

COMMAND: ContextVar[str] = ContextVar("command", default="")
"""The key of the command that a task carries out, so that a commit is known to be its effect."""

_ANSWER_SECONDS = 0.002
_STUCK_SECONDS = 30
_TIME_PASSES_OF_100 = 4
_SHORT_TIMER_SECONDS = 1.0
_STYLES = (0, 0, 70, 95)
"""In how many of 100 steps the most urgent actor goes on; each history has one of these."""
_CHANGES_OF_100 = 6


class Stuck(RuntimeError):
    """The simulation cannot go on: no task is ready, none is stopped, and no timer is set."""


class Mortal(Protocol):
    """A simulated process."""

    name: str

    def crash(self) -> None:
        """Die at once: connections are cut, tasks end where they stand."""


class Backend(Protocol):
    """A connection as PostgreSQL knows it."""

    @property
    def pid(self) -> int:
        """The number of the server's process."""


@dataclass(slots=True)
class Stop:
    """A task that waits to be let go at a point."""

    actor: str
    process: Mortal | None
    point: str
    phase: str
    task: int
    """The order in which its task was made: siblings of one actor stop in an order that real time decides."""
    serial: int
    go: asyncio.Future[Fault | None]


@dataclass(slots=True)
class Steering:
    """Holds the stops of one history and lets them go in the order of its seed."""

    loop: SteeredLoop
    rng: Random
    faults: Sequence[Fault]
    monitor: psycopg.Connection
    lost_locks: bool = False
    steps: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    crashed_at: Counter[tuple[str, str]] = field(default_factory=Counter)
    passages: Counter[tuple[str, str]] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)
    _style: int = -1
    _urgency: dict[str, int] = field(default_factory=dict)
    _stops: list[Stop] = field(default_factory=list)
    _under_way: set[Backend] = field(default_factory=set)
    _parked: set[Backend] = field(default_factory=set)
    _connecting: int = 0
    _serial: int = 0

    async def stop(self, process: Mortal | None, point: str, phase: str) -> Fault | None:
        """Wait to be let go; return the fault that strikes here, which is the caller's to make happen."""
        self._serial += 1
        stop = Stop(ACTOR.get(), process, point, phase, _number_of_task(), self._serial, self.loop.create_future())
        self._stops.append(stop)
        try:
            return await stop.go
        finally:
            if stop in self._stops:
                self._stops.remove(stop)

    def sent(self, backend: Backend) -> None:
        """Hear that a statement is under way."""
        self._under_way.add(backend)

    def answered(self, backend: Backend, *, ends_transaction: bool) -> None:
        """Hear that it was answered; the end of a transaction may let parked ones go on."""
        self._under_way.discard(backend)
        self._parked.discard(backend)
        self.lost_locks |= ends_transaction

    def connecting(self, change: int) -> None:
        """Hear that connections are being opened."""
        self._connecting += change

    def cut(self, backends: Sequence[Backend]) -> None:
        """Have the server end these connections; returns when it has, so their locks are free."""
        if backends:
            pids = [backend.pid for backend in backends]
            self.monitor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [pids])
            while self.monitor.execute("SELECT FROM pg_stat_activity WHERE pid = ANY (%s)", [pids]).fetchone():
                time.sleep(0.0005)
            for backend in backends:
                if backend in self._parked:
                    self._parked.discard(backend)
                    self._under_way.add(backend)
            self.lost_locks = True

    def note(self, text: str) -> None:
        """Add a line to the trace."""
        self.trace.append(text)

    @property
    def trace_hash(self) -> str:
        """The hash of the whole trace: the same seed gives the same one."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()

    def steer(self) -> None:
        """Make something ready. The loop calls it when nothing is."""
        began = time.monotonic()
        while not self.loop.poll(0):
            if self._under_way or self._connecting:
                self._wait_for_answers()
            elif self._parked and self.lost_locks:
                self._look_at_parked()
            elif not self._let_one_go():
                self.loop.poll(0.01)
            else:
                return
            if time.monotonic() - began > _STUCK_SECONDS:
                raise Stuck(f"nothing goes on after {len(self.trace)} steps; parked: {len(self._parked)}")

    def _wait_for_answers(self) -> None:
        if not self.loop.poll(_ANSWER_SECONDS) and self._under_way:
            for backend in self._waiting_among(self._under_way):
                self._under_way.discard(backend)
                self._parked.add(backend)

    def _look_at_parked(self) -> None:
        self.lost_locks = False
        going_on = self._parked - self._waiting_among(self._parked)
        self._parked -= going_on
        self._under_way |= going_on

    def _waiting_among(self, backends: set[Backend]) -> set[Backend]:
        """Return those whose statement waits for a lock that another one holds or asked for earlier."""
        pids = [backend.pid for backend in backends]
        rows = self.monitor.execute(
            "SELECT pid FROM unnest(%s::int[]) AS pid WHERE cardinality(pg_blocking_pids(pid)) > 0", [pids]
        ).fetchall()
        waiting = {row[0] for row in rows}
        return {backend for backend in backends if backend.pid in waiting}

    def _let_one_go(self) -> bool:
        timer = self.loop.next_timer()
        soon = timer is not None and timer <= _SHORT_TIMER_SECONDS
        if timer is not None and (not self._stops or (soon and self.rng.randrange(100) < _TIME_PASSES_OF_100)):
            self.loop.pass_time(timer)
            return True
        if not self._stops:
            return False
        self._release(self._chosen())
        return True

    def _chosen(self) -> Stop:
        """Pick a stop: any, or in some histories mostly the most urgent actor's, so that others are left far behind."""
        stops = sorted(self._stops, key=lambda stop: (stop.actor, stop.task, stop.serial))
        if self._style < 0:
            self._style = self.rng.choice(_STYLES)
        if self.rng.randrange(100) >= self._style:
            return self.rng.choice(stops)
        for stop in stops:
            self._urgency.setdefault(stop.actor, self.rng.getrandbits(32))
        chosen = max(stops, key=lambda stop: self._urgency[stop.actor])
        if self.rng.randrange(100) < _CHANGES_OF_100:
            self._urgency[chosen.actor] = self.rng.getrandbits(16)
        return chosen

    def _release(self, stop: Stop) -> None:
        self._stops.remove(stop)
        self.steps += 1
        here = (stop.point, stop.phase)
        self.passages[here] += 1
        fault = matching(self.faults, *here, self.passages[here])
        where = f"{stop.actor} {stop.process.name if stop.process else '-'} {stop.phase} {stop.point}"
        self.note(f"{where} !{fault.kind}" if fault else where)
        if fault is not None:
            self.strike(fault)
        if fault is not None and fault.kind == CRASH and stop.process is not None:
            self.crashed_at[here] += 1
            stop.go.cancel()
            stop.process.crash()
        else:
            stop.go.set_result(fault)

    def strike(self, fault: Fault) -> None:
        """Count a fault that happens."""
        self.struck[kind_struck(fault)] += 1


def _number_of_task() -> int:
    """Return the number by which asyncio names the present task, which counts tasks in the order of their making."""
    task = asyncio.current_task()
    digits = task.get_name().removeprefix("Task-") if task else ""
    return int(digits) if digits.isdigit() else 0
