"""What the platform tells when it is asked: persons, visits, settlements, fee lines, accumulators."""

from typing import Any

import pytest

from lab.builders import ADMITTED, MORNING, a_stay_bill, a_visit_bill, check_identities
from lab.running import City
from settlement.lab.his import Person, Refused, SettledBill, Unanswered
from settlement.lab.his.hospital import Hospital

YEAR = {"begntime": "2026-01-01 00:00:00", "endtime": "2026-12-31 23:59:59"}


async def ask(hospital: Hospital, infno: str, person: Person, **data: str) -> dict[str, Any]:
    return (await hospital.send(infno, {"data": {"psn_no": person.psn_no, **data}}, person, MORNING)).output


async def ask_5203(hospital: Hospital, bill: SettledBill, setl_id: str) -> dict[str, Any]:
    return await ask(hospital, "5203", bill.person, setl_id=setl_id, mdtrt_id=bill.mdtrt_id)


async def test_a_person_is_found_by_identity_number_card_and_token(shared_city: City) -> None:
    hospital, person = shared_city.hospital(), shared_city.person("1102")
    by: list[dict[str, str]] = [
        {"mdtrt_cert_type": "02", "mdtrt_cert_no": person.certno},
        {"mdtrt_cert_type": "03", "mdtrt_cert_no": person.card_no, "card_sn": "1"},
        {"mdtrt_cert_type": "01", "mdtrt_cert_no": f"EC{person.certno}:abc"},
    ]
    for data in by:
        output = (await hospital.send("1101", {"data": data}, at=MORNING)).output
        assert output["baseinfo"]["psn_no"] == person.psn_no
        insurances = {row["insutype"]: row["psn_insu_stas"] for row in output["insuinfo"]}
        assert insurances == {"310": "1", "320": "1", "330": "1", "39999": "4", "510": "1"}
    with pytest.raises(Refused, match="无效token"):
        await hospital.send("1101", {"data": by[2]}, at=MORNING)


async def test_nobody_has_an_unknown_certificate(shared_city: City) -> None:
    data = {"mdtrt_cert_type": "02", "mdtrt_cert_no": "371602190001010000"}
    with pytest.raises(Refused, match="该参保人的基本信息为空") as refused:
        await shared_city.hospital().send("1101", {"data": data}, at=MORNING)
    assert refused.value.infcode == -1


async def test_a_settlement_is_shown_under_the_names_of_5203(shared_city: City) -> None:
    hospital, person = shared_city.hospital(2), shared_city.person(nth=10)
    bill = await hospital.stay(person, a_stay_bill(), ADMITTED, MORNING)
    output = await ask_5203(hospital, bill, bill.setl_id)
    check_identities(output)
    info = output["setlinfo"]
    assert info["psn_pay"] == bill.setlinfo["psn_part_amt"]
    assert info["cash_payamt"] == bill.setlinfo["psn_cash_pay"]
    assert info["medins_setl_id"] == bill.msgid
    assert (info["begndate"][:10], info["enddate"][:10]) == ("2026-11-12", "2026-11-23")
    assert (info["refd_setl_flag"], info["pay_loc"], info["year"], info["hosp_lv"]) == ("0", "2", "2026", "05")
    assert info["fixmedins_code"] == hospital.code
    assert not {"psn_part_amt", "hosp_part_amt", "psn_cash_pay"} & set(info)


async def test_a_cancelled_settlement_and_its_refund_say_so(shared_city: City) -> None:
    hospital, person = shared_city.hospital(), shared_city.person(nth=11)
    bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    cancelled = await hospital.cancel(bill, MORNING)
    original = (await ask_5203(hospital, bill, bill.setl_id))["setlinfo"]
    refund = (await ask_5203(hospital, bill, cancelled.setl_id))["setlinfo"]
    assert (original["refd_setl_flag"], refund["refd_setl_flag"]) == ("1", "1")
    assert original["medfee_sumamt"] == -refund["medfee_sumamt"] > 0
    assert (original["medins_setl_id"], refund["medins_setl_id"]) == (bill.msgid, cancelled.msgid)


async def test_a_settlement_is_shown_only_with_its_person_and_visit(shared_city: City) -> None:
    hospital, person = shared_city.hospital(), shared_city.person(nth=12)
    bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    for setl_id, mdtrt_id in [("1", bill.mdtrt_id), (bill.setl_id, "1")]:
        with pytest.raises(Refused, match="未查询到任何有效相关的记录"):
            await ask(hospital, "5203", person, setl_id=setl_id, mdtrt_id=mdtrt_id)


async def test_a_lost_settlement_is_found_through_its_fee_lines(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    visit = await hospital.begin_outpatient(person, a_visit_bill(), at=MORNING)
    found = (await ask(hospital, "5201", person, med_type="11", **YEAR))["mdtrtinfo"]
    assert [row["mdtrt_id"] for row in found] == [visit.mdtrt_id]
    lines = (await ask(hospital, "5204", person, mdtrt_id=visit.mdtrt_id))["feedetail"]
    assert [line["setl_id"] for line in lines] == [None, None, None]

    await city.fault("no_answer_after", infno="2207")
    with pytest.raises(Unanswered) as lost:
        await hospital.settle(visit)
    lines = (await ask(hospital, "5204", person, mdtrt_id=visit.mdtrt_id))["feedetail"]
    (setl_id,) = {line["setl_id"] for line in lines}
    info = (await ask(hospital, "5203", person, setl_id=setl_id, mdtrt_id=visit.mdtrt_id))["setlinfo"]
    assert info["medins_setl_id"] == lost.value.msgid
    assert sum(line["det_item_fee_sumamt"] for line in lines) == info["medfee_sumamt"]


async def test_visits_are_listed_by_span_and_kind(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    await hospital.begin_outpatient(person, a_visit_bill(), at=MORNING)
    await hospital.admit(person, a_stay_bill(), ADMITTED)
    assert len((await ask(hospital, "5201", person, med_type="", **YEAR))["mdtrtinfo"]) == 2
    assert len((await ask(hospital, "5201", person, med_type="21", **YEAR))["mdtrtinfo"]) == 1
    day = {"begntime": "2026-11-23 00:00:00", "endtime": "2026-11-23 23:59:59"}
    assert len((await ask(hospital, "5201", person, med_type="", **day))["mdtrtinfo"]) == 1


async def test_accumulators_grow_and_are_given_back(city: City) -> None:
    hospital, person = city.hospital(), city.person()

    async def totals() -> dict[str, Any]:
        rows = (await ask(hospital, "5206", person, cum_ym="202611"))["cuminfo"]
        return {row["cum_type_code"]: row["cum"] for row in rows}

    nothing = await totals()
    bill = await hospital.stay(person, a_stay_bill(), ADMITTED, MORNING)
    after = await totals()
    assert (after["STAYS"], after["HIFP"]) == (1, bill.setlinfo["hifp_pay"])
    await hospital.cancel(bill, MORNING)
    assert await totals() == nothing


async def test_signing_out_needs_the_number_of_the_sign_in(shared_city: City) -> None:
    hospital = shared_city.hospital()
    sign_no = await hospital.sign_in(MORNING)
    node = {"sign_no": sign_no, "opter_no": hospital.operator}
    answer = await hospital.send("9002", {"signOut": node}, at=MORNING)
    assert answer.output["signoutoutb"]["sign_time"] == "2026-11-23 09:30:15"
    with pytest.raises(Refused, match="签到编号无效"):
        await hospital.send("9002", {"signOut": node}, at=MORNING)
