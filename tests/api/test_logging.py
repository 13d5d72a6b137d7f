"""The log of the API, whatever ASGI server runs it: JSON lines, and no value of a caller's in a traceback."""

from __future__ import annotations

import json

import pytest

from builders import City, a_2304, facts
from calling import Callers
from database import as_owner
from settlement.db.embedded import DatabaseUrls


async def test_a_fault_is_logged_as_json_without_what_the_caller_sent(
    callers: Callers, city: City, database: DatabaseUrls, capsys: pytest.CaptureFixture[str]
):
    await callers.token("hospital")
    as_owner(database, "ALTER TABLE idempotency RENAME TO idempotency_elsewhere")
    body = {"output": a_2304(city.member), "visit": facts(city)}
    answer = await callers.call("hospital", "POST", "/v1/settlements", body, key="H50010302473-20250311-000001")
    assert answer.status_code == 500
    written = capsys.readouterr()
    assert written.out == ""
    lines = [json.loads(line) for line in written.err.splitlines() if line.startswith("{")]
    (fault,) = [line for line in lines if line["event"] == "request.our_bug"]
    assert "Traceback" in fault["exception"]
    for value in (city.member.name, city.member.certificate.number, city.member.insured_person_no):
        assert value not in written.err
