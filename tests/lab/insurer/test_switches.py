"""Awkward behaviours that an operator can switch on."""

from datetime import timedelta

import pytest

from lab.builders import MORNING, a_visit_bill, check_identities, fen
from lab.running import City
from settlement.lab.his import Refused


async def test_a_later_settlement_must_be_cancelled_first(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    await city.switch(lifo="person")
    first = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    second = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    with pytest.raises(Refused, match="请先撤销后续结算"):
        await hospital.cancel(first, MORNING)
    with pytest.raises(Refused, match="请先撤销后续结算"):
        await hospital.reverse(person, first.msgid, "2207", MORNING)
    await hospital.cancel(second, MORNING)
    await hospital.cancel(first, MORNING)


async def test_within_a_visit_another_visit_does_not_matter(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    await city.switch(lifo="visit")
    first = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    await hospital.cancel(first, MORNING)


async def test_what_was_cleared_stays(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    old = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    new = await hospital.outpatient(person, a_visit_bill(), at=MORNING + timedelta(days=1))
    named = await hospital.outpatient(person, a_visit_bill(), at=MORNING + timedelta(days=1))
    await city.switch(cleared_through="2026-11-23", cleared=[named.setl_id])
    for bill in (old, named):
        with pytest.raises(Refused, match="该笔结算已清算，不允许撤销"):
            await hospital.cancel(bill, MORNING)
    await hospital.cancel(new, MORNING)


async def test_a_cancellation_may_echo_the_settlements_id(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    await city.switch(new_setl_id=False)
    await city.members(person)
    bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    cancelled = await hospital.cancel(bill, MORNING)
    assert cancelled.setl_id == bill.setl_id == cancelled.init_setl_id
    data = {"psn_no": person.psn_no, "setl_id": bill.setl_id, "mdtrt_id": bill.mdtrt_id}
    answer = await hospital.send("5203", {"data": data}, person, MORNING)
    assert answer.output["setlinfo"]["refd_setl_flag"] == "1"
    assert fen(answer.output["setlinfo"], "medfee_sumamt") > 0
    assert [line["infno"] for line in await city.file("2026-11-23")] == ["2207", "2208"]


async def test_a_named_persons_certificate_is_masked(city: City) -> None:
    hospital, person, other = city.hospital(), city.person(), city.person(nth=1)
    await city.switch(masked=[person.psn_no])
    masked = (await hospital.outpatient(person, a_visit_bill(), at=MORNING)).setlinfo["certno"]
    assert masked == f"{person.certno[:6]}********{person.certno[-4:]}"
    assert (await hospital.outpatient(other, a_visit_bill(), at=MORNING)).setlinfo["certno"] == other.certno


async def test_trial_and_settlement_may_differ(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    await city.switch(presettle_differs=[person.psn_no])
    bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    assert fen(bill.setlinfo, "hifp_pay") - fen(bill.trial["setlinfo"], "hifp_pay") == 100
    check_identities(bill.trial)
    check_identities(bill.output)


async def test_a_relatives_account_may_pay(city: City) -> None:
    hospital, person = city.hospital(), city.person("1103", nth=-1)
    await city.switch(family_account_fen={person.psn_no: 5_000})
    bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    assert fen(bill.setlinfo, "acct_mulaid_pay") == 5_000
    assert fen(bill.setlinfo, "acct_pay") == person.balance_fen + 5_000
    assert fen(bill.setlinfo, "balc") == 0
    check_identities(bill.output)
    assert fen((await hospital.cancel(bill, MORNING)).setlinfo, "balc") == person.balance_fen


@pytest.mark.parametrize(
    "values", [{"nothing": 1}, {"lifo": "yes"}, {"masked": "x"}, {"new_setl_id": 1}, {"family_account_fen": {"a": 1.5}}]
)
async def test_an_unknown_switch_is_not_set(city: City, values: dict[str, object]) -> None:
    before = await city.get("switches")
    response = await city.http.put(f"{city.url}/admin/switches", json=values)
    assert response.status_code == 422
    assert await city.get("switches") == before
