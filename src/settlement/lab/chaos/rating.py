"""What a re-rating may say, by the model's own reckoning: each bill of a year anew, in the order of places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from settlement.lab.chaos.facts import (
    APPLIED,
    KEPT,
    LAPSED,
    LIVE,
    PROPOSED,
    RAISE,
    Bill,
    FlatPlan,
    Hold,
    Line,
    Look,
    Rating,
    Row,
    share_of,
    split_again,
)

RERATED = "rerated"
Lines = tuple[Line, ...]


@dataclass(slots=True)
class Changes:
    """What one commit changed: rows before and now, by the insurer's id, and whether a person decided it."""

    before: Mapping[str, Row]
    now: Mapping[str, Row]
    decided: bool

    def rerated(self) -> dict[str, Row]:
        """Return the bills whose newest settlement is the fruit of a re-rating in this commit."""
        return {
            setl_id: row
            for setl_id, row in self.now.items()
            if row.why == RERATED and row.state == LIVE and row.settlements > self.before[setl_id].settlements
        }


@dataclass(slots=True)
class Ratings:
    """Follows the re-ratings of one fund. `wrong` is what could not be."""

    plan: FlatPlan
    wrong: list[str]
    known: dict[str, Rating] = field(default_factory=dict)
    looked: dict[str, Look] = field(default_factory=dict)

    def lines(
        self, rows: Iterable[Row], bills: Mapping[str, Bill], holds: Sequence[Hold], bases: set[int]
    ) -> set[Lines]:
        """Return the possible lines of one member and year; `bases` is what its holds may take of the limit.

        A kept promise stays as it was promised, and is served first; one that lives again with less is as any other.
        """
        ordered = sorted(rows, key=lambda row: (row.place, row.bill_id))
        promised = {hold.setl_id: hold.aid_fen for hold in holds if hold.state == KEPT}
        kept = {row.setl_id for row in ordered if promised.get(row.setl_id) == row.aid_fen}
        first = sum(row.aid_fen for row in ordered if row.setl_id in kept)
        possible = set()
        for base in bases:
            used, lines = base + first, []
            for row in ordered:
                now_fen = row.aid_fen
                if row.setl_id not in kept:
                    share = bills[row.setl_id].share_fen - row.later_fen
                    now_fen = share_of(share, self.plan.rate(row.version), self.plan.limit_fen - used)
                    used += now_fen
                lines.append(Line(row.setl_id, row.settlements, row.aid_fen, now_fen))
            possible.add(tuple(lines))
        return possible

    def judge(
        self, seen: Sequence[Rating], looks: Sequence[Look], possible_of: Mapping[str, set[Lines]], changes: Changes
    ) -> None:
        """Look at what one commit says of re-ratings; `possible_of` has the lines that may be, by the bill named."""
        applied: list[Rating] = []
        for rating in seen:
            before = self.known.get(rating.rating_id)
            if before is None:
                self._look_at_new(rating, possible_of[rating.setl_id], changes)
            elif before != rating:
                self._look_at_decided(before, rating, seen, possible_of[rating.setl_id], changes)
            if rating.state == APPLIED and (before is None or before.state == PROPOSED):
                applied.append(rating)
            self.known[rating.rating_id] = rating
        for look in looks:
            if look.cause not in self.looked:
                self._look_at_look(look, possible_of[look.setl_id])
            self.looked[look.cause] = look
        self._look_at_rerated(applied, changes)

    def _look_at_new(self, rating: Rating, possible: set[Lines], changes: Changes) -> None:
        """A re-rating that nobody had seen: it says what is so; applied where the plan raises and no bill loses."""
        self._expect(rating.lines in possible, rating, f"says {rating.lines}, possible {possible}")
        self._expect(rating.net_fen == _net(rating.lines), rating, f"a net of {rating.net_fen}")
        self._expect(any(line.now_fen != line.recorded_fen for line in rating.lines), rating, "changes nothing")
        loses = any(line.now_fen < line.recorded_fen for line in rating.lines)
        raised = self.plan.changes == RAISE and not loses
        wanted = APPLIED if raised else PROPOSED
        self._expect(rating.state == wanted, rating, f"{rating.state} with lines {rating.lines}, must be {wanted}")

    def _look_at_decided(
        self, before: Rating, rating: Rating, seen: Sequence[Rating], possible: set[Lines], changes: Changes
    ) -> None:
        """A proposal that is no more: applied by a person as it was shown, or lapsed because it is not so any more."""
        same = (before.lines, before.net_fen, before.setl_id) == (rating.lines, rating.net_fen, rating.setl_id)
        self._expect(before.state == PROPOSED and same, rating, f"went from {before} to {rating}")
        if rating.state == APPLIED:
            self._expect(changes.decided, rating, "applied without a person")
            self._expect(rating.lines in possible, rating, f"applied as {rating.lines}, possible {possible}")
        else:
            replaced = any(other.rating_id not in self.known for other in seen)
            self._expect(rating.state == LAPSED, rating, f"is {rating.state}")
            self._expect(replaced or possible != {rating.lines}, rating, "lapsed, and nothing had changed")

    def _look_at_look(self, look: Look, possible: set[Lines]) -> None:
        """A cause that was looked at: it led to a re-rating unless nothing would change."""
        if look.rating_id is None:
            nothing = not possible or any(
                all(line.now_fen == line.recorded_fen for line in lines) for lines in possible
            )
            if not nothing:
                self.wrong.append(f"{look.cause}: nothing to re-rate was seen, possible {possible}")
        elif self.known[look.rating_id].lines not in possible:
            self.wrong.append(f"{look.cause}: led to {self.known[look.rating_id].lines}, possible {possible}")

    def _look_at_rerated(self, applied: Sequence[Rating], changes: Changes) -> None:
        """The settlements that a re-rating wrote are those of its lines, all of them, and nobody else's."""
        lines = {line.setl_id: line for rating in applied for line in rating.lines}
        rerated = changes.rerated()
        for setl_id, row in rerated.items():
            before, line = changes.before[setl_id], lines.get(setl_id)
            fits = line is not None and row.split == split_again(before.split, line.now_fen)
            if not (fits and (row.settlements, row.place) == (before.settlements + 1, before.place)):
                self.wrong.append(f"{setl_id}: re-rated from {before.split} to {row.split} by {line}")
        for setl_id, line in lines.items():
            if line.now_fen != line.recorded_fen and setl_id not in rerated:
                self.wrong.append(f"{setl_id}: left out when its re-rating was applied: {line}")

    def _expect(self, holds: bool, rating: Rating, otherwise: str) -> None:
        if not holds:
            self.wrong.append(f"re-rating for {rating.setl_id}: {otherwise}")


def _net(lines: Lines) -> int:
    return sum(line.now_fen - line.recorded_fen for line in lines)
