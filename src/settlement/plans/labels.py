"""The rules of a plan in the Chinese words that a member reads beside each step. Amounts in yuan."""

from __future__ import annotations

from settlement.domain.money import Money
from settlement.plans.model import Band, BurdenLimitRule, FinishRule, MinimumRule, TermLimitRule
from settlement.plans.values import write_rate


def plain_yuan(amount: Money) -> str:
    """Write yuan as people do: `1,000`, and `1,000.50` where there are fen."""
    yuan, _, fen = amount.yuan().partition(".")
    whole = f"{int(yuan):,}"
    return whole if fen == "00" else f"{whole}.{fen}"


def band_label(band: Band) -> str:
    """Say which part of the sum of bases a band is, and what it pays."""
    pays = "不予补助" if band.rate is None else f"补助 {write_rate(band.rate)}"
    if band.up_to is None:
        return f"{plain_yuan(band.above)} 元以上部分{pays}"
    if band.above == 0:
        return f"{plain_yuan(band.up_to)} 元及以下部分{pays}"
    return f"{plain_yuan(band.above)} 至 {plain_yuan(band.up_to)} 元部分{pays}"


def finish_label(rule: FinishRule) -> str:
    """Say what a rule after the bands does."""
    match rule:
        case MinimumRule():
            return f"每期补助不足 {plain_yuan(rule.amount)} 元的，补足至 {plain_yuan(rule.amount)} 元"
        case BurdenLimitRule():
            return "每期补助不超过个人负担"
        case TermLimitRule():
            return f"每期补助最高 {plain_yuan(rule.amount)} 元"
