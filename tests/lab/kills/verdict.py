"""What must hold when everything is quiet again. By the tills' diary, the insurer's own list, and the database."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import httpx

from database import rows_of
from lab.kills.parts import Parts
from lab.kills.tills import Acknowledged, Json, Shown, Till
from serving import started
from settlement.db.embedded import DatabaseUrls

QUIET_SECONDS = 120
_READ_AT_ONCE = 4

_STILL_OPEN = {
    "questions": "SELECT count(*) FROM pending_question WHERE closed_at IS NULL",
    "pending bills": "SELECT count(*) FROM bill WHERE state = 'pending'",
    "unconfirmed bills": "SELECT count(*) FROM bill WHERE state = 'live' AND confirmed_at IS NULL",
    "unnumbered events": "SELECT (SELECT count(*) FROM event) - (SELECT count(*) FROM event_position)",
}
_OURS = {"live": {"live"}, "cancelled": {"reversed", "cancelled_unseen"}}
"""By the state of a settlement at the insurer: the states that our bill may be in."""


async def until_quiet(urls: DatabaseUrls) -> float:
    """Wait until nothing is pending; return the seconds that it took."""
    began = time.monotonic()
    while still_open := await asyncio.to_thread(_still_open, urls):
        assert time.monotonic() - began < QUIET_SECONDS, f"still open after two minutes: {still_open}"
        await asyncio.sleep(0.2)
    return time.monotonic() - began


def _still_open(urls: DatabaseUrls) -> dict[str, int]:
    counts = {name: int(str(rows_of(urls, query)[0][0])) for name, query in _STILL_OPEN.items()}
    return {name: count for name, count in counts.items() if count}


async def every_acknowledged_answer_is_still_true(tills: Sequence[Till]) -> None:
    """Assert that each command is kept with the answer that was given, and each bill says the same figures."""
    reading = asyncio.Semaphore(_READ_AT_ONCE)

    async def kept(till: Till, told: Acknowledged) -> None:
        async with reading:
            found = await till.line.get(f"/v1/requests/{told.key}")
        assert (found["status"], found["body"]) == (told.status, told.answer), f"{told.key} is kept otherwise"

    async def recorded(till: Till, setl_id: str, told: Json) -> None:
        async with reading:
            found = await till.line.get(f"/v1/settlements/{told['id']}")
        assert found["insurer_settlement_id"] == setl_id
        assert (setl_id in till.diary.reversed) <= (found["reversal"] is not None), f"{setl_id} is not reversed"
        assert _figures(found) == _figures(told), f"{setl_id} was told otherwise"

    async with asyncio.TaskGroup() as group:
        for till in tills:
            for each in till.diary.acknowledged:
                group.create_task(kept(till, each))
            for setl_id, answer in till.diary.settled.items():
                if answer.get("id"):
                    group.create_task(recorded(till, setl_id, answer))


def _figures(answer: Json) -> Json:
    """Return what a bill costs whom, also when it has been undone meanwhile."""
    names = ("settlement_no", "bill", "plan", "receipt_hash", "promise")
    undone = answer["reversal"]
    paid = undone or {"cash_due": answer["cash_due"]} | answer["mutual_aid"]
    if undone is None:
        paid = {"aid_on_bill": paid["on_bill"], "aid_to_card": paid["to_card"], "cash_due": paid["cash_due"]}
    return {name: answer[name] for name in names} | {
        name: paid[name] for name in ("aid_on_bill", "aid_to_card", "cash_due")
    }


def every_promise_was_kept(shown: Sequence[Shown]) -> int:
    """Assert that who was shown an amount paid it, to the fen, where the insurer's figures were equal; count them."""
    equal = [each for each in shown if each.figures_equal]
    for each in equal:
        assert Decimal(each.settled["cash_due"]) == Decimal(each.quote["cash_due"]), f"{each.settled['id']} costs more"
        assert each.settled["promise"]["kept"]
    return len(equal)


def nothing_is_there_twice(urls: DatabaseUrls) -> int:
    """Assert that no settlement of the insurer has two bills and no bill two settlements; return how many there are."""
    [[bills, ids]] = rows_of(urls, "SELECT count(*), count(DISTINCT (area, insurer_settlement_id)) FROM bill")
    assert bills == ids
    [[settlements, settled]] = rows_of(urls, "SELECT count(*), count(DISTINCT bill_id) FROM settlement")
    assert settlements == settled
    messages = rows_of(
        urls, "SELECT message_id FROM bill JOIN settlement USING (fund_id, bill_id) GROUP BY 1 HAVING count(*) > 1"
    )
    assert messages in ([], [(None,)])
    return int(str(settlements))


async def the_insurer_says_the_same(urls: DatabaseUrls, insurer_url: str, tills: Sequence[Till]) -> Counter[str]:
    """Assert that what is live at the insurer is live here, and what is cancelled there is undone here; all of it."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        listed = (await http.get(f"{insurer_url}/admin/settlements")).raise_for_status().json()["settlements"]
    ours = {
        str(setl_id): str(state) for setl_id, state in rows_of(urls, "SELECT insurer_settlement_id, state FROM bill")
    }
    not_ours = {setl_id for till in tills for setl_id, answer in till.diary.settled.items() if answer.get("id") is None}
    apart = {}
    for row in listed:
        state = ours.pop(row["setl_id"], None)
        if row["setl_id"] not in not_ours and state not in _OURS[row["state"]]:
            apart[row["setl_id"]] = (row["state"], state)
    assert not apart, f"the insurer says otherwise: {apart}"
    left = {setl_id: state for setl_id, state in ours.items() if state != "resolved"}
    assert not left, f"the insurer has no such settlement: {left}"
    return Counter(f"{row['state']} at the insurer" for row in listed)


def nobody_has_to_look_at_anything(urls: DatabaseUrls) -> None:
    """Assert that the worklist is empty: every question ended as a fact."""
    items = rows_of(urls, "SELECT kind, count(*) FROM worklist_item WHERE closed_at IS NULL GROUP BY 1")
    assert items == []


def how_questions_ended(urls: DatabaseUrls) -> dict[str, int]:
    """Count the questions to the insurer by what was asked and how they ended."""
    rows = rows_of(urls, "SELECT asks || ': ' || outcome, count(*) FROM pending_question GROUP BY 1 ORDER BY 1")
    return {str(name): int(str(count)) for name, count in rows}


def the_doctor_finds_nothing(parts: Parts) -> int:
    """Assert that `settlement doctor` finds every law kept; return how many it examined."""
    log = parts.folder / "doctor.log"
    doctor = started(["doctor", "--json"], parts.urls, parts.folder, log)
    assert doctor.wait() == 0, log.read_text()
    told: dict[str, Any] = json.loads(log.read_text().splitlines()[-1])
    assert told["invariants_broken"] == 0
    return int(told["invariants_examined"])
