"""What differs between two versions: every part once, in the file's own writing, readable in two languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from settlement.plans.diff import diff_versions
from settlement.plans.model import read_plan

VERSION = read_plan(Path(__file__).with_name("inpatient_only.yaml")).versions[0].canonical()


def changed(*replacements: tuple[str, str]) -> str:
    text = VERSION
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return text


def test_a_version_does_not_differ_from_itself():
    assert diff_versions(VERSION, VERSION) == []


def test_a_changed_rate_is_one_line_with_its_clause():
    (found,) = diff_versions(VERSION, changed(('"20%"', '"30%"')))
    assert found.to_json() == {
        "path": "body.benefits[inpatient].rules[bands].bands[0].rate",
        "clause": "待遇标准：1,000 元及以下部分补助 20%",
        "before": "20%",
        "after": "30%",
        "zh": "待遇 inpatient › 规则 分段 › 分段 0 › 比例：由 20% 改为 30%"
        "（依据：待遇标准：1,000 元及以下部分补助 20%）",
        "en": "benefits inpatient › rules bands › bands 0 › rate: from 20% to 30% "
        "(clause: 待遇标准：1,000 元及以下部分补助 20%)",
    }


@pytest.mark.parametrize(
    ("replacement", "path", "before", "after"),
    [
        (('"30200.00"', '"30300.00"'), "body.benefits[inpatient].rules[term_limit].amount", "30200", "30300"),
        (('"100.00"', '"100.50"'), "body.benefits[inpatient].rules[minimum].amount", "100", "100.50"),
        (("[2,3]", "[3]"), "body.benefits[inpatient].conditions[hospital_level].one_of", "[2, 3]", "[3]"),
        (('"half_up"', '"down"'), "header.rounding.mode", "half_up", "down"),
        (('"2018-01-01"', '"2026-01-01"'), "body.effective_from", "2018-01-01", "2026-01-01"),
    ],
)
def test_values_are_written_as_in_the_file(replacement: tuple[str, str], path: str, before: str, after: str):
    (found,) = diff_versions(VERSION, changed(replacement))
    assert (".".join(found.path), found.before, found.after) == (path, before, after)


def test_what_is_new_and_what_is_gone_are_told():
    rule = '{"clause":"本方案约定：补助累计不超过个人负担累计","rule":"burden_limit"},'
    (gone,) = diff_versions(VERSION, changed((rule, "")))
    (new,) = diff_versions(changed((rule, "")), VERSION)
    assert (gone.before, gone.after) == ("{rule: burden_limit}", None)
    assert (new.before, new.after) == (None, "{rule: burden_limit}")
    assert gone.zh.startswith("待遇 inpatient › 规则 个人负担限额：删除 ")
    assert new.en.startswith("benefits inpatient › rules burden limit: new, ")


def test_another_order_of_the_same_rules_is_a_difference():
    """The limit before the minimum is another plan, though no rule changed."""
    rules = json.loads(VERSION)
    benefit = rules["body"]["benefits"][0]
    benefit["rules"][1], benefit["rules"][2] = benefit["rules"][2], benefit["rules"][1]
    (found,) = diff_versions(VERSION, json.dumps(rules, ensure_ascii=False))
    assert found.path[-1] == "order"
    assert (found.before, found.after) == (
        "bands, minimum, burden_limit, term_limit",
        "bands, burden_limit, minimum, term_limit",
    )


def test_parts_without_a_name_of_their_own_are_compared_as_a_whole():
    document = json.loads(VERSION)
    document["body"]["benefits"][0]["rules"].append({"rule": "minimum", "amount": "5.00", "clause": "x"})
    (found,) = diff_versions(VERSION, json.dumps(document, ensure_ascii=False))
    assert found.path[-1] == "rules"
    assert found.after is not None
    assert found.after.endswith("{rule: minimum, amount: 5, clause: x}]")


def test_a_key_that_nobody_labelled_is_shown_as_the_file_writes_it():
    document = json.loads(VERSION)
    document["body"]["benefits"][0]["once_per"] = "life"
    (found,) = diff_versions(VERSION, json.dumps(document, ensure_ascii=False))
    assert found.zh == "待遇 inpatient › once_per：新增 life（依据：2018 年度待遇标准，至 2024 年度未变）"


def test_header_comes_before_body():
    found = diff_versions(VERSION, changed(('"20%"', '"30%"'), ('"half_up"', '"down"')))
    assert [difference.path[0] for difference in found] == ["header", "body"]
