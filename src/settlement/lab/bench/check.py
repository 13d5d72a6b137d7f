"""Whether what was measured is what was meant: rows that are really there."""

from __future__ import annotations

import psycopg

from settlement.lab.bench.outcome import BenchFailed
from settlement.lab.bench.scripts import PREFIX

_TABLES = ("settlement", "posting", "consumption", "event", "message_body")


def check_rows(observer: psycopg.Connection, committed: int) -> None:
    """See that each transaction of `pgbench` wrote all that a settlement writes, and that no bill of ours was held.

    Raises `BenchFailed`.
    """
    mine = f"SELECT bill_id FROM bill WHERE insurer_settlement_id LIKE '{PREFIX}%'"
    counts = {"bill": _count(observer, f"SELECT count(*) FROM ({mine}) AS mine")}
    for table in _TABLES:
        query = f"SELECT count(DISTINCT bill_id) FROM {table} WHERE bill_id IN ({mine})"
        counts[table] = _count(observer, query)
    counts["idempotency"] = _count(observer, f"SELECT count(*) FROM idempotency WHERE key LIKE '{PREFIX}%'")
    missing = {table: count for table, count in counts.items() if count != committed}
    if missing:
        raise BenchFailed(f"pgbench committed {committed} transactions, but there are {missing}")
    unpriced = _count(observer, "SELECT count(*) FROM bill WHERE state <> 'live'")
    if unpriced:
        raise BenchFailed(f"{unpriced} bills were held, so that no aid was computed on them")


def _count(observer: psycopg.Connection, query: str) -> int:
    row = observer.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0
