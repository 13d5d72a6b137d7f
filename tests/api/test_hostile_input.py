"""What no honest caller sends: it is refused plainly, at once, and without being read further than it must be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from builders import City, a_2304, a_2305, facts
from calling import Callers, body_of
from database import rows_of
from serving import service_process
from settlement.db.embedded import DatabaseUrls

KEY = "H50010302473-20250311-000001"
MEBIBYTE = 2**20
DEEP = "[" * 900 + "]" * 900
ABSURD = ("1e4300", "1e300000", "-1E-300000", "9" * 100_000, DEEP, DEEP + ', "y": "\\u4e00"')


def sent_with(city: City, written: str) -> bytes:
    """Return a settlement whose answer has something odd under a key that nobody reads."""
    body = body_of({"output": a_2304(city.member), "visit": facts(city)})
    return body.replace(b'"setlinfo": {', b'"setlinfo": {"zz": ' + written.encode() + b", ", 1)


@pytest.mark.parametrize("written", ABSURD)
@pytest.mark.parametrize("path", ["/v1/settlements", "/v1/quotes"])
async def test_absurd_numbers_and_nesting_are_refused_under_any_key(
    callers: Callers, city: City, database: DatabaseUrls, path: str, written: str
):
    refused = await callers.call("hospital", "POST", path, sent_with(city, written), key=KEY)
    assert (refused.status_code, refused.json()["code"]) == (422, "request_invalid")
    assert "no insurer" in refused.json()["errors"][0]["what"]
    assert rows_of(database, "SELECT count(*) FROM bill") == [(0,)]


async def test_while_absurd_numbers_arrive_the_process_stays_alive_for_others(callers: Callers, city: City):
    await callers.token("hospital")
    began = time.monotonic()
    attack = asyncio.gather(
        *(
            callers.call("hospital", "POST", "/v1/settlements", sent_with(city, "1e30000000"), key=f"{KEY}-{number}")
            for number in range(20)
        )
    )
    await asyncio.sleep(0)
    assert (await callers.get(None, "/healthz")).status_code == 200
    assert {answer.status_code for answer in await attack} == {422}
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("setl_time", "0001-01-01 00:00:00", "not_a_time"),
        ("setl_time", "9999-12-31 23:59:59", "not_a_time"),
        ("begndate", "0001-01-01", "not_a_time"),
        ("setl_id", "7" * 5000, "too_long"),
        ("invono", "x" * 513, "too_long"),
        ("mdtrt_id", "x" * 100_000, "too_long"),
        ("medfee_sumamt", "9000000000000.00", "not_money"),
    ],
)
async def test_a_value_that_no_record_can_hold_is_refused_by_its_field(
    callers: Callers, city: City, field: str, value: str, problem: str
):
    output = a_2304(city.member)
    output["setlinfo"][field] = value
    for path in ("/v1/settlements", "/v1/quotes"):
        body = {"output": output, "visit": facts(city)}
        refused = await callers.call("hospital", "POST", path, body, key=KEY, headers={"Accept-Language": "en"})
        assert (refused.status_code, refused.json()["code"]) == (422, "message_unreadable")
        assert (refused.json()["field"], refused.json()["problem"]) == (f"setlinfo.{field}", problem)
        assert f"{field} cannot be read ({problem})" in refused.json()["detail"]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_a_stay_in_a_year_of_no_bill_is_refused_by_its_field(callers: Callers, city: City, day: str):
    body = {"output": a_2304(city.member), "visit": facts(city, discharged_on=day)}
    refused = await callers.call("hospital", "POST", "/v1/settlements", body, key=KEY)
    assert (refused.status_code, refused.json().get("field")) == (422, "discharged_on")


async def test_a_pushed_line_that_no_record_can_hold_is_refused_alone(callers: Callers, city: City):
    def line(**changes: Any) -> dict[str, Any]:
        return {"output": a_2304(city.member, **changes), "facts": facts(city)}

    cancelled = {"output": a_2305(a_2304(city.member)), "facts": facts(city, init_setl_id="x" * 5000)}
    lines = [line(), line(setl_time="0001-01-01"), cancelled, line()]
    pushed = await callers.call("platform", "POST", "/v1/gateway/bills", {"bills": lines})
    assert [result["status"] for result in pushed.json()["results"]] == [201, 422, 422, 201]


ODD = ("%00", "a%00b", "%ED%A0%80", "%FF%FE", "%F0%9F%98%80", "%0A", "x" * 20_000)
OF_TEXT = ("area", "insurer_settlement_id", "encounter_id", "visit_no", "receipt_no", "settlement_no")
QUERIES = [
    *[("/v1/settlements", name) for name in (*OF_TEXT, "business_date", "state", "cursor", "limit")],
    *[("/v1/eligibility", name) for name in ("certificate_number", "certificate_type", "insured_person_no", "on")],
    *[("/v1/events", name) for name in ("after", "limit")],
    ("/v1/ops/summary", "business_date"),
]


@pytest.mark.parametrize(("path", "name"), QUERIES)
async def test_no_query_is_our_fault(callers: Callers, path: str, name: str):
    besides = "&certificate_number=1" if path == "/v1/eligibility" and name != "certificate_number" else ""
    for odd in (*ODD, str(2**63), "9" * 5000, "-1", "0001-01-01", "9999-12-31"):
        answer = await callers.get("staff", f"{path}?{name}={odd}{besides}")
        assert answer.status_code in (200, 422), f"{name}={odd[:20]}: {answer.text}"
        assert answer.status_code == 422 or "%00" not in odd


@pytest.mark.parametrize("odd", ODD[:-1])
async def test_no_path_is_our_fault(callers: Callers, odd: str):
    for path in (f"/v1/requests/{odd}", *(f"/v1/settlements/{odd}{part}" for part in ("", "/proof", "/timeline"))):
        assert (await callers.get("staff", path)).status_code in (404, 422)


async def test_the_last_position_there_can_be_is_an_ordinary_question(callers: Callers):
    answer = await callers.get("staff", "/v1/events", after=2**63 - 1)
    assert (answer.status_code, answer.json()["events"]) == (200, [])


async def test_without_a_valid_token_a_body_is_not_looked_at(callers: Callers):
    for headers, code in (({}, "token_missing"), ({"Authorization": "Bearer rubbish"}, "token_invalid")):
        answer = await callers.call(None, "POST", "/v1/settlements", b"{not json", key=KEY, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, code)


async def pieces(mebibytes: int) -> AsyncIterator[bytes]:
    for _ in range(mebibytes):
        yield b"x" * MEBIBYTE


async def test_a_body_without_a_declared_length_is_read_no_further_than_the_limit(callers: Callers):
    token = await callers.token("hospital")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": KEY}
    answer = await callers.http.post(f"{callers.url}/v1/settlements", content=pieces(20), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_a_huge_body_does_not_grow_the_process(callers: Callers, database: DatabaseUrls, tmp_path: Path):
    token = await callers.token("hospital")
    form = "application/x-www-form-urlencoded"
    sends = [
        ("/v1/settlements", {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}, {413}),
        ("/v1/settlements", {"Content-Type": "application/json"}, {401}),
        ("/oauth/token", {"Content-Type": form}, {413, 422}),
    ]
    with service_process(database, tmp_path) as service:
        process = psutil.Process(service.process.pid)
        before = process.memory_info().rss
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            for declared in (True, False):
                for path, headers, refusals in sends:
                    content = b"x" * (150 * MEBIBYTE) if declared else pieces(150)
                    answer = await http.post(f"{service.url}{path}", content=content, headers=headers)
                    assert answer.status_code in refusals, f"{path} {declared}: {answer.text}"
                    grown = process.memory_info().rss - before
                    assert grown < 40 * MEBIBYTE, f"{path} {declared}: {grown // MEBIBYTE} MiB"
