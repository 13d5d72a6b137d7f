"""A city registered once for the run: a template that tests clone, so that each still has a database of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from builders import TEN_IN_CHINA, City, SteeredClock, a_city, open_test_resources
from database import Databases


@contextmanager
def city_template(databases: Databases, seed: int = 1, **options: object) -> Iterator[tuple[str, City]]:
    """Register a city in a clone of the migrated template; yield the clone's name and the city.

    It is registered the day before the tests' clock begins, with other ids than theirs.
    """
    name = databases.clone()

    async def register() -> City:
        clock = SteeredClock(TEN_IN_CHINA - timedelta(days=1))
        async with open_test_resources(databases.urls(name), clock, seed) as resources:
            return await a_city(resources, **options)  # type: ignore[arg-type]

    try:
        yield name, asyncio.run(register())
    finally:
        databases.drop(name)
