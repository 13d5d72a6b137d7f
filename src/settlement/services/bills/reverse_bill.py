"""Reverse a bill: the insurer has cancelled it (brought, or seen by 5203), so its aid is undone by a mirror record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum, auto
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db import bills
from settlement.db.engine import fund_transaction
from settlement.db.messages import find_message
from settlement.db.parts import write_together
from settlement.db.reports import list_events_of_bill
from settlement.db.settling import lock_member, take_books_day
from settlement.domain.answers import settlement_answer
from settlement.domain.bills import Insured, InsurerBill
from settlement.domain.certificates import is_masked
from settlement.domain.ids import BillId
from settlement.domain.pending import ACTOR, Asks
from settlement.domain.settlements import BillHead, BillState, ReversalReason, ReversalRecord, SettledBill
from settlement.domain.time import china_date
from settlement.gateway.client import Place
from settlement.gateway.mapping import Fetched, cancels, read_cancellation, read_settlement, read_visit
from settlement.gateway.readings import Cancellation, NotClosing, Unreadable
from settlement.services.bills.ask_insurer import ask_settlement
from settlement.services.bills.chains import declares_kept_place, find_successor, give_place, keep_place, lives_on
from settlement.services.bills.commands import Caller, Once, Outcome, ReverseBill
from settlement.services.bills.errors import (
    BillNotFound,
    CancellationNotSeen,
    CancellationOfAnother,
    GatewayNotAsked,
    MessageDropped,
    MessageUnreadable,
    NothingToReverse,
)
from settlement.services.bills.settle_bill import answered_before
from settlement.services.bills.turns import run_in_turn
from settlement.services.bills.work import Work
from settlement.services.funds.lines import Lines
from settlement.services.funds.rules import FundRules
from settlement.services.resources import Resources
from settlement.services.transactions import MOST_TRIES, CommandInProgress

BY_5203 = "5203"
INSURER_APART = timedelta(minutes=5)
"""The insurer's clock and ours are taken to be apart by less."""


class Due(Enum):
    """What a cancellation that came leads to."""

    REVERSAL = auto()
    QUESTION = auto()
    NOTHING = auto()


class AskedTooEarly(Exception):
    """The bill was cancelled, reinstated or re-rated while the insurer was asked about it: ask again."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The insurer's cancellation as we know it: read from its message, or only that 5203 says so."""

    by: str
    cancellation: Cancellation | None
    as_of: BillHead | None = None
    """The bill as it was before the insurer was asked, where it was: what it said is not known of a later revision."""

    def is_of(self, head: BillHead) -> bool:
        """Say whether nothing happened to the bill since the insurer was asked; what was brought is of any time."""
        return self.as_of is None or self.as_of.event_count == head.event_count


async def reverse_bill(resources: Resources, lines: Lines, command: ReverseBill) -> Outcome:
    """Undo the live settlement of a bill; its room is free for later bills, or kept first for its successor.

    Raises `BillNotFound`, `NothingToReverse`, `CancellationNotSeen` (nothing is released before the insurer's
    cancellation is known), `CancellationOfAnother` when the figures are not this bill's, `GatewayUnavailable`,
    `CommandInProgress` when the bill is changed each time that the insurer is asked.
    """
    for _ in range(MOST_TRIES):
        try:
            return await _reverse(resources, lines, command)
        except AskedTooEarly:
            continue
    raise CommandInProgress


async def _reverse(resources: Resources, lines: Lines, command: ReverseBill) -> Outcome:
    caller, fund_id = command.caller, command.caller.fund_id
    rules = await resources.rules.of(fund_id)
    async with fund_transaction(resources.engine, fund_id) as connection:
        # The head first: whoever sees it changed by this command sees the command's answer too.
        head = await bills.find_head(connection, fund_id, command.bill_id)
        if (answered := await answered_before(connection, fund_id, command.once)) is not None:
            return answered
        if head is None or not caller.may_act_for(head.hospital_code):
            raise BillNotFound(id=str(command.bill_id))
        if head.state not in (BillState.LIVE, BillState.HELD):
            if not await _found_out_before(connection, command, head):
                raise NothingToReverse(id=str(command.bill_id), state=head.state.value)
            return await undo(
                resources, caller, head.bill_id, command.reason, Seen("brought", None, head), None, command.once
            )
        message = await find_message(connection, resources.keys, fund_id, command.bill_id, "settlement")
    if command.cancellation is not None:
        seen = Seen("brought", read_brought_cancellation(command.cancellation, rules))
    else:
        seen = await _seen_by_5203(lines, rules, head, message)
    return await undo(resources, caller, head.bill_id, command.reason, seen, command.cancellation, command.once)


async def _found_out_before(connection: AsyncConnection, command: ReverseBill, head: BillHead) -> bool:
    """Say whether our own asking saw this cancellation before the hospital brought it: then it is told what stands."""
    events = await list_events_of_bill(connection, command.caller.fund_id, head.bill_id)
    return bool(events) and events[-1].actor == f"{command.caller.fund_id}.{ACTOR}"


def read_brought_cancellation(output: Mapping[str, Any], rules: FundRules) -> Cancellation:
    """Read the insurer's answer to 2208 or 2305. Raises `MessageUnreadable`."""
    read = read_cancellation(output, rules.profile)
    if isinstance(read, Unreadable):
        raise MessageUnreadable(field=read.field, problem=read.problem)
    return read


async def undo(
    resources: Resources,
    caller: Caller,
    bill_id: BillId,
    reason: ReversalReason,
    seen: Seen,
    output: Mapping[str, Any] | None,
    once: Once | None,
) -> Outcome:
    """Write the reversal under the member's lock, or answer how the bill stands, where nothing is due.

    Whether it is cancelled is asked where the cancellation may be one that was itself undone: then the bill stands.
    Raises `AskedTooEarly`.
    """

    async def transaction() -> Outcome:
        async with fund_transaction(resources.engine, caller.fund_id) as connection:
            name = once.lock_name if once else f"bill\x1f{bill_id}"
            await lock_member(connection, caller.fund_id, name, bill_id=bill_id)
            if (answered := await answered_before(connection, caller.fund_id, once)) is not None:
                return answered
            await take_books_day(connection, caller.fund_id)
            settled = await bills.find_settled_bill(connection, caller.fund_id, bill_id)
            if settled is None:
                raise BillNotFound(id=str(bill_id))
            if settled.head.state in (BillState.LIVE, BillState.HELD) and not seen.is_of(settled.head):
                raise AskedTooEarly
            work = Work(resources, caller, once, resources.clock())
            due = await _due(connection, work, settled, seen)
            if due is not Due.NOTHING:
                await _check(connection, work, settled, seen)
            if due is Due.REVERSAL:
                settled = await _ended(connection, work, settled, reason, seen, output)
            elif due is Due.QUESTION:
                settled = await _asked_about(connection, work, settled, seen)
            outcome = work.answered(settlement_answer(settled, caller.language), created=due is Due.REVERSAL)
            if work.parts:
                await write_together(connection, work.parts)
            return outcome

    return await run_in_turn(resources, caller.fund_id, bill_id, transaction)


async def _due(connection: AsyncConnection, work: Work, settled: SettledBill, seen: Seen) -> Due:
    """Say what a cancellation leads to.

    One that reversed an earlier revision of a bill that lives again is brought again by a daily file or a retry, and
    must not end the bill a second time. Its number tells it; where the earlier one was only reported by 5203, or the
    region gives no number of its own, one that the insurer dates after our present record is another one.
    """
    cancellation, head, priced = seen.cancellation, settled.head, settled.priced
    if head.state not in (BillState.LIVE, BillState.HELD):
        return Due.NOTHING
    if cancellation is None:
        return Due.REVERSAL
    unnumbered, number = {None, head.insurer_settlement_id}, cancellation.insurer_settlement_id
    earlier = set(await bills.list_cancellations(connection, work.fund_id, head.bill_id))
    if number in earlier - unnumbered:
        return Due.NOTHING
    at = cancellation.settled_at
    since = priced.recorded_at if priced else work.at
    is_later = at is not None and since + INSURER_APART < at <= work.at + INSURER_APART
    is_new = is_later or seen.by == BY_5203
    may_be_known = number in unnumbered or not earlier.isdisjoint(unnumbered)
    return Due.QUESTION if earlier and may_be_known and not is_new else Due.REVERSAL


async def _asked_about(connection: AsyncConnection, work: Work, settled: SettledBill, seen: Seen) -> SettledBill:
    """Leave the bill as it is, and ask the insurer whether it is cancelled now."""
    message_id = seen.cancellation.message_id if seen.cancellation else None
    head = work.changed_head(settled.head, "settlement.cancellation_unclear.v1", {})
    patience = (await work.resources.rules.knowing(work.fund_id, within=connection)).profile.patience
    work.ask(head, Asks.CANCELLATION, message_id, patience)
    return replace(settled, head=head)


async def _check(connection: AsyncConnection, work: Work, settled: SettledBill, seen: Seen) -> None:
    """Raise `CancellationOfAnother` unless the cancellation is this bill's: visit, figures, person, and its own id.

    Two bills of one visit may be alike to the fen; so a cancellation undoes one bill, once, and never one that it
    does not name where it names another.
    """
    head, cancellation = settled.head, seen.cancellation
    if cancellation is None or head.state not in (BillState.LIVE, BillState.HELD):
        return
    brought = await _brought(connection, work, settled)
    figures = (
        settled.priced.figures if settled.priced else brought.figures if isinstance(brought, InsurerBill) else None
    )
    own_id = cancellation.insurer_settlement_id
    alike = figures is None or cancels(cancellation, figures)
    same_person = brought is None or _may_be_one(cancellation.insured, brought.insured)
    if cancellation.encounter_id != head.encounter_id or not alike or not same_person:
        raise CancellationOfAnother(id=str(head.bill_id), encounter_id=cancellation.encounter_id)
    if await bills.is_of_another_bill(connection, work.fund_id, head, own_id):
        raise CancellationOfAnother(id=str(head.bill_id), cancelling_settlement_id=own_id)


async def _brought(connection: AsyncConnection, work: Work, settled: SettledBill) -> InsurerBill | NotClosing | None:
    """Return the bill as it was brought; `None` once its message has been dropped."""
    message = await find_message(connection, work.resources.keys, work.fund_id, settled.head.bill_id, "settlement")
    rules = await work.resources.rules.knowing(work.fund_id, within=connection)
    bill = read_settlement(message["output"], rules.profile) if message else None
    return None if isinstance(bill, Unreadable) else bill


def _may_be_one(one: Insured, other: Insured) -> bool:
    """Say whether two namings can be of one person: where both give a number, it is the same."""
    numbers = {one.insured_person_no, other.insured_person_no} - {None}
    certificates = {one.certificate, other.certificate} - {None}
    return len(numbers) < 2 and len({c for c in certificates if c and not is_masked(c.number)}) < 2


async def _ended(
    connection: AsyncConnection,
    work: Work,
    settled: SettledBill,
    reason: ReversalReason,
    seen: Seen,
    output: Mapping[str, Any] | None,
) -> SettledBill:
    """Collect how the bill ends; where its plan keeps a place, it goes to its successor, or is kept for one."""
    keeps_place = await declares_kept_place(connection, work, settled)
    successor = await find_successor(connection, work, settled) if keeps_place else None
    if keeps_place and successor is None and not await lives_on(connection, work, settled.head):
        keep_place(work, settled)
    ended = _undone(work, settled, reason, seen)
    if output is not None:
        work.message(settled.head, "cancellation", {"output": output})
    if successor is not None:
        # What the bill took must be given back before its successor is computed: one statement sees no other's work.
        await write_together(connection, work.parts)
        work.parts.clear()
        ended, _ = await give_place(connection, work, ended, successor)
    return ended


def _undone(work: Work, settled: SettledBill, reason: ReversalReason, seen: Seen) -> SettledBill:
    own_id = seen.cancellation.insurer_settlement_id if seen.cancellation else None
    head = replace(settled.head, cancelling_settlement_id=own_id)
    if settled.priced is None:
        ended = replace(head, state=BillState.CANCELLED_UNSEEN, question=None)
        return SettledBill(
            work.changed_head(ended, "settlement.cancelled_while_held.v1", {"reason": reason.value}), None, None
        )
    undone = ReversalRecord(
        revision=settled.priced.revision,
        reason=reason.value,
        seen_by=seen.by,
        cancelling_settlement_id=own_id,
        business_date=_business_date(work, seen),
        actor=work.caller.client_id,
        recorded_at=work.at,
    )
    ended = replace(head, state=BillState.REVERSED)
    ended = work.changed_head(ended, "settlement.reversed.v1", {"reason": reason.value, "seen_by": seen.by})
    work.parts.append(bills.insert_reversal(work.fund_id, head.bill_id, work.resources.ids.new(), undone))
    work.parts.append(bills.insert_swapped_postings(work.fund_id, head.bill_id, undone.revision))
    return SettledBill(ended, settled.priced, undone)


def _business_date(work: Work, seen: Seen) -> date:
    """Return the date of the insurer's cancellation; one that 5203 only reports is dated by our seeing it."""
    at = seen.cancellation.settled_at if seen.cancellation else None
    return china_date(at or work.at)


async def _seen_by_5203(lines: Lines, rules: FundRules, head: BillHead, message: Mapping[str, Any] | None) -> Seen:
    try:
        fetched = await fetched_by_5203(lines, rules, head, message)
    except GatewayNotAsked as cannot:
        raise CancellationNotSeen(id=str(head.bill_id), asked="no") from cannot
    about = fetched.reading.insurer_settlement_id
    of_the_bill = isinstance(fetched.reading, Cancellation) or about == head.insurer_settlement_id
    if not fetched.refunded or not of_the_bill:
        raise CancellationNotSeen(id=str(head.bill_id), asked="yes")
    return Seen(BY_5203, fetched.reading if isinstance(fetched.reading, Cancellation) else None, head)


async def fetched_by_5203(lines: Lines, rules: FundRules, head: BillHead, message: Mapping[str, Any] | None) -> Fetched:
    """Ask the insurer what a recorded bill is now, with what its message says of the person.

    Raises `MessageDropped` once the message is gone, and what `ask_settlement` raises.
    """
    if message is None:
        raise MessageDropped(id=str(head.bill_id))
    bill, visit = read_settlement(message["output"], rules.profile), read_visit(message["facts"])
    if isinstance(bill, Unreadable) or isinstance(visit, Unreadable):
        raise MessageDropped(id=str(head.bill_id))
    fetched, _ = await ask_settlement(
        lines.to(rules),
        insured_person_no=bill.insured.insured_person_no or "",
        insurer_settlement_id=head.insurer_settlement_id,
        encounter_id=bill.encounter_id,
        place=Place(head.area, visit.insured_area or ""),
    )
    return fetched
