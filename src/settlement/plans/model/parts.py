"""The small parts that a plan file is made of: texts, clauses, tests of facts, and values that depend on facts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from settlement.plans.values import Rate, Yuan
from settlement.plans.vocabulary import AMOUNTS, FACTS

Text = Annotated[str, Field(min_length=1, max_length=1000)]
Clause = Annotated[str, Field(min_length=1, max_length=300, description="The published rule that says so.")]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
FactValue = str | int | bool
FactName = Annotated[str, Field(json_schema_extra={"enum": sorted(FACTS)})]
"""A fact by its name. The schema lists the names for editors; the check names the nearest known one."""
AmountName = Annotated[
    str, Field(json_schema_extra={"anyOf": [{"enum": sorted(AMOUNTS)}, {"pattern": r"^(aid\.)?[a-z][a-z0-9_]{0,39}$"}]})
]
"""An amount of a bill, one that the plan lets hospitals state, or `aid.` with an earlier benefit's code."""
Count = Annotated[int, Field(ge=1, le=100_000)]


class Part(BaseModel):
    """A part of a plan file: no unknown keys, no conversions, no changes once read."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Names(Part):
    """What something is called in Chinese and in English."""

    zh: Text
    en: Text


class Span(StrEnum):
    """What a sum or a limit runs over."""

    SETTLEMENT = "settlement"
    RECEIPT = "receipt"
    VISIT = "visit"
    STAY = "stay"
    TERM = "term"
    LIFE = "life"


UNITS = frozenset({Span.RECEIPT, Span.VISIT, Span.STAY})
"""The spans that tie several settlements together; one version uses one of them at most."""


class Between(Part):
    """A whole number between two bounds, both included; one of them may be left out."""

    at_least: int | None = None
    at_most: int | None = None


When = Annotated[
    dict[str, tuple[FactValue, ...] | Between],
    Field(min_length=1, description="Facts with what each must be: a list of words, or `{at_least: 16, at_most: 54}`."),
]


class Condition(Part):
    """A fact about the bill or its patient: one of some words, or a whole number between two bounds, both included.

    With a `when` it is asked only of bills whose facts fit that: men below one age, women below another.
    `label` says so to a member whose bill does not fulfil it.
    """

    fact: FactName
    one_of: Annotated[tuple[FactValue, ...], Field(min_length=1)] | None = None
    at_least: int | None = None
    at_most: int | None = None
    when: When | None = None
    clause: Clause
    label: Text


V = TypeVar("V")


class Choice(Part, Generic[V]):
    """One of several values and when it holds; the last choice may leave out `when`."""

    when: When | None = None
    value: V
    clause: Clause | None = None


class YuanChoice(Choice[Yuan]):
    """An amount and when it holds."""


class RateChoice(Choice[Rate]):
    """A rate and when it holds."""


YuanBy = Annotated[
    Yuan | Annotated[tuple[YuanChoice, ...], Field(min_length=1)],
    Field(description="An amount, or a list of choices: the first whose `when` fits the bill counts."),
]
RateBy = Annotated[
    Rate | Annotated[tuple[RateChoice, ...], Field(min_length=1)],
    Field(description="A rate, or a list of choices: the first whose `when` fits the bill counts."),
]


class AmountSum(Part):
    """A sum and difference of named amounts of one bill."""

    plus: Annotated[tuple[AmountName, ...], Field(min_length=1)]
    minus: tuple[AmountName, ...] = ()
    clause: Clause
