"""What a part of a run used: CPU of each side, WAL, and commits, read from outside."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil
import psycopg

from settlement.lab.bench.scene import DATABASE


@dataclass(frozen=True, slots=True)
class Reading:
    """The meters at one moment: seconds of CPU, bytes of WAL since the server was made."""

    at: float
    api_cpu: float
    database_cpu: Mapping[int, float]
    driver_cpu: float
    wal: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used between two readings, in seconds and bytes."""

    seconds: float = 0.0
    api_cpu: float = 0.0
    database_cpu: float = 0.0
    driver_cpu: float = 0.0
    wal: int = 0

    def __add__(self, other: Usage) -> Usage:
        """Return the sum of two parts."""
        return Usage(
            self.seconds + other.seconds,
            self.api_cpu + other.api_cpu,
            self.database_cpu + other.database_cpu,
            self.driver_cpu + other.driver_cpu,
            self.wal + other.wal,
        )


def read_meters(observer: psycopg.Connection, postmaster_pid: int, api_pid: int) -> Reading:
    """Read all meters. The server counts whole: its backends and what writes its WAL and its pages."""
    server = psutil.Process(postmaster_pid)
    processes = [server, *server.children()]
    wal = observer.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").fetchone()
    return Reading(
        at=time.perf_counter(),
        api_cpu=_cpu(psutil.Process(api_pid)),
        database_cpu={process.pid: _cpu(process) for process in processes},
        driver_cpu=time.process_time(),
        wal=int(wal[0]) if wal else 0,
    )


def used(before: Reading, after: Reading) -> Usage:
    """Return what was used between two readings."""
    database = sum(cpu - before.database_cpu.get(pid, 0.0) for pid, cpu in after.database_cpu.items())
    return Usage(
        after.at - before.at,
        after.api_cpu - before.api_cpu,
        database,
        after.driver_cpu - before.driver_cpu,
        after.wal - before.wal,
    )


def postmaster_of(observer: psycopg.Connection) -> int:
    """Return the process id of the server that started this connection's backend."""
    return psutil.Process(observer.info.backend_pid).ppid()


def commits_of(superuser_url: str) -> int:
    """Return how many transactions the benchmark's database has committed; asked from another database."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        query = "SELECT xact_commit FROM pg_stat_database WHERE datname = %s"
        row = connection.execute(query, [DATABASE]).fetchone()
        return int(row[0]) if row else 0


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
