"""Reading plan files: what is refused, with line and remedy; versions by date; canonical text and its digest."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_builders import HANGZHOU, HANGZHOU_TEXT, a_changed_plan, a_changed_text, line_of

from settlement.domain.money import Money
from settlement.plans.findings import Finding, PlanRefused, Severity
from settlement.plans.model import CaseAmounts, PlanVersion, load_plan, read_plan, schema
from settlement.plans.values import read_rate, read_yuan, write_rate

VERSION = HANGZHOU.versions[0]

UNDECLARED = "where published rules are silent the plan file must declare it, as "
NEXT_VERSION = """
  - version: "2026"
    effective_from: 2026-01-01
    clause: 2026 年度待遇标准
    benefits:"""


def refusal(text: str) -> Finding:
    with pytest.raises(PlanRefused) as refused:
        load_plan(text, "plan.yaml")
    assert all(finding.severity is Severity.ERROR for finding in refused.value.findings)
    return refused.value.findings[0]


AMOUNT = "amount: 100\n"
RATE = 'rate: "90%"'
FROM = "effective_from: 2018-01-01"
NO_DATE = "effective_from is not a date: write it as 2026-01-01"
FACT = "fact: care\n"


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        pytest.param(AMOUNT, "amount: 100.50\n", '100.50 has a decimal point: quote it, as "100.50"', id="float"),
        pytest.param(AMOUNT, "amount: 1e3\n", "amount: 1e3 is not an amount", id="exponent"),
        pytest.param(AMOUNT, "amount: 1.0e+3\n", "1.0e+3 has a decimal point: quote it", id="float_exponent"),
        pytest.param(AMOUNT, "amount: .inf\n", ".inf has a decimal point: quote it", id="infinity"),
        pytest.param(AMOUNT, 'amount: "100.505"\n', "amount: 100.505 is not an amount", id="half_a_fen"),
        pytest.param(AMOUNT, 'amount: "1,000"\n', "amount: 1,000 is not an amount", id="thousands_comma"),
        pytest.param(AMOUNT, "amount: 0100\n", '0100 is ambiguous: quote it, as "0100"', id="octal"),
        pytest.param(AMOUNT, "amount: 1_000\n", "1_000 is ambiguous", id="underscore"),
        pytest.param(AMOUNT, "amount: 1:40\n", "1:40 is ambiguous", id="sexagesimal"),
        pytest.param(AMOUNT, "amount: true\n", "amount: True is not an amount", id="boolean"),
        pytest.param(AMOUNT, "amount: null\n", "amount: None is not an amount", id="null"),
        pytest.param(AMOUNT, "amount: [1]\n", "amount: write keys with their values", id="list"),
        pytest.param(
            RATE, "rate: 0.9", '0.9 is not how a rate is written: quote a percentage, as "60%"', id="rate_as_float"
        ),
        pytest.param(RATE, 'rate: "0.9"', "rate: 0.9 is not a rate: quote a percentage", id="rate_without_percent"),
        pytest.param(RATE, "rate: 90", "rate: 90 is not a rate", id="rate_as_number"),
        pytest.param('["310"]', "[3.10]", "3.10 has a decimal point", id="code_as_float"),
        pytest.param(FROM, "effective_from: 2018-13-01", NO_DATE, id="no_such_month"),
        pytest.param(FROM, "effective_from: 2018-1-1", NO_DATE, id="short_date"),
        pytest.param('version: "2018"', "version: 2018", "version: write text, in quotes", id="number"),
        pytest.param(
            "mode: half_up",
            "mode: nearest",
            "mode cannot be nearest; the nearest known is: down, half_even, half_up, up",
            id="unknown_rounding",
        ),
        pytest.param(
            "rule: minimum", "rule: minimal", "rule cannot be minimal; the nearest known is: minimum", id="unknown_rule"
        ),
        pytest.param("counts_as: burden", "counts: burden", "counts_as is missing: add it", id="missing_key"),
        pytest.param(
            "code: hangzhou",
            "code: 'x; import os'",
            "code: x; import os does not do, write small letters",
            id="code_that_is_no_name",
        ),
        pytest.param("clause: 互助保障期", "clauses: 互助保障期", "clause is missing: add it", id="missing_clause"),
        pytest.param(FACT, f"{FACT}            fact: care\n", "the key fact is given twice", id="duplicate_key"),
        pytest.param(FACT, f"{FACT}            1: 2\n", "the key 1 must be text: quote it", id="number_key"),
        pytest.param(FACT, f"{FACT}            <<: {{a: b}}\n", "the key << must be text", id="merge_key"),
    ],
)
def test_a_mistake_is_refused_with_its_line_and_what_to_mend(before: str, after: str, sentence: str) -> None:
    text = a_changed_text((before, after))
    finding = refusal(text)
    pairs = zip(HANGZHOU_TEXT.splitlines(), text.splitlines(), strict=False)
    changed = next(number for number, (old, new) in enumerate(pairs, 1) if old != new)
    assert finding.line is not None
    assert finding.en.startswith(sentence)
    assert changed - 2 <= finding.line <= changed
    assert str(finding).startswith(f"plan.yaml:{finding.line}: error[{finding.id}]: {finding.zh}")


@pytest.mark.parametrize("key", ["rounding", "account_money", "overpayment"])
def test_what_published_rules_leave_open_must_be_declared(key: str) -> None:
    lines = HANGZHOU_TEXT.splitlines(keepends=True)
    start = lines.index(f"  {key}:\n")
    end = next(at for at in range(start + 1, len(lines)) if not lines[at].startswith("    "))
    finding = refusal("".join(lines[:start] + lines[end:]))
    assert finding.en.startswith(f"{key} is missing: {UNDECLARED}`{key}: {{")
    assert finding.zh.startswith(f"缺少 {key}：公布的规则没有写明的，方案文件必须声明，写作 {key}: {{")
    assert finding.line == line_of(HANGZHOU_TEXT, "plan:")


def test_an_unknown_key_is_named_with_the_nearest_known_one() -> None:
    text = a_changed_text(("stay_date: discharge", "stay_dates: discharge"))
    with pytest.raises(PlanRefused) as refused:
        load_plan(text, "plan.yaml")
    assert [(finding.line, finding.en) for finding in refused.value.findings] == [
        (
            line_of(text, "plan:"),
            f"stay_date is missing: {UNDECLARED}`stay_date: discharge | admission`, "
            "with 「本方案约定：…」 as the clause",
        ),
        (line_of(text, "stay_dates"), "stay_dates is not a known key; the nearest known is: stay_date"),
    ]


def test_a_mistake_inside_a_rule_is_found_on_its_line() -> None:
    text = a_changed_text(("{above: 10000, up_to: 15000,", "{above: 10000, until: 15000,"))
    assert refusal(text).line == line_of(text, "until: 15000")


def test_an_empty_list_is_refused_once() -> None:
    with pytest.raises(PlanRefused) as refused:
        load_plan(a_changed_text(('["310"]', "[]")), "plan.yaml")
    assert [finding.zh for finding in refused.value.findings] == ["one_of：不能为空"]


def test_a_file_that_is_no_plan_is_refused() -> None:
    assert refusal("a: [").en.startswith("this line, or the one before, cannot be read")
    assert refusal("a: \x00").en == "this is not valid YAML"
    assert refusal("").en == "the file is empty"
    assert refusal("- 1").line == 1
    assert refusal("a: &x {}\nb: *x").en == "aliases (*) are not allowed: write it out"


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_bytes(HANGZHOU_TEXT.encode("gb18030"))
    with pytest.raises(PlanRefused, match="save the file as UTF-8"):
        read_plan(file)


def test_the_version_in_force_is_the_last_that_began() -> None:
    benefits = HANGZHOU_TEXT.partition("    benefits:")[2].partition("\ncase_facts:")[0]
    later = a_changed_plan(("\ncase_facts:", f"{NEXT_VERSION}{benefits}\ncase_facts:"))
    assert later.version_on(date(2017, 12, 31)) is None
    for day, version in ((date(2018, 1, 1), "2018"), (date(2025, 12, 31), "2018"), (date(2026, 1, 1), "2026")):
        found = later.version_on(day)
        assert found is not None
        assert found.version == version


def test_a_canonical_text_gives_the_same_version_back() -> None:
    again = PlanVersion.from_canonical(VERSION.canonical())
    assert again == VERSION
    assert (again.canonical(), again.digest) == (VERSION.canonical(), VERSION.digest)
    assert again.body.benefits[0].bands.bands[2].rate == Fraction(9, 10)


def test_a_canonical_text_holds_the_rules_and_not_the_cases_or_what_is_left_at_its_default() -> None:
    document = json.loads(VERSION.canonical())
    assert set(document) == {"format", "header", "body"}
    last_band = document["body"]["benefits"][0]["rules"][0]["bands"][-1]
    assert set(last_band) == {"above", "rate", "clause"}
    assert (last_band["above"], last_band["rate"]) == ("50000.00", "nothing")


def test_the_digest_is_the_rules_own_and_not_the_files() -> None:
    reworded_case = a_changed_plan(("HZ floor", "another name"), ("# 金额单位为元", "# another comment"))
    requoted = a_changed_plan(("amount: 30200", 'amount: "30200.00"'))
    changed = a_changed_plan(("amount: 30200", "amount: 30201"))
    assert reworded_case.versions[0].digest == requoted.versions[0].digest == VERSION.digest
    assert changed.versions[0].digest != VERSION.digest
    assert len(VERSION.digest) == 64


def test_a_text_that_is_no_version_is_refused() -> None:
    for text in ("{}", "not json", VERSION.canonical().replace('"20%"', "0.2")):
        with pytest.raises(PlanRefused, match="canonical text"):
            PlanVersion.from_canonical(text)


@given(fen=st.integers(-(10**13), 10**13))
def test_an_amount_is_read_as_it_was_written(fen: int) -> None:
    assert read_yuan(Money(fen).yuan()) == fen


def test_money_made_in_the_program_stays_as_it_is() -> None:
    assert CaseAmounts(allowed=Money(123_456)).allowed == Money(123_456)


@given(millionths=st.integers(1, 100_000_000))
def test_a_rate_is_read_as_it_was_written(millionths: int) -> None:
    rate = Fraction(millionths, 100_000_000)
    assert read_rate(write_rate(rate)) == rate


def test_the_schema_names_every_part_of_a_file() -> None:
    document = schema()
    assert set(document["properties"]) == {"format", "plan", "versions", "case_facts", "cases"}  # type: ignore[call-overload]
    json.dumps(document)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("clause: 待遇标准：住院医疗费", r'clause: "\x01"', id="in_a_clause"),
        pytest.param("note: ", 'note: "\\x9f" #', id="in_a_text"),
        pytest.param("  hospital_level: 3", r'  "hospital\0_level": 3', id="in_a_key"),
        pytest.param("clause: 待遇标准：住院医疗费", r'clause: "\ud800"', id="half_a_character"),
    ],
)
def test_a_control_character_is_refused_wherever_it_stands(before: str, after: str) -> None:
    assert refusal(a_changed_text((before, after))).id == "control_character"


def test_a_number_of_any_length_is_refused_with_its_line() -> None:
    text = a_changed_text(("format: 1", f"format: {'9' * 5000}"))
    finding = refusal(text)
    assert (finding.id, finding.line) == ("number_too_long", line_of(text, "format: "))


@pytest.mark.parametrize(
    "text", ["- a\n" * 20_001, "[" * 100_000, "#" * 200_001], ids=["parts", "levels", "characters"]
)
def test_a_text_that_is_larger_than_any_plan_is_not_read_to_its_end(text: str) -> None:
    assert refusal(text).id == "too_large"


def test_choices_where_none_are_allowed_are_refused_without_showing_them() -> None:
    days = "{from_day: 1, amount: [{value: 1}], clause: c}"
    text = a_changed_text(
        ("        base:\n", f"        per_day: {{counting: nights, days: [{days}], clause: c}}\n        base:\n")
    )
    assert refusal(text).en == "amount: choices are not allowed here: write one amount"


def test_an_amount_with_a_comma_is_told_to_lose_it_and_a_text_to_be_quoted() -> None:
    assert refusal("a: {amount: 50,000}").en == "amount is an amount: write it without the comma, as amount: 50000"
    assert "quote it" in refusal("a: {clause: 最高 50,000 元}").en


def test_a_plan_of_fixed_sums_need_not_say_how_it_rounds_or_what_account_money_is() -> None:
    text = (Path(__file__).parent / "extra" / "beijing-allowance.yaml").read_text(encoding="utf-8")
    own = [line for line in text.splitlines() if not line.startswith(("  rounding:", "  overpayment:"))]
    plan = load_plan("\n".join(own), "plan.yaml")
    assert (plan.header.rounding.step, plan.header.account_money.counts_as) == ("fen", "burden")
    assert PlanVersion.from_canonical(plan.versions[0].canonical()) == plan.versions[0]
