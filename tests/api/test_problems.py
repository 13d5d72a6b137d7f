"""Errors: one shape on every route, and every code has a status and a sentence in both languages."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import make_url
from starlette.requests import Request

from api_matrix import ROLES, matrix
from calling import CHINESE, Callers, described, documented, routes
from database import Databases
from settlement.api import problems
from settlement.db.embedded import DatabaseUrls
from settlement.domain.sentences import SENTENCES, Language, sentence


@pytest.mark.parametrize("code", sorted(problems.STATUS))
def test_every_code_has_a_sentence_in_both_languages(code: str):
    chinese, english = (sentence(code, language) for language in (Language.CHINESE, Language.ENGLISH))
    assert CHINESE.search(chinese)
    assert not CHINESE.search(english)
    assert SENTENCES[code]
    assert 400 <= problems.STATUS[code] < 600


def test_every_documented_problem_is_shown_as_it_would_be_sent():
    for route in routes():
        for status, codes in documented(route).items():
            for code in codes:
                assert problems.STATUS[code] == int(status)


def test_every_operation_documents_its_problems_in_the_one_shape():
    _, document = described()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                if int(status) >= 400 and path != "/readyz":
                    assert list(response["content"]) == [problems.MEDIA_TYPE], f"{method} {path} {status}"


async def test_an_invalid_request_is_a_problem_on_every_route(callers: Callers):
    for method, _, path, body, allowed in matrix("not-a-uuid", "nokey-123"):
        broken = b'{"rubbish": 1}' if body is not None else None
        spoilt = re.sub(r"\?.*", "", path) + ("?limit=x&after=x&business_date=x&on=x&cursor=x" if body is None else "")
        answer = await callers.call(allowed[0], method, spoilt, broken, key="a-key-of-the-test")
        assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid"), (
            f"{method} {path}: {answer.text}"
        )
        assert all(error["where"] and error["what"] for error in answer.json()["errors"])


async def test_a_misspelt_query_parameter_is_refused_with_the_nearest_known_one(callers: Callers):
    answer = await callers.get("hospital", "/v1/settlements", setl_id="1")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "query.setl_id"
    misspelt = (await callers.get("staff", "/v1/ops/summary", busines_date="2025-03-11")).json()
    assert "did you mean business_date?" in misspelt["errors"][0]["what"]


async def test_a_refused_reversal_does_not_say_that_no_aid_was_recorded(callers: Callers):
    path = "/v1/settlements/0192a000-0000-7000-8000-000000000000/reversals"
    refused = (await callers.call("hospital", "POST", path, {"reason": "refund"}, key="reverse-1")).json()
    assert "互助未记账" not in refused["detail"]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/v1/settlements", True),
        ("/v1/quotes", True),
        ("/v1/settlements/1/reversals", False),
        ("/v1/reratings/1/application", False),
        ("/v1/settlements/1/later-payers", False),
        ("/v1/holds/1/release", False),
        ("/v1/pending-messages", False),
    ],
)
@pytest.mark.parametrize("code", ["busy", "gateway_unavailable"])
def test_only_of_a_new_bill_it_is_said_that_no_aid_was_recorded(path: str, says: bool, code: str):
    request = Request({"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b""})
    detail = json.loads(problems.refusal(request, code, {}).body)["detail"]
    assert ("互助未记账" in detail) is says
    assert ("未作任何改动" in detail) is not says


def test_of_a_command_under_way_it_is_not_said_what_it_recorded():
    assert "未记账" not in sentence("in_progress", Language.CHINESE)


async def test_an_invalid_request_is_not_repeated_in_its_answer(callers: Callers):
    body = (
        b'{"output": {}, "visit": {"fixmedins_code": {"certno": "371602199001010015"}}, "certno": "371602199001010015"}'
    )
    answer = await callers.call("hospital", "POST", "/v1/quotes", body)
    assert answer.status_code == 422
    assert "371602199001010015" not in answer.text


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_an_unknown_path_and_a_wrong_method_are_problems_too(callers: Callers, language: str):
    headers = {"Accept-Language": language}
    missing = await callers.call("hospital", "GET", "/v1/nothing", headers=headers)
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    wrong = await callers.call("hospital", "DELETE", "/v1/settlements", headers=headers)
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"]


async def test_where_the_database_is_away_every_route_says_503_and_readiness_says_why(
    callers: Callers, database: DatabaseUrls, databases: Databases
):
    for role in ROLES:
        await callers.token(role)
    assert make_url(database.app).database is not None
    databases.drop(str(make_url(database.app).database))
    unready = await callers.get(None, "/readyz")
    assert (unready.status_code, unready.json()["why"]) == (503, "the database does not answer")
    assert (await callers.get(None, "/healthz")).status_code == 200
    for method, _, path, body, allowed in matrix("00000000-0000-7000-8000-000000000000", "nokey-123"):
        answer = await callers.call(allowed[0], method, path, body, key="a-key-of-the-test")
        if path == "/v1/gateway/bills" and answer.status_code == 200:
            results = answer.json()["results"]
            assert {result["problem"]["code"] for result in results} == {"not_recorded"}
            continue
        assert (answer.status_code, answer.json()["code"]) == (503, "not_recorded"), f"{method} {path}: {answer.text}"
