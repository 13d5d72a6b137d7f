"""What tests of plans start from where a mutant is tried."""

from __future__ import annotations

import os

import pytest

from settlement.plans.compile import compile_version


@pytest.fixture(autouse=True)
def a_mutant_compiles_anew() -> None:
    """Forget compiled plans: the process of a mutant is forked from one that compiled them without it."""
    if "MUTANT_UNDER_TEST" in os.environ:
        compile_version.cache_clear()
