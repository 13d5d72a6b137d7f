"""The bureau's file of members' bills, and its push to the mutual-aid service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from lab.builders import ADMITTED, MORNING, a_stay_bill, a_visit_bill
from lab.running import City
from settlement.lab.his import CancelledBill, SettledBill
from settlement.lab.his.wire import read_json
from settlement.lab.insurer import InsurerServer

DAY = "2026-11-23"


async def test_the_file_holds_members_bills_as_the_hospital_received_them(city: City) -> None:
    hospital, member, other = city.hospital(), city.person(), city.person(nth=1)
    await city.members(member)
    bill = await hospital.outpatient(member, a_visit_bill(), at=MORNING)
    stay = await hospital.stay(member, a_stay_bill(), ADMITTED, MORNING)
    await hospital.outpatient(other, a_visit_bill(), at=MORNING)
    cancelled = await hospital.cancel(bill, MORNING)
    await hospital.outpatient(member, a_visit_bill(), at=MORNING.replace(day=24))

    response = await city.http.get(f"{city.url}/admin/file", params={"date": DAY})
    lines = [read_json(line) for line in response.text.splitlines()]
    assert [line["infno"] for line in lines] == ["2207", "2304", "2208"]
    bills: list[SettledBill | CancelledBill] = [bill, stay, cancelled]
    for line, received in zip(lines, bills, strict=True):
        assert line == {"infno": received.infno, "output": received.output, "facts": received.facts}
    assert [line["facts"]["init_setl_id"] for line in lines] == [None, None, bill.setl_id]
    assert lines[1]["facts"]["chrg_bchno"] == "1"


async def test_the_file_is_also_in_the_folder(city: City, insurer: InsurerServer) -> None:
    await city.members(city.person())
    await city.hospital().outpatient(city.person(), a_visit_bill(), at=MORNING)
    lines = await city.file(DAY)
    text = (insurer.platform.folder / "files" / f"bills-{DAY}.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line) for line in text.splitlines()] == lines
    assert len(lines) == 1


async def test_what_was_reversed_is_not_in_the_file(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    await city.members(person)
    voided = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    await hospital.reverse(person, voided.msgid, "2207", MORNING)
    kept = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    cancelled = await hospital.cancel(kept, MORNING)
    await hospital.reverse(person, cancelled.msgid, "2208", MORNING)
    assert [line["output"]["setlinfo"]["setl_id"] for line in await city.file(DAY)] == [kept.setl_id]


async def test_members_are_known_by_certificate_however_it_is_written(city: City) -> None:
    person = next(person for person in city.persons if person.certno.endswith("X"))
    members = [{"psn_cert_type": "1", "certno": f" {person.certno.lower()} "}]
    response = await city.http.put(f"{city.url}/admin/members", json={"members": members})
    assert response.json() == {"members": 1}
    await city.hospital().outpatient(person, a_visit_bill(), at=MORNING)
    assert len(await city.file(DAY)) == 1


async def test_a_strangers_bill_is_paid_elsewhere_in_the_province(city: City) -> None:
    stranger = next(person for person in city.persons if person.insuplc_admdvs == "370100")
    await city.members(stranger)
    await city.hospital().outpatient(stranger, a_visit_bill(), at=MORNING)
    (line,) = await city.file(DAY)
    facts = line["facts"]
    assert (facts["pay_loc"], facts["insuplc_admdvs"], facts["mdtrtarea_admvs"]) == ("3", "370100", "371600")


async def test_bad_requests_of_the_operator_are_named(city: City) -> None:
    assert (await city.http.get(f"{city.url}/admin/file", params={"date": "yesterday"})).status_code == 422
    assert (await city.http.get(f"{city.url}/admin/persons", params={"limit": "x"})).status_code == 422
    assert (await city.http.put(f"{city.url}/admin/members", json={"members": [{"certno": "1"}]})).status_code == 422
    assert (await city.http.put(f"{city.url}/admin/members", content=b"{")).status_code == 422


async def test_the_push_goes_in_batches_with_a_token_and_its_results_are_recorded(
    city: City, insurer: InsurerServer
) -> None:
    hospital, person = city.hospital(), city.person()
    await city.members(person)
    for _ in range(52):
        await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    async with a_service() as (url, received):
        body = {"date": DAY, "url": url, "token": "t0ken"}
        record = (await city.http.post(f"{city.url}/admin/push", json=body)).json()
    assert [len(json.loads(request["body"])["bills"]) for request in received] == [50, 2]
    assert {request["path"] for request in received} == {"/v1/gateway/bills"}
    assert {request["authorization"] for request in received} == {"Bearer t0ken"}
    sent = [bill for request in received for bill in json.loads(request["body"])["bills"]]
    assert sent == await city.file(DAY)
    assert record["sent"] == 52
    assert record["results"] == [{"n": 50}, {"n": 2}]
    kept = json.loads((insurer.platform.folder / "files" / f"push-{DAY}.json").read_text(encoding="utf-8"))
    assert kept == record


async def test_a_push_to_nobody_says_so(city: City) -> None:
    await city.members(city.person())
    await city.hospital().outpatient(city.person(), a_visit_bill(), at=MORNING)
    body = {"date": DAY, "url": "http://127.0.0.1:1", "token": ""}
    assert (await city.http.post(f"{city.url}/admin/push", json=body)).status_code == 502


@asynccontextmanager
async def a_service() -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """A stand-in for the receiving service: it keeps what it is sent and counts the bills."""
    received: list[dict[str, Any]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            body = await reader.readexactly(int(head["content-length"]))
            received.append({**head, "body": body})
            text = json.dumps({"results": [{"n": len(json.loads(body)["bills"])}]}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(text))
            writer.write(text)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", received


async def _head(reader: asyncio.StreamReader) -> dict[str, str]:
    lines = []
    while (line := await reader.readline()).strip():
        lines.append(line.decode().strip())
    if not lines:
        return {}
    headers = (line.partition(":") for line in lines[1:])
    return {"path": lines[0].split()[1], **{name.lower(): value.strip() for name, _, value in headers}}
