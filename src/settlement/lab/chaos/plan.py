"""The plan of the simulation: one flat rate with a yearly limit, in two versions; the model reckons by the same."""

from __future__ import annotations

from datetime import date

from settlement.lab.chaos.facts import PROPOSE, RAISE, FlatPlan

CODE = "flat"
THE_DAY = date(2026, 3, 10)
"""The day on which a history plays; bills are of the day before, of this day or of the next."""
FLAT = FlatPlan(rates=(("2026-01-01", 60), ("2026-03-10", 80)), limit_fen=30_000)
EFFECTS = (RAISE, PROPOSE)
"""What the plan declares for bills before a change, in one history and the next."""

_HEAD = """
format: 1
plan:
  code: flat
  names: {zh: 模拟用统一比例互助, en: Flat aid for simulations}
  source: 模拟用，不对应任何真实方案
  stay_date: discharge
  covers:
    - {fact: insurance_type, one_of: ["310"], clause: 模拟：参保对象, label: 限职工医保}
    - {fact: person_category, one_of: [active], clause: 模拟：在职职工, label: 限在职职工}
  rounding: {mode: half_up, place: bands_total, clause: 模拟：四舍五入到分}
  account_money: {counts_as: burden, clause: 模拟：个人账户支付计入个人负担}
  other_payers: {place: after, later_payer: propose, clause: 模拟：他方先付}
  earlier_changes: {effect: EFFECT, clause: 模拟：前单变动}
  corrections: {place: kept, clause: 模拟：更正的账单保留原单的次序}
  overpayment: {recovery: by_person, clause: 模拟：由人工办理}
versions:
"""
_VERSION = """
  - version: "{version}"
    effective_from: {first_day}
    clause: 模拟：第 {version} 版
    benefits:
      - code: flat
        names: {{zh: 统一补助, en: Flat aid}}
        base: {{plus: [patient_share], minus: [other_paid], clause: 模拟：个人负担}}
        burden: {{plus: [patient_share], minus: [other_paid], clause: 模拟：个人负担}}
        term: {{kind: calendar_year, clause: 模拟：自然年度}}
        accumulation: {{over: settlement, clause: 模拟：逐单计算}}
        rules:
          - {{rule: rate, rate: "{rate}%", clause: 模拟：统一比例}}
          - {{rule: term_limit, amount: {limit}, clause: 模拟：年度限额}}
"""
_CASES = """
case_facts: {care: outpatient, settled_on: 2026-01-10, insurance_type: "310", person_category: active}
cases:
  - name: 一单
    bills:
      - {amounts: {allowed: 100}, pays: {flat: "60.00"}}
"""


def plan_text(versions: int, effect: str) -> str:
    """Return the plan file with its first versions, and what it declares for bills before a change."""
    return _HEAD.replace("EFFECT", effect) + "".join(_version(number) for number in range(versions)) + _CASES


def _version(number: int) -> str:
    first_day, rate = FLAT.rates[number]
    return _VERSION.format(version=number + 1, first_day=first_day, rate=rate, limit=FLAT.limit_fen // 100)
