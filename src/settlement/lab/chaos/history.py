"""One history: which actions and faults a seed decides, how they are played, and what came of them."""

from __future__ import annotations

import asyncio
import logging
import math
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

import structlog
from psycopg import waiting

from settlement.db.engine import open_engine
from settlement.lab.chaos import chores, correcting, promising  # noqa: F401 - both register their actions.
from settlement.lab.chaos.actions import ACTIONS, push_lines
from settlement.lab.chaos.chores import DAYS, NIGHT_SECONDS, SIGNER
from settlement.lab.chaos.faults import SKEW, Fault, actions_for, plan_faults
from settlement.lab.chaos.loop import SteeredLoop
from settlement.lab.chaos.plan import EFFECTS, FLAT
from settlement.lab.chaos.scene import KEYS, Scene
from settlement.lab.chaos.steering import ACTOR, Stuck
from settlement.lab.chaos.world import World, open_world
from settlement.services.audit.examine import examine
from settlement.services.audit.examine_seals import ChainAsked
from settlement.services.books import close_books_day
from settlement.services.books.seal_keys import Verifier

FEWEST_ACTIONS, MOST_ACTIONS = 3, 7
_STARTS_SECONDS = (0.0, 0.0, 0.0, 0.0, 2.0, 5.0, NIGHT_SECONDS, NIGHT_SECONDS + 2.0)
_OUT_OF_REACH_MILLISECONDS = 300_000
_UNTIL_NO_PLACE_IS_KEPT_SECONDS = 48 * 3600


@dataclass(frozen=True, slots=True)
class Planned:
    """One action of a history: what it is, its own seed, and when it starts, in virtual seconds."""

    number: int
    name: str
    seed: int
    starts: float

    def __str__(self) -> str:
        return f"{self.number:02d}.{self.name} at {self.starts:g} s"


@dataclass(frozen=True, slots=True)
class History:
    """What is played: the seed decides the order, the actions and faults can be fewer than it chose (shrinking)."""

    seed: int
    number: int
    actions: tuple[Planned, ...]
    faults: tuple[Fault, ...]

    @property
    def name(self) -> str:
        """By which it is found again."""
        return f"{self.seed}/{self.number}"

    @property
    def effect(self) -> str:
        """What its plan declares for bills before a change.

        By chance: points to die at come in turn, and a round of even length would show each to one effect alone.
        """
        return Random(f"{self.seed}/{self.number}/effect").choice(EFFECTS)


@dataclass(slots=True)
class Played:
    """What came of a history."""

    history: History
    violations: list[str] = field(default_factory=list)
    steps: int = 0
    commits: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    crashes: Counter[tuple[str, str]] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)
    trace_hash: str = ""


def plan_history(seed: int, number: int) -> History:
    """Return the history of a number under a seed."""
    rng = Random(f"{seed}/{number}/plan")
    kinds = list(ACTIONS.values())
    count = rng.randint(FEWEST_ACTIONS, MOST_ACTIONS)
    drawn = rng.choices(kinds, weights=[kind.weight for kind in kinds], k=count)
    faults = plan_faults(number, rng)
    names = [*(kind.name for kind in drawn), *actions_for(faults)]
    actions = tuple(
        Planned(place, name, rng.getrandbits(48), rng.choice(_STARTS_SECONDS)) for place, name in enumerate(names)
    )
    return History(seed, number, actions, faults)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what our code logs of the faults off the screen, and the driver from yielding by real time."""
    before, pools, busy = structlog.get_config(), logging.getLogger("sqlalchemy.pool"), waiting.MAX_BUSY_TIME
    level = pools.level
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    pools.setLevel(logging.CRITICAL + 1)
    waiting.MAX_BUSY_TIME = math.inf
    wait, close_books_day.WAIT_MILLISECONDS = close_books_day.WAIT_MILLISECONDS, _OUT_OF_REACH_MILLISECONDS
    try:
        yield
    finally:
        waiting.MAX_BUSY_TIME = busy
        close_books_day.WAIT_MILLISECONDS = wait
        pools.setLevel(level)
        structlog.configure(**before)


def play(scene: Scene, history: History) -> Played:
    """Play a history on its own copy of the database and judge it."""
    played = Played(history)
    with quiet(), scene.copy(history.effect) as (urls, monitor), asyncio.Runner(loop_factory=SteeredLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, SteeredLoop)
        world = open_world(
            scene, loop, history.name, history.faults, urls, monitor, replace(FLAT, changes=history.effect)
        )
        try:
            runner.run(_play(world, history, played))
        except (Stuck, Exception) as failed:  # noqa: BLE001 - whatever ends a history early is what it found.
            where = "".join(traceback.format_exception(failed)[-3:])
            played.violations.append(f"ended by {type(failed).__name__}: {failed}\n{where}")
        finally:
            loop.steer = None
        if not played.violations:
            runner.run(_examine(urls.ops, world, played))
        world.city.platform.close()
    steering = world.steering
    played.steps, played.commits = steering.steps, world.records.commits
    played.crashes = steering.crashed_at
    played.faults = steering.struck + world.counted + Counter({SKEW: sum(skew != timedelta() for skew in world.skews)})
    played.trace, played.trace_hash = steering.trace, steering.trace_hash
    return played


async def _play(world: World, history: History, played: Played) -> None:
    tasks = [asyncio.create_task(_act(world, planned)) for planned in history.actions]
    try:
        await asyncio.gather(*tasks)
        await _come_to_rest(world)
        played.violations += world.records.left_behind()
    finally:
        played.violations += world.model.wrong
        world.loop.steer = None
        for process in world.processes.values():
            await process.close()


async def _act(world: World, planned: Planned) -> None:
    ACTOR.set(f"{planned.number:02d}.{planned.name}")
    await asyncio.sleep(planned.starts)
    await ACTIONS[planned.name].run(world, Random(planned.seed))


async def _come_to_rest(world: World) -> None:
    """Let nothing fail any more: the bureau's whole file comes, the worker works, and then nothing may be pending."""
    ACTOR.set("zz.rest")
    world.steering.faults = ()
    rng = Random(0)
    await push_lines(world, rng, [f"{day:%Y-%m-%d}" for day in DAYS], in_order=True)
    await chores.ask_until_known(world, rng)
    for day in chores.listed_days(world):
        await chores.reconcile_day(world, rng, day, repairs=False)
    await asyncio.sleep(_UNTIL_NO_PLACE_IS_KEPT_SECONDS)
    await chores.rerate(world, rng, all_times=True)
    await chores.seal(world, rng)
    await chores.number_and_drop(world, rng, all_times=True)
    world.model.quiescent(world.records.asked())


async def _examine(ops_url: str, world: World, played: Played) -> None:
    """Run our own doctor over the records that are left, and over the sealed days beside what the witness holds."""
    engine = open_engine(ops_url, 1)
    try:
        verifier = Verifier({SIGNER.key_id: SIGNER.private_key.public_key()})
        examination = await examine(engine, KEYS, verifier=verifier, chain=ChainAsked(world.seals))
    finally:
        await engine.dispose()
    played.violations += [f"doctor: {finding.invariant.name}" for finding in examination.broken]
