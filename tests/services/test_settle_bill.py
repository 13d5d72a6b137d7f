"""Settling a bill that was brought: where the aid goes, who else pays, and what is kept of a bill that is not ours."""

from __future__ import annotations

from datetime import date

import pytest

from builders import City, a_2207, a_2304, a_person, bill_id_of, facts, settle
from database import rows_of
from settlement.db.embedded import DatabaseUrls
from settlement.domain.money import Money
from settlement.domain.settlements import OtherPayer
from settlement.services.bills.errors import (
    HospitalNotYours,
    KeyReused,
    MessageUnreadable,
    NotSettledYet,
    OtherPayersExceedCash,
    PersonNotNamed,
)
from settlement.services.resources import Resources

ALL_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"


async def test_aid_goes_on_the_bill_of_a_patient_who_pays_at_the_counter(resources: Resources, city: City):
    outcome = await settle(resources, city, a_2304(city.member))
    answer = outcome.answer
    assert outcome.created
    assert (answer["state"], answer["revision"], answer["door"]) == ("live", 1, "api")
    assert answer["mutual_aid"]["status"] == "on_bill"
    assert (answer["mutual_aid"]["on_bill"], answer["mutual_aid"]["to_card"]) == ("389.83", "0.00")
    assert (answer["bill"]["cash_before_aid"], answer["cash_due"]) == ("2079.66", "1689.83")
    assert answer["service_date"] == answer["business_date"] == "2025-03-11"
    assert answer["receipt_values"]["mutualAidPay"] == "389.83"
    assert "职工医疗互助支付 389.83 元" in answer["print_lines"]


async def test_aid_goes_to_the_card_where_nobody_stands_at_a_counter(resources: Resources, city: City):
    aid = (await settle(resources, city, a_2304(city.member), facts(city, pay_loc="4"))).answer
    assert aid["mutual_aid"]["status"] == "to_card"
    assert (aid["mutual_aid"]["on_bill"], aid["mutual_aid"]["to_card"]) == ("0.00", "389.83")
    assert aid["cash_due"] == "2079.66"
    assert aid["mutual_aid"]["reason"]["code"] == "aid_to_card"


async def test_aid_above_the_cash_due_is_split_and_the_rest_goes_to_the_card(resources: Resources, city: City):
    answer = (await settle(resources, city, a_2304(city.member, account="2200.00"))).answer
    assert answer["mutual_aid"]["status"] == "split"
    assert (answer["mutual_aid"]["on_bill"], answer["mutual_aid"]["to_card"]) == ("179.66", "210.17")
    assert answer["cash_due"] == "0.00"


async def test_a_members_visit_on_which_the_plan_pays_nothing_is_settled_with_no_aid(resources: Resources, city: City):
    answer = (
        await settle(resources, city, a_2207(city.member), facts(city, admitted_on=None, discharged_on=None))
    ).answer
    assert answer["state"] == "live"
    assert answer["mutual_aid"]["status"] == "none"
    assert answer["mutual_aid"]["amount"] == "0.00"
    assert answer["mutual_aid"]["reason"]["code"] == "plan_pays_nothing"
    assert answer["cash_due"] == answer["bill"]["cash_before_aid"]


async def test_other_payers_come_before_the_aid_and_the_rest_goes_to_the_card(resources: Resources, city: City):
    others = (OtherPayer("惠民保", Money(150_000)), OtherPayer("商保", Money(50_000)))
    answer = (await settle(resources, city, a_2304(city.member), other_payers=others)).answer
    assert answer["other_on_bill"] == "2000.00"
    assert (answer["mutual_aid"]["on_bill"], answer["mutual_aid"]["to_card"]) == ("79.66", "310.17")
    assert answer["cash_due"] == "0.00"


async def test_other_payers_cannot_pay_more_than_the_cash(resources: Resources, city: City):
    with pytest.raises(OtherPayersExceedCash) as refused:
        await settle(resources, city, a_2304(city.member), other_payers=(OtherPayer("惠民保", Money(207_967)),))
    assert refused.value.figures == {"others": "2079.67", "cash": "2079.66"}


async def test_bills_of_one_term_add_up_to_the_plans_amount_for_their_sum(resources: Resources, city: City):
    plain = {"hifp": "0.00", "absorbed": "0.00", "account": "0.00", "excluded": "0.00"}
    paid = [
        (await settle(resources, city, a_2304(city.member, allowed="20000.00", **plain))).answer["mutual_aid"]["amount"]
        for _ in range(4)
    ]
    assert paid == ["12200.00", "12000.00", "6000.00", "0.00"]


async def test_of_a_bill_that_is_not_ours_only_answer_and_tally_are_kept(
    resources: Resources, city: City, database: DatabaseUrls
):
    tables = [name for (name,) in rows_of(database, ALL_TABLES)]

    def counts() -> dict[object, object]:
        return {table: rows_of(database, f"SELECT count(*) FROM {table}")[0][0] for table in tables}

    before = counts()
    outcome = await settle(resources, city, a_2304(a_person(99)))
    assert not outcome.created
    assert outcome.answer.keys() == {"mutual_aid"}
    assert outcome.answer["mutual_aid"]["status"] == "none"
    assert outcome.answer["mutual_aid"]["reason"]["code"] == "not_a_member"
    after = counts()
    assert {table for table in tables if before[table] != after[table]} == {"idempotency", "uncovered"}
    assert after["uncovered"] == after["idempotency"] == 1
    assert rows_of(database, "SELECT business_date, door, reason FROM uncovered") == [
        (date(2025, 3, 11), "api", "not_a_member")
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"insutype": "390"}, "resident_insurance", id="resident insurance"),
        pytest.param({"psn_type": "1201"}, "retired_person", id="a retired person"),
        pytest.param({"med_type": "41"}, "pharmacy", id="a pharmacy"),
    ],
)
async def test_a_members_bill_out_of_scope_is_not_ours(resources: Resources, city: City, changes, reason):
    answer = (await settle(resources, city, a_2304(city.member, **changes))).answer
    assert answer["mutual_aid"]["reason"]["code"] == reason
    assert "id" not in answer


async def test_the_same_command_again_is_answered_from_the_record(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    first = await settle(resources, city, output, key="the-same-key")
    again = await settle(resources, city, output, key="the-same-key")
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.answer, again.created) == (first.answer, first.created)
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(1,)]


async def test_another_command_under_a_used_key_is_refused_and_changes_nothing(
    resources: Resources, city: City, database: DatabaseUrls
):
    await settle(resources, city, a_2304(city.member), key="the-same-key")
    from builders import once
    from settlement.domain.settlements import Door
    from settlement.services.bills.commands import Brought, SettleBill
    from settlement.services.bills.settle_bill import settle_bill

    other = once(city.caller, "the-same-key", "another body")
    command = SettleBill(city.caller, Door.API, Brought(a_2304(city.member), facts(city)), True, None, other)
    with pytest.raises(KeyReused):
        await settle_bill(resources, command)
    assert rows_of(database, "SELECT count(*) FROM bill") == [(1,)]


async def test_the_records_of_a_settlement_fit_each_other(resources: Resources, city: City, database: DatabaseUrls):
    bill_id = bill_id_of(await settle(resources, city, a_2304(city.member, account="2200.00")))
    postings = rows_of(database, f"SELECT debit, credit, fen FROM posting WHERE bill_id = '{bill_id}' ORDER BY line")
    assert postings == [
        ("payer:hifp", "care", 650_000),
        ("payer:provider", "care", 12_034),
        ("payer:account", "care", 220_000),
        ("payer:mutual_aid", "care", 17_966),
        ("aid", "payable:hospital", 17_966),
        ("aid", "payable:member", 21_017),
    ]
    assert rows_of(database, "SELECT benefit, term, base_fen, burden_fen, paid_fen FROM consumption ORDER BY 1") == [
        ("_stay", "2025", 0, 0, 0),
        ("inpatient", "2025", 137_966, 237_966, 38_983),
    ]
    assert rows_of(database, "SELECT type, sequence FROM event") == [("settlement.settled.v1", 1)]
    assert rows_of(database, "SELECT books_day FROM settlement") == [(1,)]


@pytest.mark.parametrize(
    ("output", "beside", "refusal"),
    [
        pytest.param({"setl_id": ""}, {}, NotSettledYet, id="no settlement id"),
        pytest.param({"setl_time": None}, {}, NotSettledYet, id="no settlement time"),
        pytest.param({"medfee_sumamt": "nine"}, {}, MessageUnreadable, id="an amount that is none"),
        pytest.param({"medfee_sumamt": "9000.005"}, {}, MessageUnreadable, id="half a fen"),
        pytest.param({"certno": None, "psn_no": None}, {}, PersonNotNamed, id="nobody named"),
        pytest.param({}, {"discharged_on": "yesterday"}, MessageUnreadable, id="a date that is none"),
    ],
)
async def test_what_cannot_be_a_bill_is_refused_and_nothing_is_kept(
    resources: Resources, city: City, database: DatabaseUrls, output, beside, refusal
):
    node = a_2304(city.member)
    node = {**node, "setlinfo": {**node["setlinfo"], **output}}
    with pytest.raises(refusal):
        await settle(resources, city, node, facts(city, **beside))
    assert rows_of(database, "SELECT count(*) FROM idempotency") == [(0,)]


async def test_a_hospitals_client_cannot_bring_what_the_insurer_says_is_another_hospitals(
    resources: Resources, city: City, database: DatabaseUrls
):
    from dataclasses import replace

    mine, theirs = city.hospitals[3], city.hospitals[2]
    bound = replace(city, caller=replace(city.caller, hospital_codes=frozenset({mine})))
    with pytest.raises(HospitalNotYours):
        await settle(resources, bound, a_2304(city.member), facts(city, level=2))
    with pytest.raises(HospitalNotYours):
        await settle(resources, bound, a_2304(city.member, fixmedins_code=theirs))
    assert rows_of(database, "SELECT count(*) FROM bill") == [(0,)]
