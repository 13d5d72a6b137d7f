"""The API on a port, on a database with two funds and a client of each role, all the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

from builders import TEN_IN_CHINA, City, SteeredClock, a_city, open_test_resources
from calling import Callers
from database import Databases
from serving import registered_clients, registered_people, served
from settlement.db.embedded import DatabaseUrls
from settlement.services.access.add_client import NewClient


@dataclass(frozen=True, slots=True)
class TwoFunds:
    """What the template holds: two funds whose hospitals have the same codes, and their clients by role."""

    template: str
    city: City
    other_city: City
    clients: dict[str, NewClient]
    people: dict[str, tuple[str, str]]


@pytest.fixture(scope="session")
def two_funds(databases: Databases) -> Iterator[TwoFunds]:
    name = databases.clone()

    async def register() -> TwoFunds:
        clock = SteeredClock(TEN_IN_CHINA - timedelta(days=1))
        async with open_test_resources(databases.urls(name), clock, seed=1) as resources:
            city, other = await a_city(resources, members=120), await a_city(resources, code="nb")
            clients = await registered_clients(resources, city)
            others = await registered_clients(resources, other)
            people, people_of_other = (
                await registered_people(resources, city),
                await registered_people(resources, other),
            )
            return TwoFunds(
                name,
                city,
                other,
                clients | {f"{role} of another fund": others[role] for role in others},
                people | {f"{role} of another fund": person for role, person in people_of_other.items()},
            )

    try:
        yield asyncio.run(register())
    finally:
        databases.drop(name)


@pytest.fixture
def database(databases: Databases, two_funds: TwoFunds) -> Iterator[DatabaseUrls]:
    with databases.copy(two_funds.template) as urls:
        yield urls


@pytest.fixture
def city(two_funds: TwoFunds) -> City:
    return two_funds.city


@pytest.fixture
def other_city(two_funds: TwoFunds) -> City:
    return two_funds.other_city


@pytest.fixture
def url(database: DatabaseUrls) -> Iterator[str]:
    with served(database) as address:
        yield address


@pytest.fixture
async def callers(url: str, two_funds: TwoFunds) -> AsyncIterator[Callers]:
    limits = httpx.Limits(max_connections=100)
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=30, limits=limits) as http:
        yield Callers(url, http, two_funds.clients, two_funds.people)
