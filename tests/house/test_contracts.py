"""The floors of the house: who may import whom, and what is kept of every error."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import settlement
from settlement.api.problems import STATUS, Refused
from settlement.domain.errors import SettlementError
from settlement.domain.sentences import SENTENCES

ROOT = Path(__file__).parents[2]

COMMAND_LINE_ONLY = {
    "clock_apart": "`settlement serve` and `settlement worker`",
    "books_busy": "`settlement books close`",
    "books_closed_today": "`settlement books close`",
    "client_unusable": "`settlement client add`",
    "level_unknown": "`settlement hospital add`",
    "member_unusable": "`settlement member add`",
    "receipt_missing": "`settlement plan receipt`",
    "receipt_unusable": "`settlement plan replay`",
    "seal_missing": "`settlement seal export`",
    "staff_unknown": "`settlement staff disable`",
    "staff_unusable": "`settlement staff add`",
    "unit_unknown": "`settlement member add`",
    "witness_unusable": "`settlement doctor --witness`",
}
"""Codes that no door of the network meets, with the command that does; the class's own sentence is told there."""


def test_the_import_contracts_are_kept():
    linter = Path(sys.executable).parent / "lint-imports"
    told = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "0 broken" in told.stdout


def every_error() -> list[type[SettlementError]]:
    for module in pkgutil.walk_packages(settlement.__path__, "settlement."):
        if ".lab." not in module.name and not module.name.endswith(("__main__", ".spark")):
            importlib.import_module(module.name)
    found: list[type[SettlementError]] = []
    below = [SettlementError]
    while below:
        children = below.pop().__subclasses__()
        found += children
        below += children
    return [error for error in found if error is not Refused and error.__module__.startswith("settlement.")]


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.__name__)
def test_every_refusal_has_a_status_and_a_sentence_or_belongs_to_a_command(error: type[SettlementError]):
    assert error.code != SettlementError.code, f"{error.__name__} has no code of its own"
    assert (error.code in STATUS) is not (error.code in COMMAND_LINE_ONLY), error.code
    if error.code in STATUS:
        assert error.code in SENTENCES
    else:
        assert error.__doc__


def test_every_code_of_the_command_line_is_still_raised_by_something():
    assert set(COMMAND_LINE_ONLY) <= {error.code for error in every_error()}
