"""The dashboard has Chinese words for whatever the record may show."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from settlement.dashboard import words
from settlement.db.invariants import LIMITS, RECORD_CHECKS
from settlement.db.privileges import CATALOG_CHECKS
from settlement.db.reconciling import _OUR_FIGURES, _THEIRS
from settlement.domain.audit import Invariant
from settlement.domain.bills import InsurerFunds
from settlement.domain.reconciliation import BreakKind, Resolution, Source
from settlement.domain.settlements import BillState, Door
from settlement.services.access.add_staff import SCOPES_OF_A_STAFF_ROLE
from settlement.services.audit import (
    examine_identities,
    examine_plans,
    examine_rooms,
    examine_seals,
    examine_settlements,
)

_BY_HAND = (examine_identities, examine_plans, examine_rooms, examine_seals, examine_settlements)


def every_invariant() -> set[str]:
    checked = {check.invariant.name for check in (*RECORD_CHECKS, *CATALOG_CHECKS, LIMITS)}
    written = {found.name for module in _BY_HAND for found in vars(module).values() if isinstance(found, Invariant)}
    return checked | written


def test_every_invariant_has_its_law_in_chinese():
    assert every_invariant() == set(words.LAWS)


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (words.STATES, set(BillState)),
        (words.DOORS, set(Door)),
        (words.ROLES, set(SCOPES_OF_A_STAFF_ROLE)),
        (words.SOURCES, set(Source)),
        (words.BREAKS, set(BreakKind)),
        (words.RESOLUTIONS, set(Resolution)),
        (words.FUNDS, {field.name for field in fields(InsurerFunds)}),
    ],
)
def test_every_code_has_a_word(table: dict[str, str], codes: set[str]):
    assert set(table) == codes


def test_every_figure_of_a_break_has_a_name():
    shown = {name.removesuffix("_fen") for name in re.findall(r"'(\w+)', [lo]_", f"{_THEIRS}, {_OUR_FIGURES}")}
    assert len(shown) > 20
    assert shown <= set(words.COMPARED)
