"""The boundary cases: a bill a fen below, at, and a fen above each bound of a plan, computed by the plan itself."""

from __future__ import annotations

import json
from itertools import groupby

import pytest
from typer.testing import CliRunner
from wrong_plans import BY_PARTS, HIGH, SOUND, WHOLE, WRONG

from settlement.cli.plans import app
from settlement.plans.boundaries import Boundary, boundaries
from settlement.plans.checks.run import check_plan
from settlement.plans.findings import Severity
from settlement.plans.model import load_plan

BOUNDS = [
    (key, list(rows))
    for key, rows in groupby(
        boundaries(load_plan(SOUND, "plan.yaml")), key=lambda boundary: (boundary.benefit, boundary.bound)
    )
]


def of_bound(text: str, benefit: str, bound: str) -> list[tuple[str, str]]:
    rows = boundaries(load_plan(text, "plan.yaml"))
    return [(str(row.base), str(row.aid)) for row in rows if (row.benefit, row.bound) == (benefit, bound)]


@pytest.mark.parametrize(("key", "rows"), BOUNDS, ids=["-".join(key) for key, _ in BOUNDS])
def test_a_bound_has_a_bill_on_each_side_and_one_on_it(key: tuple[str, str], rows: list[Boundary]) -> None:
    assert len(rows) == 3
    if rows[0].given.keys().isdisjoint({"days", "age", "days_covered"}):
        assert [row.base - rows[1].base for row in rows] == [-1, 0, 1]


def test_every_kind_of_bound_is_shown() -> None:
    assert [key for key, _ in BOUNDS] == [
        ("first", "每次住院补助最高 300 元"),
        ("first", "每次住院补助最高 150 元"),
        ("first", "每次住院补助最高 100 元"),
        ("expense", "每次住院起付线 200 元"),
        ("expense", "5,000 元"),
        ("expense", "10,000 元"),
        ("expense", "5,000 元"),
        ("expense", "每次住院补助最高 8,000 元"),
        ("allowance", "最短住院"),
        ("allowance", "第 4 天起"),
        ("allowance", "第 31 天起"),
        ("allowance", "到第 30 天"),
        ("allowance", "每期 60 天"),
        ("illness", "age 16"),
        ("illness", "age 60"),
        ("illness", "days_covered 119"),
    ]


def test_a_band_lies_behind_the_deductible() -> None:
    assert of_bound(SOUND, "expense", "10,000 元") == [
        ("10199.99", "4050.00"),
        ("10200.00", "4050.00"),
        ("10200.01", "4050.01"),
    ]


def test_a_cliff_is_seen() -> None:
    text = SOUND.replace(BY_PARTS, WHOLE).replace(HIGH, "{from: 5000, pays: 900, clause: 乙段}")
    assert of_bound(text, "expense", "5,000 元")[3:] == [
        ("5199.99", "1350.00"),
        ("5200.00", "810.00"),
        ("5200.01", "810.00"),
    ]


def test_a_minimum_is_seen_where_it_ends() -> None:
    rows = of_bound(WRONG["cliff_minimum"].text, "expense", "每期补助不足 100 元的，补足至 100 元")
    assert [aid for _, aid in rows] == ["100.00", "100.00", "100.01"]


@pytest.mark.parametrize(
    "id_", [id_ for id_, wrong in WRONG.items() if id_.startswith(("cliff", "falling", "no_", "limit_never", "unused"))]
)
def test_a_plan_with_warnings_has_its_boundaries(id_: str) -> None:
    plan = load_plan(WRONG[id_].text, "plan.yaml")
    if not any(finding.severity is Severity.ERROR for finding in check_plan(plan)):
        assert boundaries(plan)


def test_a_limit_that_benefits_share_is_seen() -> None:
    text = SOUND.replace("over: life, amount: 600000", "over: life, amount: 700")
    shared = "总额：终身合计最高 700 元"
    assert of_bound(text, "expense", shared) == [("2144.43", "699.99"), ("2144.44", "700.00"), ("2144.45", "700.00")]
    assert of_bound(text, "allowance", shared) == [("640.00", "640.00"), ("720.00", "700.00"), ("800.00", "700.00")]


def test_a_fixed_sum_is_seen_around_the_numbers_that_it_hangs_on() -> None:
    assert of_bound(SOUND, "illness", "days_covered 119") == [
        ("1000.00", "440.00"),
        ("1000.00", "440.00"),
        ("20000.00", "19440.00"),
    ]


def test_the_command_shows_them_where_there_are_no_errors(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("plans") / "plan.yaml"
    file.write_text(SOUND, encoding="utf-8")
    said = CliRunner().invoke(app, ["check", str(file), "--json"])
    shown = json.loads(said.output)
    assert (said.exit_code, shown["errors"], shown["findings"]) == (0, 0, [])
    assert shown["boundaries"][0] == {
        "version": "1",
        "benefit": "first",
        "bound": "每次住院补助最高 300 元",
        "clause": "起付补助",
        "given": {"insurer_deductible": "299.99", "hospital_level": "3", "stay_ordinal": "1"},
        "base": "299.99",
        "aid": "299.99",
    }
    assert "Boundary cases" in CliRunner().invoke(app, ["check", str(file)]).output


def test_the_command_shows_findings_and_no_boundaries_where_there_are_errors(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    file = tmp_path_factory.mktemp("plans") / "plan.yaml"
    file.write_text(WRONG["band_gap"].text, encoding="utf-8")
    said = CliRunner().invoke(app, ["check", str(file), "--json"])
    shown = json.loads(said.output)
    assert (said.exit_code, shown["errors"], shown["boundaries"]) == (1, 1, [])
    assert shown["findings"][0]["id"] == "band_gap"
    assert "error[band_gap]" in CliRunner().invoke(app, ["check", str(file)]).output


def test_a_long_stay_does_not_begin_before_its_term() -> None:
    text = SOUND.replace("limit, over: term, days: 60", "limit, over: term, days: 600")
    rows = boundaries(load_plan(text, "plan.yaml"))
    days = [int(row.aid) for row in rows if row.bound == "每期 600 天"]
    assert days == sorted(days)
    assert len(days) == 3


def test_the_smallest_bill_that_is_paid_the_minimum_is_the_bound_of_the_burden() -> None:
    text = WRONG["cliff_minimum"].text
    assert [aid for _, aid in of_bound(text, "expense", "每期补助不超过个人负担")][1] == "100.00"


def test_every_version_has_its_boundary_cases() -> None:
    text = WRONG["version_without_case"].text
    assert {row.version for row in boundaries(load_plan(text, "plan.yaml"))} == {"1", "2"}
