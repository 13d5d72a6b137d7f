"""A bill as a simulation takes it: what the plan may ask, what ties it to others, and what was really paid on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from settlement.domain.benefits import PlanFacts
from settlement.domain.bills import BillFigures
from settlement.plans.history import BillKeys


class BadRow(ValueError):
    """A row that cannot be read as a bill; the message says why. It is left out and reported, never guessed."""


@dataclass(frozen=True, slots=True)
class SimulatedBill:
    """One bill of one member. The facts that follow from earlier bills are not filled in: each plan places it anew."""

    number: int
    """Row of the file, or place in the order of recording."""
    label: str
    """What a reader finds the bill by: the row, or its settlement number. Never anything of the person."""
    figures: BillFigures
    facts: PlanFacts
    keys: BillKeys
    paid: Mapping[str, int] | None = None
    """What was really paid on it, in fen, by benefit code; `None` is not known."""
    unit: str | None = None
    counts: bool = True
    """Whether it belongs to the simulated period; one before it only uses room."""


class BillReader(Protocol):
    """What makes bills of rows of texts: the columns of a file, or the record's own form."""

    def member(self, cells: Sequence[str]) -> str:
        """Return whose bill a row is. Raises `BadRow`."""

    def bill(self, number: int, cells: Sequence[str]) -> SimulatedBill:
        """Read a row. Raises `BadRow`."""

    def order(self, bill: SimulatedBill) -> tuple[date, int]:
        """Return where a bill stands among those of its member."""
