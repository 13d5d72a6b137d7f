"""Plans over HTTP: two people sign in by name and bring a version into force; refusals are problems of the table."""

from __future__ import annotations

from typing import Any

import pytest

from builders import City, a_2304, facts, open_test_resources
from calling import Callers, form_of
from services.test_plan_lifecycle import a_version
from settlement.db.embedded import DatabaseUrls
from settlement.services.access.add_staff import CLERK, SCOPES_OF_A_STAFF_ROLE, disable_staff
from settlement.services.access.sign_in import MOST_FAILURES

NEW = {"source": a_version("2018b", rate="30%"), "corrects": "2018"}


async def post(callers: Callers, role: str, path: str, body: Any, key: str, status: int = 201) -> dict[str, Any]:
    answer = await callers.call(role, "POST", f"/v1/plans{path}", body, key=key)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def sign_in(callers: Callers, username: str, password: str) -> Any:
    form = {"grant_type": "password", "username": username, "password": password}
    return await callers.http.post(f"{callers.url}/oauth/token", data=form)


async def test_a_correction_is_drafted_approved_published_and_lists_what_it_touches(callers: Callers, city: City):
    body = {"output": a_2304(city.member), "visit": facts(city)}
    settled = (await callers.call("hospital", "POST", "/v1/settlements", body, key="before-1234")).json()
    draft = await post(callers, "clerk", "", NEW, "draft-0001")
    assert (draft["state"], draft["warnings"], draft["author"]) == ("checked", len(draft["findings"]), "clerk")
    of_draft = f"/drafts/{draft['draft_id']}"
    refused = await post(callers, "clerk", f"{of_draft}/publication", {}, "publish-0000", 409)
    assert refused["code"] == "plan_step_refused"
    approved = await post(callers, "approver", f"{of_draft}/approvals", {"remark": "已核对"}, "approve-0001")
    assert [step["actor"] for step in approved["steps"]] == ["clerk", "head"]
    published = await post(callers, "clerk", f"{of_draft}/publication", {}, "publish-0001")
    assert published["late"] is True
    assert published["touched_count"] == 1
    again = await callers.call("clerk", "POST", f"/v1/plans{of_draft}/publication", {}, key="publish-0001")
    assert again.json() == published
    assert again.headers["idempotent-replayed"] == "true"
    touched = (await callers.get("auditor", "/v1/plans/2018b/touched")).json()
    assert touched["next_cursor"] is None
    assert touched["settlements"] == [
        {
            "id": settled["id"],
            "settlement_no": settled["settlement_no"],
            "service_date": "2025-03-11",
            "recorded_under": "2018",
            "aid_recorded": "389.83",
            "aid_now": "489.83",
            "difference": "100.00",
            "missing_fact": None,
        }
    ]
    after = {"output": a_2304(city.members[1]), "visit": facts(city)}
    newer = (await callers.call("hospital", "POST", "/v1/settlements", after, key="after-1234")).json()
    assert (newer["plan"]["version"], newer["mutual_aid"]["amount"]) == ("2018b", "489.83")
    fate = (await callers.get("clerk", "/v1/requests/publish-0001")).json()
    assert fate["body"] == published


async def test_versions_are_listed_read_and_compared(callers: Callers):
    draft = await post(callers, "clerk", "", NEW, "draft-0001")
    page = (await callers.get("operator", "/v1/plans", limit=1)).json()
    assert [plan["version"] for plan in page["plans"]] == ["2018b"]
    rest = (await callers.get("operator", "/v1/plans", limit=1, cursor=page["next_cursor"])).json()
    assert [(plan["version"], plan["state"]) for plan in rest["plans"]] == [("2018", "published")]
    whole = (await callers.get("auditor", "/v1/plans/2018b")).json()
    assert whole["source"] == NEW["source"]
    assert whole == (await callers.get("auditor", f"/v1/plans/drafts/{draft['draft_id']}")).json()
    diff = (await callers.get("staff", "/v1/plans/2018b/diff", against="2018")).json()
    rates = [found for found in diff["differences"] if found["path"].endswith("rate")]
    assert [(found["before"], found["after"]) for found in rates] == [("20%", "30%")]
    for path in ("/v1/plans/1999", "/v1/plans/1999/touched", "/v1/plans/2018/diff?against=1999"):
        missing = await callers.call("auditor", "GET", path)
        assert (missing.status_code, missing.json()["code"]) == (404, "plan_not_found")
    wrong = await callers.get("auditor", "/v1/plans/2018/touched", cursor="yesterday")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "request_invalid")


async def test_each_refusal_is_told_by_its_code_in_both_languages(callers: Callers):
    draft = await post(callers, "approver", "", NEW, "draft-0001")
    of_draft = f"/drafts/{draft['draft_id']}"
    own = await post(callers, "approver", f"{of_draft}/approvals", {}, "approve-0001", 403)
    assert own["code"] == "plan_needs_second_person"
    unreadable = await post(callers, "clerk", "", {"source": "versions: ["}, "draft-0002", 422)
    assert unreadable["code"] == "plan_refused"
    assert unreadable["findings"][0]["line"] == 1
    known = {"source": a_version("2018")}
    assert (await post(callers, "clerk", "", known, "draft-0003", 409))["code"] == "plan_version_known"
    changed = {"source": a_version("2018", rate="30%")}
    assert (await post(callers, "clerk", "", changed, "draft-0004", 409))["code"] == "plan_version_changed"
    start = {"source": a_version("2018b")}
    assert (await post(callers, "clerk", "", start, "draft-0005", 409))["code"] == "plan_start_taken"
    english = await callers.call(
        "clerk", "POST", "/v1/plans", start, key="draft-0006", headers={"Accept-Language": "en"}
    )
    assert "2018 begins on 2018-01-01" in english.json()["detail"]


async def test_another_funds_drafts_are_not_found(callers: Callers):
    draft = await post(callers, "clerk", "", NEW, "draft-0001")
    path = f"/v1/plans/drafts/{draft['draft_id']}"
    assert (await callers.get("auditor of another fund", path)).status_code == 404
    approval = await callers.call("approver of another fund", "POST", f"{path}/approvals", {}, key="approve-0001")
    assert (approval.status_code, approval.json()["code"]) == (404, "plan_not_found")
    assert (await callers.get("auditor of another fund", "/v1/plans/2018b")).status_code == 404


async def test_a_person_signs_in_by_name_and_gets_the_scopes_of_the_role(callers: Callers, city: City):
    username, password = callers.people["clerk"]
    granted = await sign_in(callers, username, password)
    assert granted.status_code == 200
    assert granted.json()["scope"].split() == [scope.value for scope in SCOPES_OF_A_STAFF_ROLE[CLERK]]
    assert granted.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("username", ["clerk", "nobody"])
async def test_a_wrong_name_or_password_is_refused_and_then_blocked_alike(callers: Callers, city: City, username: str):
    whole = f"{city.fund_id}.{username}"
    for _ in range(MOST_FAILURES):
        refused = await sign_in(callers, whole, "a wrong password")
        assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_refused")
    blocked = await sign_in(callers, whole, callers.people["clerk"][1])
    assert (blocked.status_code, blocked.json()["code"]) == (429, "sign_in_blocked")
    assert 0 < int(blocked.headers["retry-after"]) <= 900


async def test_a_name_that_no_account_has_is_refused(callers: Callers, city: City):
    for username in ("clerk", "", f"{city.fund_id}.", "00000000-0000-7000-8000-000000000000.clerk"):
        refused = await sign_in(callers, username, "a wrong password")
        assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_refused")


NOBODYS = "018f0000-0000-7000-8000-000000000000"
LIST = form_of({"source": "bureau", "business_date": "2025-03-11"}, "list", b"")


@pytest.mark.parametrize(
    ("person", "path", "body"),
    [
        ("clerk", "/v1/plans", NEW),
        ("clerk", f"/v1/settlements/{NOBODYS}/reratings", {}),
        ("clerk", f"/v1/settlements/{NOBODYS}/later-payers", {"name": "他险", "amount": "1.00", "reference": "R1"}),
        ("approver", f"/v1/reratings/{NOBODYS}/application", {}),
        ("clerk", f"/v1/reconciliations/breaks/{NOBODYS}/actions", {"action": "settle"}),
        ("clerk", "/v1/reconciliations", LIST),
    ],
)
async def test_the_token_of_an_account_that_was_disabled_changes_nothing(
    callers: Callers, city: City, database: DatabaseUrls, person: str, path: str, body: Any
):
    before = await callers.call(person, "POST", path, body, key="disabled-0001")
    assert before.status_code not in (401, 403)
    async with open_test_resources(database) as resources:
        login = callers.people[person][0].removeprefix(f"{city.fund_id}.")
        await disable_staff(resources, city.fund_id, login)
    refused = await callers.call(person, "POST", path, body, key="disabled-0002")
    assert (refused.status_code, refused.json()["code"]) == (401, "token_invalid")


async def test_an_account_that_was_disabled_does_not_sign_in(callers: Callers, city: City, database: DatabaseUrls):
    async with open_test_resources(database) as resources:
        await disable_staff(resources, city.fund_id, "clerk")
    username, password = callers.people["clerk"]
    assert (await sign_in(callers, username, password)).json()["code"] == "sign_in_refused"
