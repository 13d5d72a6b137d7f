"""What the model is told and shown: bills as the insurer settled them, and rows as they are recorded.

It imports nothing of the service. All amounts are whole fen, days are yyyy-MM-dd, names are the insurer's own, and
bills are known by the insurer's settlement id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LIVE, HELD, REVERSED, REPLACED_BILL, UNSEEN = "live", "held", "reversed", "replaced", "cancelled_unseen"
PENDING, RESOLVED = "pending", "resolved"
OPEN, KEPT, OVERTAKEN, REPLACED, RELEASED, TAKEN = "open", "kept", "overtaken", "replaced", "released", "taken"
SUCCESSOR = "successor"
"""The kind of a hold that keeps what a cancelled bill gave back for the bill that takes its place."""
RAISE, PROPOSE = "raise", "propose"
"""What a plan can declare for bills before a change: raised at once where nobody loses, or put before a person."""
PROPOSED, APPLIED, LAPSED = "proposed", "applied", "lapsed"
CLOCKS_APART_SECONDS = 2.0
"""No process's clock is wrong by more: a hold that ends within that of a moment may be seen to stand or to be over."""


@dataclass(frozen=True, slots=True)
class FlatPlan:
    """A rate in percent from a first day on, several in the order of their days, and a yearly limit."""

    rates: tuple[tuple[str, int], ...]
    limit_fen: int
    changes: str = PROPOSE

    def rate(self, version: int) -> int:
        """Return the rate of a version; they are counted from 1."""
        return self.rates[version - 1][1]

    def begins(self, version: int) -> str:
        """Return the first day of a version."""
        return self.rates[version - 1][0]


@dataclass(frozen=True, slots=True)
class Care:
    """Whose a bill or a pre-settlement is, and of which visit: by it a correction is recognised."""

    member: str | None
    hospital: str
    visit: str
    visit_no: str
    batch_no: str
    inpatient: bool

    @property
    def batch(self) -> str:
        """Name the charge batch."""
        return f"{self.hospital}/{self.visit}/{self.batch_no}"

    def is_of_visit(self, other: Care) -> bool:
        """Say whether both are of one member's visit or stay at one hospital."""
        return self.is_of_patient(other) and (self.visit == other.visit or self.visit_no == other.visit_no)

    def is_of_patient(self, other: Care) -> bool:
        """Say whether both are of one member at one hospital."""
        return (self.member, self.hospital) == (other.member, other.hospital)


@dataclass(frozen=True, slots=True)
class Bill:
    """What the insurer settled: of which care, on which day (of service), the patient's share and the cash of it."""

    setl_id: str
    care: Care
    day: str
    share_fen: int
    cash_fen: int
    billed_fen: int
    figures: tuple[int, ...] = ()

    @property
    def member(self) -> str | None:
        """Whose it is; `None` for somebody who is no member."""
        return self.care.member

    @property
    def batch(self) -> str:
        """Name its charge batch."""
        return self.care.batch


@dataclass(frozen=True, slots=True)
class Trial:
    """A pre-settlement that asks for a promise. `day` is that of service, `None` for that on which it is asked."""

    care: Care
    day: str | None
    share_fen: int
    cash_fen: int
    figures: tuple[int, ...]
    resettles: str | None = None

    @property
    def member(self) -> str | None:
        """Whose it is."""
        return self.care.member

    @property
    def batch(self) -> str:
        """Name its charge batch."""
        return self.care.batch


@dataclass(frozen=True, slots=True)
class Hold:
    """A promise or a kept place as it is recorded; it ends so many seconds after the history began, if not before.

    `of` is the cancelled bill in whose place it stands, `until` its end on a clock in China, `setl_id` what ended it.
    """

    hold_id: str
    kind: str
    batch: str
    state: str
    day: str
    version: int
    on_bill_fen: int
    to_card_fen: int
    cash_due_fen: int
    expires: float
    until: str
    of: str | None
    setl_id: str | None

    @property
    def aid_fen(self) -> int:
        """What it takes of the limit while it stands."""
        return self.on_bill_fen + self.to_card_fen

    @property
    def split(self) -> tuple[int, int, int]:
        """Aid on the bill, aid to the card, and the cash that is left."""
        return self.on_bill_fen, self.to_card_fen, self.cash_due_fen


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a history: after how many commits, at how many seconds."""

    commits: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Asked:
    """How the newest question about a bill or a message ended; `listed` says that it stands on the worklist."""

    setl_id: str
    asks: str
    outcome: str | None
    listed: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """What one message to the service says of a bill. `answers`: it answers the question of a held one.

    `transfers`: what was to be on the bill was not shown. `restores`: its cancellation was taken back.
    """

    bill: Bill
    cancels: bool = False
    at_counter: bool = False
    name_is_right: bool = True
    answers: bool = False
    transfers: bool = False
    restores: bool = False
    resettles: str | None = None

    @property
    def settles(self) -> bool:
        """Whether it brings the bill itself."""
        return not (self.cancels or self.transfers or self.restores)


@dataclass(frozen=True, slots=True)
class Row:
    """A bill as it is recorded, with its newest settlement. `why`: for which reason the settlement before was undone.

    `place` is the record whose place in the member's order it takes; `items` are the kinds of its worklist items;
    `later_fen` is what others paid for it since.
    """

    setl_id: str
    bill_id: str
    state: str
    settlements: int
    reversals: int
    on_bill_fen: int
    to_card_fen: int
    cash_due_fen: int
    version: int
    day: str
    place: str
    replaces: str | None
    replaced_by: str | None
    resettles: str | None
    why: str | None
    items: str
    later_fen: int
    books_day: int | None
    reversal_day: int | None

    @property
    def aid_fen(self) -> int:
        """The whole aid."""
        return self.on_bill_fen + self.to_card_fen

    @property
    def split(self) -> tuple[int, int, int]:
        """Aid on the bill, aid to the card, and the cash that is left."""
        return self.on_bill_fen, self.to_card_fen, self.cash_due_fen

    @property
    def year(self) -> str:
        """The year of its limit."""
        return self.day[:4]


@dataclass(frozen=True, slots=True)
class Line:
    """A bill of a re-rating: its settlement then, and its aid as recorded and as it would be."""

    setl_id: str
    settlement: int
    recorded_fen: int
    now_fen: int


@dataclass(frozen=True, slots=True)
class Rating:
    """A re-rating as it is recorded."""

    rating_id: str
    setl_id: str
    state: str
    net_fen: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """That a cause was looked at, for the year of a bill, and the re-rating that it led to."""

    cause: str
    setl_id: str
    rating_id: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """All records after a commit, and the days in China on which it may have been made."""

    rows: Sequence[Row]
    holds: Sequence[Hold]
    versions: int
    open_day: int | None
    todays: frozenset[str]
    memberships: int
    ratings: Sequence[Rating] = ()
    looks: Sequence[Look] = ()


def share_of(share_fen: int, rate: int, room_fen: int) -> int:
    """Return the aid of a share, half a fen rounded up, in the room that is left."""
    return min((max(0, share_fen) * rate + 50) // 100, max(0, room_fen))


def split_of(aid_fen: int, cash_fen: int, at_counter: bool) -> tuple[int, int, int]:
    """Return aid on the bill, aid to the card, and the cash that is left."""
    on_bill = min(aid_fen, cash_fen) if at_counter else 0
    return on_bill, aid_fen - on_bill, cash_fen - on_bill


def split_again(before: tuple[int, int, int], aid_fen: int) -> tuple[int, int, int]:
    """Return the split of another aid: what was shown on the bill stays as far as it goes, more is to the card."""
    shown, _, due = before
    on_bill = min(shown, aid_fen)
    return on_bill, aid_fen - on_bill, due + shown - on_bill


def stands(hold: Hold, now: Moment) -> bool:
    """Say whether every clock says that an open hold stands until now."""
    return hold.state == OPEN and hold.expires > now.seconds + CLOCKS_APART_SECONDS


def is_over(hold: Hold, began: Moment) -> bool:
    """Say whether it has ended, or every clock said so at the beginning."""
    return hold.state != OPEN or hold.expires <= began.seconds - CLOCKS_APART_SECONDS
