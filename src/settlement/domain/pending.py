"""What is not certain yet: what is asked about it, when it is asked again, and when an answer is a fact. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from settlement.domain.ids import BillId
from settlement.domain.settlements import BillHead, BillState

UNKNOWN_ID = "msgid:"
"""What stands before the message's id where a pending head has no settlement id of the insurer yet."""


ACTOR = "pending"
"""The name, after the fund's, in which the asker records what it found out."""


class Asks(StrEnum):
    """What is asked: is a brought bill so at the insurer, did a message settle, did a message cancel?"""

    BILL = "bill"
    SETTLEMENT = "settlement"
    CANCELLATION = "cancellation"


class Said(StrEnum):
    """What the insurer says now. `UNCLEAR` is an answer that decides nothing, `NOTHING` is none."""

    LIVE = "live"
    CANCELLED = "cancelled"
    NOT_FOUND = "not_found"
    OTHER_FIGURES = "other_figures"
    UNCLEAR = "unclear"
    NOTHING = "nothing"


class Ending(StrEnum):
    """How a question ends: as a fact, or `UNRESOLVED` on the worklist."""

    CONFIRMED = "confirmed"
    SETTLED = "settled"
    CANCELLED = "cancelled"
    NEVER_HAPPENED = "never_happened"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited: between two questions, for a message that may still be under way, and in all."""

    first_pause: timedelta
    longest_pause: timedelta
    longest_upstream: timedelta
    deadline: timedelta


@dataclass(frozen=True, slots=True)
class PendingQuestion:
    """One question about one bill, from its opening until it ends. `tries` counts how often it was asked."""

    bill_id: BillId
    asks: Asks
    message_id: str | None
    opened_at: datetime
    due_at: datetime
    deadline_at: datetime
    tries: int = 0
    said: Said | None = None
    outcome: Ending | None = None


_AT_ONCE: Mapping[tuple[Asks, Said], Ending] = {
    (Asks.BILL, Said.LIVE): Ending.CONFIRMED,
    (Asks.BILL, Said.CANCELLED): Ending.CANCELLED,
    (Asks.SETTLEMENT, Said.LIVE): Ending.SETTLED,
    (Asks.SETTLEMENT, Said.CANCELLED): Ending.CANCELLED,
    (Asks.CANCELLATION, Said.CANCELLED): Ending.CANCELLED,
    (Asks.BILL, Said.OTHER_FIGURES): Ending.UNRESOLVED,
    (Asks.CANCELLATION, Said.OTHER_FIGURES): Ending.UNRESOLVED,
}
_ONCE_NOTHING_IS_UNDER_WAY: Mapping[tuple[Asks, Said], Ending] = {
    (Asks.BILL, Said.NOT_FOUND): Ending.UNRESOLVED,
    (Asks.SETTLEMENT, Said.NOT_FOUND): Ending.NEVER_HAPPENED,
    (Asks.CANCELLATION, Said.LIVE): Ending.NEVER_HAPPENED,
    (Asks.CANCELLATION, Said.NOT_FOUND): Ending.UNRESOLVED,
}


def ending_of(question: PendingQuestion, said: Said, asked_at: datetime, patience: Patience) -> Ending | None:
    """Say how a question ends by what the insurer said to it; `None` when it is to be asked again.

    A message can be minutes slow, so that it was not found proves nothing while it may be under way: the question must
    have been put (`asked_at`, not answered) after the longest upstream time. That runs from when we were told, which
    is after the sending by any clock.
    """
    at_once = _AT_ONCE.get((question.asks, said))
    if at_once is not None:
        return at_once
    if asked_at >= question.opened_at + patience.longest_upstream:
        settled = _ONCE_NOTHING_IS_UNDER_WAY.get((question.asks, said))
        if settled is not None:
            return settled
    return Ending.UNRESOLVED if asked_at >= question.deadline_at else None


def ask_again_at(question: PendingQuestion, now: datetime, patience: Patience, chance: float) -> datetime:
    """Return when to ask next: the pause doubles with each try up to the longest, and `chance` takes up to half of it.

    `chance` is in [0, 1), so that questions that failed together are not asked together again. The moment from which
    "not found" counts is not slept through, nor is the deadline.
    """
    pause = patience.longest_pause
    if question.tries < _MOST_DOUBLINGS:
        pause = min(pause, patience.first_pause * 2 ** max(0, question.tries - 1))
    due = now + pause * (1 - chance / 2)
    for turning in (question.opened_at + patience.longest_upstream, question.deadline_at):
        if now < turning < due:
            return turning
    return due


_MOST_DOUBLINGS = 32

WORKLIST_KINDS: Mapping[Asks, str] = {
    Asks.BILL: "bill_unconfirmed",
    Asks.SETTLEMENT: "message_unresolved",
    Asks.CANCELLATION: "cancellation_unresolved",
}
"""The kind under which an unresolved question stands on the worklist."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The codes of two sentences: what is known at this moment, and what to tell the patient."""

    known: str
    tell: str


def standing_of(head: BillHead, question: PendingQuestion | None) -> Standing:
    """Say what is known of a bill now and what to tell the patient; `question` is its newest, if there ever was one."""
    if head.state is BillState.RESOLVED and question is not None and question.outcome is not None:
        return Standing(f"known_{question.outcome.value}", f"tell_{question.outcome.value}")
    if head.state is BillState.PENDING:
        unresolved = question is not None and question.outcome is Ending.UNRESOLVED
        return Standing("known_unresolved", "tell_unresolved") if unresolved else Standing("known_asked", "tell_asked")
    if head.state is BillState.HELD:
        return Standing("known_held", "tell_held")
    if head.state is not BillState.LIVE:
        return Standing("known_undone", "tell_undone")
    if question is not None and question.asks is Asks.CANCELLATION and question.outcome in (None, Ending.UNRESOLVED):
        return Standing("known_cancelling", "tell_cancelling")
    return Standing("known_live" if head.confirmed_at else "known_unconfirmed", "tell_live")
