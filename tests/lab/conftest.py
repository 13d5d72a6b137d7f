"""A city to test in: one insurer for the whole run of these tests, and a fresh one for tests that set it up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from threading import Thread

import pytest

from lab.running import City, insurer_on_thread, start_insurer
from settlement.lab.his.gateway import open_client
from settlement.lab.insurer import InsurerServer


@pytest.fixture(scope="session")
def shared_insurer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InsurerServer]:
    with insurer_on_thread(tmp_path_factory.mktemp("insurer"), persons=2000) as server:
        yield server


@pytest.fixture
async def shared_city(shared_insurer: InsurerServer) -> AsyncIterator[City]:
    """A city with 2,000 persons that other tests use too: for tests that neither switch nor count anything."""
    async with open_client() as http:
        yield await City(shared_insurer.url, http).load()


@pytest.fixture(scope="session")
def stopping() -> Iterator[list[Thread]]:
    """The threads of insurers that were told to stop: nobody waits for them before the end."""
    threads: list[Thread] = []
    yield threads
    for thread in threads:
        thread.join()


@pytest.fixture
def insurer(tmp_path: Path, stopping: list[Thread]) -> Iterator[InsurerServer]:
    server, thread = start_insurer(tmp_path / "insurer")
    yield server
    server.should_exit = True
    stopping.append(thread)


@pytest.fixture
async def city(insurer: InsurerServer) -> AsyncIterator[City]:
    """A city of one test's own, with 300 persons."""
    async with open_client() as http:
        yield await City(insurer.url, http).load()
