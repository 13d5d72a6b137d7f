"""`docs/plan-checks.md` has a section for everything that the check can say, with an example that makes it say so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from wrong_plans import WRONG, WRONG_CASE, WRONG_FORM

from settlement.plans.checks.registry import CHECKS, FILE_CHECKS
from settlement.plans.checks.run import check_plan  # noqa: F401  Importing it registers the checks.

PAGE = (Path(__file__).parents[3] / "docs" / "plan-checks.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))
SEVERITIES = {check.id: check.severity for check in (*CHECKS, *FILE_CHECKS)}
WITHOUT_EXAMPLE = {"not_utf8", "empty_file", "too_large"}


def test_the_page_has_a_section_for_each_finding_and_no_other() -> None:
    assert set(SECTIONS) == {*SEVERITIES, *WRONG_CASE, *WRONG_FORM, "not_utf8"}


@pytest.mark.parametrize("id_", SECTIONS)
def test_a_section_says_how_grave_its_finding_is(id_: str) -> None:
    assert SECTIONS[id_].strip().startswith(f"{SEVERITIES.get(id_, 'error').capitalize()}. ")


@pytest.mark.parametrize("id_", sorted(SECTIONS.keys() - WITHOUT_EXAMPLE))
def test_the_example_that_is_wrong_is_wrong(id_: str) -> None:
    found = re.search(r"```yaml\n# wrong\n(.*?)# mended\n(.*?)```", SECTIONS[id_], flags=re.DOTALL)
    assert found
    wrong, mended = found.groups()
    text = {**WRONG, **WRONG_CASE, **WRONG_FORM}[id_].text
    assert wrong != mended
    assert all(line.strip() in text for line in wrong.splitlines() if not line.startswith("#"))
