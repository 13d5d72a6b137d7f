"""What happens to bills after they were recorded: corrections in both orders, reinstatements, transfers, re-ratings."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from settlement.domain.ids import BillId, ClientId
from settlement.domain.money import Money
from settlement.domain.settlements import OtherPayer
from settlement.lab.chaos.actions import action, bring, pushed, reversal_of, settlement_of, together
from settlement.lab.chaos.chores import NIGHT_SECONDS, do, rerate
from settlement.lab.chaos.facts import PROPOSED, Claim
from settlement.lab.chaos.plan import THE_DAY
from settlement.lab.chaos.process import Process
from settlement.lab.chaos.promising import promise, promise_of, release_of
from settlement.lab.chaos.world import APIS, Message, World
from settlement.lab.his.bills import CancelledBill, OpenVisit, SettledBill
from settlement.lab.his.gateway import Refused
from settlement.lab.his.wire import write_json
from settlement.services.bills.add_later_payer import AddLaterPayer, add_later_payer
from settlement.services.bills.commands import Caller
from settlement.services.bills.decide_rerating import (
    ApplyRerating,
    NothingToRate,
    ProposeRerating,
    apply_rerating,
    propose_rerating,
)
from settlement.services.bills.errors import BillNotFound

PLACE_IS_OVER_SECONDS = 2.5 * NIGHT_SECONDS
"""A place is kept until the end of the next day in China; a history begins at ten o'clock there."""
_PERSON = "approver"
_TRANSFERS = ("not_shown", "answer_lost", "clearing_disputed")
_ALL_OF_THE_LIMIT_FEN = 33_000


@action(9)
async def correct_old_first(world: World, rng: Random) -> None:
    """A bill is cancelled and its visit settled anew, perhaps twice, while others want what it gave back."""
    member = rng.choice(world.scene.fund.members)
    bill = await world.settled(rng, member)
    reply = await bring(world, settlement_of(world, bill), rng)
    for _ in range(rng.choice((1, 1, 1, 2))):
        if reply is None:
            return
        await reverse(world, rng, reply["id"], await world.cancelled_bill(bill))
        again = await charged_anew(world, rng, bill)
        if rng.random() < 0.3:
            await promise_and_perhaps_release(world, again, rng)
        others = [settlement_of(world, await world.settled(rng, member)) for _ in range(rng.choice((0, 1, 1)))]
        if rng.random() < 0.5:
            await together(world, rng, others)
            others = []
        if rng.random() < 0.1:
            await asyncio.sleep(PLACE_IS_OVER_SECONDS)
        bill = await world.settled_visit(again)
        message = pushed(world, [bill], present=False) if rng.random() < 0.2 else settlement_of(world, bill)
        if others:
            reply = (await together(world, rng, [message, *others]))[0]
        else:
            reply = await bring(world, message, rng)
        reply = reply if reply is not None and "id" in reply else None
    await look_now_and_then(world, rng)


@action(2)
async def release_kept_place(world: World, rng: Random) -> None:
    """A cancelled bill's re-settlement is promised, and the promise given back; then it comes, or another bill."""
    bill = await world.settled(rng)
    reply = await bring(world, settlement_of(world, bill), rng)
    if reply is None:
        return
    await reverse(world, rng, reply["id"], await world.cancelled_bill(bill))
    again = await charged_anew(world, rng, bill)
    hold_id = await promise(world, again, rng)
    if hold_id is not None:
        await bring(world, release_of(world, hold_id), rng)
    next_bill = await (world.settled_visit(again) if rng.random() < 0.5 else world.settled(rng, bill.visit.person))
    await bring(world, settlement_of(world, next_bill), rng)


@action(9)
async def correct_new_first(world: World, rng: Random) -> None:
    """A visit is settled anew while its first bill lives, which is cancelled afterwards; or both at once."""
    member = rng.choice(world.scene.fund.members)
    old = await world.settled(rng, member, inpatient=False)
    reply = await bring(world, settlement_of(world, old), rng)
    if reply is None:
        return
    if rng.random() < 0.3:
        await bring(world, settlement_of(world, await world.settled(rng, member)), rng)
    again = await world.at_counter(lambda: world.city.register_anew(old.visit, later(rng, old)))
    named = old.setl_id if rng.random() < 0.5 else None
    if rng.random() < 0.3:
        await together(world, rng, [promise_of(world, again, named)])
    new = settlement_of(world, await world.settled_visit(again), resettles=named)
    if rng.random() < 0.3:
        cancelled = await world.cancelled_bill(old)
        await together(world, rng, (new, reversal_of(world, reply["id"], cancelled, brings=True)))
    else:
        await bring(world, new, rng)
        await reverse(world, rng, reply["id"], await world.cancelled_bill(old))
    await look_now_and_then(world, rng)


@action(4)
async def correct_elsewhere_named(world: World, rng: Random) -> None:
    """A bill is cancelled, and another visit of the member, perhaps at the same hospital, says that it re-settles.

    The insurer's platform, which does not say so, is now and then before the hospital.
    """
    member = rng.choice(world.scene.fund.members)
    old = await world.settled(rng, member)
    reply = await bring(world, settlement_of(world, old), rng)
    if reply is None:
        return
    await reverse(world, rng, reply["id"], await world.cancelled_bill(old))
    visit = await world.treated(rng, member)
    if rng.random() < 0.4:
        await together(world, rng, [promise_of(world, visit, old.setl_id)])
    bill = await world.settled_visit(visit)
    if rng.random() < 0.3:
        await bring(world, pushed(world, [bill], present=False), rng)
    await bring(world, settlement_of(world, bill, resettles=old.setl_id), rng)


@action(6)
async def transfer_to_card(world: World, rng: Random) -> None:
    """What was to be on the bill was not shown at the counter, and goes to the card; perhaps the bill is cancelled."""
    bill = await world.settled(rng)
    reply = await bring(world, settlement_of(world, bill), rng)
    if reply is None:
        return
    moved = transfer_of(world, reply["id"], bill, rng.choice(_TRANSFERS))
    if rng.random() < 0.3:
        cancelled = await world.cancelled_bill(bill)
        await together(world, rng, (moved, reversal_of(world, reply["id"], cancelled, brings=True)))
    else:
        await bring(world, moved, rng)


@action(7)
async def reinstate(world: World, rng: Random) -> None:
    """A cancellation is taken back by the insurer, at once or when another has the room, and the bill lives again."""
    member = rng.choice(world.scene.fund.members)
    bill = await world.settled(rng, member)
    reply = await bring(world, settlement_of(world, bill), rng)
    if reply is None:
        return
    cancelled = await world.cancelled_bill(bill)
    await reverse(world, rng, reply["id"], cancelled)
    if rng.random() < 0.2:
        await promise_and_perhaps_release(world, await charged_anew(world, rng, bill, same_fees=True), rng)
    if rng.random() < 0.3:
        await asyncio.sleep(PLACE_IS_OVER_SECONDS)
        await bring(world, settlement_of(world, await world.settled(rng, member)), rng)
    if not await world.at_counter(lambda: is_taken_back(world, cancelled)):
        return
    await bring(world, reinstatement_of(world, reply["id"], cancelled, brings=rng.random() < 0.5), rng)
    await look_now_and_then(world, rng)


@action(7)
async def rerate_after_reversal(world: World, rng: Random) -> None:
    """A bill that took the limit is cancelled for good, so that one that got nothing would get more now."""
    member = rng.choice(world.scene.fund.members)
    rich = await world.settled_visit(await world.treated(rng, member, _ALL_OF_THE_LIMIT_FEN, inpatient=False))
    reply = await bring(world, settlement_of(world, rich), rng)
    await bring(world, settlement_of(world, await world.settled(rng, member)), rng)
    if reply is None:
        return
    await reverse(world, rng, reply["id"], await world.cancelled_bill(rich))
    await asyncio.sleep(PLACE_IS_OVER_SECONDS)
    await rerate(world, rng, all_times=False)
    if rng.random() < 0.3:
        await bring(world, settlement_of(world, await world.settled(rng, member)), rng)
    await decide(world, rng)


@action(4)
async def pay_later(world: World, rng: Random) -> None:
    """Somebody else pays for a bill later, and a person decides what becomes of the aid that was too much."""
    bill = await world.settled(rng)
    reply = await bring(world, settlement_of(world, bill), rng)
    if reply is None:
        return
    payer = OtherPayer("模拟惠民保", Money(rng.randint(1, max(1, bill.amount_fen("psn_part_amt")))))
    world.model.paid_later[bill.setl_id] = int(payer.amount)
    command = AddLaterPayer(person(world), BillId(UUID(reply["id"])), payer, bill.setl_id)

    async def pay(process: Process) -> None:
        await add_later_payer(process.life.resources, command)

    await do(world, rng, pay, APIS)
    if rng.random() < 0.5:
        await rerate(world, rng, all_times=False)
    await decide(world, rng)


@action(3)
async def look_and_decide(world: World, rng: Random) -> None:
    """The worker looks at what may have changed earlier bills; somebody asks by hand; a person decides what is open."""
    await asyncio.sleep(rng.choice((0, 3, 45 * 3600)))
    await rerate(world, rng, all_times=rng.random() < 0.5)
    live = sorted(row.bill_id for row in world.model.rows.values() if row.state == "live")
    if live:
        named = BillId(UUID(rng.choice(live)))

        async def propose(process: Process) -> None:
            try:
                await propose_rerating(process.life.resources, ProposeRerating(person(world), named))
            except (NothingToRate, BillNotFound) as refused:
                world.steering.note(f"not proposed: {refused.code}")

        await do(world, rng, propose, APIS)
    await decide(world, rng)


async def decide(world: World, rng: Random) -> None:
    """Have a person apply what is proposed, or leave it."""
    for rating in [rating for rating in world.records.ratings if rating.state == PROPOSED]:
        if rng.random() < 0.8:
            key = f"decide-{rating.rating_id}"
            world.model.decisions.add(key)
            await do(world, rng, _application(world, UUID(rating.rating_id)), APIS, key)


def _application(world: World, rating_id: UUID) -> Any:
    async def apply(process: Process) -> None:
        await apply_rerating(process.life.resources, ApplyRerating(person(world), rating_id))

    return apply


async def promise_and_perhaps_release(world: World, visit: OpenVisit, rng: Random) -> None:
    """Have a re-settlement promised; in one of two cases the promise is given back, and perhaps made anew."""
    hold_id = await promise(world, visit, rng)
    if hold_id is not None and rng.random() < 0.5:
        await bring(world, release_of(world, hold_id), rng)
        if rng.random() < 0.3:
            await promise(world, visit, rng)


async def look_now_and_then(world: World, rng: Random) -> None:
    """Have the worker look in one of three cases."""
    if rng.random() < 0.34:
        await rerate(world, rng, all_times=False)


async def reverse(world: World, rng: Random, bill_id: str, cancelled: CancelledBill) -> None:
    """Bring a cancellation through some door, or have us ask for it."""
    if rng.random() < 0.2:
        await bring(world, pushed(world, [cancelled], present=False), rng)
    else:
        await bring(world, reversal_of(world, bill_id, cancelled, brings=rng.random() < 0.7), rng)


async def charged_anew(world: World, rng: Random, bill: SettledBill, *, same_fees: bool = False) -> OpenVisit:
    """Have the visit of a cancelled bill charged anew: part of it given back, or paid in another way."""
    part = not same_fees and not bill.visit.inpatient and rng.random() < 0.6
    at = later(rng, bill)
    if part:
        return await world.at_counter(lambda: world.city.refund_part(bill.visit, rng, at))
    return await world.at_counter(lambda: world.city.settle_anew(bill.visit, at))


def later(rng: Random, bill: SettledBill) -> Any:
    """Return when a visit is settled anew: two hours later, or on the next day."""
    tomorrow = bill.visit.at + timedelta(days=1)
    may_wait = tomorrow.date() <= THE_DAY + timedelta(days=1)
    return tomorrow if may_wait and rng.random() < 0.4 else bill.visit.at + timedelta(hours=2)


def is_taken_back(world: World, cancelled: CancelledBill) -> bool:
    """Have the insurer take a cancellation back; it refuses where the account cannot pay the bill any more."""
    try:
        world.city.undo_cancellation(cancelled, world.now_in_china())
    except Refused:
        return False
    world.model.cancelled.discard(cancelled.init_setl_id)
    world.model.restored.add(cancelled.init_setl_id)
    return True


def transfer_of(world: World, bill_id: str, bill: SettledBill, reason: str) -> Message:
    """Return that a bill's aid was not shown."""
    claim = Claim(world.bill_of(bill), transfers=True)
    return Message(
        f"/v1/settlements/{bill_id}/transfers", write_json({"reason": reason}), f"move-{bill.msgid}", (claim,)
    )


def reinstatement_of(world: World, bill_id: str, cancelled: CancelledBill, *, brings: bool) -> Message:
    """Return a reinstatement, with the 2601 that was accepted or with nothing."""
    undone = {"psn_no": cancelled.psn_no, "omsgid": cancelled.msgid, "oinfno": cancelled.infno, "infcode": "0"}
    body = write_json({"undone": undone} if brings else {})
    claim = Claim(world.bill_of(cancelled.original), restores=True)
    return Message(f"/v1/settlements/{bill_id}/reinstatements", body, f"restore-{cancelled.msgid}", (claim,))


def person(world: World) -> Caller:
    """Return who decides about re-ratings."""
    fund_id = world.scene.fund.fund_id
    return Caller(ClientId(f"{fund_id}.{_PERSON}"), fund_id, frozenset())
