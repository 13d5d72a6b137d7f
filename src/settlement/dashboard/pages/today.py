"""今日: a business date's figures, what is held, and what waits on the worklist."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from settlement.dashboard.access import EVERYONE, READERS, ResourcesDep, Visitor, visitor_in
from settlement.dashboard.menu import TODAY, menu_for
from settlement.dashboard.rendering import day_of, page
from settlement.db import reports
from settlement.db.engine import fund_transaction
from settlement.db.worklist import list_open_kinds
from settlement.domain.sentences import Language, sentence
from settlement.domain.time import china_date
from settlement.domain.worklist import kind_of

router = APIRouter()


@router.get("/")
async def show_today(
    request: Request,
    resources: ResourcesDep,
    visitor: Annotated[Visitor, Depends(visitor_in(EVERYONE))],
    day: str = "",
) -> Response:
    """Show today's figures, or another day's. They go by the insurer's business date."""
    now, fund_id = resources.clock(), visitor.staff.fund_id
    today = china_date(now)
    shown = day_of(day) or today
    async with fund_transaction(resources.engine, fund_id) as connection:
        counted = await reports.count_bills_by_state(connection, fund_id, shown)
        sums = await reports.sum_live_settlements(connection, fund_id, shown)
        uncovered = await reports.count_uncovered(connection, fund_id, shown)
        held, oldest = await reports.find_oldest_held(connection, fund_id)
        kinds = await list_open_kinds(connection, fund_id)
        books_day = await reports.get_open_books_day(connection, fund_id)
    return page(
        request,
        "today.html",
        visitor=visitor,
        menu=menu_for(visitor),
        here=TODAY,
        may_read=visitor.has(READERS),
        now=now,
        day=shown,
        is_today=shown == today,
        before=shown - timedelta(days=1),
        after=shown + timedelta(days=1),
        counted=counted,
        bills=sum(counted.values()),
        sums=sums,
        uncovered=sorted(((count, _why(reason)) for reason, count in uncovered.items()), reverse=True),
        held=held,
        held_for=now - oldest if oldest else None,
        kinds=[(kind.kind, kind_of(kind.kind), kind.count, now - kind.oldest_at) for kind in kinds],
        books_day=books_day,
    )


def _why(reason: str) -> str:
    """Return why bills are not ours, without what every such sentence begins with."""
    return sentence(reason, Language.CHINESE).removeprefix("本单无互助款，请按医保现金数收费。")
