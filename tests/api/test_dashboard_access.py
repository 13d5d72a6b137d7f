"""Who sees and does what at `/ops`: every page by every role, sessions that end, forms without their mark."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi.routing import APIRoute

from api.conftest import TwoFunds
from builders import City, a_2304, bill_id_of, open_test_resources, settle
from database import as_owner, rows_of
from desk import Desk, checked, desk_of
from services.reconciling import DAY, bureau_line
from services.reconciling import Desk as Reconciling
from settlement.dashboard.access import FORM_COOKIE, SESSION_COOKIE
from settlement.dashboard.app import create_dashboard
from settlement.db.embedded import DatabaseUrls
from settlement.domain.reconciliation import BreakKind
from settlement.services.access.add_staff import change_password, disable_staff
from settlement.services.access.sign_in import MOST_FAILURES

ROLES = ("clerk", "approver", "auditor", "operator")
READERS = {"clerk", "approver", "auditor"}
PAGES: dict[str, set[str]] = {
    "/": set(ROLES),
    "/bills": READERS,
    "/bills/{bill_id}": READERS,
    "/worklist": READERS,
    "/worklist/{item_id}": READERS,
    "/reconciliation": READERS,
    "/reconciliation/days/{day}": READERS,
    "/reconciliation/breaks/{break_id}": READERS,
    "/seals": set(ROLES),
    "/invariants": set(ROLES),
}
FORMS: dict[str, set[str]] = {
    "/worklist/{item_id}": {"clerk", "approver"},
    "/worklist/{item_id}/application": {"approver"},
    "/reconciliation/breaks/{break_id}": {"clerk", "approver"},
    "/invariants": {"operator"},
    "/sign-out": set(ROLES),
}
REMARKED = {"action": "remarked", "remark": "已致电医院"}
SENT = {"/reconciliation/breaks/{break_id}": {"action": "taken"}}
"""What is sent to a form; to the others a remark."""
REFUSED = {"/worklist/{item_id}/application": 409}
"""The item proposes no re-rating."""
OPEN = {("GET", "/sign-in"), ("POST", "/sign-in"), ("GET", "/static/{name}")}


@pytest.fixture
def ids(database: DatabaseUrls, city: City, url: str, tmp_path: Path) -> dict[str, str]:
    """A bill that came again with other figures, the item about it, and a break of a bill that only the bureau has."""
    return asyncio.run(a_changed_bill(database, city, tmp_path))


async def a_changed_bill(database: DatabaseUrls, city: City, folder: Path) -> dict[str, str]:
    async with open_test_resources(database, seed=99) as resources:
        output = a_2304(city.member)
        settled = await settle(resources, city, output)
        await settle(resources, city, a_2304(city.member, output["setlinfo"]["setl_id"], allowed="8100.00"))
        reconciling = Reconciling(resources, city, folder)
        await reconciling.bureau(bureau_line(city, output), bureau_line(city, a_2304(city.members[1])))
        found = {each.kind: str(each.break_id) for each in await reconciling.breaks()}
    ((item_id,),) = rows_of(database, "SELECT item_id FROM worklist_item")
    ids = {"bill_id": str(bill_id_of(settled)), "item_id": str(item_id)}
    return ids | {"day": str(DAY), "break_id": found[BreakKind.MISSING_HERE]}


@pytest.fixture
def desk(url: str) -> Iterator[Desk]:
    with desk_of(url) as opened:
        yield opened


def person(two_funds: TwoFunds, role: str) -> tuple[str, str]:
    return two_funds.people[role]


def test_the_tables_know_every_route_of_the_dashboard():
    routes = [route for route in flat(create_dashboard().routes) if isinstance(route, APIRoute)]
    found = {(method, route.path) for route in routes for method in route.methods}
    known = {("GET", path) for path in PAGES} | {("POST", path) for path in FORMS} | OPEN
    assert found == known


def flat(found: Any) -> Iterator[Any]:
    for route in found:
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if inner and not isinstance(route, APIRoute):
            yield from flat(inner)
        else:
            yield route


@pytest.mark.parametrize("role", ROLES)
def test_every_page_lets_in_exactly_the_roles_that_it_is_for(
    url: str, two_funds: TwoFunds, ids: dict[str, str], role: str
):
    with desk_of(url, "hz", person(two_funds, role)) as desk:
        menu = desk.get("/").text
        for path, allowed in PAGES.items():
            answer = desk.get(path.format(**ids))
            assert answer.status_code == (200 if role in allowed else 403), f"{role} {path}: {answer.text}"
            if "{" not in path:
                assert (f'href="/ops{path}"' in menu) is (role in allowed), f"{role} {path} in the menu"
        for path, allowed in sorted(FORMS.items(), reverse=True):
            if path == "/sign-out":
                continue
            answer = desk.post(path.format(**ids), mark_of="/", **SENT.get(path, REMARKED))
            expected = REFUSED.get(path, 303) if role in allowed else 403
            assert answer.status_code == expected, f"{role} {path}: {answer.text}"
        assert desk.post("/sign-out", mark_of="/").status_code == 303


def test_an_auditor_sees_all_and_finds_nothing_to_press(url: str, two_funds: TwoFunds, ids: dict[str, str]):
    with desk_of(url, "hz", person(two_funds, "auditor")) as desk:
        for path in PAGES:
            page = desk.get(path.format(**ids)).text
            assert page.count('method="post"') == page.count('action="/ops/sign-out"') == 1, path


def test_whoever_has_no_session_is_sent_to_sign_in(desk: Desk, ids: dict[str, str]):
    for path in PAGES:
        answer = desk.get(path.format(**ids))
        assert (answer.status_code, answer.headers["location"]) == (303, "/ops/sign-in"), path
    for path in FORMS:
        answer = desk.post_as_is(path.format(**ids), mark="0" * 64, action="taken")
        assert (answer.status_code, answer.headers["location"]) == (303, "/ops/sign-in"), path
    for forged in ("x", f"{ids['bill_id']}.x", f"{ids['bill_id']}.{'a' * 43}", "0" * 36 + ".", "." * 4000):
        answer = checked(httpx.get(f"{desk.url}/ops/", cookies={SESSION_COOKIE: forged}, trust_env=False))
        assert answer.status_code == 303, forged


@pytest.mark.parametrize("role", sorted(READERS))
def test_another_fund_sees_and_touches_nothing_of_this_one(
    url: str, two_funds: TwoFunds, ids: dict[str, str], database: DatabaseUrls, role: str
):
    with desk_of(url, "nb", person(two_funds, f"{role} of another fund")) as desk:
        assert desk.get(f"/bills/{ids['bill_id']}").status_code == 404
        assert desk.get(f"/worklist/{ids['item_id']}").status_code == 404
        assert desk.get(f"/reconciliation/breaks/{ids['break_id']}").status_code == 404
        for path in ("/bills", "/worklist", "/?day=2025-03-11", "/reconciliation", f"/reconciliation/days/{DAY}"):
            page = desk.get(path).text
            assert "HZ2025" not in page
            assert ids["item_id"] not in page
            assert ids["break_id"] not in page
        answer = desk.post(f"/worklist/{ids['item_id']}", mark_of="/", action="taken")
        assert answer.status_code == (403 if role == "auditor" else 404)
        answer = desk.post(f"/reconciliation/breaks/{ids['break_id']}", mark_of="/", action="settle")
        assert answer.status_code == (403 if role == "auditor" else 404)
    assert rows_of(database, "SELECT count(*) FROM reconciliation_step WHERE step > 1") == [(0,)]
    assert rows_of(database, "SELECT count(*) FROM worklist_action") == [(0,)]


def test_an_account_signs_in_at_its_own_fund_only(desk: Desk, two_funds: TwoFunds):
    name, password = person(two_funds, "clerk")
    assert desk.sign_in("hz", name, password).status_code == 303
    for fund in ("nb", "nowhere", "", "hz'--", "\x00"):
        answer = desk.sign_in(fund, name, password)
        assert answer.status_code == 401, fund
        assert "基金、用户名或密码不正确" in answer.text


def test_the_cookie_is_for_this_site_only_and_no_script_reads_it(desk: Desk, two_funds: TwoFunds):
    answer = desk.sign_in("hz", *person(two_funds, "clerk"))
    given = next(c for c in answer.headers.get_list("set-cookie") if c.startswith(f"{SESSION_COOKIE}="))
    assert "HttpOnly" in given
    assert "SameSite=strict" in given
    assert "Path=/ops" in given
    assert "Secure" not in given, "on plain http of the machine itself a browser would not send it back"


def test_the_cookie_asks_for_tls_everywhere_but_on_the_machine_itself(url: str):
    for host, scheme in (("ops.example.cn", "http"), ("ops.example.cn", "https"), ("127.0.0.1", "https")):
        headers = {"Host": host, "X-Forwarded-Proto": scheme}
        answer = checked(httpx.get(f"{url}/ops/sign-in", headers=headers, trust_env=False))
        assert "Secure" in answer.headers["set-cookie"], (host, scheme)
        assert ("https 地址" in answer.text) is (scheme == "http")
    for host in ("localhost", "127.0.0.1:8000", "[::1]:8000"):
        answer = checked(httpx.get(f"{url}/ops/sign-in", headers={"Host": host}, trust_env=False))
        assert "Secure" not in answer.headers["set-cookie"], host


def test_of_a_session_only_a_hash_is_kept(desk: Desk, two_funds: TwoFunds, database: DatabaseUrls):
    desk.sign_in("hz", *person(two_funds, "clerk"))
    token = desk.http.cookies[SESSION_COOKIE]
    ((row,),) = rows_of(database, "SELECT staff_session::text FROM staff_session")
    assert token.partition(".")[2] not in str(row)


def test_signing_out_ends_the_session_for_whoever_kept_the_cookie(desk: Desk, two_funds: TwoFunds):
    desk.sign_in("hz", *person(two_funds, "clerk"))
    token = desk.http.cookies[SESSION_COOKIE]
    assert desk.post("/sign-out", mark_of="/").headers["location"] == "/ops/sign-in?ended=1"
    assert SESSION_COOKIE not in desk.http.cookies
    answer = checked(httpx.get(f"{desk.url}/ops/", cookies={SESSION_COOKIE: token}, trust_env=False))
    assert answer.headers["location"] == "/ops/sign-in?ended=1"


@pytest.mark.parametrize(
    ("change", "still_in"),
    [
        pytest.param("used_at = now() - interval '29 minutes'", True, id="used_29_minutes_ago"),
        pytest.param(
            "opened_at = now() - interval '2 hours', used_at = now() - interval '31 minutes'",
            False,
            id="idle_for_31_minutes",
        ),
        pytest.param("opened_at = now() - interval '7 hours 59 minutes'", True, id="of_this_morning"),
        pytest.param("opened_at = now() - interval '8 hours 1 minute'", False, id="of_a_whole_day"),
        pytest.param("ended_at = now()", False, id="ended"),
    ],
)
def test_a_session_runs_out(desk: Desk, two_funds: TwoFunds, database: DatabaseUrls, change: str, still_in: bool):
    desk.sign_in("hz", *person(two_funds, "clerk"))
    as_owner(database, "UPDATE staff_session SET opened_at = opened_at - interval '1 hour'")
    as_owner(database, f"UPDATE staff_session SET {change}")
    assert desk.get("/").status_code == (200 if still_in else 303)


def test_using_a_session_keeps_it_from_running_out(desk: Desk, two_funds: TwoFunds, database: DatabaseUrls):
    desk.sign_in("hz", *person(two_funds, "clerk"))
    as_owner(
        database,
        "UPDATE staff_session SET opened_at = now() - interval '1 hour', used_at = now() - interval '29 minutes'",
    )
    assert desk.get("/").status_code == 200
    assert rows_of(database, "SELECT used_at > now() - interval '1 minute' FROM staff_session") == [(True,)]


@pytest.mark.parametrize("how", ["disabled", "password changed"])
def test_an_account_that_is_disabled_or_gets_another_password_loses_its_sessions(
    desk: Desk, two_funds: TwoFunds, city: City, database: DatabaseUrls, how: str
):
    desk.sign_in("hz", *person(two_funds, "clerk"))
    assert desk.get("/").status_code == 200

    async def change() -> None:
        async with open_test_resources(database) as resources:
            if how == "disabled":
                await disable_staff(resources, city.fund_id, "clerk")
            else:
                await change_password(resources, city.fund_id, "clerk", "a new and long password")

    asyncio.run(change())
    assert desk.get("/").status_code == 303
    assert rows_of(database, "SELECT count(*) FROM staff_session WHERE ended_at IS NULL") == [(0,)]


def test_guessing_is_bounded_as_at_the_token_endpoint_and_both_count_together(
    desk: Desk, two_funds: TwoFunds, url: str
):
    name, password = person(two_funds, "approver")
    for number in range(MOST_FAILURES):
        if number % 2:
            assert desk.sign_in("hz", name, "a wrong password").status_code == 401
        else:
            form = {"grant_type": "password", "username": name, "password": "a wrong password"}
            assert httpx.post(f"{url}/oauth/token", data=form, trust_env=False).status_code == 401
    blocked = desk.sign_in("hz", name, password)
    assert blocked.status_code == 429
    assert int(blocked.headers["retry-after"]) > 0
    assert "登录失败次数过多" in blocked.text
    assert SESSION_COOKIE not in desk.http.cookies


@pytest.mark.parametrize("mark", [None, "", "0" * 64, "标记", "of another session"])
def test_a_form_without_this_sessions_mark_does_nothing(
    url: str, two_funds: TwoFunds, ids: dict[str, str], database: DatabaseUrls, mark: str | None
):
    with desk_of(url, "hz", person(two_funds, "clerk")) as desk, desk_of(url) as other:
        if mark == "of another session":
            other.sign_in("hz", *person(two_funds, "approver"))
            mark = other.get("/").text.split('name="mark" value="')[1][:64]
        given = {} if mark is None else {"mark": mark}
        for path in (f"/worklist/{ids['item_id']}", f"/reconciliation/breaks/{ids['break_id']}", "/sign-out"):
            answer = desk.post_as_is(path, action="taken", **given)
            assert answer.status_code == 403, path
            assert "未作任何改动：页面已过期" in answer.text
        assert desk.get("/").status_code == 200
    assert rows_of(database, "SELECT count(*) FROM worklist_action") == [(0,)]
    assert rows_of(database, "SELECT count(*) FROM reconciliation_step WHERE step > 1") == [(0,)]


def test_signing_in_needs_a_form_that_this_browser_was_given(desk: Desk, two_funds: TwoFunds, database: DatabaseUrls):
    _, password = person(two_funds, "clerk")
    fields = {"fund": "hz", "login": "clerk", "password": password}
    assert desk.post_as_is("/sign-in", **fields).status_code == 403
    mark = desk.get("/sign-in").text.split('name="mark" value="')[1][:64]
    desk.http.cookies.delete(FORM_COOKIE)
    assert desk.post_as_is("/sign-in", mark=mark, **fields).status_code == 403
    assert rows_of(database, "SELECT count(*) FROM staff_session") == [(0,)]


def test_what_is_no_form_of_ours_is_refused_as_a_page(desk: Desk, two_funds: TwoFunds, ids: dict[str, str]):
    desk.sign_in("hz", *person(two_funds, "clerk"))
    assert desk.get("/nowhere").status_code == 404
    assert desk.get("/bills/not-an-id").status_code == 422
    assert desk.get("/bills?settlement_no=%00").status_code == 422
    assert desk.get(f"/bills/{UUID(int=0)}").status_code == 404
    assert desk.get(f"/reconciliation/breaks/{UUID(int=0)}").status_code == 404
    assert desk.get("/reconciliation/days/soon").status_code == 422
    assert desk.get("/seals?before=0").status_code == 422
    assert desk.post_as_is("/sign-in", password="x" * 20_000).status_code == 413
    assert desk.post("/invariants", mark_of="/").status_code == 403
    assert desk.get("/static/style.css").headers["content-type"] == "text/css; charset=utf-8"
    assert desk.get("/static/app.py").status_code == 404
    assert desk.get("/static/..%2Fapp.py").status_code == 404
