"""Runs a plan version as one generated function over whole fen: the only calculator of aid there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Any

from settlement.domain.benefits import (
    OTHER_PLANS,
    Benefit,
    PlanFacts,
    Step,
    StepKind,
    Term,
    UsedRoom,
)
from settlement.domain.bills import BillFigures, Care
from settlement.domain.errors import InvariantViolation, ensure
from settlement.domain.money import ZERO, Money
from settlement.plans import facts as derived
from settlement.plans.choices import fact_of, fits_facts
from settlement.plans.funding import funded
from settlement.plans.generate import Generated, generate
from settlement.plans.layout import Ledger, splits, term_of, unit_of
from settlement.plans.model import BenefitRules, Condition, Module, PlanVersion, Span, TermLimit, Waiting, When
from settlement.plans.model.membership import OwnCover
from settlement.plans.needs import (
    DATES_OF_A_STAY,
    asked_when,
    counts_stays,
    facts_needed,
    facts_of_version,
    stated_needed,
)
from settlement.plans.split import Segment, segments_of, share
from settlement.plans.steps import NOTHING_TAKEN, BenefitSteps, Note
from settlement.plans.terms import term_on

UNUSED = UsedRoom()
NO_TERM = "none-"
"""Begins the code of a term made for a day that lies in none."""
OF_SETTLEMENT = "@settlement"
"""Behind a benefit's code: what earlier parts of this bill have taken. No bill before it has any of that."""
OF_UNIT, OF_LIFE = "@unit", "@life"
"""Behind a benefit's code: the room it has used within the present unit, or ever. The bare code is its term's."""


@dataclass(frozen=True, slots=True)
class _CompiledBenefit:
    """One benefit: what its bills are asked and told."""

    rules: BenefitRules
    module: Module | None
    waiting: Waiting | None
    facts: tuple[str, ...]
    asked_when: Mapping[str, tuple[When, ...]]
    """The facts that are asked of some bills only, each with when."""
    read: Callable[[PlanFacts], tuple[object, ...]]
    """Reads the facts that it needs."""
    stated: tuple[str, ...]
    steps: BenefitSteps


@dataclass(frozen=True, slots=True)
class NamedLimit:
    """What a term pays at most of some benefits together, in fen; of one by itself it has the benefit's code."""

    name: str
    title: str
    benefits: tuple[str, ...]
    amount: Money
    of_all_plans: bool = False
    """Whether what the fund's other plans pay counts too."""


class CompiledPlan:
    """A plan version ready to price bills. It keeps nothing between calls; amounts are fen throughout."""

    def __init__(self, version: PlanVersion) -> None:
        generated = generate(version)
        self.plan_code = version.plan_code
        self.version = version.version
        self.digest = version.digest
        self.source = generated.source
        self.header = version.header
        self.stay_date: derived.StayDate = version.header.stay_date
        self.unit: Span | None = unit_of(version.body)
        self.counts_stays = counts_stays(version)
        self.term_limits = tuple(_term_limits(version))
        self.limits: Mapping[str, Money] = {
            limit.name: limit.amount for limit in self.term_limits if limit.benefits == (limit.name,)
        }
        """The limit of a term of each benefit that has one of its own, by benefit code, in fen."""
        self._body = version.body
        self.splits_stays = splits(version.header)
        self._ledgers: Sequence[Ledger] = tuple(generated.layout.ledgers)
        self._slots = tuple(_slot_reads(generated, ledger) for ledger in self._ledgers)
        functions = self._executed(f"<plan {self.plan_code} {self.version} {self.digest[:12]}>")
        self.inputs: Callable[..., tuple[Any, ...]] = functions["inputs"]
        """`inputs(figures, facts, day, share)` reads what the function is handed; a part of a stay has its own.

        The figures, and the amounts among the facts, are those of the whole bill.
        """
        self.pay: Callable[..., tuple[int, ...]] = functions["adjudicate"]
        """The generated function: `pay(inputs, ledgers, notes)`. Simulations run whole years through it."""
        self._benefits = tuple(
            _CompiledBenefit(
                benefit,
                module,
                benefit.waiting or (module.waiting if module else None),
                (needed := facts_needed(version, benefit)),
                asked_when(version, benefit),
                _reader(needed),
                stated_needed(version, benefit),
                BenefitSteps(version, place, generated.benefits[place], functions),
            )
            for place, benefit in enumerate(version.body.benefits)
            for module in [version.body.module(benefit.module)]
        )
        self._terms_are_common = not any(isinstance(term_of(version.body, b), OwnCover) for b in version.body.benefits)
        self._terms_of_day = lru_cache(maxsize=1024)(lambda day: self._terms(day, None))
        self.benefit_codes = tuple(benefit.code for benefit in version.body.benefits)
        self.codes_by_amount = tuple(b.code for b in version.body.benefits if b.starts_from == "base")
        """The benefits that start from amounts of the bill, in the order of the file."""
        self.modules: Mapping[str, int] = {module.code: module.shares_at_most for module in version.body.modules}
        """The modules that members hold, each with the shares it has at most."""
        self.stated: frozenset[str] = frozenset(stated.code for stated in version.header.stated)
        """Codes of the amounts that hospitals state beside the insurer's answer."""
        self.asks_for_diagnosis = "diagnosis" in facts_of_version(version)
        self.needed_facts: frozenset[str] = frozenset(fact for benefit in self._benefits for fact in benefit.facts)

    @property
    def benefits(self) -> Sequence[BenefitRules]:
        """The rules of each benefit, in the order of the file."""
        return self._body.benefits

    def service_date(self, facts: PlanFacts) -> date | None:
        """Return the date that picks version and term: of a visit its settlement, of a stay the one declared.

        `None` when a stay's date is not known; `missing_fact` then names it.
        """
        return derived.service_date(self.stay_date, facts)

    def terms(self, service_date: date, facts: PlanFacts | None = None) -> Mapping[str, Term]:
        """Return each benefit's term for a service date, by benefit code.

        A day that lies in none of a benefit's terms is a term of its own: nothing is paid in it.
        """
        return self._terms_of_day(service_date) if self._terms_are_common else self._terms(service_date, facts)

    def _terms(self, day: date, facts: PlanFacts | None) -> Mapping[str, Term]:
        return {
            benefit.code: term_on(term_of(self._body, benefit), day, facts)
            or Term(f"{NO_TERM}{day.isoformat()}", day, day)
            for benefit in self._body.benefits
        }

    def new_ledgers(self) -> list[list[int]]:
        """Return the ledgers of a member of whom nothing has been recorded; `ledger_spans` says what each runs over."""
        return [[0] * len(slots) for slots in self._slots]

    @property
    def ledger_spans(self) -> Sequence[Ledger]:
        """What each of the ledgers runs over, in the order in which `pay` takes them."""
        return self._ledgers

    def missing_fact(self, facts: PlanFacts) -> str | None:
        """Return the first fact that a benefit which could reach this bill needs and lacks, by its field's name.

        A fact that is known and excludes the bill comes first: then nothing else is asked for. The same holds of a
        module that the member does not hold, and of days of waiting.
        """
        missing = next(self._missing(facts), None)
        if missing is None or not all(_may_fit(condition, facts) for condition in self.header.covers):
            return None
        return missing

    def _missing(self, facts: PlanFacts) -> Iterator[str]:
        """Yield what benefits that might reach this bill lack, as if the plan covered it."""
        for benefit in self._benefits:
            if None not in benefit.read(facts) and not benefit.stated:
                continue
            if self._may_reach(benefit, facts):
                for fact in benefit.facts:
                    if getattr(facts, fact) is None and _is_asked(benefit, fact, facts):
                        yield fact
                for amount in benefit.stated:
                    if amount not in facts.stated:
                        yield amount

    def _may_reach(self, benefit: _CompiledBenefit, facts: PlanFacts) -> bool:
        """Say whether a benefit reaches a bill that the plan covers, or might: its module, conditions and waiting."""
        module, waiting = benefit.module, benefit.waiting
        if module is not None and not derived.shares_held(facts, module.code, module.basic):
            return False
        if not all(_may_fit(condition, facts) for condition in benefit.rules.conditions):
            return False
        day = derived.days_covered(facts) if waiting is not None else None
        if waiting is None or day is None or day > waiting.days:
            return True
        return waiting.waived_for_accidents and facts.accident is not False

    def adjudicate(self, figures: BillFigures, facts: PlanFacts, used: Mapping[str, UsedRoom]) -> tuple[Benefit, ...]:
        """Price one bill and explain it; `used` is the room that earlier bills have used, by benefit code.

        Behind a code stand `@unit` and `@life` where the plan counts those spans, and `#<term>` for the terms of a
        split stay other than its service date's. A fact may be missing only where `missing_fact` does not ask for it.
        """
        self._ensure_known(facts)
        service_date = self.service_date(facts) or facts.settled_on
        terms = self.terms(service_date, facts)
        if parts := self.parts_of(facts):
            return self._adjudicate_parts(figures, parts, used, terms)
        notes: list[Note] = []
        paid = self.pay(self.inputs(figures, facts, service_date), self._filled(used), notes)
        return self._explained(paid, notes, facts, used, terms)

    def parts_of(self, facts: PlanFacts) -> Sequence[Segment]:
        """Return the parts of a stay that the plan splits over terms; of any other bill none."""
        return segments_of(self._body, self.stay_date, facts) if self.splits_stays else ()

    def amounts(self, figures: BillFigures, facts: PlanFacts, used: Mapping[str, UsedRoom]) -> dict[str, Money]:
        """Price one bill without explaining it: what each benefit pays, by benefit code."""
        self._ensure_known(facts)
        paid = self.pay(self.inputs(figures, facts), self._filled(used))
        return {code: Money(aid) for code, aid in zip(self.benefit_codes, paid, strict=True)}

    def _adjudicate_parts(
        self, figures: BillFigures, parts: Sequence[Segment], used: Mapping[str, UsedRoom], home: Mapping[str, Term]
    ) -> tuple[Benefit, ...]:
        """Price the parts of a split stay one after another; each sees what the parts before it have taken.

        `home` are the terms whose used room stands behind the bare codes: those of the service date.
        """
        room, settlement = dict(used), self._filled({})
        benefits: list[Benefit] = []
        for part in parts:
            terms = self.terms(part.day, part.facts)
            keys = {code: code if term == home[code] else f"{code}#{term.code}" for code, term in terms.items()}
            own = room | {code: room.get(key, UNUSED) for code, key in keys.items()}
            if not {term.code for term in terms.values()} & {term.code for term in home.values()}:
                own[OTHER_PLANS] = room.get(f"{OTHER_PLANS}#{terms[self.benefit_codes[0]].code}", UNUSED)
            priced = self._priced_part(figures, part, own, settlement, terms)
            for benefit in priced:
                for key in (keys[benefit.code], f"{benefit.code}{OF_UNIT}", f"{benefit.code}{OF_LIFE}"):
                    room[key] = room.get(key, UNUSED).after(benefit.consumption)
            benefits += priced
        return tuple(benefits)

    def _priced_part(
        self,
        figures: BillFigures,
        part: Segment,
        used: Mapping[str, UsedRoom],
        settlement: Sequence[list[int]],
        terms: Mapping[str, Term],
    ) -> Sequence[Benefit]:
        """Price one part of a split stay; nothing is paid for one before the fund had a plan, or without cover.

        The ledgers of the settlement are those in which the parts before it have counted.
        """
        if not part.is_paid and self.header.spanning is not None:
            why = "方案当时尚未开始" if part.is_before_plan else "这些天不在保障期内"
            steps = (Step(self.header.spanning.clause, StepKind.NOT_ELIGIBLE, ZERO, why),)
            return [
                Benefit(
                    b.code, b.names.zh, terms[b.code], ZERO, steps, used.get(b.code, UNUSED), NOTHING_TAKEN,
                    days=(part.first_day, part.day), name_en=b.names.en,
                )
                for b in self._body.benefits
            ]  # fmt: skip
        notes: list[Note] = []
        ledgers = [
            of_bill if ledger.span is Span.SETTLEMENT else filled
            for ledger, filled, of_bill in zip(self._ledgers, self._filled(used), settlement, strict=True)
        ]
        paid = self.pay(self.inputs(figures, part.facts, part.day, part.share), ledgers, notes)
        priced = self._explained(paid, notes, part.facts, used, terms)
        return [replace(benefit, days=(part.first_day, part.day)) for benefit in priced]

    def _explained(
        self,
        paid: Sequence[int],
        notes: Sequence[Note],
        facts: PlanFacts,
        used: Mapping[str, UsedRoom],
        terms: Mapping[str, Term],
    ) -> tuple[Benefit, ...]:
        """Return what the generated function paid and noted as benefits with their steps."""
        noted: list[list[Note]] = [[] for _ in self._benefits]
        for note in notes:
            noted[note[1]].append(note)
        benefits = []
        for benefit, own, aid in zip(self._benefits, noted, paid, strict=True):
            code = benefit.rules.code
            benefits.append(_benefit(benefit, terms[code], used.get(code, UNUSED), own, facts, aid))
        return tuple(benefits)

    def _ensure_known(self, facts: PlanFacts) -> None:
        missing = self.missing_fact(facts)
        ensure(missing is None, f"the plan needs {missing}: ask missing_fact first")

    def _filled(self, used: Mapping[str, UsedRoom]) -> list[list[int]]:
        """Return the ledgers with the used room in them.

        The sign makes a plain integer of `Money`, whose own sums take several times as long.
        """
        return [[+read(used[key]) if key in used else 0 for key, read in slots] for slots in self._slots]

    def _executed(self, name: str) -> dict[str, Any]:
        """Execute a source that `generate` wrote; it sees nothing but what is handed to it here."""
        namespace: dict[str, Any] = {
            "days_covered": derived.days_covered,
            "in_term": self._in_term,
            "nights": derived.nights,
            "share": share,
            "shares_held": derived.shares_held,
            "stay_days": derived.stay_days,
        }
        exec(compile(self.source, name, "exec"), namespace)
        return namespace

    def _in_term(self, facts: PlanFacts, place: int, day: date | None) -> bool:
        day = day or self.service_date(facts) or facts.settled_on
        return term_on(term_of(self._body, self._body.benefits[place]), day, facts) is not None


@lru_cache(maxsize=256)
def compile_version(version: PlanVersion) -> CompiledPlan:
    """Compile a version once per process. It is not checked: that was done before it was published.

    A check that a later release learns must not stop the bills of a version that is in force. Whoever compiles what
    nobody published yet checks it first, by `refuse_unsound`.
    """
    return CompiledPlan(version)


def _term_limits(version: PlanVersion) -> Iterator[NamedLimit]:
    """Yield each limit of a term that is one amount for everybody: of a benefit by itself, and of several together."""
    for benefit in version.body.benefits:
        for rule in benefit.rules:
            if isinstance(rule, TermLimit) and not isinstance(rule.amount, tuple) and not rule.per_share:
                yield NamedLimit(benefit.code, benefit.names.zh, (benefit.code,), rule.amount)
    for limit in version.body.limits:
        if limit.over is Span.TERM and isinstance(limit.amount, Money):
            paying = tuple(benefit.code for benefit in version.body.benefits if benefit.manual is None)
            of = paying if isinstance(limit.of, str) else limit.of
            yield NamedLimit(f"limit:{limit.code}", limit.names.zh, of, limit.amount, limit.of == "all_plans")


def _slot_reads(generated: Generated, ledger: Ledger) -> tuple[tuple[str, Callable[[UsedRoom], int]], ...]:
    """Return where each slot of a ledger is read from: the key of the used room, and what reads its measure."""
    suffix = {Span.TERM: "", Span.LIFE: OF_LIFE, Span.SETTLEMENT: OF_SETTLEMENT}.get(ledger.span, OF_UNIT)
    return tuple((f"{code}{suffix}", attrgetter(measure)) for code, measure in generated.layout.slots[ledger.name])


def _reader(fields: tuple[str, ...]) -> Callable[[PlanFacts], tuple[object, ...]]:
    """Return what reads several fields at once; one getter for all is several times as fast as one for each."""
    get = attrgetter(*fields)
    return get if len(fields) > 1 else lambda facts: (get(facts),)


def _is_asked(benefit: _CompiledBenefit, fact: str, facts: PlanFacts) -> bool:
    """Say whether a benefit asks this bill for a fact: a visit has no dates of a stay, and some conditions a `when`."""
    if fact in DATES_OF_A_STAY and facts.care != Care.INPATIENT:
        return False
    whens = benefit.asked_when.get(fact)
    return whens is None or any(fits_facts(when, facts) for when in whens)


def _may_fit(condition: Condition, facts: PlanFacts) -> bool:
    """Say whether a fact fulfils a condition, or might: it is not known, or the condition is not known to be asked."""
    if not fits_facts(condition.when, facts):
        return True
    value = fact_of(facts, condition.fact)
    if value is None:
        return True
    if condition.one_of is not None:
        return value in condition.one_of
    if not isinstance(value, int):
        raise InvariantViolation(f"{condition.fact} is not a number")
    low = condition.at_least is None or condition.at_least <= value
    return low and (condition.at_most is None or value <= condition.at_most)


def _benefit(
    benefit: _CompiledBenefit, term: Term, room: UsedRoom, notes: Sequence[Note], facts: PlanFacts, aid: int
) -> Benefit:
    rules = benefit.rules
    if notes and notes[0][0] == "refused":
        steps = benefit.steps.refused(notes[0][2])
        return Benefit(rules.code, rules.names.zh, term, ZERO, steps, room, NOTHING_TAKEN, name_en=rules.names.en)
    base, steps, taken = benefit.steps.reached(notes, facts)
    ensure(base + sum(int(step.delta) for step in steps) == aid, "the steps of a benefit do not add up to its aid")
    funding = funded(Money(aid), rules.funding)
    stay_days = next(((note[2], note[3]) for note in notes if note[0] == "stay"), None)
    return Benefit(
        rules.code,
        rules.names.zh,
        term,
        Money(base),
        steps,
        room,
        taken,
        funding,
        stay_days=stay_days,
        name_en=rules.names.en,
    )
