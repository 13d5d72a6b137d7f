"""What the benchmark reports, and how it fails."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


class BenchFailed(RuntimeError):
    """The benchmark measured something else than it claims to; the message says what."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The result of a run. Everything named without a rate is per settlement; times end in their unit."""

    settle_per_second: float
    settle_vs_pgbench: float
    pgbench_per_second: float
    api_cpu_ms: float
    database_cpu_ms: float
    driver_cpu_ms: float
    wal_bytes: int
    round_trips: float
    commits: float
    p50_ms: float
    p99_ms: float
    one_client_ms: float
    adjudicate_us: float
    explain_us: float
    simulate_bills_per_second: int
    simulate_file_bills_per_second: int
    clients: int
    members: int
    settlements: int
    pgbench_transactions: int
    seconds: float
    seed: int

    def to_json(self) -> dict[str, Any]:
        """Return the figures for machines."""
        return asdict(self)
