"""2601 acts by the number of the original: it voids, restores or deletes, and proves nothing by not finding."""

import pytest

from lab.builders import ADMITTED, MORNING, a_stay_bill, a_visit_bill
from lab.running import City
from settlement.lab.his import Refused, SettledBill
from settlement.lab.his.hospital import Hospital
from settlement.lab.his.inputs import admission


async def state_of(city: City, bill: SettledBill) -> str:
    rows = (await city.get("settlements", psn_no=bill.psn_no))["settlements"]
    return next(str(row["state"]) for row in rows if row["setl_id"] == bill.setl_id)


async def query(hospital: Hospital, bill: SettledBill) -> str:
    data = {"psn_no": bill.psn_no, "setl_id": bill.setl_id, "mdtrt_id": bill.mdtrt_id}
    answer = await hospital.send("5203", {"data": data}, bill.person, MORNING)
    return str(answer.output["setlinfo"]["refd_setl_flag"])


async def test_the_reversal_of_a_settlement_voids_it(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    await hospital.reverse(person, bill.msgid, "2207", MORNING)
    assert await state_of(city, bill) == "voided"
    with pytest.raises(Refused, match="未查询到任何有效相关的记录"):
        await query(hospital, bill)
    again = await hospital.settle(bill.visit)
    assert again.setlinfo["balc"] == bill.setlinfo["balc"]
    assert again.setlinfo["act_pay_dedc"] == bill.setlinfo["act_pay_dedc"]


async def test_the_reversal_of_a_stays_settlement_voids_it(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    bill = await hospital.stay(person, a_stay_bill(), ADMITTED, MORNING)
    await hospital.reverse(person, bill.msgid, "2304", MORNING)
    assert await state_of(city, bill) == "voided"
    await hospital.undo_discharge(bill.visit)


async def test_the_reversal_of_a_cancellation_restores_the_settlement(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    cancelled = await hospital.cancel(bill, MORNING)
    assert await query(hospital, bill) == "1"
    await hospital.reverse(person, cancelled.msgid, "2208", MORNING)
    assert await state_of(city, bill) == "live"
    assert await query(hospital, bill) == "0"
    assert (await hospital.cancel(bill, MORNING)).setlinfo["balc"] == cancelled.setlinfo["balc"]


async def test_a_cancellation_whose_lines_were_settled_again_is_not_restored(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    cancelled = await hospital.cancel(bill, MORNING)
    await hospital.settle(bill.visit)
    with pytest.raises(Refused, match="不能冲正"):
        await hospital.reverse(person, cancelled.msgid, "2208", MORNING)


async def test_the_reversal_of_an_admission_deletes_the_stay(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    message = hospital.message("2401", admission(person, "ZY1", "21", ADMITTED), person, ADMITTED)
    answer = await city.gateway.post(message, person.psn_no)
    await hospital.reverse(person, answer.msgid, "2401", ADMITTED)
    data = {"mdtrt_id": answer.output["result"]["mdtrt_id"], "psn_no": person.psn_no}
    with pytest.raises(Refused, match="未查询到就诊信息"):
        await hospital.send("2404", {"data": data}, person, ADMITTED)


async def test_what_is_not_found_or_not_his_or_done_already_is_refused(city: City) -> None:
    hospital, person, other = city.hospital(), city.person(), city.person(nth=1)
    bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    for who, msgid, infno in [
        (person, "H37160000001202611230930159999", "2207"),
        (other, bill.msgid, "2207"),
        (person, bill.msgid, "2208"),
    ]:
        with pytest.raises(Refused, match="未查询到原交易") as refused:
            await hospital.reverse(who, msgid, infno, MORNING)
        assert refused.value.infcode == -1
    await hospital.reverse(person, bill.msgid, "2207", MORNING)
    with pytest.raises(Refused, match="原交易已冲正"):
        await hospital.reverse(person, bill.msgid, "2207", MORNING)


async def test_a_settlement_that_was_cancelled_is_not_voided(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    await hospital.cancel(bill, MORNING)
    with pytest.raises(Refused, match="原交易已撤销"):
        await hospital.reverse(person, bill.msgid, "2207", MORNING)
