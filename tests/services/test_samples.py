"""Settlement-bearing messages of the national interface, quoted, settled and reversed with the equation closed.

Real ones byte for byte from the folder that SETTLEMENT_SAMPLES names; the same shapes with figures of our own always.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from builders import HANGZHOU_FILE, City, Person, bill_id_of, facts, reverse, settle
from gateway import shapes
from settlement.db.bills import find_settled_bill
from settlement.db.engine import fund_transaction
from settlement.db.reports import list_postings
from settlement.domain.bills import Certificate
from settlement.domain.ids import ClientId
from settlement.domain.money import Money
from settlement.domain.scope import PersonCategory
from settlement.gateway.messages import ResponseEnvelope, SettlementOutput, read_answer
from settlement.lab.office import open_office
from settlement.services.audit.prove_bill import prove_bill
from settlement.services.bills.commands import Brought, Caller, Outcome
from settlement.services.bills.errors import CancellationOfAnother
from settlement.services.bills.quote_bill import QuoteBill, quote_bill
from settlement.services.funds.add_fund import add_fund, add_hospital, add_unit
from settlement.services.members.add_member import NewMember, add_members
from settlement.services.resources import Resources

SAMPLES = os.environ.get("SETTLEMENT_SAMPLES")
real = pytest.mark.skipif(not SAMPLES, reason="SETTLEMENT_SAMPLES names no folder of real messages")

HEBEI, CHONGQING = ("130300", "130302"), ("500100", "500102")
STAY = {"admitted_on": "2021-07-29", "discharged_on": "2021-08-05"}
VISIT = {"admitted_on": None, "discharged_on": None}


def sample(infno: str) -> dict[str, Any]:
    folder = Path(SAMPLES or "")
    nested = folder / "gateway_samples"
    body = ((nested if nested.is_dir() else folder) / f"openhis_{infno}_resp_1.json").read_bytes()
    answer = read_answer(body)
    assert isinstance(answer, ResponseEnvelope)
    assert isinstance(answer.output, dict)
    return answer.output


def changed(output: dict[str, Any], **changes: object) -> dict[str, Any]:
    return {**output, "setlinfo": {**output["setlinfo"], **changes}}


def positive(cancellation: dict[str, Any], **person: object) -> dict[str, Any]:
    """Turn the amounts of a cancellation round; what it leaves null stays null."""
    amounts = SettlementOutput.read(cancellation).setlinfo.amounts()
    aliases = {"psn_pay", "ownpay_hosp_part"}
    node = {name: value for name, value in cancellation["setlinfo"].items() if name not in aliases}
    return {"setlinfo": node | {name: (-amount).yuan() for name, amount in amounts.items()} | person}


async def enrolled(resources: Resources, output: dict[str, Any], profile: str) -> City:
    """Register a fund under a profile, with a hospital and the person of an answer as its member since 2021."""
    fund = await add_fund(resources, code="own", name="某市", gateway_profile=profile, plan_code="hangzhou")
    office = await open_office(resources, fund.fund_id)
    await office.publish(resources, HANGZHOU_FILE)
    await add_unit(resources, fund.fund_id, code="u1", name="某单位")
    hospital = "H99010000001"
    await add_hospital(resources, fund.fund_id, name="某医院", codes=(hospital,), level=3, since=date(2015, 1, 1))
    node = output["setlinfo"]
    certificate = Certificate(node["psn_cert_type"], node["certno"])
    term = (date(2021, 1, 1), date(2026, 12, 31))
    line = NewMember(node["psn_name"], certificate, "u1", PersonCategory.ACTIVE, *term)
    (member_id,) = await add_members(resources, fund.fund_id, [line])
    member = Person(node["psn_name"], certificate, node["psn_no"], member_id)
    caller = Caller(ClientId(f"{fund.fund_id}.his"), fund.fund_id, frozenset())
    return City(fund.fund_id, caller, "", "01", {3: hospital}, (member,), office)


def beside(city: City, place: tuple[str, str], **dates: object) -> dict[str, Any]:
    area, insured_area = place
    return facts(city, mdtrtarea_admvs=area, insuplc_admdvs=insured_area, **dates)


async def proved(resources: Resources, city: City, outcome: Outcome) -> dict[str, Any]:
    """Assert that the record of an outcome closes, balances and replays; return its equation without what is zero."""
    async with fund_transaction(resources.engine, city.fund_id) as connection:
        settled = await find_settled_bill(connection, city.fund_id, bill_id_of(outcome))
        postings = await list_postings(connection, city.fund_id, bill_id_of(outcome))
    assert settled is not None
    proof = prove_bill(settled, postings, await resources.rules.of(city.fund_id))
    assert (proof["closes"], proof["postings_balance"], proof["replays_to_the_same_fen"]) == (True, True, True)
    equation: dict[str, str] = proof["equation"]
    amounts = {name: Money.from_yuan(amount) for name, amount in equation.items()}
    assert amounts.pop("billed") == sum(amounts.values())
    return {name: amount for name, amount in equation.items() if amount != "0.00"}


@real
async def test_the_real_2206_is_quoted(resources: Resources):
    output = sample("2206")
    city = await enrolled(resources, output, "hebei")
    quote = await quote_bill(resources, QuoteBill(city.caller, Brought(output, beside(city, HEBEI, **VISIT))))
    assert (quote["bill"]["billed"], quote["bill"]["account_paid"], quote["cash_due"]) == ("4.52", "4.52", "0.00")
    assert quote["mutual_aid"]["reason"]["code"] == "plan_pays_nothing"


@real
async def test_the_real_2207_is_settled(resources: Resources):
    output = sample("2207")
    city = await enrolled(resources, output, "hebei")
    settled = await settle(resources, city, output, beside(city, HEBEI, **VISIT))
    assert settled.answer["insurer_settlement_id"] == "400125241"
    assert settled.answer["settled_at"] == "2021-11-29T18:09:52.000+08:00"
    assert await proved(resources, city, settled) == {"billed": "4.52", "account_paid": "4.52"}


@real
async def test_the_real_2208_reverses_the_positive_of_itself_and_not_the_2207_beside_it(resources: Resources):
    output = sample("2208")
    city = await enrolled(resources, output, "hebei")
    visit = beside(city, HEBEI, **VISIT)
    other = await settle(resources, city, sample("2207"), visit)
    with pytest.raises(CancellationOfAnother):
        await reverse(resources, city, other, output)
    settled = await settle(resources, city, positive(output), visit)
    assert await proved(resources, city, settled) == {"billed": "25.10", "account_paid": "25.10"}
    undone = await reverse(resources, city, settled, output)
    assert (undone.answer["state"], undone.answer["reversal"]["business_date"]) == ("reversed", "2021-11-26")
    await proved(resources, city, undone)


@real
async def test_the_real_2303_of_a_retired_person_is_not_covered_and_of_an_active_one_is_quoted(resources: Resources):
    output = sample("2303")
    city = await enrolled(resources, output, "chongqing")
    visit = beside(city, CHONGQING, **STAY)
    retired = await quote_bill(resources, QuoteBill(city.caller, Brought(output, visit)))
    assert retired["mutual_aid"]["reason"]["code"] == "retired_person"
    active = await quote_bill(resources, QuoteBill(city.caller, Brought(changed(output, psn_type="1101"), visit)))
    assert (active["bill"]["billed"], active["bill"]["insurer_paid"]) == ("23442.46", "18785.39")
    assert (active["cash_due"], active["mutual_aid"]["reason"]["code"]) == ("3982.02", "plan_pays_nothing")


@real
async def test_the_real_2304_of_a_retired_person_is_not_covered_and_of_an_active_one_is_settled(resources: Resources):
    output = sample("2304")
    city = await enrolled(resources, output, "chongqing")
    visit = beside(city, CHONGQING, admitted_on="2021-08-20", discharged_on="2021-08-27")
    retired = await settle(resources, city, output, visit)
    assert retired.answer.keys() == {"mutual_aid"}
    assert retired.answer["mutual_aid"]["reason"]["code"] == "retired_person"
    settled = await settle(resources, city, changed(output, psn_type="1101"), visit)
    assert await proved(resources, city, settled) == {
        "billed": "23442.46",
        "hifob": "18785.39",
        "provider_absorbed": "505.01",
        "account_paid": "170.04",
        "cash_due": "3982.02",
    }


@real
async def test_the_real_2305_reverses_the_positive_of_itself(resources: Resources):
    cancellation = sample("2305")
    person = sample("2304")["setlinfo"]
    named = {name: person[name] for name in ("psn_no", "psn_name", "psn_cert_type", "certno", "insutype", "med_type")}
    output = positive(cancellation, **named, psn_type="1101")
    city = await enrolled(resources, output, "chongqing")
    settled = await settle(resources, city, output, beside(city, CHONGQING, **STAY))
    equation = await proved(resources, city, settled)
    assert equation["billed"] == "3379.26"
    cash = Money.from_yuan(equation["cash_due"]) + Money.from_yuan(equation.get("mutual_aid_on_bill", "0"))
    assert cash == Money(130_701)
    undone = await reverse(resources, city, settled, cancellation)
    assert (undone.answer["state"], undone.answer["reversal"]["business_date"]) == ("reversed", "2021-08-05")
    await proved(resources, city, undone)


OWN = [
    pytest.param("hebei", shapes.hebei_2207(), "1286.50", "414.50", id="Hebei's 2207"),
    pytest.param("hebei", shapes.as_text_amounts(shapes.hebei_2207()), "1286.50", "414.50", id="amounts as texts"),
    pytest.param("chongqing", shapes.chongqing_2304(), "9000.00", "2079.66", id="Chongqing's 2304"),
    pytest.param("guangdong", shapes.guangdong_2207(), "500.00", "120.00", id="account money in the fund total"),
]
_PLACES = {"hebei": HEBEI, "chongqing": CHONGQING, "guangdong": ("440400", "440402")}


@pytest.mark.parametrize(("profile", "shape", "billed", "cash"), OWN)
async def test_the_same_shapes_with_figures_of_our_own_are_quoted_settled_and_reversed(
    resources: Resources, profile: str, shape: dict[str, Any], billed: str, cash: str
):
    output = shapes.through_text(shape)
    city = await enrolled(resources, output, profile)
    visit = beside(city, _PLACES[profile], admitted_on="2025-03-01", discharged_on="2025-03-11")
    quote = await quote_bill(resources, QuoteBill(city.caller, Brought(output, visit)))
    settled = await settle(resources, city, output, visit)
    assert (settled.answer["bill"]["billed"], settled.answer["bill"]["cash_before_aid"]) == (billed, cash)
    assert (quote["bill"], quote["cash_due"]) == (settled.answer["bill"], settled.answer["cash_due"])
    assert (await proved(resources, city, settled))["billed"] == billed


@pytest.mark.parametrize(
    ("profile", "of", "cancelled_by"),
    [
        pytest.param("hebei", shapes.hebei_2207, shapes.hebei_2208, id="Hebei's 2208"),
        pytest.param("chongqing", shapes.chongqing_2304, shapes.chongqing_2305, id="Chongqing's 2305"),
    ],
)
async def test_a_cancellation_with_figures_of_our_own_reverses(
    resources: Resources, profile: str, of: Any, cancelled_by: Any
):
    output = shapes.through_text(of())
    city = await enrolled(resources, output, profile)
    dates = {"admitted_on": "2025-03-01", "discharged_on": "2025-03-11"}
    settled = await settle(resources, city, output, beside(city, _PLACES[profile], **dates))
    undone = await reverse(resources, city, settled, shapes.through_text(cancelled_by(of())))
    assert undone.answer["state"] == "reversed"
    await proved(resources, city, undone)
