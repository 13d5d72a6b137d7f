"""A run of many histories: played on every core, told as figures, and what failed made as small as it gets."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from typing import Any

from settlement.lab.chaos.faults import KINDS
from settlement.lab.chaos.history import History, Played, plan_history, play
from settlement.lab.chaos.points import AFTER, BEFORE, points_of_the_flow
from settlement.lab.chaos.scene import Scene, open_scene

Told = Callable[[int, int], None]
_MOST_SHRUNK = 3


@dataclass(slots=True)
class Report:
    """What a run did and found. `failed` holds the first histories that failed, made small."""

    seed: int
    histories: int = 0
    steps: int = 0
    commits: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    crashes: Counter[tuple[str, str]] = field(default_factory=Counter)
    violations: list[tuple[str, str]] = field(default_factory=list)
    failed: list[Played] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def not_hit(self) -> list[str]:
        """The kinds of fault that never happened, and the points at which no process died."""
        points = [f"{phase} {point}" for point in points_of_the_flow() for phase in (BEFORE, AFTER)]
        died = {f"{phase} {point}" for point, phase in self.crashes}
        return [kind for kind in KINDS if not self.faults[kind]] + [point for point in points if point not in died]

    def add(self, played: Played) -> None:
        """Count one history."""
        self.histories += 1
        self.steps += played.steps
        self.commits += played.commits
        self.actions.update(action.name for action in played.history.actions)
        self.faults.update(played.faults)
        self.crashes.update(played.crashes)
        self.violations += [(played.history.name, violation) for violation in played.violations]

    def to_json(self) -> dict[str, Any]:
        """Return the report as one JSON object."""
        return {
            "seed": self.seed,
            "histories": self.histories,
            "steps": self.steps,
            "commits": self.commits,
            "violations": len(self.violations),
            "violated": [{"history": name, "what": what} for name, what in self.violations],
            "failing": [_failing(played) for played in self.failed],
            "actions": dict(sorted(self.actions.items())),
            "faults": {kind: self.faults[kind] for kind in KINDS},
            "crash_points": {f"{phase} {point}": count for (point, phase), count in sorted(self.crashes.items())},
            "not_hit": self.not_hit,
            "seconds": round(self.seconds, 1),
        }


def run_histories(seed: int, numbers: Sequence[int], told: Told, jobs: int | None = None) -> Report:
    """Play the histories of these numbers under a seed and report; `told` hears how many are done, of how many."""
    began = time.monotonic()
    report = Report(seed)
    with open_scene() as scene, closing(_played(scene, seed, numbers, jobs or os.cpu_count() or 1)) as every:
        for played in every:
            report.add(played)
            if played.violations and len(report.failed) < _MOST_SHRUNK:
                report.failed.append(shrink(scene, played))
            told(report.histories, len(numbers))
    report.seconds = time.monotonic() - began
    return report


def shrink(scene: Scene, failed: Played) -> Played:
    """Return the smallest history found that still fails: actions and faults are dropped one by one."""
    smallest = failed
    dropped = True
    while dropped:
        dropped = False
        for smaller in _smaller(smallest.history):
            played = play(scene, smaller)
            if played.violations:
                smallest, dropped = played, True
                break
    return smallest


def _smaller(history: History) -> Iterator[History]:
    for place in range(len(history.actions)):
        yield replace(history, actions=history.actions[:place] + history.actions[place + 1 :])
    for place in range(len(history.faults)):
        yield replace(history, faults=history.faults[:place] + history.faults[place + 1 :])


def _played(scene: Scene, seed: int, numbers: Sequence[int], jobs: int) -> Generator[Played]:
    """Play in processes of their own where there are cores for it; in the order of the numbers all the same."""
    if jobs == 1 or len(numbers) == 1:
        yield from (play(scene, plan_history(seed, number)) for number in numbers)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as processes:
        try:
            yield from processes.map(partial(_play_one, scene, seed), numbers)
        finally:
            processes.shutdown(cancel_futures=True)


def _play_one(scene: Scene, seed: int, number: int) -> Played:
    return play(scene, plan_history(seed, number))


def _failing(played: Played) -> dict[str, Any]:
    return {
        "history": played.history.name,
        "actions": [str(action) for action in played.history.actions],
        "faults": [str(fault) for fault in played.history.faults],
        "violations": played.violations,
        "trace_hash": played.trace_hash,
        "trace": played.trace,
    }
