"""Use cases work in a clone of one registered city; the clone is the test's own and commits for real."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from builders import City
from cities import city_template
from database import Databases
from settlement.db.embedded import DatabaseUrls


@pytest.fixture(scope="session")
def registered(databases: Databases) -> Iterator[tuple[str, City]]:
    with city_template(databases) as name_and_city:
        yield name_and_city


@pytest.fixture
def database(databases: Databases, registered: tuple[str, City]) -> Iterator[DatabaseUrls]:
    with databases.copy(registered[0]) as urls:
        yield urls


@pytest.fixture
def city(registered: tuple[str, City]) -> City:
    return registered[1]
