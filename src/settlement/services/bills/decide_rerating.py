"""Propose a re-rating, and apply one: all of its lines in one transaction or none, net, what is gained to the card."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.engine import fund_transaction
from settlement.db.parts import write_together
from settlement.db.rerating import (
    StoredRerating,
    add_rerating,
    decide_rerating,
    find_rerating,
    list_reratings_of_term,
    lock_proposal,
)
from settlement.db.settling import lock_member, take_books_day
from settlement.domain.answers import Answer
from settlement.domain.errors import SettlementError
from settlement.domain.ids import BillId
from settlement.domain.money import ZERO, Money
from settlement.domain.settlements import RevisionReason
from settlement.domain.time import CHINA
from settlement.domain.worklist import RERATING_PROPOSED
from settlement.services.bills.commands import Caller
from settlement.services.bills.rerate_member import Rerating, rerate_under_lock
from settlement.services.bills.revise import revise
from settlement.services.bills.turns import run_in_turn
from settlement.services.bills.work import Work
from settlement.services.resources import Resources


class RatingNotFound(SettlementError):
    """There is no such re-rating."""

    code = "rerating_not_found"


class NothingToRate(SettlementError):
    """No bill of the member and term would get another amount, or the plan leaves earlier bills as they are."""

    code = "nothing_to_rerate"


@dataclass(frozen=True, slots=True)
class ProposeRerating:
    """Compute the term of a bill's member anew, and put the difference before a person."""

    caller: Caller
    bill_id: BillId
    declined_stands: bool = False
    """Whether what a person declined is left at that: so where nobody asks for it."""


@dataclass(frozen=True, slots=True)
class ApplyRerating:
    """Apply a proposal, decided by a person."""

    caller: Caller
    rerating_id: UUID


async def propose_rerating(resources: Resources, command: ProposeRerating) -> Answer:
    """Keep a proposal and a worklist item for it; where the plan says `raise` and no bill loses, apply it at once.

    Raises `BillNotFound`, `NothingToRate`, and what `run` raises.
    """
    caller, fund_id = command.caller, command.caller.fund_id

    async def transaction() -> StoredRerating | None:
        async with fund_transaction(resources.engine, fund_id) as connection:
            await lock_member(connection, fund_id, f"rerate\x1f{command.bill_id}", bill_id=command.bill_id)
            await take_books_day(connection, fund_id)
            work = Work(resources, caller, None, resources.clock())
            return await propose_under_lock(connection, work, command.bill_id, declined_stands=command.declined_stands)

    stored = await run_in_turn(resources, fund_id, command.bill_id, transaction)
    if stored is None:
        raise NothingToRate(id=str(command.bill_id))
    return rerating_answer(stored)


async def propose_under_lock(
    connection: AsyncConnection, work: Work, bill_id: BillId, *, declined_stands: bool
) -> StoredRerating | None:
    """Do the same within a transaction that holds the member's lock and the books day.

    Returns the proposal, the one that is there already if it is the same, or what was applied; `None` where nothing
    would change (what is open lapses then), or the plan leaves earlier bills as they are. What a person declined is
    proposed again only where somebody asks for it.
    """
    rerating = await rerate_under_lock(connection, work.resources, work.fund_id, bill_id, work.at)
    if rerating.effect == "leave":
        return None
    known = await list_reratings_of_term(
        connection, work.fund_id, rerating.member_id, rerating.plan_code, rerating.term
    )
    if not rerating.changed:
        await _lapse(connection, work, known)
        return None
    stored = _proposal(work, bill_id, rerating)
    raised = rerating.effect == "raise" and not any(line.difference < ZERO for line in rerating.lines)
    standing = ("proposed", "declined") if declined_stands else ("proposed",)
    same = [each for each in known if each.state in standing and list(each.lines) == list(stored.lines)]
    if same and not raised:
        await _lapse(connection, work, [each for each in known if each not in same])
        return max(same, key=lambda each: each.state == "proposed")
    await add_rerating(connection, work.fund_id, stored)
    if raised:
        return await _apply(connection, work, stored, rerating)
    named = rerating.changed[0].settled.head
    work.worklist(named, RERATING_PROPOSED, {"rerating": str(stored.rerating_id), "net": stored.net.yuan()})
    await write_together(connection, work.parts)
    return stored


Within = Callable[[AsyncConnection], Awaitable[None]]
"""What else must hold as a proposal is decided; what it raises undoes all."""


async def apply_rerating(resources: Resources, command: ApplyRerating, within: Within | None = None) -> Answer:
    """Apply a proposal as it was shown; when a bill has changed since, it lapses, and what would change is proposed.

    One that was decided is answered as it is. Raises `RatingNotFound`, and what `run` raises.
    """
    caller, fund_id = command.caller, command.caller.fund_id
    proposed = await _found(resources, command)

    async def transaction() -> Answer:
        async with fund_transaction(resources.engine, fund_id) as connection:
            await lock_member(connection, fund_id, f"rerate\x1f{proposed.of_bill_id}", member_id=proposed.member_id)
            await take_books_day(connection, fund_id)
            await lock_proposal(connection, fund_id, command.rerating_id)
            if within is not None:
                await within(connection)
            found = await find_rerating(connection, fund_id, command.rerating_id) or proposed
            if found.state != "proposed":
                return rerating_answer(found)
            work = Work(resources, caller, None, resources.clock())
            rerating = await rerate_under_lock(connection, resources, fund_id, found.of_bill_id, work.at)
            if lines_of(rerating) == list(found.lines):
                return rerating_answer(await _apply(connection, work, found, rerating))
            lapsed = await _decided(connection, work, found, "lapsed")
            await propose_under_lock(connection, work, found.of_bill_id, declined_stands=True)
            return rerating_answer(lapsed)

    return await run_in_turn(resources, fund_id, proposed.of_bill_id, transaction)


async def _found(resources: Resources, command: ApplyRerating) -> StoredRerating:
    async with fund_transaction(resources.engine, command.caller.fund_id) as connection:
        found = await find_rerating(connection, command.caller.fund_id, command.rerating_id)
    if found is None:
        raise RatingNotFound(id=str(command.rerating_id))
    return found


async def _apply(connection: AsyncConnection, work: Work, stored: StoredRerating, rerating: Rerating) -> StoredRerating:
    for line in rerating.changed:
        if line.anew is not None:
            revise(work, line.settled, RevisionReason.RERATED, line.anew.priced, line.anew.taken)
            await write_together(connection, work.parts)
            work.parts.clear()
    return await _decided(connection, work, stored, "applied")


async def _lapse(connection: AsyncConnection, work: Work, known: Sequence[StoredRerating]) -> None:
    for moot in known:
        if moot.state == "proposed":
            await _decided(connection, work, moot, "lapsed")


async def _decided(connection: AsyncConnection, work: Work, stored: StoredRerating, state: str) -> StoredRerating:
    actor = str(work.caller.client_id)
    await decide_rerating(connection, work.fund_id, stored.rerating_id, state, actor, work.at)
    return replace(stored, state=state, decided_by=actor, decided_at=work.at)


def _proposal(work: Work, bill_id: BillId, rerating: Rerating) -> StoredRerating:
    return StoredRerating(
        rerating_id=work.resources.ids.new(),
        member_id=rerating.member_id,
        of_bill_id=bill_id,
        plan_code=rerating.plan_code,
        term=rerating.term,
        lines=lines_of(rerating),
        net=rerating.net,
        state="proposed",
        actor=str(work.caller.client_id),
        created_at=work.at,
    )


def lines_of(rerating: Rerating) -> list[dict[str, Any]]:
    """Return the lines as they are kept: bill, revision, and aid recorded and now, in fen."""
    return [
        {
            "bill_id": str(line.settled.head.bill_id),
            "revision": line.settled.head.revision,
            "aid_recorded_fen": int(line.aid_recorded),
            "aid_now_fen": int(line.aid_now) if line.aid_now is not None else None,
        }
        for line in rerating.lines
    ]


def rerating_answer(stored: StoredRerating) -> Answer:
    """Return what a caller is told of a re-rating, in yuan."""
    return {
        "rerating_id": str(stored.rerating_id),
        "state": stored.state,
        "plan_code": stored.plan_code,
        "term": stored.term,
        "net": stored.net.yuan(),
        "lines": [
            {
                "bill_id": line["bill_id"],
                "revision": line["revision"],
                "aid_recorded": Money(line["aid_recorded_fen"]).yuan(),
                "aid_now": Money(line["aid_now_fen"]).yuan() if line["aid_now_fen"] is not None else None,
            }
            for line in stored.lines
        ],
        "proposed_by": stored.actor.split(".", 1)[-1],
        "created_at": stored.created_at.astimezone(CHINA).isoformat(timespec="milliseconds"),
        "decided_by": stored.decided_by.split(".", 1)[-1] if stored.decided_by else None,
        "decided_at": stored.decided_at.astimezone(CHINA).isoformat(timespec="milliseconds")
        if stored.decided_at
        else None,
    }
