"""Ask what is due: lease some questions, find out, and end each as a fact, on the worklist, or put it off.

Every step commits by itself, and what a killed asker held is taken up by another when its lease ends. The effects are
idempotent, so a question that is asked twice has them once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from settlement.db import bills
from settlement.db.engine import fund_transaction
from settlement.db.holds import end_prolonging, find_member_of_visit
from settlement.db.parts import write_together
from settlement.db.pending import Leased, LeaseLost, close_worklist_items, end_question, lease_questions, put_off
from settlement.db.registry import list_funds
from settlement.db.settling import lock_member
from settlement.domain.errors import SettlementError
from settlement.domain.ids import BillId, FundId, MemberId
from settlement.domain.pending import WORKLIST_KINDS, Asks, Ending, Said, ask_again_at, ending_of
from settlement.domain.settlements import BillHead, BillState
from settlement.gateway.profile import ProfileError
from settlement.services.bills.work import Work
from settlement.services.funds.lines import Lines
from settlement.services.pending.find_out import Asking, FoundOut, asker_of
from settlement.services.pending.open_questions import open_questions_of
from settlement.services.resources import Resources
from settlement.services.transactions import DATABASE_FAILURES, run

AT_ONCE = 8
BESIDE_THE_QUESTIONS = timedelta(seconds=5)
"""What a lease allows for our own records, beside the longest that the insurer's answers can take."""
LONGEST_LEASE = timedelta(minutes=10)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asker:
    """What the worker asks with: the app's resources, the lines, the ops login that knows all funds, and chance."""

    resources: Resources
    lines: Lines
    ops: AsyncEngine
    chance: Callable[[], float]


async def ask_all_due(asker: Asker, *, all_times: bool = False) -> int:
    """Open, hasten and ask the questions of every fund that are due now; return how many were asked."""
    async with asker.ops.connect() as connection:
        funds = await list_funds(connection)
    asked = 0
    for fund in funds:
        try:
            await open_questions_of(asker.resources, fund.fund_id, all_times=all_times)
            asked += await ask_due_of(asker, fund.fund_id)
        except ProfileError:
            log.warning("pending.profile_unusable", fund=fund.code)
    return asked


async def ask_due_of(asker: Asker, fund_id: FundId) -> int:
    """Ask one fund's due questions, a few beside each other; return how many were asked."""
    resources = asker.resources
    rules = await resources.rules.of(fund_id)
    asking = Asking(resources, rules, asker.lines.to(rules), asker_of(rules))
    lease = min(LONGEST_LEASE, timedelta(seconds=2 * rules.profile.longest_question_seconds) + BESIDE_THE_QUESTIONS)
    now, asker_id = resources.clock(), resources.ids.new()
    leased: Sequence[Leased] = ()
    try:
        async with fund_transaction(resources.engine, fund_id) as connection:
            leased = await lease_questions(connection, fund_id, asker_id, now, now + lease, AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for each in leased:
                group.create_task(_ask(asking, each, asker.chance(), lease))
    except asyncio.CancelledError:
        # Here and not in the tasks: one that is cancelled before its first step never runs at all.
        for each in leased:
            await _give_back(asking, each)
        raise
    return len(leased)


async def _ask(asking: Asking, leased: Leased, chance: float, lease: timedelta) -> None:
    """Ask one question and record what came of it.

    A lease that was lost on the way leaves everything to its holder; what could not be recorded is taken up when the
    lease ends.
    """
    asked_at = asking.resources.clock()
    try:
        try:
            async with asyncio.timeout(lease.total_seconds() / 2):
                found = await asking.find_out(leased)
        except TimeoutError:
            found = FoundOut(Said.NOTHING)
        ending = ending_of(leased.question, found.said, asked_at, asking.rules.profile.patience)
        if ending is None:
            await _put_off(asking, leased, found.said, chance)
        else:
            await _end(asking, leased, found, ending)
    except LeaseLost:
        log.info("pending.lease_lost", bill_id=str(leased.question.bill_id))
    except (SettlementError, *DATABASE_FAILURES) as failed:
        log.warning("pending.not_recorded", bill_id=str(leased.question.bill_id), fault=type(failed).__name__)


async def _put_off(asking: Asking, leased: Leased, said: Said, chance: float) -> None:
    now, fund_id = asking.resources.clock(), asking.caller.fund_id
    due_at = ask_again_at(leased.question, now, asking.rules.profile.patience, chance)
    async with fund_transaction(asking.resources.engine, fund_id) as connection:
        await put_off(connection, fund_id, leased, said, due_at, leased.question.tries)


async def _give_back(asking: Asking, leased: Leased) -> None:
    """Give a question back unasked: this process is told to stop, and another one shall not wait for the lease.

    One that was answered or never leased is nobody's to give back.
    """
    fund_id, question = asking.caller.fund_id, leased.question
    with suppress(LeaseLost):
        async with fund_transaction(asking.resources.engine, fund_id) as connection:
            await put_off(connection, fund_id, leased, None, question.due_at, question.tries - 1)


async def _end(asking: Asking, leased: Leased, found: FoundOut, ending: Ending) -> None:
    """Write in one transaction how a question ended: on the bill's timeline, on the worklist, in the queue."""
    fund_id, bill_id = asking.caller.fund_id, leased.question.bill_id

    async def transaction() -> None:
        async with fund_transaction(asking.resources.engine, fund_id) as connection:
            head = await bills.get_head(connection, fund_id, bill_id)
            promised = await _promised_to(connection, fund_id, head, asking.resources.clock())
            await lock_member(connection, fund_id, f"bill\x1f{bill_id}", bill_id=bill_id, member_id=promised)
            head = await bills.get_head(connection, fund_id, bill_id)
            work = Work(asking.resources, asking.caller, None, asking.resources.clock())
            if ending is Ending.UNRESOLVED:
                if found.said is not Said.OTHER_FIGURES:
                    kind = WORKLIST_KINDS[leased.question.asks]
                    figures = {"said": found.said.value, "tries": str(leased.question.tries)}
                    work.changed_head(head, "settlement.unresolved.v1", {"said": found.said.value})
                    work.worklist(head, kind, figures)
            elif leased.question.asks is Asks.SETTLEMENT and head.state is BillState.PENDING:
                payload = {"outcome": ending.value, **_named(found.bill_id)}
                work.changed_head(replace(head, state=BillState.RESOLVED), "settlement.resolved.v1", payload)
            elif leased.question.asks is Asks.CANCELLATION and ending is Ending.NEVER_HAPPENED:
                work.changed_head(head, "settlement.not_cancelled.v1", {})
            if leased.question.asks is Asks.SETTLEMENT and head.hospital_code and head.encounter_id:
                work.parts.append(end_prolonging(fund_id, bill_id, head.hospital_code, head.encounter_id, work.at))
            if work.parts:
                await write_together(connection, work.parts)
            if ending is not Ending.UNRESOLVED:
                await close_worklist_items(connection, fund_id, bill_id, list(WORKLIST_KINDS.values()), work.at)
            await end_question(connection, fund_id, leased, found.said, ending, work.at)

    await run(transaction)
    log.info("pending.ended", bill_id=str(bill_id), asks=leased.question.asks.value, ending=ending.value)


async def _promised_to(connection: AsyncConnection, fund_id: FundId, head: BillHead, at: datetime) -> MemberId | None:
    """Return to whom something is promised for the visit of a pending message.

    Without that member's lock, the last two questions about a visit that end at once would each see the other open, and
    neither would end what they prolonged.
    """
    if head.state is not BillState.PENDING or not head.hospital_code or not head.encounter_id:
        return None
    return await find_member_of_visit(connection, fund_id, head.hospital_code, head.encounter_id, at)


def _named(bill_id: BillId | None) -> dict[str, str]:
    return {"bill_id": str(bill_id)} if bill_id else {}
