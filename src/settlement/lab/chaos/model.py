"""What must hold, by an independent reckoning: one flat plan with a limit. It imports nothing of the service.

It is told what is sent, and shown the records after every commit; it says which change of a record could not be. All
amounts are whole fen, names are the insurer's own, and bills are known by the insurer's settlement id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

LIVE, HELD, REVERSED, UNSEEN = "live", "held", "reversed", "cancelled_unseen"
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
    wrong: list[str] = field(default_factory=list)

    def sent(self, claims: Iterable[Claim]) -> None:
        """Hear what a message says, before it is sent for the first time."""
        for claim in claims:
            self.bills[claim.bill.setl_id] = claim.bill
            self.claims[claim.bill.setl_id].append(claim)

    def recorded(
        self, rows: Sequence[Row], versions: int, open_day: int | None, began: int, commit: int, key: str
    ) -> list[str]:
        """Look at all records after a commit of a transaction that began at commit number `began`; return what is new.

        A version that was published meanwhile may have been read or not. `key` is that of the command that committed.
        """
        while len(self.published_at) < versions:
            self.published_at.append(commit)
        changed = [row for row in rows if self.rows.get(row.setl_id) != row]
        if gone := set(self.rows) - {row.setl_id for row in rows}:
            self.wrong.append(f"gone from the records: {sorted(gone)}")
        if changed and key:
            self.effected.add(key)
        for row in changed:
            self._look_at(row, open_day, began)
            self.rows[row.setl_id] = row
        self._look_at_limits()
        return [f"{row.setl_id} {row.state} {row.on_bill_fen}+{row.to_card_fen}" for row in changed]

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
            "cancelled_at_insurer": not claim.cancels and self._cancellation_was_sent(claim.bill.setl_id),
        }
        self._expect(allowed.get(code, False), claim.bill, f"refused: {code}")

    def quiescent(self, cancelled: set[str]) -> None:
        """Judge the end, when everything was sent, and the bureau's whole file too; `cancelled` at the insurer."""
        for setl_id, bill in sorted(self.bills.items()):
            row = self.rows.get(setl_id)
            if bill.member is None:
                self._expect(row is None, bill, "a bill of somebody who is no member is recorded")
            elif row is None:
                self._expect(False, bill, "not recorded at the end")
            elif setl_id in cancelled:
                self._expect(row.state in (REVERSED, UNSEEN), bill, f"cancelled at the insurer, {row.state} here")
            else:
                self._expect(row.state == LIVE, bill, f"settled at the insurer, {row.state} here")

    def _look_at(self, row: Row, open_day: int | None, began: int) -> None:
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
            self._expect(self._cancellation_was_sent(bill.setl_id), bill, "undone without a cancellation")
            self._expect(row.state == UNSEEN or row.reversal_day == open_day, bill, "reversed in a closed books day")
        elif change in _STARTS:
            self._look_at_start(row, bill, change[0], open_day, began)
        else:
            self._expect(False, bill, f"went from {change[0]} to {change[1]}")

    def _look_at_start(self, row: Row, bill: Bill, before: str | None, open_day: int | None, began: int) -> None:
        settling = [claim for claim in self.claims[bill.setl_id] if not claim.cancels]
        if row.state == HELD:
            self._expect(any(not claim.name_is_right for claim in settling), bill, "held without a question")
            return
        fit = [claim for claim in settling if claim.name_is_right or claim.answers]
        possible = {
            split
            for claim in fit
            for rate in self._rates(bill.day, began)
            for split in [self._split(bill, rate, claim.at_counter and before is None and not claim.answers)]
        }
        kept = (row.on_bill_fen, row.to_card_fen, row.cash_due_fen)
        self._expect(kept in possible, bill, f"recorded {kept}, possible {sorted(possible)}")
        self._expect(row.books_day == open_day, bill, "settled in a closed books day")

    def _split(self, bill: Bill, rate: int, at_counter: bool) -> tuple[int, int, int]:
        """Return aid on the bill, aid to the card, and the cash that is left, in the order of recording."""
        room = max(0, self.plan.limit_fen - self._used(bill))
        aid = min((max(0, bill.share_fen) * rate + 50) // 100, room)
        on_bill = min(aid, bill.cash_fen) if at_counter else 0
        return on_bill, aid - on_bill, bill.cash_fen - on_bill

    def _used(self, of: Bill) -> int:
        """Return what other live bills of the member have used of the year, in fen."""
        live = (
            row
            for row in self.rows.values()
            if row.state == LIVE and row.setl_id != of.setl_id and self._same_year(self.bills[row.setl_id], of)
        )
        return sum(row.on_bill_fen + row.to_card_fen for row in live)

    def _same_year(self, one: Bill, other: Bill) -> bool:
        return (one.member, one.day[:4]) == (other.member, other.day[:4])

    def _rates(self, day: str, began: int) -> set[int]:
        """Return the rates that may have been read: of what was published when the transaction began, or later."""
        known = sum(at <= began for at in self.published_at)
        possible = set()
        for count in range(max(1, known), len(self.published_at) + 1):
            in_force = [rate for first, rate in self.plan.rates[:count] if first <= day]
            possible.add(in_force[-1])
        return possible

    def _look_at_limits(self) -> None:
        used: dict[tuple[str | None, str], int] = defaultdict(int)
        for row in self.rows.values():
            bill = self.bills.get(row.setl_id)
            if row.state == LIVE and bill is not None:
                used[bill.member, bill.day[:4]] += row.on_bill_fen + row.to_card_fen
        for (member, year), fen in used.items():
            over = f"{member} {year}: {fen} fen of a limit of {self.plan.limit_fen}"
            if fen > self.plan.limit_fen and over not in self.wrong:
                self.wrong.append(over)

    def _cancellation_was_sent(self, setl_id: str) -> bool:
        return any(claim.cancels for claim in self.claims[setl_id])

    def _expect(self, holds: bool, bill: Bill, otherwise: str) -> None:
        if not holds:
            self.wrong.append(f"{bill.setl_id}: {otherwise}")


def _amounts(row: Row) -> tuple[int, int, int, int | None]:
    return row.on_bill_fen, row.to_card_fen, row.cash_due_fen, row.books_day
