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

ASSIGN, SETTLE, REVERSE, RESOLVE = BreakAction
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
CASES = [
    (source, kind, figures)
    for source in Source
    for kind in BreakKind
    for figures in (CANCELLED_THERE, CANCELLED_HERE, {"ours": {"entry": "cancellation"}}, {"theirs": None})
]
REPAIRS = {(Source.BUREAU, BreakKind.CANCELLED_ON_ONE_SIDE, str(CANCELLED_THERE)): REVERSE} | {
    (Source.BUREAU, BreakKind.MISSING_HERE, str(figures)): SETTLE for *_, figures in CASES
}


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
