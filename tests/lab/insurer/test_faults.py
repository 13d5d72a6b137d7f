"""Every way in which the platform can fail to answer, and what it did meanwhile."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from lab.builders import MORNING, a_visit_bill
from lab.running import City
from settlement.lab.his import OpenVisit, Refused, Unanswered
from settlement.lab.his.gateway import Gateway, open_client
from settlement.lab.insurer import InsurerServer


async def open_visit(city: City) -> OpenVisit:
    return await city.hospital().begin_outpatient(city.person(), a_visit_bill(), at=MORNING)


async def settlement_states(city: City) -> list[str]:
    return [row["state"] for row in (await city.get("settlements"))["settlements"]]


async def test_no_answer_before_the_effect_leaves_no_trace(city: City) -> None:
    visit = await open_visit(city)
    await city.fault("no_answer_before", infno="2207")
    with pytest.raises(Unanswered):
        await city.hospital().settle(visit)
    assert await settlement_states(city) == []
    await city.hospital().settle(visit)
    assert await settlement_states(city) == ["live"]


async def test_no_answer_after_the_effect_leaves_a_settlement_that_can_be_reversed(city: City) -> None:
    hospital, visit = city.hospital(), await open_visit(city)
    await city.fault("no_answer_after", infno="2207")
    with pytest.raises(Unanswered) as lost:
        await hospital.settle(visit)
    assert await settlement_states(city) == ["live"]
    await hospital.reverse(visit.person, lost.value.msgid, "2207", MORNING)
    assert await settlement_states(city) == ["voided"]


@pytest.mark.parametrize(("kind", "states"), [("no_answer_before", []), ("no_answer_after", ["live"])])
async def test_a_connection_may_be_held_until_the_client_gives_up(city: City, kind: str, states: list[str]) -> None:
    visit = await open_visit(city)
    await city.fault(kind, infno="2207", hold=True)
    async with open_client(timeout_seconds=0.2) as impatient:
        hospital = city.hospital()
        hospital.gateway = Gateway(city.url, impatient)
        with pytest.raises(Unanswered):
            await hospital.settle(visit)
    assert await settlement_states(city) == states


async def test_the_connection_may_end_after_a_delay(city: City) -> None:
    visit = await open_visit(city)
    await city.fault("no_answer_after", infno="2207", seconds=0.15)
    started = time.monotonic()
    with pytest.raises(Unanswered):
        await city.hospital().settle(visit)
    assert time.monotonic() - started >= 0.15


async def test_a_slow_answer_is_a_good_answer(city: City) -> None:
    visit = await open_visit(city)
    await city.fault("slow", infno="2207", seconds=0.15)
    started = time.monotonic()
    assert (await city.hospital().settle(visit)).setl_id
    assert time.monotonic() - started >= 0.15


async def test_an_error_after_the_effect_carries_a_message_id(city: City) -> None:
    hospital, visit = city.hospital(), await open_visit(city)
    await city.fault("error_after", infno="2207")
    with pytest.raises(Refused) as refused:
        await hospital.settle(visit)
    assert refused.value.infcode == -1
    assert len(refused.value.refmsgid) == 30
    assert await settlement_states(city) == ["live"]
    await hospital.reverse(visit.person, refused.value.msgid, "2207", MORNING)


async def test_a_late_effect_comes_after_not_found(city: City) -> None:
    hospital, visit = city.hospital(), await open_visit(city)
    await city.fault("late", infno="2207")
    with pytest.raises(Unanswered) as lost:
        await hospital.settle(visit)
    assert await settlement_states(city) == []
    assert (await city.get("stats"))["late"] == [lost.value.msgid]
    with pytest.raises(Refused, match="未查询到原交易"):
        await hospital.reverse(visit.person, lost.value.msgid, "2207", MORNING)
    assert await settlement_states(city) == ["live"]
    await hospital.reverse(visit.person, lost.value.msgid, "2207", MORNING)
    assert await settlement_states(city) == ["voided"]


async def test_a_late_effect_may_take_some_more_time(city: City) -> None:
    hospital, visit = city.hospital(), await open_visit(city)
    await city.fault("late", infno="2207", seconds=0.1)
    with pytest.raises(Unanswered) as lost:
        await hospital.settle(visit)
    with pytest.raises(Refused):
        await hospital.reverse(visit.person, lost.value.msgid, "2207", MORNING)
    async with asyncio.timeout(5):
        while await settlement_states(city) != ["live"]:
            assert (await city.get("stats"))["late"] == []


@pytest.mark.parametrize("kind", ["http_error", "empty_body", "no_envelope"])
@pytest.mark.parametrize("effect", [False, True])
async def test_an_answer_without_an_envelope_tells_nothing(city: City, kind: str, effect: bool) -> None:
    visit = await open_visit(city)
    await city.fault(kind, infno="2207", effect=effect)
    with pytest.raises(Unanswered, match="no envelope"):
        await city.hospital().settle(visit)
    assert await settlement_states(city) == (["live"] if effect else [])


async def test_a_fault_strikes_as_often_as_it_was_set_for(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    await city.fault("no_answer_before", infno="1101", count=2)
    data = {"data": {"mdtrt_cert_type": "02", "mdtrt_cert_no": person.certno}}
    for _ in range(2):
        with pytest.raises(Unanswered):
            await hospital.send("1101", data, at=MORNING)
    await hospital.send("1101", data, at=MORNING)


async def test_a_fault_may_strike_one_person_only(city: City) -> None:
    hospital, unlucky, lucky = city.hospital(identifies=True), city.person(), city.person(nth=1)
    await city.fault("no_answer_before", psn_no=unlucky.psn_no, count=0)
    await hospital.outpatient(lucky, a_visit_bill(), at=MORNING)
    for _ in range(3):
        with pytest.raises(Unanswered):
            await hospital.outpatient(unlucky, a_visit_bill(), at=MORNING)
    await city.http.delete(f"{city.url}/admin/faults")
    await hospital.outpatient(unlucky, a_visit_bill(), at=MORNING)


async def test_unanswered_exchanges_are_in_the_raw_log(city: City, insurer: InsurerServer) -> None:
    hospital, visit = city.hospital(), await open_visit(city)
    for kind in ("no_answer_before", "no_answer_after"):
        await city.fault(kind, infno="2207")
        with pytest.raises(Unanswered):
            await hospital.settle(visit)
    before, after = _raw_log(insurer.platform.folder)[-2:]
    assert (before["response"], before["delivered"]) == (None, False)
    assert (after["response"]["infcode"], after["delivered"]) == (0, False)


@pytest.mark.parametrize(
    "fault", [{"kind": "nothing"}, {"kind": "slow", "sometimes": 1}, {"kind": "slow", "seconds": -1}]
)
async def test_an_unknown_fault_is_not_set(city: City, fault: dict[str, object]) -> None:
    response = await city.http.post(f"{city.url}/admin/faults", json=fault)
    assert response.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert (await city.get("faults"))["faults"] == []


def _raw_log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "raw.jsonl").read_text(encoding="utf-8").splitlines()]
