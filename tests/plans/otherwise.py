"""The sound plan otherwise: what is changed in it to see what else is generated, found, shown at bounds, or fails."""

from __future__ import annotations

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

Changes = tuple[tuple[str, str], ...]

OTHERWISE: dict[str, Changes] = {
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
        ("minimum_stay: 5", "minimum_stay: 2"),
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
    "a deductible of a fen": (("amount: 200, once", 'amount: "0.01", once'),),
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
        (TERM_LIMIT, TERM_LIMIT.replace("20000,", "20000, per_share: true,")),
        ("days: 60, clause: 限 60 天}", "amount: 200, per_share: true, clause: 每份}"),
        ("per_share: true\n          upgrade: true", "upgrade: true"),
    ),
    "own terms": (
        ("term: {kind: calendar_year, clause: 年度}", "term: {kind: own_cover, clause: 保障期}"),
        ("days: 30, waived_for_accidents: true", "days: 30"),
    ),
    "own terms and no roster": (
        ("term: {kind: calendar_year, clause: 年度}", "term: {kind: own_cover, clause: 保障期}"),
        ("  covers: [{first_day: 2024-01-01, last_day: 2026-12-31}]\n", ""),
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

TOGETHER = WRONG["burdens_together"].changes
STRANGE: dict[str, Changes] = {
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
    "waiting that may begin anew": (
        *WRONG["no_continuity"].changes,
        (MODIFIERS, ""),
        ("            - {when: {days_covered: {at_most: 119}}, value: 500}\n", ""),
    ),
    "cases of stays by admission": (
        ("stay_date: discharge", "stay_date: admission"),
        ("insurer_deductible: 900}, pays", "insurer_deductible: 900}, facts: {admitted_on: 2019-12-31}, pays"),
        ("{facts: {care: outpatient", "{facts: {discharged_on: null, care: outpatient"),
    ),
    "cases on many lines": (
        (
            "      - {amounts: {allowed: 99000}, facts: {shares: {main: 1}}, pays: {expense: 8000}, asks: [relief]}\n",
            "      - amounts:\n          allowed: 99000\n          stated:\n            bed: 1\n"
            "        facts:\n          hospital_level: 7\n          shares:\n            mian: 1\n"
            "        pays:\n          expenses: 8000\n",
        ),
        ('  insurance_type: "310"\n  person', '  insurance_type: "330"\n  person'),
    ),
    "limits that depend on facts": (
        (
            "of: all, over: life, amount: 600000",
            "of: [first, expense], over: life, amount: [{when: {care: [outpatient]}, value: 1}, {value: 2}]",
        ),
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

FAILING: dict[str, Changes] = {
    "none": (),
    "other aid": (('first: "300.00", expense', 'first: "301.00", expense'), ("{illness: 6000}", "{first: 0}")),
    "a person is not asked": ((", asks: [relief]", ""),),
    "nobody is paid": (("pays: {expense: 8000}", "missing: age"), ("illness: 6000", "illness: 6001")),
    "a fact is missing": (("  age: 30\n", ""),),
    "not covered": (("last_day: 2026-12-31}]\ncases", "last_day: 2025-02-01}]\ncases"),),
    "no version": (("effective_from: 2020-01-01", "effective_from: 2026-03-11"),),
}
"""What is changed in the sound plan so that its worked cases come out otherwise."""

BY_LEVEL = "[{when: {hospital_level: [2]}, value: 1, clause: 二级}, {value: 150, clause: 他级}]"
CHOSEN: Changes = (
    ("amount: 200, once", f"amount: {BY_LEVEL}, once"),
    (STAY_LIMIT, STAY_LIMIT.replace("8000", BY_LEVEL)),
    ("same: any", "same: diagnosis"),
    ("  age: 30\n", "  age: 30\n  diagnosis: C34\n"),
)
"""Rules whose choices have clauses of their own, and stays that are merged by diagnosis."""
BOUNDED = (
    "nights",
    "a day at least",
    "whole",
    "choices of rates",
    "franchises and minimums",
    "franchises that are reached",
    "a deductible of a fen",
    "deductibles of each bill",
    "a limit per share",
    "own terms",
    "own terms and no roster",
    "conditions of some",
)


def changed_text(changes: Changes) -> str:
    """Return the sound plan's text with changes; each must have something to change."""
    text = SOUND
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return text
