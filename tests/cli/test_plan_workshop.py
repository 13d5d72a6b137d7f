"""The plan workshop on the command line: what a writer of plans sees last, and what a mistake says."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from settlement.cli.plans import app

ROOT = Path(__file__).parents[2]
EXTRA = ROOT / "tests" / "plans" / "extra"
SOUND = (ROOT / "tests" / "plans" / "checks" / "sound.yaml").read_text(encoding="utf-8")
NO_CONTINUITY = "  continuity: {grace_days: 10, clause: 连续参加}\n"


def run(*given: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in given])


@pytest.fixture
def unsound(tmp_path: Path) -> Path:
    file = tmp_path / "plan.yaml"
    file.write_text(SOUND.replace(NO_CONTINUITY, ""), encoding="utf-8")
    return file


def test_the_verdict_stands_below_the_boundary_cases_and_names_the_next_step() -> None:
    file = EXTRA / "nights-over-terms.yaml"
    lines = run("check", file).output.splitlines()
    assert lines[0].startswith("Boundary cases of version 2011")
    assert "warning[no_term_limit]" in lines[-3]
    assert lines[-2].endswith("0 errors, 2 warnings.")
    assert lines[-1] == f"Next, the worked cases: settlement plan test {file}"


@pytest.mark.parametrize("command", ["test", "explain"])
def test_a_plan_with_errors_is_not_run_but_told_what_is_wrong(command: str, unsound: Path) -> None:
    said = run(command, unsound)
    assert said.exit_code == 1
    assert "error[no_continuity]" in said.output


def test_a_held_bill_and_one_without_cover_are_explained() -> None:
    file = EXTRA / "beijing-allowance.yaml"
    held = run("explain", file, "--case", "性别不明的待补", "--language", "en")
    assert (held.exit_code, held.output) == (0, "held: sex is missing; nothing is computed until it is known.\n")
    assert run("explain", file, "--case", "新年入院，没有续保").output == "2012-01-05 没有参保，本单不归本方案。\n"


def test_a_fact_that_cannot_be_given_is_answered_with_the_way_to_give_it() -> None:
    derived = run("explain", EXTRA / "gansu.yaml", "--fact", "stay_ordinal=2")
    assert derived.exit_code == 3
    assert "stay_ordinal follows from dates, covers or earlier bills: write a case" in derived.output
    assert "hospital_level" in run("explain", EXTRA / "gansu.yaml", "--fact", "hospitallevel=2").output


def test_the_explanation_ends_with_all_benefits_together() -> None:
    said = run("explain", EXTRA / "gansu.yaml", "--case", "二级医院两次")
    assert "各项合计：本单补助 470.00 元。" in said.output
