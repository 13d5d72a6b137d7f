"""What a hospital's billing system calls: quote, settle, reverse, answer, and the fate of a command."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote as quoted

import pytest

from builders import City, a_2304, a_2305, a_person, facts
from calling import Callers
from database import rows_of
from settlement.api.schemas import examples
from settlement.db.embedded import DatabaseUrls

KEY = "H50010302473-20250311-000001"


def command(city: City, nth: int = 0, **amounts: Any) -> dict[str, Any]:
    return {"output": a_2304(city.members[nth], **amounts), "visit": facts(city)}


async def test_a_brought_bill_is_settled_read_and_reversed(callers: Callers, city: City):
    sent = command(city)
    settled = await callers.call("hospital", "POST", "/v1/settlements", sent, key=KEY)
    assert settled.status_code == 201
    answer = settled.json()
    assert answer["mutual_aid"]["on_bill"] == "389.83"
    assert answer["cash_due"] == "1689.83"
    read = await callers.get("hospital", f"/v1/settlements/{answer['id']}")
    assert (read.status_code, read.json()) == (200, answer)
    reversal = {"reason": "refund", "cancellation": a_2305(sent["output"])}
    path = f"/v1/settlements/{answer['id']}/reversals"
    undone = await callers.call("hospital", "POST", path, reversal, key=f"{KEY}-r")
    assert (undone.status_code, undone.json()["state"]) == (201, "reversed")
    again = await callers.call("hospital", "POST", path, reversal, key=f"{KEY}-r")
    assert (again.status_code, again.json()) == (201, undone.json())
    assert again.headers["idempotent-replayed"] == "true"


async def test_without_the_insurers_cancellation_nothing_is_released(callers: Callers, city: City):
    settled = (await callers.call("hospital", "POST", "/v1/settlements", command(city), key=KEY)).json()
    path = f"/v1/settlements/{settled['id']}/reversals"
    refused = await callers.call("hospital", "POST", path, {"reason": "refund"}, key=f"{KEY}-r")
    assert (refused.status_code, refused.json()["code"]) == (409, "insurer_cancellation_not_seen")
    other = a_2305(a_2304(city.member, allowed="8100.00"))
    refused = await callers.call("hospital", "POST", path, {"reason": "refund", "cancellation": other}, key=f"{KEY}-s")
    assert (refused.status_code, refused.json()["code"]) == (409, "cancellation_of_another_bill")
    assert (await callers.get("hospital", f"/v1/settlements/{settled['id']}")).json()["state"] == "live"


async def test_a_bill_that_is_known_is_answered_with_200_and_one_that_is_not_ours_too(callers: Callers, city: City):
    sent = command(city)
    first = await callers.call("hospital", "POST", "/v1/settlements", sent, key=KEY)
    known = await callers.call("hospital", "POST", "/v1/settlements", sent, key=f"{KEY}-2")
    assert (first.status_code, known.status_code) == (201, 200)
    assert known.json() == first.json()
    assert "idempotent-replayed" not in known.headers
    stranger = {"output": a_2304(a_person(999)), "visit": facts(city)}
    nobody = await callers.call("hospital", "POST", "/v1/settlements", stranger, key=f"{KEY}-3")
    assert nobody.status_code == 200
    assert nobody.json().keys() == {"mutual_aid"}


async def test_a_held_bill_is_answered(callers: Callers, city: City):
    lacking = {"output": a_2304(city.member), "visit": facts(city, discharged_on=None)}
    held = await callers.call("hospital", "POST", "/v1/settlements", lacking, key=KEY)
    assert (held.status_code, held.json()["mutual_aid"]["status"]) == (201, "held")
    path = f"/v1/settlements/{held.json()['id']}/answers"
    nothing = await callers.call("hospital", "POST", path, {}, key=f"{KEY}-0")
    assert (nothing.status_code, nothing.json()["code"]) == (422, "answer_unusable")
    fact = {"facts": {"discharged_on": "2025-03-11"}}
    released = await callers.call("hospital", "POST", path, fact, key=f"{KEY}-a")
    assert (released.status_code, released.json()["mutual_aid"]["to_card"]) == (200, "389.83")
    asked_no_more = await callers.call("hospital", "POST", path, fact, key=f"{KEY}-b")
    assert (asked_no_more.status_code, asked_no_more.json()["code"]) == (409, "nothing_asked")


async def test_a_quote_says_what_the_settlement_will_say(callers: Callers, city: City):
    sent = command(city)
    quote = await callers.call("hospital", "POST", "/v1/quotes", sent)
    settled = await callers.call("hospital", "POST", "/v1/settlements", sent, key=KEY)
    assert quote.status_code == 200
    assert quote.json()["mutual_aid"] == settled.json()["mutual_aid"]
    held = await callers.call("hospital", "POST", "/v1/quotes", sent | {"visit": facts(city, admitted_on=None)})
    assert held.json().keys() == {"mutual_aid"}
    estimate = await callers.call("hospital", "POST", "/v1/quotes", sent | {"visit": facts(city, discharged_on=None)})
    assert estimate.json()["estimate"] is True


async def test_a_quote_that_holds_promises_what_the_settlement_pays(callers: Callers, city: City):
    sent = command(city)
    held = await callers.call("hospital", "POST", "/v1/quotes", sent | {"hold": True}, key=f"{KEY}-q")
    again = await callers.call("hospital", "POST", "/v1/quotes", sent | {"hold": True}, key=f"{KEY}-q")
    assert (held.status_code, held.json()) == (200, again.json())
    assert again.headers["idempotent-replayed"] == "true"
    path = f"/v1/holds/{held.json()['hold']['id']}"
    assert (await callers.get("hospital", path)).json() == held.json()["hold"]
    settled = (await callers.call("hospital", "POST", "/v1/settlements", sent, key=KEY)).json()
    assert settled["promise"]["kept"] is True
    assert settled["cash_due"] == held.json()["cash_due"]
    assert (await callers.get("hospital", path)).json()["state"] == "kept"
    proof = (await callers.get("hospital", f"/v1/settlements/{settled['id']}/proof")).json()
    assert proof["promise"] | {"reason": None} == settled["promise"] | {"reason": None}


async def test_a_hold_is_released_by_its_own_hospital_alone(callers: Callers, city: City):
    held = (await callers.call("hospital", "POST", "/v1/quotes", command(city) | {"hold": True})).json()
    path = f"/v1/holds/{held['hold']['id']}"
    for method, where in (("GET", path), ("POST", f"{path}/release")):
        refused = await callers.call("other hospital", method, where)
        assert (refused.status_code, refused.json()["code"]) == (404, "hold_not_found")
    released = await callers.call("hospital", "POST", f"{path}/release")
    assert (released.status_code, released.json()["state"]) == (200, "released")


async def test_a_guarantee_that_the_fund_does_not_give_is_refused(callers: Callers, city: City):
    sent = command(city) | {"hold": True, "hold_for": "stay"}
    refused = await callers.call("hospital", "POST", "/v1/quotes", sent)
    assert (refused.status_code, refused.json()["code"]) == (409, "guarantee_not_allowed")


async def test_fetching_without_credentials_is_refused_with_that_sentence(callers: Callers, city: City):
    ids = {"psn_no": "ZG9", "setl_id": "7", "mdtrt_id": "3"}
    sent = {"fetch": ids, "visit": facts(city)}
    refused = await callers.call("hospital", "POST", "/v1/settlements", sent, key=KEY)
    assert (refused.status_code, refused.json()["code"]) == (422, "fetching_not_possible")
    assert "医保局未向本服务发放查询凭证" in refused.json()["detail"]


async def test_amounts_in_json_numbers_are_read_exactly(callers: Callers, city: City, database: DatabaseUrls):
    exact = {
        "medfee_sumamt": "0.3",
        "fulamt_ownpay_amt": "0.1",
        "inscp_scp_amt": "0.2",
        "hifp_pay": "0",
        "fund_pay_sumamt": "0",
        "hosp_part_amt": "0.0",
        "psn_part_amt": "0.30",
        "psn_pay": "0.30",
        "acct_pay": "0.1",
        "psn_cash_pay": "0.2",
        "cashPayamt": "0.20",
    }
    node = a_2304(city.member)["setlinfo"]
    numbers = ", ".join(f'"{name}": {value}' for name, value in exact.items())
    rest = json.dumps({name: value for name, value in node.items() if name not in exact}, default=float)
    visit = json.dumps(facts(city))
    raw = f'{{"output": {{"setlinfo": {{{numbers}, {rest[1:]}, "setldetail": []}}, "visit": {visit}}}'.encode()
    settled = await callers.call("hospital", "POST", "/v1/settlements", raw, key=KEY)
    assert settled.json()["bill"]["billed"] == "0.30"
    assert settled.json()["mutual_aid"]["question"] is None
    assert rows_of(database, "SELECT billed_fen, excluded_fen, allowed_fen FROM settlement") == [(30, 10, 20)]


@pytest.mark.parametrize("number", ["4.52", "4.520", "452E-2", '"4.52"'])
async def test_an_amount_is_its_decimal_figure_however_it_is_written(callers: Callers, city: City, number: str):
    output = a_2304(city.member, allowed="4.52", excluded="0.00", hifp="0.00", account="0.00", absorbed="0.00")
    text = json.dumps({"output": output, "visit": facts(city)}, default=float).replace("4.52", number)
    settled = await callers.call("hospital", "POST", "/v1/settlements", text.encode(), key=KEY)
    assert settled.json()["bill"]["billed"] == "4.52"
    assert settled.json()["mutual_aid"]["on_bill"] == "4.52"


async def test_a_fraction_of_a_fen_is_refused_and_never_rounded(callers: Callers, city: City):
    text = json.dumps(command(city), default=float).replace("9000.0", "9000.005")
    refused = await callers.call("hospital", "POST", "/v1/settlements", text.encode(), key=KEY)
    assert (refused.status_code, refused.json()["code"]) == (422, "message_unreadable")
    assert refused.json()["field"] == "setlinfo.medfee_sumamt"


async def test_the_same_command_twenty_times_at_once_is_done_once(callers: Callers, city: City, database: DatabaseUrls):
    sent = command(city)
    await callers.token("hospital")
    answers = await asyncio.gather(
        *[callers.call("hospital", "POST", "/v1/settlements", sent, key=KEY) for _ in range(20)]
    )
    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert sum(answer.headers.get("idempotent-replayed") == "true" for answer in answers) == 19
    for table in ("settlement", "bill", "idempotency", "event", "message_body"):
        assert rows_of(database, f"SELECT count(*) FROM {table}") == [(1,)]


async def test_another_body_under_a_used_key_is_refused(callers: Callers, city: City, database: DatabaseUrls):
    sent = command(city)
    await callers.call("hospital", "POST", "/v1/settlements", sent, key=KEY)
    for other in (command(city, 1), sent | {"other_payers": [{"name": "惠民保", "amount": "1.00"}]}):
        refused = await callers.call("hospital", "POST", "/v1/settlements", other, key=KEY)
        assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_key_reused")
    settled = rows_of(database, "SELECT bill_id FROM bill")[0][0]
    reversal = {"reason": "refund", "cancellation": a_2305(sent["output"])}
    refused = await callers.call("hospital", "POST", f"/v1/settlements/{settled}/reversals", reversal, key=KEY)
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_key_reused")
    assert rows_of(database, "SELECT count(*) FROM bill") == [(1,)]


async def test_a_repetition_may_write_its_json_anew(callers: Callers, city: City):
    sent = command(city)
    first = await callers.call("hospital", "POST", "/v1/settlements", sent, key=KEY)
    text = json.dumps(dict(reversed(sent.items())), default=float, indent=1).replace("9000.0", "9000")
    again = await callers.call("hospital", "POST", "/v1/settlements", text.encode(), key=KEY)
    assert again.headers.get("idempotent-replayed") == "true"
    assert again.json() == first.json()


async def test_a_key_belongs_to_its_client(callers: Callers, city: City):
    await callers.call("hospital", "POST", "/v1/settlements", command(city), key=KEY)
    other = {"output": a_2304(city.members[1]), "visit": facts(city, level=2)}
    settled = await callers.call("other hospital", "POST", "/v1/settlements", other, key=KEY)
    assert settled.status_code == 201


@pytest.mark.parametrize("key", [KEY, "a/b/c-12345?x=1&y#z", "100%25-of-it"])
async def test_the_fate_of_a_command_is_told_by_its_key(callers: Callers, city: City, key: str):
    path = f"/v1/requests/{quoted(key, safe='')}"
    unknown = await callers.get("hospital", path)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "request_not_found")
    settled = await callers.call("hospital", "POST", "/v1/settlements", command(city), key=key)
    fate = await callers.get("hospital", path)
    assert fate.json() == {"key": key, "status": 201, "body": settled.json()}
    assert (await callers.get("other hospital", path)).status_code == 404


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda sent: sent | {"outputs": 1}, id="an unknown key"),
        pytest.param(lambda sent: {"visit": sent["visit"]}, id="neither output nor fetch"),
        pytest.param(lambda sent: sent | {"fetch": {"psn_no": "1", "setl_id": "1", "mdtrt_id": "1"}}, id="both"),
        pytest.param(lambda sent: sent | {"visit": {}}, id="no visit"),
        pytest.param(lambda sent: sent | {"other_payers": [{"name": "x", "amount": 1}]}, id="an amount as a number"),
        pytest.param(lambda sent: sent | {"other_payers": [{"name": "x", "amount": "-1.00"}]}, id="a negative payer"),
        pytest.param(lambda sent: [], id="a list"),
        pytest.param(lambda sent: b"{", id="no JSON"),
        pytest.param(lambda sent: b'{"visit": NaN}', id="not a number"),
        pytest.param(lambda sent: b"", id="nothing"),
        pytest.param(lambda sent: sent | {"visit": sent["visit"] | {"opter": "a\x00b"}}, id="a NUL"),
        pytest.param(
            lambda sent: json.dumps(sent, default=float).encode().replace(b'"1101"', b'"\\ud800"'),
            id="half a character",
        ),
    ],
)
async def test_a_request_that_is_not_as_described_is_refused_and_not_stored(
    callers: Callers, city: City, database: DatabaseUrls, spoil: Any
):
    sent = command(city)
    refused = await callers.call("hospital", "POST", "/v1/settlements", spoil(sent), key=KEY)
    assert (refused.status_code, refused.json()["code"]) == (422, "request_invalid")
    assert refused.json()["errors"]
    assert rows_of(database, "SELECT count(*) FROM idempotency") == [(0,)]
    assert (await callers.get("hospital", f"/v1/requests/{KEY}")).status_code == 404
    assert (await callers.call("hospital", "POST", "/v1/settlements", sent, key=KEY)).status_code == 201


@pytest.mark.parametrize("key", [None, "short", "with a space", "x" * 201])
async def test_a_write_needs_a_usable_key(callers: Callers, city: City, key: str | None):
    refused = await callers.call("hospital", "POST", "/v1/settlements", command(city), key=key)
    assert (refused.status_code, refused.json()["code"]) == (422, "request_invalid")


async def test_a_body_that_is_too_large_is_refused(callers: Callers, city: City):
    sent = command(city)
    sent["output"]["setlinfo"]["memo"] = "x" * (5 * 2**20)
    refused = await callers.call("hospital", "POST", "/v1/settlements", sent, key=KEY)
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")


async def test_other_payers_are_on_the_bill(callers: Callers, city: City):
    sent = command(city) | {"other_payers": [{"name": "惠民保", "amount": "1000.00"}]}
    settled = (await callers.call("hospital", "POST", "/v1/settlements", sent, key=KEY)).json()
    assert (settled["other_on_bill"], settled["cash_due"]) == ("1000.00", "689.83")
    too_much = command(city, 1) | {"other_payers": [{"name": "惠民保", "amount": "2079.67"}]}
    refused = await callers.call("hospital", "POST", "/v1/settlements", too_much, key=f"{KEY}-2")
    assert (refused.status_code, refused.json()["code"]) == (422, "other_payers_exceed_cash")


async def test_the_examples_of_the_document_are_answered(callers: Callers, city: City):
    body = {"output": examples.OUTPUT_2207, "visit": examples.FACTS | {"fixmedins_code": city.hospitals[3]}}
    assert (await callers.call("hospital", "POST", "/v1/quotes", body)).status_code == 200
    assert (await callers.call("hospital", "POST", "/v1/settlements", body, key=KEY)).status_code == 200


async def test_the_platform_pushes_bills_with_a_result_each(callers: Callers, city: City):
    good, stranger = a_2304(city.member), a_2304(a_person(999))
    lines = [{"infno": "2304", "output": output, "facts": facts(city)} for output in (good, stranger)]
    lines.append({"output": {"setlinfo": {"mdtrt_id": "1"}}, "facts": facts(city)})
    lines.append({"output": a_2305(good), "facts": facts(city, init_setl_id=good["setlinfo"]["setl_id"])})
    pushed = await callers.call("platform", "POST", "/v1/gateway/bills", {"bills": lines})
    assert pushed.status_code == 200
    results = pushed.json()["results"]
    assert [result["status"] for result in results] == [201, 200, 422, 201]
    assert [result["insurer_settlement_id"] for result in results[:3]] == [
        good["setlinfo"]["setl_id"],
        stranger["setlinfo"]["setl_id"],
        None,
    ]
    assert results[2]["problem"]["code"] == "not_settled_by_insurer"
    assert results[3]["settlement"]["state"] == "reversed"
