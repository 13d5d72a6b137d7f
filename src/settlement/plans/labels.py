"""The rules of a plan in the Chinese words that a member reads beside each step. Amounts in yuan."""

from __future__ import annotations

from fractions import Fraction

from settlement.domain.money import Money
from settlement.plans.model import (
    Band,
    BurdenLimit,
    Deductible,
    Franchise,
    GroupLimit,
    LessPaid,
    Limit,
    Minimum,
    NotBeside,
    OnlyBeside,
    RateRule,
    Rule,
    Span,
    TermLimit,
)
from settlement.plans.values import write_rate

SPANS = {
    Span.SETTLEMENT: "每次结算",
    Span.RECEIPT: "每张票据",
    Span.VISIT: "每次就诊",
    Span.STAY: "每次住院",
    Span.TERM: "每期",
    Span.LIFE: "终身",
}


def plain_yuan(amount: Money) -> str:
    """Write yuan as people do: `1,000`, and `1,000.50` where there are fen."""
    yuan, _, fen = amount.yuan().partition(".")
    whole = f"{int(yuan):,}"
    return whole if fen == "00" else f"{whole}.{fen}"


def band_label(band: Band, *, whole: bool = False) -> str:
    """Say which part of an amount a band is, and what it pays."""
    pays = f"补助 {plain_yuan(band.pays)} 元" if band.pays is not None else _pays(band.rate or Fraction(0))
    part = "" if whole else "部分"
    if band.end is None:
        begins = f"{plain_yuan(band.from_)} 元及以上" if band.from_ is not None else f"{plain_yuan(band.start)} 元以上"
        return f"{begins}{part}{pays}"
    ends = f"不足 {plain_yuan(band.below)} 元" if band.below is not None else f"{plain_yuan(band.end)} 元及以下"
    if band.start <= 0:
        return f"{ends}{part}{pays}"
    begin = band.from_ if band.from_ is not None else band.start
    last = f"不足 {plain_yuan(band.below)}" if band.below is not None else plain_yuan(band.end)
    return f"{plain_yuan(begin)} 至{'' if band.below is not None else ' '}{last} 元{part}{pays}"


def rule_label(rule: Rule, amount: Money | None, rate: Fraction | None, *, accumulates: bool) -> str:
    """Say what a rule does; `amount` and `rate` are what its choice gives for this bill."""
    yuan = "" if amount is None else plain_yuan(amount)
    match rule:
        case Deductible():
            return f"{SPANS[rule.once_per]}起付线 {yuan} 元"
        case Franchise():
            return f"{'不足' if rule.reached == 'at' else '不超过'} {yuan} 元的不予补助"
        case RateRule():
            return _pays(rate or Fraction(0))
        case Minimum():
            return f"{'每期' if accumulates else ''}补助不足 {yuan} 元的，补足至 {yuan} 元"
        case BurdenLimit():
            return f"{'每期' if accumulates else ''}补助不超过个人负担"
        case TermLimit():
            return f"每期补助最高 {yuan} 元"
        case Limit() if rule.days is not None:
            return f"{SPANS[rule.over]}最多补助 {rule.days} 天"
        case Limit() if rule.times is not None:
            return f"{SPANS[rule.over]}最多补助 {rule.times} 次"
        case Limit():
            return f"{SPANS[rule.over]}补助最高 {yuan} 元"
        case LessPaid():
            return "扣除其他待遇已付的补助"
        case NotBeside():
            return "与其他待遇不可兼得"
        case OnlyBeside():
            return "仅在已享受相关待遇时补助"
        case _:
            return ""


def group_label(limit: GroupLimit, amount: Money | None) -> str:
    """Say what a group limit does."""
    if limit.burden is not None:
        return f"{limit.names.zh}：合计不超过个人负担"
    return f"{limit.names.zh}：{SPANS[limit.over]}合计最高 {plain_yuan(amount or Money(0))} 元"


def _pays(rate: Fraction) -> str:
    return f"补助 {write_rate(rate)}" if rate else "不予补助"
