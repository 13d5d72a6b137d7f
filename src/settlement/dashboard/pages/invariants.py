"""不变式: every law of the record with what its last examination found; an operator asks for another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from settlement.dashboard.access import EVERYONE, READERS, ResourcesDep, Visitor, form_by, visitor_in
from settlement.dashboard.menu import INVARIANTS, menu_for
from settlement.dashboard.rendering import page
from settlement.db.engine import fund_transaction
from settlement.db.examinations import find_waiting_request, list_examinations
from settlement.services.access.add_staff import OPERATOR
from settlement.services.audit.ask_examination import ask_examination

router = APIRouter()

RUNS = 10
_OPERATORS = frozenset({OPERATOR})


@router.get("/invariants")
async def show_invariants(
    request: Request, resources: ResourcesDep, visitor: Annotated[Visitor, Depends(visitor_in(EVERYONE))]
) -> Response:
    """Show the last examinations, and each law in the newest: what is broken stands first."""
    fund_id = visitor.staff.fund_id
    async with fund_transaction(resources.engine, fund_id) as connection:
        runs = await list_examinations(connection, fund_id, RUNS)
        waiting = await find_waiting_request(connection, fund_id)
    findings = sorted(runs[0].findings, key=lambda finding: (finding["holds"], finding["name"])) if runs else []
    passed_over = [finding for finding in findings if not finding["examined"] and finding["not_examined"]]
    return page(
        request,
        "invariants.html",
        visitor=visitor,
        menu=menu_for(visitor),
        here=INVARIANTS,
        runs=runs,
        findings=findings,
        passed_over=passed_over,
        unexamined=len(passed_over),
        waiting=waiting,
        now=resources.clock(),
        may_read=visitor.has(READERS),
        may_ask=visitor.has(_OPERATORS),
    )


@router.post("/invariants")
async def ask(
    request: Request,
    resources: ResourcesDep,
    visitor: Annotated[Visitor, Depends(visitor_in(_OPERATORS))],
    _: Annotated[Mapping[str, str], Depends(form_by(_OPERATORS))],
) -> Response:
    """Ask the worker for an examination."""
    await ask_examination(resources, visitor.actor)
    return RedirectResponse(f"{request.scope['root_path']}/invariants", 303)
