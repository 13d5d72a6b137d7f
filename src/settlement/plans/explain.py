"""Says in sentences, Chinese and English, why a bill is paid what it is paid, and what is left of the term."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from settlement.domain.benefits import REFUSALS, Benefit, Step, StepKind, Term, UsedRoom
from settlement.domain.money import ZERO, Money
from settlement.plans.next_yuan import NextYuan
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
    benefits: Iterable[Benefit], limits: Mapping[str, Money], next_yuan: Mapping[str, NextYuan] | None = None
) -> tuple[Explanation, ...]:
    """Explain each benefit of a bill that concerns it; `limits` are the plan's term limits in fen, by benefit code.

    What an ordinary bill has nothing to do with is left out, unless nothing else is left: a benefit of a module that
    the member does not hold, or for an event that nobody stated.
    """
    every = tuple(benefits)
    concerned = [benefit for benefit in every if not _is_beside_the_bill(benefit)]
    return tuple(
        _explained(benefit, limits.get(benefit.code), (next_yuan or {}).get(benefit.code))
        for benefit in concerned or every
    )


def _is_beside_the_bill(benefit: Benefit) -> bool:
    return any(step.kind in (StepKind.NOT_HELD, StepKind.NO_EVENT) for step in benefit.steps)


def _explained(benefit: Benefit, limit: Money | None, next_yuan: NextYuan | None) -> Explanation:
    used_after = benefit.used_before.after(benefit.consumption)
    remaining = None if limit is None else Money(max(ZERO, limit - used_after.paid))
    sentences = [_step_sentence(step) for step in benefit.steps]
    if benefit.is_reached:
        sentences = [_base_sentence(benefit), *sentences]
    sentences += [_amount_sentence(benefit), _term_sentence(benefit, used_after, remaining)]
    if next_yuan is not None and benefit.is_reached:
        sentences.append(_next_sentence(next_yuan))
    return Explanation(benefit, tuple(sentences), used_after, remaining, next_yuan)


def _base_sentence(benefit: Benefit) -> Sentence:
    days = benefit.consumption.days
    if benefit.base == ZERO and benefit.consumption.base != ZERO:
        return Sentence(
            f"{benefit.name}：本单有 {benefit.consumption.base} 元计入由人工评定的累计。",
            f"{benefit.name}: {benefit.consumption.base} yuan of this bill count towards what a person decides.",
        )
    if days:
        return Sentence(
            f"{benefit.name}：本单计补助 {days} 天，按标准为 {benefit.base} 元。",
            f"{benefit.name}: {days} days of this bill count, {benefit.base} yuan by the plan's daily amounts.",
        )
    return Sentence(
        f"{benefit.name}：本单纳入补助计算的金额为 {benefit.base} 元。",
        f"{benefit.name}: {benefit.base} yuan of this bill count towards the benefit.",
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
    **dict.fromkeys(REFUSALS, ("本单不符合，不予补助", "This bill is not covered")),
    StepKind.MANUAL: ("由工会经办人员评定", "The fund's staff decide"),
    StepKind.DEDUCTIBLE: ("起付线内 {size} 元由您负担", "You bear the deductible of {size} yuan"),
    StepKind.FRANCHISE: ("未达到起付标准，{size} 元不予补助", "Below the threshold, {size} yuan are not paid"),
    StepKind.BAND: ("本单在此段有 {size} 元由您负担", "In this band you bear {size} yuan of this bill"),
    StepKind.RATE: ("本单有 {size} 元由您负担", "At this rate you bear {size} yuan of this bill"),
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
            "如果本单多自负 1 元，补助不变。", "One yuan more borne on this bill would be paid nothing more."
        )
    more = next_yuan.aid > ZERO
    size = Money(abs(int(next_yuan.aid)))
    return Sentence(
        f"如果本单多自负 1 元，补助将{'增加' if more else '减少'} {size} 元。",
        f"One yuan more borne on this bill would bring {size} yuan {'more' if more else 'less'}.",
    )
