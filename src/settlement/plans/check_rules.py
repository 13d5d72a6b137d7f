"""Checks the order of a benefit's rules and whether its minimum and limits agree with each other and with the bands."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from settlement.domain.money import ZERO, Money
from settlement.plans.check_bands import bands_remarks
from settlement.plans.findings import FilePath
from settlement.plans.model import BandsRule, BenefitRules, BurdenLimitRule, FinishRule, MinimumRule, TermLimitRule
from settlement.plans.remarks import Remark, error, warning

_PLACE_IN_ORDER = {"bands": 0, "minimum": 1, "burden_limit": 2, "term_limit": 2}
"""Limits come last: a minimum after a limit would pay beyond it. The two limits may stand either way."""


def rules_remarks(benefit: BenefitRules, path: FilePath) -> Iterator[Remark]:
    """Yield what is wrong or strange about the rules of one benefit, at `path`."""
    yield from _order(benefit, (*path, "rules"))
    yield from _not_declared(benefit, (*path, "rules"))
    for position, rule in enumerate(benefit.rules):
        place = (*path, "rules", position)
        if isinstance(rule, BandsRule):
            yield from bands_remarks(rule, place)
        else:
            yield from _finish_rule(rule, benefit, place)


def _order(benefit: BenefitRules, path: FilePath) -> Iterator[Remark]:
    kinds = [rule.rule for rule in benefit.rules]
    for position, kind in enumerate(kinds):
        if kind in kinds[:position]:
            yield error(
                (*path, position), None, f"{kind} 规则重复，只留一条", f"the {kind} rule is given twice: keep one"
            )
        elif any(_PLACE_IN_ORDER[earlier] > _PLACE_IN_ORDER[kind] for earlier in kinds[:position]):
            yield error(
                (*path, position),
                None,
                f"{kind} 规则的位置不对：顺序为 bands、minimum、限额",
                f"the {kind} rule comes too late: the order is bands, minimum, then limits",
            )


def _not_declared(benefit: BenefitRules, path: FilePath) -> Iterator[Remark]:
    kinds = {rule.rule for rule in benefit.rules}
    if "bands" not in kinds:
        yield error(path, None, "没有声明分段比例：请加一条 bands 规则", "no rates are declared: add a bands rule")
    if "burden_limit" not in kinds:
        yield warning(
            path,
            None,
            "没有声明补助不超过个人负担：补助可能多于会员所付",
            "no burden_limit is declared: aid may exceed what the member bears",
        )
    if "term_limit" not in kinds:
        yield warning(
            path,
            None,
            "没有声明年度限额：一名会员可能无限领取",
            "no term_limit is declared: one member may draw without end",
        )


def _finish_rule(rule: FinishRule, benefit: BenefitRules, place: FilePath) -> Iterator[Remark]:
    if isinstance(rule, BurdenLimitRule):
        return
    if rule.amount <= ZERO:
        yield error(
            (*place, "amount"),
            rule.clause,
            f"{rule.amount} 应大于 0，否则删去此条",
            f"{rule.amount} must be above 0, or drop the rule",
        )
    elif isinstance(rule, MinimumRule):
        yield from _minimum(rule, benefit, (*place, "amount"))
    else:
        yield from _tiers_beyond(rule, benefit, (*place, "amount"))


def _minimum(rule: MinimumRule, benefit: BenefitRules, place: FilePath) -> Iterator[Remark]:
    limits = [limit.amount for limit in benefit.finish if isinstance(limit, TermLimitRule)]
    if limits and rule.amount > min(limits):
        yield error(
            place,
            rule.clause,
            f"最低补助 {rule.amount} 高于年度限额 {min(limits)}，两者矛盾：改其中一个",
            f"the minimum {rule.amount} is above the term limit {min(limits)}, they contradict: change one",
        )
        return
    yield warning(
        place,
        rule.clause,
        f"陡升：自负额由 0 变为 0.01 元时，补助由 0 变为最多 {rule.amount} 元",
        f"a cliff: at the first fen of base the aid leaps from 0 to as much as {rule.amount}",
    )


def _tiers_beyond(rule: TermLimitRule, benefit: BenefitRules, place: FilePath) -> Iterator[Remark]:
    """Warn where a paying band starts only after the bands below it have reached the limit."""
    reached = Fraction(0)
    for band in (band for each in benefit.rules if isinstance(each, BandsRule) for band in each.bands):
        if band.rate is not None and reached >= rule.amount:
            yield warning(
                place,
                rule.clause,
                f"限额 {rule.amount} 在 {band.above} 元之前已用完，{band.above} 元以上的比例永远用不到",
                f"the limit {rule.amount} is used up before {band.above}: the rate above that is never reached",
            )
        reached += (band.rate or 0) * max(ZERO, (band.up_to or Money(0)) - band.above)
