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

AMOUNT_NAMES = {
    "billed": ("医疗费总额", "total of the bill"),
    "excluded": ("目录外自费", "outside the catalogue"),
    "over_limit": ("超限价自费", "above a price ceiling"),
    "upfront_share": ("先行自付", "share paid first"),
    "allowed": ("政策范围内费用", "within policy scope"),
    "insurer_deductible": ("医保起付线", "the insurer's deductible"),
    "insurer_paid": ("医保基金支付合计", "paid by the insurer's funds"),
    "hifp": ("统筹基金支付", "pooled fund"),
    "cvlserv": ("公务员补助支付", "civil servants' aid"),
    "hifes": ("企业补充支付", "employer's supplement"),
    "hifmi": ("大病保险支付", "critical illness insurance"),
    "hifob": ("大额补助支付", "large-sum aid"),
    "hifdm": ("伤残人员保障支付", "fund for disabled soldiers"),
    "maf": ("医疗救助支付", "medical assistance"),
    "oth": ("其他基金支付", "other funds"),
    "unnamed": ("未列名基金支付", "funds without a name"),
    "provider_absorbed": ("医院负担", "borne by the hospital"),
    "patient_share": ("个人负担总额", "patient's share"),
    "account_paid": ("个人账户支付", "paid from the account"),
    "family_account_paid": ("家庭共济账户支付", "paid from a relative's account"),
    "cash_before_aid": ("补助前现金支付", "cash before aid"),
    "other_paid": ("其他保障支付", "paid by other payers"),
}
"""Amounts of a bill in Chinese, as on the clerks' sheets, and in English."""


def plain_yuan(amount: Money) -> str:
    """Write yuan as people do: `1,000`, and `1,000.50` where there are fen."""
    yuan, _, fen = Money(abs(amount)).yuan().partition(".")
    whole = f"{'-' if amount < 0 else ''}{int(yuan):,}"
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
