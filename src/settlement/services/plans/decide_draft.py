"""Approve, reject or withdraw a draft: an approval is a second person's, a withdrawal its author's."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.plans import Draft, Step, add_step, find_draft
from settlement.db.registry import list_plan_versions
from settlement.db.staff import Staff
from settlement.domain.answers import Answer
from settlement.domain.ids import DraftId, FundId
from settlement.services.bills.commands import Once, Outcome
from settlement.services.plans.acting import MAY_APPROVE, MAY_DRAFT, Actor, act
from settlement.services.plans.errors import PlanNotFound, SecondPersonNeeded, StepRefused
from settlement.services.plans.published import refuse_faulty, refuse_unpublishable
from settlement.services.plans.shown import draft_answer
from settlement.services.resources import Resources


async def approve_draft(
    resources: Resources, actor: Actor, draft_id: DraftId, remark: str | None = None, once: Once | None = None
) -> Outcome:
    """Approve a draft that somebody else wrote; the warnings of its check are thereby taken note of, and kept so.

    Raises `SecondPersonNeeded`, `StepRefused` unless it is `checked`, `PlanRefused` when today's check finds it
    wrong, and what `refuse_unpublishable` raises.
    """

    async def does(connection: AsyncConnection, account: Staff) -> Answer:
        draft = await get_draft(connection, resources, actor.fund_id, draft_id)
        if draft.author_id == account.staff_id:
            raise SecondPersonNeeded(author=draft.author)
        _refuse_unless(draft, "approve", "checked")
        published = await list_plan_versions(connection, actor.fund_id, draft.plan_code)
        refuse_unpublishable(await refuse_faulty(draft), draft.corrects, published)
        warnings = draft.steps[0].findings
        step = Step("approved", account.staff_id, resources.clock(), 0, warnings, remark, account.login)
        await add_step(connection, actor.fund_id, draft, step)
        return draft_answer(replace(draft, steps=(*draft.steps, step)), None)

    return await act(resources, actor, MAY_APPROVE, once, does)


async def reject_draft(
    resources: Resources, actor: Actor, draft_id: DraftId, remark: str, once: Once | None = None
) -> Outcome:
    """Reject a draft, with what is to be mended; its author submits another one. Raises `StepRefused`."""

    async def does(connection: AsyncConnection, account: Staff) -> Answer:
        draft = await get_draft(connection, resources, actor.fund_id, draft_id)
        _refuse_unless(draft, "reject", "faulty", "checked")
        return await _ended(connection, resources, actor, account, draft, "rejected", remark)

    return await act(resources, actor, MAY_APPROVE, once, does)


async def withdraw_draft(
    resources: Resources, actor: Actor, draft_id: DraftId, remark: str | None = None, once: Once | None = None
) -> Outcome:
    """Take one's own draft back before it is published. Raises `StepRefused`, for another's draft too."""

    async def does(connection: AsyncConnection, account: Staff) -> Answer:
        draft = await get_draft(connection, resources, actor.fund_id, draft_id)
        _refuse_unless(draft, "withdraw", "faulty", "checked", "approved")
        if draft.author_id != account.staff_id:
            raise StepRefused(step="withdraw", draft_state=f"{draft.state}, by {draft.author}", version=draft.version)
        return await _ended(connection, resources, actor, account, draft, "withdrawn", remark)

    return await act(resources, actor, MAY_DRAFT, once, does)


async def get_draft(connection: AsyncConnection, resources: Resources, fund_id: FundId, draft_id: DraftId) -> Draft:
    """Return a draft of the fund's plan. Raises `PlanNotFound`."""
    rules = await resources.rules.of(fund_id)
    draft = await find_draft(connection, fund_id, rules.fund.plan_code, draft_id)
    if draft is None:
        raise PlanNotFound(id=str(draft_id))
    return draft


def _refuse_unless(draft: Draft, step: str, *states: str) -> None:
    if draft.state not in states:
        raise StepRefused(step=step, draft_state=draft.state, version=draft.version)


async def _ended(
    connection: AsyncConnection,
    resources: Resources,
    actor: Actor,
    account: Staff,
    draft: Draft,
    kind: str,
    remark: str | None,
) -> Answer:
    step = Step(kind, account.staff_id, resources.clock(), remark=remark, actor=account.login)
    await add_step(connection, actor.fund_id, draft, step)
    return draft_answer(replace(draft, steps=(*draft.steps, step)), None)
