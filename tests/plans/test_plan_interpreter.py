"""The compiled plan against a slow reader of the same model: both settle random histories under random plans alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from agreeing import agree
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from strategies import History, histories, plans

from settlement.plans.model import PlanVersion, read_plan

PLAN_FILES = sorted((Path(__file__).parents[2] / "plans").glob("*.yaml"))
VERSIONS = [
    pytest.param(version, id=f"{path.stem}-{version.version}")
    for path in PLAN_FILES
    for version in read_plan(path).versions
]
SLOW = settings(
    deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate, Phase.shrink)
)


@settings(SLOW, max_examples=150)
@given(version=plans(), history=histories())
def test_the_interpreter_agrees_with_the_compiled_plan_on_random_plans(version: PlanVersion, history: History) -> None:
    agree(version, history)


@pytest.mark.large
@settings(SLOW, max_examples=10_000)
@given(version=plans(), history=histories())
def test_the_interpreter_agrees_with_the_compiled_plan_on_ten_thousand_plans(
    version: PlanVersion, history: History
) -> None:
    agree(version, history)


@pytest.mark.parametrize("version", VERSIONS)
@settings(SLOW, max_examples=25)
@given(data=st.data())
def test_the_interpreter_agrees_with_every_published_plan(version: PlanVersion, data: st.DataObject) -> None:
    agree(version, data.draw(histories(version)))
