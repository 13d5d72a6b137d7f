"""The worked cases that a plan file carries: one member's bills in order, and what each of them must be paid."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from settlement.domain.bills import Care
from settlement.domain.money import Money
from settlement.plans.model.parts import Part, Text
from settlement.plans.values import Yuan


class CaseCover(Part):
    """A span of cover, both days included, as the roster has it."""

    first_day: date
    last_day: date
    person_category: str | None = None


class CaseFacts(Part):
    """Facts of a worked case; what is not given is as in `case_facts`, and `null` is not known.

    `visit` and `receipt` tell which bills belong together; without them each bill is a visit of its own. From
    `born_on` the age follows, on the day that the plan's `age_on` names.
    """

    care: Care | None = None
    settled_on: date | None = None
    admitted_on: date | None = None
    discharged_on: date | None = None
    setting: str | None = None
    place: str | None = None
    hospital_level: int | None = None
    hospital_category: str | None = None
    hospital: str | None = None
    visit: str | None = None
    receipt: str | None = None
    insurance_type: str | None = None
    insured: bool | None = True
    accident: bool | None = False
    diagnosis: str | None = None
    event: str | None = "none"
    severity: str | None = None
    event_on: date | None = None
    person_category: str | None = None
    age: int | None = None
    born_on: date | None = None
    sex: str | None = None
    region: str | None = None
    unit_class: str | None = None
    union_member: bool | None = None
    shares: dict[str, int] | None = None
    covers: tuple[CaseCover, ...] | None = None


class OrdinaryFacts(CaseFacts):
    """The facts that worked cases share."""

    care: Care
    settled_on: date


class CaseAmounts(Part):
    """The amounts of a worked case's bill; the rest follows from the identities of the insurer's interface."""

    allowed: Yuan = Field(default_factory=Money)
    excluded: Yuan = Field(default_factory=Money)
    over_limit: Yuan = Field(default_factory=Money)
    upfront_share: Yuan = Field(default_factory=Money)
    insurer_deductible: Yuan = Field(default_factory=Money)
    insurer_paid: Yuan = Field(default_factory=Money)
    provider_absorbed: Yuan = Field(default_factory=Money)
    account_paid: Yuan = Field(default_factory=Money)
    family_account_paid: Yuan = Field(default_factory=Money)
    other_paid: Yuan = Field(default_factory=Money)
    stated: dict[str, Yuan] = Field(default_factory=dict)


class CaseBill(Part):
    """One bill of a worked case and what each benefit pays for it; a benefit that is not named pays nothing.

    `asks` names the benefits that a person must look at, `missing` the fact for which the bill is held; `not_covered`
    says that the bill is not ours, its member having no cover on the service date.
    """

    amounts: CaseAmounts = CaseAmounts()
    facts: CaseFacts = CaseFacts()
    pays: dict[str, Yuan] = Field(default_factory=dict)
    asks: tuple[str, ...] = ()
    missing: str | None = None
    not_covered: bool = False


class Case(Part):
    """A worked case: one member's bills in the order of recording."""

    name: Text
    note: Text | None = None
    bills: Annotated[tuple[CaseBill, ...], Field(min_length=1)]
