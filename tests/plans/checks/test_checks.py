"""Each thing that the checker can say has a wrong plan that makes it say so, and a page; without a check, only its own
plan passes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from wrong_plans import SOUND, WRONG, WRONG_CASE, WRONG_FORM, Wrong

from settlement.plans.checks import registry
from settlement.plans.checks.run import check_plan
from settlement.plans.examine import examine_plan
from settlement.plans.findings import Finding, PlanRefused, Severity
from settlement.plans.model import Plan, load_plan, read_plan

IDS = [check.id for check in (*registry.CHECKS, *registry.FILE_CHECKS)]
NOT_UTF8 = "not_utf8"
PLANS = Path(__file__).parents[3] / "src" / "settlement" / "plans"


@cache
def loaded(id_: str) -> Plan:
    return load_plan(WRONG[id_].text, "plan.yaml")


def named_line(wrong: Wrong, finding: Finding) -> str:
    assert finding.line is not None
    return wrong.text.splitlines()[finding.line - 1]


def test_nothing_is_said_about_a_sound_plan() -> None:
    assert check_plan(load_plan(SOUND, "plan.yaml")) == []


@pytest.mark.parametrize("id_", WRONG)
def test_a_wrong_plan_is_found_on_its_line(id_: str) -> None:
    wrong, findings = WRONG[id_], check_plan(loaded(id_))
    own = [finding for finding in findings if finding.id == id_]
    assert own
    assert wrong.line in named_line(wrong, own[0])
    assert {finding.id for finding in findings} == {id_, *wrong.beside}
    assert all(finding.zh != finding.en and finding.zh and finding.en for finding in own)


def test_a_case_that_does_not_come_out_is_an_error_on_its_line_once_the_rules_are_sound() -> None:
    ((id_, wrong),) = WRONG_CASE.items()
    (finding,) = examine_plan(load_plan(wrong.text, "plan.yaml"))
    assert (finding.id, finding.severity) == (id_, Severity.ERROR)
    assert wrong.line in named_line(wrong, finding)
    assert "expected first 301.00" in finding.en
    assert examine_plan(load_plan(SOUND, "plan.yaml")) == []
    unsound = loaded("band_edges")
    assert examine_plan(unsound) == check_plan(unsound)


@pytest.mark.parametrize("id_", WRONG_FORM)
def test_an_error_of_form_is_found_on_its_line(id_: str) -> None:
    wrong = WRONG_FORM[id_]
    with pytest.raises(PlanRefused) as refused:
        load_plan(wrong.text, "plan.yaml")
    own = [finding for finding in refused.value.findings if finding.id == id_]
    assert len(own) == 1
    assert own[0].severity is Severity.ERROR
    assert not wrong.line or wrong.line in named_line(wrong, own[0])
    assert {finding.id for finding in refused.value.findings} <= {id_, *wrong.beside}


def test_a_file_in_another_encoding_is_refused_by_its_id(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_bytes(SOUND.encode("gb18030"))
    with pytest.raises(PlanRefused) as refused:
        read_plan(file)
    assert [finding.id for finding in refused.value.findings] == [NOT_UTF8]


@contextmanager
def only(keep: Callable[[str], bool]) -> Iterator[None]:
    """Leave some checks in the registry for a while."""
    lists: list[list[Any]] = [registry.CHECKS, registry.FILE_CHECKS]
    before = [list(checks) for checks in lists]
    for checks in lists:
        checks[:] = [check for check in checks if keep(check.id)]
    try:
        yield
    finally:
        for checks, all_of_them in zip(lists, before, strict=True):
            checks[:] = all_of_them


@pytest.mark.parametrize("removed", IDS)
def test_without_a_check_its_own_plan_passes(removed: str) -> None:
    with only(lambda id_: id_ != removed):
        assert removed not in {finding.id for finding in check_plan(loaded(removed))}


@pytest.mark.parametrize("left", IDS)
def test_a_check_needs_no_other_one_so_that_removing_another_changes_nothing(left: str) -> None:
    with only(lambda id_: id_ == left):
        assert {finding.id for finding in check_plan(loaded(left))} == {left}


def test_every_id_is_given_once_and_has_its_wrong_plan() -> None:
    assert len(IDS) == len(set(IDS))
    assert set(IDS) == set(WRONG)
    assert not {*WRONG} & {*WRONG_FORM, NOT_UTF8}


def test_every_error_of_form_has_its_wrong_plan() -> None:
    source = "".join((PLANS / name).read_text(encoding="utf-8") for name in ("form_errors.py", "yaml_lines.py"))
    given = set(re.findall(r'(?:return|_refused\(|Finding\()\s*\(?\s*f?"([a-z_0-9]+)",', source))
    assert given | {"not_yuan", "not_rate", "not_points"} == {*WRONG_FORM, NOT_UTF8}
