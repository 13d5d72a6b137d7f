"""The plan file as a whole: what holds for every version, the versions, and one version as it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from settlement.domain.money import Rounding
from settlement.plans.canonical import canonical_json, sha256_hex
from settlement.plans.findings import PlanRefused
from settlement.plans.form_errors import form_findings
from settlement.plans.model.benefit import BenefitRules, GroupLimit, Purse
from settlement.plans.model.cases import Case, OrdinaryFacts
from settlement.plans.model.membership import Continuity, Module, Provisional, Stays
from settlement.plans.model.parts import Clause, Code, Condition, Names, Part, Text
from settlement.plans.yaml_lines import YamlFile


class RoundingRule(Part):
    """How and where a fraction becomes whole. A bill is rounded once per rule that multiplies, on the sums it sees."""

    mode: Rounding
    place: Annotated[
        Literal["bands_total", "each_band"],
        Field(description="`bands_total`: what all bands, or the rate, give together; `each_band`: each by itself."),
    ]
    step: Annotated[Literal["fen", "jiao", "yuan"], Field(description="What the result is a whole number of.")] = "fen"
    clause: Clause


class AccountMoney(Part):
    """Whether money from a medical account counts as the member's own burden, in the base and in the burden."""

    counts_as: Literal["burden", "not_burden"]
    clause: Clause


class OtherPayers(Part):
    """Where the plan stands among the payers, and what a payer does who comes after it."""

    place: Annotated[
        Literal["after", "before"],
        Field(description="`after`: what others pay on the bill may be taken off (`other_paid`)."),
    ]
    later_payer: Annotated[
        Literal["leave", "propose"],
        Field(description="Whether a payer who comes later leads to a proposal to re-rate."),
    ]
    clause: Clause


class Overpayment(Part):
    """How aid that was paid too much comes back: a later bill takes it into account, money is asked for by a person."""

    recovery: Literal["by_person"]
    clause: Clause


class EarlierChanges(Part):
    """What a changed earlier bill does to later ones: nothing, a proposal, or a raise at once and else a proposal."""

    effect: Literal["leave", "propose", "raise"]
    clause: Clause


class Corrections(Part):
    """Whether a corrected bill keeps the place of the one it replaces: ordinal, term, deductible, version."""

    place: Literal["kept", "new"]
    clause: Clause


class Spanning(Part):
    """What happens to a stay over two terms: it lies in one (`stay_date` says which) or is split by its days."""

    split: Literal["none", "by_days"]
    clause: Clause


class StatedAmount(Part):
    """An amount that the insurer's answer does not carry and the hospital states beside it."""

    code: Code
    names: Names
    if_not_stated: Annotated[Literal["zero", "hold"], Field(description="`hold` asks for it before anything is paid.")]
    clause: Clause


class Event(Part):
    """Something that happens to a member, stated and proved, for which the plan pays: a diagnosis, a death."""

    code: Code
    names: Names
    severities: tuple[Code, ...] = ()
    clause: Clause


class Header(Part):
    """What holds for every version of a plan: its names, whom it covers, and the readings that it declares."""

    code: Code
    names: Names
    source: Text
    notes: tuple[Text, ...] = ()
    stay_date: Annotated[
        Literal["discharge", "admission"], Field(description="Which date of a stay picks the version and the term.")
    ]
    spanning: Spanning | None = None
    covers: Annotated[tuple[Condition, ...], Field(min_length=1)]
    category_on: Annotated[
        Literal["service_date", "term_start"], Field(description="Of which day the person's category counts.")
    ] = "service_date"
    age_on: Annotated[
        Literal["service_date", "term_start"], Field(description="On which day whole years of age are counted.")
    ] = "service_date"
    continuity: Continuity | None = None
    provisional: Provisional | None = None
    stays: Stays | None = None
    events: tuple[Event, ...] = ()
    stated: tuple[StatedAmount, ...] = ()
    rounding: RoundingRule
    account_money: AccountMoney
    family_account_money: Annotated[
        AccountMoney | None, Field(description="Money from a relative's account, a part of the account money.")
    ] = None
    other_payers: OtherPayers | None = None
    earlier_changes: EarlierChanges | None = None
    corrections: Corrections | None = None
    overpayment: Overpayment

    def covered(self, fact: str) -> frozenset[str | int] | None:
        """Return the values of a fact that the plan covers, or `None` where not every bill is asked for it."""
        asked = [each for each in self.covers if each.fact == fact and each.when is None]
        values = [frozenset(condition.one_of) for condition in asked if condition.one_of]
        return frozenset.intersection(*values) if values else None


class VersionBody(Part):
    """What the plan pays from a day on, until the next version."""

    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,19}$")]
    effective_from: date
    clause: Clause
    modules: tuple[Module, ...] = ()
    purses: tuple[Purse, ...] = ()
    benefits: Annotated[tuple[BenefitRules, ...], Field(min_length=1)]
    limits: tuple[GroupLimit, ...] = ()

    def module(self, code: str | None) -> Module | None:
        """Return a module by its code, if there is one."""
        return next((module for module in self.modules if module.code == code), None)


class PlanFile(Part):
    """A whole plan file."""

    format: Literal[1]
    plan: Header
    versions: Annotated[tuple[VersionBody, ...], Field(min_length=1)]
    case_facts: OrdinaryFacts
    cases: Annotated[tuple[Case, ...], Field(min_length=1)]


class PlanVersion(Part):
    """One version of a plan with its header: all that a computation needs, and what the database keeps as text."""

    format: Literal[1]
    header: Header
    body: VersionBody

    @property
    def plan_code(self) -> str:
        """The plan's code, for example `hangzhou`."""
        return self.header.code

    @property
    def version(self) -> str:
        """The version's name within the plan."""
        return self.body.version

    @property
    def effective_from(self) -> date:
        """The first service date that this version prices."""
        return self.body.effective_from

    def canonical(self) -> str:
        """Return the version and its header as canonical JSON.

        What equals its default is left out, so that a key which the language learns later does not change the
        digest of a version that was published before.
        """
        return canonical_json(self.model_dump(mode="json", by_alias=True, exclude_defaults=True))

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical text, in hexadecimal."""
        return sha256_hex(self.canonical())

    @classmethod
    def from_canonical(cls, text: str) -> PlanVersion:
        """Read a version back from its canonical text; raises `PlanRefused` for any other text."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise PlanRefused(
                form_findings(error, "canonical text", lambda _path: None, cls.model_json_schema())
            ) from None

    def __hash__(self) -> int:
        return hash(self.digest)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan file as read: its versions, its worked cases, and where in the file everything stands."""

    source: YamlFile
    file: PlanFile
    versions: tuple[PlanVersion, ...]

    @property
    def header(self) -> Header:
        """What holds for every version."""
        return self.file.plan

    def version_on(self, day: date) -> PlanVersion | None:
        """Return the version that prices a service date: the last that began on or before it, if any had."""
        begun = [version for version in self.versions if version.effective_from <= day]
        return max(begun, key=lambda version: version.effective_from, default=None)
