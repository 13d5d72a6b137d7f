"""Seals of closed books days, for whoever keeps them as a witness."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from settlement.api.access import ApiDep, EventsCaller
from settlement.api.problems import problems
from settlement.api.schemas.answers import SealPage
from settlement.db.books import list_seals
from settlement.db.engine import fund_transaction

router = APIRouter(tags=["books"])

LARGEST_PAGE = 500
LARGEST_DAY = 2**31 - 1


@router.get(
    "/v1/seals",
    responses=problems("token_missing", "token_invalid", "scope_missing", "request_invalid", "not_recorded"),
    summary="List the seals of books days",
)
async def list_books_seals(
    api: ApiDep,
    caller: EventsCaller,
    cursor: Annotated[int, Query(ge=0, le=LARGEST_DAY, description="`next_cursor` of the page before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 50,
) -> SealPage:
    """Return seals in the order of their days, each as a witness keeps it: what is signed, its hash, the signature.

    What is signed is the object without `seal_hash` and `signature`: JSON with sorted keys, without spaces, in ASCII.
    """
    async with fund_transaction(api.resources.engine, caller.fund_id) as connection:
        found = await list_seals(connection, caller.fund_id, cursor, limit)
    more = found[-1].statement.books_day if len(found) == limit else None
    return SealPage.model_validate({"seals": [seal.to_json() for seal in found], "next_cursor": more})
