"""Writes a checked plan version as the source text of plain Python over whole fen. It writes; `compile.py` runs it.

Nothing of the file reaches the text but whole numbers, names from our own vocabulary, codes of a fixed pattern, and
literals through `repr`.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import lcm

from settlement.domain.bills import Care
from settlement.domain.errors import ensure
from settlement.domain.money import Rounding
from settlement.plans.model import (
    AmountSum,
    Band,
    BenefitRules,
    BurdenLimitRule,
    Condition,
    FinishRule,
    MinimumRule,
    PlanVersion,
    TermLimitRule,
)
from settlement.plans.vocabulary import AMOUNTS, FACTS, FUNDS

STAY_DATE_FACTS = {"discharge": "discharged_on", "admission": "admitted_on"}

_ROUNDED = {
    Rounding.HALF_UP: "(2 * part + {scale}) // {twice}",
    Rounding.HALF_EVEN: "part // {scale} + (2 * (part % {scale}) + part // {scale} % 2 > {scale})",
    Rounding.DOWN: "part // {scale}",
    Rounding.UP: "-(-part // {scale})",
}
"""Rounding of `part` units of a fen's `scale`-th; `part` is never negative."""


def generate(version: PlanVersion) -> str:
    """Return the source of a version: two functions per benefit and `adjudicate`, which is what callers run."""
    title = f'"""Plan {version.plan_code}, version {version.version}, {version.digest}: generated, in whole fen."""'
    functions = [title]
    for benefit in version.body.benefits:
        functions.append(_bands_function(benefit, version.header.rounding.mode))
        functions.append(_total_function(benefit))
    functions.append(_adjudicate_function(version))
    return "\n\n\n".join(functions) + "\n"


def conditions_of(version: PlanVersion, benefit: BenefitRules) -> tuple[Condition, ...]:
    """Return what must hold for a benefit to reach a bill: the plan's conditions, then the benefit's own."""
    return (*version.header.covers, *benefit.conditions)


def facts_needed(version: PlanVersion, benefit: BenefitRules) -> tuple[str, ...]:
    """Return the facts without which a benefit cannot be computed, the stay's date first; care is always known."""
    conditions = conditions_of(version, benefit)
    outpatient_only = any(c.fact == "care" and Care.INPATIENT.value not in c.one_of for c in conditions)
    stay_date = () if outpatient_only else (STAY_DATE_FACTS[version.header.stay_date],)
    asked = (condition.fact for condition in conditions if condition.fact != "care")
    return tuple(dict.fromkeys((*stay_date, *asked)))


def _bands_function(benefit: BenefitRules, rounding: Rounding) -> str:
    """Write one branch per band: what the bands below it pay in full, and its own rate of what lies above them."""
    bands = benefit.bands.bands
    scale = lcm(100, *(band.rate.denominator for band in bands if band.rate is not None))
    lines = [
        f"def {benefit.code}_bands(base):",
        f'    """Return the bands\' part of a sum of bases, {rounding} once."""',
        "    part = 0",
    ]
    below = 0
    for band in bands:
        lines.append(f"    if base > {int(band.above):_}:  # {band.clause!r}")
        lines.append(f"        part = {_band_part(band, below, scale)}")
        below += _units(band, scale) * (int(band.up_to or 0) - int(band.above))
    return "\n".join([*lines, f"    return {_ROUNDED[rounding].format(scale=scale, twice=2 * scale)}"])


def _band_part(band: Band, below: int, scale: int) -> str:
    units = _units(band, scale)
    above = f"(base - {int(band.above):_})" if band.above else "base"
    if not units:
        return f"{below:_}"
    return f"{below:_} + {above} * {units}" if below else f"{above} * {units}"


def _units(band: Band, scale: int) -> int:
    """Return a band's rate as a whole number of `scale`-ths."""
    return 0 if band.rate is None else int(band.rate * scale)


def _total_function(benefit: BenefitRules) -> str:
    lines = [
        f"def {benefit.code}_total(base, burden):",
        '    """Return what the rules give for a term\'s sums of bases and burdens, after each rule in turn."""',
        f"    after_bands = {benefit.code}_bands(base)",
    ]
    names = ["after_bands"]
    for rule in benefit.finish:
        name = f"after_{rule.rule}"
        lines.append(f"    {name} = {_finished(rule, names[-1])}  # {rule.clause!r}")
        names.append(name)
    return "\n".join([*lines, f"    return ({', '.join(names)},)"])


def _finished(rule: FinishRule, before: str) -> str:
    match rule:
        case MinimumRule():
            return f"max({before}, {int(rule.amount):_}) if base > 0 else {before}"
        case BurdenLimitRule():
            return f"min({before}, burden)"
        case TermLimitRule():
            return f"min({before}, {int(rule.amount):_})"


def _adjudicate_function(version: PlanVersion) -> str:
    lines = [
        "def adjudicate(figures, facts, used):",
        '    """Return (refused, base, burden, aid) by benefit; `refused` counts its conditions, 0 is reached."""',
        "    funds = figures.funds",
        "    results = {}",
    ]
    for benefit in version.body.benefits:
        lines += _benefit_block(version, benefit)
    return "\n".join([*lines, "    return results"])


def _benefit_block(version: PlanVersion, benefit: BenefitRules) -> Iterator[str]:
    """Write one benefit: a known fact that excludes the bill decides first, then a fact that is not known stops us."""
    for number, condition in enumerate(conditions_of(version, benefit), 1):
        ensure(condition.fact in FACTS, f"{condition.fact} is not a fact")
        values = ", ".join(repr(value) for value in (*condition.one_of, None))
        yield f"    {'if' if number == 1 else 'elif'} facts.{condition.fact} not in ({values}):  # {condition.clause!r}"
        yield f'        results["{benefit.code}"] = ({number}, 0, 0, 0)'
    for fact in facts_needed(version, benefit):
        yield f"    elif {_unknown(version, fact)}:"
        yield f'        raise InvariantViolation("{benefit.code} needs {fact}: ask missing_fact first")'
    yield "    else:"
    for name in dict.fromkeys((*benefit.base.plus, *benefit.base.minus, *benefit.burden.plus, *benefit.burden.minus)):
        yield f"        {name} = {_amount(name)}"
    yield f"        base = max(0, {_sum(benefit.base)})  # {benefit.base.clause!r}"
    yield f"        burden = {_sum(benefit.burden)}  # {benefit.burden.clause!r}"
    yield f'        room = used.get("{benefit.code}", UNUSED)'
    yield f"        total = {benefit.code}_total(int(room.base) + base, int(room.burden) + burden)[-1]"
    yield f'        results["{benefit.code}"] = (0, base, burden, max(0, total - int(room.paid)))'


def _unknown(version: PlanVersion, fact: str) -> str:
    if fact == STAY_DATE_FACTS[version.header.stay_date]:
        return f"facts.{fact} is None and facts.care == {Care.INPATIENT.value!r}"
    return f"facts.{fact} is None"


def _sum(amounts: AmountSum) -> str:
    return " + ".join(amounts.plus) + "".join(f" - {name}" for name in amounts.minus)


def _amount(name: str) -> str:
    """Write one amount in plain `int`s, whose sums are several times as fast as those of `Money`."""
    ensure(name in AMOUNTS, f"{name} is not an amount")
    if name == "insurer_paid":
        return " + ".join(f"int(funds.{fund})" for fund in FUNDS)
    return f"int(figures.{name})"
