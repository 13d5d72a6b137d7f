"""Publish an approved draft: from then on it is the version in force on its dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.plans import Draft, Step, add_plan_version, add_step, count_touched, find_newest_service_date
from settlement.db.registry import PublishedVersion, list_plan_versions
from settlement.db.staff import Staff
from settlement.domain.answers import Answer
from settlement.domain.ids import DraftId, PlanVersionId
from settlement.services.bills.commands import Once, Outcome
from settlement.services.plans.acting import MAY_DRAFT, Actor, act
from settlement.services.plans.decide_draft import get_draft
from settlement.services.plans.errors import StepRefused
from settlement.services.plans.published import refuse_faulty, refuse_unpublishable
from settlement.services.plans.shown import draft_answer
from settlement.services.plans.spans import span_of
from settlement.services.resources import Resources

_JUST_AFTER = timedelta(microseconds=1)


async def publish_draft(resources: Resources, actor: Actor, draft_id: DraftId, once: Once | None = None) -> Outcome:
    """Make the version of an approved draft; the answer says whether it is late, and how many settlements it touches.

    What it changes about them is read afterwards (`what_touches`): nothing waits here for bills to be computed. Raises
    `StepRefused` unless it is approved, `PlanRefused` when today's check finds it wrong, and what
    `refuse_unpublishable` raises.
    """

    async def does(connection: AsyncConnection, account: Staff) -> Answer:
        draft = await get_draft(connection, resources, actor.fund_id, draft_id)
        if draft.state != "approved":
            raise StepRefused(step="publish", draft_state=draft.state, version=draft.version)
        published = await list_plan_versions(connection, actor.fund_id, draft.plan_code)
        refuse_unpublishable(await refuse_faulty(draft), draft.corrects, published)
        now = _after_what_it_corrects(resources.clock(), draft, published)
        step = Step("published", account.staff_id, now, actor=account.login)
        version_id = PlanVersionId(resources.ids.new())
        await add_step(connection, actor.fund_id, draft, step)
        await add_plan_version(connection, actor.fund_id, version_id, draft, now)
        versions = await list_plan_versions(connection, actor.fund_id, draft.plan_code)
        done = replace(draft, steps=(*draft.steps, step), published=version_id)
        span = span_of(draft.version, versions)
        newest = await find_newest_service_date(connection, actor.fund_id)
        touched = await count_touched(connection, actor.fund_id, draft, span.first_day, span.until) if span else 0
        late = newest is not None and draft.effective_from <= newest
        return {**draft_answer(done, span), "late": late, "touched_count": touched}

    outcome = await act(resources, actor, MAY_DRAFT, once, does)
    await resources.rules.read_anew(actor.fund_id)
    return outcome


def _after_what_it_corrects(now: datetime, draft: Draft, published: list[PublishedVersion]) -> datetime:
    """Return a time after the corrected version's: of versions that begin on one day, the latest published counts.

    Another process with a clock that is ahead may have published that one.
    """
    corrected = [known.published_at for known in published if known.version == draft.corrects]
    return max([now, *(at + _JUST_AFTER for at in corrected)])
