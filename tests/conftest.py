"""What every test that touches the database starts from: a server for the run, a database of its own, a city."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest
import structlog
from argon2 import PasswordHasher
from hypothesis import HealthCheck, Phase, settings

from builders import City, SteeredClock, a_city, open_test_resources
from database import Databases, open_databases
from settlement.db.embedded import DatabaseUrls
from settlement.services.access import passwords
from settlement.services.resources import Resources

settings.register_profile("default", deadline=None)
"""No verdict by the clock: a machine that runs the whole suite has other work."""

settings.register_profile(
    "mutation",
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
"""For mutants: the same examples each time, no verdict by the clock, and the first counterexample is enough."""


def pytest_xdist_auto_num_workers() -> int:
    """Run three workers on two cores: many tests wait for a time to pass, and a core would stand idle meanwhile."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + cores // 2


SHIPPED_HASHER = passwords.HASHER


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hash passwords at the least cost in this process: as shipped one takes a tenth of a second of both cores."""
    passwords.HASHER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    yield
    passwords.HASHER = SHIPPED_HASHER


@pytest.fixture
def shipped_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[PasswordHasher]:
    """Hash passwords as shipped, for tests of just that."""
    monkeypatch.setattr(passwords, "HASHER", SHIPPED_HASHER)
    passwords._nobodys_hash.cache_clear()
    yield SHIPPED_HASHER
    passwords._nobodys_hash.cache_clear()


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Keep what one test sets up for logging, as every command does, from the next."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """The embedded server of this run, with its migrated template."""
    with open_databases() as opened:
        yield opened


@pytest.fixture
def database(databases: Databases) -> Iterator[DatabaseUrls]:
    """An empty database of one test's own, by its three logins; dropped afterwards."""
    with databases.copy() as urls:
        yield urls


@pytest.fixture
def clock() -> SteeredClock:
    """The test's clock: it begins at 10:00 in China on 11 March 2025."""
    return SteeredClock()


@pytest.fixture
async def resources(database: DatabaseUrls, clock: SteeredClock) -> AsyncIterator[Resources]:
    """What the use cases work with, as the login settlement_app, with the test's clock and seeded ids."""
    async with open_test_resources(database, clock) as opened:
        yield opened


@pytest.fixture
async def city(resources: Resources) -> City:
    """A fund under the Chongqing profile that pays by Hangzhou's plan, with hospitals of each level and members."""
    return await a_city(resources)
