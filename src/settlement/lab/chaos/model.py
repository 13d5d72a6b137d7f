"""What must hold, by an independent reckoning: one flat plan with a limit. It imports nothing of the service.

It is told what is sent, and shown the records after every commit; it says which change of a record could not be. All
amounts are whole fen, names are the insurer's own, and bills are known by the insurer's settlement id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

LIVE, HELD, REVERSED, UNSEEN = "live", "held", "reversed", "cancelled_unseen"
PENDING, RESOLVED = "pending", "resolved"
OPEN, KEPT, OVERTAKEN, REPLACED, RELEASED = "open", "kept", "overtaken", "replaced", "released"
MESSAGE = "msgid:"
"""What stands before the id of a message where a bill has no settlement id of the insurer yet."""
CLOCKS_APART_SECONDS = 2.0
"""No process's clock is wrong by more: a hold that ends within that of a moment may be seen to stand or to be over."""

_ENDS = {(LIVE, REVERSED), (HELD, UNSEEN), (None, UNSEEN)}
_STARTS = {(None, LIVE), (None, HELD), (HELD, LIVE)}


@dataclass(frozen=True, slots=True)
class FlatPlan:
    """A rate in percent from a first day on (yyyy-MM-dd), several in the order of their days, and a yearly limit."""

    rates: tuple[tuple[str, int], ...]
    limit_fen: int


@dataclass(frozen=True, slots=True)
class Bill:
    """What the insurer settled: whose, on which day (of service), the patient's share and the cash of it."""

    setl_id: str
    member: str | None
    day: str
    share_fen: int
    cash_fen: int
    batch: str = ""
    figures: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """A pre-settlement that asks for a promise. `day` is that of service, `None` for that on which it is asked."""

    batch: str
    member: str | None
    day: str | None
    share_fen: int
    cash_fen: int
    figures: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Hold:
    """A promise as it is recorded; it ends so many seconds after the history began, if nothing ended it before."""

    hold_id: str
    batch: str
    state: str
    day: str
    on_bill_fen: int
    to_card_fen: int
    cash_due_fen: int
    expires: float
    setl_id: str | None


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
    """What one message to the service says of a bill. `answers`: it answers the question of a held one."""

    bill: Bill
    cancels: bool = False
    at_counter: bool = False
    name_is_right: bool = True
    answers: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A bill as it is recorded, with the amounts of its newest settlement."""

    setl_id: str
    state: str
    settlements: int
    reversals: int
    on_bill_fen: int
    to_card_fen: int
    cash_due_fen: int
    books_day: int | None
    reversal_day: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """All records after a commit, and the days in China on which it may have been made."""

    rows: Sequence[Row]
    holds: Sequence[Hold]
    versions: int
    open_day: int | None
    today: str


@dataclass(slots=True)
class Model:
    """Follows the records of one fund, commit by commit. `wrong` is what could not be, in the order in which it was."""

    plan: FlatPlan
    bills: dict[str, Bill] = field(default_factory=dict)
    claims: dict[str, list[Claim]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[str, Row] = field(default_factory=dict)
    answers: dict[str, tuple[int, object]] = field(default_factory=dict)
    published_at: list[int] = field(default_factory=lambda: [0])
    effected: set[str] = field(default_factory=set)
    holds: dict[str, Hold] = field(default_factory=dict)
    trials: dict[str, Trial] = field(default_factory=dict)
    trial_of: dict[str, Trial] = field(default_factory=dict)
    releases: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    messages: dict[str, str | None] = field(default_factory=dict)
    kept: int = 0
    overtaken: int = 0
    wrong: list[str] = field(default_factory=list)

    def sent(self, claims: Iterable[Claim]) -> None:
        """Hear what a message says, before it is sent for the first time."""
        for claim in claims:
            self.bills[claim.bill.setl_id] = claim.bill
            self.claims[claim.bill.setl_id].append(claim)

    def quoted(self, key: str, trial: Trial) -> None:
        """Hear of a pre-settlement that asks for a promise under a key, before it is sent for the first time."""
        self.trials[key] = trial

    def recorded(self, seen: Seen, began: Moment, now: Moment, key: str) -> list[str]:
        """Look at all records after a commit of a transaction that began at another moment; return what is new.

        A version that was published meanwhile may have been read or not. `key` is that of the command that committed.
        """
        while len(self.published_at) < seen.versions:
            self.published_at.append(now.commits)
        changed = [row for row in seen.rows if self.rows.get(row.setl_id) != row]
        ended = [hold for hold in seen.holds if self.holds.get(hold.hold_id) != hold]
        if gone := set(self.rows) - {row.setl_id for row in seen.rows}:
            self.wrong.append(f"gone from the records: {sorted(gone)}")
        if changed and key:
            self.effected.add(key)
        before = {row.setl_id: self.rows[row.setl_id].state for row in changed if row.setl_id in self.rows}
        for row in changed:
            if row.setl_id.startswith(MESSAGE):
                self._look_at_message(row)
            else:
                self._look_at(row, seen, began, now)
            self.rows[row.setl_id] = row
        for hold in ended:
            self._look_at_hold(hold, seen, began, now, key)
            self.holds[hold.hold_id] = hold
        for row in changed:
            self._look_at_promises_of(row, before.get(row.setl_id), now)
        self._look_at_limits(now)
        return [
            *(f"{row.setl_id} {row.state} {row.on_bill_fen}+{row.to_card_fen}" for row in changed),
            *(f"hold of {hold.batch} {hold.state} {hold.on_bill_fen}+{hold.to_card_fen}" for hold in ended),
        ]

    def promised(self, key: str, told: Mapping[str, object] | None) -> None:
        """Hear what a pre-settlement that asks for a promise was answered."""
        trial = self.trials[key]
        if told is None:
            if trial.member is not None:
                self.wrong.append(f"{trial.batch}: a member's pre-settlement holds nothing")
            return
        hold = self.holds.get(str(told["id"]))
        kept = (hold.on_bill_fen, hold.to_card_fen, hold.cash_due_fen) if hold else None
        if kept != (told["on_bill_fen"], told["to_card_fen"], told["cash_due_fen"]):
            self.wrong.append(f"{trial.batch}: promised {told}, recorded {kept}")

    def acknowledged(self, claim: Claim, answer: Mapping[str, object]) -> None:
        """Hear that a message was answered with success: what it says must be recorded, and as it says."""
        bill = claim.bill
        row = self.rows.get(bill.setl_id)
        if bill.member is None:
            self._expect(answer.get("id") is None, bill, "a bill of somebody who is no member was recorded")
            return
        self._expect(row is not None, bill, "acknowledged, but not recorded")
        if row is None:
            return
        if claim.cancels:
            self._expect(row.state in (REVERSED, UNSEEN), bill, f"its cancellation is acknowledged; it is {row.state}")
            return
        if answer.get("state") == LIVE:
            told = (answer.get("on_bill_fen"), answer.get("to_card_fen"), answer.get("cash_due_fen"))
            kept = (row.on_bill_fen, row.to_card_fen, row.cash_due_fen)
            self._expect(told == kept, bill, f"told {told}, recorded {kept}")

    def answered(self, key: str, status: int, body: object) -> None:
        """Hear an answer that was given under a key: the same key is always answered alike."""
        first = self.answers.setdefault(key, (status, body))
        if first != (status, body):
            self.wrong.append(f"{key}: answered {first[0]} first and {status} now, or with another body")

    def refused(self, claim: Claim, key: str, code: str) -> None:
        """Hear that a message was refused for good: one whose effect is recorded under its key must not be."""
        self._expect(key not in self.effected, claim.bill, f"{key} has its effect, and is refused: {code}")
        row = self.rows.get(claim.bill.setl_id)
        over = row is not None and row.state in (REVERSED, UNSEEN)
        allowed = {
            "nothing_to_reverse": claim.cancels and over,
            "nothing_asked": claim.answers and row is not None and row.state != HELD,
            "cancelled_at_insurer": not claim.cancels and claim.bill.setl_id in self.cancelled,
        }
        self._expect(allowed.get(code, False), claim.bill, f"refused: {code}")

    def quiescent(self, asked: Sequence[Asked]) -> None:
        """Judge the end, when everything was sent, the bureau's whole file too, and nothing is due to be asked."""
        for each in asked:
            self._look_at_asked(each)
        for pending in self.rows.values():
            if pending.state == PENDING and not any(each.setl_id == pending.setl_id and each.listed for each in asked):
                self.wrong.append(f"{pending.setl_id}: pending at the end, and on no worklist")
        for setl_id, bill in sorted(self.bills.items()):
            row = self.rows.get(setl_id)
            if bill.member is None:
                self._expect(row is None, bill, "a bill of somebody who is no member is recorded")
            elif row is None:
                self._expect(False, bill, "not recorded at the end")
            elif setl_id in self.cancelled:
                self._expect(row.state in (REVERSED, UNSEEN), bill, f"cancelled at the insurer, {row.state} here")
            else:
                self._expect(row.state == LIVE, bill, f"settled at the insurer, {row.state} here")

    def _look_at(self, row: Row, seen: Seen, began: Moment, now: Moment) -> None:
        before, bill = self.rows.get(row.setl_id), self.bills.get(row.setl_id)
        if bill is None or bill.member is None:
            self.wrong.append(f"{row.setl_id}: recorded, but never sent for a member")
            return
        change = (before.state if before else None, row.state)
        self._expect(row.settlements == (row.state in (LIVE, REVERSED)), bill, f"{row.settlements} settlements")
        self._expect(row.reversals == (row.state == REVERSED), bill, f"{row.reversals} reversals")
        if change[0] == change[1]:
            self._expect(before is not None and _amounts(before) == _amounts(row), bill, "its amounts were changed")
        elif change in _ENDS:
            self._expect(bill.setl_id in self.cancelled, bill, "undone without a cancellation")
            self._expect(
                row.state == UNSEEN or row.reversal_day == seen.open_day, bill, "reversed in a closed books day"
            )
        elif change in _STARTS:
            self._look_at_start(row, bill, change[0], seen, began, now)
        else:
            self._expect(False, bill, f"went from {change[0]} to {change[1]}")

    def _look_at_start(self, row: Row, bill: Bill, before: str | None, seen: Seen, began: Moment, now: Moment) -> None:
        settling = [claim for claim in self.claims[bill.setl_id] if not claim.cancels]
        if row.state == HELD:
            self._expect(any(not claim.name_is_right for claim in settling), bill, "held without a question")
            return
        fit = [claim for claim in settling if claim.name_is_right or claim.answers]
        at_counter = {claim.at_counter and before is None and not claim.answers for claim in fit}
        if before == HELD:
            at_counter.add(False)
        possible = {
            _split(bill.share_fen, bill.cash_fen, rate, room, at)
            for at in at_counter
            for rate in self._rates(bill.day, began)
            for room in self._rooms(bill.member, bill.day, bill.batch, bill.setl_id, began, now)
        }
        promises = [hold for hold in self._promises_of(bill) if not _is_over(hold, began)] if before is None else []
        if promises:
            promised = {_promise(hold) for hold in promises}
            possible = promised if any(_stands(hold, now) for hold in promises) else possible | promised
        kept = (row.on_bill_fen, row.to_card_fen, row.cash_due_fen)
        self._expect(kept in possible, bill, f"recorded {kept}, possible {sorted(possible)}")
        self._expect(row.books_day == seen.open_day, bill, "settled in a closed books day")

    def _look_at_message(self, row: Row) -> None:
        """A message whose answer was lost: pending when it is reported, and then resolved, without a settlement."""
        before = self.rows.get(row.setl_id)
        change = (before.state if before else None, row.state)
        if row.setl_id.removeprefix(MESSAGE) not in self.messages:
            self.wrong.append(f"{row.setl_id}: pending, but never reported")
        if change not in ((None, PENDING), (PENDING, RESOLVED)) or row.settlements or row.reversals:
            self.wrong.append(f"{row.setl_id}: went from {change[0]} to {change[1]}")

    def _look_at_asked(self, each: Asked) -> None:
        """How a question ended must be what is true at the insurer; unresolved is what nobody could say in time."""
        if each.asks == "settlement":
            setl_id = self.messages.get(each.setl_id.removeprefix(MESSAGE))
            possible = {"never_happened"} if setl_id is None else {"settled"}
            if setl_id in self.cancelled:
                possible = {"settled", "cancelled"}
            may_wait = setl_id is None
        else:
            gone = each.setl_id in self.cancelled
            asks_cancellation = each.asks == "cancellation"
            possible = {"cancelled", "confirmed"} if gone and not asks_cancellation else {"cancelled"}
            if not gone:
                possible = {"never_happened"} if asks_cancellation else {"confirmed"}
            may_wait = asks_cancellation and not gone
        if each.outcome not in possible and not (may_wait and each.outcome == "unresolved" and each.listed):
            self.wrong.append(f"{each.setl_id}: asked about its {each.asks}, ended as {each.outcome}, not {possible}")

    def _look_at_hold(self, hold: Hold, seen: Seen, began: Moment, now: Moment, key: str) -> None:
        before = self.holds.get(hold.hold_id)
        trial = self.trial_of.get(hold.hold_id) or self.trials.get(key)
        if trial is None or trial.batch != hold.batch or (before is None and hold.state != OPEN):
            self.wrong.append(f"{hold.batch}: a hold that nobody asked for, or that was never open")
            return
        if before is None:
            self.trial_of[hold.hold_id] = trial
            possible = {
                _split(trial.share_fen, trial.cash_fen, rate, room, at_counter=True)
                for rate in self._rates(hold.day, began)
                for room in self._rooms(trial.member, hold.day, hold.batch, "", began, now)
            }
            if _promise(hold) not in possible or hold.day not in (trial.day, seen.today):
                self.wrong.append(f"{hold.batch}: held {_promise(hold)} on {hold.day}, possible {sorted(possible)}")
            return
        row, bill = self.rows.get(hold.setl_id or ""), self.bills.get(hold.setl_id or "")
        equal = bill is not None and row is not None and bill.batch == hold.batch and bill.figures == trial.figures
        fits = {
            KEPT: equal and row is not None and _promise(hold) == (row.on_bill_fen, row.to_card_fen, row.cash_due_fen),
            OVERTAKEN: bill is not None and bill.batch == hold.batch and not equal,
            REPLACED: key in self.trials and self.trials[key].batch == hold.batch,
            RELEASED: hold.hold_id in self.releases,
        }
        self.kept += hold.state == KEPT
        self.overtaken += hold.state == OVERTAKEN
        if before.state != OPEN or not fits.get(hold.state, False) or _promise(before) != _promise(hold):
            self.wrong.append(f"{hold.batch}: its hold went from {before.state} to {hold.state}")

    def _look_at_promises_of(self, row: Row, before: str | None, now: Moment) -> None:
        """A bill that is recorded at once ends the promises of its batch."""
        bill = self.bills.get(row.setl_id)
        if bill is not None and before is None and row.state == LIVE:
            of_batch = (hold for hold in self.holds.values() if (hold.batch, hold.state) == (bill.batch, OPEN))
            self._expect(not any(_stands(hold, now) for hold in of_batch), bill, "recorded, and its hold is open still")

    def _promises_of(self, bill: Bill) -> list[Hold]:
        """Return the open holds of the bill's batch that were made for its figures."""
        return [
            hold
            for hold in self.holds.values()
            if (hold.batch, hold.state) == (bill.batch, OPEN) and self.trial_of[hold.hold_id].figures == bill.figures
        ]

    def _rooms(self, member: str | None, day: str, batch: str, setl_id: str, began: Moment, now: Moment) -> set[int]:
        """Return what may be left of the year's limit: other live bills and other batches' holds are taken off.

        A hold that is about to end may be seen to stand or to be over.
        """
        used = sum(
            row.on_bill_fen + row.to_card_fen
            for row in self.rows.values()
            if row.state == LIVE and row.setl_id != setl_id and self._is_of(self.bills[row.setl_id], member, day)
        )
        others = [
            hold
            for hold in self.holds.values()
            if hold.state == OPEN and hold.batch != batch and not _is_over(hold, began)
            if (self.trial_of[hold.hold_id].member, hold.day[:4]) == (member, day[:4])
        ]
        possible = {used}
        for hold in others:
            fen = hold.on_bill_fen + hold.to_card_fen
            with_it = {each + fen for each in possible}
            possible = with_it if _stands(hold, now) else possible | with_it
        return {max(0, self.plan.limit_fen - each) for each in possible}

    def _is_of(self, bill: Bill, member: str | None, day: str) -> bool:
        return (bill.member, bill.day[:4]) == (member, day[:4])

    def _rates(self, day: str, began: Moment) -> set[int]:
        """Return the rates that may have been read: of what was published when the transaction began, or later."""
        known = sum(at <= began.commits for at in self.published_at)
        possible = set()
        for count in range(max(1, known), len(self.published_at) + 1):
            in_force = [rate for first, rate in self.plan.rates[:count] if first <= day]
            possible.add(in_force[-1])
        return possible

    def _look_at_limits(self, now: Moment) -> None:
        used: dict[tuple[str | None, str], int] = defaultdict(int)
        settled = set()
        for row in self.rows.values():
            bill = self.bills.get(row.setl_id)
            if row.state == LIVE and bill is not None:
                used[bill.member, bill.day[:4]] += row.on_bill_fen + row.to_card_fen
                settled.add(bill.batch)
        for hold in self.holds.values():
            if hold.state == OPEN and _stands(hold, now) and hold.batch not in settled:
                used[self.trial_of[hold.hold_id].member, hold.day[:4]] += hold.on_bill_fen + hold.to_card_fen
        for (member, year), fen in used.items():
            over = f"{member} {year}: {fen} fen of a limit of {self.plan.limit_fen}"
            if fen > self.plan.limit_fen and over not in self.wrong:
                self.wrong.append(over)

    def _expect(self, holds: bool, bill: Bill, otherwise: str) -> None:
        if not holds:
            self.wrong.append(f"{bill.setl_id}: {otherwise}")


def _amounts(row: Row) -> tuple[int, int, int, int | None]:
    return row.on_bill_fen, row.to_card_fen, row.cash_due_fen, row.books_day


def _split(share_fen: int, cash_fen: int, rate: int, room: int, at_counter: bool) -> tuple[int, int, int]:
    """Return aid on the bill, aid to the card, and the cash that is left."""
    aid = min((max(0, share_fen) * rate + 50) // 100, room)
    on_bill = min(aid, cash_fen) if at_counter else 0
    return on_bill, aid - on_bill, cash_fen - on_bill


def _promise(hold: Hold) -> tuple[int, int, int]:
    return hold.on_bill_fen, hold.to_card_fen, hold.cash_due_fen


def _stands(hold: Hold, now: Moment) -> bool:
    """Say whether every clock says that the hold stands until now."""
    return hold.expires > now.seconds + CLOCKS_APART_SECONDS


def _is_over(hold: Hold, began: Moment) -> bool:
    """Say whether every clock said at the beginning that the hold is over."""
    return hold.expires <= began.seconds - CLOCKS_APART_SECONDS
