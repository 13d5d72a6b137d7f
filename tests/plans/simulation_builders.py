"""Plans of many shapes, members with strange histories, and rows of files for the tests of simulations."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import strategies as st
from plan_builders import HANGZHOU_FILE, a_bill

from settlement.domain.benefits import PlanFacts
from settlement.domain.money import ZERO
from settlement.plans.history import BillKeys
from settlement.plans.model import PlanVersion, load_plan, read_plan
from settlement.plans.simulation.bills import SimulatedBill

_HEAD = """
format: 1
plan:
  code: shapes
  names: {zh: 样例, en: Shapes}
  source: 样例
  stay_date: discharge
  covers:
    - {fact: insurance_type, one_of: ["310"], clause: c, label: l}
  rounding: {mode: half_up, place: bands_total, clause: c}
  account_money: {counts_as: burden, clause: c}
  family_account_money: {counts_as: burden, clause: c}
  other_payers: {place: after, later_payer: propose, clause: c}
  earlier_changes: {effect: propose, clause: c}
  corrections: {place: kept, clause: c}
  overpayment: {recovery: by_person, clause: c}
"""
_INPATIENT = """
      - code: inpatient
        names: {zh: 住院, en: Inpatient}
        conditions: [{fact: care, one_of: [inpatient], clause: c, label: l}]
        base: {plus: [allowed], minus: [insurer_paid, provider_absorbed], clause: c}
        burden: {plus: [patient_share], clause: c}
"""
_CALENDAR = "{kind: calendar_year, clause: c}"


def _rules(*rules: str) -> str:
    return "        rules:\n" + "".join(f"          - {rule}\n" for rule in rules)


def _versions(benefits: str, more: str = "") -> str:
    return f'versions:\n  - version: "1"\n    effective_from: 2018-01-01\n    clause: c\n{more}    benefits:{benefits}'


_CASE_FACTS = """
case_facts:
  care: inpatient
  settled_on: 2026-03-10
  admitted_on: 2026-03-01
  discharged_on: 2026-03-10
  insurance_type: "310"
  person_category: active
cases: [{name: 无, bills: [{amounts: {allowed: 0}, pays: {}}]}]
"""

SHAPES = {
    "stays_split_merged_and_counted": _HEAD
    + "  spanning: {split: by_days, clause: c}\n  stays: {merge_within_days: 9, same: any, clause: c}\n"
    + _versions(
        _INPATIENT
        + f"        term: {_CALENDAR}\n        accumulation: {{over: stay, clause: c}}\n"
        + _rules(
            "{rule: deductible, amount: [{when: {stay_ordinal: {at_least: 2}}, value: 150}, {value: 300}],"
            " once_per: stay, clause: c}",
            '{rule: rate, rate: "61.7%", clause: c}',
            "{rule: burden_limit, clause: c}",
            "{rule: term_limit, amount: 9000, clause: c}",
            "{rule: limit, over: term, times: 3, clause: c}",
        )
        + f"""
      - code: allowance
        names: {{zh: 津贴, en: Allowance}}
        conditions: [{{fact: care, one_of: [inpatient], clause: c, label: l}}]
        per_day: {{counting: both_days, days: [{{from_day: 2, amount: 100, clause: c}}], clause: c}}
        burden: {{plus: [patient_share], clause: c}}
        term: {_CALENDAR}
        accumulation: {{over: settlement, clause: c}}
"""
        + _rules("{rule: limit, over: term, days: 12, clause: c}", "{rule: limit, over: life, amount: 2500, clause: c}")
    ),
    "parts_of_one_settlement": _HEAD
    + "  spanning: {split: by_days, clause: c}\n"
    + _versions(
        _INPATIENT
        + f"        term: {_CALENDAR}\n        accumulation: {{over: settlement, clause: c}}\n"
        + _rules(
            "{rule: deductible, amount: 300, once_per: settlement, clause: c}",
            '{rule: rate, rate: "61.7%", clause: c}',
            "{rule: minimum, amount: 100, clause: c}",
            "{rule: limit, over: settlement, amount: 3000, clause: c}",
            "{rule: term_limit, amount: 9000, clause: c}",
        )
    )
    + "    limits: [{code: cap, names: {zh: 合计, en: Cap}, of: all, over: settlement, amount: 2500, clause: c}]\n",
    "benefits_of_two_terms": _HEAD
    + _versions(
        _INPATIENT
        + f"        term: {_CALENDAR}\n        accumulation: {{over: term, clause: c}}\n"
        + _rules('{rule: rate, rate: "50%", clause: c}', "{rule: term_limit, amount: 3000, clause: c}")
        + """
      - code: visit
        names: {zh: 门诊, en: Visit}
        base: {plus: [patient_share], clause: c}
        burden: {plus: [patient_share], clause: c}
        term: {kind: year_from, starts: "07-01", clause: c}
        accumulation: {over: term, clause: c}
"""
        + _rules('{rule: rate, rate: "10%", clause: c}', "{rule: term_limit, amount: 400, clause: c}")
    ),
    "receipts_and_a_group_limit": _HEAD
    + _versions(
        _INPATIENT
        + f"        term: {_CALENDAR}\n        accumulation: {{over: receipt, clause: c}}\n"
        + _rules(
            "{rule: deductible, amount: 200, once_per: receipt, clause: c}",
            '{rule: rate, rate: "33.35%", clause: c}',
            "{rule: burden_limit, clause: c}",
            "{rule: limit, over: term, times: 2, clause: c}",
        )
        + f"""
      - code: rest
        names: {{zh: 其余, en: Rest}}
        base: {{plus: [patient_share], minus: [aid.inpatient], clause: c}}
        burden: {{plus: [patient_share], clause: c}}
        term: {_CALENDAR}
        accumulation: {{over: settlement, clause: c}}
"""
        + _rules('{rule: rate, rate: "5%", clause: c}', "{rule: burden_limit, clause: c}")
    )
    + "    limits: [{code: cap, names: {zh: 合计, en: Cap}, of: all, over: term, amount: 2500, clause: c}]\n",
}


def a_shape(name: str) -> PlanVersion:
    """Return the version of a plan of one shape."""
    return load_plan(SHAPES[name] + _CASE_FACTS, name).versions[0]


def hangzhou() -> PlanVersion:
    """Return the newest version of the published plan."""
    return read_plan(HANGZHOU_FILE).versions[-1]


def a_visit_or_stay(
    number: int, settled_on: date, nights: int | None, allowed: int, insurer_paid: int
) -> SimulatedBill:
    """Return a bill: a visit without nights, else a stay that ended on the day of settlement."""
    stay = nights is not None
    facts = PlanFacts(
        care="inpatient" if stay else "outpatient",
        settled_on=settled_on,
        admitted_on=settled_on - timedelta(days=nights) if nights is not None else None,
        discharged_on=settled_on if stay else None,
        hospital_level=3,
        insurance_type="310",
        person_category="active",
        setting="inpatient" if stay else "outpatient",
        age=45,
        sex="female",
        covered_since=date(2020, 1, 1),
        cover_first_day=date(2020, 1, 1),
        cover_last_day=date(2030, 12, 31),
    )
    if stay:
        facts = replace(facts, counted_from=facts.admitted_on)
    figures = a_bill(allowed=allowed, insurer_paid=min(insurer_paid, allowed))
    return SimulatedBill(number, str(number), figures, facts, BillKeys("H", f"V{number}"))


@st.composite
def members(draw: st.DrawFn) -> list[SimulatedBill]:
    """One member's bills over two years: late ones, mid-settlements, shared receipts, other levels, other payers."""
    bills: list[SimulatedBill] = []
    for number in range(draw(st.integers(1, 9))):
        day = date(2025, 1, 1) + timedelta(
            days=draw(st.sampled_from((0, 180, 181, 364, 365, 370)) | st.integers(0, 729))
        )
        nights = draw(st.none() | st.integers(0, 40))
        amounts = st.sampled_from((0, 1, 50_000, 1_000_000)) | st.integers(0, 3_000_000)
        bill = a_visit_or_stay(number, day, nights, draw(amounts), draw(amounts))
        visit = draw(st.sampled_from(("A", "B", f"V{number}")))
        receipt = draw(st.sampled_from((None, "R1", "R2")))
        level = draw(st.sampled_from((3, 3, 2, 1)))
        other = draw(st.sampled_from((0, 0, 700)))
        facts = replace(bill.facts, hospital_level=level, other_paid=ZERO + other)
        bills.append(replace(bill, facts=facts, keys=BillKeys("H", visit, receipt)))
    return bills


def fitted(version: PlanVersion, bills: list[SimulatedBill]) -> list[SimulatedBill]:
    """Return bills with what a plan may ask besides: modules held, stated amounts, and on every third bill an event."""
    shares = {module.code: 1 + place % module.shares_at_most for place, module in enumerate(version.body.modules)}
    stated = {each.code: ZERO + 5_000 for each in version.header.stated}
    known = {
        "shares": shares or None,
        "stated": stated,
        "place": "local",
        "diagnosis": "C50",
        "hospital_category": "general",
        "region": "a",
        "unit_class": "public",
        "union_member": True,
        "consecutive_terms": 2,
        "returned": False,
        "severity": "none",
    }
    fitted = []
    for bill in bills:
        facts = replace(bill.facts, **known)  # type: ignore[arg-type]
        if version.header.events and bill.number % 3 == 2:
            event = version.header.events[bill.number % len(version.header.events)]
            severity = next(iter(event.severities), "none")
            facts = replace(facts, event=event.code, severity=severity, event_on=facts.settled_on)
        fitted.append(replace(bill, facts=facts))
    return fitted
