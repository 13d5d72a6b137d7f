"""The checker: each finding has a broken file that shows it, with line, clause and how to mend it in two languages."""

from __future__ import annotations

import pytest
from plan_builders import HANGZHOU, a_changed_text, line_of, part_of_text
from settlement.plans.check import check_plan, refuse_unsound

from settlement.plans.findings import Finding, PlanRefused, Severity
from settlement.plans.model import load_plan

BAND_1 = '{above: 0, up_to: 1000, rate: "20%"'
BAND_2 = '{above: 1000, up_to: 10000, rate: "50%"'
BAND_3 = '{above: 10000, up_to: 15000, rate: "90%"'
BAND_4 = '{above: 15000, up_to: 50000, rate: "60%"'
BAND_5 = "{above: 50000, rate: nothing"
MINIMUM = part_of_text("          - rule: minimum", "          - rule: burden_limit")
BURDEN_LIMIT = part_of_text("          - rule: burden_limit", "          - rule: term_limit")
TERM_LIMIT = part_of_text("          - rule: term_limit", "\ncase_facts:")
BENEFIT = part_of_text("      - code: inpatient", "\ncase_facts:")
VERSION = part_of_text('  - version: "2018"', "\ncase_facts:")


def new_findings(text: str) -> list[Finding]:
    """Return what the checker finds beyond what it says of Hangzhou's own file."""
    known = {finding.en for finding in check_plan(HANGZHOU)}
    return [finding for finding in check_plan(load_plan(text, "plan.yaml")) if finding.en not in known]


@pytest.mark.parametrize(
    ("before", "after", "en", "zh", "at"),
    [
        pytest.param(
            BAND_3,
            BAND_3.replace("above: 10000", "above: 11000"),
            "there is a gap from 10000.00 to 11000.00: above must be 10000.00",
            "10000.00 至 11000.00 没有规定：above 应为 10000.00",
            "above: 11000",
            id="gap",
        ),
        pytest.param(
            BAND_3,
            BAND_3.replace("above: 10000", "above: 9000"),
            "from 9000.00 to 10000.00 it overlaps the band before: above must be 10000.00",
            "9000.00 至 10000.00 与前一段重叠：above 应为 10000.00",
            "above: 9000",
            id="overlap",
        ),
        pytest.param(
            BAND_2,
            BAND_2.replace("up_to: 10000", "up_to: 500"),
            "this band ends at 500.00 and starts above 1000.00: make up_to the larger",
            "此段到 500.00 为止，却从 1000.00 开始：up_to 应大于 above",
            "up_to: 500,",
            id="band_that_ends_before_it_starts",
        ),
        pytest.param(
            BAND_2,
            BAND_2.replace("up_to: 10000", "up_to: 1000"),
            "this band ends at 1000.00 and starts above 1000.00: make up_to the larger",
            "此段到 1000.00 为止，却从 1000.00 开始：up_to 应大于 above",
            "above: 1000, up_to: 1000,",
            id="empty_band",
        ),
        pytest.param(
            BAND_3,
            BAND_3.replace("above: 10000", "above: 900"),
            "bands go from low to high: this starts above 900.00, the one before above 1000.00: reorder",
            "各段应由低到高：此段从 900.00 开始，前一段从 1000.00 开始，请调整顺序",
            "above: 900,",
            id="unordered",
        ),
        pytest.param(
            BAND_4,
            '{above: 15000, rate: "60%"',
            "the band before has no end, so this one is never reached: give that one its up_to, or reorder them",
            "前一段没有 up_to，此段永远到不了：给前一段写上 up_to，或调整顺序",
            "above: 50000",
            id="band_after_an_open_one",
        ),
        pytest.param(
            BAND_5,
            "{above: 50000, up_to: 90000, rate: nothing",
            "nothing is declared above 90000.00: add a band without up_to; write nothing if so",
            "90000.00 以上没有规定：加一段没有 up_to 的，不补助的写 nothing",
            "up_to: 90000",
            id="no_last_band",
        ),
        pytest.param(
            BAND_1,
            '{above: 100, up_to: 1000, rate: "20%"',
            "the first band must start at 0: up to 100.00 nothing is declared; write nothing if so",
            "第一段应从 0 开始：100.00 及以下没有规定；不补助的写 nothing",
            "above: 100,",
            id="no_first_band",
        ),
        pytest.param(
            BAND_1,
            BAND_1.replace("20%", "0%"),
            "the rate 0% must be above 0% and at most 100%; write nothing where nothing is paid",
            "比例 0% 应大于 0 且不超过 100%；不补助的写 nothing",
            'rate: "0%"',
            id="rate_of_zero",
        ),
        pytest.param(
            BAND_3,
            BAND_3.replace("90%", "100.5%"),
            "the rate 100.5% must be above 0% and at most 100%; write nothing where nothing is paid",
            "比例 100.5% 应大于 0 且不超过 100%；不补助的写 nothing",
            'rate: "100.5%"',
            id="rate_above_100_percent",
        ),
        pytest.param(
            "plus: [allowed]",
            "plus: [alowed]",
            "a bill has no amount alowed; the nearest known is: allowed",
            "账单上没有 alowed 这个金额，是否应为 allowed",
            "alowed",
            id="unknown_amount",
        ),
        pytest.param(
            "minus: [insurer_paid, provider_absorbed]",
            "minus: [insurer_pay, provider_absorbed]",
            "a bill has no amount insurer_pay; the nearest known is: insurer_paid",
            "账单上没有 insurer_pay 这个金额，是否应为 insurer_paid",
            "insurer_pay,",
            id="unknown_amount_taken_off",
        ),
        pytest.param(
            "fact: hospital_level",
            "fact: hospital_levle",
            "there is no fact hospital_levle; the nearest known is: hospital_level",
            "没有 hospital_levle 这个事实，是否应为 hospital_level",
            "hospital_levle",
            id="unknown_fact",
        ),
        pytest.param(
            "one_of: [2, 3]",
            "one_of: [2, 4]",
            "hospital_level cannot be 4; the nearest known is: 1, 2, 3",
            "hospital_level 没有 4 这个值，是否应为 1, 2, 3",
            "one_of: [2, 4]",
            id="unknown_level",
        ),
        pytest.param(
            "one_of: [active]",
            "one_of: [actve]",
            "person_category cannot be actve; the nearest known is: active",
            "person_category 没有 actve 这个值，是否应为 active",
            "actve",
            id="unknown_category",
        ),
        pytest.param(
            'one_of: ["310"]',
            "one_of: [310]",
            '310 is a code: quote it, as "310"',
            '310 是代码，请加引号写作 "310"',
            "one_of: [310]",
            id="code_without_quotes",
        ),
        pytest.param(
            "amount: 100\n",
            "amount: 40000\n",
            "the minimum 40000.00 is above the term limit 30200.00, they contradict: change one",
            "最低补助 40000.00 高于年度限额 30200.00，两者矛盾：改其中一个",
            "amount: 40000",
            id="minimum_above_the_limit",
        ),
        pytest.param(
            "amount: 30200",
            "amount: 0",
            "0.00 must be above 0, or drop the rule",
            "0.00 应大于 0，否则删去此条",
            "amount: 0\n",
            id="limit_of_zero",
        ),
        pytest.param(
            MINIMUM,
            MINIMUM + MINIMUM,
            "the minimum rule is given twice: keep one",
            "minimum 规则重复，只留一条",
            "",
            id="rule_given_twice",
        ),
        pytest.param(
            MINIMUM + BURDEN_LIMIT,
            BURDEN_LIMIT + MINIMUM,
            "the minimum rule comes too late: the order is bands, minimum, then limits",
            "minimum 规则的位置不对：顺序为 bands、minimum、限额",
            "- rule: minimum",
            id="minimum_after_a_limit",
        ),
        pytest.param(
            VERSION,
            VERSION + VERSION.replace("2018-01-01", "2019-01-01"),
            "version 2018 is given twice: change one",
            "version 2018 重复，请改",
            "",
            id="version_given_twice",
        ),
        pytest.param(
            VERSION,
            VERSION + VERSION.replace('"2018"', '"2018b"'),
            "effective_from 2018-01-01 is given twice: change one",
            "effective_from 2018-01-01 重复，请改",
            "",
            id="two_versions_from_one_day",
        ),
        pytest.param(
            BENEFIT,
            BENEFIT + BENEFIT,
            "the benefit code inpatient is given twice: change one",
            "待遇代码 inpatient 重复，请改",
            "- code: inpatient",
            id="benefit_given_twice",
        ),
    ],
)
def test_an_error_keeps_the_version_from_being_compiled(before: str, after: str, en: str, zh: str, at: str) -> None:
    text = a_changed_text((before, after))
    finding = next(finding for finding in new_findings(text) if finding.en == en)
    assert (finding.severity, finding.zh) == (Severity.ERROR, zh)
    if at:
        assert finding.line == line_of(text, at.strip())
    if "is given twice: change one" not in en:
        with pytest.raises(PlanRefused) as refused:
            refuse_unsound(load_plan(text, "plan.yaml").versions[0])
        assert en in {each.en for each in refused.value.findings}
        assert {each.line for each in refused.value.findings} == {None}


def test_a_band_may_pay_everything() -> None:
    findings = new_findings(a_changed_text((BAND_3, BAND_3.replace("90%", "100%"))))
    assert {finding.severity for finding in findings} == {Severity.WARNING}


def test_a_benefit_without_bands_is_an_error() -> None:
    bands = part_of_text("          - rule: bands", MINIMUM)
    text = a_changed_text((bands, ""))
    assert "no rates are declared: add a bands rule" in {finding.en for finding in new_findings(text)}
    with pytest.raises(PlanRefused, match="no rates are declared"):
        refuse_unsound(load_plan(text, "plan.yaml").versions[0])


@pytest.mark.parametrize(
    ("before", "after", "en"),
    [
        pytest.param(
            BAND_2,
            BAND_2.replace("50%", "15%"),
            "the rate falls from 20% to 15%: confirm that the published rule says so",
            id="falling_rate",
        ),
        pytest.param(
            "amount: 100\n",
            "amount: 300\n",
            "a cliff: at the first fen of base the aid leaps from 0 to as much as 300.00",
            id="cliff",
        ),
        pytest.param(
            "amount: 30200",
            "amount: 9200",
            "the limit 9200.00 is used up before 15000.00: the rate above that is never reached",
            id="unreachable_band",
        ),
        pytest.param(TERM_LIMIT, "", "no term_limit is declared: one member may draw without end", id="no_term_limit"),
        pytest.param(
            BURDEN_LIMIT,
            "",
            "no burden_limit is declared: aid may exceed what the member bears",
            id="no_burden_limit",
        ),
    ],
)
def test_a_warning_asks_for_a_second_look_and_stops_nothing(before: str, after: str, en: str) -> None:
    plan = load_plan(a_changed_text((before, after)), "plan.yaml")
    finding = next(finding for finding in check_plan(plan) if finding.en == en)
    assert finding.severity is Severity.WARNING
    assert finding.zh
    refuse_unsound(plan.versions[0])


def test_findings_come_by_line_with_the_clause_they_are_about() -> None:
    text = a_changed_text((BAND_3, BAND_3.replace("90%", "200%")), ("plus: [allowed]", "plus: [allow]"))
    findings = check_plan(load_plan(text, "plan.yaml"))
    lines = [finding.line for finding in findings]
    assert lines == sorted(lines, key=lambda line: line or 0)
    assert "待遇标准：10,001 至 15,000 元部分补助 90%" in {finding.clause for finding in findings}
