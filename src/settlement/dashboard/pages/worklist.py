"""待办: what a person has to look at, who has taken it, what to do next, and the actions upon it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from settlement.dashboard.access import READERS, ResourcesDep, Visitor, form_by, visitor_in
from settlement.dashboard.menu import WORKLIST, menu_for
from settlement.dashboard.rendering import page, who
from settlement.dashboard.words import DOORS, FIGURES, RERATINGS
from settlement.db.bills import list_settled_bills
from settlement.db.engine import fund_transaction
from settlement.db.rerating import find_rerating
from settlement.db.worklist import WorklistItem, find_item, list_actions, list_open_items, list_open_kinds
from settlement.domain.ids import BillId
from settlement.domain.money import Money
from settlement.domain.sentences import SENTENCES, Language, sentence
from settlement.domain.settlements import Door
from settlement.domain.worklist import (
    ACTIONS,
    CLOSING_REASONS,
    LONGEST_REMARK,
    RERATING_PROPOSED,
    WORKED_BY,
    Action,
    ClosingReason,
    Done,
    Standing,
    allowed_actions,
    kind_of,
)
from settlement.services.access.add_staff import APPROVER
from settlement.services.resources import Resources
from settlement.services.worklist.act_on_item import act_on_item
from settlement.services.worklist.apply_item import apply_item
from settlement.services.worklist.errors import RemarkUnusable, WorklistItemUnknown

router = APIRouter()

PAGE = 50
APPLIERS = frozenset({APPROVER})
_Reader = Annotated[Visitor, Depends(visitor_in(READERS))]


@router.get("/worklist")
async def list_worklist(
    request: Request, resources: ResourcesDep, visitor: _Reader, kind: str = "", after: UUID | None = None
) -> Response:
    """Show the open items, the oldest first, a page at a time."""
    fund_id, now = visitor.staff.fund_id, resources.clock()
    async with fund_transaction(resources.engine, fund_id) as connection:
        kinds = await list_open_kinds(connection, fund_id)
        last = await find_item(connection, fund_id, after) if after else None
        place = (last.opened_at, last.item_id) if last else None
        found = await list_open_items(connection, fund_id, kind or None, place, PAGE + 1)
    shown = found[:PAGE]
    return page(
        request,
        "worklist.html",
        visitor=visitor,
        menu=menu_for(visitor),
        here=WORKLIST,
        kinds=[(open_.kind, kind_of(open_.kind), open_.count) for open_ in kinds],
        kind=kind,
        rows=[(item, kind_of(item.kind), now - item.opened_at) for item in shown],
        first=after is None,
        older=shown[-1].item_id if len(found) > PAGE else None,
    )


@router.get("/worklist/{item_id}")
async def show_item(request: Request, resources: ResourcesDep, visitor: _Reader, item_id: UUID) -> Response:
    """Show one item: the next action, what was done, and what this person may do."""
    return await _item_page(request, resources, visitor, item_id)


@router.post("/worklist/{item_id}")
async def act(
    request: Request,
    resources: ResourcesDep,
    visitor: Annotated[Visitor, Depends(visitor_in(WORKED_BY))],
    form: Annotated[Mapping[str, str], Depends(form_by(WORKED_BY))],
    item_id: UUID,
) -> Response:
    """Do one thing with an item and show it again; what cannot be used of the form is said above it."""
    try:
        await act_on_item(resources, visitor.actor, item_id, _done(form))
    except RemarkUnusable:
        return await _item_page(request, resources, visitor, item_id, typed=form.get("remark", ""))
    return RedirectResponse(f"{request.scope['root_path']}/worklist/{item_id}", 303)


@router.post("/worklist/{item_id}/application")
async def apply(
    request: Request,
    resources: ResourcesDep,
    visitor: Annotated[Visitor, Depends(visitor_in(APPLIERS))],
    form: Annotated[Mapping[str, str], Depends(form_by(APPLIERS))],
    item_id: UUID,
) -> Response:
    """Apply the re-rating that an item of this person's proposes, and show the item again, closed by it."""
    await apply_item(resources, visitor.caller, visitor.actor, item_id)
    return RedirectResponse(f"{request.scope['root_path']}/worklist/{item_id}", 303)


def _done(form: Mapping[str, str]) -> Done:
    """Return what the form asks for. Raises `RemarkUnusable` for an action or a reason that does not exist."""
    try:
        action = Action(form.get("action", ""))
        reason = ClosingReason(form["reason"]) if action is Action.CLOSED and form.get("reason") else None
    except ValueError:
        raise RemarkUnusable from None
    remark = form.get("remark", "").strip().replace("\r\n", "\n") or None
    return Done(action, reason, remark)


async def _item_page(
    request: Request, resources: Resources, visitor: Visitor, item_id: UUID, typed: str | None = None
) -> Response:
    fund_id, now = visitor.staff.fund_id, resources.clock()
    item = await _found(resources, visitor, item_id)
    async with fund_transaction(resources.engine, fund_id) as connection:
        done = await list_actions(connection, fund_id, item_id)
    rerating = await _rerating(resources, visitor, item)
    return page(
        request,
        "item.html",
        422 if typed is not None else 200,
        visitor=visitor,
        menu=menu_for(visitor),
        here=WORKLIST,
        item=item,
        kind=kind_of(item.kind),
        part=item.kind.partition(":")[2],
        facts=[_fact(name, str(value)) for name, value in item.figures.items() if name != "rerating"],
        rerating=rerating,
        reratings=RERATINGS,
        lasting=_until(item.closed_at, now) - item.opened_at,
        done=[(step, ACTIONS[step.action], CLOSING_REASONS[step.reason] if step.reason else None) for step in done],
        allowed={action.value for action in _allowed(item, visitor)},
        reasons=list(CLOSING_REASONS.items()),
        longest=LONGEST_REMARK,
        typed=typed or "",
        unusable=typed is not None,
    )


async def _found(resources: Resources, visitor: Visitor, item_id: UUID) -> WorklistItem:
    async with fund_transaction(resources.engine, visitor.staff.fund_id) as connection:
        item = await find_item(connection, visitor.staff.fund_id, item_id)
    if item is None:
        raise WorklistItemUnknown(id=str(item_id))
    return item


def _allowed(item: WorklistItem, visitor: Visitor) -> tuple[Action, ...]:
    standing = Standing(item.kind, item.closed_at is not None, item.owner)
    return allowed_actions(standing, visitor.staff.login, visitor.staff.roles)


@dataclass(frozen=True, slots=True)
class _Rerating:
    """A proposed re-rating as the page shows it: bill by bill, old against new."""

    state: str
    net: Money
    decided: tuple[datetime, str] | None
    """When and by whom it was decided."""
    lines: Sequence[tuple[BillId, str, Money, Money | None]]
    """Each bill's id and number, its aid as recorded, and as it would be, in fen."""


async def _rerating(resources: Resources, visitor: Visitor, item: WorklistItem) -> _Rerating | None:
    if item.kind != RERATING_PROPOSED:
        return None
    fund_id = visitor.staff.fund_id
    async with fund_transaction(resources.engine, fund_id) as connection:
        stored = await find_rerating(connection, fund_id, UUID(item.figures["rerating"]))
        ids = [BillId(UUID(line["bill_id"])) for line in stored.lines] if stored else []
        numbers = {
            bill.head.bill_id: bill.head.settlement_no
            for bill in await list_settled_bills(connection, fund_id, bill_ids=ids)
        }
    if stored is None:
        return None
    fen = [(line["aid_recorded_fen"], line["aid_now_fen"]) for line in stored.lines]
    lines = [
        (bill_id, numbers[bill_id], Money(recorded), Money(now) if now is not None else None)
        for bill_id, (recorded, now) in zip(ids, fen, strict=True)
    ]
    decided = (stored.decided_at, who(stored.decided_by or "")) if stored.decided_at else None
    return _Rerating(stored.state, stored.net, decided, lines)


def _until(closed_at: datetime | None, now: datetime) -> datetime:
    return closed_at or now


def _fact(name: str, value: str) -> tuple[str, str, str | None]:
    """Return one of an item's figures as label, text and the bill that it leads to, if it names one."""
    if name == "door" and value in set(map(str, Door)):
        return FIGURES[name], DOORS[Door(value)], None
    if name == "question" and value in SENTENCES:
        # What a cashier is told first of a held bill is not so of one that was paid for long ago.
        to_cashiers = sentence("held_at_counter", Language.CHINESE)
        return FIGURES[name], sentence(value, Language.CHINESE).removeprefix(to_cashiers), None
    return FIGURES.get(name, name), value, value if name == "cancelled_unseen" else None
