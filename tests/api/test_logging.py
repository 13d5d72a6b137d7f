"""The log of the API, whatever ASGI server runs it: JSON lines, and no value of a caller's in a traceback."""

from __future__ import annotations

import json
import logging
import signal
from pathlib import Path

import pytest

from builders import City, a_2304, facts
from calling import Callers
from database import as_owner
from serving import service_process
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


async def test_what_a_library_logs_is_one_json_line_with_its_traceback(
    callers: Callers, capsys: pytest.CaptureFixture[str]
):
    await callers.token("hospital")
    try:
        raise ConnectionError("the connection is lost")
    except ConnectionError:
        logging.getLogger("sqlalchemy.pool").exception("Exception during reset or similar")
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines() if "during reset" in line]
    assert (line["event"], line["library"], line["level"]) == ("library", "sqlalchemy.pool", "error")
    assert line["exception"].endswith("ConnectionError: the connection is lost")


def test_a_service_writes_json_lines_and_nothing_else_from_its_start_to_its_end(database: DatabaseUrls, tmp_path: Path):
    with service_process(database, tmp_path) as service:
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 0
    lines = [json.loads(line) for line in service.log.read_text().splitlines()]
    assert {line["event"] for line in lines} >= {"library", "request"}
