"""Reconciliation over HTTP: lists by whoever may bring them, days, breaks page by page, and actions by people."""

from __future__ import annotations

import json

from builders import City, a_2304, facts
from calling import Callers, form_of
from services.reconciling import bureau_line, hospital_csv

LISTS = "/v1/reconciliations"
DAY = "2025-03-11"


async def bring(callers: Callers, role: str, source: str, content: str, key: str, **fields: str):
    form = form_of({"source": source, "business_date": DAY, **fields}, "list", content.encode())
    return await callers.call(role, "POST", LISTS, form, key=key)


async def test_a_list_is_brought_its_breaks_are_paged_and_one_is_settled_by_a_clerk(callers: Callers, city: City):
    lines = "".join(f"{bureau_line(city, a_2304(member))}\n" for member in city.members[:3])
    brought = await bring(callers, "platform", "bureau", lines, "bureau-1")
    assert brought.status_code == 201
    assert brought.json()["found"] == {"bureau": {"missing_here": 3}}
    again = await bring(callers, "platform", "bureau", lines, "bureau-1")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (brought.json(), "true")

    first = (await callers.get("clerk", f"{LISTS}/breaks", status="open", limit=2)).json()
    rest = (await callers.get("clerk", f"{LISTS}/breaks", status="open", cursor=first["next_cursor"])).json()
    assert len({each["id"] for each in first["breaks"] + rest["breaks"]}) == 3
    shown = first["breaks"][0]
    assert shown["figures"]["theirs"]["billed"] == "9000.00"
    assert (shown["proposed"], shown["age_days"]) == ("settle", 0)

    actions = f"{LISTS}/breaks/{shown['id']}/actions"
    assigned = await callers.call("clerk", "POST", actions, {"action": "assign", "owner": "clerk"})
    assert assigned.json()["owner"] == "clerk"
    settled = (await callers.call("clerk", "POST", actions, {"action": "settle"})).json()
    assert (settled["resolution"], settled["proposed"]) == ("settled_by_catch_up", None)
    bill = (await callers.get("clerk", f"/v1/settlements/{settled['bill_id']}")).json()
    assert (bill["confirmed"], bill["mutual_aid"]["status"]) == (True, "to_card")
    refused = await callers.call("clerk", "POST", actions, {"action": "settle"})
    assert (refused.status_code, refused.json()["code"]) == (409, "break_step_refused")
    history = (await callers.get("auditor", f"{LISTS}/breaks/{shown['id']}")).json()
    assert [step["kind"] for step in history["steps"]] == ["opened", "assigned", "resolved"]

    (day,) = (await callers.get("auditor", LISTS)).json()["days"]
    assert (day["business_date"], day["open_count"], day["bureau_count"]) == (DAY, 2, 3)


async def test_a_remark_on_a_break_is_kept_unless_it_names_a_person(callers: Callers, city: City):
    line = f"{bureau_line(city, a_2304(city.members[0]))}\n"
    await bring(callers, "platform", "bureau", line, "bureau-1")
    (shown,) = (await callers.get("clerk", f"{LISTS}/breaks", status="open")).json()["breaks"]
    one, act = f"{LISTS}/breaks/{shown['id']}", {"action": "assign", "owner": "clerk"}

    naming = act | {"remark": "本人 990101198001010 00X"}
    refused = await callers.call("clerk", "POST", f"{one}/actions", naming)
    assert (refused.status_code, refused.json()["code"]) == (422, "remark_unusable")
    assert "990101" not in refused.text
    assert [step["kind"] for step in (await callers.get("clerk", one)).json()["steps"]] == ["opened"]

    await callers.call("clerk", "POST", f"{one}/actions", act | {"remark": "已致电医院"})
    assert (await callers.get("clerk", one)).json()["steps"][-1]["details"]["remark"] == "已致电医院"


async def test_a_hospital_brings_its_own_list_only_and_is_told_of_nothing_else(callers: Callers, city: City):
    output = a_2304(city.member)
    await callers.call("hospital", "POST", "/v1/settlements", {"output": output, "visit": facts(city)}, key="bill-0001")
    own = {"area": city.area, "hospital_code": city.hospitals[3], "settlement_id": "1", "aid_given": "5.00"}
    listed = hospital_csv([own, own | {"hospital_code": city.hospitals[2]}])
    answer = (await bring(callers, "hospital", "hospital", listed, "hospital-1")).json()
    assert (answer["list"]["line_count"], answer["list"]["refused"]) == (
        1,
        [{"line": 3, "field": "hospital_code", "problem": "not_yours"}],
    )
    assert answer["found"] is None
    for source, codes in (("bureau", ""), ("hospital", city.hospitals[2])):
        refused = await bring(callers, "hospital", source, listed, f"hospital-{source}", hospital_codes=codes)
        assert (refused.status_code, refused.json()["code"]) == (422, "request_invalid")


async def test_what_is_no_list_is_refused_and_nothing_counts(callers: Callers):
    refused = await bring(callers, "clerk", "bureau", "no,list\n", "clerk-0001")
    assert (refused.status_code, refused.json()["code"]) == (422, "list_unreadable")
    assert json.loads((await callers.get("clerk", LISTS)).content)["days"] == []


async def test_another_funds_breaks_are_not_found(callers: Callers, city: City):
    await bring(callers, "platform", "bureau", bureau_line(city, a_2304(city.member)), "bureau-9")
    (found,) = (await callers.get("clerk", f"{LISTS}/breaks")).json()["breaks"]
    answer = await callers.get("clerk of another fund", f"{LISTS}/breaks/{found['id']}")
    assert (answer.status_code, answer.json()["code"]) == (404, "break_not_found")
