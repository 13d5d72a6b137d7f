"""What is proposed for each kind of break, and who may do what about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from settlement.domain.reconciliation import (
    Break,
    BreakAction,
    BreakKind,
    BreakStatus,
    Source,
    is_allowed,
    repair_of,
)

ASSIGN, SETTLE, REVERSE, TRANSFER, RESOLVE = BreakAction
FOUND = Break(
    break_id=UUID(int=1),
    source=Source.BUREAU,
    kind=BreakKind.AMOUNT,
    area="330100",
    insurer_settlement_id="S1",
    business_date=date(2026, 3, 10),
    bill_id=None,
    hospital_code="H1",
    figures={},
    import_id=None,
    line=None,
    opened_at=datetime(2026, 3, 11, tzinfo=UTC),
    owner=None,
    status=BreakStatus.OPEN,
    resolution=None,
    resolved_by=None,
    resolved_at=None,
    step_count=0,
)
CANCELLED_THERE = {"theirs": {"entry": "cancellation"}}
CANCELLED_HERE = {"theirs": {"entry": "settlement"}}
CANCELLED_AT_OURS = {"ours": {"entry": "cancellation"}}
NO_AID_GIVEN = {"ours": {"aid_on_bill_fen": 300_00, "cash_due_fen": 700_00}, "theirs": {"aid_given_fen": 0}}
CASES = [
    (source, kind, figures)
    for source in Source
    for kind in BreakKind
    for figures in (
        CANCELLED_THERE,
        CANCELLED_HERE,
        NO_AID_GIVEN,
        {"ours": {"entry": "cancellation"}},
        {"theirs": None},
    )
]
REPAIRS = {(Source.BUREAU, BreakKind.CANCELLED_ON_ONE_SIDE, str(CANCELLED_THERE)): REVERSE} | {
    (Source.BUREAU, BreakKind.MISSING_HERE, str(figures)): SETTLE for *_, figures in CASES
}
REPAIRS |= {(source, BreakKind.AID_NOT_PASSED_ON, str(NO_AID_GIVEN)): TRANSFER for source in Source}


@pytest.mark.parametrize(("source", "kind", "figures"), CASES)
def test_the_bureaus_list_is_followed_and_everything_else_is_decided_by_a_person(
    source: Source, kind: BreakKind, figures: Mapping[str, Any]
):
    found = replace(FOUND, source=source, kind=kind, figures=figures)
    repair = REPAIRS.get((source, kind, str(figures)), RESOLVE)
    assert repair_of(found) is repair
    assert [action for action in BreakAction if is_allowed(found, action)] == [
        action for action in BreakAction if action in {ASSIGN, RESOLVE, repair}
    ]
    assert not any(is_allowed(replace(found, status=BreakStatus.RESOLVED), action) for action in BreakAction)


@pytest.mark.parametrize(
    ("given", "collected", "repair"),
    [
        (0, None, TRANSFER),
        (None, 1000_00, TRANSFER),
        (0, 1000_00, TRANSFER),
        (None, 999_91, TRANSFER),
        (None, 999_90, RESOLVE),
        (None, None, RESOLVE),
        (300_00, 1000_00, RESOLVE),
        (0, 700_00, RESOLVE),
        (100_00, 900_00, RESOLVE),
    ],
)
def test_aid_is_moved_to_the_card_only_where_the_hospitals_list_is_clear_that_none_was_given(
    given: int | None, collected: int | None, repair: BreakAction
):
    theirs = {"aid_given_fen": given, "cash_collected_fen": collected}
    figures = {**NO_AID_GIVEN, "theirs": {name: fen for name, fen in theirs.items() if fen is not None}}
    found = replace(FOUND, source=Source.HOSPITAL, kind=BreakKind.AID_NOT_PASSED_ON, figures=figures)
    assert repair_of(found) is repair
    without_aid = {**figures, "ours": {"aid_on_bill_fen": 0, "cash_due_fen": 1000_00}}
    assert repair_of(replace(found, figures=without_aid)) is RESOLVE
