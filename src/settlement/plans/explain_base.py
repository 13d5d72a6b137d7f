"""Says how a base came about: amounts of the bill added and taken off, or days of a stay with what each pays."""

from __future__ import annotations

from collections.abc import Sequence

from settlement.domain.money import ZERO, Money, total
from settlement.plans.labels import plain_yuan
from settlement.plans.model import PerDay
from settlement.plans.origins import NamedAmount

_COUNTED = {
    "nights": ("按过夜计", "counted by nights"),
    "nights_at_least_one": ("按过夜计，至少一天", "counted by nights, a day at least"),
    "both_days": ("入院和出院当天都计", "the days of admission and discharge both counted"),
}


def sum_told(amounts: Sequence[NamedAmount], base: Money) -> tuple[str, str]:
    """Write a sum and difference with the names of its amounts, `范围内费用 10.00 − 医保支付 7.00 = 3.00 元`.

    Amounts of zero are left out but for the first. A sum below zero counts as zero.
    """
    shown = [each for place, each in enumerate(amounts) if each.amount or place == 0]
    zh, en = (f"{name} {shown[0].amount}" for name in (shown[0].zh, shown[0].en))
    for each in shown[1:]:
        sign = "＋" if each.amount > ZERO else "−"
        size = Money(abs(int(each.amount)))
        zh, en = f"{zh} {sign} {each.zh} {size}", f"{en} {sign} {each.en} {size}"
    result = total(each.amount for each in amounts)
    if result < ZERO:
        return f"{zh} = {result} 元，按 {base} 元计", f"{en} = {result} yuan, which count as {base}"
    return f"{zh} = {base} 元", f"{en} = {base} yuan"


def days_told(rule: PerDay, stay_days: tuple[int, int], base: Money) -> tuple[str, str]:
    """Write which days of a stay are paid and what each pays; `stay_days` are its days before the bill and with it."""
    before, now = stay_days
    counted_zh, counted_en = _COUNTED[rule.counting]
    zh, en = [f"本次住院到此 {now} 天（{counted_zh}）"], [f"{now} days of this stay so far ({counted_en})"]
    if before:
        zh.append(f"其中 {before} 天已经算过" if before < now else "都已经算过")
        en.append(f"{before} of them counted already" if before < now else "all of them counted already")
    if now < rule.minimum_stay:
        return (
            "，".join([*zh, f"不足 {rule.minimum_stay} 天，不予补助（{rule.clause}）"]),
            ", ".join([*en, f"fewer than {rule.minimum_stay}, so nothing is paid ({rule.clause})"]),
        )
    since = 0 if before < rule.minimum_stay else before
    first = rule.days[0].from_day
    if first > 1 and since < first - 1:
        zh.append(f"前 {first - 1} 天不付" if now >= first else f"前 {first - 1} 天不付，没有可付的天数")
        en.append(f"the first {first - 1} days are not paid")
    for band in rule.days:
        low = max(since + 1, band.from_day)
        high = now if band.to_day is None else min(now, band.to_day)
        if low <= high:
            amount = plain_yuan(band.amount)
            zh.append(f"{_days_zh(low, high)}，每天 {amount} 元（{band.clause}）")
            en.append(f"{_days_en(low, high)}, {amount} yuan each ({band.clause})")
    if rule.per_share:
        zh.append("乘以参加的份数")
        en.append("times the shares held")
    last = rule.days[-1].to_day
    if last is not None and now > last:
        zh.append(f"第 {last} 天以后不付")
        en.append(f"nothing after day {last}")
    return "，".join([*zh, f"计 {base} 元"]), ", ".join([*en, f"{base} yuan"])


def _days_zh(low: int, high: int) -> str:
    return f"第 {low} 天" if low == high else f"第 {low} 至 {high} 天共 {high - low + 1} 天"


def _days_en(low: int, high: int) -> str:
    return f"day {low}" if low == high else f"days {low} to {high}, {high - low + 1} in all"
