"""What can happen in a history: named actions with weights. To add one is to add a function here and its model rule."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from settlement.domain.errors import SettlementError
from settlement.lab.chaos.facts import Claim
from settlement.lab.chaos.faults import DISORDER, DUPLICATE, RESTART
from settlement.lab.chaos.plan import FLAT, THE_DAY, plan_text
from settlement.lab.chaos.points import BEFORE
from settlement.lab.chaos.process import Unreachable
from settlement.lab.chaos.steering import ACTOR
from settlement.lab.chaos.world import APIS, MOST_TRIES, WORKER, Message, World, visit_of
from settlement.lab.his.bills import CancelledBill, SettledBill
from settlement.lab.his.wire import write_json
from settlement.services.plans.publish_file import publish_file
from settlement.services.transactions import DATABASE_FAILURES

Run = Callable[[World, Random], Awaitable[None]]
WRONG_NAME = "另一个人"
_DUPLICATES_OF_100 = 40
_FILE_COMES_AFTER_SECONDS = 3
TURNS = 25
_PUBLISHED = {"plan_version_known", "plan_start_taken"}


@dataclass(frozen=True, slots=True)
class Action:
    """One kind of thing that happens, and how often it is drawn among the others."""

    name: str
    weight: int
    run: Run


ACTIONS: dict[str, Action] = {}


def action(weight: int) -> Callable[[Run], Run]:
    """Register an action under its function's name."""

    def registered(run: Run) -> Run:
        ACTIONS[run.__name__] = Action(run.__name__, weight, run)
        return run

    return registered


@action(10)
async def settle_brought(world: World, rng: Random) -> None:
    """A hospital quotes and settles, and brings the answer; it may bring it twice at once, or again later."""
    bill = await world.settled(rng)
    await quote(world, bill, rng)
    await bring(world, settlement_of(world, bill), rng)


@action(8)
async def settle_fetched(world: World, rng: Random) -> None:
    """A hospital brings the ids alone, and we ask the insurer for the figures."""
    bill = await world.settled(rng)
    await bring(world, fetched_settlement_of(world, bill), rng)


@action(5)
async def push_one(world: World, rng: Random) -> None:
    """The bureau hands over a bill that no hospital brings."""
    bill = await world.settled(rng)
    await bring(world, pushed(world, [bill], present=rng.random() < 0.3), rng)


@action(6)
async def two_doors(world: World, rng: Random) -> None:
    """One bill comes through two doors at once."""
    bill = await world.settled(rng)
    messages = (settlement_of(world, bill), pushed(world, [bill], present=False))
    await together(world, rng, messages)


@action(8)
async def race_for_the_limit(world: World, rng: Random) -> None:
    """Several bills of one member race for what is left of the limit."""
    member = rng.choice(world.scene.fund.members)
    bills = [await world.settled(rng, member) for _ in range(rng.randint(2, 4))]
    await together(world, rng, [settlement_of(world, bill) for bill in bills])


@action(9)
async def reverse_brought(world: World, rng: Random) -> None:
    """A bill is settled, cancelled with the insurer, and its cancellation is brought."""
    await settle_and_reverse(world, rng, brings=True)


@action(7)
async def reverse_seen(world: World, rng: Random) -> None:
    """A bill is settled and cancelled, and we ask the insurer whether it is."""
    await settle_and_reverse(world, rng, brings=False)


@action(6)
async def reverse_twice(world: World, rng: Random) -> None:
    """A bill is reversed through both doors, at once or the bureau's first."""
    bill = await world.settled(rng)
    reply = await bring(world, settlement_of(world, bill), rng)
    if reply is not None:
        cancelled = await world.cancelled_bill(bill)
        ours = reversal_of(world, reply["id"], cancelled, brings=True)
        bureaus = pushed(world, [cancelled], present=False)
        if rng.random() < 0.5:
            await together(world, rng, (ours, bureaus))
        else:
            await bring(world, bureaus, rng)
            await bring(world, ours, rng)


@action(7)
async def cancel_first(world: World, rng: Random) -> None:
    """The cancellation of a bill comes before the bill, or races with it."""
    bill = await world.settled(rng)
    cancelled = await world.cancelled_bill(bill)
    late = settlement_of(world, bill) if rng.random() < 0.5 else pushed(world, [bill], present=False)
    early = pushed(world, [cancelled], present=False)
    if rng.random() < 0.4:
        await together(world, rng, (early, late))
    else:
        await bring(world, early, rng)
        await bring(world, late, rng)


@action(6)
async def hold_and_answer(world: World, rng: Random) -> None:
    """A bill is held for its wrong name, and a person says whose it is."""
    bill = await world.settled(rng)
    held = await bring(world, settlement_of(world, bill, wrong_name=True), rng)
    if held is not None and held["state"] == "held":
        await bring(world, answer_to(world, held["id"], bill), rng)


@action(2)
async def cancel_while_held(world: World, rng: Random) -> None:
    """A bill is cancelled while it is held."""
    bill = await world.settled(rng)
    held = await bring(world, settlement_of(world, bill, wrong_name=True), rng)
    cancelled = await world.cancelled_bill(bill)
    if held is not None:
        await bring(world, reversal_of(world, held["id"], cancelled, brings=True), rng)


@action(3)
async def settle_stranger(world: World, rng: Random) -> None:
    """A bill of somebody who is no member is answered, and not recorded."""
    bill = await world.settled(rng, world.scene.fund.stranger)
    await bring(world, settlement_of(world, bill), rng)


@action(5)
async def push_file(world: World, rng: Random) -> None:
    """The bureau's file of a day comes late, in pieces and out of order."""
    await asyncio.sleep(_FILE_COMES_AFTER_SECONDS * (1 + rng.random()))
    day = f"{THE_DAY:%Y-%m-%d}"
    await push_lines(world, rng, [day], in_order=rng.random() < 0.2)


@action(2)
async def publish_version(world: World, rng: Random) -> None:
    """The next version of the plan is published, for bills of today on."""
    await world.wait_for_others(rng, TURNS)
    for _ in range(MOST_TRIES):
        process = world.processes[rng.choice(APIS)]
        try:
            fund = world.scene.fund
            text = plan_text(len(FLAT.rates), world.model.plan.changes)
            await process.run(publish_file(process.life.resources, fund.author, fund.approver, text))
        except Unreachable:
            pass
        except SettlementError as refused:
            if refused.code in _PUBLISHED:
                return
            world.steering.note(f"not published: {refused.code}")
        except DATABASE_FAILURES:
            world.steering.note("not published: no answer")
        else:
            return
        await asyncio.sleep(rng.random())
    world.model.wrong.append("a plan version could not be published")


@action(4)
async def restart(world: World, rng: Random) -> None:
    """A process is killed at some moment and started anew with empty caches."""
    await world.wait_for_others(rng, TURNS)
    process = world.processes[rng.choice((*APIS, WORKER))]
    await world.steering.stop(None, "restart", BEFORE)
    if process.is_up:
        process.crash()
        world.counted[RESTART] += 1


async def settle_and_reverse(world: World, rng: Random, *, brings: bool) -> None:
    """Settle a bill, cancel it with the insurer, reverse it."""
    bill = await world.settled(rng)
    reply = await bring(world, settlement_of(world, bill), rng)
    if reply is not None:
        cancelled = await world.cancelled_bill(bill)
        await bring(world, reversal_of(world, reply["id"], cancelled, brings=brings), rng)


async def quote(world: World, bill: SettledBill, rng: Random) -> None:
    """Ask for a quote on the trial; a question, so it may stay unanswered."""
    body = write_json({"output": bill.trial, "visit": visit_of(bill)})
    await world.deliver(Message("/v1/quotes", body, None, ()), rng)


async def bring(world: World, message: Message, rng: Random) -> dict[str, Any] | None:
    """Bring a message, now and then twice at once, or again after its answer; return the answer's body."""
    copies = 1 + (rng.randrange(100) < _DUPLICATES_OF_100)
    world.counted[DUPLICATE] += copies - 1
    replies = await together(world, rng, [message] * copies)
    if rng.randrange(100) < _DUPLICATES_OF_100:
        world.counted[DUPLICATE] += 1
        await world.deliver(message, rng)
    answered = [reply for reply in replies if reply is not None and "id" in reply]
    return answered[0] if answered else None


async def together(world: World, rng: Random, messages: Any) -> list[dict[str, Any] | None]:
    """Bring several messages at once, each by a caller of its own."""
    tasks = []
    for number, message in enumerate(messages):
        own = Random(rng.getrandbits(64))
        tasks.append(asyncio.ensure_future(_as_actor(f"{ACTOR.get()}.{number}", world, message, own)))
    return list(await asyncio.gather(*tasks))


async def _as_actor(name: str, world: World, message: Message, rng: Random) -> dict[str, Any] | None:
    ACTOR.set(name)
    reply = await world.deliver(message, rng)
    return reply.body if reply is not None and reply.status < 300 else None


async def push_lines(world: World, rng: Random, days: list[str], *, in_order: bool) -> None:
    """Push the bureau's lines of some days in batches."""
    lines = world.city.file(days)
    if not in_order:
        rng.shuffle(lines)
        world.counted[DISORDER] += bool(lines)
    size = rng.randint(1, 8)
    for start in range(0, len(lines), size):
        batch = lines[start : start + size]
        claims = tuple(claim_of_line(world, line) for line in batch)
        await world.deliver(Message("/v1/gateway/bills", write_json({"bills": batch}), None, claims, True), rng)


def settlement_of(
    world: World, bill: SettledBill, *, wrong_name: bool = False, resettles: str | None = None
) -> Message:
    """Return what a hospital brings of a settled bill."""
    output = bill.output
    if wrong_name:
        output = {**output, "setlinfo": {**output["setlinfo"], "psn_name": WRONG_NAME}}
    said = {"resettles": resettles} if resettles is not None else {}
    body = write_json({"output": output, "visit": visit_of(bill), **said})
    claim = Claim(world.bill_of(bill), at_counter=True, name_is_right=not wrong_name, resettles=resettles)
    return Message("/v1/settlements", body, f"settle-{bill.msgid}", (claim,))


def fetched_settlement_of(world: World, bill: SettledBill) -> Message:
    """Return what a hospital brings when it leaves the figures to us."""
    ids = {"psn_no": bill.psn_no, "setl_id": bill.setl_id, "mdtrt_id": bill.mdtrt_id}
    body = write_json({"fetch": ids, "visit": visit_of(bill)})
    return Message("/v1/settlements", body, f"fetch-{bill.msgid}", (Claim(world.bill_of(bill), at_counter=True),))


def reversal_of(world: World, bill_id: str, cancelled: CancelledBill, *, brings: bool) -> Message:
    """Return a reversal, with the insurer's cancellation or with nothing."""
    body = write_json({"reason": "refund", **({"cancellation": cancelled.output} if brings else {})})
    claim = Claim(world.bill_of(cancelled.original), cancels=True)
    return Message(f"/v1/settlements/{bill_id}/reversals", body, f"reverse-{cancelled.msgid}", (claim,))


def answer_to(world: World, bill_id: str, bill: SettledBill) -> Message:
    """Return a person's answer to whose bill it is."""
    claim = Claim(world.bill_of(bill), name_is_right=False, answers=True)
    body = write_json({"answers": {"same_person": True}})
    return Message(f"/v1/settlements/{bill_id}/answers", body, f"answer-{bill.msgid}", (claim,))


def pushed(world: World, bills: list[Any], *, present: bool) -> Message:
    """Return the bureau's push of bills and cancellations."""
    lines = [{"output": bill.output, "facts": bill.facts, "present": present} for bill in bills]
    claims = tuple(
        Claim(world.bill_of(bill.original), cancels=True)
        if isinstance(bill, CancelledBill)
        else Claim(world.bill_of(bill), at_counter=present)
        for bill in bills
    )
    return Message("/v1/gateway/bills", write_json({"bills": lines}), None, claims, by_platform=True)


def claim_of_line(world: World, line: dict[str, Any]) -> Claim:
    """Return what a line of the bureau's file says; the bill itself is read from the insurer's own records."""
    info, facts = line["output"]["setlinfo"], line["facts"]
    if facts["init_setl_id"] is not None:
        return Claim(world.bill_named(str(facts["init_setl_id"])), cancels=True)
    return Claim(world.bill_named(str(info["setl_id"])))
