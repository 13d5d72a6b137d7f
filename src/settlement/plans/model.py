"""The shape of a plan file and of one version of a plan. Here is form; sense is checked in `check.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from settlement.domain.bills import Care
from settlement.domain.money import Money, Rounding
from settlement.plans.canonical import canonical_json, sha256_hex
from settlement.plans.findings import PlanRefused
from settlement.plans.form_errors import form_findings, not_utf8
from settlement.plans.values import Rate, Yuan
from settlement.plans.yaml_lines import YamlFile, read_yaml

Text = Annotated[str, Field(min_length=1, max_length=1000)]
Clause = Annotated[str, Field(min_length=1, max_length=300, description="The published rule that says so.")]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Part(BaseModel):
    """A part of a plan file: no unknown keys, no conversions, no changes once read."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Names(Part):
    """What something is called in Chinese and in English."""

    zh: Text
    en: Text


class Condition(Part):
    """A fact about the bill or its patient that must take one of some values; `label` says so to a member."""

    fact: str
    one_of: Annotated[tuple[str | int, ...], Field(min_length=1)]
    clause: Clause
    label: Text


class RoundingRule(Part):
    """How and where a fraction of a fen becomes whole: once, on the bands' total for the sum of bases."""

    mode: Rounding
    place: Literal["bands_total"]
    clause: Clause


class AccountMoney(Part):
    """How money from the member's medical account counts: as the member's own burden."""

    counts_as: Literal["burden"]
    clause: Clause


class Overpayment(Part):
    """How aid that was paid too much comes back: a later bill takes it into account, money is asked for by a person."""

    recovery: Literal["by_person"]
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
    covers: Annotated[tuple[Condition, ...], Field(min_length=1)]
    rounding: RoundingRule
    account_money: AccountMoney
    overpayment: Overpayment

    def covered(self, fact: str) -> frozenset[str | int] | None:
        """Return the values of a fact that the plan covers, or `None` where it does not ask for that fact."""
        values = [frozenset(condition.one_of) for condition in self.covers if condition.fact == fact]
        return frozenset.intersection(*values) if values else None


class AmountSum(Part):
    """A sum and difference of named amounts of one bill."""

    plus: Annotated[tuple[str, ...], Field(min_length=1)]
    minus: tuple[str, ...] = ()
    clause: Clause


class TermRule(Part):
    """The span that sums and limits run over."""

    kind: Literal["calendar_year"]
    clause: Clause


class Accumulation(Part):
    """Whether the rules see one bill or the sum of a term's bills."""

    over: Literal["term"]
    clause: Clause


class Band(Part):
    """A band of the sum of bases, from above one amount up to and including another; the last one has no end."""

    above: Yuan
    up_to: Yuan | None = None
    rate: Rate
    clause: Clause


class BandsRule(Part):
    """Each band of the sum of bases pays its own rate, and the parts add up."""

    rule: Literal["bands"]
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]


class MinimumRule(Part):
    """What a term pays at least once the sum of bases is above zero."""

    rule: Literal["minimum"]
    amount: Yuan
    clause: Clause


class BurdenLimitRule(Part):
    """What a term pays is at most the sum of burdens."""

    rule: Literal["burden_limit"]
    clause: Clause


class TermLimitRule(Part):
    """What a term pays is at most this amount."""

    rule: Literal["term_limit"]
    amount: Yuan
    clause: Clause


FinishRule = MinimumRule | BurdenLimitRule | TermLimitRule
Rule = Annotated[BandsRule | FinishRule, Field(discriminator="rule")]


class BenefitRules(Part):
    """One benefit: whom it reaches, what it starts from, and its rules in the order in which they apply."""

    code: Code
    names: Names
    conditions: tuple[Condition, ...] = ()
    base: Annotated[AmountSum, Field(description="Of one bill; below zero it counts as zero.")]
    burden: AmountSum
    term: TermRule
    accumulation: Accumulation
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]

    @property
    def bands(self) -> BandsRule:
        """The bands; a checked benefit begins with them."""
        return next(rule for rule in self.rules if isinstance(rule, BandsRule))

    @property
    def finish(self) -> tuple[FinishRule, ...]:
        """The rules that follow the bands, in the order in which they apply."""
        return tuple(rule for rule in self.rules if not isinstance(rule, BandsRule))


class VersionBody(Part):
    """What the plan pays from a day on, until the next version."""

    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,19}$")]
    effective_from: date
    clause: Clause
    benefits: Annotated[tuple[BenefitRules, ...], Field(min_length=1)]


class CaseFacts(Part):
    """Facts of a worked case; what is not given is as in `case_facts`, and `null` is not known."""

    care: Care | None = None
    settled_on: date | None = None
    admitted_on: date | None = None
    discharged_on: date | None = None
    hospital_level: int | None = None
    insurance_type: str | None = None
    person_category: str | None = None


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


class CaseBill(Part):
    """One bill of a worked case and what each benefit pays for it; a benefit that is not named pays nothing."""

    amounts: CaseAmounts
    facts: CaseFacts = CaseFacts()
    pays: dict[str, Yuan]


class Case(Part):
    """A worked case: one member's bills in the order of recording."""

    name: Text
    note: Text | None = None
    bills: Annotated[tuple[CaseBill, ...], Field(min_length=1)]


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
        return canonical_json(self.model_dump(mode="json", exclude_defaults=True))

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
            raise PlanRefused(form_findings(error, "canonical text", lambda _path: None, known_keys())) from None

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


def load_plan(text: str, name: str) -> Plan:
    """Read a plan file's text; `name` stands in findings. Raises `PlanRefused` with file, line and what to mend."""
    source = read_yaml(text, name)
    try:
        file = PlanFile.model_validate_json(json.dumps(source.tree))
    except ValidationError as error:
        raise PlanRefused(form_findings(error, name, source.line_of, known_keys())) from None
    versions = tuple(PlanVersion(format=file.format, header=file.plan, body=body) for body in file.versions)
    return Plan(source, file, versions)


def read_plan(path: Path) -> Plan:
    """Read a plan file from disk. Raises `PlanRefused` as `load_plan` does, and for a file that is not UTF-8."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise PlanRefused([not_utf8(str(path))]) from None
    return load_plan(text, str(path))


def schema() -> dict[str, object]:
    """Return the JSON Schema of a plan file."""
    return PlanFile.model_json_schema()


def known_keys() -> frozenset[str]:
    """Return every key that a plan file may have, to name the nearest one to a mistaken key."""
    definitions = PlanFile.model_json_schema()
    parts: list[Mapping[str, object]] = [definitions, *definitions["$defs"].values()]
    return frozenset(key for part in parts if isinstance(found := part.get("properties"), dict) for key in found)
