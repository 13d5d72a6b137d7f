"""Reconciliation: where the bureau's list, a hospital's list and our records can differ, and what is then done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from settlement.domain.ids import BillId


class Source(StrEnum):
    """Whose list differs from our records."""

    BUREAU = "bureau"
    HOSPITAL = "hospital"


class BreakKind(StrEnum):
    """What differs. Every difference has exactly one of these kinds; a bill may differ in several ways."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    HOSPITAL_MISSING = "hospital_missing"
    AMOUNT = "amount"
    PAYER = "payer"
    CANCELLED_ON_ONE_SIDE = "cancelled_on_one_side"
    WRONG_DAY = "wrong_day"
    DUPLICATED = "duplicated"
    AID_NOT_PASSED_ON = "aid_not_passed_on"
    AID_TO_UNKNOWN = "aid_to_unknown"


class BreakStatus(StrEnum):
    """Whether somebody still has to do something about a break."""

    OPEN = "open"
    RESOLVED = "resolved"


class Resolution(StrEnum):
    """How a break ended. The first two a run says by itself; the last three a person says."""

    NO_LONGER_SEEN = "no_longer_seen"
    FOUND_ON_NEIGHBOURING_DAY = "found_on_neighbouring_day"
    SETTLED_BY_CATCH_UP = "settled_by_catch_up"
    NOT_OURS = "not_ours"
    NOT_COVERED = "not_covered"
    REVERSED_HERE = "reversed_here"
    MOVED_TO_CARD = "moved_to_card"
    ACCEPTED = "accepted"
    CORRECTED_AT_BUREAU = "corrected_at_bureau"
    CORRECTED_AT_HOSPITAL = "corrected_at_hospital"


BY_A_PERSON = (Resolution.ACCEPTED, Resolution.CORRECTED_AT_BUREAU, Resolution.CORRECTED_AT_HOSPITAL)
"""What a person may say of any break; the others follow from what was done or seen."""
FINAL = (Resolution.ACCEPTED, Resolution.NOT_OURS)
"""After these the same figures are no break again, in whatever list they stand."""
JITTER_FEN = 10
"""Hospitals round cash to ten fen; what that changes is no difference."""
UNTIL_THE_ROSTER = (Resolution.NOT_COVERED,)
"""After these they are one again once anybody was recorded as covered since: a roster may be late."""


class BreakAction(StrEnum):
    """What can be done about an open break."""

    ASSIGN = "assign"
    SETTLE = "settle"
    REVERSE = "reverse"
    TRANSFER = "transfer"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Break:
    """One difference between a list and our records.

    `figures` has what `ours` and `theirs` say, amounts in fen under names that end in `_fen`; a side that does not
    know the bill is absent. `import_id` and `line` say where in which list it was last seen.
    """

    break_id: UUID
    source: Source
    kind: BreakKind
    area: str
    insurer_settlement_id: str
    business_date: date
    bill_id: BillId | None
    hospital_code: str | None
    figures: Mapping[str, Any]
    import_id: UUID | None
    line: int | None
    opened_at: datetime
    owner: str | None
    status: BreakStatus
    resolution: Resolution | None
    resolved_by: str | None
    resolved_at: datetime | None
    step_count: int


def repair_of(found: Break) -> BreakAction:
    """Return what is proposed.

    That is settling what the bureau has and we lack, reversing what it cancelled, paying the member whom the hospital
    gave no aid, or a decision. Only what cannot take anything from anybody is done without being looked at: aid that
    goes to the card from the bureau's own figures. A reversal takes aid back from the member and a transfer from the
    hospital, so a person says yes to them.
    """
    if found.source is Source.BUREAU and found.kind is BreakKind.MISSING_HERE:
        return BreakAction.SETTLE
    cancelled_there = (found.figures.get("theirs") or {}).get("entry") == "cancellation"
    if found.source is Source.BUREAU and found.kind is BreakKind.CANCELLED_ON_ONE_SIDE and cancelled_there:
        return BreakAction.REVERSE
    if found.kind is BreakKind.AID_NOT_PASSED_ON and _passed_nothing_on(found.figures):
        return BreakAction.TRANSFER
    return BreakAction.RESOLVE


def _passed_nothing_on(figures: Mapping[str, Any]) -> bool:
    """Say whether a hospital lists no aid, and cash as if there were none; a list that contradicts itself says nothing.

    Where the list leaves one of the two out, the other decides.
    """
    ours, theirs = figures.get("ours") or {}, figures.get("theirs") or {}
    aid, due = ours.get("aid_on_bill_fen") or 0, ours.get("cash_due_fen") or 0
    given, collected = theirs.get("aid_given_fen"), theirs.get("cash_collected_fen")
    says = [given == 0] if given is not None else []
    says += [collected + JITTER_FEN > due + aid] if collected is not None else []
    return aid > 0 and bool(says) and all(says)


def is_allowed(found: Break, action: BreakAction) -> bool:
    """Say whether an action fits a break: a resolved one takes none, a repair only the break that it is for."""
    if found.status is not BreakStatus.OPEN:
        return False
    return action in (BreakAction.ASSIGN, BreakAction.RESOLVE) or action is repair_of(found)
