"""Hospitals that bring bills through door A: concurrent clients on kept-alive connections, each with its own members.

The driver shares the machine with what it measures, so it is as thin as can be (bare aiohttp) and its own CPU is told.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import aiohttp

from settlement.lab.bench.bills import HOSPITALS, Person, a_stay, as_body
from settlement.lab.bench.outcome import BenchFailed
from settlement.lab.bench.scene import Scene
from settlement.lab.bench.service import Service

_CREATED = 201


@dataclass(frozen=True, slots=True)
class Brought:
    """One settlement as its client saw it: when the answer came, and after how long, in seconds."""

    at: float
    took: float


@dataclass(slots=True)
class Driver:
    """Brings bills to one service. Serials never repeat within a run, whichever part of it brings them."""

    http: aiohttp.ClientSession
    url: str
    scene: Scene
    chance: Random
    serials: Iterator[int]
    tokens: dict[str, str] = field(default_factory=dict)

    async def bring_each(self, clients: int) -> None:
        """Bring one bill of every member."""
        await self.sign_in()
        shares = [self.scene.persons[client::clients] for client in range(clients)]
        await asyncio.gather(*[self._bring_share(share, client) for client, share in enumerate(shares)])

    async def bring(self, persons: tuple[Person, ...]) -> list[Brought]:
        """Bring one bill of each of these members, one after the other."""
        return [await self.bring_one(person, HOSPITALS[0][0]) for person in persons]

    async def bring_until(self, stopped: asyncio.Event, clients: int, brought: list[Brought]) -> None:
        """Bring bills until told to stop, `clients` at a time; no two of them ever settle for the same member."""
        async with asyncio.TaskGroup() as group:
            for client in range(clients):
                persons = itertools.cycle(self.scene.persons[client::clients])
                group.create_task(self._bring_on(persons, client, stopped, brought))

    async def bring_one(self, person: Person, hospital_code: str) -> Brought:
        """Bring one bill. Raises `BenchFailed` unless it was recorded."""
        serial = f"37{next(self.serials):013d}"
        body = as_body(a_stay(self.chance, person, hospital_code, serial))
        headers = {
            "Authorization": f"Bearer {self.tokens[hospital_code]}",
            "Idempotency-Key": f"settle-{serial}",
            "Content-Type": "application/json",
        }
        began = time.perf_counter()
        async with self.http.post(f"{self.url}/v1/settlements", data=body, headers=headers) as response:
            answer = await response.read()
        if response.status != _CREATED:
            raise BenchFailed(f"a bill was answered with {response.status}: {answer.decode()}")
        ended = time.perf_counter()
        return Brought(ended, ended - began)

    async def sign_in(self) -> None:
        """Fetch a token for each hospital; it is good for ten minutes."""
        for code, client in self.scene.clients.items():
            form = {
                "grant_type": "client_credentials",
                "client_id": client.client.client_id,
                "client_secret": client.secret,
            }
            async with self.http.post(f"{self.url}/oauth/token", data=form) as response:
                response.raise_for_status()
                self.tokens[code] = str((await response.json())["access_token"])

    async def _bring_share(self, persons: tuple[Person, ...], client: int) -> None:
        for person in persons:
            await self.bring_one(person, _hospital_of(client))

    async def _bring_on(
        self, persons: Iterator[Person], client: int, stopped: asyncio.Event, brought: list[Brought]
    ) -> None:
        while not stopped.is_set():
            brought.append(await self.bring_one(next(persons), _hospital_of(client)))


@asynccontextmanager
async def driving(service: Service, scene: Scene, seed: int, serials: Iterator[int]) -> AsyncIterator[Driver]:
    """Open a driver with connections that are kept alive."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as http:
        driver = Driver(http, service.url, scene, Random(seed), serials)
        await driver.sign_in()
        yield driver


def _hospital_of(client: int) -> str:
    return HOSPITALS[client % len(HOSPITALS)][0]
