"""Texts that are read by people or kept for years: YAML as it is written, differences, receipts, refusals of rows.

`test_shown.py` holds it against `tests/plans/shown/`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

from plan_builders import HANGZHOU, STAY, a_bill, a_compiled_plan, part_of_text
from pydantic import TypeAdapter

from settlement.domain.benefits import UsedRoom
from settlement.domain.bills import BillFigures, InsurerFunds
from settlement.domain.money import Money
from settlement.plans.cases import price_in_order
from settlement.plans.diff import diff_versions
from settlement.plans.findings import PlanRefused
from settlement.plans.funding import funded
from settlement.plans.kept_receipt import ReceiptUnusable, keep_receipt, replay_kept
from settlement.plans.labels import band_label, group_label, plain_yuan, rule_label
from settlement.plans.model import Band, FundingShare, Plan, Rule, load_plan, read_plan
from settlement.plans.receipt import Inputs, make_receipt
from settlement.plans.simulation.bills import BadRow
from settlement.plans.simulation.columns import AMOUNTS, COLUMNS, BadHeader, Columns
from settlement.plans.stored import benefit_to_json, facts_from_json, used_from_json, used_to_json
from settlement.plans.write_yaml import write_plan

HERE = Path(__file__).parent
ALLSORTS = read_plan(HERE / "sheets" / "allsorts.yaml")
FEW_CASES = part_of_text("format", "  - name: HZ edge")
LIBRARY = HERE.parents[1] / "plans"


def yaml() -> Iterator[str]:
    """Yield plans as the house writes them, and texts that must be quoted to stay what they are."""
    yield write_plan(ALLSORTS.file)
    header = HANGZHOU.header
    strange = (
        "1,000",
        "50%",
        "yes",
        "a: b",
        "a #b",
        "第一行\n第二行",
        " 空格 ",
        "'",
        '"',
        "-",
        "null",
        "2026-01-01",
        "1:30",
        "",
    )
    few = HANGZHOU.file.model_copy(
        update={
            "plan": header.model_copy(update={"notes": strange, "source": "一" * 200}),
            "cases": HANGZHOU.file.cases[-4:],
        }
    )
    yield write_plan(few)


UNREADABLE = {
    "nothing": "",
    "comment_only": "# nothing\n",
    "tab": "a: 1\n\tb: 2",
    "bracket": "a: 1\nb: [1, 2",
    "quote": 'a: "x\nb: 1\n',
    "two_documents": "a: 1\n---\nb: 2\n",
    "tag": "a: !!python/object:os.system x",
    "binary": "a: !!binary aGVsbG8=",
    "anchor_of_a_list": "a: &x [1]\nb: *x\n",
    "unknown_anchor": "a: *x\n",
    "list_at_the_top": "- 1\n- 2\n",
    "number_with_a_point": "a: 1.5\n",
    "rate_with_a_point": "rate: 0.5\nadd: 0.1\n",
    "points_with_a_point": "b: 1\nadd: 0.1\n",
    "yes": "a:\n  - yes\n",
    "capital": "a: True\n",
    "tilde": "a: ~\nb: 1_0\n",
    "octal": "a: 0o17\nb: 0310\n",
    "time": "a: 2026-01-01T00:00:00\n",
    "short_date": "a: 2026-1-1\n",
    "long_number": "a: -1234567890123456\n",
    "longest_number": "a: -123456789012345\nb: 0310\n",
    "key_twice": "a: 1\nb:\n  c: 1\n  c: 2\n",
    "number_as_key": "a: 1\n2: b\n",
    "true_as_key": "true: b\n",
    "control_character": 'a: "x\\a"\n',
    "control_character_in_a_key": '"x\\x85": 1\n',
    "tab_in_a_text": 'a: "x\\ty"\nb: 1.5\n',
    "grouped_amount": "a: {amount: 1,000, clause: c}\n",
    "grouped_twice": "a:\n  b: {amount: 1, 000, 000}\n",
    "text_with_a_comma": "a: {clause: 甲, 乙, rate: 1}\n",
    "text_with_two_commas": "a: {clause: 甲, 乙, 丙}\n",
    "keys_without_values": "a: {b, c}\n",
    "too_deep": "[" * 41 + "]" * 41,
    "deepest": "[" * 40 + "]" * 40,
    "too_long": "#" * 200_001,
}
"""Texts that are no plan file, or not in a way that YAML would read as meant."""


def unreadable() -> Iterator[str]:
    """Yield what is said of texts that are no plan file."""
    for name, text in UNREADABLE.items():
        yield f"## {name}"
        yield from _refusals(text)


def _refusals(text: str) -> Iterator[str]:
    try:
        load_plan(text, "plan.yaml")
    except PlanRefused as refused:
        yield from (
            f"{each.id} {each.severity.value} {each.file}:{each.line}\n{each.zh}\n{each.en}"
            for each in refused.findings
        )


WRONG_FORMS: dict[str, tuple[tuple[str, str], ...]] = {
    "rate_in_many_ways": (
        ('rate: "50%"', "rate: [50]"), ('rate: "90%"', "rate: {a: 1}"), ('rate: "60%"', "rate: true"),
    ),
    "amount_as_keys": (("amount: 30200", "amount: {value: 30200}"),),
    "amount_as_choices": (("amount: 30200", "amount: [{when: {age: 3}, value: 1}, {value: x}, {valeu: 1}, 5]"),),
    "amount_of_no_choice": (("amount: 30200", "amount: []"),),
    "when_in_many_ways": (
        (
            "amount: 30200",
            "amount: [{when: {age: {at_last: 3}, sex: female, hospital_level: [x], nobody: [1]}, value: 1}]",
        ),
    ),
    "bounds_of_text": (("amount: 30200", "amount: [{when: {age: {at_least: many}}, value: 1}, {value: 2}]"),),
    "unknown_keys": (("          - rule: burden_limit\n", "          - rule: burden_limit\n            amonut: 3\n"),),
    "unknown_key_of_a_band": (("{above: 0, up_to: 1000,", "{above: 0, upto: 1000,"),),
    "unknown_key_at_the_top": (("\ncase_facts:", "\ncase_fatcs:"),),
    "unknown_key_of_a_fact": (("{allowed: 300}", "{alowed: 300}"), ("  hospital_level: 3\n", "  hospital_levle: 3\n")),
    "rule_without_its_kind": (("          - rule: burden_limit\n            clause", "          - clause"),),
    "base_of_nothing": (("          plus: [allowed]\n          minus: [insurer_paid, provider_absorbed]\n", ""),),
    "text_where_a_list_is_due": (("plus: [allowed]", "plus: allowed"), ("one_of: [2, 3]", "one_of: 2")),
    "text_where_keys_are_due": (("  stay_date: discharge\n", "  stay_date: discharge\n  stays: never\n"),),
    "number_where_text_is_due": (("code: hangzhou", "code: 12"), ("    zh: ", "    zh: 3 #")),
    "text_where_a_number_is_due": (("format: 1", "format: one"),),
    "another_format": (("format: 1", "format: 2"),),
    "yes_where_a_word_is_due": (("stay_date: discharge", "stay_date: true"),),
    "long_version": (('version: "2018"', 'version: "twenty-one-letters-ab"'),),
    "empty_texts": (("    zh: ", '    zh: "" #'), ("    en: ", '    en: "" #')),
    "no_bands": (("            bands:\n", "            bands: []\n            choices:\n"),),
    "no_cases_and_no_versions": (
        ("\ncases:\n", "\ncases: []\nothers:\n"), ("\nversions:\n", "\nversions: []\nothers2:\n"),
    ),
    "year_that_begins_nowhere": (
        ("          kind: calendar_year\n", '          kind: year_from\n          starts: "9月1日"\n'),
    ),
    "term_of_no_kind": (("          kind: calendar_year\n", "          kind: calender_year\n"),),
    "nothing_declared": (("  stay_date: discharge\n", ""), ("  overpayment:\n", "  overpaid:\n")),
    "a_day_that_is_none": (("effective_from: 2018-01-01", "effective_from: 2018-02-30"),),
    "a_negative_count": (
        ("stay_date: discharge\n", "stay_date: discharge\n  stays: {merge_within_days: -1, same: any, clause: c}\n"),
    ),
    "a_large_count": (
        ("stay_date: discharge\n", "stay_date: discharge\n  stays: {merge_within_days: 9999, same: any, clause: c}\n"),
    ),
}  # fmt: skip
"""Changes of form to Hangzhou's file, each wrong in its own way."""


def wrong_forms() -> Iterator[str]:
    """Yield what is said of plans whose form is wrong."""
    for name, changes in WRONG_FORMS.items():
        yield f"## {name}"
        text = FEW_CASES
        for before, after in changes:
            assert before in text, before
            text = text.replace(before, after, 1)
        yield from _refusals(text)


def differences() -> Iterator[str]:
    """Yield what differs where only an order differs, and between plans that have little in common."""
    text = HANGZHOU.versions[0].canonical()
    reordered = json.loads(read_plan(LIBRARY / "hangzhou.yaml").versions[0].canonical())
    before = json.dumps(reordered)
    reordered["body"]["benefits"].reverse()
    for old, new in ((before, json.dumps(reordered)), (text, ALLSORTS.versions[0].canonical())):
        yield "##"
        yield from (json.dumps(each.to_json(), ensure_ascii=False) for each in diff_versions(old, new))


FIGURES = BillFigures(
    billed=Money(10_00),
    excluded=Money(1_01),
    over_limit=Money(1_02),
    upfront_share=Money(1_03),
    allowed=Money(6_94),
    insurer_deductible=Money(1_05),
    funds=InsurerFunds(*(Money(number) for number in range(1, 10))),
    provider_absorbed=Money(1_07),
    patient_share=Money(8_48),
    account_paid=Money(1_09),
    family_account_paid=Money(11),
    cash_before_aid=Money(7_39),
)
FACTS = replace(
    STAY,
    other_paid=Money(3_03),
    stated={"bed": Money(4_04)},
    shares={"critical": 2},
    covers=((date(2025, 1, 1), date(2025, 12, 31)), (date(2026, 1, 1), date(2026, 12, 31))),
    event="cancer",
    event_on=date(2026, 2, 1),
    cover_first_day=date(2026, 1, 1),
    cover_last_day=date(2026, 12, 31),
    covered_since=date(2020, 5, 1),
    counted_from=date(2026, 3, 1),
    plan_since=date(2019, 1, 1),
)


def receipts() -> Iterator[str]:
    """Yield receipts as they are kept, with their hashes, and what is said of those that are not what they were."""
    plan, version = a_compiled_plan(), HANGZHOU.versions[0]
    used = {"inpatient": UsedRoom(Money(206_700), Money(206_701), Money(73_350), 3, 4, Money(5))}
    figures = replace(a_bill(allowed=800_000), funds=FIGURES.funds)
    receipt = make_receipt(plan, Inputs(figures, FACTS), used, plan.adjudicate(figures, FACTS, used))
    kept = keep_receipt(receipt.to_json(), receipt.hash, version.canonical())
    yield kept
    inputs = Inputs(FIGURES, FACTS)
    yield f"{inputs.to_json()} {Inputs.from_json(inputs.to_json()) == inputs}"
    yield f"{facts_from_json({'care': 'outpatient', 'settled_on': '2026-03-10', **_unknown()})}"
    yield f"{used_to_json(used)} {used_from_json(used_to_json(used)) == used}"
    for name, change in _changed_receipts().items():
        changed = json.loads(kept)
        change(changed)
        yield f"## {name}"
        yield _replayed(json.dumps(changed))
    yield from (
        f"{text!r}: {_replayed(text)}" for text in ("", "[]", "1", "{}", '{"receipt": {"inputs": {}}, "plan": ""}')
    )
    shared = read_plan(HERE / "extra" / "sanming-purses.yaml")
    for priced in price_in_order(shared, shared.file.cases[0].bills):
        assert not isinstance(priced, str)
        yield from (json.dumps(benefit_to_json(benefit), ensure_ascii=False) for benefit in priced.benefits)
    shares = [FundingShare(purse="a", rate=Fraction(1, 3)), FundingShare(purse="b", rate=Fraction(1, 3))]
    for amount, given in ((Money(1_00), [*shares, FundingShare(purse="c")]), (Money(5), shares[:1]), (Money(5), [])):
        yield f"{amount.yuan()} = {[(purse, part.yuan()) for purse, part in funded(amount, given)]}"


def _unknown() -> dict[str, None]:
    return dict.fromkeys(("admitted_on", "discharged_on", "hospital_level", "insurance_type", "person_category"))


def _changed_receipts() -> dict[str, Callable[[dict[str, Any]], object]]:
    """Return what may have happened to a kept receipt, or to this program."""

    def result(kept: dict[str, Any]) -> dict[str, Any]:
        of_benefit: dict[str, Any] = kept["receipt"]["result"][0]
        return of_benefit

    return {
        "unchanged": lambda kept: None,
        "another_amount": lambda kept: result(kept).update(amount="1.00"),
        "another_step": lambda kept: result(kept)["steps"][0].update(delta="-1.00"),
        "a_step_more": lambda kept: result(kept)["steps"].append(
            {"kind": "k", "delta": "1", "label": "l", "clause": "c"}
        ),
        "another_term": lambda kept: result(kept)["term"].update(code="2025"),
        "another_engine": lambda kept: kept["receipt"].update(engine_version="0"),
        "another_hash": lambda kept: kept.update(receipt_hash="0"),
        "another_plan": lambda kept: kept["receipt"].update(plan_digest="0"),
        "a_plan_that_is_none": lambda kept: kept.update(plan="{}"),
        "no_plan": lambda kept: kept.pop("plan"),
        "no_amount": lambda kept: kept["receipt"]["inputs"]["figures"].pop("allowed"),
        "an_unknown_fact": lambda kept: kept["receipt"]["inputs"]["facts"].update(hospital_level=None),
        "no_room": lambda kept: kept["receipt"].update(used_before={}),
        "room_of_the_first_engine": lambda kept: kept["receipt"]["used_before"]["inpatient"].pop("deductible"),
    }


def _replayed(text: str) -> str:
    try:
        replayed = replay_kept(text)
    except ReceiptUnusable as unusable:
        return f"{unusable.code}: {unusable}"
    return "\n".join([f"{replayed.same} {replayed.aid_then.yuan()} {replayed.aid_now.yuan()}", *replayed.changes])


ROW = {"member": "M1", "settled_on": "2025-03-10", "care": "inpatient", "allowed": "1000.50", "insurer_paid": "600"}
ROW |= {"admitted_on": "2025-03-01", "discharged_on": "2025-03-10"}
FULL_ROW = ROW | {
    **{name: f"{number + 1}.0{number % 10}" for number, name in enumerate(AMOUNTS) if name not in ROW},
    "insurer_paid": "",
    "event_on": "20250201",
    "cover_first_day": "2025-01-01",
    "cover_last_day": "2025-12-31",
    "covered_since": "2020-05-01",
    "paid": "12.34",
    "hospital_level": "三级",
    "person_category": "退休",
    "insurance_type": "310",
    "hospital_category": "general",
    "diagnosis": "C50",
    "severity": "mild",
    "region": "r",
    "unit_class": "u",
    "place": "local",
    "setting": "inpatient",
    "event": "cancer",
    "age": "45",
    "sex": "女",
    "consecutive_terms": "3",
    "insured": "是",
    "accident": "No",
    "union_member": "1",
    "returned": "FALSE",
    "shares": "critical：2；women: 1; ",
    "stated": "bed:60;x:0.5",
    "hospital": "H9",
    "visit": "V9",
    "receipt": "R9",
    "unit": "U9",
}
ROWS: tuple[dict[str, str], ...] = (
    FULL_ROW,
    {"allowed": " 1 ", "hospital": " ", "visit": "", "care": "门诊", "admitted_on": "", "discharged_on": ""},
    {"insurer_paid": "3.00", "hifp": "1.00", "maf": "2"},
    {"billed": "1000.50", "patient_share": "400.50", "cash_before_aid": "400.50", "unit": "u"},
    {"allowed": ""}, {"allowed": "10.005"}, {"insurer_paid": ""}, {"settled_on": ""}, {"care": ""}, {"member": ""},
    {"settled_on": "10.3.2025"}, {"settled_on": "2025-02-30"}, {"settled_on": "2201-01-01"},
    {"settled_on": "2200-12-31"},
    {"settled_on": "1899-12-31", "admitted_on": "", "discharged_on": ""}, {"admitted_on": "1900-01-01"},
    {"care": "ward"}, {"hospital_level": "4"}, {"hospital_level": "x"}, {"age": "45.0"}, {"age": "123456"},
    {"consecutive_terms": "-1"}, {"insured": "maybe"}, {"billed": "999"}, {"patient_share": "1"},
    {"cash_before_aid": "0"}, {"hifp": "500"}, {"insurer_paid": "", "hifp": "500", "oth": "x"}, {"paid": ""},
    {"paid": "-1"}, {"paid": "x"}, {"paid": "0"}, {"shares": "critical"}, {"shares": "critical:x"}, {"shares": ":2"},
    {"shares": "a:"}, {"stated": "bed:x"}, {"discharged_on": "2025-02-28"}, {"discharged_on": "2025-03-01"},
    {"discharged_on": ""}, {"person_category": "老"}, {"sex": "x"}, {"place": "x"}, {"other_paid": "1.5"},
    {"other_paid": "x"}, {"account_paid": "100"}, {"provider_absorbed": "1"},
)  # fmt: skip
HEADERS: tuple[list[str], ...] = (
    list(COLUMNS),
    ["member", "settled_on", "care"],
    ["member", "settled_on", "care", "allowed", "maf"],
    [" 会员 ", "结算日期", "就诊类型", "政策范围内", "医保支付", "随手记", " 另 "],
    [*ROW, "allowed"],
    [*ROW, "政策范围内"],
    [],
)


def rows() -> Iterator[str]:
    """Yield what is made of headers and rows of a file of bills."""
    for header in HEADERS:
        try:
            columns = Columns.of(header)
            yield f"{columns.width} {columns.not_read} {columns.has_paid} {len(columns.at)}"
        except BadHeader as bad:
            yield str(bad)
    for change in ROWS:
        row = ROW | change
        yield f"## {change if change is not FULL_ROW else 'everything'}"
        columns = Columns.of(list(row))
        try:
            bill = columns.bill(7, list(row.values()))
            yield f"{columns.member(list(row.values()))} {columns.order(bill)} {bill}"
        except BadRow as bad:
            yield str(bad)


RULES: tuple[dict[str, Any], ...] = (
    *({"rule": "deductible", "amount": 300, "once_per": span} for span in ("settlement", "receipt", "visit", "term")),
    {"rule": "franchise", "amount": "500.50", "reached": "at"},
    {"rule": "franchise", "amount": 500, "reached": "above"},
    {"rule": "rate", "rate": "50%"},
    {"rule": "minimum", "amount": 100},
    {"rule": "burden_limit"},
    {"rule": "term_limit", "amount": 20_000},
    {"rule": "limit", "over": "stay", "amount": 8000},
    {"rule": "limit", "over": "life", "times": 1},
    {"rule": "limit", "over": "term", "days": 60},
    {"rule": "less_paid", "by": ["a"], "over": "term"},
    {"rule": "not_beside", "benefits": ["a"], "over": "term"},
    {"rule": "only_beside", "benefits": ["a"], "over": "term"},
    {"rule": "bands", "bands": [{"rate": "50%", "clause": "c"}]},
)
EDGES = (
    {"rate": "50%"}, {"rate": "nothing"}, {"pays": 300}, {"up_to": 1000, "rate": "33.3%"},
    {"below": 1000, "rate": "20%"},
    {"above": 1000, "rate": "50%"}, {"from": 1000, "rate": "50%"}, {"above": 0, "up_to": "999.50", "pays": 50},
    {"above": 1000, "up_to": 10_000, "rate": "50%"}, {"from": 1000, "below": 10_000, "rate": "50%"},
    {"above": 1000, "below": 10_000, "rate": "50%"}, {"from": 1000, "up_to": 10_000, "rate": "50%"},
    {"from": 0, "up_to": 10_000, "rate": "50%"}, {"from": "0.02", "below": "0.03", "rate": "50%"},
)  # fmt: skip


def labels() -> Iterator[str]:
    """Yield what a member reads beside each rule, band and limit, and the names of amounts."""
    rule_of: TypeAdapter[Rule] = TypeAdapter(Rule)
    for written in RULES:
        rule = rule_of.validate_json(json.dumps(written if "bands" in written else {**written, "clause": "c"}))
        for amount, rate, accumulates in ((Money(123_450), Fraction(1, 3), True), (None, None, False)):
            yield f"{written}: {rule_label(rule, amount, rate, accumulates=accumulates)}"
    for edges in EDGES:
        band = Band.model_validate_json(json.dumps({**edges, "clause": "c"}))
        yield f"{edges}: {band_label(band)} | {band_label(band, whole=True)}"
    for limit in ALLSORTS.versions[0].body.limits:
        yield f"{group_label(limit, Money(100_00))} | {group_label(limit, None)}"
    yield from (plain_yuan(Money(fen)) for fen in (0, 5, 99_99, 100_000, 1_234_567_89, -100_00, -5))


def started() -> Iterator[str]:
    """Yield what each benefit of the worked cases of plans started from."""
    for name in ("hangzhou", "quanzhou", "zhongshan"):
        yield from _started(name, read_plan(LIBRARY / f"{name}.yaml"))
    yield from _started("allsorts", ALLSORTS)


def _started(name: str, plan: Plan) -> Iterator[str]:
    for case in plan.file.cases[-6:]:
        yield f"## {name}: {case.name}"
        for priced in price_in_order(plan, case.bills):
            if not isinstance(priced, str) and priced.benefits:
                for origin in priced.origins():
                    amounts = [(each.zh, each.en, each.amount.yuan()) for each in origin.amounts]
                    yield f"{origin.rules.code} {amounts} {origin.clause}"


SHOWN_TEXTS: dict[str, Callable[[], Iterator[str]]] = {
    "written.txt": yaml,
    "unreadable.txt": unreadable,
    "wrong-forms.txt": wrong_forms,
    "differences.txt": differences,
    "receipts.txt": receipts,
    "rows.txt": rows,
    "labels.txt": labels,
    "started.txt": started,
}
