"""What happens about promises: pre-settlements that hold, what comes in between, and the settlements that follow."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from settlement.lab.chaos.actions import action, bring, pushed, settlement_of, together
from settlement.lab.chaos.steering import ACTOR
from settlement.lab.chaos.world import Message, World, batch_of
from settlement.lab.his.bills import OpenVisit
from settlement.lab.his.wire import write_json

_HOLD_IS_OVER_SECONDS = 31 * 60
_AT_THE_LIMIT = 20
_SMALL_BILLS_FEN = (3_000, 9_000)


@action(10)
async def settle_as_promised(world: World, rng: Random) -> None:
    """A pre-settlement holds its amount, time passes, and the bill comes with the same figures through some door."""
    visit = await world.treated(rng)
    await promise(world, visit, rng)
    await asyncio.sleep(rng.choice((0, 0, 1, 8)))
    bill = await world.settled_visit(visit)
    message = settlement_of(world, bill) if rng.random() < 0.7 else pushed(world, [bill], present=False)
    await bring(world, message, rng)


@action(5)
async def settle_other_figures(world: World, rng: Random) -> None:
    """The insurer settles other figures than those of the pre-settlement: the account pays, or no longer."""
    visit = await world.treated(rng)
    await promise(world, visit, rng)
    visit.use_account = not visit.use_account
    await bring(world, settlement_of(world, await world.settled_visit(visit)), rng)


@action(5)
async def promise_anew(world: World, rng: Random) -> None:
    """A batch is quoted twice, with other figures or the same, one after the other or at once; then it is settled."""
    visit = await world.treated(rng)
    first = promise_of(world, visit)
    if rng.random() < 0.5:
        visit.use_account = not visit.use_account
        world.city.presettle(visit)
    second = promise_of(world, visit)
    if rng.random() < 0.4:
        await together(world, rng, (first, second))
    else:
        await bring(world, first, rng)
        await bring(world, second, rng)
    await bring(world, settlement_of(world, await world.settled_visit(visit)), rng)


@action(5)
async def release_promise(world: World, rng: Random) -> None:
    """A promise is given back, and now and then its bill comes all the same, perhaps at the same time."""
    visit = await world.treated(rng)
    hold_id = await promise(world, visit, rng)
    if hold_id is None:
        return
    release = release_of(world, hold_id)
    if rng.random() < 0.5:
        await bring(world, release, rng)
        return
    bill = await world.settled_visit(visit)
    await together(world, rng, (release, settlement_of(world, bill)))


@action(3)
async def promise_runs_out(world: World, rng: Random) -> None:
    """A promise is kept for half an hour; its bill comes later than that."""
    visit = await world.treated(rng)
    await promise(world, visit, rng)
    await asyncio.sleep(_HOLD_IS_OVER_SECONDS)
    await bring(world, settlement_of(world, await world.settled_visit(visit)), rng)


@action(5)
async def promises_race(world: World, rng: Random) -> None:
    """Several pre-settlements of one member hold at once, others settle without, and then all are settled."""
    member = rng.choice(world.scene.fund.members)
    visits = [await world.treated(rng, member) for _ in range(rng.randint(2, 4))]
    await together(world, rng, [promise_of(world, visit) for visit in visits if rng.random() < 0.7])
    bills = [await world.settled_visit(visit) for visit in visits]
    await together(world, rng, [settlement_of(world, bill) for bill in bills])


@action(1)
async def race_for_the_last(world: World, rng: Random) -> None:
    """Twenty small bills of one member race for what a large one left of the limit, half of them with a promise."""
    member = world.scene.fund.members[0]
    large = await world.treated(rng, member, 33_000)
    await bring(world, settlement_of(world, await world.settled_visit(large)), rng)
    visits = [await world.treated(rng, member, rng.randint(*_SMALL_BILLS_FEN)) for _ in range(_AT_THE_LIMIT)]
    walks = []
    for number, visit in enumerate(visits):
        own = Random(rng.getrandbits(64))
        walks.append(asyncio.ensure_future(_walk(world, visit, own, f"{ACTOR.get()}.{number:02d}")))
    await asyncio.gather(*walks)


async def _walk(world: World, visit: OpenVisit, rng: Random, name: str) -> None:
    """Bring one bill through its steps, in the midst of others'."""
    ACTOR.set(name)
    if rng.random() < 0.5:
        await world.deliver(promise_of(world, visit), rng)
    await world.deliver(settlement_of(world, await world.settled_visit(visit)), rng)


async def promise(world: World, visit: OpenVisit, rng: Random) -> str | None:
    """Ask for a promise, now and then twice; return the hold's id."""
    replies = await together(world, rng, [promise_of(world, visit)] * rng.choice((1, 1, 2)))
    held: list[dict[str, Any]] = [reply["hold"] for reply in replies if reply is not None and reply.get("hold")]
    return str(held[0]["id"]) if held else None


def release_of(world: World, hold_id: str) -> Message:
    """Return that a promise is given back."""
    world.model.releases.add(hold_id)
    return Message(f"/v1/holds/{hold_id}/release", "{}", None, ())


def promise_of(world: World, visit: OpenVisit, resettles: str | None = None) -> Message:
    """Return a pre-settlement as it stands, asking for a promise."""
    facts = world.city.facts_of(visit)
    told = {name: value for name, value in facts.items() if value and name != "msgid"}
    said = {"resettles": resettles} if resettles is not None else {}
    body = write_json({"output": visit.trial, "visit": told, "hold": True, **said})
    world.counted["promise"] += 1
    key = f"hold-{batch_of(visit, facts)}-{world.counted['promise']}"
    return Message("/v1/quotes", body, key, (), trial=world.trial_of(visit, facts, resettles))
