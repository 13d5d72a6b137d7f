"""A machine whose clock is off does not start to serve: bills, holds and leases would be dated wrong."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from database import Databases
from serving import TOKEN_KEY, write_keys
from settlement.app import refuse_wrong_clock, utc_now
from settlement.cli import serve, worker
from settlement.domain.time import clock_offset_seconds

NOON = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize("command", [serve, worker], ids=["serve", "worker"])
@pytest.mark.parametrize("off_seconds", [3, -3])
def test_a_clock_three_seconds_off_the_databases_is_refused_at_the_start(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command, off_seconds: int
):
    off = functools.partial(refuse_wrong_clock, clock=lambda: utc_now() + timedelta(seconds=off_seconds))
    monkeypatch.setattr(command, "refuse_wrong_clock", off)
    with databases.copy() as urls:
        given = {
            "DATABASE_URL": urls.app,
            "DATABASE_OPS_URL": urls.ops,
            "SETTLEMENT_KEY_FILE": str(write_keys(tmp_path)),
            "SETTLEMENT_TOKEN_KEY": TOKEN_KEY,
        }
        refused = CliRunner().invoke(command.app, [], env=given)
    assert refused.exit_code == 3
    assert "differ by more than two seconds" in refused.output


@pytest.mark.parametrize(
    ("theirs", "offset"), [(0.0, 0), (0.5, 0), (1.0, 0), (1.25, 0.25), (-0.5, -0.5), (10, 9), (-10, -10)]
)
def test_what_lies_within_the_reading_is_no_difference_however_long_it_took(theirs: float, offset: float):
    read_at = NOON + timedelta(seconds=theirs)
    assert clock_offset_seconds(NOON, read_at, NOON + timedelta(seconds=1)) == offset
