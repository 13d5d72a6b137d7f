"""Real processes under load, killed in turn at random: what was acknowledged is there, once, and nothing stays pending.

`KILLS` and `KILLS_SEED` say how often and at which moments; after `KILLS_SECONDS` nothing more is killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from builders import HANGZHOU_FILE
from lab.kills import verdict
from lab.kills.parts import Part, Parts, open_parts
from lab.kills.tills import Diary, ServiceLine, Till
from serving import settings_of
from settlement.app import open_installation, open_resources
from settlement.lab.demo.seed import seed_city
from settlement.lab.his.city import list_hospitals, list_persons, open_hospitals
from settlement.lab.his.clock import CHINA
from settlement.lab.his.gateway import Gateway, open_client

PERSONS = 300
MEMBERS = 60
TILLS = 6
LONGEST_PAUSE_BETWEEN_PATIENTS = 1.5
LONGEST_PAUSE_BETWEEN_KILLS = 2.5
INSURER_SECONDS = 0.15
PAYING = ("2207", "2207", "2304", "2208", "2305")
"""The messages of which one loses its answer between two kills; most bills are of visits."""
DOWN_AT_ONCE = 2
"""So many parts are down or starting at the same moment, at most."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder on a disk, so that the database's commits are what they are."""
    with tempfile.TemporaryDirectory(prefix="settlement-kills-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.large
async def test_a_hundred_kills_lose_nothing_double_nothing_and_leave_nothing_pending(folder: Path):
    kills, seed = int(os.environ.get("KILLS", "100")), int(os.environ.get("KILLS_SEED", "1"))
    seconds = float(os.environ.get("KILLS_SECONDS", "inf"))
    print(json.dumps(await survived(folder, kills, seconds, seed), indent=2, ensure_ascii=False))


async def survived(folder: Path, kills: int, seconds: float, seed: int) -> dict[str, Any]:
    """Work, kill, wait until all is quiet, and assert all that must hold; return the figures."""
    began = time.monotonic()
    async with (
        open_parts(folder, PERSONS, seed) as parts,
        _working(parts, seed) as at,
    ):
        killed = await at.kill_parts(kills, seconds, Random(f"kills-{seed}"))
        await at.close()
        worked = time.monotonic() - began
        quiet = await verdict.until_quiet(parts.urls)
        parts.nobody_ended_alone()
        figures = {"seed": seed, "kills": killed.total(), "killed": dict(sorted(killed.items()))}
        figures |= {"seconds_of_work": round(worked), "quiet_after_seconds": round(quiet, 1)}
        return figures | await _judged(parts, at.tills)


async def _judged(parts: Parts, tills: list[Till]) -> dict[str, Any]:
    await verdict.every_acknowledged_answer_is_still_true(tills)
    shown = [each for till in tills for each in till.diary.shown]
    at_insurer = await verdict.the_insurer_says_the_same(parts.urls, parts.insurer_url, tills)
    verdict.nobody_has_to_look_at_anything(parts.urls)
    counts = sum((till.diary.counts for till in tills), Counter[str]())
    assert not [name for name in counts if name.startswith("refused 500")], counts
    return {
        **dict(sorted(counts.items())),
        "bills brought": sum(len(till.diary.settled) for till in tills),
        "settlement answers lost by the insurer": sum(len(till.diary.lost_settlements) for till in tills),
        "cancellation answers lost by the insurer": sum(len(till.diary.lost_cancellations) for till in tills),
        "promises": len(shown),
        "promises kept": sum(each.settled["promise"]["kept"] for each in shown),
        "promises with equal figures, kept": verdict.every_promise_was_kept(shown),
        "settlements recorded": verdict.nothing_is_there_twice(parts.urls),
        **dict(sorted(at_insurer.items())),
        "questions": verdict.how_questions_ended(parts.urls),
        "invariants examined": verdict.the_doctor_finds_nothing(parts),
    }


@dataclass(slots=True)
class Work:
    """Hospitals at work, and who kills beside them."""

    parts: Parts
    tills: list[Till]
    working: list[asyncio.Task[None]]
    stop: asyncio.Event

    async def kill_parts(self, kills: int, seconds: float, chance: Random) -> Counter[str]:
        """Kill one part after the other, each in turn in an order drawn anew, and start it again; until time is over.

        The next is killed while the last is still starting, now and then.
        """
        killed: Counter[str] = Counter()
        turn: list[Part] = []
        starting: dict[str, asyncio.Task[None]] = {}
        deadline = time.monotonic() + seconds
        while killed.total() < kills and time.monotonic() < deadline:
            turn = turn or chance.sample(self.parts.all, len(self.parts.all))
            await self._trouble_at_the_insurer(chance)
            await self._go_on_for(chance.uniform(0.2, LONGEST_PAUSE_BETWEEN_KILLS))
            part = turn.pop()
            if part.name in starting:
                await starting.pop(part.name)
            self.parts.nobody_ended_alone(starting)
            await part.kill()
            killed[part.name] += 1
            starting[part.name] = asyncio.create_task(part.start())
            while len(starting) >= DOWN_AT_ONCE:
                done, _ = await asyncio.wait(starting.values(), return_when=asyncio.FIRST_COMPLETED)
                starting = {name: task for name, task in starting.items() if task not in done}
                for each in done:
                    each.result()
        await asyncio.gather(*starting.values())
        await self._go_on_for(1)
        return killed

    async def close(self) -> None:
        """Let every till serve its patient to the end."""
        self.stop.set()
        await asyncio.gather(*self.working)

    async def _trouble_at_the_insurer(self, chance: Random) -> None:
        """Let the insurer take its time, so that kills come between a message and its answer, and lose one answer."""
        lost = {"kind": "no_answer_after", "infno": chance.choice(PAYING)}
        slow = {"kind": "slow", "seconds": INSURER_SECONDS, "count": 0}
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            with suppress(httpx.HTTPError):
                for method, faults in (("DELETE", None), ("POST", [lost, slow])):
                    await http.request(method, f"{self.parts.insurer_url}/admin/faults", json=faults)

    async def _go_on_for(self, seconds: float) -> None:
        """Let the tills work; one that failed ends the proof at once."""
        done, _ = await asyncio.wait(self.working, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            each.result()


@asynccontextmanager
async def _working(parts: Parts, seed: int) -> AsyncIterator[Work]:
    """Seed a city, start the services, and let a till work in each of some hospitals."""
    async with AsyncExitStack() as stack:
        insurer, service = [await stack.enter_async_context(open_client(seconds)) for seconds in (5, 30)]
        persons = await list_persons(insurer, parts.insurer_url)
        entries = (await list_hospitals(insurer, parts.insurer_url))[:TILLS]
        settings = settings_of(parts.urls, parts.folder, settlement_profiles=parts.folder / "profiles")
        async with open_resources(open_installation(settings)) as resources:
            city = await seed_city(
                resources,
                profile="simulator",
                plan_file=HANGZHOU_FILE,
                persons=persons,
                hospitals=entries,
                member_count=MEMBERS,
                year=datetime.now(CHINA).year,
            )
        await asyncio.gather(*(part.start() for part in parts.apis))
        hospitals = open_hospitals(entries, Gateway(parts.insurer_url, insurer))
        staffed = []
        for number, (code, hospital) in enumerate(hospitals.items()):
            chance, diary = Random(f"till-{seed}-{number}"), Diary()
            line = ServiceLine(service, parts.api_urls, city.hospital_clients[code], chance, diary)
            staffed.append(Till(hospital, line, city.members, chance, diary, LONGEST_PAUSE_BETWEEN_PATIENTS))
            await hospital.sign_in()
        stop = asyncio.Event()
        working = [asyncio.create_task(till.work(stop)) for till in staffed]
        try:
            await parts.worker.start()
            yield Work(parts, staffed, working, stop)
        finally:
            for each in working:
                each.cancel()
            await asyncio.gather(*working, return_exceptions=True)
