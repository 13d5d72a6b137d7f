"""One wrong plan for each thing that the checker can say: what is changed in `sound.yaml`, and the line that is named.

`docs/plan-checks.md` shows the same changes: what stands here as wrong is wrong there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from settlement.plans.cases import CASE_FAILS

SOUND = Path(__file__).with_name("sound.yaml").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Wrong:
    """A plan that is wrong in one way."""

    line: str
    """A part of the line that the finding names, in the wrong text."""
    changes: tuple[tuple[str, str], ...]
    """Texts of the sound plan and what stands in their place."""
    beside: frozenset[str] = frozenset()
    """What else the checker cannot help saying about it."""

    @property
    def text(self) -> str:
        """The wrong plan's text."""
        text = SOUND
        for before, after in self.changes:
            assert text.count(before) >= 1, before
            text = text.replace(before, after, 1)
        return text


def wrong(line: str, *changes: tuple[str, str], beside: tuple[str, ...] = ()) -> Wrong:
    return Wrong(line, changes, frozenset(beside))


STEP_1 = '{up_to: 5000, rate: "40%", clause: 一段}'
STEP_2 = '{above: 5000, up_to: 10000, rate: "50%", clause: 二段}'
STEP_3 = '{above: 10000, rate: "65%", clause: 三段}'
LOW = '{below: 5000, rate: "30%", clause: 甲段}'
HIGH = '{from: 5000, rate: "40%", clause: 乙段}'
FIRST_DAYS = "{from_day: 4, to_day: 30, amount: 40, clause: 前段津贴}"
LATER_DAYS = "{from_day: 31, amount: 20, clause: 后段津贴}"
ALLOWANCE_CARE = "conditions: [{fact: care, one_of: [inpatient], clause: 住院津贴, label: 限住院}]"
EXPENSE_CARE = "conditions: [{fact: care, one_of: [inpatient], clause: 住院费用, label: 限住院}]"
DIAGNOSED = "conditions: [{fact: event, one_of: [cancer], clause: 确诊, label: 限确诊}]"
DEDUCTIBLE = "          - {rule: deductible, amount: 200, once_per: stay, clause: 起付}\n"
RATE = '          - {rule: rate, rate: "90%", clause: 九成}\n'
BURDEN_LIMIT = "          - {rule: burden_limit, clause: 不超负担}\n"
TERM_LIMIT = "          - {rule: term_limit, amount: 20000, clause: 年度限额}\n"
STAY_LIMIT = "          - {rule: limit, over: stay, amount: 8000, clause: 每次限额}\n"
TIMES = "          - {rule: limit, over: term, times: 2, clause: 限两次}\n"
DAYS_LIMIT = "          - {rule: limit, over: term, days: 60, clause: 限 60 天}\n"
MINIMUM = "          - {rule: minimum, amount: 100, clause: 最低}\n"
MANUAL = "        manual: {threshold: 15000, clause: 救助门槛, label: 由委员会评定}\n"
RELIEF_BASE = "        base: {plus: [patient_share], minus: [aid.expense], clause: 救助基数}\n"
LEVEL_3 = "              - {when: {hospital_level: [3]}, value: 150}\n"
FIRST_STAY = "              - {when: {hospital_level: [3], stay_ordinal: {at_most: 1}}, value: 300}\n"
LAST_CHOICE = "              - {value: 100}\n            clause: 起付补助\n"
TWO_YEARS = "        term: {kind: months_from, first_day: 2020-07-01, months: 24, clause: 两年期}\n"
MODIFIERS = """            modifiers:
              - {add: "+1", per: consecutive_terms, beyond: 1, at_most: "+10", clause: 连续加成}
              - {add: "-10", when: {returned: [true]}, clause: 断保}
"""
SHARES = 'funding: [{purse: city, rate: "50%"}, {purse: county}]'
CITY = "      - {code: city, names: {zh: 市级, en: City}, clause: 市级}\n"
COUNTY = "      - {code: county, names: {zh: 县级, en: County}, clause: 县级}\n"
EVER = "      - {code: ever, names: {zh: 总额, en: Ever}, of: all, over: life, amount: 600000, clause: 终身总额}\n"
OWN_BURDEN = "over: settlement, burden: {plus: [patient_share], minus: [other_paid], clause: 合计负担}, clause: 合计}"
WHOLE = "          - rule: bands\n            method: whole\n            choices:\n"
BY_PARTS = "          - rule: bands\n            choices:\n"
NAMED = "term: {kind: named, terms: [{code: t1, first_day: 2020-01-01, last_day: %s}%s], clause: 逐期公布}"
YEARLY = "term: {kind: calendar_year, clause: 年度}"
SECOND_VERSION = """  - version: "%s"
    effective_from: %s
    clause: 次版
    benefits:
      - code: expense
        names: {zh: 费用, en: Expense}
        conditions: [{fact: care, one_of: [inpatient], clause: 住院, label: 限住院}]
        base: {plus: [allowed], minus: [bed_excess], clause: 自负}
        burden: {plus: [patient_share], clause: 负担}
        term: {kind: calendar_year, clause: 年度}
        accumulation: {over: term, clause: 按年累计}
        rules:
          - {rule: burden_limit, clause: 不超负担}
          - {rule: term_limit, amount: 20000, clause: 年度限额}
case_facts:
"""
STATED = "    - {code: bed_excess, names: {zh: 超标床位, en: Excess of beds}, if_not_stated: zero, clause: 床位}\n"

WRONG: dict[str, Wrong] = {
    # Bands.
    "bands_or_choices": wrong(
        "- rule: bands",
        (
            BY_PARTS,
            '          - rule: bands\n            bands: [{rate: "40%", clause: 不分段}]\n            choices:\n',
        ),
    ),
    "band_edges": wrong("from: 5000", (STEP_2, STEP_2.replace("above: 5000", "above: 5000, from: 5000"))),
    "band_from_zero": wrong("from: 0", (STEP_1, STEP_1.replace("up_to", "from: 0, up_to"))),
    "band_reversed": wrong("up_to: 500,", (STEP_2, STEP_2.replace("up_to: 10000", "up_to: 500"))),
    "band_pay": wrong(
        "pays: 1000", (STEP_3, STEP_3.replace("rate:", "pays: 1000, rate:")), beside=("fixed_sum_in_parts",)
    ),
    "fixed_sum_in_parts": wrong("pays: 9000", (STEP_3, STEP_3.replace('rate: "65%"', "pays: 9000"))),
    "first_band": wrong("above: 500,", (STEP_1, STEP_1.replace("up_to", "above: 500, up_to"))),
    "last_band": wrong("up_to: 50000", (STEP_3, STEP_3.replace("above: 10000", "above: 10000, up_to: 50000"))),
    "band_after_open": wrong("above: 10000", (STEP_2, STEP_2.replace(", up_to: 10000", ""))),
    "bands_unordered": wrong("above: 3000,", (STEP_3, STEP_3.replace("above: 10000", "above: 3000"))),
    "band_gap": wrong("from: 5001", (STEP_2, STEP_2.replace("above: 5000", "from: 5001"))),
    "band_overlap": wrong("from: 5000, up_to", (STEP_2, STEP_2.replace("above: 5000", "from: 5000"))),
    "days_reversed": wrong(
        "to_day: 3,", (FIRST_DAYS, FIRST_DAYS.replace("to_day: 30", "to_day: 3")), beside=("days_gap",)
    ),
    "days_gap": wrong("from_day: 32", (LATER_DAYS, LATER_DAYS.replace("31", "32"))),
    "days_overlap": wrong("from_day: 30", (LATER_DAYS, LATER_DAYS.replace("31", "30"))),
    # Names.
    "unknown_fact": wrong("hospital_levle", (LEVEL_3, LEVEL_3.replace("level", "levle"))),
    "undelivered_fact": wrong("income_class", (LEVEL_3, LEVEL_3.replace("hospital_level: [3]", "income_class: [low]"))),
    "unknown_amount": wrong("alowed", ("plus: [allowed]", "plus: [alowed]")),
    "undelivered_amount": wrong("drug_cost", ("plus: [allowed]", "plus: [drug_cost]")),
    "unknown_benefit": wrong("by: [alowance]", ("by: [allowance]", "by: [alowance]")),
    "unknown_module": wrong("module: critcal", ("module: critical", "module: critcal")),
    "unknown_purse": wrong("purse: town", (SHARES, SHARES.replace("county", "town"))),
    "unknown_event": wrong(
        "one_of: [cancr]",
        (DIAGNOSED, DIAGNOSED.replace("cancer", "cancr")),
        beside=("unused_event",),
    ),
    "unknown_severity": wrong("severity: [slight]", ("severity: [mild]", "severity: [slight]")),
    "code_twice": wrong(
        "- code: expense",
        ("- code: relief", "- code: expense"),
        beside=("aid_of_later_benefit", "unknown_benefit_in_case"),
    ),
    "stated_name_taken": wrong(
        "code: billed",
        (STATED, STATED.replace("bed_excess", "billed")),
        ("other_paid, bed_excess", "other_paid, billed"),
    ),
    # Declarations.
    "no_family_account_money": wrong("plan:", ("  family_account_money: {counts_as: burden, clause: 家庭共济}\n", "")),
    "no_earlier_changes": wrong("plan:", ("  earlier_changes: {effect: propose, clause: 前单变动}\n", "")),
    "no_corrections": wrong("plan:", ("  corrections: {place: kept, clause: 更正}\n", "")),
    "no_spanning": wrong("plan:", ("  spanning: {split: by_days, clause: 跨期}\n", "")),
    "no_stays": wrong("plan:", ("  stays: {merge_within_days: 90, same: any, clause: 同一次住院}\n", "")),
    "no_other_payers": wrong(
        "other_paid", ("  other_payers: {place: after, later_payer: propose, clause: 其他付款方}\n", "")
    ),
    "other_paid_not_subtracted": wrong(
        "base: {plus: [insurer_deductible]",
        (
            OWN_BURDEN,
            OWN_BURDEN.replace("patient_share], minus: [other_paid", "cash_before_aid], minus: [account_paid"),
        ),
    ),
    "no_continuity": wrong("plan:", ("  continuity: {grace_days: 10, clause: 连续参加}\n", "")),
    "funding_shares": wrong(
        'rate: "50%"}]', (SHARES, SHARES.replace("county}", 'county, rate: "50%"}')), beside=("funding_above_whole",)
    ),
    "funding_above_whole": wrong('rate: "100%"', (SHARES, SHARES.replace("50%", "100%"))),
    "purse_twice": wrong("{purse: city}]", (SHARES, SHARES.replace("county", "city"))),
    "no_funding": wrong("- code: illness", ("扣津贴}\n        funding: [{purse: county}]\n", "扣津贴}\n")),
    "unconfirmed_not_asked_back": wrong("borne_by: unit", ("unconfirmed_borne_by: fund", "unconfirmed_borne_by: unit")),
    "unused_purse": wrong("code: town", (COUNTY, COUNTY + COUNTY.replace("county", "town"))),
    "unused_stated": wrong("code: bed_excess", ("other_paid, bed_excess, ", "other_paid, ")),
    "unused_event": wrong(
        "code: death", ("  stated:\n", "    - {code: death, names: {zh: 身故, en: Death}, clause: 身故}\n  stated:\n")
    ),
    # Conditions and choices.
    "value_kind": wrong('hospital_level: ["3"]', (LEVEL_3, LEVEL_3.replace("[3]", '["3"]'))),
    "unknown_value": wrong("hospital_level: [4]", (LEVEL_3, LEVEL_3.replace("[3]", "[4]"))),
    "bounds_on_words": wrong("at_most: 390", ('insurance_type: ["310"]', "insurance_type: {at_most: 390}")),
    "bounds_reversed": wrong("at_least: 60", ("at_least: 16, at_most: 60", "at_least: 60, at_most: 16")),
    "test_missing": wrong("fact: age", ("fact: age, at_least: 16, at_most: 60", "fact: age")),
    "condition_never_holds": wrong(
        'one_of: ["340"]',
        (
            EXPENSE_CARE,
            EXPENSE_CARE.replace("}]", '}, {fact: insurance_type, one_of: ["340"], clause: 离休, label: 限离休人员}]'),
        ),
    ),
    "when_never_holds": wrong(
        'insurance_type: ["340"]', ('when: {insurance_type: ["310"]}', 'when: {insurance_type: ["340"]}')
    ),
    "last_choice_has_when": wrong(
        "hospital_level: [2]}, value: 100",
        (LAST_CHOICE, LAST_CHOICE.replace("{value", "{when: {hospital_level: [2]}, value")),
    ),
    "choice_without_when": wrong("- {value: 150}", (LEVEL_3, LEVEL_3.replace("when: {hospital_level: [3]}, ", ""))),
    "choice_never_reached": wrong(
        "stay_ordinal: {at_most: 1}",
        (f"{FIRST_STAY}{LEVEL_3}", f"{LEVEL_3}{FIRST_STAY}"),
    ),
    "stay_fact_of_visit": wrong(
        "stay_days: {at_least: 10}", ("severity: [mild]}", "severity: [mild], stay_days: {at_least: 10}}")
    ),
    "severity_of_ordinary_bill": wrong(
        "severity: [mild]", (DIAGNOSED, DIAGNOSED.replace("[cancer]", "[cancer, none]"))
    ),
    # Rules.
    "benefit_start": wrong(
        "- code: allowance",
        ("        per_day:\n", "        base: {plus: [allowed], clause: 基数}\n        per_day:\n"),
        beside=("no_burden_limit", "other_paid_not_subtracted"),
    ),
    "threshold_without_base": wrong("threshold: 15000", (RELIEF_BASE, "")),
    "manual_with_rules": wrong("rules:", (MANUAL, MANUAL + "        rules:\n" + TERM_LIMIT)),
    "no_term": wrong(
        "- code: allowance",
        (TWO_YEARS, ""),
    ),
    "no_accumulation": wrong("- code: expense", ("        accumulation: {over: term, clause: 按年累计}\n", "")),
    "no_burden": wrong(
        "burden_limit", ("        burden: {plus: [patient_share], minus: [aid.first], clause: 负担}\n", "")
    ),
    "rule_order": wrong("rule: deductible", (DEDUCTIBLE, ""), (RATE, RATE + DEDUCTIBLE)),
    "minimum_after_limit": wrong(
        "rule: minimum", (TERM_LIMIT, TERM_LIMIT + MINIMUM), beside=("cliff_minimum", "minimum_after_burden_limit")
    ),
    "rule_twice": wrong("amount: 7000", (STAY_LIMIT, STAY_LIMIT + STAY_LIMIT.replace("8000", "7000"))),
    "modifier_cause": wrong('add: "-10"', ("when: {returned: [true]}, clause: 断保", "clause: 断保")),
    "modifier_bounds": wrong('at_most: "-10"', ('at_most: "+10"', 'at_most: "-10"')),
    "modifier_of_nothing": wrong('add: "+0"', ('add: "-10"', 'add: "+0"')),
    "per_not_counted": wrong("per: age", ("per: consecutive_terms", "per: age")),
    "per_share_without_module": wrong(
        "per_share: true",
        (
            "        names: {zh: 津贴, en: Allowance}\n        module: critical\n",
            f"        names: {{zh: 津贴, en: Allowance}}\n{TWO_YEARS}",
        ),
    ),
    "upgrade_without_span": wrong("upgrade: true", ("        accumulation: {over: life, clause: 终身}\n", "")),
    "upgrade_with_sum_rules": wrong(
        'rule: rate, rate: "50%", clause: 半数',
        (
            "          - {rule: less_paid",
            '          - {rule: rate, rate: "50%", clause: 半数}\n          - {rule: less_paid',
        ),
    ),
    "stay_days_of_visit": wrong("per_day:", (f"        {ALLOWANCE_CARE}\n", "")),
    # Limits.
    "limit_measure": wrong("times: 2, days: 9", (DAYS_LIMIT, DAYS_LIMIT.replace("days: 60", "times: 2, days: 9"))),
    "days_without_per_day": wrong("days: 2", (TIMES, TIMES.replace("times", "days"))),
    "limit_of_nothing": wrong("over: settlement, times", (TIMES, TIMES.replace("over: term", "over: settlement"))),
    "minimum_above_limit": wrong(
        "amount: 9000", (RATE, RATE + MINIMUM.replace("100", "9000")), beside=("cliff_minimum",)
    ),
    "limit_never_binds": wrong("amount: 30000", (STAY_LIMIT, STAY_LIMIT.replace("8000", "30000"))),
    "two_units": wrong("once_per: visit", ("once_per: stay", "once_per: visit")),
    "aid_in_plus": wrong(
        "aid.first",
        (
            "plus: [allowed], minus: [insurer_paid, other_paid, bed_excess, aid.first]",
            "plus: [allowed, aid.first], minus: [insurer_paid, other_paid, bed_excess]",
        ),
    ),
    "aid_of_later_benefit": wrong("aid.relief", ("bed_excess, aid.first", "bed_excess, aid.relief")),
    "aid_in_group_limit": wrong(
        "aid.first", (OWN_BURDEN, OWN_BURDEN.replace("[other_paid]", "[other_paid, aid.first]"))
    ),
    "beside_itself": wrong("benefits: [allowance]", ("benefits: [illness]", "benefits: [allowance]")),
    "beside_later_benefit": wrong(
        "over: settlement", ("benefits: [illness], over: life", "benefits: [illness], over: settlement")
    ),
    "terms_differ": wrong("over: term", (EVER, EVER.replace("over: life", "over: term"))),
    "group_limit_bound": wrong("code: ever", (EVER, EVER.replace(", amount: 600000", ""))),
    "group_burden_span": wrong("over: stay, burden", (OWN_BURDEN, OWN_BURDEN.replace("settlement", "stay"))),
    "group_limit_of_none": wrong(
        "of: [relief]", (EVER, EVER.replace("of: all", "of: [relief]")), beside=("no_term_limit",)
    ),
    "all_plans_of_one_bill": wrong(
        "of: all_plans",
        (EVER, EVER + EVER.replace("ever", "each").replace("all, over: life", "all_plans, over: settlement")),
    ),
    # Terms and modules.
    "no_such_day": wrong('until: "02-30"', ('until: "02-28"', 'until: "02-30"')),
    "term_reversed": wrong("last_day: 2019-12-31", (YEARLY, NAMED % ("2019-12-31", ""))),
    "terms_overlap": wrong(
        "code: t2", (YEARLY, NAMED % ("2025-12-31", ", {code: t2, first_day: 2025-12-31, last_day: 2026-12-31}"))
    ),
    "unused_module": wrong(
        "{code: dental",
        ("    purses:\n", "      - {code: dental, names: {zh: 口腔, en: Dental}, clause: 口腔保障}\n    purses:\n"),
    ),
    "unused_shares": wrong(
        "shares_at_most: 2", ("        basic: true\n", "        basic: true\n        shares_at_most: 2\n")
    ),
    # Amounts and rates.
    "amount_not_positive": wrong("amount: 0,", (STAY_LIMIT, STAY_LIMIT.replace("8000", "0"))),
    "rate_out_of_range": wrong('rate: "900%"', (RATE, RATE.replace("90%", "900%"))),
    "amount_counted_twice": wrong(
        "hifp", ("minus: [insurer_paid, other_paid", "minus: [insurer_paid, hifp, other_paid")
    ),
    "account_money_twice": wrong(
        "account_paid",
        (
            "  account_money: {counts_as: burden, clause: 个人账户}",
            "  account_money: {counts_as: not_burden, clause: 个人账户}",
        ),
        ("minus: [insurer_paid, other_paid", "minus: [insurer_paid, account_paid, other_paid"),
    ),
    "amount_on_both_sides": wrong(
        "minus: [allowed", ("minus: [insurer_paid, other_paid", "minus: [allowed, other_paid")
    ),
    "falling_rate": wrong('rate: "35%"', (STEP_3, STEP_3.replace("65%", "35%"))),
    "cliff_bands": wrong("above: 5000", (BY_PARTS, WHOLE)),
    "falling_aid": wrong(
        "pays: 900", (BY_PARTS, WHOLE), (HIGH, "{from: 5000, pays: 900, clause: 乙段}"), beside=("cliff_bands",)
    ),
    "cliff_franchise": wrong(
        "rule: franchise",
        (DEDUCTIBLE, DEDUCTIBLE.replace("deductible", "franchise").replace("once_per: stay", "reached: at")),
    ),
    "cliff_minimum": wrong("rule: minimum", (RATE, RATE + MINIMUM)),
    "minimum_after_burden_limit": wrong(
        "rule: minimum", (BURDEN_LIMIT, BURDEN_LIMIT + MINIMUM), beside=("cliff_minimum",)
    ),
    "no_burden_limit": wrong("rules:", (BURDEN_LIMIT, ""), ("of: [first, expense]", "of: [first]")),
    "burdens_together": wrong(
        "burden: {plus: [patient_share], clause: 负担}",
        (" aid.first], clause: 自负", "], clause: 自负"),
        (
            "burden: {plus: [patient_share], minus: [aid.first], clause: 负担}",
            "burden: {plus: [patient_share], clause: 负担}",
        ),
        ("          - rule: limit\n", "          - {rule: burden_limit, clause: 不超负担}\n          - rule: limit\n"),
        ("of: [first, expense]", "of: [first]"),
    ),
    "no_term_limit": wrong("rules:", (EVER, "")),
    "band_never_reached": wrong(
        "above: 10000",
        (RATE, ""),
        (
            MODIFIERS,
            "",
        ),
        (TERM_LIMIT, TERM_LIMIT.replace("20000", "4000")),
        (STAY_LIMIT, ""),
    ),
    "modifier_without_end": wrong("per: consecutive_terms", (', at_most: "+10"', "")),
    "modifier_cut": wrong('add: "-45"', ('add: "-10"', 'add: "-45"')),
    # Versions and worked cases.
    "version_twice": wrong(
        'version: "1"',
        ("case_facts:\n", SECOND_VERSION % ("1", "2025-01-01")),
        beside=("other_paid_not_subtracted",),
    ),
    "first_day_twice": wrong(
        "effective_from: 2020-01-01",
        ("case_facts:\n", SECOND_VERSION % ("2", "2020-01-01")),
        beside=("other_paid_not_subtracted", "version_without_case"),
    ),
    "version_without_case": wrong(
        'version: "2"',
        (
            "case_facts:\n",
            (SECOND_VERSION % ("2", "2030-01-01")).replace("minus: [bed_excess]", "minus: [bed_excess, other_paid]"),
        ),
    ),
    "unknown_benefit_in_case": wrong(
        "pays: {ilness", ("pays: {illness", "pays: {ilness"), beside=("benefit_without_case",)
    ),
    "unknown_name_in_case": wrong("critcal: 2", ("shares: {main: 1, critical: 2}", "shares: {main: 1, critcal: 2}")),
    "impossible_fact_in_case": wrong("severity: milde", ("severity: mild}", "severity: milde}")),
    "impossible_bill_in_case": wrong("insurer_paid: 5000", ("insurer_paid: 1000", "insurer_paid: 5000")),
    "case_before_versions": wrong(
        "settled_on: 2019-05-01", ("{care: outpatient, event", "{care: outpatient, settled_on: 2019-05-01, event")
    ),
    "benefit_without_case": wrong("- code: illness", (", pays: {illness: 6000}", "")),
}
"""By the id of the check."""

WRONG_CASE = {CASE_FAILS: wrong("- name: ", ('first: "300.00"', 'first: "301.00"'))}
"""What the worked cases themselves say; they are run only where no check finds an error."""

CASE = "      - {amounts: {allowed: 99000}, facts"

WRONG_FORM: dict[str, Wrong] = {
    "not_yaml": wrong("  code: sound", ("  code: sound", "  code: sound: 无可指摘")),
    "empty_file": wrong("", (SOUND, "")),
    "alias": wrong("*city", ("city, rate", "&city city, rate"), ("county}", "*city }")),
    "key_not_text": wrong("310: ", ('insurance_type: "310"\n', "310: insurance_type\n")),
    "key_twice": wrong("  age: 31", ("  age: 30\n", "  age: 30\n  age: 31\n")),
    "decimal_not_quoted": wrong("amount: 8000.50", (STAY_LIMIT, STAY_LIMIT.replace("8000", "8000.50"))),
    "ambiguous_value": wrong("basic: yes", ("basic: true", "basic: yes")),
    "text_not_quoted": wrong("最高 20,000 元", ("clause: 年度限额", "clause: 最高 20,000 元")),
    "control_character": wrong(r"年度\0限额", ("clause: 年度限额", r'clause: "年度\0限额"')),
    "number_too_long": wrong("times: 1234567890123456", (TIMES, TIMES.replace("2", "1234567890123456"))),
    "too_large": wrong("", (SOUND, "#" * 200_001)),
    "not_yuan": wrong("amount: 8千", (STAY_LIMIT, STAY_LIMIT.replace("8000", "8千"))),
    "not_rate": wrong("rate: 90,", (RATE, RATE.replace('"90%"', "90"))),
    "not_points": wrong('add: "10%"', ('add: "-10"', 'add: "10%"')),
    "declaration_missing": wrong("plan:", ("  overpayment: {recovery: by_person, clause: 多付}\n", "")),
    "key_missing": wrong("rule: burden_limit", ("{rule: burden_limit, clause: 不超负担}", "{rule: burden_limit}")),
    "key_unknown": wrong("upto: 5000", (STEP_1, STEP_1.replace("rate", "upto: 5000, rate"))),
    "not_a_list": wrong("hospital_level: 3}", (LEVEL_3, LEVEL_3.replace("[3]", "3"))),
    "not_a_date": wrong("2020年1月1日", ("effective_from: 2020-01-01", "effective_from: 2020年1月1日")),
    "unknown_word": wrong("mode: round", ("mode: half_up", "mode: round")),
    "wrong_pattern": wrong("code: 重疾", ("- code: critical", "- code: 重疾")),
    "number_out_of_range": wrong("times: 0", (TIMES, TIMES.replace("2", "0"))),
    "empty": wrong("one_of: []", ('one_of: ["310", "390"]', "one_of: []")),
    "wrong_form": wrong("version: 1", ('version: "1"', "version: 1")),
}
"""By the id of the error of form. A file in another encoding has its own test: it has no text to change."""
