"""Checks of limits: each measures one thing over a span that can bind, of benefits that it can meet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from settlement.plans.checks.names import BESIDE, benefits_beside, named_amounts
from settlement.plans.checks.registry import ERROR, WARNING, Place, check
from settlement.plans.checks.survey import Spot, Survey
from settlement.plans.layout import spans_of
from settlement.plans.model import BenefitRules, GroupLimit, Limit, Minimum, Span, TermLimit, TermRule, YuanBy
from settlement.plans.model.parts import UNITS, Part
from settlement.plans.vocabulary import AID

_WIDTH = {span: width for width, span in enumerate(Span)}


def values_of(by: YuanBy | None) -> tuple[int, ...]:
    """Return every amount that a value can have, in fen."""
    if by is None:
        return ()
    return tuple(int(choice.value) for choice in by) if isinstance(by, tuple) else (int(by),)


def own_limits(benefit: BenefitRules) -> Iterator[tuple[int, TermLimit | Limit, Span]]:
    """Yield a benefit's limits in money: their place, the rule, and its span."""
    for position, rule in enumerate(benefit.rules):
        if isinstance(rule, TermLimit):
            yield position, rule, Span.TERM
        elif isinstance(rule, Limit) and rule.amount is not None:
            yield position, rule, rule.over


def term_rule(survey: Survey, benefit: BenefitRules) -> TermRule | None:
    """Return the term rule that holds for a benefit, if one is declared."""
    module = survey.body.module(benefit.module)
    return benefit.term or (module.term if module else None)


def _same_terms(one: TermRule | None, other: TermRule | None) -> bool:
    if one is None or other is None:
        return True
    return one.model_dump(exclude={"clause"}) == other.model_dump(exclude={"clause"})


@check("limit_measure", ERROR)
def limit_measure(survey: Survey) -> Iterator[Place]:
    """Find a limit that measures nothing, or two things."""
    for spot in survey.all(Limit):
        given = [key for key in ("amount", "days", "times") if getattr(spot.part, key) is not None]
        if len(given) != 1:
            yield Place(
                spot.path,
                spot.clause,
                f"限额须写 amount、days、times 之一，现在写了：{'、'.join(given) or '无'}；要两种限额，写两条规则",
                f"a limit has one of amount, days, times; given: {', '.join(given) or 'none'}; "
                "for two limits, write two rules",
            )


@check("days_without_per_day", ERROR)
def days_without_per_day(survey: Survey) -> Iterator[Place]:
    """Find a limit in days of a benefit that does not pay by days."""
    for spot in survey.all(Limit):
        if spot.part.days is not None and spot.benefit is not None and spot.benefit.per_day is None:
            yield Place(
                (*spot.path, "days"),
                spot.clause,
                "只有按日补助（per_day）的待遇可限天数：改为 amount 或 times",
                "only a benefit with `per_day` has days to limit: limit its `amount` or `times`",
            )


@check("limit_of_nothing", ERROR)
def limit_of_nothing(survey: Survey) -> Iterator[Place]:
    """Find a limit that can never bind: times within one settlement, or shares of days and times."""
    for spot in survey.all(Limit):
        if spot.part.times is not None and spot.part.over is Span.SETTLEMENT:
            yield Place(
                (*spot.path, "over"),
                spot.clause,
                "一次结算只补助一次，此限不起作用：over 写 term、life 等",
                "one settlement is paid once anyway, so this limits nothing: give `over` a longer span",
            )
        elif spot.part.per_share and spot.part.amount is None:
            yield Place(
                (*spot.path, "per_share"),
                spot.clause,
                "天数和次数不随份数增加：删去 per_share",
                "days and times do not grow with shares: drop `per_share`",
            )


@check("minimum_above_limit", ERROR)
def minimum_above_limit(survey: Survey) -> Iterator[Place]:
    """Find a minimum that lies above a limit of the same benefit."""
    for spot in survey.all(BenefitRules):
        limits = [max(values_of(rule.amount)) for _, rule, _ in own_limits(spot.part) if not rule.per_share]
        for position, rule in enumerate(spot.part.rules):
            if isinstance(rule, Minimum) and limits and min(values_of(rule.amount)) > min(limits):
                yield Place(
                    (*spot.path, "rules", position, "amount"),
                    rule.clause,
                    "最低补助高于本待遇的限额，两者矛盾：改其中一个",
                    "the minimum is above a limit of the benefit, they contradict: change one",
                )


@check("limit_never_binds", WARNING)
def limit_never_binds(survey: Survey) -> Iterator[Place]:
    """Find a limit above one of a longer span: that one is always used up first."""
    for spot in survey.all(BenefitRules):
        limits = list(own_limits(spot.part))
        for position, rule, span in limits:
            longer = [
                other
                for _, other, other_span in limits
                if _WIDTH[other_span] > _WIDTH[span] and other.per_share == rule.per_share
            ]
            if any(min(values_of(rule.amount)) > max(values_of(other.amount)) for other in longer):
                yield Place(
                    (*spot.path, "rules", position, "amount"),
                    rule.clause,
                    "此限额高于更长范围的限额，永远用不到：改正或删去",
                    "this limit is above one of a longer span and never binds: mend or drop it",
                )


@check("two_units", ERROR)
def two_units(survey: Survey) -> Iterator[Place]:
    """Find a version that ties settlements together in two ways."""
    units = list(dict.fromkeys(span for span in spans_of(survey.body) if span in UNITS))
    if len(units) < 2:
        return
    for path, clause, span in _spans(survey):
        if span in units and span is not units[0]:
            yield Place(
                path,
                clause,
                f"同一版本只能用 receipt、visit、stay 之一，前面已用 {units[0]}：统一为一种",
                f"a version uses one of receipt, visit and stay, and {units[0]} is used already: settle on one",
            )


def _spans(survey: Survey) -> Iterator[tuple[tuple[str | int, ...], str | None, Span]]:
    for spot in survey.any_of(Part):
        for key in ("over", "once_per"):
            if isinstance(span := getattr(spot.part, key, None), Span):
                yield (*spot.path, key), spot.clause, span


@check("aid_in_plus", ERROR)
def aid_in_plus(survey: Survey) -> Iterator[Place]:
    """Find what another benefit pays added to a base: it may only be taken off."""
    for path, clause, key, _, _ in _aids(survey):
        if key == "plus":
            yield Place(
                path,
                clause,
                "其他待遇所付只能扣除：移到 minus",
                "what another benefit pays can only be taken off: move it to `minus`",
            )


@check("aid_of_later_benefit", ERROR)
def aid_of_later_benefit(survey: Survey) -> Iterator[Place]:
    """Find a benefit taken off that is computed only afterwards, or is this one itself."""
    for path, clause, key, code, benefit in _aids(survey):
        known = survey.benefit(code) is not None
        if key == "minus" and known and benefit is not None and survey.place_of(code) >= survey.place_of(benefit.code):
            yield Place(
                path,
                clause,
                f"待遇 {code} 此时还没有计算：把它移到本待遇之前，或删去",
                f"the benefit {code} is not computed yet: move it before this one, or drop it",
            )


@check("aid_in_group_limit", ERROR)
def aid_in_group_limit(survey: Survey) -> Iterator[Place]:
    """Find what a benefit pays in the burden of a group limit, which is taken before all benefits."""
    for path, clause, key, _, benefit in _aids(survey):
        if benefit is None and key == "minus":
            yield Place(
                path,
                clause,
                "合计限额的个人负担在各待遇之前算出：删去此项，合计时已扣除各待遇",
                "the burden of a group limit is taken before all benefits, which it counts itself: drop this",
            )


def _aids(survey: Survey) -> Iterator[tuple[tuple[str | int, ...], str | None, str, str, BenefitRules | None]]:
    for spot, key, name, path in named_amounts(survey):
        if name.startswith(AID):
            yield path, spot.clause, key, name.removeprefix(AID), spot.benefit


@check("beside_itself", ERROR)
def beside_itself(survey: Survey) -> Iterator[Place]:
    """Find a benefit that looks at itself as if it were another."""
    for spot in survey.any_of(*BESIDE):
        for code, path in benefits_beside(spot):
            if spot.benefit is not None and code == spot.benefit.code:
                yield Place(
                    path,
                    spot.clause,
                    "这里应写其他待遇；限制本待遇的次数用 limit 的 times",
                    "this names the benefit itself: name others, and limit its own `times` by a limit",
                )


@check("beside_later_benefit", ERROR)
def beside_later_benefit(survey: Survey) -> Iterator[Place]:
    """Find a rule about this settlement that looks at a benefit computed only afterwards."""
    for spot in survey.any_of(*BESIDE):
        for code, path in benefits_beside(spot):
            later = spot.benefit is not None and survey.place_of(code) > survey.place_of(spot.benefit.code)
            if spot.part.over is Span.SETTLEMENT and later and survey.benefit(code) is not None:
                yield Place(
                    path,
                    spot.clause,
                    f"待遇 {code} 此时还没有计算：把它移到本待遇之前",
                    f"the benefit {code} is not computed yet: move it before this one",
                )


@check("terms_differ", ERROR)
def terms_differ(survey: Survey) -> Iterator[Place]:
    """Find sums over a term of benefits whose terms are not the same spans."""
    for limit in survey.all(GroupLimit):
        rules = [term_rule(survey, benefit) for benefit in survey.members(limit.part)]
        if limit.part.over is Span.TERM and any(not _same_terms(rules[0], other) for other in rules[1:]):
            yield _terms_differ(limit, (*limit.path, "over"))
    for spot in survey.any_of(*BESIDE):
        if spot.part.over is not Span.TERM or spot.benefit is None:
            continue
        for code, path in benefits_beside(spot):
            other = survey.benefit(code)
            if other is not None and not _same_terms(term_rule(survey, spot.benefit), term_rule(survey, other)):
                yield _terms_differ(spot, path)


def _terms_differ(spot: Spot[Any], path: tuple[str | int, ...]) -> Place:
    return Place(
        path,
        spot.clause,
        "各待遇的保障期不同，不能按期合计：统一 term，或用 over: life",
        "the benefits have different terms, so a term has no common sum: give them one `term`, or use `over: life`",
    )


@check("group_limit_bound", ERROR)
def group_limit_bound(survey: Survey) -> Iterator[Place]:
    """Find a group limit that has no bound, or two."""
    for spot in survey.all(GroupLimit):
        if (spot.part.amount is None) == (spot.part.burden is None):
            yield Place(
                spot.path,
                spot.clause,
                "合计限额须写 amount 或 burden 之一；要两种限额，写两条",
                "a group limit has either an `amount` or a `burden`; for two bounds, write two limits",
            )


@check("group_burden_span", ERROR)
def group_burden_span(survey: Survey) -> Iterator[Place]:
    """Find a group limit by the burden of one bill over a longer span."""
    for spot in survey.all(GroupLimit):
        if spot.part.burden is not None and spot.part.over is not Span.SETTLEMENT:
            yield Place(
                (*spot.path, "over"),
                spot.clause,
                "burden 是一张账单的个人负担：over 写 settlement",
                "a burden is what is borne of one bill: write `over: settlement`",
            )


@check("group_limit_of_none", ERROR)
def group_limit_of_none(survey: Survey) -> Iterator[Place]:
    """Find a group limit that no paying benefit meets."""
    for spot in survey.all(GroupLimit):
        codes = () if isinstance(spot.part.of, str) else spot.part.of
        if all(survey.benefit(code) is not None for code in codes) and not survey.members(spot.part):
            yield Place(
                (*spot.path, "of"),
                spot.clause,
                "没有一项自动支付的待遇受此限：在 of 列出待遇，或写 all",
                "no benefit that pays by itself meets this limit: list some in `of`, or write `all`",
            )


@check("all_plans_of_one_bill", ERROR)
def all_plans_of_one_bill(survey: Survey) -> Iterator[Place]:
    """Find a limit of all plans over a settlement, which is one plan's."""
    for spot in survey.all(GroupLimit):
        if spot.part.of == "all_plans" and spot.part.over is Span.SETTLEMENT:
            yield Place(
                (*spot.path, "over"),
                spot.clause,
                "一次结算只由一个方案计算：over 写 term、life 等，或 of 写 all",
                "one settlement is computed by one plan: give `over` a longer span, or write `of: all`",
            )
