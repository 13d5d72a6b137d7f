"""What is made of a plan, as text: the generated source, what a compiled plan asks, how a member's bills are kept."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from datetime import date
from fractions import Fraction
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

from otherwise import BOUNDED, CHOSEN, FAILING, OTHERWISE, STRANGE, Changes, changed_text
from plan_builders import LIBRARY
from pydantic_core import PydanticCustomError
from wrong_plans import SOUND

from settlement.domain.benefits import Benefit, Consumption, PlanFacts, Step, StepKind, Taking, Term, UsedRoom
from settlement.domain.bills import Care
from settlement.domain.cover import CoverSpan
from settlement.domain.money import ZERO, Money
from settlement.plans.bills_of_one_amount import bill_of
from settlement.plans.boundaries import Boundary, boundaries
from settlement.plans.cases import Priced, PricedBill, case_facts, case_keys, failing_cases, price_in_order, run_cases
from settlement.plans.checks.reach import Numbers, Reach, both, is_empty, is_sound, within
from settlement.plans.checks.run import check_plan
from settlement.plans.choices import fits_facts
from settlement.plans.compile import NO_TERM, CompiledPlan, NamedLimit
from settlement.plans.covering import cover_for, day_of_age, days_of_cover, is_covered, of_span, with_cover
from settlement.plans.explain import Explanation, closing, explain
from settlement.plans.explain_base import days_told
from settlement.plans.facts import StayDate
from settlement.plans.findings import PlanRefused
from settlement.plans.generate import generate
from settlement.plans.history import takings
from settlement.plans.model import Between, CaseFacts, Plan, PlanVersion, When, load_plan, read_plan
from settlement.plans.next_yuan import NextYuan
from settlement.plans.reached_facts import reached_facts, with_fact
from settlement.plans.split import Segment, segments_of
from settlement.plans.values import read_points, read_rate, read_yuan, write_points, write_rate
from settlement.plans.vocabulary import AMOUNTS

HERE = Path(__file__).parent
EXTRA = sorted((HERE / "extra").glob("*.yaml"))
GENERATED = ("chongqing", "qinghai", "yunnan")
ASKING = ("avic", "binzhou", "chongqing", "hangzhou", "quanzhou", "shanghai", "xiamen", "yunnan", "zhangzhou")


def sources() -> Iterator[str]:
    """Yield what is generated of plans of every kind, and which lines are otherwise where a plan is."""
    for path in [*(LIBRARY / f"{name}.yaml" for name in GENERATED), *sorted((HERE / "extra").glob("*.yaml"))]:
        for version in read_plan(path).versions:
            yield f"## {path.stem} {version.version}\n{_source(version)}"
    sound = _source(load_plan(SOUND, "plan.yaml").versions[0])
    yield f"## sound\n{sound}"
    for name, changes in OTHERWISE.items():
        (version,) = load_plan(changed_text(changes), "plan.yaml").versions
        yield f"## {name}"
        changed = difflib.unified_diff(sound.splitlines(), _source(version).splitlines(), n=0, lineterm="")
        yield from (line for line in changed if not line.startswith(("---", "+++", "@@")))


def _source(version: PlanVersion) -> str:
    return generate(version).source.replace(version.digest, "<digest>")


def asked() -> Iterator[str]:
    """Yield what each plan says of itself, and which facts it asks for, one after another, of a stay and of a visit."""
    for path in [*(LIBRARY / f"{name}.yaml" for name in ASKING), *EXTRA, HERE / "checks" / "sound.yaml"]:
        plan = read_plan(path)
        for version in plan.versions:
            compiled = CompiledPlan(version)
            yield f"## {path.stem} {version.version} {version.digest}"
            for name in (
                "unit",
                "counts_stays",
                "splits_stays",
                "stated",
                "asks_for_diagnosis",
                "needed_facts",
                "modules",
            ):
                value = getattr(compiled, name)
                yield f"{name}: {sorted(value) if isinstance(value, frozenset) else value}"
            yield f"amounts: {compiled.codes_by_amount} of {compiled.benefit_codes}"
            yield from (str(limit) for limit in compiled.term_limits)
            yield from (str(ledger) for ledger in compiled.ledger_spans)
            for care in ("inpatient", "outpatient"):
                yield f"asks of {care}: {' '.join(_asked_in_turn(compiled, plan, care))}"
            for benefit in version.body.benefits:
                yield f"reached {benefit.code}: {_told(reached_facts(plan, version, compiled, benefit, []))}"


def _asked_in_turn(compiled: CompiledPlan, plan: Plan, care: str) -> Iterator[str]:
    """Yield the facts that are asked for of a bill of which only dates and shares are known."""
    ordinary = case_facts(plan.file.case_facts, CaseFacts())
    shares = dict.fromkeys(compiled.modules, 1) or None
    facts = PlanFacts(care, ordinary.settled_on, None, None, None, None, None, shares=shares, event=None, insured=None)
    known: dict[str, Any] = {"admitted_on": date(2026, 1, 5), "discharged_on": date(2026, 1, 9)}
    known |= {
        "covered_since": date(2020, 1, 1),
        "cover_first_day": date(2026, 1, 1),
        "cover_last_day": date(2026, 12, 31),
    }
    while (missing := compiled.missing_fact(facts)) is not None:
        yield missing
        if missing in compiled.stated:
            facts = replace(facts, stated={**facts.stated, missing: ZERO})
        else:
            facts = replace(facts, **{missing: known.get(missing) or getattr(ordinary, missing) or 1})


UNKNOWN = PlanFacts("", date.min, None, None, None, None, None)


def _told(facts: PlanFacts | None, before: PlanFacts = UNKNOWN) -> str:
    """Write the facts that are otherwise than before; first than in a bill of which nothing is known."""
    if facts is None:
        return "never"
    values = {field.name: getattr(facts, field.name) for field in fields(facts)}
    told = " ".join(f"{name}={value}" for name, value in values.items() if value != getattr(before, name))
    return told.replace("datetime.date", "")


def kept() -> Iterator[str]:
    """Yield, of each worked case of small plans, where its bills were placed, what they took, and how it is told."""
    paths = [*EXTRA, HERE / "checks" / "sound.yaml", HERE / "sheets" / "allsorts.yaml"]
    plans = {path.stem: read_plan(path) for path in paths}
    plans |= {
        name: load_plan(changed_text(OTHERWISE[name]), "plan.yaml") for name in ("own terms", "a limit per share")
    }
    plans["chosen"] = load_plan(changed_text(CHOSEN), "plan.yaml")
    for name, plan in plans.items():
        for case in plan.file.cases:
            yield f"## {name}: {case.name}"
            for number, (bill, priced) in enumerate(zip(case.bills, price_in_order(plan, case.bills), strict=False), 1):
                if isinstance(priced, str):
                    yield priced
                    continue
                placed = priced.placed
                yield f"# {priced.outcome()}"
                stated = case_facts(plan.file.case_facts, bill.facts, bill.amounts)
                yield f"{_told(placed.facts, stated)} unit={placed.unit} visit={placed.visit} stay={placed.stay}"
                yield from (f"used {key}: {_room(room)}" for key, room in placed.used.items())
                keys = case_keys(plan.file.case_facts, bill.facts, number)
                yield from map(_taking, takings(priced.compiled, placed, priced.benefits, keys))
                if priced.benefits:
                    yield from _explained(priced)


def _explained(priced: PricedBill) -> Iterator[str]:
    told = explain(priced.benefits, priced.compiled.limits, priced.next_yuan(), priced.origins())
    for each in told:
        yield from (f"{said.zh} | {said.en}" for said in each.sentences)
    last = closing([each.benefit for each in told], priced.compiled.term_limits)
    yield from (f"{said.zh} | {said.en}" for said in last)


def _taking(taking: Taking) -> str:
    stay = [taking.visit, taking.care_from, taking.care_to, taking.hospital, taking.diagnosis]
    where = " ".join(str(each) for each in stay if each)
    return f"takes {taking.code} {taking.term} {taking.unit}: {_room(taking.room)}; {where}"


def _room(room: UsedRoom | Consumption) -> str:
    values = {field.name: getattr(room, field.name) for field in fields(room)}
    return " ".join(f"{name}={value}" for name, value in values.items() if value)


def said() -> Iterator[str]:
    """Yield every sentence that explains a bill: of each kind of step, of a next yuan, of a whole stay and of parts."""
    (version,) = read_plan(LIBRARY / "hangzhou-separate.yaml").versions
    compiled = CompiledPlan(version)
    code = compiled.benefit_codes[0]
    term = Term("2026", date(2026, 1, 1), date(2026, 12, 31))
    bare = Benefit(code, "甲", term, Money(100), (), UsedRoom(paid=Money(50)), Consumption(base=Money(7)), name_en="A")
    for kind in StepKind:
        for delta in (-30, 0, 30):
            stepped = replace(bare, steps=(Step("条款", kind, Money(delta), "标签"),))
            yield f"## {kind} {delta}"
            yield from _sentences(explain([stepped], {code: Money(120)}))
    for more in (-1, 0, 1):
        yield f"## next yuan {more}"
        yield from _sentences(explain([bare], {}, {code: NextYuan(Money(more))}))
    days = (date(2026, 1, 1), date(2026, 1, 3))
    for name, benefit in {
        "a part of days": replace(bare, days=days),
        "a part of a day": replace(bare, days=(days[0], days[0]), name_en=""),
        "a part refused": replace(bare, days=days, steps=(Step("条款", StepKind.NOT_ELIGIBLE, Money(0), "标签"),)),
        "counted for a person": replace(bare, base=ZERO),
        "no term": replace(bare, term=replace(term, code=f"{NO_TERM}2026-01-01")),
        "another term": replace(bare, term=replace(term, code="2025")),
        "beyond its limit": replace(bare, used_before=UsedRoom(paid=Money(500))),
    }.items():
        yield f"## {name}"
        (told,) = explain([benefit], {code: Money(120)})
        yield from _sentences([told])
        yield f"{told.used_after} {told.remaining} {told.to_json()['remaining']} {told.to_json()['next_yuan']}"
        yield str(told.to_json()["sentences"])
    beside = replace(bare, code="b", steps=(Step("条款", StepKind.NOT_HELD, ZERO, "标签"),))
    yield f"concerned: {[each.benefit.code for each in explain([beside, bare], {})]} of {[beside.code, code]}"
    yield f"none is concerned: {[each.benefit.code for each in explain([beside, beside], {})]}"
    for changes in ((), *(OTHERWISE[name] for name in ("nights", "a day at least"))):
        (changed,) = load_plan(changed_text(changes), "plan.yaml").versions
        rule = next(benefit.per_day for benefit in changed.body.benefits if benefit.per_day)
        for before, now in combinations_with_replacement((0, 2, 3, 4, 5, 29, 30, 31, 40), 2):
            zh, en = days_told(rule, (before, now), Money(700))
            yield f"{before} {now}: {zh} | {en}"
    yield "## all together"
    paid = replace(bare, consumption=Consumption(paid=Money(10)))
    other = replace(paid, code="b", used_before=UsedRoom(paid=Money(5)))
    earlier = replace(other, term=replace(term, code="2025"))
    limits = [
        NamedLimit("alone", "单项", (code,), Money(70)),
        NamedLimit("both", "合计", (code, "b"), Money(70)),
        NamedLimit("far", "他项", ("c", "d"), Money(70)),
        NamedLimit("all", "全部", (code, "b"), Money(70), of_all_plans=True),
    ]
    for benefits in ([paid], [paid, other], [earlier, paid, paid], [paid, replace(other, used_before=UsedRoom())]):
        yield from (f"{each.zh} | {each.en}" for each in closing(benefits, limits))


def _sentences(told: Iterable[Explanation]) -> Iterator[str]:
    yield from (f"{each.zh} | {each.en}" for explanation in told for each in explanation.sentences)


def bills() -> Iterator[str]:
    """Yield what a bill of one amount has, for each amount that a base may add, and which facts a choice asks for."""
    plan = load_plan(SOUND, "plan.yaml")
    facts = replace(case_facts(plan.file.case_facts, CaseFacts()), stated={"bed_excess": ZERO})
    yield f"a visit: {_told(case_facts(plan.file.case_facts, CaseFacts(care=Care.OUTPATIENT)))}"
    for name in (*AMOUNTS, "bed_excess"):
        figures, stated = bill_of(name, 700, facts)
        values = {field.name: getattr(figures, field.name) for field in fields(figures)}
        shown = {key: value for key, value in values.items() if value and key != "funds"}
        funds = {field.name: value for field in fields(figures.funds) if (value := getattr(figures.funds, field.name))}
        yield f"{name}: {shown} {funds} {stated.other_paid} {stated.stated}"
    for name, values in CHANGED.items():
        for value in values:
            for before in (facts, with_fact(facts, "care", "outpatient")):
                yield f"{name} {value}: {_told(with_fact(before, name, value), before)}"


def failed() -> Iterator[str]:
    """Yield what is said of worked cases that do not come out."""
    yield str(Priced({"a": Money(1), "b": Money(200)}, ("a", "c")))
    for name, changes in FAILING.items():
        plan = load_plan(changed_text(changes), "plan.yaml")
        yield f"## {name}"
        for found in failing_cases(plan):
            yield f"{found.id} {found.severity} {found.file}:{found.line} {found.clause}\n{found.zh}\n{found.en}"
        for result in run_cases(plan):
            yield f"{result.name} {result.passed} {result.trouble}: {'; '.join(map(str, result.actual))}"
    try:
        PlanVersion.from_canonical('{"format": 1}')
    except PlanRefused as refused:
        yield str(refused)


WHENS: tuple[tuple[When | None, ...], ...] = (
    ({"age": Between(at_least=50)},),
    ({"age": Between(at_most=20)},),
    ({"age": Between(at_least=61)},),
    ({"age": Between(at_most=30)}, {"age": Between(at_most=40)}, None),
    ({"age": Between(at_least=20)}, {"age": Between(at_least=10)}, None),
    ({"care": ("outpatient",)},),
    ({"hospital_level": (2,)}, None),
    ({"hospital_level": (1, 2)}, {"hospital_level": (2, 3)}),
    ({"hospital_level": (1, 2, 3)}, {"hospital_level": (3,)}),
    ({"hospital_level": (3,)}, None),
    ({"stay_ordinal": Between(at_least=2)},),
    ({"stay_ordinal": Between(at_most=3)},),
    ({"stay_ordinal": Between(at_most=1)}, None),
    ({"insurance_type": ("310",)}, None),
    ({"insurance_type": ("310", "390")}, None),
    ({"sex": ("male",)}, {"sex": ("female",)}),
    ({"diagnosis": ("C34",)}, {"diagnosis": ("C50", "C34")}),
    ({"region": ("x",)}, None),
    ({"days_covered": Between(at_most=119)}, None),
    ({"days_covered": Between(at_most=119)},),
    ({"stay_days": Between(at_least=12)},),
    ({"stay_days": Between(at_most=10)}, None),
    ({"severity": ("mild",)}, None),
    ({"returned": (True,)}, None),
    (None, {"returned": (True,)}),
)


def reached() -> Iterator[str]:
    """Yield the facts of a bill that takes the last of several choices and none before it."""
    plan = load_plan(SOUND, "plan.yaml")
    (version,) = plan.versions
    compiled = CompiledPlan(version)
    for benefit in version.body.benefits:
        ordinary = reached_facts(plan, version, compiled, benefit, [])
        yield f"## {benefit.code}: {_told(ordinary)}"
        for whens in WHENS:
            told = _told(reached_facts(plan, version, compiled, benefit, whens), ordinary or UNKNOWN)
            yield f"{' then '.join(_when(when) for when in whens)}: {told}"


def _when(when: When | None) -> str:
    return "otherwise" if when is None else ", ".join(f"{fact} {wanted}" for fact, wanted in when.items())


CHANGED: dict[str, tuple[Any, ...]] = {
    "care": ("inpatient", "outpatient"),
    "days_covered": (1, 31),
    "stay_days": (1, 10),
    "age": (60,),
}


def found() -> Iterator[str]:
    """Yield what the checks find where a plan is otherwise than the sound one, or strange in several places."""
    for name, changes in {**OTHERWISE, **STRANGE}.items():
        yield f"## {name}"
        try:
            findings = check_plan(load_plan(changed_text(changes), "plan.yaml"))
        except PlanRefused as refused:
            findings = list(refused.findings)
        yield from (f"{each.id} {each.severity} {each.line} [{each.clause}] {each.zh} | {each.en}" for each in findings)


REACHES: tuple[Reach | None, ...] = (
    None,
    frozenset(),
    frozenset({"a", "b"}),
    frozenset({"b", "c"}),
    frozenset({2, 3, 4}),
    frozenset({True, False}),
    Numbers(2, 4),
    Numbers(4, 9),
    Numbers(5, 2),
    Numbers(None, 3),
    Numbers(3, None),
    Numbers(None, None),
)


def reaches() -> Iterator[str]:
    """Yield what two reaches have in common, and whether one lies in the other."""
    for one in REACHES:
        yield f"## {_values(one)}{' is empty' if is_empty(one) else ''}"
        for other in REACHES:
            inside = other is not None and within(one, other)
            yield f"{_values(other)}: {_values(both(one, other))}{' within' if inside else ''}"
    for fact in ("age", "care", "insurance_type", "insured", "unknown"):
        for wanted in (
            (),
            ("inpatient",),
            ("inpatient", "x"),
            (True,),
            Between(at_least=1),
            Between(at_least=2, at_most=1),
        ):
            yield f"{fact} {wanted}: {is_sound(fact, wanted)}"
    words = (("a", "b"), Between(at_least=2), Between(at_most=4), Between(at_least=2, at_most=4), Between())
    for wanted in words:
        fitting = [
            value for value in (None, "a", "c", 1, 2, 4, 5) if fits_facts({"age": wanted}, replace(UNKNOWN, age=value))
        ]
        yield f"{wanted}: {fitting}"


def _values(reach: Reach | None) -> str:
    if reach is None or isinstance(reach, Numbers):
        return "anything" if reach is None else f"{reach.low} to {reach.high}"
    return f"one of {sorted(map(str, reach))}"


def bounds() -> Iterator[str]:
    """Yield which boundary cases are otherwise where the sound plan is."""
    sound = [_row(each) for each in boundaries(load_plan(SOUND, "plan.yaml"))]
    for name in BOUNDED:
        yield f"## {name}"
        rows = [_row(each) for each in boundaries(load_plan(changed_text(OTHERWISE[name]), "plan.yaml"))]
        changed = difflib.unified_diff(sound, rows, n=0, lineterm="")
        yield from (line for line in changed if not line.startswith(("---", "+++", "@@")))


def _row(each: Boundary) -> str:
    given = " ".join(f"{name}={value}" for name, value in each.given.items())
    return f"{each.version} {each.benefit} {each.bound} [{each.clause}] {given}: {each.base} {each.aid}"


COVERS: tuple[tuple[tuple[date, date], ...] | None, ...] = (
    None,
    (),
    ((date(2025, 1, 1), date(2025, 12, 31)),),
    ((date(2026, 1, 1), date(2026, 12, 31)),),
    ((date(2025, 1, 1), date(2025, 12, 22)), (date(2026, 1, 3), date(2026, 12, 31))),
    ((date(2025, 12, 22), date(2026, 1, 3)),),
)


def _stays() -> dict[str, PlanFacts]:
    came, left = date(2025, 12, 20), date(2026, 1, 4)
    stay = replace(UNKNOWN, care="inpatient", settled_on=left, admitted_on=came, discharged_on=left, counted_from=came)
    second = replace(stay, counted_from=date(2025, 12, 29), goes_on=True, stay_days_before=9, stay_parts_before=1)
    return {
        "a whole stay": stay,
        "a second bill": second,
        "two days": replace(stay, counted_from=date(2025, 12, 31), discharged_on=date(2026, 1, 1)),
        "three years": replace(stay, discharged_on=date(2027, 1, 1)),
        "one year": replace(stay, discharged_on=date(2025, 12, 31)),
        "a visit": replace(stay, care="outpatient"),
        "an event": replace(stay, event_on=left),
        "no discharge": replace(stay, discharged_on=None),
    }


def parts() -> Iterator[str]:
    """Yield the parts of stays over the turn of a year, by what is known of cover, plan and earlier bills."""
    body = load_plan(SOUND, "plan.yaml").versions[0].body
    for name, facts in _stays().items():
        for stay_date in STAY_DATES:
            for covers in COVERS:
                for since in (None, date(2026, 1, 1)):
                    yield f"## {name} {stay_date} {_days(covers)} since={since}"
                    yield from map(_part, segments_of(body, stay_date, replace(facts, covers=covers, plan_since=since)))


SPANS: tuple[tuple[CoverSpan, ...], ...] = tuple(
    tuple(CoverSpan(date.fromisoformat(first), date.fromisoformat(last), category) for first, last, category in spans)
    for spans in (
        (),
        (("2025-01-01", "2025-12-31", "active"), ("2026-01-01", "2026-12-31", "retired")),
        (("2025-01-01", "2025-12-22", "active"), ("2025-12-25", "2025-12-30", "")),
        (("2022-01-01", "2022-12-31", "active"), ("2024-01-01", "2026-02-01", "retired")),
        tuple((f"{year}-01-01", f"{year}-12-31", "active") for year in range(2021, 2027)),
    )
)
PROVISIONAL = '  provisional: {until: "02-28", aid: to_card, unconfirmed_borne_by: fund, clause: 换期}\n'
RENEWED = (CoverSpan(date(2025, 1, 1), date(2025, 12, 31), "active", renews_from=date(2026, 1, 1)),)
COVERED: dict[str, Changes] = {
    "sound": (),
    "by admission": (("stay_date: discharge", "stay_date: admission"),),
    "whole stays": OTHERWISE["whole stays"],
    "at the start of the term": (("  continuity:", "  category_on: term_start\n  age_on: term_start\n  continuity:"),),
    "no grace": (("  continuity: {grace_days: 10, clause: 连续参加}\n", ""),),
    "nothing provisional": (
        ('  provisional: {until: "02-28", aid: to_card, unconfirmed_borne_by: fund, clause: 换期}\n', ""),
    ),
}


def covers() -> Iterator[str]:
    """Yield on which days a bill may be covered, and what follows of its facts, by the spans of a member's cover."""
    roster = CoverSpan(date(2026, 1, 1), date(2026, 12, 31), "active", {"main": 2}, True, "factory", "north")
    yield f"of the roster: {_told(of_span(UNKNOWN, roster))}"
    for name, changes in COVERED.items():
        compiled = CompiledPlan(load_plan(changed_text(changes), "plan.yaml").versions[0])
        for kind in ("a whole stay", "a second bill", "a visit", "an event"):
            facts = _stays()[kind]
            for spans in (*SPANS, RENEWED):
                days = days_of_cover(compiled, facts, spans)
                yield f"## {name}, {kind}, {' '.join(f'{span.first_day}/{span.last_day}' for span in spans)}"
                for day in days:
                    cover = cover_for(spans, compiled.header, day)
                    if cover is None:
                        yield f"{day}: not covered"
                        continue
                    covered = with_cover(compiled, facts, cover, spans)
                    ours = is_covered(compiled, covered, cover)
                    age = day_of_age(compiled, covered)
                    told = _told(replace(covered, covers=None), facts)
                    yield f"{day}: {told} ours={ours} provisional={cover.provisional} age on {age}"


STAY_DATES: tuple[StayDate, ...] = ("discharge", "admission")


def _days(covers: tuple[tuple[date, date], ...] | None) -> str:
    return "unasked" if covers is None else " ".join(f"{first}/{last}" for first, last in covers)


def _part(part: Segment) -> str:
    facts = part.facts
    before = f"{facts.stay_days_before}+{facts.stay_parts_before} {facts.goes_on}"
    nights = f"{facts.night_before:d}{facts.night_after:d}"
    days = f"{facts.counted_from} to {facts.discharged_on}"
    why = f"{part.is_paid:d}{part.is_before_plan:d}{part.is_not_covered:d}"
    return f"{part.first_day} {part.day} {part.own_date} {tuple(part.share)} {days} {before} {nights} {why}"


GIVEN = (
    *(0, 1000, "1000.5", "1000.50", "-0.01", "1000.505", "1,000", 10.5, True, None, [1], Money(7)),
    *("nothing", "20%", "62.5%", "-5%", "0%", "100%", "33.333333%", "1.1234567%", "20", Fraction(1, 3), ["20%"]),
    *("+5", "-10", "0.25", "+0.25001", "+1000", 5, Fraction(-1, 200)),
)


def values() -> Iterator[str]:
    """Yield how amounts, rates and points are read and written, and what is said of what is none."""
    for read, write in ((read_yuan, Money.yuan), (read_rate, write_rate), (read_points, write_points)):
        for given in GIVEN:
            try:
                value: Any = read(given)
                told = f"{value!r} {write(value)}"
            except PydanticCustomError as error:
                context = error.context or {}
                told = f"{error.type}: {context.get('zh')} | {context.get('en')} | {error.message()}"
            yield f"{read.__name__} {given!r}: {told}"


SHOWN_MADE: dict[str, Callable[[], Iterator[str]]] = {
    "sources.txt": sources,
    "asked.txt": asked,
    "kept.txt": kept,
    "said.txt": said,
    "bills.txt": bills,
    "failed.txt": failed,
    "reaches.txt": reaches,
    "found.txt": found,
    "values.txt": values,
    "bounds.txt": bounds,
    "parts.txt": parts,
    "reached.txt": reached,
    "covers.txt": covers,
}
