"""What is not certain is asked about until it is a fact or stands on the worklist; we ask, and never act there."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from asked_city import AskedCity, an_asked_city, write_profile
from builders import once
from database import Databases, as_owner, rows_of
from lab.running import insurer_on_thread
from settlement.db.bills import get_head
from settlement.db.embedded import DatabaseUrls
from settlement.db.engine import fund_transaction
from settlement.db.pending import find_newest_question
from settlement.domain.ids import BillId, FundId
from settlement.domain.money import Money
from settlement.domain.pending import Standing, standing_of
from settlement.domain.promises import HoldKind
from settlement.domain.settlements import BillState, ReversalReason
from settlement.gateway.messages import decode
from settlement.lab.his.bills import OpenVisit
from settlement.lab.his.gateway import Unanswered
from settlement.services.bills.commands import Brought, Outcome, ReverseBill
from settlement.services.bills.promise_bill import PromiseBill, promise_bill
from settlement.services.bills.push_bills import PushedBill, push_bills
from settlement.services.bills.quote_bill import QuoteBill
from settlement.services.bills.reverse_bill import reverse_bill
from settlement.services.funds.lines import Lines
from settlement.services.pending import ask_questions
from settlement.services.pending.ask_questions import ask_all_due, ask_due_of
from settlement.services.pending.open_questions import open_questions_of

LONGEST_SECONDS = 60
LONGEST_UPSTREAM = timedelta(seconds=2)
"""How long a message may be under way in a city in a hurry."""


@pytest.fixture
def database(databases: Databases) -> Iterator[DatabaseUrls]:
    with databases.copy() as urls:
        yield urls


@pytest.fixture
async def asked(database: DatabaseUrls, tmp_path: Path) -> AsyncIterator[AskedCity]:
    with insurer_on_thread(tmp_path / "insurer", clock="system") as server:
        async with an_asked_city(database, server.url, write_profile(tmp_path, server.url)) as city:
            yield city


def id_of(outcome: Outcome) -> BillId:
    return BillId(UUID(outcome.answer["id"]))


async def ask_until_it_ends(city: AskedCity, bill_id: BillId) -> None:
    """Ask as the worker does, until the bill's question has ended."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        await ask_all_due(city.asker)
        async with fund_transaction(city.resources.engine, city.fund_id) as connection:
            question = await find_newest_question(connection, city.fund_id, bill_id)
        if question is not None and question.outcome is not None:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"the question did not end within {LONGEST_SECONDS} s: {question}")


async def now_of(city: AskedCity, bill_id: BillId) -> tuple[BillState, Standing]:
    async with fund_transaction(city.resources.engine, city.fund_id) as connection:
        head = await get_head(connection, city.fund_id, bill_id)
        return head.state, standing_of(head, await find_newest_question(connection, city.fund_id, bill_id))


async def push_the_days_bill(city: AskedCity, day: str) -> None:
    """Hand over the one bill of the bureau's file, as the platform does."""
    file = await city.insurers.http.get(f"{city.insurers.url}/admin/file", params={"date": day})
    (line,) = [decode(written) for written in file.text.splitlines()]
    platform = replace(city.caller, hospital_codes=frozenset())
    (pushed,) = await push_bills(city.resources, platform, [PushedBill(line["output"], line["facts"], present=False)])
    assert isinstance(pushed, Outcome)


def outcomes(database: DatabaseUrls) -> list[tuple[object, ...]]:
    return rows_of(database, "SELECT asks, outcome FROM pending_question ORDER BY opened_at")


def open_worklist(database: DatabaseUrls) -> list[object]:
    return [kind for (kind,) in rows_of(database, "SELECT kind FROM worklist_item WHERE closed_at IS NULL")]


async def test_a_brought_bill_is_confirmed_by_asking(asked: AskedCity, database: DatabaseUrls):
    brought = await asked.bring(await asked.settled_at_insurer())
    assert brought.answer["confirmed"] is False
    assert await now_of(asked, id_of(brought)) == (BillState.LIVE, Standing("known_unconfirmed", "tell_live"))
    await ask_until_it_ends(asked, id_of(brought))
    assert await now_of(asked, id_of(brought)) == (BillState.LIVE, Standing("known_live", "tell_live"))
    assert outcomes(database) == [("bill", "confirmed")]
    assert rows_of(database, "SELECT confirmed_by FROM bill") == [("5203",)]
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(1,)]


async def test_a_brought_bill_that_the_insurer_cancelled_is_reversed(asked: AskedCity, database: DatabaseUrls):
    bill = await asked.settled_at_insurer()
    brought = await asked.bring(bill)
    await asked.hospital.cancel(bill)
    await ask_until_it_ends(asked, id_of(brought))
    assert await now_of(asked, id_of(brought)) == (BillState.REVERSED, Standing("known_undone", "tell_undone"))
    assert outcomes(database) == [("bill", "cancelled")]


async def test_a_cancellation_that_we_saw_before_the_hospital_brought_it_is_answered_with_what_stands(
    asked: AskedCity, database: DatabaseUrls
):
    bill = await asked.settled_at_insurer()
    brought = await asked.bring(bill)
    cancelled = await asked.hospital.cancel(bill)
    await ask_until_it_ends(asked, id_of(brought))
    command = ReverseBill(asked.caller, id_of(brought), ReversalReason.REFUND, cancelled.output, once(asked.caller))
    told = await reverse_bill(asked.resources, asked.lines, command)
    assert (told.created, told.answer["state"]) == (False, "reversed")
    assert rows_of(database, "SELECT count(*) FROM reversal") == [(1,)]


async def test_a_brought_bill_that_the_insurer_does_not_know_stays_and_goes_to_a_person(
    asked: AskedCity, database: DatabaseUrls
):
    bill = await asked.settled_at_insurer()
    brought = await asked.bring(bill)
    await asked.hospital.reverse(bill.person, bill.msgid, "2207")
    began = time.monotonic()
    await ask_until_it_ends(asked, id_of(brought))
    assert time.monotonic() - began > 1.5
    assert (await now_of(asked, id_of(brought)))[0] is BillState.LIVE
    assert open_worklist(database) == ["bill_unconfirmed"]


async def test_a_message_that_settled_and_was_not_answered_goes_to_the_card(asked: AskedCity, database: DatabaseUrls):
    visit = await asked.stay()
    await asked.insurers.fault("no_answer_after", infno="2304")
    message_id = await asked.lost(visit)
    reported = await asked.report(visit, message_id)
    assert (reported.created, reported.answer["state"]) == (True, "pending")
    assert await now_of(asked, id_of(reported)) == (BillState.PENDING, Standing("known_asked", "tell_asked"))
    assert (await asked.report(visit, message_id)).created is False
    await ask_until_it_ends(asked, id_of(reported))
    assert await now_of(asked, id_of(reported)) == (BillState.RESOLVED, Standing("known_settled", "tell_settled"))
    settled = rows_of(database, "SELECT message_id, confirmed_by FROM bill WHERE state = 'live'")
    assert settled == [(message_id, "5203")]
    assert rows_of(database, "SELECT aid_on_bill_fen, aid_to_card_fen > 0 FROM settlement") == [(0, True)]
    assert (await asked.report(visit, message_id)).answer["state"] == "live"


async def promise_of(city: AskedCity, visit: OpenVisit) -> dict[str, Any]:
    """Take the pre-settlement of a visit and have its amount held."""
    brought = Brought(await city.hospital.presettle(visit), city.hospital.facts_of(visit, "", ""))
    quote = PromiseBill(QuoteBill(city.caller, brought), HoldKind.COUNTER, None)
    return dict((await promise_bill(city.resources, quote)).answer)


LET_HOLDS_EXPIRE = "UPDATE hold SET expires_at = created_at + interval '1 millisecond'"


async def test_the_bill_of_a_lost_answer_pays_what_the_counter_was_promised_though_its_time_is_over(
    asked: AskedCity, database: DatabaseUrls
):
    visit = await asked.stay()
    shown = await promise_of(asked, visit)
    await asked.insurers.fault("no_answer_after", infno="2304")
    reported = await asked.report(visit, await asked.lost(visit))
    as_owner(database, LET_HOLDS_EXPIRE)
    await ask_until_it_ends(asked, id_of(reported))
    assert rows_of(database, "SELECT state FROM hold") == [("kept",)]
    split = "SELECT aid_on_bill_fen, aid_to_card_fen, cash_due_fen FROM"
    (paid,) = rows_of(database, f"{split} settlement")
    assert [paid] == rows_of(database, f"{split} hold")
    assert paid[0] != 0
    assert shown["cash_due"] == Money(int(str(paid[2]))).yuan()


async def test_a_promise_ends_with_the_last_question_about_its_visit(asked: AskedCity, database: DatabaseUrls):
    visit = await asked.stay()
    await promise_of(asked, visit)
    await asked.insurers.fault("no_answer_before", infno="2304", count=2)
    first = await asked.report(visit, await asked.lost(visit))
    second = await asked.report(visit, await asked.lost(visit))
    as_owner(database, LET_HOLDS_EXPIRE)
    as_owner(
        database, f"UPDATE pending_question SET due_at = now() + interval '1 day' WHERE bill_id = '{id_of(second)}'"
    )
    await ask_until_it_ends(asked, id_of(first))
    stands = "SELECT state, stands_until > now() FROM hold"
    assert rows_of(database, stands) == [("open", True)]
    as_owner(database, "UPDATE pending_question SET due_at = now()")
    await ask_until_it_ends(asked, id_of(second))
    assert rows_of(database, stands) == [("open", False)]


async def test_a_promise_ends_when_the_last_two_questions_about_its_visit_end_at_once(
    asked: AskedCity, database: DatabaseUrls
):
    visit = await asked.stay()
    await promise_of(asked, visit)
    await asked.insurers.fault("no_answer_before", infno="2304", count=2)
    reported = [await asked.report(visit, await asked.lost(visit)) for _ in range(2)]
    as_owner(database, LET_HOLDS_EXPIRE)
    async with fund_transaction(asked.resources.engine, asked.fund_id) as connection:
        questions = [await find_newest_question(connection, asked.fund_id, id_of(each)) for each in reported]
    both_count = max(question.opened_at for question in questions if question is not None) + LONGEST_UPSTREAM
    as_owner(database, f"UPDATE pending_question SET due_at = '{both_count.isoformat()}'")
    for each in reported:
        await ask_until_it_ends(asked, id_of(each))
    assert outcomes(database) == [("settlement", "never_happened")] * 2
    assert rows_of(database, "SELECT state, stands_until > now() FROM hold") == [("open", False)]


async def test_a_message_that_never_arrived_counts_as_such_only_after_the_longest_upstream_time(
    asked: AskedCity, database: DatabaseUrls
):
    visit = await asked.visit()
    await asked.insurers.fault("no_answer_before", infno="2207")
    reported = await asked.report(visit, await asked.lost(visit))
    began = time.monotonic()
    await ask_until_it_ends(asked, id_of(reported))
    assert time.monotonic() - began > 1.9
    assert outcomes(database) == [("settlement", "never_happened")]
    known = Standing("known_never_happened", "tell_never_happened")
    assert await now_of(asked, id_of(reported)) == (BillState.RESOLVED, known)
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(0,)]
    assert open_worklist(database) == []


async def test_a_message_that_was_minutes_slow_is_found_though_it_was_not_found_before(
    asked: AskedCity, database: DatabaseUrls
):
    visit = await asked.visit()
    await asked.insurers.fault("slow", infno="2207", seconds=1.4)
    asked.hospital.gateway.http.timeout = httpx.Timeout(0.3)
    reported = await asked.report(visit, await asked.lost(visit))
    await ask_all_due(asked.asker)
    assert rows_of(database, "SELECT said, tries, outcome FROM pending_question") == [("not_found", 1, None)]
    await ask_until_it_ends(asked, id_of(reported))
    assert outcomes(database) == [("settlement", "settled")]


async def test_a_message_that_settled_and_was_cancelled_since_leaves_nothing(asked: AskedCity, database: DatabaseUrls):
    visit = await asked.visit()
    await asked.insurers.fault("no_answer_after", infno="2207")
    message_id = await asked.lost(visit)
    reported = await asked.report(visit, message_id)
    await asked.hospital.reverse(visit.person, message_id, "2207")
    await ask_until_it_ends(asked, id_of(reported))
    assert outcomes(database) == [("settlement", "never_happened")]
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(0,)]


async def test_the_bureaus_bill_that_carries_the_msgid_resolves_the_message_without_asking(
    asked: AskedCity, database: DatabaseUrls
):
    visit = await asked.visit()
    await asked.insurers.fault("no_answer_after", infno="2207")
    reported = await asked.report(visit, await asked.lost(visit))
    await asked.insurers.fault("http_error", infno="5204", count=0)
    await push_the_days_bill(asked, f"{visit.at:%Y-%m-%d}")
    await ask_until_it_ends(asked, id_of(reported))
    assert outcomes(database) == [("settlement", "settled")]
    assert rows_of(database, "SELECT confirmed_by FROM bill WHERE state = 'live'") == [("exchange",)]


async def test_a_message_that_nothing_decides_goes_to_a_person_and_comes_back_when_its_bill_does(
    asked: AskedCity, database: DatabaseUrls
):
    visit = await asked.visit()
    await asked.insurers.fault("no_answer_after", infno="2207")
    reported = await asked.report(visit, await asked.lost(visit))
    await asked.insurers.fault("http_error", infno="5204", count=0)
    as_owner(database, "UPDATE pending_question SET deadline_at = now()")
    await ask_until_it_ends(asked, id_of(reported))
    assert open_worklist(database) == ["message_unresolved"]
    state, standing = await now_of(asked, id_of(reported))
    assert (state, standing) == (BillState.PENDING, Standing("known_unresolved", "tell_unresolved"))
    await push_the_days_bill(asked, f"{visit.at:%Y-%m-%d}")
    await ask_all_due(asked.asker)
    assert (await now_of(asked, id_of(reported)))[0] is BillState.RESOLVED
    assert open_worklist(database) == []


@pytest.mark.parametrize(
    ("fault", "state", "outcome"),
    [("no_answer_after", BillState.REVERSED, "cancelled"), ("no_answer_before", BillState.LIVE, "never_happened")],
)
async def test_a_cancellation_that_was_not_answered_ends_as_what_the_insurer_did(
    asked: AskedCity, database: DatabaseUrls, fault: str, state: BillState, outcome: str
):
    bill = await asked.settled_at_insurer()
    brought = await asked.bring(bill)
    await asked.insurers.fault(fault, infno="2208")
    with pytest.raises(Unanswered) as unanswered:
        await asked.hospital.cancel(bill)
    reported = await asked.report(bill.visit, unanswered.value.msgid, bill.setl_id)
    assert reported.answer["state"] == "live"
    assert (await now_of(asked, id_of(brought)))[1] == Standing("known_cancelling", "tell_cancelling")
    question = rows_of(database, "SELECT opened_at, deadline_at, tries FROM pending_question")
    again = await asked.report(bill.visit, unanswered.value.msgid, bill.setl_id)
    assert again.answer == reported.answer
    assert rows_of(database, "SELECT opened_at, deadline_at, tries FROM pending_question") == question
    await ask_until_it_ends(asked, id_of(brought))
    assert (await now_of(asked, id_of(brought)))[0] is state
    assert outcomes(database) == [("cancellation", outcome)]


async def test_two_workers_at_once_ask_each_question_once(asked: AskedCity, database: DatabaseUrls):
    for nth in range(10):
        await asked.bring(await asked.settled_at_insurer(nth))
    assert await open_questions_of(asked.resources, asked.fund_id, all_times=True) == 10
    await asyncio.sleep(0.25)
    other_lines = Lines({}, asked.resources.clock)
    try:
        workers = itertools.cycle([asked.asker, replace(asked.asker, lines=other_lines)])
        asked_about = await asyncio.gather(*(ask_all_due(next(workers)) for _ in range(6)))
    finally:
        await other_lines.close()
    assert sum(asked_about) == 10
    assert (await asked.insurers.get("stats"))["messages"]["5203"] == 10
    assert outcomes(database) == [("bill", "confirmed")] * 10


async def test_an_asker_that_is_told_to_stop_as_its_lease_commits_holds_nothing(
    asked: AskedCity, database: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
):
    await asked.bring(await asked.settled_at_insurer())
    await open_questions_of(asked.resources, asked.fund_id, all_times=True)
    as_owner(database, "UPDATE pending_question SET due_at = opened_at")

    @asynccontextmanager
    async def stopped_at_the_first_commit(engine: AsyncEngine, fund_id: FundId) -> AsyncIterator[AsyncConnection]:
        async with fund_transaction(engine, fund_id) as connection:
            yield connection
        monkeypatch.setattr(ask_questions, "fund_transaction", fund_transaction)
        assert rows_of(database, "SELECT asker_id IS NULL FROM pending_question") == [(False,)]
        raise asyncio.CancelledError

    monkeypatch.setattr(ask_questions, "fund_transaction", stopped_at_the_first_commit)
    with pytest.raises(asyncio.CancelledError):
        await ask_due_of(asked.asker, asked.fund_id)
    assert rows_of(database, "SELECT asker_id, tries FROM pending_question") == [(None, 0)]
