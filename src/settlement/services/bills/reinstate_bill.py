"""Reinstate a cancelled bill: the insurer's cancellation was itself undone, so the insurer's bill lives again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db import bills, holds
from settlement.db.engine import fund_transaction
from settlement.db.messages import find_message, list_messages
from settlement.db.parts import write_together
from settlement.db.settling import lock_member, read_takings, take_books_day
from settlement.domain.answers import settlement_answer
from settlement.domain.benefits import Taking
from settlement.domain.errors import ensure
from settlement.domain.ids import BillId
from settlement.domain.money import total
from settlement.domain.promises import HoldKind, HoldState, Promise
from settlement.domain.settlements import BillHead, BillState, PricedRecord, RevisionReason, SettledBill
from settlement.gateway.mapping import Undoing, read_cancellation, read_settlement, read_undoing
from settlement.gateway.readings import Cancellation, Unreadable
from settlement.services.bills.anew import compute_anew
from settlement.services.bills.bring_again import CANCELLATION_UNDONE, bring_again
from settlement.services.bills.commands import Caller, Once, Outcome
from settlement.services.bills.errors import (
    BillNotFound,
    CancellationStands,
    GatewayNotAsked,
    MessageUnreadable,
    NothingToReinstate,
)
from settlement.services.bills.later_paid import later_paid
from settlement.services.bills.reverse_bill import AskedTooEarly, fetched_by_5203
from settlement.services.bills.revise import revise
from settlement.services.bills.settle_bill import answered_before
from settlement.services.bills.turns import run_in_turn
from settlement.services.bills.work import Work
from settlement.services.funds.lines import Lines
from settlement.services.funds.rules import FundRules
from settlement.services.resources import Resources
from settlement.services.transactions import MOST_TRIES, CommandInProgress

_CANCELLED = (BillState.REVERSED, BillState.REPLACED, BillState.CANCELLED_UNSEEN)


@dataclass(frozen=True, slots=True)
class ReinstateBill:
    """Make a cancelled bill live again. `undoing` is the accepted 2601 of its cancellation; without it we ask 5203.

    One that came before, with an earlier cancellation or while the bill lived, proves nothing now: we ask then, too.
    """

    caller: Caller
    bill_id: BillId
    undoing: Mapping[str, Any] | None
    once: Once


async def reinstate_bill(resources: Resources, lines: Lines, command: ReinstateBill) -> Outcome:
    """Record the next revision of a reversed bill: what the patient was shown, as far as the limits allow it now.

    One that was cancelled before it had a record is settled as it was brought; a live bill is answered as it is.
    Raises `BillNotFound`, `NothingToReinstate`, `CancellationStands` (nothing is reinstated before it is known that
    the insurer's bill lives), `MessageUnreadable`, `MessageDropped`, `GatewayUnavailable`, `CommandInProgress` when
    the bill is changed each time that the insurer is asked.
    """
    for _ in range(MOST_TRIES):
        try:
            return await _checked_and_reinstated(resources, lines, command)
        except AskedTooEarly:
            continue
    raise CommandInProgress


async def _checked_and_reinstated(resources: Resources, lines: Lines, command: ReinstateBill) -> Outcome:
    caller, fund_id = command.caller, command.caller.fund_id
    rules = await resources.rules.of(fund_id)
    async with fund_transaction(resources.engine, fund_id) as connection:
        settled = await bills.find_settled_bill(connection, fund_id, command.bill_id)
        if (answered := await answered_before(connection, fund_id, command.once)) is not None:
            return answered
        if settled is None or not caller.may_act_for(settled.head.hospital_code):
            raise BillNotFound(id=str(command.bill_id))
        message = await find_message(connection, resources.keys, fund_id, command.bill_id, "settlement")
        cancelled = await find_message(connection, resources.keys, fund_id, command.bill_id, "cancellation")
        undoings = await list_messages(connection, resources.keys, fund_id, command.bill_id, "undoing")
    came_before = command.undoing is not None and _came_before(command.undoing, undoings)
    if not _may_live(settled.head):
        raise NothingToReinstate(id=str(command.bill_id), state=settled.head.state.value)
    if settled.head.state is BillState.CANCELLED_UNSEEN and message is None:
        raise NothingToReinstate(id=str(command.bill_id), state=settled.head.state.value)
    if settled.head.state in _CANCELLED:
        if command.undoing is not None and not came_before:
            _check_undoing(settled, command.undoing, message, cancelled, rules)
        else:
            await _check_by_5203(lines, rules, settled, message)
    if message is not None and settled.head.state in (BillState.CANCELLED_UNSEEN, BillState.HELD):
        return await bring_again(resources, caller, settled.head, command.undoing, message, command.once)
    return await _reinstate(resources, command, settled.head, is_new=not came_before)


def _came_before(undoing: Mapping[str, Any], kept: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether a 2601 of the same cancellation came before, whatever else of it is another."""
    read, known = read_undoing(undoing), [read_undoing(message["input"]) for message in kept]
    return not isinstance(read, Unreadable) and read.message_id in [
        each.message_id for each in known if not isinstance(each, Unreadable)
    ]


def _may_live(head: BillHead) -> bool:
    """Say whether a bill lives or may live again; one that is held waits for its cancellation to be undone or not."""
    undone = head.question is not None and head.question.code == CANCELLATION_UNDONE
    return head.state in _CANCELLED or head.state is BillState.LIVE or undone


def _check_undoing(
    settled: SettledBill,
    undoing: Mapping[str, Any],
    message: Mapping[str, Any] | None,
    cancelled: Mapping[str, Any] | None,
    rules: FundRules,
) -> None:
    """Raise `CancellationStands` unless an accepted 2601 took back this bill's cancellation, as far as can be seen."""
    read = read_undoing(undoing)
    if isinstance(read, Unreadable):
        raise MessageUnreadable(field=read.field, problem=read.problem)
    if not (read.accepted and read.restores and _is_about(read, settled, message, cancelled, rules)):
        raise CancellationStands(id=str(settled.head.bill_id), asked="no")


def _is_about(
    undoing: Undoing,
    settled: SettledBill,
    message: Mapping[str, Any] | None,
    cancelled: Mapping[str, Any] | None,
    rules: FundRules,
) -> bool:
    """Compare person and message id where both are known. Some regions repeat the settlement's own message id."""
    bill = read_settlement(message["output"], rules.profile) if message else None
    cancellation = read_cancellation(cancelled["output"], rules.profile) if cancelled else None
    known = bill.insured.insured_person_no if bill is not None and not isinstance(bill, Unreadable) else None
    if known not in (None, undoing.insured_person_no):
        return False
    if isinstance(cancellation, Cancellation):
        return cancellation.message_id in (None, settled.head.message_id, undoing.message_id)
    return undoing.message_id != settled.head.message_id


async def _check_by_5203(
    lines: Lines, rules: FundRules, settled: SettledBill, message: Mapping[str, Any] | None
) -> None:
    head = settled.head
    try:
        fetched = await fetched_by_5203(lines, rules, head, message)
    except GatewayNotAsked as cannot:
        raise CancellationStands(id=str(head.bill_id), asked="no") from cannot
    if fetched.refunded is not False or fetched.reading.insurer_settlement_id != head.insurer_settlement_id:
        raise CancellationStands(id=str(head.bill_id), asked="yes")


async def _reinstate(resources: Resources, command: ReinstateBill, checked: BillHead, *, is_new: bool) -> Outcome:
    """Reinstate the bill; raise `AskedTooEarly` if anything happened to it since it was checked.

    A newer cancellation was not undone. A 2601 that `is_new` is kept even where the bill lives already.
    """
    caller, fund_id, once = command.caller, command.caller.fund_id, command.once

    async def transaction() -> Outcome:
        async with fund_transaction(resources.engine, fund_id) as connection:
            await lock_member(connection, fund_id, once.lock_name, bill_id=command.bill_id)
            if (answered := await answered_before(connection, fund_id, once)) is not None:
                return answered
            await take_books_day(connection, fund_id)
            settled = await bills.find_settled_bill(connection, fund_id, command.bill_id)
            ensure(settled is not None, "a bill that was found is gone")
            if settled is None:
                raise BillNotFound(id=str(command.bill_id))
            work, reversed_ = Work(resources, caller, once, resources.clock()), settled.reversal is not None
            if reversed_ and settled.head.event_count != checked.event_count:
                raise AskedTooEarly
            if reversed_:
                chain = await bills.list_bills_in_place(connection, fund_id, settled.head.place)
                _tell_of_another(work, settled.head, chain)
                settled = await _live_again(connection, work, settled, chain)
            if command.undoing is not None and is_new:
                work.message(settled.head, "undoing", {"input": command.undoing})
            outcome = work.answered(settlement_answer(settled, caller.language), created=reversed_)
            await write_together(connection, work.parts)
            return outcome

    return await run_in_turn(resources, fund_id, command.bill_id, transaction)


def _tell_of_another(work: Work, head: BillHead, chain: Sequence[BillHead]) -> None:
    """Put it before a person where a bill that was recorded as this one's correction, or corrected by it, lives too.

    Both live with the insurer, so both live here; whether both are meant to is the hospital's to say.
    """
    living = [other.settlement_no for other in chain if other.state is BillState.LIVE]
    if living:
        work.worklist(head, "reinstated_beside_another", {"other": "、".join(living)})


async def _live_again(
    connection: AsyncConnection, work: Work, settled: SettledBill, chain: Sequence[BillHead]
) -> SettledBill:
    """Collect the bill's next revision: exactly the one that was reversed while its room is kept, else computed anew.

    What is kept of its correction chain is its own again. The insurer's number of the cancellation stays with the
    reversal alone: the bill is not cancelled any more.
    """
    priced = settled.priced
    head = replace(settled.head, cancelling_settlement_id=None, replaced_by_bill_id=None)
    kept = await holds.list_kept_rooms(connection, work.fund_id, [bill.bill_id for bill in chain])
    # What a quote was promised of it stays promised: the patient was shown it.
    rooms = [room for room in kept if room.kind is HoldKind.SUCCESSOR]
    whole = [room for room in rooms if room.holds_at(work.at) and _is_its_own(room, settled)]
    if whole and len(rooms) == 1 and priced is not None:
        work.parts.append(holds.end_holds(work.fund_id, [whole[0].hold_id], HoldState.TAKEN, work.at, head.bill_id))
        return revise(work, settled, RevisionReason.REINSTATED, priced, head=head)
    if rooms:
        released = [room.hold_id for room in rooms]
        work.parts.append(holds.end_holds(work.fund_id, released, HoldState.RELEASED, work.at))
        # What was kept must be free before the bill is computed: one statement sees no other's work.
        await write_together(connection, work.parts)
        work.parts.clear()
    if priced is None or priced.plan_version_id is None or head.member_id is None:
        return revise(work, settled, RevisionReason.REINSTATED, priced, head=head) if priced else settled
    past = await read_takings(
        connection,
        work.fund_id,
        head.member_id,
        priced.plan_code or "",
        work.at,
        without_bills=[head.bill_id],
        before=head.place,
    )
    return await _in_the_room_left(connection, work, replace(settled, head=head), priced, past)


def _is_its_own(kept: Promise, settled: SettledBill) -> bool:
    """Say whether a hold keeps all that the bill gave back, and not what a quote for its successor left of it."""
    reversal, of_it = settled.reversal, kept.of_bill_id == settled.head.bill_id
    return of_it and reversal is not None and kept.created_at == reversal.recorded_at


async def _in_the_room_left(
    connection: AsyncConnection, work: Work, settled: SettledBill, priced: PricedRecord, past: Sequence[Taking]
) -> SettledBill:
    """Compute the bill anew against the room that is left; what it cannot get any more is a person's matter."""
    head = settled.head
    rules = await work.resources.rules.knowing(work.fund_id, priced.plan_digest, within=connection)
    version = rules.version_by_digest(priced.plan_digest or "")
    later = await later_paid(connection, work.fund_id, version, [head.bill_id])
    paid = total(later.values())
    anew = compute_anew(head, priced, version, past, later_paid=paid) if version else None
    if anew is None:
        raise NothingToReinstate(id=str(head.bill_id), state=head.state.value)
    if anew.aid < priced.split.aid:
        lost = {"aid_before": priced.split.aid.yuan(), "aid_now": anew.aid.yuan()}
        work.worklist(head, "reinstated_with_less", lost)
    return revise(work, settled, RevisionReason.REINSTATED, anew.priced, anew.taken, head)
