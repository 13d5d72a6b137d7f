"""Reporting a message that the insurer did not answer: nothing is settled by it, and its timeline says what to tell."""

from __future__ import annotations

from typing import Any

import pytest

from builders import City, a_2304, facts
from calling import Callers
from database import rows_of
from settlement.db.embedded import DatabaseUrls

MESSAGE = "H500103024732025031110153000"


def report(city: City, **changes: Any) -> dict[str, Any]:
    person = city.member
    return {
        "infno": "2304",
        "msgid": MESSAGE,
        "psn_no": person.insured_person_no,
        "mdtrt_id": "300000000001",
        "visit": facts(city),
        **changes,
    }


async def test_a_reported_message_is_pending_and_its_timeline_says_what_to_tell_the_patient(
    callers: Callers, city: City, database: DatabaseUrls
):
    reported = await callers.call("hospital", "POST", "/v1/pending-messages", report(city), key="report-0001")
    assert (reported.status_code, reported.json()["state"]) == (201, "pending")
    assert reported.json()["mutual_aid"]["status"] == "none"
    timeline = (await callers.get("hospital", f"/v1/settlements/{reported.json()['id']}/timeline")).json()
    assert [step["type"] for step in timeline["steps"]] == ["settlement.pending.v1"]
    assert MESSAGE in timeline["steps"][0]["sentence"]
    assert timeline["now"]["known"] == "医保是否已结算尚不清楚。"
    assert timeline["now"]["tell_patient"].startswith("请勿重复结算或重复收费")
    assert timeline["now"]["asked_next_at"] is not None
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(0,)]


async def test_reporting_again_changes_nothing_under_whatever_key(callers: Callers, city: City, database: DatabaseUrls):
    first = await callers.call("hospital", "POST", "/v1/pending-messages", report(city), key="report-0001")
    replay = await callers.call("hospital", "POST", "/v1/pending-messages", report(city), key="report-0001")
    again = await callers.call("hospital", "POST", "/v1/pending-messages", report(city), key="report-0002")
    assert (replay.status_code, replay.headers["idempotent-replayed"]) == (201, "true")
    assert again.status_code == 200
    assert {answer.json()["id"] for answer in (first, replay, again)} == {first.json()["id"]}
    assert rows_of(database, "SELECT count(*) FROM pending_question") == [(1,)]


async def test_a_message_whose_bill_came_already_is_answered_with_that_bill(callers: Callers, city: City):
    output = a_2304(city.member, medins_setl_id=MESSAGE)
    brought = {"output": output, "visit": facts(city)}
    settled = await callers.call("hospital", "POST", "/v1/settlements", brought, key="settle-key-1")
    visit = str(output["setlinfo"]["mdtrt_id"])
    reported = await callers.call(
        "hospital", "POST", "/v1/pending-messages", report(city, mdtrt_id=visit), key="report-1"
    )
    assert (reported.status_code, reported.json()["id"]) == (200, settled.json()["id"])


async def test_a_reported_cancellation_leaves_the_bill_as_it_is_and_asks(callers: Callers, city: City):
    output = a_2304(city.member)
    brought = {"output": output, "visit": facts(city)}
    settled = await callers.call("hospital", "POST", "/v1/settlements", brought, key="settle-key-1")
    sent = report(city, infno="2305", setl_id=output["setlinfo"]["setl_id"])
    reported = await callers.call("hospital", "POST", "/v1/pending-messages", sent, key="report-0001")
    assert (reported.status_code, reported.json()["state"]) == (200, "live")
    timeline = (await callers.get("hospital", f"/v1/settlements/{settled.json()['id']}/timeline")).json()
    assert timeline["now"]["known"].startswith("互助仍有效")
    summary = (await callers.get("staff", "/v1/ops/summary")).json()
    assert summary["pending"]["cancellation"]["count"] == 1


async def test_a_cancellation_of_a_bill_that_never_came_is_not_found(callers: Callers, city: City):
    sent = report(city, infno="2305", setl_id="799999999999")
    refused = await callers.call("hospital", "POST", "/v1/pending-messages", sent, key="report-0001")
    assert (refused.status_code, refused.json()["code"]) == (404, "bill_not_found")


async def test_another_hospital_neither_reports_nor_sees_it(callers: Callers, city: City):
    refused = await callers.call("other hospital", "POST", "/v1/pending-messages", report(city), key="report-0001")
    assert (refused.status_code, refused.json()["code"]) == (403, "hospital_not_yours")
    reported = await callers.call("hospital", "POST", "/v1/pending-messages", report(city), key="report-0001")
    hidden = await callers.get("other hospital", f"/v1/settlements/{reported.json()['id']}/timeline")
    assert hidden.status_code == 404


@pytest.mark.parametrize("changes", [{"setl_id": "1"}, {"infno": "2208"}, {"infno": "2601"}, {"msgid": ""}])
async def test_a_report_that_contradicts_itself_is_refused(callers: Callers, city: City, changes: dict[str, Any]):
    refused = await callers.call("hospital", "POST", "/v1/pending-messages", report(city, **changes), key="report-0001")
    assert (refused.status_code, refused.json()["code"]) == (422, "request_invalid")
