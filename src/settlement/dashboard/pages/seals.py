"""封账: the books days with what they hold, and the seals with whether they verify and follow each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.dashboard.access import EVERYONE, ResourcesDep, Visitor, visitor_in
from settlement.dashboard.menu import SEALS, menu_for
from settlement.dashboard.rendering import page
from settlement.db.books import count_day, list_days, list_unsealed_days, sum_day
from settlement.db.engine import fund_transaction
from settlement.domain.books import BooksDay, Seal, Sums
from settlement.services.books.seal_keys import Verifier

router = APIRouter()

PAGE = 20
MOST_DAYS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class DayShown:
    """One books day as the page shows it. `verifies` is `None` where no key is known to verify with."""

    day: BooksDay
    seal: Seal | None
    counts: Mapping[str, int]
    sums: Sums
    verifies: bool | None
    follows: bool


@router.get("/seals")
async def show_seals(
    request: Request,
    resources: ResourcesDep,
    visitor: Annotated[Visitor, Depends(visitor_in(EVERYONE))],
    before: Annotated[int | None, Query(ge=1, le=MOST_DAYS)] = None,
) -> Response:
    """Show the books days, the newest first; those that are closed and not sealed stand out.

    A sealed day's counts and sums are the seal's own, so that they are what was signed; another day's are counted.
    """
    fund_id, verifier = visitor.staff.fund_id, request.app.state.verifier
    async with fund_transaction(resources.engine, fund_id) as connection:
        found = await list_days(connection, fund_id, before, PAGE + 1)
        unsealed = await list_unsealed_days(connection, fund_id)
        seals = [seal for _, seal in found] + [None]
        shown = [
            await _shown(connection, day, seal, seals[place + 1], verifier)
            for place, (day, seal) in enumerate(found[:PAGE])
        ]
    return page(
        request,
        "seals.html",
        visitor=visitor,
        menu=menu_for(visitor),
        here=SEALS,
        days=shown,
        unsealed=[day.number for day in unsealed],
        can_verify=verifier is not None,
        first=before is None,
        older=shown[-1].day.number if len(found) > PAGE else None,
    )


async def _shown(
    connection: AsyncConnection, day: BooksDay, seal: Seal | None, previous: Seal | None, verifier: Verifier | None
) -> DayShown:
    if seal is None:
        counts = await count_day(connection, day.fund_id, day.number)
        return DayShown(day, None, counts, await sum_day(connection, day.fund_id, day.number), None, False)
    content = seal.statement.content
    verifies = verifier.verifies(seal) if verifier else None
    return DayShown(day, seal, content.counts, content.sums, verifies, seal.follows(previous))
