"""The fixed day of the demo, as a newcomer runs it, tied to the insurer's raw log by a script that knows neither."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from decimal import Decimal
from pathlib import Path

import pytest

SETTLEMENT = [sys.executable, "-m", "settlement"]
TIE = Path(__file__).parent / "tie_to_raw_log.py"
AMOUNTS = ["billed", "insurer_paid", "provider_absorbed", "account_paid"]
AMOUNTS += ["mutual_aid_on_bill", "mutual_aid_to_card", "other_on_bill", "cash_due"]


def run(environment, *arguments):
    done = subprocess.run([*SETTLEMENT, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module", params=[200, pytest.param(2000, marks=pytest.mark.large)])
def bills(request):
    """How many bills the day has: by hand what a newcomer sees; else a tenth, of a seed that has every end of one."""
    return request.param


@pytest.fixture(scope="module")
def environment(tmp_path_factory, bills):
    directory = tmp_path_factory.mktemp("demo")
    return {**os.environ, "SETTLEMENT_DATA_DIR": str(directory), "SETTLEMENT_DATABASE_NAME": "settlement_demo"}


@pytest.fixture(scope="module")
def summary(environment, bills):
    return run(environment, "demo", "--once", "--json", "--seed", "2", "--bills", str(bills))


@pytest.fixture
def api(environment):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([*SETTLEMENT, "serve", "--port", str(port)], env=environment, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(process, url)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def wait_until_ready(process, url):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/readyz"):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError("the API did not become ready")


def test_the_day_settles_every_bill_and_breaks_no_invariant(summary, bills):
    assert summary["bills"] == bills
    assert summary["invariants_broken"] == 0
    assert summary["unaccounted"] == 0


def test_every_bill_has_one_final_state_and_each_state_occurs(summary):
    states = [summary["settled"], summary["not_covered"], summary["reversed"], summary["held"]]
    assert sum(states) == summary["bills"]
    assert all(count > 0 for count in states)


def test_every_bill_pays_the_cash_that_its_held_quote_showed(summary, bills):
    assert summary["promises_kept"] == summary["promises"] > bills / 20


def test_the_equation_holds_for_the_sums(summary):
    sums = {name: Decimal(summary[name]) for name in AMOUNTS}
    paid = sum(sums[name] for name in AMOUNTS if name not in ("billed", "mutual_aid_to_card"))
    assert sums["billed"] == paid
    assert sums["mutual_aid_on_bill"] > 0
    assert sums["mutual_aid_to_card"] > 0


def test_a_script_that_knows_neither_side_gets_the_same_totals_from_the_insurers_raw_log(environment, summary, api):
    client = run(environment, "client", "add", "auditor", "--fund", "binzhou", "--role", "staff", "--json")
    raw_log = Path(environment["SETTLEMENT_DATA_DIR"]) / "demo" / "insurer" / "raw.jsonl"
    arguments = [api, client["client_id"], client["client_secret"], str(raw_log), "2026-03-10"]
    done = subprocess.run([sys.executable, str(TIE), *arguments], capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert done.returncode == 0, told
    assert told["live"] == summary["settled"]
    assert told["service"]["insurer"] == summary["insurer_paid"]


def test_the_doctor_finds_nothing_afterwards(environment, summary):
    assert run(environment, "doctor", "--json")["invariants_broken"] == 0


@pytest.mark.large
@pytest.mark.parametrize("seed", [1, 2, 3, 11, 42])
def test_days_of_other_seeds_break_no_invariant_either(tmp_path, seed):
    environment = {**os.environ, "SETTLEMENT_DATA_DIR": str(tmp_path)}
    summary = run(environment, "demo", "--once", "--json", "--seed", str(seed))
    assert summary["bills"] == 2000
    assert summary["invariants_broken"] == summary["unaccounted"] == 0
