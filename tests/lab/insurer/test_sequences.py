"""Whole outpatient and inpatient sequences over real HTTP, and the undoing of each in its order."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from lab.builders import ADMITTED, MORNING, a_stay_bill, a_visit_bill, check_identities, fen
from lab.running import City, insurer_on_thread
from settlement.lab.his import Refused, open_client
from settlement.lab.his.clock import CHINA, now
from settlement.lab.his.inputs import visit_information


async def test_an_outpatient_visit_from_sign_in_to_settlement(shared_city: City) -> None:
    hospital, person = shared_city.hospital(identifies=True), shared_city.person()
    assert await hospital.sign_in(MORNING)
    bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)

    assert bill.infno == "2207"
    check_identities(bill.output)
    check_identities(bill.trial)
    info = bill.setlinfo
    assert info["medfee_sumamt"] == Decimal("1286.5")
    assert (fen(info, "fulamt_ownpay_amt"), fen(info, "preselfpay_amt")) == (8_650, 3_000)
    assert fen(info, "inscp_scp_amt") == 116_650 + 350
    assert info["medins_setl_id"] == bill.msgid
    assert info["setl_time"] == "2026-11-23 09:30:15"
    assert (bill.trial["setlinfo"]["setl_id"], bill.trial["setlinfo"]["setl_time"]) == (None, None)
    assert bill.setl_id.isdigit()
    assert bill.mdtrt_id.isdigit()
    amounts = ("fund_pay_sumamt", "psn_part_amt", "acct_pay", "psn_cash_pay")
    assert [info[name] for name in amounts] == [bill.trial["setlinfo"][name] for name in amounts]


async def test_a_stay_from_admission_to_settlement(shared_city: City) -> None:
    hospital, person = shared_city.hospital(identifies=True), shared_city.person(nth=1)
    bill = await hospital.stay(person, a_stay_bill(), ADMITTED, MORNING)

    assert bill.infno == "2304"
    check_identities(bill.output)
    check_identities(bill.trial)
    assert fen(bill.setlinfo, "overlmt_selfpay") == 1_500 * 11
    assert fen(bill.setlinfo, "act_pay_dedc") == 90_000
    assert fen(bill.setlinfo, "hifp_pay") > 0
    assert bill.facts["admitted_on"] == "2026-11-12"
    assert bill.facts["discharged_on"] == "2026-11-23"


async def test_a_costly_year_reaches_the_large_amount_fund(shared_city: City) -> None:
    hospital, person = shared_city.hospital(), shared_city.person(nth=2)
    first = await hospital.stay(person, a_stay_bill(17_000_000), ADMITTED, MORNING)
    second = await hospital.stay(person, a_stay_bill(17_000_000), ADMITTED, MORNING)
    assert fen(first.setlinfo, "hifob_pay") == 0
    assert fen(second.setlinfo, "hifob_pay") > 0
    assert fen(first.setlinfo, "hifp_pay") + fen(second.setlinfo, "hifp_pay") == 15_000_000
    assert [row["fund_pay_type"] for row in second.output["setldetail"]][:2] == ["310100", "330101"]
    check_identities(second.output)


async def test_an_outpatient_settlement_is_undone_in_order(shared_city: City) -> None:
    hospital, person = shared_city.hospital(), shared_city.person(nth=3)
    bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    with pytest.raises(Refused, match="未查询到任何有效相关的记录"):
        await hospital.delete_fees(bill.visit)

    cancelled = await hospital.cancel(bill, MORNING + timedelta(hours=1))
    check_identities(cancelled.output)
    for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay", "psn_cash_pay", "inscp_scp_amt", "act_pay_dedc"):
        assert cancelled.setlinfo[name] == -bill.setlinfo[name]
    assert cancelled.setlinfo["psn_part_amt"] is None
    assert cancelled.setl_id != bill.setl_id
    assert cancelled.facts["init_setl_id"] == bill.setl_id

    with pytest.raises(Refused, match="存在未撤销的费用明细"):
        await hospital.cancel_registration(bill.visit)
    await hospital.delete_fees(bill.visit)
    await hospital.cancel_registration(bill.visit)
    with pytest.raises(Refused, match="未查询到就诊信息"):
        await hospital.presettle(bill.visit)


async def test_a_stay_is_undone_in_order(shared_city: City) -> None:
    hospital, person = shared_city.hospital(), shared_city.person(nth=4)
    bill = await hospital.stay(person, a_stay_bill(), ADMITTED, MORNING)
    with pytest.raises(Refused, match="请先撤销结算"):
        await hospital.undo_discharge(bill.visit)
    cancelled = await hospital.cancel(bill, MORNING)
    check_identities(cancelled.output)
    assert cancelled.infno == "2305"
    assert (cancelled.setlinfo["psn_part_amt"], cancelled.setlinfo["hosp_part_amt"]) == (None, None)
    assert cancelled.setlinfo["psn_pay"] == -bill.setlinfo["psn_part_amt"]
    with pytest.raises(Refused, match="请先撤销出院"):
        await hospital.delete_fees(bill.visit)
    await hospital.undo_discharge(bill.visit)
    with pytest.raises(Refused, match="存在未撤销的费用明细"):
        await hospital.undo_admission(bill.visit)
    await hospital.delete_fees(bill.visit)
    await hospital.undo_admission(bill.visit)


async def test_cancelling_twice_is_refused_and_changes_nothing(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    await hospital.cancel(bill, MORNING)
    balance = await _balance(city, person.psn_no)
    with pytest.raises(Refused, match="该笔结算已撤销，请勿重复办理") as refused:
        await hospital.cancel(bill, MORNING)
    assert refused.value.infcode == -1
    assert await _balance(city, person.psn_no) == balance == person.balance_fen


async def test_a_batch_may_be_settled_again_after_its_cancellation(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    first = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    await hospital.cancel(first, MORNING)
    second = await hospital.settle(first.visit)
    assert second.setl_id != first.setl_id
    assert second.setlinfo["psn_cash_pay"] == first.setlinfo["psn_cash_pay"]
    with pytest.raises(Refused, match="未查询到任何有效相关的记录"):
        await hospital.settle(first.visit)


async def test_amounts_that_differ_from_the_platforms_are_refused(shared_city: City) -> None:
    hospital, person = shared_city.hospital(), shared_city.person(nth=5)
    visit = await hospital.begin_outpatient(person, a_visit_bill(), at=MORNING)
    for name in ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt"):
        right = visit.trial["setlinfo"][name]
        visit.trial["setlinfo"][name] = right + Decimal("0.01")
        with pytest.raises(Refused, match=f"上传的{name}与平台计算值不一致") as refused:
            await hospital.settle(visit)
        assert refused.value.infcode == -1
        visit.trial["setlinfo"][name] = right
    visit.fee_lines = visit.fee_lines[:-1]
    with pytest.raises(Refused, match="上传的medfee_sumamt与平台计算值不一致"):
        await hospital.settle(visit)


async def test_a_stay_is_not_settled_before_discharge(shared_city: City) -> None:
    hospital, person = shared_city.hospital(), shared_city.person(nth=6)
    visit = await hospital.admit(person, a_stay_bill(), ADMITTED)
    await hospital.presettle(visit)
    with pytest.raises(Refused, match="该就诊未办理出院"):
        await hospital.settle(visit)
    await hospital.discharge(visit, MORNING)
    assert (await hospital.settle(visit)).infno == "2304"


async def test_a_long_stay_uploads_its_lines_in_several_messages(shared_city: City) -> None:
    hospital, person = shared_city.hospital(), shared_city.person(nth=7)
    bill = await hospital.stay(person, a_stay_bill() * 60, ADMITTED, MORNING)
    assert fen(bill.setlinfo, "medfee_sumamt") == bill.visit.total_fen
    check_identities(bill.output)


@pytest.mark.parametrize("psn_type", ["1102", "1201", "1501", "1300"])
async def test_every_kind_of_person_is_settled(shared_city: City, psn_type: str) -> None:
    person = shared_city.person(psn_type)
    visit = await shared_city.hospital(2).outpatient(person, a_visit_bill(), at=MORNING)
    stay = await shared_city.hospital(2).stay(person, a_stay_bill(), ADMITTED, MORNING)
    check_identities(visit.output)
    check_identities(stay.output)
    assert stay.setlinfo["insutype"] == person.insutype
    if person.cvlserv_flag == "1":
        assert fen(stay.setlinfo, "cvlserv_pay") > 0
    if person.insutype == "340":
        assert fen(stay.setlinfo, "oth_pay") > 0


async def test_the_account_pays_only_when_asked(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    without = await hospital.outpatient(person, a_visit_bill(), use_account=False, at=MORNING)
    assert fen(without.setlinfo, "acct_pay") == 0
    used = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    assert fen(used.setlinfo, "acct_pay") > 0
    assert fen(used.setlinfo, "balc") == person.balance_fen - fen(used.setlinfo, "acct_pay")
    assert await _balance(city, person.psn_no) == fen(used.setlinfo, "balc")


async def test_a_visit_may_be_described_by_2203_too(shared_city: City) -> None:
    hospital, person = shared_city.hospital(), shared_city.person(nth=8)
    visit = await hospital.begin_outpatient(person, a_visit_bill(), at=MORNING)
    visit.med_type = "14"
    answer = await hospital.send("2203", visit_information(visit), person, MORNING)
    assert answer.output == {}
    assert (await hospital.settle(visit)).setlinfo["med_type"] == "14"


async def test_the_platform_may_go_by_its_own_clock(tmp_path: Path) -> None:
    with insurer_on_thread(tmp_path, clock="system") as server:
        async with open_client() as http:
            city = await City(server.url, http).load()
            before = now().replace(microsecond=0)
            bill = await city.hospital().outpatient(city.person(), a_visit_bill(), at=MORNING)
            settled_at = datetime.fromisoformat(bill.setlinfo["setl_time"]).replace(tzinfo=CHINA)
            assert before <= settled_at <= now()


async def _balance(city: City, psn_no: str) -> int:
    persons = (await city.get("persons"))["persons"]
    return next(int(row["balance_fen"]) for row in persons if row["psn_no"] == psn_no)
