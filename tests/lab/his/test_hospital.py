"""The scripted hospital: its messages, its facts, and what it makes of failures."""

import pytest

from lab.builders import ADMITTED, MORNING, a_stay_bill, a_visit_bill
from lab.running import City
from settlement.lab.his import Refused, Unanswered
from settlement.lab.his.wire import read_json


async def test_message_ids_are_code_time_and_counter(city: City) -> None:
    hospital = city.hospital(first_serial=9_999)
    first, second = (hospital.message("1101", {}, at=MORNING)["msgid"] for _ in range(2))
    assert first == f"{hospital.code}202611230930159999"
    assert second == f"{hospital.code}202611230930150000"
    assert len(first) == 30


async def test_a_bill_carries_what_was_received_and_the_facts(shared_city: City) -> None:
    hospital, person = shared_city.hospital(), shared_city.person(nth=30)
    bill = await hospital.stay(person, a_stay_bill(), ADMITTED, MORNING)
    assert read_json(bill.raw)["output"] == bill.output
    assert read_json(bill.visit.trial_raw)["output"] == bill.trial
    assert bill.certificate == ("01", person.certno)
    assert bill.facts == {
        "mdtrtarea_admvs": "371600",
        "fixmedins_code": hospital.code,
        "chrg_bchno": "1",
        "insuplc_admdvs": "371600",
        "recer_sys_code": "YBXT",
        "msgid": bill.msgid,
        "ipt_otp_no": bill.visit.ipt_otp_no,
        "receipt_no": bill.facts["receipt_no"],
        "opter": "S001",
        "pay_loc": "2",
        "admitted_on": "2026-11-12",
        "discharged_on": "2026-11-23",
        "init_setl_id": None,
    }
    assert read_json(bill.as_line()) == {"infno": "2304", "output": bill.output, "facts": bill.facts}
    assert bill.amount_fen("medfee_sumamt") == bill.visit.total_fen


async def test_a_refusal_and_a_missing_answer_name_the_message(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    await hospital.cancel(bill, MORNING)
    with pytest.raises(Refused) as refused:
        await hospital.cancel(bill, MORNING)
    assert (refused.value.infno, refused.value.psn_no, refused.value.infcode) == ("2208", person.psn_no, -1)
    await city.fault("no_answer_before", infno="2208")
    with pytest.raises(Unanswered) as lost:
        await hospital.cancel(bill, MORNING)
    assert (lost.value.infno, lost.value.psn_no) == ("2208", person.psn_no)
    assert lost.value.msgid.startswith(hospital.code)


async def test_a_message_is_sent_once_even_on_a_connection_that_was_used_before(city: City) -> None:
    hospital = city.hospital()
    visit = await hospital.begin_outpatient(city.person(), a_visit_bill(), at=MORNING)
    await city.fault("no_answer_after", infno="2207")
    with pytest.raises(Unanswered):
        await hospital.settle(visit)
    assert (await city.get("stats"))["messages"]["2207"] == 1


async def test_two_settlements_may_share_a_receipt(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    first = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    visit = await hospital.begin_outpatient(person, a_visit_bill(), at=MORNING)
    second = await hospital.settle(visit, receipt_no=str(first.facts["receipt_no"]))
    assert second.facts["receipt_no"] == first.facts["receipt_no"]
    assert second.setl_id != first.setl_id
