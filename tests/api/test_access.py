"""Who may call what: every route by every role, and no hospital or fund sees or touches another's bills."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from api_matrix import ROLES, matrix
from builders import City, a_2304, a_2305, facts, open_test_resources
from calling import Callers, routes
from database import ops_engine
from serving import TOKEN_KEY
from settlement.db.access import revoke_client
from settlement.db.embedded import DatabaseUrls
from settlement.db.engine import fund_transaction
from settlement.services.events.number_events import number_all_events

KEY = "H50010302473-20250311-000001"
OPEN = {"/oauth/token", "/healthz", "/readyz", "/metrics"}


def test_the_matrix_knows_every_route():
    known = {(method, template) for method, template, *_ in matrix("x", "y")}
    assert known == {(method, route.path) for route in routes() for method in route.methods if route.path not in OPEN}


async def test_every_route_lets_in_exactly_the_roles_that_it_is_for(callers: Callers, city: City):
    lacking = {"output": a_2304(city.members[1]), "visit": facts(city)}
    settled = (await callers.call("hospital", "POST", "/v1/settlements", lacking, key=KEY)).json()
    for method, _, path, body, allowed in matrix(settled["id"], "nokey-123"):
        for role in ROLES:
            answer = await callers.call(role, method, path, body, key=f"matrix-{role.replace(' ', '-')}")
            refused = answer.status_code == 403 and answer.json()["code"] == "scope_missing"
            assert refused is (role not in allowed), f"{role} {method} {path}: {answer.status_code} {answer.text}"
            if not refused:
                assert answer.status_code not in (401, 403, 500), f"{role} {method} {path}: {answer.text}"


async def test_every_route_refuses_who_shows_no_token_or_a_bad_one(callers: Callers, city: City):
    now = datetime.now(UTC)
    good: dict[str, Any] = {
        "aud": "settlement",
        "sub": f"{city.fund_id}.hospital",
        "fund": str(city.fund_id),
        "scope": "bills:settle bills:read bills:push eligibility:read events:read ops:read",
        "hospitals": [],
        "iat": now,
        "exp": now + timedelta(minutes=5),
    }
    assert (await with_token(callers, jwt.encode(good, TOKEN_KEY, "HS256"))).status_code == 200
    bad = {
        "expired": jwt.encode(good | {"exp": now - timedelta(seconds=1)}, TOKEN_KEY, "HS256"),
        "signed by somebody else": jwt.encode(good, "x" * 48, "HS256"),
        "unsigned": jwt.encode(good, None, "none"),
        "for somebody else": jwt.encode(good | {"aud": "other"}, TOKEN_KEY, "HS256"),
        "without an end": jwt.encode({k: v for k, v in good.items() if k != "exp"}, TOKEN_KEY, "HS256"),
        "no token": "rubbish",
    }
    for name, token in bad.items():
        answer = await with_token(callers, token)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid"), name
    for method, _, path, body, _ in matrix("00000000-0000-7000-8000-000000000000", "nokey-123"):
        answer = await callers.call(None, method, path, body, key=KEY)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_missing"), f"{method} {path}"
        answer = await callers.call(
            None, method, path, body, key=KEY, headers={"Authorization": f"Bearer {bad['signed by somebody else']}"}
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid"), f"{method} {path}"


async def with_token(callers: Callers, token: str) -> Any:
    return await callers.call(None, "GET", "/v1/settlements", headers={"Authorization": f"Bearer {token}"})


async def test_a_hospital_can_neither_see_nor_touch_anothers_bill(callers: Callers, city: City, database: DatabaseUrls):
    output = a_2304(city.member)
    settled = (
        await callers.call("hospital", "POST", "/v1/settlements", {"output": output, "visit": facts(city)}, key=KEY)
    ).json()
    held = (
        await callers.call(
            "hospital",
            "POST",
            "/v1/settlements",
            {"output": a_2304(city.members[1]), "visit": facts(city, discharged_on=None)},
            key=f"{KEY}-2",
        )
    ).json()
    async with ops_engine(database) as ops:
        await number_all_events(ops)
    strangers = ("other hospital", "hospital of another fund", "platform of another fund", "staff of another fund")
    for role in strangers:
        for bill in (settled, held):
            for part in ("", "/explanation", "/proof", "/timeline"):
                seen = await callers.get(role, f"/v1/settlements/{bill['id']}{part}")
                assert (seen.status_code, seen.json()["code"]) == (404, "bill_not_found"), role
        for search in ({}, {"insurer_settlement_id": settled["insurer_settlement_id"]}):
            assert (await callers.get(role, "/v1/settlements", **search)).json()["settlements"] == []
        assert (await callers.get(role, "/v1/events")).json()["events"] == []
        assert (await callers.get(role, f"/v1/requests/{KEY}")).status_code == 404
    for role in ("other hospital", "hospital of another fund"):
        reversal = {"reason": "refund", "cancellation": a_2305(output)}
        path = f"/v1/settlements/{settled['id']}/reversals"
        refused = await callers.call(role, "POST", path, reversal, key=f"{KEY}-r")
        assert (refused.status_code, refused.json()["code"]) == (404, "bill_not_found")
        answers = {"facts": {"discharged_on": "2025-03-11"}}
        path = f"/v1/settlements/{held['id']}/answers"
        refused = await callers.call(role, "POST", path, answers, key=f"{KEY}-a")
        assert (refused.status_code, refused.json()["code"]) == (404, "bill_not_found")
    for path in ("/v1/settlements", "/v1/quotes"):
        body = {"output": output, "visit": facts(city)}
        refused = await callers.call("other hospital", "POST", path, body, key=f"{KEY}-s")
        assert (refused.status_code, refused.json()["code"]) == (403, "hospital_not_yours")
        touched = await callers.call(
            "other hospital", "POST", "/v1/settlements", body | {"visit": facts(city, level=2)}, key=f"{KEY}-t"
        )
        assert (touched.status_code, touched.json()["code"]) == (403, "hospital_not_yours")
    for bill in (settled, held):
        assert (await callers.get("hospital", f"/v1/settlements/{bill['id']}")).json() == bill
    assert len((await callers.get("staff", "/v1/settlements")).json()["settlements"]) == 2
    assert len((await callers.get("hospital", "/v1/events")).json()["events"]) == 2


async def test_the_same_bill_in_another_fund_is_another_bill(callers: Callers, city: City, other_city: City):
    output = a_2304(city.member)
    for role, fund in (("hospital", city), ("hospital of another fund", other_city)):
        body = {"output": output, "visit": facts(fund)}
        settled = await callers.call(role, "POST", "/v1/settlements", body, key=KEY)
        assert settled.status_code == 201
        assert settled.json()["mutual_aid"]["on_bill"] == "389.83"


async def test_a_token_is_granted_by_form_or_by_basic(callers: Callers):
    new = callers.clients["hospital"]
    shown = base64.b64encode(f"{new.client.client_id}:{new.secret}".encode()).decode()
    by_basic = await callers.http.post(
        f"{callers.url}/oauth/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {shown}"},
    )
    assert by_basic.status_code == 200
    assert by_basic.json()["expires_in"] == 600
    assert by_basic.json()["scope"] == "bills:settle bills:read eligibility:read events:read reconciliation:bring"
    assert by_basic.headers["cache-control"] == "no-store"
    assert await callers.token("hospital")


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({"client_secret": "wrong"}, id="a wrong secret"),
        pytest.param({"client_id": "00000000-0000-7000-8000-000000000000.x"}, id="an unknown client"),
        pytest.param({"client_id": "nobody"}, id="no client id at all"),
        pytest.param({"client_id": "00000000-0000-7000-8000-000000000000.\x00"}, id="a NUL"),
        pytest.param({"client_id": ""}, id="no client id"),
    ],
)
async def test_a_wrong_secret_or_client_gets_no_token_and_not_told_which(callers: Callers, form: dict[str, str]):
    new = callers.clients["hospital"]
    good = {"grant_type": "client_credentials", "client_id": new.client.client_id, "client_secret": new.secret}
    refused = await callers.http.post(f"{callers.url}/oauth/token", data=good | form)
    assert (refused.status_code, refused.json()["code"]) == (401, "client_refused")


async def test_a_broken_basic_header_gets_no_token(callers: Callers):
    refused = await callers.http.post(
        f"{callers.url}/oauth/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": "Basic !!!"},
    )
    assert (refused.status_code, refused.json()["code"]) == (401, "client_refused")


async def test_a_revoked_client_gets_no_token(callers: Callers, city: City, database: DatabaseUrls):
    new = callers.clients["staff"]
    async with (
        open_test_resources(database) as resources,
        fund_transaction(resources.engine, city.fund_id) as connection,
    ):
        assert await revoke_client(connection, city.fund_id, new.client.client_id, resources.clock())
    form = {"grant_type": "client_credentials", "client_id": new.client.client_id, "client_secret": new.secret}
    refused = await callers.http.post(f"{callers.url}/oauth/token", data=form)
    assert (refused.status_code, refused.json()["code"]) == (401, "client_refused")
