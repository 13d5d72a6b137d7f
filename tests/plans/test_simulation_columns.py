"""Rows of a file become bills, or are refused with the reason; nothing is guessed."""

from __future__ import annotations

from datetime import date

import pytest

from settlement.domain.money import Money
from settlement.plans.simulation.bills import BadRow, SimulatedBill
from settlement.plans.simulation.columns import BadHeader, Columns

ROW = {"member": "M1", "settled_on": "2025-03-10", "care": "inpatient", "allowed": "1000.50", "insurer_paid": "600"}
STAY = ROW | {"admitted_on": "2025-03-01", "discharged_on": "2025-03-10"}


def read(row: dict[str, str]) -> SimulatedBill:
    return Columns.of(list(row)).bill(2, list(row.values()))


def test_amounts_are_completed_by_the_identities():
    figures = read(STAY | {"excluded": "200", "provider_absorbed": "0.50", "account_paid": "100"}).figures
    assert figures.billed == 120_050
    assert figures.patient_share == 120_050 - 60_000 - 50
    assert figures.cash_before_aid == figures.patient_share - 10_000
    assert figures.funds.hifp == 60_000


def test_what_is_empty_is_not_known():
    facts = read(STAY | {"hospital_level": "", "person_category": "", "accident": ""}).facts
    assert (facts.hospital_level, facts.person_category, facts.accident) == (None, None, False)


def test_facts_are_read_by_their_kinds():
    given = {
        "hospital_level": "3",
        "age": "45",
        "insured": "false",
        "shares": "critical:2; women:1",
        "stated": "bed:60",
    }
    facts = read(STAY | given | {"event_on": "2025-02-01", "event": "cancer", "severity": "mild"}).facts
    assert (facts.hospital_level, facts.age, facts.insured) == (3, 45, False)
    assert (facts.shares, facts.stated) == ({"critical": 2, "women": 1}, {"bed": Money(6_000)})
    assert (facts.event, facts.severity, facts.event_on) == ("cancer", "mild", date(2025, 2, 1))


def test_chinese_headers_and_words_are_understood():
    header = ["会员", "结算日期", "就诊类型", "政策范围内", "医保支付", "人员类别", "医院等级", "入院日期", "出院日期"]
    cells = ["甲", "2025-03-10", "住院", "100", "60", "在职", "三级", "2025-03-01", "20250310"]
    facts = Columns.of(header).bill(2, cells).facts
    assert (facts.care, facts.person_category, facts.hospital_level) == ("inpatient", "active", 3)
    assert (facts.counted_from, facts.discharged_on) == (date(2025, 3, 1), date(2025, 3, 10))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"allowed": ""}, "allowed is empty"),
        ({"allowed": "10.005"}, "fraction of a fen"),
        ({"allowed": "1,000.50"}, "not an amount"),
        ({"insurer_paid": ""}, "insurer_paid is empty"),
        ({"settled_on": ""}, "settled_on is empty"),
        ({"settled_on": "10.3.2025"}, "not a date"),
        ({"settled_on": "2025-02-30"}, "not a date"),
        ({"settled_on": "9999-12-31"}, "not a date"),
        ({"admitted_on": "1899-12-31"}, "not a date"),
        ({"care": "ward"}, "not inpatient or outpatient"),
        ({"hospital_level": "4"}, "hospital_level: '4' is not 1 or 2 or 3"),
        ({"age": "45.0"}, "not a whole number"),
        ({"insured": "maybe"}, "neither true nor false"),
        ({"billed": "999"}, "billed is 999, the other amounts make it 1000.50"),
        ({"patient_share": "1"}, "patient_share is 1"),
        ({"hifp": "500"}, "insurer_paid is 600, its funds make it 500.00"),
        ({"paid": ""}, "write 0 where nothing was paid"),
        ({"paid": "-1"}, "paid is negative"),
        ({"shares": "critical"}, "code:value"),
        ({"discharged_on": "2025-02-01"}, "discharged_on is before admitted_on"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_the_reason(change: dict[str, str], why: str):
    with pytest.raises(BadRow, match=why.replace("(", r"\(")):
        read(STAY | change)


def test_a_row_without_member_or_with_other_cells_is_refused():
    columns = Columns.of(list(ROW))
    with pytest.raises(BadRow, match="member is empty"):
        columns.member([" ", *list(ROW.values())[1:]])
    with pytest.raises(BadRow, match="it has 4 cells, the header 5"):
        columns.member(list(ROW.values())[1:])


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (["member", "settled_on", "care"], "allowed, insurer_paid"),
        ([*ROW, "allowed"], "allowed is there twice"),
        ([*ROW, "政策范围内"], "allowed is there twice"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused(header: list[str], why: str):
    with pytest.raises(BadHeader, match=why):
        Columns.of(header)


def test_a_column_that_nobody_knows_is_named():
    assert Columns.of([*ROW, "hospital_levle"]).not_read == ("hospital_levle",)
