"""对账: the days that were compared, one day's lists and breaks, one break with both sides and its actions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from settlement.dashboard.access import READERS, ResourcesDep, Visitor, form_by, visitor_in
from settlement.dashboard.menu import RECONCILIATION, menu_for
from settlement.dashboard.rendering import page, who, yuan
from settlement.dashboard.words import BREAKS, COMPARED, ENTRIES, RESOLUTIONS, STATES
from settlement.db.engine import fund_transaction
from settlement.db.reconciliation import (
    BreakSearch,
    BreakStep,
    count_breaks_by_kind,
    list_break_steps,
    list_breaks,
    list_imports,
    list_reconciled_days,
)
from settlement.db.registry import list_hospitals
from settlement.domain.money import Money
from settlement.domain.reconciliation import (
    BY_A_PERSON,
    Break,
    BreakAction,
    BreakKind,
    BreakStatus,
    Resolution,
    is_allowed,
)
from settlement.domain.sentences import Language, sentence
from settlement.domain.settlements import BillState
from settlement.domain.worklist import LONGEST_REMARK, WORKED_BY
from settlement.services.reconciliation.act_on_break import ActOnBreak, act_on_break, get_break
from settlement.services.resources import Resources
from settlement.services.worklist.errors import RemarkUnusable

router = APIRouter()

PAGE = 50
DAYS = 31
MOST_LISTS = 100
_Reader = Annotated[Visitor, Depends(visitor_in(READERS))]


@router.get("/reconciliation")
async def list_days(
    request: Request, resources: ResourcesDep, visitor: _Reader, before: date | None = None
) -> Response:
    """Show the business dates that were compared, the newest first, with what is open of each."""
    async with fund_transaction(resources.engine, visitor.staff.fund_id) as connection:
        days = await list_reconciled_days(connection, visitor.staff.fund_id, before, DAYS + 1)
    shown = days[:DAYS]
    return page(
        request,
        "reconciliation.html",
        visitor=visitor,
        menu=menu_for(visitor),
        here=RECONCILIATION,
        days=[(day, day.run_at, _in_words(day.found)) for day in shown],
        first=before is None,
        older=shown[-1].business_date if len(days) > DAYS else None,
    )


@router.get("/reconciliation/days/{day}")
async def show_day(
    request: Request,
    resources: ResourcesDep,
    visitor: _Reader,
    day: date,
    kind: BreakKind | None = None,
    status: BreakStatus | None = None,
    after: UUID | None = None,
) -> Response:
    """Show one business date: its last run, the lists, and its breaks a page at a time as they were opened."""
    fund_id, now = visitor.staff.fund_id, resources.clock()
    async with fund_transaction(resources.engine, fund_id) as connection:
        newest = await list_reconciled_days(connection, fund_id, day + timedelta(days=1), 1)
        lists = await list_imports(connection, fund_id, day, MOST_LISTS)
        kinds = await count_breaks_by_kind(connection, fund_id, day)
        found = await list_breaks(connection, fund_id, BreakSearch(day, status, kind), after, PAGE + 1)
        hospitals = await list_hospitals(connection, fund_id)
    shown = found[:PAGE]
    asked = {name: value for name, value in (("kind", kind), ("status", status)) if value}
    return page(
        request,
        "reconciled_day.html",
        visitor=visitor,
        menu=menu_for(visitor),
        here=RECONCILIATION,
        day=day,
        run=newest[0] if newest and newest[0].business_date == day else None,
        lists=lists,
        kinds=kinds,
        rows=[(each, _lasted(each, now), _differing(each)) for each in shown],
        kind=kind,
        standing=status,
        hospitals={code: hospital.name for hospital in hospitals for code in hospital.codes},
        first=after is None,
        begin=urlencode(asked),
        more=urlencode({**asked, "after": str(shown[-1].break_id)}) if len(found) > PAGE else None,
    )


@router.get("/reconciliation/breaks/{break_id}")
async def show_break(request: Request, resources: ResourcesDep, visitor: _Reader, break_id: UUID) -> Response:
    """Show one break: both sides, its history, and what this person may do."""
    return await _break_page(request, resources, visitor, break_id)


@router.post("/reconciliation/breaks/{break_id}")
async def act(
    request: Request,
    resources: ResourcesDep,
    visitor: Annotated[Visitor, Depends(visitor_in(WORKED_BY))],
    form: Annotated[Mapping[str, str], Depends(form_by(WORKED_BY))],
    break_id: UUID,
) -> Response:
    """Do one thing with a break and show it again; what cannot be used of the form is said above it."""
    try:
        await act_on_break(resources, _command(visitor, break_id, form))
    except RemarkUnusable:
        return await _break_page(request, resources, visitor, break_id, typed=form.get("remark", ""))
    return RedirectResponse(f"{request.scope['root_path']}/reconciliation/breaks/{break_id}", 303)


def _command(visitor: Visitor, break_id: UUID, form: Mapping[str, str]) -> ActOnBreak:
    """Return what the form asks for. Raises `RemarkUnusable` for what is no action or ending."""
    remark = form.get("remark", "").strip().replace("\r\n", "\n") or None
    action, owner = form.get("action", ""), form.get("owner", "").strip()
    if action in ("taken", "given_back"):
        owner = visitor.staff.login if action == "taken" else ""
        return ActOnBreak(visitor.caller, break_id, BreakAction.ASSIGN, owner or None, remark=remark)
    try:
        asked = BreakAction(action)
        ending = Resolution(form.get("resolution", "")) if asked is BreakAction.RESOLVE else None
    except ValueError:
        raise RemarkUnusable from None
    if (ending is not None and ending not in BY_A_PERSON) or (asked is BreakAction.ASSIGN and not owner):
        raise RemarkUnusable
    return ActOnBreak(visitor.caller, break_id, asked, owner or None, ending, remark)


async def _break_page(
    request: Request, resources: Resources, visitor: Visitor, break_id: UUID, typed: str | None = None
) -> Response:
    fund_id, now = visitor.staff.fund_id, resources.clock()
    found = await get_break(resources, visitor.caller, break_id)
    async with fund_transaction(resources.engine, fund_id) as connection:
        steps = await list_break_steps(connection, fund_id, break_id)
        hospitals = await list_hospitals(connection, fund_id)
    names = {code: hospital.name for hospital in hospitals for code in hospital.codes}
    may_work = visitor.has(WORKED_BY)
    return page(
        request,
        "break.html",
        422 if typed is not None else 200,
        visitor=visitor,
        menu=menu_for(visitor),
        here=RECONCILIATION,
        found=found,
        hospital=names.get(found.hospital_code or ""),
        sentence=sentence(f"break_{found.kind.value}", Language.CHINESE),
        lasting=_lasted(found, now),
        figures=_two_sides(found),
        steps=[_step(step) for step in steps],
        allowed={action.value for action in BreakAction if may_work and is_allowed(found, action)},
        endings=[(ending.value, RESOLUTIONS[ending]) for ending in BY_A_PERSON],
        by=who(found.resolved_by or ""),
        longest=LONGEST_REMARK,
        typed=typed or "",
        unusable=typed is not None,
    )


def _in_words(found: Mapping[str, Mapping[str, int]]) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return what a run found, by source, each kind in words with how many."""
    return [(source, [(BREAKS[BreakKind(kind)], n) for kind, n in kinds.items()]) for source, kinds in found.items()]


def _lasted(found: Break, now: datetime) -> timedelta:
    return (found.resolved_at or now) - found.opened_at


def _two_sides(found: Break) -> list[tuple[str, str, str, bool]]:
    """Return each figure with what we and what the list say; the last says whether both say something, and differ."""
    ours, theirs = found.figures.get("ours") or {}, found.figures.get("theirs") or {}
    names = {name.removesuffix("_fen") for name in (*ours, *theirs)}
    ordered = [name for name in COMPARED if name in names] + sorted(names - set(COMPARED))
    rows = []
    for name in ordered:
        mine, other = _figure(ours, name), _figure(theirs, name)
        if {mine, other} <= {"0.00", ""}:
            continue
        rows.append((COMPARED.get(name, name), mine or "—", other or "—", bool(mine and other and mine != other)))
    return rows


def _differing(found: Break) -> list[tuple[str, str, str, bool]]:
    """Return the figures in which both sides differ; if there are none, what the one side that knows the bill says."""
    figures = _two_sides(found)
    differing = [row for row in figures if row[3]]
    return differing or [row for row in figures if row[0] == COMPARED["billed"]] or figures[:1]


def _figure(side: Mapping[str, Any], name: str) -> str:
    """Return one figure of a side as it is shown: amounts in yuan, codes in words; nothing for what it leaves out."""
    if f"{name}_fen" in side:
        return yuan(Money(side[f"{name}_fen"]))
    value = side.get(name)
    if value is None:
        return ""
    if name == "state":
        return STATES[BillState(value)]
    return ENTRIES.get(str(value), str(value))


def _step(step: BreakStep) -> dict[str, Any]:
    """Return one step of a break's history in words."""
    details = step.details
    if step.kind == "assigned":
        said = f"交 {details['owner']} 办理" if details.get("owner") else "退回，无人经办"
    elif step.kind == "resolved":
        said = f"了结：{RESOLUTIONS[Resolution(details['resolution'])]}"
        if details.get("day"):
            said += f"（{details['day']}）"
    else:
        said = {"opened": "对账发现", "changed": "再次对账，数据有变"}[step.kind]
    return {"at": step.at, "said": said, "by": who(step.actor), "remark": details.get("remark")}
