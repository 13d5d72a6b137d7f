"""A version laid out for the checks: every part of it, where it stands, under which clause, and in which benefit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from settlement.plans.findings import FilePath
from settlement.plans.model import BenefitRules, Between, Condition, GroupLimit, Header, PlanVersion, VersionBody
from settlement.plans.model.parts import FactValue, Part

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Spot(Generic[P]):
    """One part of a version. `clause` is its own or that of the nearest part around it."""

    part: P
    path: FilePath
    clause: str | None
    benefit: BenefitRules | None
    limit: GroupLimit | None


@dataclass(frozen=True, slots=True)
class FactTest:
    """What a condition or a `when` wants of one fact: one of some words, or a number between bounds."""

    fact: str
    wanted: tuple[FactValue, ...] | Between
    path: FilePath
    """Of the words or the bounds."""
    spot: Spot[Any]
    """The part that makes the test: a condition, a choice or a modifier."""

    @property
    def is_condition(self) -> bool:
        """Whether every bill must pass it; a `when`, and a condition that has one, keep no bill away by themselves."""
        return isinstance(self.spot.part, Condition) and self.spot.part.when is None

    @property
    def is_when(self) -> bool:
        """Whether it stands in a `when`."""
        return len(self.path) > 1 and self.path[-2] == "when"


class Survey:
    """A version and all its parts. Checks ask it for the parts of a kind."""

    def __init__(self, version: PlanVersion) -> None:
        self.version = version
        self._spots = [
            *_spots(version.header, ("plan",), None, None, None),
            *_spots(version.body, ("version",), None, None, None),
        ]
        self.tests = tuple(test for spot in self._spots for test in _tests(spot))
        """Every test of a fact in the version, in the order of the file."""

    @property
    def header(self) -> Header:
        """What holds for every version."""
        return self.version.header

    @property
    def body(self) -> VersionBody:
        """What this version pays."""
        return self.version.body

    def all(self, kind: type[P]) -> Iterator[Spot[P]]:
        """Yield every part of a kind, in the order of the file."""
        for spot in self._spots:
            if isinstance(spot.part, kind):
                yield spot

    def any_of(self, *kinds: type[Part]) -> Iterator[Spot[Any]]:
        """Yield every part of one of several kinds, in the order of the file."""
        for spot in self._spots:
            if isinstance(spot.part, kinds):
                yield spot

    def benefit(self, code: str) -> BenefitRules | None:
        """Return a benefit by its code, if there is one."""
        return next((benefit for benefit in self.body.benefits if benefit.code == code), None)

    def place_of(self, code: str) -> int:
        """Return the place of a benefit in the file, or one behind the last where there is no such benefit."""
        codes = [benefit.code for benefit in self.body.benefits]
        return codes.index(code) if code in codes else len(codes)

    def members(self, limit: GroupLimit) -> tuple[BenefitRules, ...]:
        """Return the benefits that a group limit meets; those that a person decides pay nothing by themselves."""
        paying = [benefit for benefit in self.body.benefits if benefit.manual is None]
        return tuple(benefit for benefit in paying if isinstance(limit.of, str) or benefit.code in limit.of)

    def reaching(self, spot: Spot[Any]) -> tuple[BenefitRules, ...]:
        """Return the benefits whose bills meet a part: its own benefit, or those of its group limit, or all."""
        if spot.benefit is not None:
            return (spot.benefit,)
        return self.body.benefits if spot.limit is None else self.members(spot.limit)


def _spots(
    value: object,
    path: FilePath,
    clause: str | None,
    benefit: BenefitRules | None,
    limit: GroupLimit | None,
) -> Iterator[Spot[Any]]:
    if isinstance(value, tuple):
        for position, item in enumerate(value):
            yield from _spots(item, (*path, position), clause, benefit, limit)
    elif isinstance(value, Part):
        clause = getattr(value, "clause", None) or clause
        benefit = value if isinstance(value, BenefitRules) else benefit
        limit = value if isinstance(value, GroupLimit) else limit
        yield Spot(value, path, clause, benefit, limit)
        for name, field in type(value).model_fields.items():
            yield from _spots(getattr(value, name), (*path, field.alias or name), clause, benefit, limit)


def _tests(spot: Spot[Any]) -> Iterator[FactTest]:
    part = spot.part
    if isinstance(part, Condition):
        if part.one_of is not None:
            yield FactTest(part.fact, part.one_of, (*spot.path, "one_of"), spot)
        if part.at_least is not None or part.at_most is not None:
            yield FactTest(part.fact, Between(at_least=part.at_least, at_most=part.at_most), spot.path, spot)
    for fact, wanted in (getattr(part, "when", None) or {}).items():
        yield FactTest(fact, wanted, (*spot.path, "when", fact), spot)
