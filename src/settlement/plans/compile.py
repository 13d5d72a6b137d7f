"""Runs a plan version as one generated function over whole fen: the only calculator of aid there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from settlement.domain.benefits import Benefit, Consumption, PlanFacts, Term, UsedRoom
from settlement.domain.bills import BillFigures, Care
from settlement.domain.errors import InvariantViolation, ensure
from settlement.domain.money import ZERO, Money
from settlement.plans.check import refuse_unsound
from settlement.plans.generate import STAY_DATE_FACTS, conditions_of, facts_needed, generate
from settlement.plans.model import BenefitRules, Condition, PlanVersion, TermLimitRule
from settlement.plans.steps import BenefitFunctions, BenefitSteps

UNUSED = UsedRoom()
NOTHING = Consumption()
_Results = dict[str, tuple[int, int, int, int]]


@dataclass(frozen=True, slots=True)
class _CompiledBenefit:
    """One benefit's generated functions, and what its bills are asked and told."""

    code: str
    name: str
    conditions: tuple[Condition, ...]
    facts: tuple[str, ...]
    functions: BenefitFunctions
    steps: BenefitSteps


class CompiledPlan:
    """A plan version ready to price bills. It keeps nothing between calls; amounts are fen throughout."""

    def __init__(self, version: PlanVersion) -> None:
        self.plan_code = version.plan_code
        self.version = version.version
        self.digest = version.digest
        self.source = generate(version)
        self.stay_date: Literal["discharge", "admission"] = version.header.stay_date
        self.limits: Mapping[str, Money] = {
            benefit.code: rule.amount
            for benefit in version.body.benefits
            for rule in benefit.finish
            if isinstance(rule, TermLimitRule)
        }
        functions = _executed(self.source, f"<plan {self.plan_code} {self.version} {self.digest[:12]}>")
        self._benefits = tuple(_compiled(version, benefit, functions) for benefit in version.body.benefits)
        self._adjudicate: Callable[[BillFigures, PlanFacts, Mapping[str, UsedRoom]], _Results] = functions["adjudicate"]
        self.needed_facts: frozenset[str] = frozenset(fact for benefit in self._benefits for fact in benefit.facts)

    def service_date(self, facts: PlanFacts) -> date | None:
        """Return the date that picks version and term: of a visit its settlement, of a stay the one declared.

        `None` when a stay's date is not known; `missing_fact` then names it.
        """
        return service_date(self.stay_date, facts)

    def terms(self, service_date: date) -> Mapping[str, Term]:
        """Return each benefit's term for a service date, by benefit code."""
        term = _calendar_year(service_date.year)
        return {benefit.code: term for benefit in self._benefits}

    def missing_fact(self, facts: PlanFacts) -> str | None:
        """Return the first fact that a benefit which could reach this bill needs and lacks, by its field's name.

        A fact that is known and excludes the bill comes first: then nothing else is asked for.
        """
        for benefit in self._benefits:
            if all(getattr(facts, c.fact) in (*c.one_of, None) for c in benefit.conditions):
                for fact in benefit.facts:
                    if getattr(facts, fact) is None and not self._is_date_of_no_stay(fact, facts):
                        return fact
        return None

    def adjudicate(self, figures: BillFigures, facts: PlanFacts, used: Mapping[str, UsedRoom]) -> tuple[Benefit, ...]:
        """Price one bill and explain it; `used` is the room its term's earlier bills have used, by benefit code.

        A fact may be missing only where `missing_fact` does not ask for it.
        """
        term = _calendar_year((self.service_date(facts) or facts.settled_on).year)
        results = self._adjudicate(figures, facts, used)
        return tuple(
            _benefit(benefit, term, used.get(benefit.code, UNUSED), *results[benefit.code])
            for benefit in self._benefits
        )

    def amounts(self, figures: BillFigures, facts: PlanFacts, used: Mapping[str, UsedRoom]) -> dict[str, Consumption]:
        """Price one bill without explaining it: what each benefit pays and uses, by benefit code.

        It runs the same generated function as `adjudicate`; simulations run whole years through it.
        """
        return {
            code: NOTHING if refused else Consumption(Money(base), Money(burden), Money(aid))
            for code, (refused, base, burden, aid) in self._adjudicate(figures, facts, used).items()
        }

    def _is_date_of_no_stay(self, fact: str, facts: PlanFacts) -> bool:
        return fact == STAY_DATE_FACTS[self.stay_date] and facts.care != Care.INPATIENT


@lru_cache(maxsize=256)
def compile_version(version: PlanVersion) -> CompiledPlan:
    """Compile a version once per process. Raises `PlanRefused` for a version with an error that `check.py` finds."""
    refuse_unsound(version)
    return CompiledPlan(version)


def service_date(stay_date: Literal["discharge", "admission"], facts: PlanFacts) -> date | None:
    """Return the date that picks plan version and term of a bill, or `None` when it is a stay's and not known."""
    if facts.care != Care.INPATIENT:
        return facts.settled_on
    return facts.discharged_on if stay_date == "discharge" else facts.admitted_on


def _executed(source: str, name: str) -> dict[str, Any]:
    """Execute a source that `generate` wrote; it sees nothing but what is handed to it here."""
    namespace: dict[str, Any] = {"UNUSED": UNUSED, "InvariantViolation": InvariantViolation}
    exec(compile(source, name, "exec"), namespace)
    return namespace


def _compiled(version: PlanVersion, benefit: BenefitRules, functions: Mapping[str, Any]) -> _CompiledBenefit:
    conditions = conditions_of(version, benefit)
    return _CompiledBenefit(
        benefit.code,
        benefit.names.zh,
        conditions,
        facts_needed(version, benefit),
        BenefitFunctions(functions[f"{benefit.code}_bands"], functions[f"{benefit.code}_total"]),
        BenefitSteps(version.header, benefit, conditions),
    )


def _benefit(
    benefit: _CompiledBenefit, term: Term, room: UsedRoom, refused: int, base: int, burden: int, aid: int
) -> Benefit:
    if refused:
        return Benefit(benefit.code, benefit.name, term, ZERO, benefit.steps.refused(refused), room, NOTHING)
    steps = benefit.steps.reached(benefit.functions, room, base, burden, aid)
    ensure(base + sum(int(step.delta) for step in steps) == aid, "the steps of a benefit do not add up to its aid")
    consumption = Consumption(Money(base), Money(burden), Money(aid))
    return Benefit(benefit.code, benefit.name, term, consumption.base, steps, room, consumption)


@lru_cache(maxsize=512)
def _calendar_year(year: int) -> Term:
    return Term(str(year), date(year, 1, 1), date(year, 12, 31))
