"""Files of bills, simulated over processes: encodings, bad rows, any order of rows, any number of processes."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from typer.testing import CliRunner

from settlement.cli import app
from settlement.lab.bench.year import write_year
from settlement.plans.model import read_plan
from settlement.plans.simulation.grouping import Period
from settlement.plans.simulation.simulate import Plans
from settlement.services.simulation.bill_file import BillsUnreadable
from settlement.services.simulation.run_simulation import Request, Simulated, simulate_file

PLAN_FILE = Path(__file__).parents[1] / "plans" / "inpatient_only.yaml"
PLANS = Plans(read_plan(PLAN_FILE).versions[-1].canonical())
HEADER = (
    "member,settled_on,care,admitted_on,discharged_on,hospital_level,insurance_type,person_category,"
    "allowed,insurer_paid,paid"
)
STAY = "甲,2025-03-10,inpatient,2025-03-01,2025-03-10,3,310,active,800,0,0"


def simulated(path: Path, processes: int = 1) -> Simulated:
    return simulate_file(path, Request(PLANS, Period(), processes), lambda what, done, of: None)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("year") / "year.csv"
    write_year(path, 7, 400, 2025, read_plan(PLAN_FILE).versions[-1])
    return path


def test_the_result_does_not_depend_on_the_number_of_processes(year: Path):
    one, two = simulated(year, 1), simulated(year, 2)
    assert one == two
    assert one.tally.whole.bills > 1_000


def test_rows_need_no_order_where_no_two_bills_of_a_member_are_of_one_day(tmp_path: Path):
    rows = [STAY.replace("03-10", f"03-{day}") for day in range(10, 30)]
    shuffled = rows.copy()
    Random(3).shuffle(shuffled)
    results = []
    for name, lines in (("a", rows), ("b", shuffled)):
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join([HEADER, *lines]), encoding="utf-8")
        results.append(simulated(path).tally)
    assert results[0].days == results[1].days
    assert results[0].whole == results[1].whole


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_both_encodings_are_read(tmp_path: Path, encoding: str):
    path = tmp_path / "bills.csv"
    path.write_text(f"{HEADER}\n{STAY}\n", encoding=encoding)
    whole = simulated(path).tally.whole
    assert (whole.bills, whole.after_fen) == (1, 16_000)


def test_a_bad_row_is_reported_by_its_number_and_the_others_count(tmp_path: Path):
    path = tmp_path / "bills.csv"
    rows = [STAY, STAY.replace("800", "8OO"), ",".join(STAY.split(",")[:5]), STAY.replace("甲", ""), STAY]
    path.write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    tally = simulated(path).tally
    assert tally.whole.bills == 2
    assert [(bad.row, bad.why) for bad in tally.first_refused] == [
        (3, "allowed: '8OO' is not an amount in yuan"),
        (4, "it has 5 cells, the header 11"),
        (5, "member is empty"),
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"member,allowed\n", "no column settled_on, care"),
        (HEADER.encode() + b"\n\xff\xff\xff\xff,\n", "neither UTF-8 nor GB18030"),
        (HEADER.encode() + b'\n"open', "not a CSV file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_plainly(tmp_path: Path, content: bytes, why: str):
    path = tmp_path / "bills.csv"
    path.write_bytes(content)
    with pytest.raises(BillsUnreadable, match=why):
        simulated(path)


def test_nothing_of_the_bills_is_left_behind(year: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    simulated(year)
    assert list(tmp_path.iterdir()) == []


def run(*command: str) -> dict[str, object]:
    ended = CliRunner().invoke(app, ["plan", "simulate", *command, "--json"], catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    said: dict[str, object] = json.loads(ended.stdout.splitlines()[-1])
    return said


def test_the_command_says_it_as_json_and_as_a_page(year: Path, tmp_path: Path):
    html = tmp_path / "out.html"
    fund = ("--opening-balance", "100000", "--dues", "8", "--members", "500", "--take-up", "2.7")
    said = run(str(PLAN_FILE), "--bills", str(year), "--processes", "1", *fund, "--html", str(html))
    assert said["against"] == "paid"
    assert said["members_losing"] == 0
    assert said["fund"]["dry_after"]  # type: ignore[index]
    assert html.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_plan_against_itself_changes_nothing(year: Path):
    said = run(str(PLAN_FILE), "--bills", str(year), "--against", str(PLAN_FILE), "--processes", "1")
    assert (said["cost_change"], said["members_gaining"], said["members_losing"]) == ("0.00", 0, 0)


def test_a_dearer_draft_is_seen_by_group(year: Path, tmp_path: Path):
    draft = tmp_path / "draft.yaml"
    draft.write_text(PLAN_FILE.read_text(encoding="utf-8").replace('rate: "20%"', 'rate: "30%"', 1), encoding="utf-8")
    said = run(str(draft), "--bills", str(year), "--against", str(PLAN_FILE), "--processes", "1")
    assert said["members_gaining"] > 0  # type: ignore[operator]
    assert said["members_losing"] == 0
    by_level = said["by"]["hospital_level"]  # type: ignore[index]
    assert by_level["1"]["cost_change"] == "0.00"


def test_the_tables_are_printed_for_a_person(year: Path):
    command = ["plan", "simulate", str(PLAN_FILE), "--bills", str(year), "--processes", "1"]
    ended = CliRunner().invoke(app, command, catch_exceptions=False)
    assert ended.exit_code == 0
    assert "每百人给付次数" in ended.stdout
    assert "Simulating" not in ended.output


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "either --bills FILE or --fund CODE"),
        (("--fund", "hz"), "give --from and --to"),
        (("--bills", str(PLAN_FILE), "--dues", "8"), "Dues need --opening-balance"),
        (("--bills", str(PLAN_FILE), "--dues", "8", "--opening-balance", "1"), "need --members"),
        (("--bills", str(PLAN_FILE), "--opening-balance", "viel"), "not an amount"),
        (("--bills", str(PLAN_FILE), "--take-up", "none"), "--take-up"),
        (("--bills", str(PLAN_FILE), "--version", "1999"), "no version '1999'"),
    ],
)
def test_what_cannot_be_done_is_said(options: tuple[str, ...], why: str):
    ended = CliRunner().invoke(app, ["plan", "simulate", str(PLAN_FILE), *options])
    assert ended.exit_code == 3
    assert why in ended.stderr


def test_sample_bills_are_the_same_for_a_seed_and_close(tmp_path: Path):
    for name in ("a.csv", "b.csv"):
        command = ["plan", "sample-bills", str(tmp_path / name), "--members", "50", "--plan", str(PLAN_FILE)]
        assert CliRunner().invoke(app, command, catch_exceptions=False).exit_code == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert simulated(tmp_path / "a.csv").tally.refused == 0
