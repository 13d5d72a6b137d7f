"""Checks of amounts and rates: what cannot be, and what a published rule may mean but a reader should look at twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import combinations, pairwise

from settlement.domain.money import ZERO, Money
from settlement.plans.checks.bands import has_clear_edges, tables
from settlement.plans.checks.limits import own_limits, values_of
from settlement.plans.checks.names import named_amounts
from settlement.plans.checks.reach import both, is_empty, reach_by_fact
from settlement.plans.checks.registry import ERROR, WARNING, Place, check
from settlement.plans.checks.rules import rules_of
from settlement.plans.checks.survey import Survey
from settlement.plans.findings import FilePath
from settlement.plans.model import (
    AmountSum,
    Band,
    Bands,
    BenefitRules,
    BurdenLimit,
    Deductible,
    Franchise,
    FundingShare,
    GroupLimit,
    Limit,
    LumpSum,
    Manual,
    Minimum,
    Modifier,
    RateChoice,
    RateRule,
    Span,
    TermLimit,
    YuanChoice,
)
from settlement.plans.model.rules import DayBand
from settlement.plans.source import not_burden
from settlement.plans.values import write_rate
from settlement.plans.vocabulary import AID, FUNDS

CONTAINS: Mapping[str, frozenset[str]] = {
    "billed": frozenset({"excluded", "over_limit", "upfront_share", "allowed", "insurer_deductible", "patient_share"}),
    "allowed": frozenset({"insurer_deductible"}),
    "insurer_paid": frozenset(FUNDS),
    "patient_share": frozenset({"account_paid", "family_account_paid", "cash_before_aid"}),
    "account_paid": frozenset({"family_account_paid"}),
}
"""Amounts that have others of a bill as their parts."""


def _amounts(survey: Survey) -> Iterator[tuple[Money, FilePath, str | None, bool]]:
    """Yield every amount of the rules with its path, and whether it may be 0: one choice of several may."""
    for spot in survey.any_of(Deductible, Franchise, Minimum, TermLimit, Limit, LumpSum, GroupLimit):
        by = spot.part.amount
        if by is not None and not isinstance(by, tuple):
            yield by, (*spot.path, "amount"), spot.clause, False
    for choice in survey.all(YuanChoice):
        yield choice.part.value, (*choice.path, "value"), choice.clause, True
    for manual in survey.all(Manual):
        if manual.part.threshold is not None:
            yield manual.part.threshold, (*manual.path, "threshold"), manual.clause, False
    for day in survey.all(DayBand):
        yield day.part.amount, (*day.path, "amount"), day.clause, True
    for band in survey.all(Band):
        for name in ("above", "from_", "up_to", "below", "pays"):
            amount = getattr(band.part, name)
            if amount is not None:
                yield amount, (*band.path, name.rstrip("_")), band.clause, True


@check("amount_not_positive", ERROR)
def amount_not_positive(survey: Survey) -> Iterator[Place]:
    """Find an amount below 0, or a rule of 0."""
    for amount, path, clause, may_be_zero in _amounts(survey):
        if amount < ZERO or (amount == ZERO and not may_be_zero):
            least = "不应小于 0" if may_be_zero else "应大于 0，否则删去此条"
            most = "must not be below 0" if may_be_zero else "must be above 0, or drop the rule"
            yield Place(path, clause, f"{amount} {least}", f"{amount} {most}")


@check("rate_out_of_range", ERROR)
def rate_out_of_range(survey: Survey) -> Iterator[Place]:
    """Find a rate below nothing or above the whole."""
    spots = survey.any_of(Band, FundingShare, RateRule)
    rates: list[tuple[object, FilePath, str | None]] = [
        *((spot.part.rate, (*spot.path, "rate"), spot.clause) for spot in spots),
        *((choice.part.value, (*choice.path, "value"), choice.clause) for choice in survey.all(RateChoice)),
    ]
    for rate, path, clause in rates:
        if isinstance(rate, Fraction) and not 0 <= rate <= 1:
            yield Place(
                path,
                clause,
                f"比例 {write_rate(rate)} 应大于 0 且不超过 100%；不补助的写 nothing",
                f"the rate {write_rate(rate)} must be above 0% and at most 100%; write nothing where nothing is paid",
            )


@check("amount_counted_twice", ERROR)
def amount_counted_twice(survey: Survey) -> Iterator[Place]:
    """Find an amount that a sum adds, or takes off, together with one that it is a part of."""
    for spot in survey.all(AmountSum):
        for key, names in (("plus", spot.part.plus), ("minus", spot.part.minus)):
            for position, name in enumerate(names):
                others = [*names[:position], *names[position + 1 :]]
                whole = next((other for other in others if name in CONTAINS.get(other, ())), None)
                if whole is not None or name in names[:position]:
                    yield Place(
                        (*spot.path, key, position),
                        spot.clause,
                        f"{name} 算了两次：它{'已包含在 ' + whole + ' 里' if whole else '前面已有'}，删去一个",
                        f"{name} counts twice: it is {'a part of ' + whole if whole else 'there already'}; drop one",
                    )


@check("account_money_twice", ERROR)
def account_money_twice(survey: Survey) -> Iterator[Place]:
    """Find account money taken off by a sum that the header takes off every sum already."""
    taken = not_burden(survey.header)
    taken += ["family_account_paid"] if "account_paid" in taken else []
    for spot, key, name, path in named_amounts(survey):
        if key == "minus" and name in taken:
            yield Place(
                path,
                spot.clause,
                f"account_money 已声明不计入个人负担，{name} 会扣两次：在这里删去",
                f"by the header account money is no burden, so {name} would be taken off twice: drop it here",
            )


@check("amount_on_both_sides", ERROR)
def amount_on_both_sides(survey: Survey) -> Iterator[Place]:
    """Find an amount that a sum adds and takes off again."""
    for spot in survey.all(AmountSum):
        for position, name in enumerate(spot.part.minus):
            if name in spot.part.plus:
                yield Place(
                    (*spot.path, "minus", position),
                    spot.clause,
                    f"{name} 加了又减：两处都删去，或改其中一个",
                    f"{name} is added and taken off again: drop both, or change one",
                )


@check("falling_rate", WARNING)
def falling_rate(survey: Survey) -> Iterator[Place]:
    """Find a paying band whose rate is smaller than the one before; that nothing more is paid is a kind of limit."""
    for _, bands, path in tables(survey):
        for position, (low, high) in enumerate(pairwise(bands), 1):
            if low.rate is not None and high.rate is not None and 0 < high.rate < low.rate:
                before, after = write_rate(low.rate), write_rate(high.rate)
                yield Place(
                    (*path, position, "rate"),
                    high.clause,
                    f"比例由 {before} 降为 {after}：请确认公布的规则如此",
                    f"the rate falls from {before} to {after}: confirm that the published rule says so",
                )


def _edges_of_whole_tables(survey: Survey) -> Iterator[tuple[Band, Band, Money, Fraction, Fraction, FilePath]]:
    """Yield the edges of tables where one band pays for everything: what is paid at the edge, and a fen above it."""
    for spot, bands, path in tables(survey):
        if spot.part.method != "whole":
            continue
        for position, (low, high) in enumerate(pairwise(bands), 1):
            if low.end is not None and low.end == high.start and has_clear_edges(low) and has_clear_edges(high):
                edge = low.end
                yield low, high, edge, _paid(low, edge), _paid(high, Money(edge + 1)), (*path, position)


def _paid(band: Band, amount: Money) -> Fraction:
    return Fraction(band.pays) if band.pays is not None else amount * (band.rate or Fraction(0))


@check("cliff_bands", WARNING)
def cliff_bands(survey: Survey) -> Iterator[Place]:
    """Find an edge of whole bands where one fen more lifts the aid by more than a yuan."""
    for _, high, edge, before, after, path in _edges_of_whole_tables(survey):
        if after - before > 100:
            yield Place(
                path,
                high.clause,
                f"陡升：超过 {edge} 元时，补助由 {Money(before)} 元变为 {Money(after)} 元；请确认公布的规则如此",
                f"a cliff: beyond {edge} the aid leaps from {Money(before)} to {Money(after)}: "
                "confirm that the published rule says so",
            )


@check("falling_aid", WARNING)
def falling_aid(survey: Survey) -> Iterator[Place]:
    """Find an edge of whole bands where one fen more is paid less."""
    for _, high, edge, before, after, path in _edges_of_whole_tables(survey):
        if after < before - 1:
            yield Place(
                path,
                high.clause,
                f"超过 {edge} 元时，补助由 {Money(before)} 元降为 {Money(after)} 元：花费更多，补助更少；请确认",
                f"beyond {edge} the aid falls from {Money(before)} to {Money(after)}: "
                "who bears more is paid less; confirm that the published rule says so",
            )


@check("cliff_franchise", WARNING)
def cliff_franchise(survey: Survey) -> Iterator[Place]:
    """Find a threshold from which on the whole amount counts."""
    for spot in survey.all(Franchise):
        amount = Money(max(values_of(spot.part.amount)))
        yield Place(
            spot.path,
            spot.clause,
            f"陡升：达到 {amount} 元后全额计算，差一分则不补助；若公布的是起付线，请用 deductible",
            f"a cliff: from {amount} on all of it counts, and a fen less is paid nothing; "
            "if the published rule is a deductible, use `deductible`",
        )


@check("cliff_minimum", WARNING)
def cliff_minimum(survey: Survey) -> Iterator[Place]:
    """Find a minimum, which the first fen of a base reaches."""
    for spot in survey.all(Minimum):
        amount = Money(max(values_of(spot.part.amount)))
        yield Place(
            (*spot.path, "amount"),
            spot.clause,
            f"陡升：自负额由 0 变为 0.01 元时，补助由 0 变为最多 {amount} 元",
            f"a cliff: at the first fen of base the aid leaps from 0 to as much as {amount}",
        )


@check("minimum_after_burden_limit", WARNING)
def minimum_after_burden_limit(survey: Survey) -> Iterator[Place]:
    """Find a minimum that may pay more than the member bears."""
    for spot in survey.all(BenefitRules):
        limited = False
        for _, rule, path, clause in rules_of(spot):
            limited = limited or isinstance(rule, BurdenLimit)
            if isinstance(rule, Minimum) and limited:
                yield Place(
                    path,
                    clause,
                    "最低补助在个人负担之后：补助可能多于会员所付；要以个人负担为限，移到 burden_limit 之前",
                    "the minimum comes after the burden: aid may exceed what the member bears; "
                    "move it before `burden_limit` if that must not be",
                )


@check("no_burden_limit", WARNING)
def no_burden_limit(survey: Survey) -> Iterator[Place]:
    """Find a benefit that pays a part of the bill and is not kept within what the member bears of it."""
    for spot in survey.all(BenefitRules):
        benefit = spot.part
        together = any(limit.burden is not None and benefit in survey.members(limit) for limit in survey.body.limits)
        limited = together or any(isinstance(rule, BurdenLimit) for rule in benefit.rules)
        if benefit.base is not None and benefit.manual is None and not limited:
            yield Place(
                (*spot.path, "rules") if benefit.rules else spot.path,
                None,
                "没有声明补助不超过个人负担：补助可能多于会员所付",
                "no burden_limit is declared: aid may exceed what the member bears",
            )


@check("burdens_together", WARNING)
def burdens_together(survey: Survey) -> Iterator[Place]:
    """Find two benefits that reach one bill, each within the burden, and together perhaps above it."""
    limited = [
        (position, benefit)
        for position, benefit in enumerate(survey.body.benefits)
        if benefit.base is not None and any(isinstance(rule, BurdenLimit) for rule in benefit.rules)
    ]
    for (_, first), (position, second) in combinations(limited, 2):
        taken = (*(second.burden.minus if second.burden else ()), *(second.base.minus if second.base else ()))
        together = any(
            limit.burden is not None and first in survey.members(limit) and second in survey.members(limit)
            for limit in survey.body.limits
        )
        beside = any(first.code in getattr(rule, "benefits", getattr(rule, "by", ())) for rule in second.rules)
        if not together and not beside and f"{AID}{first.code}" not in taken and _meet(survey, first, second):
            yield Place(
                ("version", "benefits", position, "burden"),
                second.burden.clause if second.burden else None,
                f"与待遇 {first.code} 各自以个人负担为限，合计可能超过："
                f"burden 减去 aid.{first.code}，或加按 burden 的合计限额",
                f"with {first.code} each is kept within the burden, together they may exceed it: "
                f"take aid.{first.code} off this burden, or add a group limit by `burden`",
            )


def _meet(survey: Survey, first: BenefitRules, second: BenefitRules) -> bool:
    """Say whether a bill can be reached by both benefits."""
    one, other = reach_by_fact(survey, first), reach_by_fact(survey, second)
    return not any(is_empty(both(one.get(fact), other.get(fact))) for fact in {*one, *other})


@check("no_term_limit", WARNING)
def no_term_limit(survey: Survey) -> Iterator[Place]:
    """Find a benefit from which one member may draw without end."""
    for spot in survey.all(BenefitRules):
        benefit = spot.part
        spans = [rule.over for rule in benefit.rules if isinstance(rule, Limit)]
        spans += [span for _, _, span in own_limits(benefit)]
        spans += [
            limit.over for limit in survey.body.limits if limit.burden is None and benefit in survey.members(limit)
        ]
        upgrade = benefit.lump_sum is not None and benefit.lump_sum.upgrade
        if benefit.manual is None and not upgrade and Span.TERM not in spans and Span.LIFE not in spans:
            yield Place(
                (*spot.path, "rules") if benefit.rules else spot.path,
                None,
                "没有声明年度或终身限额：一名会员可能无限领取",
                "no limit over a term or a life is declared: one member may draw without end",
            )


@check("band_never_reached", WARNING)
def band_never_reached(survey: Survey) -> Iterator[Place]:
    """Find a paying band that starts only after the bands below it have used up a limit over the same sums."""
    for rule_spot, bands, path in tables(survey):
        benefit = rule_spot.benefit
        if benefit is None or rule_spot.part.method != "progressive" or rule_spot.part.modifiers:
            continue
        place = next(number for number, rule in enumerate(benefit.rules) if rule is rule_spot.part)
        limit = _limit_behind(benefit, place)
        if limit is None:
            continue
        reached = Fraction(0)
        for position, band in enumerate(bands):
            if band.rate and reached >= limit:
                yield Place(
                    (*path, position),
                    band.clause,
                    f"限额 {limit} 在 {band.start} 元之前已用完，此段永远用不到：请核对限额和比例",
                    f"the limit {limit} is used up before {band.start}, so this band is never reached: "
                    "compare limit and rates",
                )
            reached += (band.rate or 0) * max(ZERO, Money((band.end or 0) - band.start))


def _limit_behind(benefit: BenefitRules, place: int) -> Money | None:
    """Return the limit over a benefit's own sums that stands right behind its bands, if it is one for everybody."""
    if any(isinstance(rule, RateRule | Bands) for rule in benefit.rules[place + 1 :]):
        return None
    limits = [
        max(values_of(rule.amount))
        for position, rule, span in own_limits(benefit)
        if position > place and span is benefit.span and not rule.per_share
    ]
    return Money(min(limits)) if limits else None


@check("modifier_without_end", WARNING)
def modifier_without_end(survey: Survey) -> Iterator[Place]:
    """Find percentage points per unit that go on without a bound."""
    for spot in survey.all(Modifier):
        if spot.part.per is not None and spot.part.at_most is None:
            yield Place(
                spot.path,
                spot.clause,
                "没有声明最多加减多少：写 at_most；比例总在 0 至 100% 之间",
                "no bound is declared: give `at_most`; a rate stays between nothing and 100% anyway",
            )


@check("modifier_cut", WARNING)
def modifier_cut(survey: Survey) -> Iterator[Place]:
    """Find percentage points that lift a rate above the whole or push it below nothing, where it is cut."""
    for rule in survey.any_of(Bands, RateRule):
        rates = [rate for rate in _rates(rule.part) if 0 < rate <= 1]
        for position, modifier in enumerate(rule.part.modifiers):
            most = modifier.add if modifier.per is None else modifier.at_most
            if most is not None and any(not 0 <= rate + most <= 1 for rate in rates):
                yield Place(
                    (*rule.path, "modifiers", position),
                    modifier.clause,
                    "加减后有的比例超过 100% 或低于 0，会被截断：请确认公布的规则如此",
                    "some rates would leave 0 to 100% and are cut there: confirm that the published rule says so",
                )


def _rates(rule: Bands | RateRule) -> Iterator[Fraction]:
    if isinstance(rule, RateRule):
        yield from [choice.value for choice in rule.rate] if isinstance(rule.rate, tuple) else [rule.rate]
        return
    for bands in (rule.bands or (), *(choice.bands for choice in rule.choices or ())):
        yield from (band.rate for band in bands if band.rate is not None)
