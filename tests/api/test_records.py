"""Reading what is recorded: one bill, a search in pages, the explanation, the proof, the timeline and the events."""

from __future__ import annotations

from typing import Any

import pytest

from builders import City, a_2304, a_2305, a_person, facts, open_test_resources, settle
from calling import Callers
from database import as_owner, ops_engine, rows_of
from settlement.db.embedded import DatabaseUrls
from settlement.domain.money import Money
from settlement.services.events.number_events import number_all_events

KEY = "H50010302473-20250311-000001"


async def settled(callers: Callers, city: City, nth: int = 0, key: str = KEY, **visit: Any) -> dict[str, Any]:
    body = {"output": a_2304(city.members[nth]), "visit": facts(city, **visit)}
    answer: dict[str, Any] = (await callers.call("hospital", "POST", "/v1/settlements", body, key=key)).json()
    return answer


async def test_a_search_is_paged_by_key_and_finds_each_bill_once(callers: Callers, city: City, database: DatabaseUrls):
    async with open_test_resources(database) as resources:
        recorded = [(await settle(resources, city, a_2304(city.members[n % 5]))).answer["id"] for n in range(7)]
    found, cursor, pages = [], None, 0
    while True:
        page = (
            await callers.get("hospital", "/v1/settlements", limit=3, **({"cursor": cursor} if cursor else {}))
        ).json()
        found += [bill["id"] for bill in page["settlements"]]
        pages, cursor = pages + 1, page["next_cursor"]
        if cursor is None:
            break
    assert found == recorded
    assert pages == 3


@pytest.mark.parametrize(
    "field", ["insurer_settlement_id", "encounter_id", "visit_no", "receipt_no", "settlement_no", "state", "area"]
)
async def test_a_search_limits_by_each_field(callers: Callers, city: City, field: str):
    first = await settled(callers, city, 0, ipt_otp_no="ZY1", receipt_no="R1", discharged_on=None)
    body = {
        "output": a_2304(city.members[1], mdtrt_id="310009990002"),
        "visit": facts(city, mdtrtarea_admvs="500200", ipt_otp_no="ZY2", receipt_no="R2"),
    }
    second = (await callers.call("hospital", "POST", "/v1/settlements", body, key=f"{KEY}-2")).json()
    for bill in (first, second):
        found = (await callers.get("hospital", "/v1/settlements", **{field: bill[field]})).json()["settlements"]
        assert [hit["id"] for hit in found] == [bill["id"]]


async def test_a_search_by_business_date_goes_by_the_insurers_day_in_china(callers: Callers, city: City):
    body = {"output": a_2304(city.member, setl_time="2025-03-12 00:00:01"), "visit": facts(city)}
    bill = (await callers.call("hospital", "POST", "/v1/settlements", body, key=KEY)).json()
    for day, hits in (("2025-03-11", 0), ("2025-03-12", 1)):
        page = (await callers.get("hospital", "/v1/settlements", business_date=day)).json()
        assert len(page["settlements"]) == hits
    assert bill["settled_at"] == "2025-03-12T00:00:01.000+08:00"


@pytest.mark.parametrize(
    "params",
    [{"limit": 0}, {"limit": 501}, {"cursor": "x"}, {"state": "dead"}, {"business_date": "today"}, {"area": "\x00"}],
)
async def test_a_search_that_is_not_as_described_is_refused(callers: Callers, params: dict[str, Any]):
    refused = await callers.get("hospital", "/v1/settlements", **params)
    assert (refused.status_code, refused.json()["code"]) == (422, "request_invalid")


async def test_the_explanation_adds_up_from_base_to_aid_in_two_languages(callers: Callers, city: City):
    bill = await settled(callers, city)
    told = (await callers.get("hospital", f"/v1/settlements/{bill['id']}/explanation")).json()
    assert told["plan"] == bill["plan"]
    (benefit,) = told["benefits"]
    amounts = [Money.from_yuan(benefit["base"]), *[Money.from_yuan(step["delta"]) for step in benefit["steps"]]]
    assert sum(amounts) == Money.from_yuan(benefit["amount"]) == Money.from_yuan(bill["mutual_aid"]["amount"])
    assert all(step["clause"] for step in benefit["steps"])
    assert benefit["remaining"] == "29810.17"
    assert (benefit["used_before"]["paid"], benefit["used_after"]["paid"]) == ("0.00", "389.83")
    assert all(sentence["zh"] and sentence["en"] for sentence in benefit["sentences"])


async def test_the_proof_shows_the_equation_the_postings_and_that_all_of_it_holds(callers: Callers, city: City):
    bill = await settled(callers, city)
    proof = (await callers.get("hospital", f"/v1/settlements/{bill['id']}/proof")).json()
    equation = {name: Money.from_yuan(amount) for name, amount in proof["equation"].items()}
    assert equation.pop("billed") == sum(equation.values()) == Money(900_000)
    assert (proof["closes"], proof["postings_balance"], proof["replays_to_the_same_fen"]) == (True, True, True)
    assert proof["receipt_hash"] == bill["receipt_hash"]
    assert {"debit": "aid", "credit": "payable:hospital", "amount": "389.83"}.items() <= proof["postings"][-1].items()


@pytest.mark.parametrize(
    ("corruption", "broken"),
    [
        ("UPDATE posting SET fen = fen + 1 WHERE line = 1", "postings_balance"),
        ("DELETE FROM posting WHERE line = 1", "postings_balance"),
        (
            "UPDATE settlement SET aid_on_bill_fen = aid_on_bill_fen - 1, cash_due_fen = cash_due_fen + 1",
            "replays_to_the_same_fen",
        ),
        ("UPDATE settlement SET receipt_hash = 'x'", "replays_to_the_same_fen"),
    ],
)
async def test_the_proof_fails_when_a_record_was_changed(
    callers: Callers, city: City, database: DatabaseUrls, corruption: str, broken: str
):
    bill = await settled(callers, city)
    as_owner(database, corruption)
    proof = (await callers.get("hospital", f"/v1/settlements/{bill['id']}/proof")).json()
    assert proof[broken] is False


async def test_a_held_and_a_reversed_bill_are_explained_and_proved(callers: Callers, city: City):
    held = await settled(callers, city, discharged_on=None)
    told = (await callers.get("hospital", f"/v1/settlements/{held['id']}/explanation")).json()
    assert (told["plan"], told["benefits"]) == (None, [])
    proof = (await callers.get("hospital", f"/v1/settlements/{held['id']}/proof")).json()
    assert (proof["equation"], proof["postings"], proof["postings_balance"]) == (None, [], True)
    output = a_2304(city.members[1])
    body = {"output": output, "visit": facts(city)}
    bill = (await callers.call("hospital", "POST", "/v1/settlements", body, key=f"{KEY}-2")).json()
    reversal = {"reason": "refund", "cancellation": a_2305(output)}
    await callers.call("hospital", "POST", f"/v1/settlements/{bill['id']}/reversals", reversal, key=f"{KEY}-r")
    proof = (await callers.get("hospital", f"/v1/settlements/{bill['id']}/proof")).json()
    assert proof["postings_balance"] is True
    assert {line["record"] for line in proof["postings"]} == {"settlement", "reversal"}


async def test_the_timeline_tells_each_step_in_both_languages(callers: Callers, city: City):
    output = a_2304(city.member)
    lacking = {"output": output, "visit": facts(city, discharged_on=None)}
    bill = (await callers.call("hospital", "POST", "/v1/settlements", lacking, key=KEY)).json()
    whole = {"output": output, "visit": facts(city)}
    await callers.call("hospital", "POST", "/v1/settlements", whole, key=f"{KEY}-2")
    await callers.call("platform", "POST", "/v1/gateway/bills", {"bills": [{"output": output, "facts": facts(city)}]})
    reversal = {"reason": "refund", "cancellation": a_2305(output)}
    await callers.call("hospital", "POST", f"/v1/settlements/{bill['id']}/reversals", reversal, key=f"{KEY}-3")
    path = f"/v1/settlements/{bill['id']}/timeline"
    steps = (await callers.get("hospital", path)).json()["steps"]
    assert [step["type"] for step in steps] == [
        "settlement.held.v1",
        "settlement.settled.v1",
        "settlement.confirmed.v1",
        "settlement.reversed.v1",
    ]
    assert [step["actor"] for step in steps] == ["hospital", "hospital", "platform", "hospital"]
    assert steps[1]["sentence"] == "互助已结算：记入本单 0.00 元，打入银行卡 389.83 元，应付现金 2079.66 元。"
    assert all(step["at"].endswith("+08:00") for step in steps)
    english = await callers.call("hospital", "GET", path, headers={"Accept-Language": "en"})
    assert english.json()["steps"][1]["sentence"] == "Settled: 0.00 on the bill, 389.83 to the card, cash due 2079.66."


async def test_the_timeline_and_proof_of_a_corrected_chain_read_in_order(callers: Callers, city: City):
    old, new = a_2304(city.member), a_2304(city.member, allowed="8100.00")
    body = {"output": old, "visit": facts(city)}
    bill = (await callers.call("hospital", "POST", "/v1/settlements", body, key=f"{KEY}-c1")).json()
    path = f"/v1/settlements/{bill['id']}"
    moved = await callers.call("hospital", "POST", f"{path}/transfers", {"reason": "not_shown"}, key=f"{KEY}-c2")
    assert (moved.status_code, moved.json()["mutual_aid"]["status"]) == (201, "to_card")
    reversal = {"reason": "refund", "cancellation": a_2305(old)}
    await callers.call("hospital", "POST", f"{path}/reversals", reversal, key=f"{KEY}-c3")
    again = {"output": new, "visit": facts(city), "resettles": old["setlinfo"]["setl_id"]}
    corrected = (await callers.call("hospital", "POST", "/v1/settlements", again, key=f"{KEY}-c4")).json()
    steps = (await callers.get("hospital", f"{path}/timeline")).json()["steps"]
    assert [step["sentence"] for step in steps[1:]] == [
        "互助已重记为第 2 版（收费处未显示互助）：记入本单 0.00 元，打入银行卡 389.83 元，应付现金 2079.66 元。",
        "医保已撤销（医院提交），互助已冲销：退费。",
        f"已由更正后的账单 {corrected['settlement_no']} 代替。",
    ]
    proof = (await callers.get("hospital", f"{path}/proof")).json()
    assert (proof["postings_balance"], proof["replays_to_the_same_fen"]) == (True, True)
    shown = (await callers.get("hospital", path)).json()
    assert (shown["state"], shown["replaced_by"]) == ("replaced", corrected["id"])
    refused = await callers.call("hospital", "POST", f"{path}/reinstatements", {}, key=f"{KEY}-c5")
    assert (refused.status_code, refused.json()["code"]) == (409, "insurer_cancellation_stands")


@pytest.mark.parametrize(
    ("wanted", "english"), [("en", True), ("EN-us,zh;q=0.5", True), ("zh-CN,en;q=0.9", False), ("fr", False)]
)
async def test_sentences_are_chinese_unless_english_is_asked_for(
    callers: Callers, city: City, wanted: str, english: bool
):
    body = {"output": a_2304(a_person(999)), "visit": facts(city)}
    answer = await callers.call("hospital", "POST", "/v1/quotes", body, headers={"Accept-Language": wanted})
    said = answer.json()["mutual_aid"]["reason"]["sentence"]
    assert said.startswith("No mutual aid on this bill" if english else "本单无互助款")


async def test_events_are_pulled_after_a_position_and_nothing_is_skipped(
    callers: Callers, city: City, database: DatabaseUrls
):
    bills = [(await settled(callers, city, nth, f"{KEY}-{nth}"))["id"] for nth in range(3)]
    unnumbered = (await callers.get("hospital", "/v1/events")).json()
    assert unnumbered == {"events": [], "last_position": 0}
    async with ops_engine(database) as ops:
        assert await number_all_events(ops) == 3
    seen, position = [], 0
    while page := (await callers.get("hospital", "/v1/events", after=position, limit=2)).json()["events"]:
        seen += [event["bill_id"] for event in page]
        position = page[-1]["position"]
    assert sorted(seen) == sorted(bills)
    assert position == 3
    assert page == []
    event = (await callers.get("platform", "/v1/events", after=2)).json()["events"][0]
    assert event["type"] == "settlement.settled.v1"
    assert event["payload"]["aid_on_bill"] == "389.83"


async def test_eligibility_is_told_by_certificate_and_by_a_learnt_number(callers: Callers, city: City):
    member = city.member
    asked = {"certificate_number": member.certificate.number, "on": "2025-03-11"}
    covered = (await callers.get("hospital", "/v1/eligibility", **asked)).json()
    assert covered["status"] == "covered"
    assert covered["plan"]["version"] == "2018"
    assert covered["cover"] == {
        "first_day": "2025-01-01",
        "last_day": "2026-12-31",
        "unit_code": "u1",
        "person_category": "active",
    }
    limits = {limit["benefit"]: (limit["term"], limit["remaining"]) for limit in covered["limits"]}
    assert limits["inpatient"] == ("2025", "30200.00")
    assert limits["limit:all_modules"] == ("2025", "65200.00")
    by_number = {"insured_person_no": member.insured_person_no, "on": "2025-03-11"}
    assert (await callers.get("hospital", "/v1/eligibility", **by_number)).json()["status"] == "unknown"
    await settled(callers, city)
    known = (await callers.get("hospital", "/v1/eligibility", **by_number)).json()
    assert (known["status"], known["limits"][0]["remaining"]) == ("covered", "29810.17")


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"certificate_number": "990101197001010017"}, "not_covered"),
        ({"certificate_number": "990101********000X"}, "unknown"),
        ({"insured_person_no": "nobody"}, "unknown"),
        ({"certificate_number": a_person(0).certificate.number, "on": "2024-12-31"}, "not_covered"),
        ({"certificate_number": "990101198001010 00x", "certificate_type": "1", "on": "2025-01-01"}, "covered"),
    ],
)
async def test_eligibility_says_what_it_does_not_know(callers: Callers, asked: dict[str, str], status: str):
    assert (await callers.get("staff", "/v1/eligibility", **asked)).json()["status"] == status


async def test_an_unknown_certificate_with_a_members_number_is_not_told_as_covered(callers: Callers, city: City):
    await settled(callers, city)
    asked = {"certificate_number": "990101197001010017", "insured_person_no": city.member.insured_person_no}
    answer = (await callers.get("hospital", "/v1/eligibility", **asked, on="2025-03-11")).json()
    assert answer["status"] == "not_covered"


async def test_eligibility_needs_somebody_to_ask_about(callers: Callers):
    refused = await callers.get("hospital", "/v1/eligibility")
    assert (refused.status_code, refused.json()["code"]) == (422, "person_not_named")


async def test_the_summary_counts_and_sums_a_business_date(callers: Callers, city: City, database: DatabaseUrls):
    for nth in range(2):
        await settled(callers, city, nth, f"{KEY}-{nth}")
    await settled(callers, city, 2, f"{KEY}-2", discharged_on=None)
    stranger = {"output": a_2304(a_person(999)), "visit": facts(city)}
    await callers.call("hospital", "POST", "/v1/settlements", stranger, key=f"{KEY}-3")
    summary = (await callers.get("staff", "/v1/ops/summary", business_date="2025-03-11")).json()
    assert summary["bills"] == {"held": 1, "live": 2}
    assert summary["not_covered"] == {"not_a_member": 1}
    amounts = {name: Money.from_yuan(amount) for name, amount in summary["amounts"].items()}
    assert amounts.pop("mutual_aid_to_card") == 0
    assert amounts.pop("billed") == sum(amounts.values()) == Money(1_800_000)
    assert summary["amounts"]["mutual_aid_on_bill"] == "779.66"
    assert summary["held"]["count"] == 1
    assert (summary["events_unnumbered"], summary["books_day"]) == (3, 1)
    assert (await callers.get("staff of another fund", "/v1/ops/summary", business_date="2025-03-11")).json()[
        "bills"
    ] == {}
    assert rows_of(database, "SELECT count(*) FROM bill") == [(3,)]


async def test_liveness_readiness_and_metrics_answer_without_a_token(
    callers: Callers, city: City, database: DatabaseUrls
):
    assert (await callers.get(None, "/healthz")).json() == {"status": "alive"}
    assert (await callers.get(None, "/readyz")).json() == {"status": "ready"}
    bill = await settled(callers, city)
    await callers.get("hospital", f"/v1/settlements/{bill['id']}")
    metrics = (await callers.get(None, "/metrics")).text
    assert 'route="/v1/settlements/{bill_id}",status="200"' in metrics
    assert 'method="POST",route="/v1/settlements",status="201"' in metrics
    assert 'settlement_answers_total{door="api",status="on_bill"}' in metrics
    assert bill["id"] not in metrics
    as_owner(database, "UPDATE alembic_version SET version_num = '0001'")
    unready = await callers.get(None, "/readyz")
    assert unready.status_code == 503
    assert "schema 0001" in unready.json()["why"]
    assert (await callers.get(None, "/healthz")).status_code == 200
