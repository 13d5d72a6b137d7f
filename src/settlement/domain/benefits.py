"""What a plan pays and why: a base and its signed steps, each with its clause, and the room a member has used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from settlement.domain.money import ZERO, Money, total


class StepKind(StrEnum):
    """What a step of an adjudication does to the amount."""

    NOT_ELIGIBLE = "not_eligible"
    NOT_HELD = "not_held"
    NO_EVENT = "no_event"
    WAITING = "waiting"
    MANUAL = "manual"
    DEDUCTIBLE = "deductible"
    FRANCHISE = "franchise"
    BAND = "band"
    RATE = "rate"
    MINIMUM = "minimum"
    BURDEN_LIMIT = "burden_limit"
    TERM_LIMIT = "term_limit"
    LIMIT = "limit"
    LESS_PAID = "less_paid"
    NOT_BESIDE = "not_beside"
    ONLY_BESIDE = "only_beside"
    EARLIER_BILLS = "earlier_bills"


REFUSALS = frozenset({StepKind.NOT_ELIGIBLE, StepKind.NOT_HELD, StepKind.NO_EVENT, StepKind.WAITING})
"""The kinds of the one step of a benefit that does not reach a bill."""


class Step(NamedTuple):
    """One rule's effect on the amount, in fen, and the clause that says so.

    A named tuple: a bill has many, made while the counter waits, and one takes half the time of a frozen dataclass.
    """

    clause: str
    kind: StepKind
    delta: Money
    label: str
    """The rule in the plan's own words, for example `1,000 至 10,000 部分 50%`."""


@dataclass(frozen=True, slots=True)
class Consumption:
    """What one bill takes of one benefit's room: base, the patient's burden, aid and deductible in fen; days, times."""

    base: Money = ZERO
    burden: Money = ZERO
    paid: Money = ZERO
    days: int = 0
    times: int = 0
    deductible: Money = ZERO


@dataclass(frozen=True, slots=True)
class UsedRoom:
    """What a member has used of one benefit in one span before this bill: fen, days and times."""

    base: Money = ZERO
    burden: Money = ZERO
    paid: Money = ZERO
    days: int = 0
    times: int = 0
    deductible: Money = ZERO

    def after(self, taken: Consumption) -> UsedRoom:
        """Return the used room once this bill has taken its part."""
        return UsedRoom(
            self.base + taken.base,
            self.burden + taken.burden,
            self.paid + taken.paid,
            self.days + taken.days,
            self.times + taken.times,
            self.deductible + taken.deductible,
        )


STAY = "_stay"
"""The code under which the records keep stays: nights as days, admissions as times."""
OTHER_PLANS = "_other_plans"
"""The code under which a member's takings by the fund's other plans are counted. No benefit's code begins with `_`."""


@dataclass(frozen=True, slots=True)
class Taking:
    """What a member's live bills took of one benefit's room in one term, within one unit where a plan has units.

    A unit is what a plan counts as one: a receipt, a visit, or a stay. Stays also keep their visit and their days.
    """

    code: str
    term: str
    room: UsedRoom
    unit: str | None = None
    visit: str | None = None
    care_from: date | None = None
    care_to: date | None = None
    hospital: str | None = None
    diagnosis: str | None = None


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
    A bill that the benefit does not reach has `consumption` of nothing and one step that says why.
    """

    code: str
    name: str
    term: Term
    base: Money
    steps: tuple[Step, ...]
    used_before: UsedRoom
    """Of this benefit in its term."""
    consumption: Consumption
    funding: tuple[tuple[str, Money], ...] = ()
    """What each purse bears of the amount, in fen; empty where the plan has one purse."""
    days: tuple[date, date] | None = None
    """First and last day of the part of a stay that this is of, where the plan splits the stay over terms."""
    stay_days: tuple[int, int] | None = None
    """Of an allowance per day: the days of the stay before this bill and with it, as the plan counts them."""
    name_en: str = ""
    """The benefit's English name; records keep the Chinese one."""

    @property
    def amount(self) -> Money:
        """The aid of this benefit, in fen."""
        return self.base + total(step.delta for step in self.steps)

    @property
    def is_reached(self) -> bool:
        """Whether the benefit reaches the bill at all."""
        return not any(step.kind in REFUSALS for step in self.steps)

    @property
    def asks_a_person(self) -> bool:
        """Whether the plan leaves this benefit to a person, and the bill gives cause to look."""
        return any(step.kind is StepKind.MANUAL for step in self.steps)


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What a plan may ask about a bill besides its amounts. `None` is not known, and holds the bill when asked for.

    `docs/plans.md` has every fact with the words it may take and where it comes from.
    """

    care: str
    settled_on: date
    admitted_on: date | None
    discharged_on: date | None
    hospital_level: int | None
    insurance_type: str | None
    person_category: str | None
    setting: str | None = None
    """Where care was given, more exactly than `care`: see `CareSetting`."""
    place: str | None = None
    hospital_category: str | None = None
    insured: bool | None = True
    accident: bool | None = False
    diagnosis: str | None = None
    event: str | None = "none"
    severity: str | None = None
    event_on: date | None = None
    age: int | None = None
    sex: str | None = None
    region: str | None = None
    unit_class: str | None = None
    union_member: bool | None = None
    shares: Mapping[str, int] | None = None
    """Shares held of each module; `None` where the roster names no modules: then the basic ones are held once."""
    cover_first_day: date | None = None
    cover_last_day: date | None = None
    covered_since: date | None = None
    """First day of the cover that has gone on without a break since (`continuity` says what a break is)."""
    consecutive_terms: int | None = None
    returned: bool | None = None
    """Whether there was cover before a break."""
    stay_ordinal: int | None = None
    """1 for the first stay of a term; mid-settlements and merged stays count once."""
    counted_from: date | None = None
    """The day from which this bill's days of care count: a stay that was settled before goes on from there."""
    goes_on: bool = False
    """Whether an earlier bill has settled a part of this admission."""
    stay_days_before: int = 0
    """Nights of this stay that earlier bills have counted."""
    stay_parts_before: int = 0
    """Admissions of this stay that earlier bills have counted: merged stays have several."""
    night_before: bool = False
    """Of a later part of a split stay: the night that led to its first day is of the part before it."""
    night_after: bool = False
    """Of an earlier part of a split stay: the night that begins on its last day is its own."""
    covers: tuple[tuple[date, date], ...] | None = None
    """The member's spans of cover, both days included, where a plan splits stays by days; `None` is not asked for."""
    plan_since: date | None = None
    """The day from which the fund has a plan at all: the first version's. `None` asks nothing about it."""
    other_paid: Money = ZERO
    """What other payers pay on the bill before the plan, in fen."""
    stated: Mapping[str, Money] = field(default_factory=dict)
    """Amounts that the insurer's answer does not carry, as the hospital stated them, in fen."""
