"""A revision is the one way to change a recorded bill; a transfer of its aid to the card is the simplest one."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from builders import KEYS, City, SteeredClock, a_2304, a_2305, bill_id_of, facts, once, reverse, settle
from database import ops_engine, rows_of
from settlement.db.bills import find_settled_bill
from settlement.db.embedded import DatabaseUrls
from settlement.db.engine import fund_transaction
from settlement.db.reports import list_postings
from settlement.domain.ids import BillId
from settlement.domain.promises import HoldKind
from settlement.domain.settlements import RevisionReason
from settlement.services.audit.examine import examine
from settlement.services.audit.prove_bill import prove_bill
from settlement.services.bills.commands import Brought, Outcome
from settlement.services.bills.errors import BillNotFound
from settlement.services.bills.promise_bill import PromiseBill, promise_bill
from settlement.services.bills.quote_bill import QuoteBill
from settlement.services.bills.transfer_aid import TransferAid, transfer_aid
from settlement.services.books.close_books_day import close_books_day
from settlement.services.resources import Resources


async def transfer(resources: Resources, city: City, settled: Outcome, key: str | None = None) -> Outcome:
    command = TransferAid(city.caller, bill_id_of(settled), RevisionReason.NOT_SHOWN, once(city.caller, key))
    return await transfer_aid(resources, command)


async def broken(database: DatabaseUrls) -> list[str]:
    async with ops_engine(database) as engine:
        examination = await examine(engine, KEYS)
    return [finding.invariant.name for finding in examination.broken]


async def test_a_transfer_moves_the_aid_to_the_card_and_raises_the_cash_by_the_same_fen(
    resources: Resources, city: City, database: DatabaseUrls
):
    settled = await settle(resources, city, a_2304(city.member))
    moved = await transfer(resources, city, settled)
    assert moved.created
    assert (moved.answer["state"], moved.answer["revision"]) == ("live", 2)
    assert moved.answer["mutual_aid"]["status"] == "to_card"
    assert moved.answer["mutual_aid"]["to_card"] == settled.answer["mutual_aid"]["on_bill"] == "389.83"
    assert moved.answer["cash_due"] == "2079.66"
    assert moved.answer["receipt_hash"] == settled.answer["receipt_hash"]
    owed = """SELECT account, sum(fen)::bigint FROM (SELECT credit AS account, fen FROM posting
              UNION ALL SELECT debit, -fen FROM posting) AS side WHERE account LIKE 'payable:%' GROUP BY 1 ORDER BY 1"""
    assert rows_of(database, owed) == [("payable:hospital", 0), ("payable:member", 38983)]
    assert await broken(database) == []


async def test_a_transfer_again_is_answered_as_the_bill_is(resources: Resources, city: City, database: DatabaseUrls):
    settled = await settle(resources, city, a_2304(city.member))
    first = await transfer(resources, city, settled, key="transfer-key")
    again = await transfer(resources, city, settled, key="transfer-key")
    other = await transfer(resources, city, settled)
    assert (again.replayed, again.answer) == (True, first.answer)
    assert (other.created, other.answer) == (False, first.answer)
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(2,)]


async def test_transfers_sent_at_once_move_it_once(resources: Resources, city: City, database: DatabaseUrls):
    settled = await settle(resources, city, a_2304(city.member))
    moved = await asyncio.gather(*(transfer(resources, city, settled) for _ in range(5)))
    assert [outcome.created for outcome in moved].count(True) == 1
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(2,)]
    assert await broken(database) == []


async def test_the_room_of_a_transferred_bill_stays_taken(resources: Resources, city: City, database: DatabaseUrls):
    plain = {"hifp": "0.00", "absorbed": "0.00", "account": "0.00", "excluded": "0.00", "allowed": "60000.00"}
    settled = await settle(resources, city, a_2304(city.member, **plain))
    await transfer(resources, city, settled)
    assert (await settle(resources, city, a_2304(city.member))).answer["mutual_aid"]["amount"] == "0.00"
    assert await broken(database) == []


async def test_a_held_a_reversed_and_an_unaided_bill_are_answered_as_they_are(resources: Resources, city: City):
    held = await settle(resources, city, a_2304(city.member), facts(city, discharged_on=None))
    output = a_2304(city.members[1])
    undone = await settle(resources, city, output)
    undone = await reverse(resources, city, undone, a_2305(output))
    card = await settle(resources, city, a_2304(city.members[2]), at_counter=False)
    for outcome in (held, undone, card):
        moved = await transfer(resources, city, outcome)
        assert (moved.created, moved.answer) == (False, outcome.answer)


async def test_another_hospitals_bill_is_not_found(resources: Resources, city: City):
    with pytest.raises(BillNotFound):
        await transfer(resources, city, Outcome({"id": str(BillId(UUID(int=7)))}, created=False))


async def test_the_aid_of_a_kept_promise_can_be_transferred(resources: Resources, city: City, database: DatabaseUrls):
    quote = QuoteBill(city.caller, Brought(a_2304(city.member), facts(city)))
    await promise_bill(resources, PromiseBill(quote, HoldKind.COUNTER, None))
    settled = await settle(resources, city, a_2304(city.member))
    moved = await transfer(resources, city, settled)
    assert moved.answer["promise"] == settled.answer["promise"]
    assert moved.answer["mutual_aid"]["status"] == "to_card"
    assert await broken(database) == []


async def test_a_revision_falls_in_the_open_books_day_and_on_the_day_of_the_change(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    settled = await settle(resources, city, a_2304(city.member))
    await close_books_day(resources, city.fund_id)
    clock.forward(days=3)
    moved = await transfer(resources, city, settled)
    assert moved.answer["business_date"] == settled.answer["business_date"]
    days = "SELECT revision, books_day, business_date::text FROM settlement ORDER BY revision"
    assert rows_of(database, days) == [(1, 1, "2025-03-11"), (2, 2, "2025-03-14")]
    assert rows_of(database, "SELECT revision, books_day, reason FROM reversal") == [(1, 2, "not_shown")]
    assert await broken(database) == []


async def test_a_transferred_bill_is_reversed_by_its_shown_revision(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    await transfer(resources, city, settled)
    undone = await reverse(resources, city, settled, a_2305(output))
    assert undone.answer["reversal"]["aid_to_card"] == "389.83"
    assert await broken(database) == []


async def test_the_proof_of_a_revised_bill_holds(resources: Resources, city: City):
    settled = await settle(resources, city, a_2304(city.member))
    await transfer(resources, city, settled)
    rules = await resources.rules.of(city.fund_id)
    async with fund_transaction(resources.engine, city.fund_id) as connection:
        stands = await find_settled_bill(connection, city.fund_id, bill_id_of(settled))
        recorded = await list_postings(connection, city.fund_id, bill_id_of(settled))
    assert stands is not None
    proof = prove_bill(stands, recorded, rules)
    assert (proof["closes"], proof["postings_balance"], proof["replays_to_the_same_fen"]) == (True, True, True)
    assert not prove_bill(stands, recorded[1:], rules)["postings_balance"]
