"""What a plan pays and why: a base and its signed steps, each with its clause, and the room a member has used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from settlement.domain.money import ZERO, Money, total


class StepKind(StrEnum):
    """What a step of an adjudication does to the amount."""

    NOT_ELIGIBLE = "not_eligible"
    DEDUCTIBLE = "deductible"
    BAND = "band"
    MINIMUM = "minimum"
    BURDEN_LIMIT = "burden_limit"
    TERM_LIMIT = "term_limit"
    EARLIER_BILLS = "earlier_bills"
    ROUNDING = "rounding"


@dataclass(frozen=True, slots=True)
class Step:
    """One rule's effect on the amount, in fen, and the clause that says so."""

    clause: str
    kind: StepKind
    delta: Money
    label: str
    """The rule in the plan's own words, for example `1,000 至 10,000 部分 50%`."""


@dataclass(frozen=True, slots=True)
class UsedRoom:
    """What a member has used of one benefit in one term before this bill: fen, days and times."""

    base: Money = ZERO
    burden: Money = ZERO
    paid: Money = ZERO
    days: int = 0
    times: int = 0

    def after(self, taken: Consumption) -> UsedRoom:
        """Return the used room once this bill has taken its part."""
        return UsedRoom(
            self.base + taken.base,
            self.burden + taken.burden,
            self.paid + taken.paid,
            self.days + taken.days,
            self.times + taken.times,
        )


@dataclass(frozen=True, slots=True)
class Consumption:
    """What one bill takes of one benefit's room: base, the patient's burden and the aid in fen, days, times."""

    base: Money = ZERO
    burden: Money = ZERO
    paid: Money = ZERO
    days: int = 0
    times: int = 0


@dataclass(frozen=True, slots=True)
class Term:
    """The span that a limit runs over, both days included; `code` names it within the plan, for example `2026`."""

    code: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Benefit:
    """What one benefit of a plan pays for one bill.

    `base + Σ steps = amount`: a fen that the plan did not pay has a step with its clause.
    A bill that the benefit does not reach has `consumption` of nothing and one `NOT_ELIGIBLE` step.
    """

    code: str
    name: str
    term: Term
    base: Money
    steps: tuple[Step, ...]
    used_before: UsedRoom
    consumption: Consumption

    @property
    def amount(self) -> Money:
        """The aid of this benefit, in fen."""
        return self.base + total(step.delta for step in self.steps)


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What a plan may ask about a bill besides its amounts. `None` is not known, and holds the bill when asked for."""

    care: str
    settled_on: date
    admitted_on: date | None
    discharged_on: date | None
    hospital_level: int | None
    insurance_type: str | None
    person_category: str | None
