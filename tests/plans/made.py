"""What is made of a plan, as text: the generated source, what a compiled plan asks, how a member's bills are kept.

`shown.py` says how it is written anew.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

from plan_builders import LIBRARY
from pydantic_core import PydanticCustomError
from wrong_plans import (
    BURDEN_LIMIT,
    BY_PARTS,
    DEDUCTIBLE,
    HIGH,
    LOW,
    MINIMUM,
    MODIFIERS,
    RATE,
    SOUND,
    STAY_LIMIT,
    STEP_1,
    STEP_2,
    STEP_3,
    TERM_LIMIT,
    WHOLE,
    WRONG,
)

from settlement.domain.benefits import Benefit, Consumption, PlanFacts, Step, StepKind, Taking, Term, UsedRoom
from settlement.domain.money import ZERO, Money
from settlement.plans.bills_of_one_amount import bill_of
from settlement.plans.boundaries import Boundary, boundaries
from settlement.plans.cases import PricedBill, case_facts, case_keys, failing_cases, price_in_order, run_cases
from settlement.plans.checks.reach import Numbers, Reach, both, is_empty, is_sound, within
from settlement.plans.checks.run import check_plan
from settlement.plans.choices import fits_facts
from settlement.plans.compile import NO_TERM, CompiledPlan, NamedLimit
from settlement.plans.explain import Explanation, closing, explain
from settlement.plans.facts import StayDate
from settlement.plans.findings import PlanRefused
from settlement.plans.generate import generate
from settlement.plans.history import takings
from settlement.plans.model import Between, CaseFacts, Plan, PlanVersion, load_plan, read_plan
from settlement.plans.next_yuan import NextYuan
from settlement.plans.reached_facts import reached_facts, with_fact
from settlement.plans.split import Segment, segments_of
from settlement.plans.values import read_points, read_rate, read_yuan, write_points, write_rate
from settlement.plans.vocabulary import AMOUNTS

HERE = Path(__file__).parent
EXTRA = sorted((HERE / "extra").glob("*.yaml"))
GENERATED = ("chongqing", "qinghai", "yunnan")
ASKING = ("avic", "binzhou", "chongqing", "hangzhou", "quanzhou", "shanghai", "xiamen", "yunnan", "zhangzhou")
OTHERWISE: dict[str, tuple[tuple[str, str], ...]] = {
    "all plans": (("of: all, over: life", "of: all_plans, over: term"),),
    "limits of each bill": (("over: life, amount: 600000", "over: settlement, amount: 600000"),),
    "no account money": (
        ("account_money: {counts_as: burden, clause: 个人", "account_money: {counts_as: not_burden, clause: 个人"),
        ("  family_account_money: {counts_as: burden, clause: 家庭共济}\n", ""),
    ),
    "account money of relatives alone": (
        ("account_money: {counts_as: burden, clause: 个人", "account_money: {counts_as: not_burden, clause: 个人"),
    ),
    "no account money of relatives": (
        ("family_account_money: {counts_as: burden", "family_account_money: {counts_as: not_burden"),
    ),
    "whole stays": (("  spanning: {split: by_days, clause: 跨期}\n", ""),),
    "nights": (("both_days", "nights"), ("minimum_stay: 5", "minimum_stay: 1"), ("from_day: 4", "from_day: 1")),
    "a day at least": (
        ("both_days", "nights_at_least_one"),
        ("            - {from_day: 31, amount: 20, clause: 后段津贴}\n", ""),
        ("per_share: true\n          clause: 按日", "clause: 按日"),
    ),
    "half even, each band, jiao": (("half_up, place: bands_total", "half_even, place: each_band, step: jiao"),),
    "down, each band without modifiers": (("half_up, place: bands_total", "down, place: each_band"), (MODIFIERS, "")),
    "up, yuan": (("half_up, place: bands_total", "up, place: bands_total, step: yuan"),),
    "progressive": ((MODIFIERS, ""),),
    "whole": (
        (BY_PARTS, WHOLE),
        (STEP_2, "{above: 5000, up_to: 10000, pays: 3000, clause: 二段}"),
        (STEP_1, "{up_to: 5000, rate: nothing, clause: 一段}"),
    ),
    "whole without modifiers": ((BY_PARTS, WHOLE), (MODIFIERS, "")),
    "other modifiers": (
        (
            '{add: "+1", per: consecutive_terms, beyond: 1, at_most: "+10", clause: 连续加成}',
            '{add: "-0.5", per: stay_ordinal, beyond: 2, at_most: "-3", when: {sex: [male]}, clause: 多次}',
        ),
        (
            RATE,
            RATE.replace("clause", 'modifiers: [{add: "+0.25", per: days_covered, beyond: 0, clause: 每日}], clause'),
        ),
    ),
    "choices of rates": (
        (
            RATE,
            '          - rule: rate\n            rate:\n              - {when: {age: {at_least: 50}}, value: "99.5%"}\n'
            '              - {when: {sex: [male, female], age: {at_most: 20}}, value: "90%"}\n'
            '              - {value: "80%"}\n            clause: 按年龄\n',
        ),
    ),
    "a choice that fits nobody": (
        ("              - bands:\n", "              - when: {sex: [male]}\n                bands:\n"),
    ),
    "franchises and minimums": (
        (DEDUCTIBLE, DEDUCTIBLE + "          - {rule: franchise, amount: 500, reached: above, clause: 超过}\n"),
        (BURDEN_LIMIT, MINIMUM + BURDEN_LIMIT),
    ),
    "franchises that are reached": (
        (DEDUCTIBLE, "          - {rule: franchise, amount: 500, reached: at, clause: 达到}\n"),
        ("over: term, clause: 按年累计", "over: settlement, clause: 每单"),
    ),
    "deductibles of each bill": (("once_per: stay", "once_per: settlement"),),
    "times of each unit": (("over: term, times: 2", "over: stay, times: 2"),),
    "beside": (
        (
            "{rule: not_beside, benefits: [illness], over: life",
            "{rule: only_beside, benefits: [first, expense], over: term",
        ),
        ("{rule: less_paid, by: [allowance], over: term", "{rule: less_paid, by: [first, allowance], over: settlement"),
        ("          upgrade: true\n", ""),
    ),
    "nothing stands beside": (
        (
            "{rule: not_beside, benefits: [illness], over: life",
            "{rule: not_beside, benefits: [illness], over: settlement",
        ),
    ),
    "a limit per share": (
        ("days: 60, clause: 限 60 天}", "amount: 700, per_share: true, clause: 每份}"),
        ("per_share: true\n          upgrade: true", "upgrade: true"),
    ),
    "own terms": (
        ("term: {kind: calendar_year, clause: 年度}", "term: {kind: own_cover, clause: 保障期}"),
        ("days: 30, waived_for_accidents: true", "days: 30"),
    ),
    "a person decides each": (
        ("threshold: 15000, ", ""),
        ("over: term, clause: 救助累计", "over: settlement, clause: 每单"),
    ),
    "conditions of some": (
        (
            "{fact: age, at_least: 16, at_most: 60, ",
            "{fact: age, at_most: 60, when: {sex: [male], stay_days: {at_least: 3}}, ",
        ),
        ("{fact: insurance_type, one_of: ", "{fact: insurance_type, when: {place: [local]}, one_of: "),
    ),
}
"""What is changed in the sound plan, to see what else is generated."""


def sources() -> Iterator[str]:
    """Yield what is generated of plans of every kind, and which lines are otherwise where a plan is."""
    for path in [*(LIBRARY / f"{name}.yaml" for name in GENERATED), *sorted((HERE / "extra").glob("*.yaml"))]:
        for version in read_plan(path).versions:
            yield f"## {path.stem} {version.version}\n{_source(version)}"
    sound = _source(load_plan(SOUND, "plan.yaml").versions[0])
    yield f"## sound\n{sound}"
    for name, changes in OTHERWISE.items():
        (version,) = load_plan(_changed(changes), "plan.yaml").versions
        yield f"## {name}"
        changed = difflib.unified_diff(sound.splitlines(), _source(version).splitlines(), n=0, lineterm="")
        yield from (line for line in changed if not line.startswith(("---", "+++", "@@")))


def _changed(changes: Iterable[tuple[str, str]]) -> str:
    text = SOUND
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return text


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
    for path in [*EXTRA, HERE / "checks" / "sound.yaml", HERE / "sheets" / "allsorts.yaml"]:
        plan = read_plan(path)
        for case in plan.file.cases:
            yield f"## {path.stem}: {case.name}"
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
    beside = replace(bare, code="b", steps=(Step("条款", StepKind.NOT_HELD, ZERO, "标签"),))
    yield f"concerned: {[each.benefit.code for each in explain([beside, bare], {})]} of {[beside.code, code]}"
    yield f"none is concerned: {[each.benefit.code for each in explain([beside, beside], {})]}"
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


FAILING: dict[str, tuple[tuple[str, str], ...]] = {
    "none": (),
    "other aid": (('first: "300.00", expense', 'first: "301.00", expense'), ("{illness: 6000}", "{first: 0}")),
    "a person is not asked": ((", asks: [relief]", ""),),
    "nobody is paid": (("pays: {expense: 8000}", "missing: age"), ("illness: 6000", "illness: 6001")),
    "a fact is missing": (("  age: 30\n", ""),),
    "not covered": (("last_day: 2026-12-31}]\ncases", "last_day: 2025-02-01}]\ncases"),),
    "no version": (("effective_from: 2020-01-01", "effective_from: 2026-03-11"),),
}
"""What is changed in the sound plan so that its worked cases come out otherwise."""


def failed() -> Iterator[str]:
    """Yield what is said of worked cases that do not come out."""
    for name, changes in FAILING.items():
        plan = load_plan(_changed(changes), "plan.yaml")
        yield f"## {name}"
        for found in failing_cases(plan):
            yield f"{found.id} {found.severity} {found.file}:{found.line} {found.clause}\n{found.zh}\n{found.en}"
        for result in run_cases(plan):
            yield f"{result.name} {result.passed} {result.trouble}: {'; '.join(map(str, result.actual))}"


CHANGED: dict[str, tuple[Any, ...]] = {
    "care": ("inpatient", "outpatient"),
    "days_covered": (1, 31),
    "stay_days": (1, 10),
    "age": (60,),
}


TOGETHER = WRONG["burdens_together"].changes
STRANGE: dict[str, tuple[tuple[str, str], ...]] = {
    "amounts of nothing": (
        (BY_PARTS, WHOLE),
        ("amount: 200, once", "amount: 0, once"),
        ("value: 300}", "value: 0}"),
        ("value: 150}", 'value: "-0.01"}'),
        ("up_to: 5000,", 'up_to: "-1",'),
        ("above: 5000, up_to: 10000", 'above: "-1", up_to: "-1"'),
        ("below: 5000", 'below: "-2"'),
        ('{from: 5000, rate: "40%"', '{from: "-2", pays: "-3"'),
        ("amount: 40, ", "amount: 0, "),
        ("amount: 20, ", 'amount: "-1", '),
        ("value: 3000}", 'value: "-1"}'),
        ("threshold: 15000", "threshold: 0"),
        ("amount: 20000, clause: 年度", "amount: 0, clause: 年度"),
        ("amount: 8000, clause: 每次", 'amount: "-1", clause: 每次'),
        ("amount: 600000", "amount: 0"),
    ),
    "edges of whole bands": (
        (BY_PARTS, WHOLE),
        (STEP_2, '{above: 5000, up_to: 10000, rate: "40.019%", clause: 不到一元}'),
        (STEP_3, '{above: 10000, pays: "4002.91", clause: 多于一元}'),
        (
            HIGH,
            '{from: 5000, up_to: 6000, pays: "1499.99", clause: 同}\n'
            '                  - {above: 6000, pays: "1499.97", clause: 降}',
        ),
    ),
    "a limit that the first band uses up": (
        (MODIFIERS, ""),
        (RATE, ""),
        (TERM_LIMIT, TERM_LIMIT.replace("20000", "2000")),
    ),
    "a limit that two bands use up": ((MODIFIERS, ""), (RATE, ""), (TERM_LIMIT, TERM_LIMIT.replace("20000", "4500"))),
    "a limit that no band uses up": (
        (MODIFIERS, ""),
        (RATE, ""),
        (TERM_LIMIT, TERM_LIMIT.replace("20000", '"4500.01"')),
    ),
    "a limit of stays": ((MODIFIERS, ""), (RATE, ""), (STAY_LIMIT, STAY_LIMIT.replace("8000", "2000"))),
    "a rate behind the bands": ((MODIFIERS, ""), (TERM_LIMIT, TERM_LIMIT.replace("20000", "2000"))),
    "limits twice": (
        (TERM_LIMIT, TERM_LIMIT + STAY_LIMIT.replace("over: stay", "over: term")),
        (DEDUCTIBLE, DEDUCTIBLE + DEDUCTIBLE.replace("once_per: stay", "once_per: term")),
        (BURDEN_LIMIT, MINIMUM + BURDEN_LIMIT + BURDEN_LIMIT + MINIMUM),
        (RATE, RATE + RATE),
    ),
    "burdens of different bills": (
        *TOGETHER,
        ("care, one_of: [inpatient], clause: 住院费用", "care, one_of: [outpatient], clause: 住院费用"),
    ),
    "points beyond the whole": (
        ('at_most: "+10"', 'at_most: "+35"'),
        ('add: "-10"', 'add: "-30"'),
        (RATE, RATE.replace("clause", 'modifiers: [{add: "+11", when: {sex: [male]}, clause: 男}], clause')),
    ),
    "points up to the whole": (
        (RATE, RATE.replace("clause", 'modifiers: [{add: "+10", when: {sex: [male]}, clause: 男}], clause')),
    ),
    "names that nobody knows": (
        ("minus: [insurer_paid, other_paid, bed_excess, aid.first]", "minus: [insurer_pay, aid.frist, bed_exces]"),
        ("plus: [patient_share], minus: [aid.first]", "plus: [patient_share, billed], minus: [aid.illness]"),
        ("per: consecutive_terms", "per: consecutive_term"),
        ("benefits: [illness]", "benefits: [ilness, relief]"),
        ("of: [first, expense]", "of: [first, expenses]"),
        ("severity: [mild]}, value", "severity: [mild, grave]}, value"),
        ("module: critical\n        conditions: [{fact: event", "module: critcal\n        conditions: [{fact: evnt"),
        ("funding: [{purse: county}]", "funding: [{purse: country}]"),
        ("hospital_level: [3], stay_ordinal: {at_most: 1}", "hospital_level: [3, 5], stay_ordinal: [1]"),
    ),
    "tests that hold for nobody": (
        (
            "hospital_level: [3], stay_ordinal: {at_most: 1}",
            "care: [outpatient], stay_ordinal: {at_least: 3, at_most: 2}",
        ),
        ("days_covered: {at_most: 119}", "age: {at_least: 61}"),
        ("returned: [true]", 'insurance_type: ["330"], age: {at_most: 15}'),
    ),
    "tests that hold for everybody": (
        ("days_covered: {at_most: 119}", "age: {at_least: 16, at_most: 60}"),
        ('insurance_type: ["310"]}\n', 'insurance_type: ["310", "390"]}\n'),
        ("hospital_level: [3]}, value: 150", "care: [inpatient]}, value: 150"),
    ),
    "cases of other days": (
        ("{facts: {care: outpatient, event", "{facts: {care: outpatient, settled_on: 2030-01-01, event"),
        ("pays: {first: ", "missing: agee, pays: {frist: "),
        ("shares: {main: 1}}, pays", "shares: {mian: 1}, hospital_level: 7, sex: man}, pays"),
        ("asks: [relief]", "asks: [releif]"),
        ("amounts: {allowed: 99000}", "amounts: {allowed: 99000, account_paid: 99001, stated: {bed: 1}}"),
    ),
    "bands in disorder": (
        (STEP_1, '{up_to: 5000, below: 6000, rate: "40%", clause: 一段}'),
        (STEP_2, "{above: 4000, clause: 二段}"),
        (LOW, '{below: 5000, pays: 1, rate: "30%", clause: 甲段}'),
        (HIGH, '{above: 5000, rate: "40%", clause: 乙段}'),
        ("from_day: 4, to_day: 30", "from_day: 4, to_day: 31"),
        ("from_day: 31, amount: 20", "from_day: 31, to_day: 29, amount: 20"),
    ),
}
"""What is changed in the sound plan, several things at once, to see what is found side by side."""


def found() -> Iterator[str]:
    """Yield what the checks find where a plan is otherwise than the sound one, or strange in several places."""
    for name, changes in {**OTHERWISE, **STRANGE}.items():
        yield f"## {name}"
        try:
            findings = check_plan(load_plan(_changed(changes), "plan.yaml"))
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


BOUNDED = (
    "nights",
    "a day at least",
    "whole",
    "choices of rates",
    "franchises and minimums",
    "franchises that are reached",
    "deductibles of each bill",
    "a limit per share",
    "own terms",
    "conditions of some",
)


def bounds() -> Iterator[str]:
    """Yield which boundary cases are otherwise where the sound plan is."""
    sound = [_row(each) for each in boundaries(load_plan(SOUND, "plan.yaml"))]
    for name in BOUNDED:
        yield f"## {name}"
        rows = [_row(each) for each in boundaries(load_plan(_changed(OTHERWISE[name]), "plan.yaml"))]
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


def parts() -> Iterator[str]:
    """Yield the parts of stays over the turn of a year, by what is known of cover, plan and earlier bills."""
    body = load_plan(SOUND, "plan.yaml").versions[0].body
    came, left = date(2025, 12, 20), date(2026, 1, 4)
    stay = replace(UNKNOWN, care="inpatient", settled_on=left, admitted_on=came, discharged_on=left, counted_from=came)
    second = replace(stay, counted_from=date(2025, 12, 29), goes_on=True, stay_days_before=9, stay_parts_before=1)
    stays = {
        "a whole stay": stay,
        "a second bill": second,
        "two days": replace(stay, counted_from=date(2025, 12, 31), discharged_on=date(2026, 1, 1)),
        "three years": replace(stay, discharged_on=date(2027, 1, 1)),
        "one year": replace(stay, discharged_on=date(2025, 12, 31)),
        "a visit": replace(stay, care="outpatient"),
        "an event": replace(stay, event_on=left),
        "no discharge": replace(stay, discharged_on=None),
    }
    for name, facts in stays.items():
        for stay_date in STAY_DATES:
            for covers in COVERS:
                for since in (None, date(2026, 1, 1)):
                    yield f"## {name} {stay_date} {_days(covers)} since={since}"
                    yield from map(_part, segments_of(body, stay_date, replace(facts, covers=covers, plan_since=since)))


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


MADE: dict[str, Callable[[], Iterator[str]]] = {
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
}
