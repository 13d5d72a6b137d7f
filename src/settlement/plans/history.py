"""Where a bill stands among a member's earlier ones: its unit, its stay's ordinal and days, and the room they used.

Pure: the records are handed in as takings, one per bill or summed up; the settle path, worked cases and simulations
all place a bill here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from settlement.domain.benefits import OTHER_PLANS, STAY, Benefit, Consumption, PlanFacts, Taking, Term, UsedRoom
from settlement.domain.bills import Care
from settlement.plans.compile import OF_LIFE, OF_UNIT, UNUSED, CompiledPlan
from settlement.plans.facts import nights
from settlement.plans.model import Span
from settlement.plans.model.membership import Stays


@dataclass(frozen=True, slots=True)
class BillKeys:
    """What ties a bill to others: hospital, visit and receipt."""

    hospital: str
    visit: str
    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A bill in its place: facts completed from the records, the unit it belongs to, and the used room it meets."""

    facts: PlanFacts
    unit: str | None
    visit: str | None
    used: Mapping[str, UsedRoom]
    stay: str | None = None
    """The stay, by its name in the records; a unit of receipts or visits is not named by it."""


def place(plan: CompiledPlan, facts: PlanFacts, keys: BillKeys, past: Sequence[Taking]) -> Placed:
    """Place a bill after the takings of a member's earlier live bills, which come in the order of recording."""
    visit = f"{keys.hospital}:{keys.visit}" if plan.unit or plan.counts_stays else None
    unit, stay = visit, None
    if plan.unit is Span.RECEIPT and keys.receipt is not None:
        unit = f"{keys.hospital}:receipt:{keys.receipt}"
    if plan.counts_stays and facts.care != Care.INPATIENT:
        facts = replace(facts, stay_ordinal=0)
    elif plan.counts_stays:
        facts, stay = _in_its_stay(plan, facts, keys, visit or "", past)
        unit = stay if plan.unit in (None, Span.STAY) else unit
    service_date = plan.service_date(facts) or facts.settled_on
    return Placed(facts, unit, visit, _used(plan, plan.terms(service_date, facts), unit, past), stay)


def not_placed(facts: PlanFacts) -> PlanFacts:
    """Take back what the records gave a bill when it was settled, so that another plan can place it anew."""
    return replace(
        facts,
        counted_from=facts.admitted_on if facts.care == Care.INPATIENT else None,
        goes_on=False,
        stay_days_before=0,
        stay_parts_before=0,
        stay_ordinal=None,
    )


def takings(plan: CompiledPlan, placed: Placed, benefits: Sequence[Benefit], keys: BillKeys) -> list[Taking]:
    """Return what a bill took, as the records keep it and later bills meet it."""
    taken = [Taking(code, term, room, placed.unit) for (code, term), room in rooms_taken(benefits).items()]
    stay = _stay_taking(plan, placed, keys)
    return taken if stay is None else [*taken, stay]


def rooms_taken(benefits: Sequence[Benefit]) -> dict[tuple[str, str], UsedRoom]:
    """Return what a bill takes by benefit and term: parts of a split stay may lie in one term of a benefit."""
    rooms: dict[tuple[str, str], UsedRoom] = {}
    for benefit in benefits:
        if benefit.consumption != Consumption():
            key = (benefit.code, benefit.term.code)
            rooms[key] = rooms.get(key, UNUSED).after(benefit.consumption)
    return rooms


def stay_room(plan: CompiledPlan, facts: PlanFacts) -> UsedRoom | None:
    """Return what a bill adds to its stay, nights as days and admissions as times; `None` where stays do not count."""
    if not plan.counts_stays or facts.care != Care.INPATIENT:
        return None
    if facts.counted_from is None or facts.discharged_on is None:
        return None
    return UsedRoom(days=nights(facts), times=0 if facts.goes_on else 1)


def _stay_taking(plan: CompiledPlan, placed: Placed, keys: BillKeys) -> Taking | None:
    """Return what is kept of a bill's stay; the diagnosis only where stays are merged by it. A visit is no stay."""
    facts, rule, room = placed.facts, plan.header.stays, stay_room(plan, placed.facts)
    if room is None:
        return None
    return Taking(
        STAY,
        stay_term(plan, facts),
        room,
        placed.stay,
        placed.visit,
        facts.counted_from,
        facts.discharged_on,
        keys.hospital,
        facts.diagnosis if rule is not None and rule.same == "diagnosis" else None,
    )


def _in_its_stay(
    plan: CompiledPlan, facts: PlanFacts, keys: BillKeys, visit: str, past: Sequence[Taking]
) -> tuple[PlanFacts, str]:
    """Complete the facts about a stay from the stays recorded before, and name the stay."""
    stays = [taking for taking in past if taking.code == STAY]
    same_admission = [taking for taking in stays if taking.visit == visit]
    counted_from = facts.admitted_on
    if same_admission:
        stay = same_admission[-1].unit or visit
        ends = [taking.care_to for taking in same_admission if taking.care_to is not None]
        counted_from = max(ends, default=counted_from)
        if counted_from is not None and facts.discharged_on is not None:
            # Bills of one stay may come in any order: one that ends before another adds no days.
            counted_from = min(counted_from, facts.discharged_on)
    else:
        stay = _merged_with(plan.header.stays, facts, keys, stays) or visit
    of_stay = [taking for taking in stays if taking.unit == stay]
    term = stay_term(plan, facts)
    in_term = list(dict.fromkeys(taking.unit for taking in stays if taking.term == term))
    ordinal = in_term.index(stay) + 1 if stay in in_term else len(in_term) + 1
    completed = replace(
        facts,
        counted_from=counted_from,
        goes_on=bool(same_admission),
        stay_days_before=sum(taking.room.days for taking in of_stay),
        stay_parts_before=sum(taking.room.times for taking in of_stay),
        stay_ordinal=ordinal,
    )
    return completed, stay


def _merged_with(rule: Stays | None, facts: PlanFacts, keys: BillKeys, stays: Sequence[Taking]) -> str | None:
    """Return the earlier stay that a new admission counts to, by the plan's days and what must agree."""
    if rule is None or rule.merge_within_days is None or facts.admitted_on is None:
        return None
    for taking in reversed(stays):
        if taking.care_to is None or taking.care_from is None:
            continue
        near = taking.care_from <= facts.admitted_on <= taking.care_to + timedelta(days=rule.merge_within_days)
        agrees = {
            "diagnosis": facts.diagnosis is not None and taking.diagnosis == facts.diagnosis,
            "hospital": taking.hospital == keys.hospital,
            "any": True,
            "never": False,
        }[rule.same]
        if near and agrees:
            return taking.unit
    return None


def stay_term(plan: CompiledPlan, facts: PlanFacts) -> str:
    """Return the term in which a bill's stay counts: that of the first benefit, whatever terms the others have."""
    terms = plan.terms(plan.service_date(facts) or facts.settled_on, facts)
    return terms[plan.benefit_codes[0]].code


def _used(
    plan: CompiledPlan, terms: Mapping[str, Term], unit: str | None, past: Iterable[Taking]
) -> Mapping[str, UsedRoom]:
    """Sum up what earlier bills took, by benefit and span; a term other than the bill's stands behind `#`."""
    used: dict[str, UsedRoom] = {}
    spans = {ledger.span for ledger in plan.ledger_spans}
    for taking in past:
        if taking.code == STAY:
            continue
        term = terms.get(taking.code)
        if term is None and taking.code != OTHER_PLANS:
            continue
        this_term = term is not None and term.code == taking.term
        if taking.code == OTHER_PLANS:
            this_term = any(each.code == taking.term for each in terms.values())
        _add(used, taking.code if this_term else f"{taking.code}#{taking.term}", taking.room)
        if Span.LIFE in spans:
            _add(used, f"{taking.code}{OF_LIFE}", taking.room)
        if plan.unit is not None and taking.unit is not None and taking.unit == unit:
            _add(used, f"{taking.code}{OF_UNIT}", taking.room)
    return used


def _add(used: dict[str, UsedRoom], key: str, room: UsedRoom) -> None:
    before = used.get(key, UNUSED)
    used[key] = UsedRoom(
        before.base + room.base,
        before.burden + room.burden,
        before.paid + room.paid,
        before.days + room.days,
        before.times + room.times,
        before.deductible + room.deductible,
    )
