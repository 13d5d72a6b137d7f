"""When a promise stands, of which bill it speaks, and until when the place of a cancelled bill is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from settlement.domain.ids import HoldId, MemberId, PlanVersionId
from settlement.domain.money import Money
from settlement.domain.promises import HoldKind, HoldState, Promise, kept_until, promise_kept
from settlement.domain.settlements import Split

NOON = datetime(2026, 3, 10, 4, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)
ONE_SECOND = timedelta(seconds=1)
MEMBER = MemberId(UUID(int=7))
PROMISE = Promise(
    hold_id=HoldId(UUID(int=1)),
    kind=HoldKind.COUNTER,
    state=HoldState.OPEN,
    member_id=MEMBER,
    hospital_code="H1",
    encounter_id="E1",
    charge_batch_no="B1",
    figures_digest="aa",
    plan_version_id=PlanVersionId(UUID(int=3)),
    plan_code="p",
    plan_version="1",
    plan_digest="dd",
    service_date=date(2026, 3, 10),
    split=Split(Money(5_000), Money(0), Money(200), Money(9_000)),
    receipt={},
    receipt_hash="ee",
    actor="hospital",
    created_at=NOON,
    expires_at=NOON + HALF_AN_HOUR,
)


def kept(*promises: Promise, at: datetime = NOON, **changes: Any) -> Promise | None:
    bill: dict[str, Any] = {"member_id": MEMBER, "figures_digest": "aa", "other_on_bill": Money(200)}
    return promise_kept(promises, at, **{**bill, **changes})


@pytest.mark.parametrize(
    ("asked_for", "stands_for"),
    [(None, HALF_AN_HOUR), (timedelta(minutes=10), HALF_AN_HOUR), (timedelta(hours=2), timedelta(hours=2))],
)
def test_a_promise_stands_until_its_time_is_over_or_longer_while_the_insurer_is_asked(
    asked_for: timedelta | None, stands_for: timedelta
):
    promise = replace(PROMISE, asked_until=None if asked_for is None else NOON + asked_for)
    assert promise.holds_at(NOON + stands_for - ONE_SECOND)
    assert not promise.holds_at(NOON + stands_for)


@pytest.mark.parametrize("state", [state for state in HoldState if state is not HoldState.OPEN])
def test_a_promise_that_is_not_open_does_not_stand(state: HoldState):
    assert not replace(PROMISE, state=state).holds_at(NOON)
    assert kept(replace(PROMISE, state=state)) is None


@pytest.mark.parametrize(
    "changes", [{"member_id": None}, {"member_id": MemberId(UUID(int=8))}, {"figures_digest": "bb"}]
)
def test_a_bill_of_somebody_else_or_with_other_figures_was_not_promised(changes: dict[str, Any]):
    assert kept(PROMISE) is PROMISE
    assert kept(PROMISE, **changes) is None


def test_a_bill_on_which_others_pay_another_amount_was_not_promised():
    assert kept(PROMISE, other_on_bill=Money(201)) is None


def test_of_two_promises_that_stand_the_newer_is_kept():
    newer = replace(PROMISE, hold_id=HoldId(UUID(int=2)), kind=HoldKind.STAY)
    assert kept(newer, PROMISE) is newer
    assert kept(PROMISE, newer) is newer
    assert kept(PROMISE, replace(newer, figures_digest="bb")) is PROMISE
    assert kept(PROMISE, at=NOON + HALF_AN_HOUR) is None
    assert kept() is None


def test_the_place_of_a_cancelled_bill_is_kept_until_the_next_day_in_china_is_over():
    midnight = datetime(2026, 3, 10, 16, tzinfo=UTC)
    assert kept_until(midnight - ONE_SECOND) == midnight + timedelta(days=1)
    assert kept_until(midnight) == midnight + timedelta(days=2)
