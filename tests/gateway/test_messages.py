"""Reading messages: exact, tolerant of what does not matter, precise about what does."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway import shapes
from settlement.domain.errors import InvariantViolation
from settlement.domain.money import Money
from settlement.gateway.fields import Malformed
from settlement.gateway.messages import (
    LocalAnswer,
    NotJson,
    PersonOutput,
    ResponseEnvelope,
    SettlementNode,
    SettlementOutput,
    decode,
    read_answer,
)


@pytest.mark.parametrize("infcode", [0, "0"], ids=["number", "text"])
def test_infcode_is_read_as_number_or_text(infcode):
    answer = read_answer(shapes.envelope({}, infcode=infcode))
    assert isinstance(answer, ResponseEnvelope)
    assert answer.infcode == "0"


@pytest.mark.parametrize(
    "body",
    [
        '{"code":500159,"success":false,"message":"请使用医保电子凭证二维码"}',
        '{"code":0,"type":"success","message":"成功","data":{}}',
        '{"code":"999","msg":"错误"}',
        '{"infcode":null,"message":"x"}',
    ],
)
def test_an_object_without_infcode_is_a_local_answer(body):
    answer = read_answer(body)
    assert isinstance(answer, LocalAnswer)
    assert answer.message


@pytest.mark.parametrize(
    "body", ["", "<html>502</html>", '{"a": NaN}', '{"a": 1e99999999999999999999}', "[" * 100_000, b"\xff\xfe\x00"]
)
def test_a_body_that_is_not_json_is_told_so(body):
    with pytest.raises(NotJson):
        decode(body)


@pytest.mark.parametrize(
    "number",
    ["1e300000", "1E-300000", "1e21", "1e9999999", "1e99999999999999999999", "1" * 41, "0." + "1" * 39, "9" * 5000],
)
@pytest.mark.parametrize("body", ['{{"any": {{"key": [{}]}}}}', "{}"])
def test_a_number_that_no_insurer_writes_is_refused_under_any_key_before_it_is_spelt_out(number, body):
    with pytest.raises(NotJson, match="no insurer writes such a number"):
        decode(body.format(number))


@pytest.mark.parametrize("number", ["1e20", "1E-20", "-0.0", "9" * 40, "0E-10", "12345678.12345678901234567890"])
def test_numbers_of_ordinary_size_are_read(number):
    assert decode(f'{{"x": {number}}}') == {"x": Decimal(number)}


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}")])
def test_what_nests_deeper_than_any_bill_is_refused(opened, closed):
    assert decode(opened * 64 + "1" + closed * 64)
    for depth in (65, 250, 900, 100_000):
        with pytest.raises(NotJson):
            decode(opened * depth + "1" + closed * depth)


def test_a_list_is_no_envelope():
    with pytest.raises(Malformed):
        read_answer("[]")


@pytest.mark.parametrize(
    ("written", "fen"),
    [
        ("4.52", 452),
        ("0", 0),
        ("0.0", 0),
        ("-25.1", -2510),
        ('"1286.50"', 128_650),
        ('" 12.3 "', 1230),
        ('"1E+2"', 10_000),
        ("1e2", 10_000),
        ("4.520", 452),
        ("1000000000.00", 100_000_000_000),
        ("null", None),
        ('""', None),
        ('"  "', None),
    ],
)
def test_amounts_are_read_exactly_or_are_absent(written, fen):
    node = SettlementNode.read(decode(f'{{"medfee_sumamt": {written}}}'))
    assert node.medfee_sumamt == (None if fen is None else Money(fen))


@pytest.mark.parametrize(
    "written",
    [
        "4.521",
        '"4.521"',
        '"abc"',
        "true",
        "{}",
        "[1]",
        '"１２"',
        '"1_000"',
        '"1,000.00"',
        '"NaN"',
        '"Infinity"',
        "1e20",
        "1.00000000000000000000000000000000001",
        "99999999999999.00",
        "1000000000.01",
        "-1000000000.01",
    ],
)
def test_what_is_not_an_amount_names_its_field(written):
    with pytest.raises(Malformed) as refused:
        SettlementOutput.read({"setlinfo": decode(f'{{"psn_pay": {written}}}')})
    assert refused.value.field == "setlinfo.psn_part_amt"
    assert refused.value.problem == "not_money"


def test_an_amount_in_a_fund_row_names_its_row():
    rows = [{"fund_payamt": 1}, {"fund_payamt": "x"}]
    with pytest.raises(Malformed) as refused:
        SettlementOutput.read({"setlinfo": {}, "setldetail": rows})
    assert refused.value.field == "setldetail[1].fund_payamt"


def test_a_binary_float_is_our_own_fault():
    with pytest.raises(InvariantViolation):
        SettlementNode.read({"medfee_sumamt": 4.52})


@pytest.mark.parametrize(
    "rows", [[], None, [{"fund_pay_type": "", "fund_payamt": None}]], ids=["none", "null", "empty"]
)
def test_fund_rows_may_be_missing_or_empty(rows):
    assert SettlementOutput.read({"setlinfo": {}, "setldetail": rows}).setlinfo == SettlementNode()


def test_fund_rows_that_are_no_list_are_refused():
    with pytest.raises(Malformed) as refused:
        SettlementOutput.read({"setlinfo": {}, "setldetail": {"fund_payamt": 1}})
    assert (refused.value.field, refused.value.problem) == ("setldetail", "not_a_list")


def test_the_first_name_that_carries_something_is_read():
    both = SettlementNode.read(decode('{"hosp_part_amt": 505.01, "ownpay_hosp_part": 0}'))
    second = SettlementNode.read(decode('{"hosp_part_amt": null, "ownpay_hosp_part": -32.86}'))
    assert both.hosp_part_amt == Money(50_501)
    assert second.hosp_part_amt == Money(-3286)


@pytest.mark.parametrize("name", ["psn_cash_pay", "pdn_cash_pay", "cash_payamt", "cashPayamt", "psnCash_pay"])
def test_cash_has_five_names(name):
    assert SettlementNode.read({name: "1.00"}).psn_cash_pay == Money(100)


def test_a_region_adds_names_of_its_own():
    regional = {"psn_cash_pay": ("xjzf",), "acct_pay": ("grzh",)}
    node = SettlementNode.read({"xjzf": "1.00", "grzh": "2.00"}, regional)
    assert (node.psn_cash_pay, node.acct_pay) == (Money(100), Money(200))


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2025-03-10 10:15:31", "2025-03-10T02:15:31+00:00"),
        ("2025-03-10T10:15:31", "2025-03-10T02:15:31+00:00"),
        ("2025-03-10 10:15:31.0", "2025-03-10T02:15:31+00:00"),
        ("2025-03-10", "2025-03-09T16:00:00+00:00"),
    ],
)
def test_times_are_chinese_wall_clock(written, instant):
    settled_at = SettlementNode.read({"setl_time": written}).setl_time
    assert settled_at is not None
    assert settled_at.isoformat() == instant


@pytest.mark.parametrize("written", ["20250310", "2025-02-30", "gestern", 20250310, "2025-W01-1"])
def test_what_is_not_a_time_is_refused(written):
    with pytest.raises(Malformed, match="not_a_time"):
        SettlementNode.read({"setl_time": written})


@pytest.mark.parametrize("field", ["setl_time", "begndate", "enddate"])
@pytest.mark.parametrize("written", ["0001-01-01", "0001-01-01 00:00:00", "1899-12-31", "2201-01-01", "9999-12-31"])
def test_a_year_that_no_bill_is_of_is_no_time(field, written):
    with pytest.raises(Malformed) as refused:
        SettlementNode.read({field: written})
    assert (refused.value.field, refused.value.problem) == (field, "not_a_time")
    assert SettlementNode.read({field: "1900-01-01 00:00:00"}) != SettlementNode()


def test_ids_that_come_as_numbers_stay_whole():
    node = SettlementNode.read(decode('{"setl_id": 300014497225, "mdtrt_id": 1E+3, "psn_no": " x "}'))
    assert (node.setl_id, node.mdtrt_id, node.psn_no) == ("300014497225", "1000", "x")


@pytest.mark.parametrize("value", [True, {}, []])
def test_what_is_not_text_is_refused(value):
    with pytest.raises(Malformed, match="not_text"):
        SettlementNode.read({"setl_id": value})


def test_a_text_longer_than_any_field_is_refused():
    assert SettlementNode.read({"setl_id": " " + "1" * 512}).setl_id == "1" * 512
    with pytest.raises(Malformed) as refused:
        SettlementNode.read({"setl_id": "1" * 513})
    assert (refused.value.field, refused.value.problem) == ("setl_id", "too_long")


@pytest.mark.parametrize("value", ["a\0", "\0", "a\ud800b", "\udc00"])
def test_characters_that_are_no_text_are_refused(value):
    with pytest.raises(Malformed, match="not_text"):
        SettlementNode.read({"setl_id": value})


def test_what_the_insurer_tells_people_may_be_long_and_never_keeps_its_answer_from_being_read():
    answer = read_answer(shapes.envelope({}, infcode=-1, err_msg="at Settle.java\0\ud800 " * 500))
    assert isinstance(answer, ResponseEnvelope)
    assert answer.err_msg is not None
    assert (len(answer.err_msg) > 512, answer.infcode) == (True, "-1")
    answer.err_msg.encode()
    assert "\0" not in answer.err_msg


def test_a_person_has_several_insurance_rows():
    person = PersonOutput.read(
        {
            "baseinfo": {"psn_no": "1", "certno": "2", "psn_name": "测试", "age": 35, "exp_content": None},
            "insuinfo": [
                {"insutype": "310", "psn_insu_date": "2008-01-01", "paus_insu_date": None},
                {"insutype": "39999", "psn_insu_stas": "4"},
            ],
            "idetinfo": [],
        }
    )
    assert [row.insutype for row in person.insuinfo] == ["310", "39999"]
