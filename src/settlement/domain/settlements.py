"""The priced record of one bill: who pays what after aid, in which state its head stands, and what holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from settlement.domain.bills import BillFigures
from settlement.domain.errors import ensure
from settlement.domain.ids import BillId, HoldId, MemberId, PlanVersionId
from settlement.domain.money import ZERO, Money, total


class BillState(StrEnum):
    """Where a bill's head stands; the records under it say how it came there."""

    LIVE = "live"
    REVERSED = "reversed"
    REPLACED = "replaced"
    HELD = "held"
    PENDING = "pending"
    RESOLVED = "resolved"
    CANCELLED_UNSEEN = "cancelled_unseen"


class Door(StrEnum):
    """How a bill reached us."""

    API = "api"
    FACADE = "facade"
    EXCHANGE = "exchange"
    CATCH_UP = "catch_up"
    CLAIMS = "claims"


class AidStatus(StrEnum):
    """Where the aid of a bill went."""

    ON_BILL = "on_bill"
    TO_CARD = "to_card"
    SPLIT = "split"
    NONE = "none"
    HELD = "held"


class ReversalReason(StrEnum):
    """Why a settlement was undone. A list and no free text, which would sooner or later hold a person's name."""

    REFUND = "refund"
    CORRECTION = "correction"
    IDENTITY_CHANGED = "identity_changed"
    INSURER_CANCELLED = "insurer_cancelled"
    OTHER = "other"


NOT_A_MEMBER = "not_a_member"
NOT_COVERED_ON_DATE = "not_covered_on_date"
FOR_WANT_OF_COVER = (NOT_A_MEMBER, NOT_COVERED_ON_DATE)
"""Why a bill is not ours although a roster that comes late may make it so."""


class RevisionReason(StrEnum):
    """Why a revision took the place of another, though the insurer's bill is the same."""

    NOT_SHOWN = "not_shown"
    ANSWER_LOST = "answer_lost"
    CLEARING_DISPUTED = "clearing_disputed"
    REINSTATED = "reinstated"
    CORRECTED = "corrected"
    RERATED = "rerated"
    COVERED = "covered"


@dataclass(frozen=True, slots=True)
class Question:
    """The one question that must be answered before a held bill's aid can be computed."""

    code: str
    figures: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Split:
    """How the cash of a bill divides, in fen: `cash_before_aid = aid_on_bill + other_on_bill + cash_due`."""

    aid_on_bill: Money
    aid_to_card: Money
    other_on_bill: Money
    cash_due: Money

    @property
    def aid(self) -> Money:
        """The whole aid, wherever it goes, in fen."""
        return self.aid_on_bill + self.aid_to_card

    @property
    def status(self) -> AidStatus:
        """Where the aid went."""
        if self.aid == ZERO:
            return AidStatus.NONE
        if self.aid_to_card == ZERO:
            return AidStatus.ON_BILL
        return AidStatus.TO_CARD if self.aid_on_bill == ZERO else AidStatus.SPLIT

    def with_aid(self, aid: Money) -> Split:
        """Return the split of another aid: what stood on the bill stays there as far as it goes, more is to the card.

        What the patient was shown and paid is not changed by what is found out later.
        """
        on_bill = min(self.aid_on_bill, aid)
        return Split(on_bill, aid - on_bill, self.other_on_bill, self.cash_due + self.aid_on_bill - on_bill)

    @property
    def all_to_card(self) -> Split:
        """The same aid, none of it on the bill: the patient owes what stood there in cash."""
        return Split(ZERO, self.aid, self.other_on_bill, self.cash_due + self.aid_on_bill)


def split_aid(aid: Money, cash_before_aid: Money, other: Money, at_counter: bool) -> Split:
    """Place aid on the bill as far as there is cash to pay, and the rest on the member's card, in fen.

    Other payers come first: what they pay is fixed by their own contract, while ours has the card as a way out.
    """
    ensure(ZERO <= other <= cash_before_aid, "other payers pay more than the cash of the bill")
    ensure(aid >= ZERO, "aid is negative")
    room = cash_before_aid - other if at_counter else ZERO
    on_bill = min(aid, room)
    return Split(on_bill, aid - on_bill, other, cash_before_aid - other - on_bill)


@dataclass(frozen=True, slots=True)
class OtherPayer:
    """Somebody else who pays at the counter, with the amount in fen."""

    name: str
    amount: Money


def total_of_others(others: Sequence[OtherPayer]) -> Money:
    """Return what the other payers pay together, in fen."""
    return total(other.amount for other in others)


@dataclass(frozen=True, slots=True)
class BillHead:
    """The head of a bill: its identity with the insurer, its state, and the visit it belongs to. No person's data."""

    bill_id: BillId
    settlement_no: str
    state: BillState
    area: str
    insurer_settlement_id: str
    door: Door
    created_at: datetime
    revision: int = 0
    event_count: int = 0
    member_id: MemberId | None = None
    hospital_code: str | None = None
    encounter_id: str | None = None
    charge_batch_no: str | None = None
    visit_no: str | None = None
    receipt_no: str | None = None
    operator: str | None = None
    message_id: str | None = None
    settled_at: datetime | None = None
    business_date: date | None = None
    figures_digest: str | None = None
    question: Question | None = None
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None
    cancelling_settlement_id: str | None = None
    resettles: str | None = None
    """The insurer's settlement that this one takes the place of, as the hospital says."""
    replaces_bill_id: BillId | None = None
    replaced_by_bill_id: BillId | None = None
    place_bill_id: BillId | None = None
    """The first bill of the chain, in whose place this one stands; `None` for a bill that replaces none."""

    @property
    def place(self) -> BillId:
        """The bill whose place in the order of recording this one has: its own, or that of the chain's first."""
        return self.place_bill_id or self.bill_id


@dataclass(frozen=True, slots=True)
class PricedRecord:
    """One revision of a settlement: the equation in fen, the plan version it was made under, and its receipt.

    A held bill that turns out not to be ours is settled with no aid and without a plan version.
    """

    revision: int
    plan_code: str | None
    plan_version: str | None
    plan_digest: str | None
    service_date: date
    business_date: date
    figures: BillFigures
    split: Split
    engine_version: str
    receipt_hash: str
    receipt: Mapping[str, Any]
    actor: str
    recorded_at: datetime
    hold_id: HoldId | None = None
    """The promise that it keeps."""
    plan_version_id: PlanVersionId | None = None
    """As it was read; a record that is being made names its version where it is written."""


BY_REVISION = "revision"
"""How the undoing of a revision is known: not from the insurer, whose bill stands as it was."""


@dataclass(frozen=True, slots=True)
class ReversalRecord:
    """The undoing of one revision. It has no amounts: they are its settlement's."""

    revision: int
    reason: str
    seen_by: str
    cancelling_settlement_id: str | None
    business_date: date
    actor: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class PromiseMet:
    """The promise under which a bill came: what was promised, and whether the settlement kept it."""

    hold_id: HoldId
    kept: bool
    promised: Split


@dataclass(frozen=True, slots=True)
class SettledBill:
    """A bill with the revision its head names, as every answer about it is derived from."""

    head: BillHead
    priced: PricedRecord | None
    reversal: ReversalRecord | None
    promise: PromiseMet | None = None

    @property
    def is_as_promised(self) -> bool:
        """Whether it kept a promise and still has that aid: one that lives again may have less."""
        met, priced = self.promise, self.priced
        return met is not None and met.kept and priced is not None and priced.split.aid == met.promised.aid

    @property
    def promise_reason(self) -> str:
        """The code of what became of the promise under which it came."""
        if self.promise is not None and self.promise.kept:
            return "promise_kept" if self.is_as_promised else "promise_kept_and_changed_since"
        return "promise_of_other_figures"
