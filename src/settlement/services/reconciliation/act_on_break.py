"""Work a break off: give it to somebody, do the repair that it asks for, or say how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db import reconciliation
from settlement.db.engine import fund_transaction
from settlement.db.reconciliation import BreakSearch
from settlement.db.staff import find_staff
from settlement.domain.errors import SettlementError
from settlement.domain.ids import BillId
from settlement.domain.reconciliation import (
    BY_A_PERSON,
    Break,
    BreakAction,
    BreakKind,
    BreakStatus,
    Resolution,
    Source,
    is_allowed,
)
from settlement.domain.settlements import (
    FOR_WANT_OF_COVER,
    BillState,
    Door,
    ReversalReason,
    RevisionReason,
    SettledBill,
)
from settlement.domain.worklist import is_usable
from settlement.services.bills.commands import Brought, Caller, SettleBill
from settlement.services.bills.reverse_bill import Seen, read_brought_cancellation, undo
from settlement.services.bills.settle_bill import settle_bill
from settlement.services.bills.transfer_aid import TransferAid, transfer_aid
from settlement.services.reconciliation.errors import (
    BillStandsStill,
    BreakNotFound,
    BreakStepRefused,
    LineNotKept,
    OwnerUnknown,
)
from settlement.services.reconciliation.import_list import kept_content
from settlement.services.reconciliation.run_day import BY_BUREAU_FILE
from settlement.services.resources import Resources
from settlement.services.worklist.errors import RemarkUnusable


@dataclass(frozen=True, slots=True)
class ActOnBreak:
    """One action on one break. `owner` is a staff login, or `None` for nobody; `resolution` is what a person says."""

    caller: Caller
    break_id: UUID
    action: BreakAction
    owner: str | None = None
    resolution: Resolution | None = None
    remark: str | None = None


async def act_on_break(resources: Resources, command: ActOnBreak) -> Break:
    """Do it and return the break as it now stands. A repair that was done before is not done twice: its bill is known.

    Raises `RemarkUnusable`, `BreakNotFound`, `BreakStepRefused` where the action does not fit, `OwnerUnknown`,
    `LineNotKept`, and for a repair what settling or reversing raises: then the break stays open.
    """
    if command.remark is not None and not is_usable(command.remark):
        raise RemarkUnusable
    found = await get_break(resources, command.caller, command.break_id)
    if not is_allowed(found, command.action):
        raise BreakStepRefused(id=str(found.break_id), break_status=found.status.value, kind=found.kind.value)
    if command.action is BreakAction.ASSIGN:
        return await _assign(resources, command)
    if command.action is BreakAction.TRANSFER:
        return await _transfer(resources, command, found)
    if command.action is BreakAction.SETTLE:
        resolution, bill_id, details = await _settle(resources, command.caller, found)
    elif command.action is BreakAction.REVERSE:
        resolution, bill_id, details = await _reverse(resources, command.caller, found)
    else:
        resolution, bill_id, details = _said(command, found)
    return await _resolve(resources, command, resolution, bill_id, details)


async def settle_missing(resources: Resources, caller: Caller, search: BreakSearch) -> tuple[int, int]:
    """Settle all that we lack among the breaks that are searched; return how many were, and how many could not be.

    Each is an action of its own, so what was done stays done. What could not be is still open, for a person to look at.
    """
    done, left, after = 0, 0, None
    wanted = replace(search, kind=BreakKind.MISSING_HERE, status=BreakStatus.OPEN)
    while True:
        async with fund_transaction(resources.engine, caller.fund_id) as connection:
            page = await reconciliation.list_breaks(connection, caller.fund_id, wanted, after, 200)
        for found in page:
            try:
                await act_on_break(resources, ActOnBreak(caller, found.break_id, BreakAction.SETTLE))
                done += 1
            except SettlementError:
                left += 1
        if len(page) < 200:
            return done, left
        after = page[-1].break_id


async def get_break(resources: Resources, caller: Caller, break_id: UUID) -> Break:
    """Return a break. Raises `BreakNotFound`."""
    async with fund_transaction(resources.engine, caller.fund_id) as connection:
        found = await reconciliation.find_break(connection, caller.fund_id, break_id)
    if found is None:
        raise BreakNotFound(id=str(break_id))
    return found


async def _assign(resources: Resources, command: ActOnBreak) -> Break:
    fund_id, owner = command.caller.fund_id, command.owner
    async with fund_transaction(resources.engine, fund_id) as connection:
        account = await find_staff(connection, fund_id, owner) if owner is not None else None
        if owner is not None and (account is None or account.disabled_at is not None):
            raise OwnerUnknown(owner=owner)
        found = await _locked(connection, command)
        changed = replace(found, owner=owner, step_count=found.step_count + 1)
        actor, at = command.caller.client_id, resources.clock()
        told = _with_remark(command, {"owner": owner})
        await reconciliation.write_step(connection, fund_id, changed, "assigned", told, actor, at)
    return changed


async def _settle(
    resources: Resources, caller: Caller, found: Break
) -> tuple[Resolution, BillId | None, Mapping[str, Any]]:
    """Settle a bill that nobody brought, from the bureau's line: its aid goes to the card and nobody has to apply."""
    kept = await _kept(resources, caller, found)
    brought = Brought(kept["output"], kept["facts"])
    command = SettleBill(caller, Door.CATCH_UP, brought, at_counter=False, confirmed_by=BY_BUREAU_FILE)
    answer = (await settle_bill(resources, command)).answer
    if answer.get("id") is None:
        reason = answer["mutual_aid"]["reason"]["code"]
        return Resolution.NOT_COVERED if reason in FOR_WANT_OF_COVER else Resolution.NOT_OURS, None, {"reason": reason}
    return Resolution.SETTLED_BY_CATCH_UP, BillId(UUID(answer["id"])), {"state": answer["state"]}


async def _reverse(
    resources: Resources, caller: Caller, found: Break
) -> tuple[Resolution, BillId | None, Mapping[str, Any]]:
    """Undo a bill that the bureau cancelled, by the cancellation as the bureau lists it."""
    kept = await _kept(resources, caller, found)
    bill_id = found.bill_id
    if bill_id is None:
        raise BreakStepRefused(id=str(found.break_id), break_status=found.status.value, kind=found.kind.value)
    rules = await resources.rules.of(caller.fund_id)
    seen = Seen(BY_BUREAU_FILE, read_brought_cancellation(kept["output"], rules))
    undone = await undo(resources, caller, bill_id, ReversalReason.INSURER_CANCELLED, seen, kept["output"], None)
    if undone.answer["state"] in (BillState.LIVE, BillState.HELD):
        raise BillStandsStill(id=str(bill_id))
    return Resolution.REVERSED_HERE, bill_id, {}


async def _transfer(resources: Resources, command: ActOnBreak, found: Break) -> Break:
    """Owe the member the aid that the hospital did not give him: it goes to the card, and the hospital has no claim.

    The break ends in the same transaction, so that nobody's other word about it comes between.
    """
    bill_id, ended = found.bill_id, list[Break]()
    refused = BreakStepRefused(id=str(found.break_id), break_status=found.status.value, kind=found.kind.value)
    if bill_id is None:
        raise refused

    async def ending(connection: AsyncConnection, settled: SettledBill) -> None:
        if settled.head.state is not BillState.LIVE or not is_allowed(
            await _locked(connection, command), command.action
        ):
            raise refused
        ended.append(await _ended(connection, resources, command, Resolution.MOVED_TO_CARD, bill_id, {}))

    await transfer_aid(
        resources, TransferAid(command.caller, bill_id, RevisionReason.CLEARING_DISPUTED, None), within=ending
    )
    return ended[-1]


def _said(command: ActOnBreak, found: Break) -> tuple[Resolution, BillId | None, Mapping[str, Any]]:
    if command.resolution not in BY_A_PERSON:
        raise BreakStepRefused(id=str(found.break_id), break_status=found.status.value, kind=found.kind.value)
    return command.resolution, found.bill_id, {}


async def _kept(resources: Resources, caller: Caller, found: Break) -> Mapping[str, Any]:
    if found.source is not Source.BUREAU or found.import_id is None or found.line is None:
        raise LineNotKept(id=str(found.break_id))
    async with fund_transaction(resources.engine, caller.fund_id) as connection:
        sealed = await reconciliation.find_kept_line(connection, caller.fund_id, found.import_id, found.line)
    if sealed is None:
        raise LineNotKept(id=str(found.break_id))
    place = reconciliation.bound_to(caller.fund_id, found.import_id, found.line)
    return kept_content(resources.keys.open(sealed, place))


async def _resolve(
    resources: Resources,
    command: ActOnBreak,
    resolution: Resolution,
    bill_id: BillId | None,
    details: Mapping[str, Any],
) -> Break:
    async with fund_transaction(resources.engine, command.caller.fund_id) as connection:
        return await _ended(connection, resources, command, resolution, bill_id, details)


async def _ended(
    connection: AsyncConnection,
    resources: Resources,
    command: ActOnBreak,
    resolution: Resolution,
    bill_id: BillId | None,
    details: Mapping[str, Any],
) -> Break:
    fund_id, actor, at = command.caller.fund_id, command.caller.client_id, resources.clock()
    found = await _locked(connection, command)
    changed = replace(
        found,
        bill_id=bill_id or found.bill_id,
        status=BreakStatus.RESOLVED,
        resolution=resolution,
        resolved_by=actor,
        resolved_at=at,
        step_count=found.step_count + 1,
    )
    told = _with_remark(command, {"resolution": resolution.value, **details})
    await reconciliation.write_step(connection, fund_id, changed, "resolved", told, actor, at)
    return changed


def _with_remark(command: ActOnBreak, details: Mapping[str, Any]) -> Mapping[str, Any]:
    return details if command.remark is None else {**details, "remark": command.remark}


async def _locked(connection: AsyncConnection, command: ActOnBreak) -> Break:
    """Lock the break and read it in the next statement. Raises `BreakStepRefused` when it was resolved meanwhile."""
    await reconciliation.lock_break(connection, command.caller.fund_id, command.break_id)
    found = await reconciliation.find_break(connection, command.caller.fund_id, command.break_id)
    if found is None:
        raise BreakNotFound(id=str(command.break_id))
    if found.status is not BreakStatus.OPEN:
        raise BreakStepRefused(id=str(found.break_id), break_status=found.status.value, kind=found.kind.value)
    return found
