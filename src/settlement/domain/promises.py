"""Promises: what a quote reserved for a charge batch, so that its settlement pays what the patient was shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from settlement.domain.ids import BillId, HoldId, MemberId, PlanVersionId
from settlement.domain.money import Money
from settlement.domain.settlements import Split
from settlement.domain.time import china_date, from_china


class HoldKind(StrEnum):
    """What a hold is for: the minutes between pre-settlement and settlement, a hospital's guarantee for a stay, or
    the room that a cancelled bill gave back, kept for the bill that takes its place."""

    COUNTER = "counter"
    STAY = "stay"
    SUCCESSOR = "successor"


class HoldState(StrEnum):
    """What became of a hold. An open one whose time is over is expired; nobody has to write that."""

    OPEN = "open"
    KEPT = "kept"
    OVERTAKEN = "overtaken"
    REPLACED = "replaced"
    RELEASED = "released"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Promise:
    """A hold: the insurer's figures it was made for, what was promised in fen, and the receipt that explains it."""

    hold_id: HoldId
    kind: HoldKind
    state: HoldState
    member_id: MemberId
    hospital_code: str
    encounter_id: str
    charge_batch_no: str
    figures_digest: str
    plan_version_id: PlanVersionId
    plan_code: str
    plan_version: str
    plan_digest: str
    service_date: date
    split: Split
    receipt: Mapping[str, Any]
    receipt_hash: str
    actor: str
    created_at: datetime
    expires_at: datetime
    of_bill_id: BillId | None = None
    """The cancelled bill in whose place the promised one stands."""
    place_bill_id: BillId | None = None
    asked_until: datetime | None = None
    """Until when it stands even beyond its expiry: the insurer is asked whether a message settled its visit."""

    def holds_at(self, at: datetime) -> bool:
        """Say whether the promise stands at an instant."""
        stands_until = max(self.expires_at, self.asked_until or self.expires_at)
        return self.state is HoldState.OPEN and at < stands_until

    def is_about(self, member_id: MemberId | None, figures_digest: str, other_on_bill: Money) -> bool:
        """Say whether a bill is the one that was promised: same member, same figures, same other payers."""
        return (member_id, figures_digest, other_on_bill) == (
            self.member_id,
            self.figures_digest,
            self.split.other_on_bill,
        )


def promise_kept(
    promises: Sequence[Promise], at: datetime, member_id: MemberId | None, figures_digest: str, other_on_bill: Money
) -> Promise | None:
    """Return the promise that a bill must keep to the fen, if one stands; the newest, where a stay has two."""
    standing = [
        promise
        for promise in promises
        if promise.holds_at(at) and promise.is_about(member_id, figures_digest, other_on_bill)
    ]
    return max(standing, key=lambda promise: promise.hold_id.int, default=None)


@dataclass(frozen=True, slots=True)
class KeptPlace:
    """The place of a cancelled bill that is kept for its successor: version, date and order; its room in the hold."""

    hold_id: HoldId
    kind: HoldKind
    of_bill_id: BillId
    event_count: int
    """Events of the cancelled bill so far."""
    place_bill_id: BillId
    plan_digest: str
    service_date: date
    stands_until: datetime


def kept_until(at: datetime) -> datetime:
    """Return until when the place of a bill that was cancelled at an instant is kept: the end of the next day."""
    return from_china(datetime.combine(china_date(at) + timedelta(days=2), time()))
