"""Publish an approved draft: from then on it is the version in force on its dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.engine import fund_transaction
from settlement.db.plans import Draft, Step, add_plan_version, add_step
from settlement.db.registry import PublishedVersion, list_plan_versions
from settlement.db.staff import Staff
from settlement.domain.answers import Answer
from settlement.domain.ids import DraftId, PlanVersionId
from settlement.services.bills.commands import Once, Outcome
from settlement.services.bills.settle_bill import answered_before
from settlement.services.plans.acting import MAY_DRAFT, Actor, act
from settlement.services.plans.decide_draft import get_draft
from settlement.services.plans.errors import StepRefused
from settlement.services.plans.list_touched import touching_of
from settlement.services.plans.published import refuse_faulty, refuse_unpublishable
from settlement.services.plans.shown import draft_answer
from settlement.services.plans.spans import span_of
from settlement.services.resources import Resources

_JUST_AFTER = timedelta(microseconds=1)


async def publish_draft(resources: Resources, actor: Actor, draft_id: DraftId, once: Once | None = None) -> Outcome:
    """Make the version of an approved draft; the answer says how many settlements it touches, and by how much.

    The settlements are looked through before the transaction, which is short: those recorded meanwhile under another
    version are in the list, which is read anew each time. Raises `StepRefused` unless it is approved, `PlanRefused`
    when today's check finds it wrong, and what `refuse_unpublishable` raises.
    """
    async with fund_transaction(resources.engine, actor.fund_id) as connection:
        before = await answered_before(connection, actor.fund_id, once)
        if before is not None:
            return before
        seen = await get_draft(connection, resources, actor.fund_id, draft_id)
        _refuse_unless_approved(seen)
        versions = await list_plan_versions(connection, actor.fund_id, seen.plan_code)
    touching = touching_of(actor.fund_id, seen, versions)
    late = await touching.is_late(resources)
    touched = (await touching.sums(resources)).to_json() if late else None

    async def does(connection: AsyncConnection, account: Staff) -> Answer:
        draft = await get_draft(connection, resources, actor.fund_id, draft_id)
        _refuse_unless_approved(draft)
        published = await list_plan_versions(connection, actor.fund_id, draft.plan_code)
        refuse_unpublishable(refuse_faulty(draft), draft.corrects, published)
        now = _after_what_it_corrects(resources.clock(), draft, published)
        step = Step("published", account.staff_id, now, actor=account.login)
        version_id = PlanVersionId(resources.ids.new())
        await add_step(connection, actor.fund_id, draft, step)
        await add_plan_version(connection, actor.fund_id, version_id, draft, now)
        versions = await list_plan_versions(connection, actor.fund_id, draft.plan_code)
        done = replace(draft, steps=(*draft.steps, step), published=version_id)
        return {**draft_answer(done, span_of(draft.version, versions)), "late": late, "touched": touched}

    outcome = await act(resources, actor, MAY_DRAFT, once, does)
    await resources.rules.read_anew(actor.fund_id)
    return outcome


def _refuse_unless_approved(draft: Draft) -> None:
    if draft.state != "approved":
        raise StepRefused(step="publish", draft_state=draft.state, version=draft.version)


def _after_what_it_corrects(now: datetime, draft: Draft, published: list[PublishedVersion]) -> datetime:
    """Return a time after the corrected version's: of versions that begin on one day, the latest published counts.

    Another process with a clock that is ahead may have published that one.
    """
    corrected = [known.published_at for known in published if known.version == draft.corrects]
    return max([now, *(at + _JUST_AFTER for at in corrected)])
