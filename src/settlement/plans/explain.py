"""Says in sentences, Chinese and English, why a bill is paid what it is paid, and what is left of the term."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from settlement.domain.benefits import Benefit, Step, StepKind, Term, UsedRoom
from settlement.domain.money import ZERO, Money, total
from settlement.plans.compile import NO_TERM, NamedLimit
from settlement.plans.explain_base import days_told, sum_told
from settlement.plans.next_yuan import NextYuan
from settlement.plans.origins import Origin
from settlement.plans.stored import benefit_to_json, room_to_json


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """One benefit of one bill explained: sentences in order, and what the term has used and has left, in fen."""

    benefit: Benefit
    sentences: tuple[Sentence, ...]
    used_after: UsedRoom
    remaining: Money | None
    """What is left of the term's limit after this bill; `None` where the plan sets no limit."""
    next_yuan: NextYuan | None

    def to_json(self) -> dict[str, object]:
        """Return the explanation as plain data, amounts as yuan strings."""
        return {
            **benefit_to_json(self.benefit),
            "used_before": room_to_json(self.benefit.used_before),
            "used_after": room_to_json(self.used_after),
            "remaining": None if self.remaining is None else self.remaining.yuan(),
            "next_yuan": None if self.next_yuan is None else self.next_yuan.aid.yuan(),
            "sentences": [{"zh": sentence.zh, "en": sentence.en} for sentence in self.sentences],
        }


def explain(
    benefits: Iterable[Benefit],
    limits: Mapping[str, Money],
    next_yuan: Mapping[str, NextYuan] | None = None,
    origins: Sequence[Origin] | None = None,
) -> tuple[Explanation, ...]:
    """Explain each benefit of a bill that concerns it; `limits` are the plan's term limits in fen, by benefit code.

    `origins` say what each benefit started from, in their order; without them the base is named as one sum.
    What an ordinary bill has nothing to do with is left out, unless nothing else is left: a benefit of a module that
    the member does not hold, or for an event that nobody stated.
    """
    every = tuple(benefits)
    started: Sequence[Origin | None] = origins or [None] * len(every)
    both = tuple(zip(every, started, strict=True))
    concerned = tuple(each for each in both if not _is_beside_the_bill(each[0]))
    return tuple(
        _explained(benefit, limits.get(benefit.code), (next_yuan or {}).get(benefit.code), origin)
        for benefit, origin in concerned or both
    )


def closing(benefits: Sequence[Benefit], group_limits: Iterable[NamedLimit]) -> tuple[Sentence, ...]:
    """Say what all benefits of a bill come to, and what limits over several of them have left; nothing for one alone.

    A limit that the fund's other plans share is left out: what they have paid is not known here.
    """
    if len(benefits) < 2:
        return ()
    aid = total(benefit.amount for benefit in benefits)
    said = [Sentence(f"各项合计：本单补助 {aid} 元。", f"All together: this bill is paid {aid} yuan.")]
    for limit in group_limits:
        concerned = [benefit for benefit in benefits if benefit.code in limit.benefits and len(limit.benefits) > 1]
        if concerned and not limit.of_all_plans:
            said.append(_group_sentence(limit, concerned))
    return tuple(said)


def _group_sentence(limit: NamedLimit, benefits: Sequence[Benefit]) -> Sentence:
    """Say what several benefits have used of a limit that they share, in the term of the bill's last part."""
    term = benefits[-1].term
    own = [benefit for benefit in benefits if benefit.term == term]
    firsts = {benefit.code: benefit.used_before.paid for benefit in reversed(own)}
    before = total(firsts.values())
    after = Money(before + total(benefit.consumption.paid for benefit in own))
    left = Money(max(ZERO, limit.amount - after))
    return Sentence(
        f"{limit.title}（{_term_in_chinese(term)}合计最高 {limit.amount} 元）："
        f"本单之前已用 {before} 元，本单之后 {after} 元，尚余 {left} 元。",
        f"Limit over several benefits ({limit.title}, {limit.amount} yuan in term {term.code}): "
        f"{before} yuan used before this bill, {after} yuan with it; {left} yuan are left.",
    )


def _is_beside_the_bill(benefit: Benefit) -> bool:
    return any(step.kind in (StepKind.NOT_HELD, StepKind.NO_EVENT) for step in benefit.steps)


def _explained(benefit: Benefit, limit: Money | None, next_yuan: NextYuan | None, origin: Origin | None) -> Explanation:
    used_after = benefit.used_before.after(benefit.consumption)
    remaining = None if limit is None else Money(max(ZERO, limit - used_after.paid))
    if benefit.is_reached:
        sentences = [_base_sentence(benefit, origin), *(_step_sentence(step) for step in benefit.steps)]
    else:
        sentences = [_refusal_sentence(benefit, step) for step in benefit.steps]
    sentences.append(_amount_sentence(benefit))
    if not benefit.term.code.startswith(NO_TERM):
        sentences.append(_term_sentence(benefit, used_after, remaining))
    if next_yuan is not None and benefit.is_reached:
        sentences.append(_next_sentence(next_yuan))
    return Explanation(benefit, tuple(sentences), used_after, remaining, next_yuan)


def _titles(benefit: Benefit) -> tuple[str, str]:
    """Return a benefit's name in both languages, with the days of its part where a stay is split."""
    zh, en = benefit.name, benefit.name_en or benefit.name
    if benefit.days is None:
        return zh, en
    first, last = (day.isoformat() for day in benefit.days)
    if first == last:
        return f"{zh}（{first} 的部分）", f"{en} (the part of {first})"
    return f"{zh}（{first} 至 {last} 的部分）", f"{en} (the part from {first} to {last})"


def _base_sentence(benefit: Benefit, origin: Origin | None) -> Sentence:
    zh, en = _titles(benefit)
    if benefit.base == ZERO and benefit.consumption.base != ZERO:
        return Sentence(
            f"{zh}：本单有 {benefit.consumption.base} 元计入由人工评定的累计。",
            f"{en}: {benefit.consumption.base} yuan of this bill count towards what a person decides.",
        )
    if origin is not None and origin.rules.per_day is not None and benefit.stay_days is not None:
        days_zh, days_en = days_told(origin.rules.per_day, benefit.stay_days, benefit.base)
        return Sentence(f"{zh}：{days_zh}。", f"{en}: {days_en}.")
    if origin is not None and len(origin.amounts) > 1:
        sum_zh, sum_en = sum_told(origin.amounts, benefit.base)
        return Sentence(
            f"{zh}：本单纳入补助计算的金额：{sum_zh}（{origin.clause}）。",
            f"{en}: this counts towards the benefit: {sum_en} ({origin.clause}).",
        )
    clause = None if origin is None else origin.clause
    why_zh, why_en = (f"（{clause}）", f" ({clause})") if clause else ("", "")
    return Sentence(
        f"{zh}：本单纳入补助计算的金额为 {benefit.base} 元{why_zh}。",
        f"{en}: {benefit.base} yuan of this bill count towards the benefit{why_en}.",
    )


def _refusal_sentence(benefit: Benefit, step: Step) -> Sentence:
    zh, en = _titles(benefit)
    of_zh, of_en = ("本单", "this bill") if benefit.days is None else ("这一部分", "this part")
    return Sentence(
        f"{zh}：{step.label}，{of_zh}不予补助（{step.clause}）。",
        f"{en}: {of_en} is not covered ({step.label}; {step.clause}).",
    )


def _step_sentence(step: Step) -> Sentence:
    zh, en = _STEP_SENTENCES[step.kind]
    if step.kind is StepKind.EARLIER_BILLS and step.delta > ZERO:
        zh, en = _MADE_GOOD
    size = Money(abs(int(step.delta)))
    return Sentence(
        f"{step.label}：{zh.format(size=size)}（{step.clause}）。",
        f"{en.format(size=size)} ({step.label}; {step.clause}).",
    )


_STEP_SENTENCES: Mapping[StepKind, tuple[str, str]] = {
    StepKind.MANUAL: ("由工会经办人员评定", "The fund's staff decide"),
    StepKind.DEDUCTIBLE: ("起付线内 {size} 元由您负担", "You bear the deductible of {size} yuan"),
    StepKind.FRANCHISE: ("未达到起付标准，{size} 元不予补助", "Below the threshold, {size} yuan are not paid"),
    StepKind.BAND: ("本单在此段有 {size} 元按比例不予补助", "In this band {size} yuan of this bill are not paid"),
    StepKind.RATE: ("本单有 {size} 元按比例不予补助", "At this rate {size} yuan of this bill are not paid"),
    StepKind.MINIMUM: ("增加 {size} 元", "{size} yuan are added to reach the minimum"),
    StepKind.BURDEN_LIMIT: ("减少 {size} 元", "{size} yuan are taken off: aid is at most what you bear"),
    StepKind.TERM_LIMIT: ("超过限额的 {size} 元不予补助", "{size} yuan are beyond the term's limit"),
    StepKind.LIMIT: ("超过限额的 {size} 元不予补助", "{size} yuan are beyond the limit"),
    StepKind.LESS_PAID: ("减少 {size} 元", "{size} yuan are taken off for what was paid by another benefit"),
    StepKind.NOT_BESIDE: ("{size} 元不予补助", "{size} yuan are not paid beside another benefit"),
    StepKind.ONLY_BESIDE: ("{size} 元不予补助", "{size} yuan are paid only beside another benefit"),
    StepKind.EARLIER_BILLS: ("减少 {size} 元", "{size} yuan were already paid with earlier bills of the term"),
}
_MADE_GOOD = ("增加 {size} 元", "{size} yuan are made good for earlier bills of the term")


def _amount_sentence(benefit: Benefit) -> Sentence:
    if benefit.days is not None:
        return Sentence(f"这一部分补助 {benefit.amount} 元。", f"This part is paid {benefit.amount} yuan.")
    return Sentence(f"本单补助 {benefit.amount} 元。", f"This bill is paid {benefit.amount} yuan.")


def _term_sentence(benefit: Benefit, used_after: UsedRoom, remaining: Money | None) -> Sentence:
    before, after = benefit.used_before.paid, used_after.paid
    term, zh_term = benefit.term.code, _term_in_chinese(benefit.term)
    zh = f"{zh_term}已补助：本单之前 {before} 元，本单之后 {after} 元"
    en = f"Paid in term {term}: {before} yuan before this bill, {after} yuan with it"
    if remaining is None:
        return Sentence(f"{zh}。", f"{en}.")
    return Sentence(f"{zh}，尚余 {remaining} 元。", f"{en}; {remaining} yuan are left.")


def _term_in_chinese(term: Term) -> str:
    if term.code == str(term.first_day.year):
        return f"{term.code} 年度"
    return f"{term.first_day.isoformat()} 至 {term.last_day.isoformat()} 保障期"


def _next_sentence(next_yuan: NextYuan) -> Sentence:
    if next_yuan.aid == ZERO:
        return Sentence(
            "如果本单范围内费用多 1 元（由您自付），补助不变。",
            "One yuan more within policy scope, borne by you, would be paid nothing more.",
        )
    more = next_yuan.aid > ZERO
    size = Money(abs(int(next_yuan.aid)))
    return Sentence(
        f"如果本单范围内费用多 1 元（由您自付），补助将{'增加' if more else '减少'} {size} 元。",
        f"One yuan more within policy scope, borne by you, would bring {size} yuan {'more' if more else 'less'}.",
    )
