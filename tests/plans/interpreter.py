"""A slow, obvious reader of the plan model: it settles a member's bills from the sentences of `docs/plans.md`.

It keeps no running sums: for every rule it goes through the whole list of what earlier bills were paid. It shares
nothing with the compiler but the model and plain values. Amounts are exact fractions of fen until a rule rounds them.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

from settlement.domain.benefits import PlanFacts
from settlement.domain.bills import BillFigures
from settlement.domain.money import Rounding
from settlement.plans.model import (
    AmountSum,
    Band,
    Bands,
    BenefitRules,
    Between,
    BurdenLimit,
    Condition,
    Deductible,
    Franchise,
    GroupLimit,
    LessPaid,
    Limit,
    Minimum,
    Modifier,
    NotBeside,
    OnlyBeside,
    PlanVersion,
    RateRule,
    Rule,
    Span,
    TermLimit,
    TermRule,
)
from settlement.plans.model.membership import CalendarYear, MonthsFrom, NamedTerms, OwnCover, YearFrom

ONE_DAY = timedelta(days=1)
NOTHING = Fraction(0)
STEPS = {"fen": 1, "jiao": 10, "yuan": 100}
Share = tuple[int, int, int]
"""Of a part of a bill: the days before it, the days up to and with it, and all days of the bill."""
Days = tuple[date, date]
"""A first and a last day, both included."""


@dataclass(frozen=True)
class Bill:
    """A bill as it comes in: `facts` say nothing that the roster or earlier bills would tell."""

    figures: BillFigures
    facts: PlanFacts
    hospital: str = "H"
    visit: str = "V"
    receipt: str | None = None

    @property
    def is_stay(self) -> bool:
        return self.facts.care == "inpatient"

    @property
    def states_event(self) -> bool:
        return self.facts.event_on is not None or self.facts.event not in (None, "none")


@dataclass(frozen=True)
class Outcome:
    """What one benefit came to for one bill, or for the part of it that lies in one term."""

    settlement: tuple[int, int]
    """Number of the bill, and of its part."""
    receipt: tuple[str, str | None, str]
    visit: tuple[str, str]
    stay: str
    day: date
    benefit: str
    reached: bool = False
    asks: bool = False
    base: Fraction = NOTHING
    burden: Fraction = NOTHING
    paid: Fraction = NOTHING
    deductible: Fraction = NOTHING
    days: int = 0


@dataclass(frozen=True)
class Care:
    """A recorded bill of a stay, for what later bills of stays ask about it."""

    stay: str
    visit: tuple[str, str]
    term: Days
    admitted: date
    begins: date
    ends: date
    diagnosis: str | None


@dataclass(frozen=True)
class PaidElsewhere:
    """What another plan of the fund has paid in a term."""

    day: date
    paid: int


@dataclass
class Part:
    """The bill that is priced now, or its part in one term, with what is known about it."""

    bill: Bill
    settlement: tuple[int, int]
    share: Share
    facts: dict[str, Any]
    first_day: date | None
    day: date
    stay: str
    days_before: tuple[int, int]
    """Nights and admissions of the stay that earlier bills, or parts, have settled."""
    days_now: tuple[int, int]
    nights_before: int
    nights_now: int
    """The same nights, each on the day on which it begins: a later part does not have the one before it."""
    is_one_of_several: bool
    aid: dict[str, Fraction] = field(default_factory=dict)
    earlier_parts: tuple[Part, ...] = ()


class Interpreter:
    """One member under one version of a plan; `settle` takes the bills in the order of recording."""

    def __init__(
        self, version: PlanVersion, covers: Sequence[Days] = (), elsewhere: Sequence[PaidElsewhere] = ()
    ) -> None:
        self.plan, self.body = version.header, version.body
        self.covers, self.elsewhere = covers, elsewhere
        self.outcomes: list[Outcome] = []
        self.care: list[Care] = []
        self.bills = 0
        self.own_cover: Days | None = None
        """The span of cover by which the bill that is settled now is the plan's."""

    def settle(self, bill: Bill) -> list[Outcome] | set[str]:
        """Return what each benefit pays for a bill, part by part; or the facts for which the bill is held."""
        self.own_cover = self._cover_of(bill)
        stay = self._stay_of(bill)
        facts = self._facts(bill, stay)
        missing = self._missing(bill, facts)
        if missing:
            return missing
        self.bills += 1
        settled: list[Outcome] = []
        parts: list[Part] = []
        for number, (share, first, last) in enumerate(self._parts(bill)):
            goes_on_behind = last is not None and last != bill.facts.discharged_on
            before = self._nights_and_admissions(stay)
            self._record_care(bill, stay, first, last)
            part_facts = {**facts, "stay_days": sum(self._nights_and_admissions(stay)) if bill.is_stay else 0}
            day = last if first is not None else self._service_date(bill)
            part = Part(
                bill,
                (self.bills, number),
                share,
                part_facts,
                first,
                day or bill.facts.settled_on,
                stay,
                before,
                now := self._nights_and_admissions(stay),
                before[0] + (1 if number else 0),
                now[0] + (1 if goes_on_behind else 0),
                last is not None,
                earlier_parts=tuple(parts),
            )
            parts.append(part)
            for benefit in self.body.benefits:
                outcome = self._benefit(benefit, part)
                part.aid[benefit.code] = outcome.paid
                self.outcomes.append(outcome)
                settled.append(outcome)
        return settled

    # Which day, which term, which stay.

    def _service_date(self, bill: Bill) -> date | None:
        """`stay_date` of a stay; of a visit it is the day of settlement, of a stated event its own day."""
        if bill.facts.event_on is not None:
            return bill.facts.event_on
        if not bill.is_stay:
            return bill.facts.settled_on
        return bill.facts.discharged_on if self.plan.stay_date == "discharge" else bill.facts.admitted_on

    def _module(self, benefit: BenefitRules) -> Any:
        return next((module for module in self.body.modules if module.code == benefit.module), None)

    def _term_rule(self, benefit: BenefitRules) -> TermRule:
        """A benefit's own `term` goes before the module's."""
        rule = benefit.term or self._module(benefit).term
        assert rule is not None
        return rule

    def _term(self, benefit: BenefitRules, day: date, own_cover: Days | None) -> Days | None:
        return term_of_day(self._term_rule(benefit), day, own_cover)

    def _stay_of(self, bill: Bill) -> str:
        """Settlements of one visit share its stay; an admission soon after a discharge may be the same stay."""
        visit = (bill.hospital, bill.visit)
        if not bill.is_stay:
            return f"visit {visit}"
        for care in self.care:
            if care.visit == visit:
                return care.stay
        rule, admitted = self.plan.stays, bill.facts.admitted_on
        if rule is not None and rule.merge_within_days is not None and admitted is not None:
            for care in reversed(self.care):
                agrees = {
                    "any": True,
                    "never": False,
                    "hospital": care.visit[0] == bill.hospital,
                    "diagnosis": care.diagnosis is not None and care.diagnosis == bill.facts.diagnosis,
                }[rule.same]
                soon = care.begins <= admitted and (admitted - care.ends).days <= rule.merge_within_days
                if agrees and soon:
                    return care.stay
        return f"visit {visit}"

    def _record_care(self, bill: Bill, stay: str, first: date | None, last: date | None) -> None:
        facts = bill.facts
        if not bill.is_stay or facts.admitted_on is None or facts.discharged_on is None:
            return
        visit = (bill.hospital, bill.visit)
        begins = first or self._counts_from(bill)
        self.care.append(
            Care(
                stay,
                visit,
                self._first_term(bill),
                facts.admitted_on,
                begins,
                last or facts.discharged_on,
                facts.diagnosis,
            )
        )

    def _counts_from(self, bill: Bill) -> date:
        """A stay that was settled in part goes on from where that ended."""
        ends = [care.ends for care in self.care if care.visit == (bill.hospital, bill.visit)]
        assert bill.facts.admitted_on is not None
        return max(ends) if ends else bill.facts.admitted_on

    def _nights_and_admissions(self, stay: str) -> tuple[int, int]:
        """The nights of a stay as recorded so far, and its admissions: merged stays have several."""
        nights, visits = 0, {care.visit for care in self.care if care.stay == stay}
        for visit in visits:
            of_visit = [care for care in self.care if care.visit == visit]
            nights += max(0, (max(care.ends for care in of_visit) - of_visit[0].admitted).days)
        return nights, len(visits)

    def _first_term(self, bill: Bill) -> Days:
        day = self._service_date(bill) or bill.facts.settled_on
        return self._term(self.body.benefits[0], day, self.own_cover) or (day, day)

    def _parts(self, bill: Bill) -> Iterator[tuple[Share, date | None, date | None]]:
        """A stay over two terms is split by its days, both ends counted."""
        last = bill.facts.discharged_on
        split = self._splits() and bill.is_stay and not bill.states_event
        if not split or bill.facts.admitted_on is None or last is None:
            yield (0, 1, 1), None, None
            return
        pieces = self._pieces(bill, last, self.own_cover)
        if len(pieces) < 2:
            yield (0, 1, 1), None, None
            return
        gone, total = 0, sum(map(len, pieces))
        for piece in pieces:
            yield (gone, gone + len(piece), total), piece[0], piece[-1]
            gone += len(piece)

    def _pieces(self, bill: Bill, last: date, own_cover: Days | None) -> list[list[date]]:
        """The days of a bill, in runs of one term."""
        pieces: list[list[date]] = []
        terms: list[Days | None] = []
        day = self._counts_from(bill)
        while day <= last:
            term = self._term(self.body.benefits[0], day, own_cover)
            if pieces and term == terms[-1]:
                pieces[-1].append(day)
            else:
                pieces.append([day])
                terms.append(term)
            day += ONE_DAY
        return pieces

    def _splits(self) -> bool:
        return self.plan.spanning is not None and self.plan.spanning.split == "by_days"

    # What is known of the bill.

    def _cover_of(self, bill: Bill) -> Days | None:
        """The span that holds the service date; else, of a stay in parts, the nearest that holds a part's own date."""
        day = self._service_date(bill) or bill.facts.settled_on
        for span in self.covers:
            if span[0] <= day <= span[1]:
                return span
        last, by_discharge = bill.facts.discharged_on, self.plan.stay_date == "discharge"
        if not self._splits() or not bill.is_stay or bill.states_event or not bill.facts.admitted_on or not last:
            return None
        for span in sorted(self.covers, reverse=by_discharge):
            pieces = self._pieces(bill, last, span)
            for piece in pieces if len(pieces) > 1 else []:
                own_date = piece[-1] if by_discharge else piece[0]
                if span[0] <= own_date <= span[1] and not self._ended_before_plan(bill, piece[-1], span):
                    return span
        return None

    def _facts(self, bill: Bill, stay: str) -> dict[str, Any]:
        facts = {each.name: getattr(bill.facts, each.name) for each in fields(PlanFacts)}
        facts.update(days_covered=None, consecutive_terms=None, returned=None, stay_ordinal=0, stay_days=0)
        facts["own_cover"] = own_cover = self.own_cover
        if own_cover is not None:
            in_a_row, returned = self._cover_up_to(own_cover)
            tested = bill.facts.event_on or (bill.facts.admitted_on if bill.is_stay else None) or bill.facts.settled_on
            facts["days_covered"] = (tested - in_a_row[0][0]).days + 1
            first = self.body.benefits[0]
            terms = {self._term(first, span[0], span) or span[0] for span in in_a_row}
            facts.update(consecutive_terms=len(terms), returned=returned)
        if bill.is_stay:
            term = self._first_term(bill)
            stays = list(dict.fromkeys(care.stay for care in self.care if care.term == term))
            facts["stay_ordinal"] = [*stays, stay].index(stay) + 1
            dated = bill.facts.admitted_on is not None and bill.facts.discharged_on is not None
            facts["stay_days"] = None
            if dated:
                self._record_care(bill, stay, None, None)
                facts["stay_days"] = sum(self._nights_and_admissions(stay))
                self.care.pop()
        return facts

    def _cover_up_to(self, current: Days) -> tuple[list[Days], bool]:
        """Return the spans without a break up to the current one, and whether there was cover before a break."""
        grace = self.plan.continuity.grace_days if self.plan.continuity else 0
        earlier = sorted(span for span in self.covers if span < current)
        in_a_row = [current]
        while earlier and (in_a_row[0][0] - max(end for _, end in earlier)).days - 1 <= grace:
            in_a_row.insert(0, earlier.pop())
        return in_a_row, bool(earlier)

    def _missing(self, bill: Bill, facts: dict[str, Any]) -> set[str]:
        """The facts that a benefit needs which could still reach the bill; where any is missing, the bill is held."""
        missing: set[str] = set()
        for benefit in self.body.benefits:
            conditions = (*self.plan.covers, *benefit.conditions)
            if not all(facts[each.fact] is None or may_pass(facts, each) for each in conditions):
                continue
            if benefit.module is not None and not self._shares(benefit, bill):
                continue
            waiting = self._waiting(benefit)
            if waiting is not None and facts["days_covered"] is not None:
                waived = waiting.waived_for_accidents and facts["accident"] is not False
                if facts["days_covered"] <= waiting.days and not waived:
                    continue
            needed = {name for name in self._asked(benefit, facts) if facts[name] is None}
            dates = (bill.facts.admitted_on, bill.facts.discharged_on)
            if bill.is_stay and dates[self.plan.stay_date == "discharge"] is None:
                needed.add("date of the stay")
            if bill.is_stay and None in dates and (benefit.per_day is not None or self._splits()):
                needed.add("days of the stay")
            if isinstance(self._term_rule(benefit), OwnCover) and facts["own_cover"] is None:
                needed.add("cover")
            held = {each.code for each in self.plan.stated if each.if_not_stated == "hold"}
            needed |= (held & self._amounts_asked(benefit)) - set(bill.facts.stated)
            missing |= needed
        return missing

    def _asked(self, benefit: BenefitRules, facts: dict[str, Any]) -> set[str]:
        conditions = (*self.plan.covers, *benefit.conditions)
        asked = {condition.fact for condition in conditions if is_asked(facts, condition)}
        asked |= {fact for condition in conditions for fact in condition.when or ()}
        waiting = self._waiting(benefit)
        if waiting is not None:
            asked |= {"days_covered"} | ({"accident"} if waiting.waived_for_accidents else set())
        for part in (benefit, *self._group_limits(benefit)):
            asked |= set(facts_in(part.model_dump()))
        return asked

    def _amounts_asked(self, benefit: BenefitRules) -> set[str]:
        sums = [benefit.base, benefit.burden, *(limit.burden for limit in self._group_limits(benefit))]
        return {name for each in sums if each is not None for name in (*each.plus, *each.minus)}

    def _group_limits(self, benefit: BenefitRules) -> list[GroupLimit]:
        return [limit for limit in self.body.limits if limit.of in ("all", "all_plans") or benefit.code in limit.of]

    def _waiting(self, benefit: BenefitRules) -> Any:
        module = self._module(benefit)
        return benefit.waiting or (module.waiting if module else None)

    def _shares(self, benefit: BenefitRules, bill: Bill) -> int:
        module, held = self._module(benefit), bill.facts.shares
        if module is None:
            return 0
        if held is None:
            return 1 if module.basic else 0
        return held.get(module.code, 0)

    # One benefit.

    def _benefit(self, benefit: BenefitRules, part: Part) -> Outcome:
        bill = part.bill
        visit = (bill.hospital, bill.visit)
        receipt = (bill.hospital, bill.receipt, "" if bill.receipt is not None else bill.visit)
        outcome = Outcome(part.settlement, receipt, visit, part.stay, part.day, benefit.code)
        if not self._reaches(benefit, part):
            return outcome
        days = self._payable_days(benefit, part)
        base, burden = self._starting_amount(benefit, part, days), self._sum(benefit.burden, part)
        borne = NOTHING
        for rule in benefit.rules:
            if isinstance(rule, Deductible):
                had = self._total("deductible", [benefit.code], rule.once_per, benefit, part)
                once = min(base, max(NOTHING, chosen(rule.amount, part.facts) - had))
                base, borne = base - once, borne + once
        aid, asks = NOTHING, False
        if benefit.manual is not None:
            asks = self._asks(benefit, base, part)
        else:
            aid = self._by_sums(benefit, base, burden, part)
            for rule in benefit.rules:
                if not self._looks_at_sums(benefit, rule):
                    aid = self._limited(benefit, rule, aid, part)
            for limit in self._group_limits(benefit):
                aid = min(aid, max(NOTHING, self._group_room(benefit, limit, part)))
        return Outcome(
            part.settlement,
            receipt,
            visit,
            part.stay,
            part.day,
            benefit.code,
            reached=True,
            asks=asks,
            base=base,
            burden=burden,
            paid=aid,
            deductible=borne,
            days=len(days) if aid else 0,
        )

    def _is_before_plan(self, part: Part) -> bool:
        """A part of a split stay whose term was over before the fund had a plan is paid nothing."""
        return part.is_one_of_several and self._ended_before_plan(part.bill, part.day, part.facts["own_cover"])

    def _ended_before_plan(self, bill: Bill, day: date, own_cover: Days | None) -> bool:
        term = self._term(self.body.benefits[0], day, own_cover)
        since = bill.facts.plan_since
        return since is not None and (term[1] if term else day) < since

    def _is_not_covered(self, part: Part) -> bool:
        """A part of a split stay in another term than the stay's is paid as a stay of its own: cover on its date."""
        if not part.is_one_of_several or part.facts["own_cover"] is None:
            return False
        of_part, of_stay = (
            self._term(self.body.benefits[0], day, part.facts["own_cover"])
            for day in (part.day, self._service_date(part.bill) or part.day)
        )
        day = part.first_day if self.plan.stay_date == "admission" and part.first_day else part.day
        service_date = self._service_date(part.bill) or part.day
        is_like_the_stay = of_part == of_stay is not None and self._is_covered(service_date)
        return not is_like_the_stay and not self._is_covered(day)

    def _is_covered(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.covers)

    def _is_priced(self, part: Part) -> bool:
        return not (self._is_before_plan(part) or self._is_not_covered(part))

    def _reaches(self, benefit: BenefitRules, part: Part) -> bool:
        if not self._is_priced(part):
            return False
        conditions = (*self.plan.covers, *benefit.conditions)
        if not all(part.facts[each.fact] is None or may_pass(part.facts, each) for each in conditions):
            return False
        if benefit.module is not None and not self._shares(benefit, part.bill):
            return False
        waiting = self._waiting(benefit)
        waived = waiting is not None and waiting.waived_for_accidents and part.facts["accident"]
        if waiting is not None and part.facts["days_covered"] <= waiting.days and not waived:
            return False
        return self._term(benefit, part.day, part.facts["own_cover"]) is not None

    def _payable_days(self, benefit: BenefitRules, part: Part) -> list[int]:
        """The days of the stay, by their numbers, that this bill adds and an allowance pays."""
        rule = benefit.per_day
        if rule is None:
            return []

        def counted(days: tuple[int, int], nights: int) -> int:
            if not days[1]:
                return 0
            return {
                "nights": nights,
                "nights_at_least_one": max(1, nights),
                "both_days": sum(days),
            }[rule.counting]

        def paid(up_to: int) -> set[int]:
            if up_to < rule.minimum_stay:
                return set()
            last = rule.days[-1].to_day
            return {
                day for day in range(1, up_to + 1) if rule.days[0].from_day <= day and (last is None or day <= last)
            }

        now = paid(counted(part.days_now, part.nights_now))
        days = sorted(now - paid(counted(part.days_before, part.nights_before)))
        for each in benefit.rules:
            if isinstance(each, Limit) and each.days is not None:
                days = days[: max(0, each.days - int(self._total("days", [benefit.code], each.over, benefit, part)))]
        return days

    def _starting_amount(self, benefit: BenefitRules, part: Part, days: list[int]) -> Fraction:
        if benefit.per_day is not None:
            amounts = [
                Fraction(int(band.amount))
                for day in days
                for band in benefit.per_day.days
                if band.from_day <= day and (band.to_day is None or day <= band.to_day)
            ]
            return sum(amounts, NOTHING) * (self._shares(benefit, part.bill) if benefit.per_day.per_share else 1)
        if benefit.lump_sum is not None:
            shares = self._shares(benefit, part.bill) if benefit.lump_sum.per_share else 1
            return chosen(benefit.lump_sum.amount, part.facts) * shares
        return max(NOTHING, self._sum(benefit.base, part))

    def _sum(self, sum_of: AmountSum | None, part: Part) -> Fraction:
        """Add and subtract amounts of the bill; account money that is not a burden is taken off.

        A part of a stay has its share of the bill's sum by days; what does not divide falls to later parts.
        """
        if sum_of is None:
            return NOTHING
        amounts, aid = amounts_of(part.bill), NOTHING
        amount = NOTHING
        for sign, names in ((1, sum_of.plus), (-1, sum_of.minus)):
            for name in names:
                if name.startswith("aid."):
                    aid += sign * part.aid[name.removeprefix("aid.")]
                else:
                    amount += sign * amounts.get(name, NOTHING)
        family = amounts["family_account_paid"]
        own = amounts["account_paid"] - family
        if self.plan.account_money.counts_as == "not_burden":
            amount -= own
        if (self.plan.family_account_money or self.plan.account_money).counts_as == "not_burden":
            amount -= family
        before, up_to, total = part.share
        return Fraction(amount * up_to // total - amount * before // total) + aid

    # Spans.

    def _earlier(self, span: Span, codes: Sequence[str], benefit: BenefitRules, part: Part) -> list[Outcome]:
        """What benefits came to within a span, this bill's earlier benefits included."""
        receipt = (part.bill.hospital, part.bill.receipt, "" if part.bill.receipt is not None else part.bill.visit)
        term = self._term(benefit, part.day, part.facts["own_cover"])
        assert term is not None

        def within(outcome: Outcome) -> bool:
            match span:
                case Span.SETTLEMENT:
                    return outcome.settlement[0] == part.settlement[0]
                case Span.RECEIPT:
                    return outcome.receipt == receipt
                case Span.VISIT:
                    return outcome.visit == (part.bill.hospital, part.bill.visit)
                case Span.STAY:
                    return outcome.stay == part.stay
                case Span.TERM:
                    return term[0] <= outcome.day <= term[1]
                case Span.LIFE:
                    return True

        return [outcome for outcome in self.outcomes if outcome.benefit in codes and within(outcome)]

    def _total(self, what: str, codes: Sequence[str], span: Span, benefit: BenefitRules, part: Part) -> Fraction:
        return sum((Fraction(getattr(each, what)) for each in self._earlier(span, codes, benefit, part)), NOTHING)

    def _unit(self) -> Span | None:
        """The span that ties settlements together: a version uses one of receipt, visit and stay at most."""
        spans = [limit.over for limit in self.body.limits]
        for benefit in self.body.benefits:
            spans += [benefit.accumulation.over] if benefit.accumulation else []
            spans += [
                span
                for rule in benefit.rules
                for span in (getattr(rule, "over", None), getattr(rule, "once_per", None))
            ]
        return next((span for span in (Span.RECEIPT, Span.VISIT, Span.STAY) if span in spans), None)

    def _payments(self, outcomes: Sequence[Outcome], all_outcomes: Sequence[Outcome]) -> int:
        """Settlements of one unit are one payment, which counts where its first one was."""
        unit = self._unit()
        firsts: dict[object, Outcome] = {}
        for each in all_outcomes:
            if each.paid:
                key = each.settlement if unit is None else getattr(each, unit.value)
                firsts.setdefault(key, each)
        return sum(1 for first in firsts.values() if first in outcomes)

    # Rules.

    def _looks_at_sums(self, benefit: BenefitRules, rule: Rule) -> bool:
        if isinstance(rule, Franchise | Bands | RateRule | Minimum | BurdenLimit):
            return True
        span = benefit.accumulation.over if benefit.accumulation else Span.SETTLEMENT
        if benefit.lump_sum is not None and benefit.lump_sum.upgrade:
            return False
        if isinstance(rule, TermLimit):
            return span is Span.TERM
        if self._splits() and span is Span.SETTLEMENT:
            return False
        return isinstance(rule, Limit) and rule.amount is not None and rule.over is span

    def _by_sums(self, benefit: BenefitRules, base: Fraction, burden: Fraction, part: Part) -> Fraction:
        """The rules give a total of the span's sums; the bill is paid that total less what was paid before.

        Of parts of one settlement, each is paid what it adds to the total: what a limit took of an earlier part is
        not made good.
        """
        span = benefit.accumulation.over if benefit.accumulation else Span.SETTLEMENT
        earlier = self._earlier(span, [benefit.code], benefit, part)
        paid = sum((each.paid for each in earlier), NOTHING)
        if benefit.lump_sum is not None and benefit.lump_sum.upgrade:
            return max(NOTHING, base - paid)
        earlier_base = sum((each.base for each in earlier), NOTHING)
        earlier_burden = sum((each.burden for each in earlier), NOTHING)
        if earlier and span is Span.SETTLEMENT:
            paid = max(paid, self._total_of_sums(benefit, earlier_base, earlier_burden, part))
        return max(NOTHING, self._total_of_sums(benefit, earlier_base + base, earlier_burden + burden, part) - paid)

    def _total_of_sums(self, benefit: BenefitRules, base: Fraction, burden: Fraction, part: Part) -> Fraction:
        total, due = base, base > 0
        for rule in benefit.rules:
            if not self._looks_at_sums(benefit, rule):
                continue
            match rule:
                case Franchise():
                    threshold = chosen(rule.amount, part.facts)
                    if total < threshold or (total == threshold and rule.reached == "above"):
                        total, due = NOTHING, False
                case Bands():
                    total = self._bands(rule, total, part)
                case RateRule():
                    rate = self._modified(chosen(rule.rate, part.facts), rule.modifiers, part)
                    total = self._rounded(total * rate)
                case Minimum():
                    total = max(total, chosen(rule.amount, part.facts)) if due else total
                case BurdenLimit():
                    total = min(total, max(NOTHING, burden))
                case TermLimit() | Limit():
                    total = min(total, self._limit_amount(benefit, rule, part))
        return total

    def _bands(self, rule: Bands, amount: Fraction, part: Part) -> Fraction:
        bands = rule.bands
        for choice in rule.choices or ():
            if choice.when is None or fits(choice.when, part.facts):
                bands = choice.bands
                break
        assert bands is not None
        if amount <= 0:
            return NOTHING
        if rule.method == "whole":
            (band,) = [band for band in bands if in_band(amount, band)]
            if band.pays is not None:
                return Fraction(int(band.pays))
            return self._rounded(amount * self._modified(band.rate or NOTHING, rule.modifiers, part))
        parts = [
            part_in_band(amount, band) * self._modified(band.rate or NOTHING, rule.modifiers, part) for band in bands
        ]
        if self.plan.rounding.place == "each_band":
            return sum(map(self._rounded, parts), NOTHING)
        return self._rounded(sum(parts, NOTHING))

    def _modified(self, rate: Fraction, modifiers: Sequence[Modifier], part: Part) -> Fraction:
        """Percentage points on every paying rate, which stays between nothing and the whole."""
        if not rate or not modifiers:
            return rate
        for modifier in modifiers:
            if modifier.when is not None and not fits(modifier.when, part.facts):
                continue
            points = modifier.add
            if modifier.per is not None:
                points *= max(0, part.facts[modifier.per] - modifier.beyond)
                if modifier.at_most is not None and abs(points) > abs(modifier.at_most):
                    points = modifier.at_most
            rate += points
        return min(max(rate, NOTHING), Fraction(1))

    def _rounded(self, exact: Fraction) -> Fraction:
        step = STEPS[self.plan.rounding.step]
        steps = exact / step
        whole = steps.numerator // steps.denominator
        rest = steps - whole
        up = {
            Rounding.DOWN: False,
            Rounding.UP: rest > 0,
            Rounding.HALF_UP: rest >= Fraction(1, 2),
            Rounding.HALF_EVEN: rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2 == 1),
        }[self.plan.rounding.mode]
        return Fraction((whole + up) * step)

    def _limit_amount(self, benefit: BenefitRules, rule: TermLimit | Limit, part: Part) -> Fraction:
        assert rule.amount is not None
        return chosen(rule.amount, part.facts) * (self._shares(benefit, part.bill) if rule.per_share else 1)

    def _limited(self, benefit: BenefitRules, rule: Rule, aid: Fraction, part: Part) -> Fraction:
        """Rules that look at one bill and its room."""
        own = [benefit.code]
        match rule:
            case TermLimit():
                left = self._limit_amount(benefit, rule, part) - self._total("paid", own, Span.TERM, benefit, part)
                return min(aid, max(NOTHING, left))
            case Limit() if rule.amount is not None:
                left = self._limit_amount(benefit, rule, part) - self._total("paid", own, rule.over, benefit, part)
                return min(aid, max(NOTHING, left))
            case Limit() if rule.times is not None:
                return NOTHING if self._times_are_up(benefit, rule, part) else aid
            case LessPaid() if rule.over is Span.SETTLEMENT:
                return max(NOTHING, aid - sum((part.aid.get(code, NOTHING) for code in rule.by), NOTHING))
            case LessPaid():
                return max(NOTHING, aid - self._total("paid", rule.by, rule.over, benefit, part))
            case NotBeside():
                return NOTHING if self._total("paid", rule.benefits, rule.over, benefit, part) else aid
            case OnlyBeside():
                return aid if self._total("paid", rule.benefits, rule.over, benefit, part) else NOTHING
            case _:
                return aid

    def _times_are_up(self, benefit: BenefitRules, rule: Limit, part: Part) -> bool:
        assert rule.times is not None
        unit, own = self._unit(), [benefit.code]
        if unit is not None and any(each.paid for each in self._earlier(unit, own, benefit, part)):
            return False
        all_outcomes = [each for each in self.outcomes if each.benefit == benefit.code]
        return self._payments(self._earlier(rule.over, own, benefit, part), all_outcomes) >= rule.times

    def _group_room(self, benefit: BenefitRules, limit: GroupLimit, part: Part) -> Fraction:
        codes = [each.code for each in self.body.benefits] if isinstance(limit.of, str) else list(limit.of)
        bound = (
            max(NOTHING, self._burden_so_far(limit, part)) if limit.amount is None else chosen(limit.amount, part.facts)
        )
        left = bound - self._total("paid", codes, limit.over, benefit, part)
        if limit.of == "all_plans" and limit.over in (Span.TERM, Span.LIFE):
            term = self._term(benefit, part.day, part.facts["own_cover"])
            assert term is not None
            left -= sum(
                each.paid for each in self.elsewhere if limit.over is Span.LIFE or term[0] <= each.day <= term[1]
            )
        return left

    def _burden_so_far(self, limit: GroupLimit, part: Part) -> Fraction:
        """What the member bears of the bill: of a split one, of its parts up to this one that can be paid at all."""
        paid_parts = [each for each in (*part.earlier_parts, part) if self._is_priced(each)]
        return sum((self._sum(limit.burden, each) for each in paid_parts), NOTHING)

    def _asks(self, benefit: BenefitRules, base: Fraction, part: Part) -> bool:
        """The bill that lifts the sum of bases to the threshold; without a threshold each bill."""
        assert benefit.manual is not None
        if benefit.manual.threshold is None:
            return True
        span = benefit.accumulation.over if benefit.accumulation else Span.SETTLEMENT
        earlier = self._total("base", [benefit.code], span, benefit, part)
        return earlier < benefit.manual.threshold <= earlier + base


def amounts_of(bill: Bill) -> dict[str, Fraction]:
    """Return every amount of a bill by its name in the plan file."""
    figures, funds = bill.figures, bill.figures.funds
    amounts = {each.name: getattr(figures, each.name) for each in fields(BillFigures) if each.name != "funds"}
    amounts |= {each.name: getattr(funds, each.name) for each in fields(funds)}
    amounts |= {"insurer_paid": figures.insurer_paid, "other_paid": bill.facts.other_paid, **bill.facts.stated}
    return {name: Fraction(int(amount)) for name, amount in amounts.items()}


def term_of_day(rule: TermRule, day: date, own_cover: Days | None) -> Days | None:
    """Return the term that a day lies in, if it lies in one."""
    match rule:
        case CalendarYear():
            return date(day.year, 1, 1), date(day.year, 12, 31)
        case YearFrom():
            month, day_of_month = map(int, rule.starts.split("-"))
            starts = [_on(year, month, day_of_month) for year in (day.year - 1, day.year, day.year + 1)]
            return next((this, following - ONE_DAY) for this, following in pairwise(starts) if this <= day < following)
        case MonthsFrom():
            number = 0
            while _months_after(rule.first_day, number * rule.months) > day:
                number -= 1
            while _months_after(rule.first_day, (number + 1) * rule.months) <= day:
                number += 1
            following = _months_after(rule.first_day, (number + 1) * rule.months)
            return _months_after(rule.first_day, number * rule.months), following - ONE_DAY
        case NamedTerms():
            return next(((t.first_day, t.last_day) for t in rule.terms if t.first_day <= day <= t.last_day), None)
        case OwnCover():
            return own_cover if own_cover is not None and own_cover[0] <= day <= own_cover[1] else None


def _on(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def _months_after(first: date, months: int) -> date:
    count = first.year * 12 + first.month - 1 + months
    return _on(count // 12, count % 12 + 1, first.day)


def facts_in(part: object) -> Iterator[str]:
    """Name every fact that a `when` or a `per` somewhere in a part of a plan asks for."""
    if isinstance(part, dict):
        yield from part.get("when") or ()
        if isinstance(part.get("per"), str):
            yield part["per"]
        part = tuple(part.values())
    if isinstance(part, tuple | list):
        for each in part:
            yield from facts_in(each)


def fulfils(value: Any, condition: Condition) -> bool:
    """Say whether a fact is what a condition wants."""
    if condition.one_of is not None:
        return value in condition.one_of
    low, high = condition.at_least, condition.at_most
    return (low is None or value >= low) and (high is None or value <= high)


def is_asked(facts: dict[str, Any], condition: Condition) -> bool:
    """Say whether a condition is asked of a bill: its `when` is known to fit, or it has none."""
    if condition.when is None:
        return True
    return all(facts[name] is not None for name in condition.when) and fits(condition.when, facts)


def may_pass(facts: dict[str, Any], condition: Condition) -> bool:
    """Say whether a bill whose fact is known passes a condition."""
    return not is_asked(facts, condition) or fulfils(facts[condition.fact], condition)


def fits(when: Any, facts: dict[str, Any]) -> bool:
    """Say whether all facts of a `when` fit."""
    for name, wanted in when.items():
        value = facts[name]
        if isinstance(wanted, Between):
            if wanted.at_least is not None and value < wanted.at_least:
                return False
            if wanted.at_most is not None and value > wanted.at_most:
                return False
        elif value not in wanted:
            return False
    return True


def chosen(by: Any, facts: dict[str, Any]) -> Fraction:
    """Return a value, or that of the first choice whose `when` fits; the last one holds otherwise."""
    if not isinstance(by, tuple):
        return Fraction(by)
    for choice in by:
        if choice.when is None or fits(choice.when, facts):
            return Fraction(choice.value)
    return Fraction(by[-1].value)


def in_band(amount: Fraction, band: Band) -> bool:
    """Say whether an amount lies in a band: `from` and `up_to` are included, `above` and `below` are not."""
    return not (
        (band.from_ is not None and amount < band.from_)
        or (band.above is not None and amount <= band.above)
        or (band.up_to is not None and amount > band.up_to)
        or (band.below is not None and amount >= band.below)
    )


def part_in_band(amount: Fraction, band: Band) -> Fraction:
    """Return the part of an amount that a band holds; which band an edge itself counts to does not change the parts."""
    low = Fraction(band.above if band.above is not None else band.from_ if band.from_ is not None else 0)
    end = band.up_to if band.up_to is not None else band.below
    high = amount if end is None else min(amount, Fraction(end))
    return max(NOTHING, high - low)
