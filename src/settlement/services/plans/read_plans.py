"""Read what there is of a fund's plan: drafts and versions with their states, one with its document, two compared."""

from __future__ import annotations

from settlement.db.engine import fund_transaction
from settlement.db.plans import Draft, find_draft_of_version, list_drafts
from settlement.db.registry import PublishedVersion, list_plan_versions
from settlement.domain.answers import Answer
from settlement.domain.ids import DraftId, FundId
from settlement.plans.diff import Difference, diff_versions
from settlement.services.plans.decide_draft import get_draft
from settlement.services.plans.errors import PlanNotFound
from settlement.services.plans.shown import draft_answer
from settlement.services.plans.spans import span_of
from settlement.services.resources import Resources


async def read_plans(resources: Resources, fund_id: FundId, before: DraftId | None, limit: int) -> list[Answer]:
    """Return drafts and versions, newest first, that were submitted before one of them."""
    rules = await resources.rules.of(fund_id)
    async with fund_transaction(resources.engine, fund_id) as connection:
        published = await list_plan_versions(connection, fund_id, rules.fund.plan_code)
        drafts = await list_drafts(connection, fund_id, rules.fund.plan_code, before, limit)
    return [_shown(draft, published) for draft in drafts]


async def read_version(resources: Resources, fund_id: FundId, version: str) -> Answer:
    """Return a version, or its newest draft, with its canonical text and the file it was read from."""
    draft = await get_version(resources, fund_id, version)
    return await _whole(resources, fund_id, draft)


async def read_draft(resources: Resources, fund_id: FundId, draft_id: DraftId) -> Answer:
    """Return a draft with its canonical text and the file it was read from. Raises `PlanNotFound`."""
    async with fund_transaction(resources.engine, fund_id) as connection:
        draft = await get_draft(connection, resources, fund_id, draft_id)
    return await _whole(resources, fund_id, draft)


async def get_version(resources: Resources, fund_id: FundId, version: str) -> Draft:
    """Return the draft that a version was made of, else its newest draft. Raises `PlanNotFound`."""
    rules = await resources.rules.of(fund_id)
    async with fund_transaction(resources.engine, fund_id) as connection:
        draft = await find_draft_of_version(connection, fund_id, rules.fund.plan_code, version)
    if draft is None:
        raise PlanNotFound(version=version)
    return draft


async def compare_versions(resources: Resources, fund_id: FundId, before: str, after: str) -> list[Difference]:
    """Return what differs from one version (or its newest draft) to another. Raises `PlanNotFound`."""
    old, new = [await get_version(resources, fund_id, name) for name in (before, after)]
    return diff_versions(old.document, new.document)


async def _whole(resources: Resources, fund_id: FundId, draft: Draft) -> Answer:
    async with fund_transaction(resources.engine, fund_id) as connection:
        published = await list_plan_versions(connection, fund_id, draft.plan_code)
    return {**_shown(draft, published), "document": draft.document, "source": draft.source}


def _shown(draft: Draft, published: list[PublishedVersion]) -> Answer:
    return draft_answer(draft, span_of(draft.version, published) if draft.published else None)
