"""Publish what is new in a plan file in one go, by two people who are both there: draft, check, approval, in force."""

from __future__ import annotations

import asyncio
from uuid import UUID

from settlement.db.engine import fund_transaction
from settlement.db.registry import list_plan_versions
from settlement.domain.answers import Answer
from settlement.domain.ids import DraftId
from settlement.plans.checks.run import errors_among
from settlement.plans.examine import examine_plan
from settlement.plans.findings import PlanRefused
from settlement.plans.model import Plan, load_plan
from settlement.services.plans.acting import Actor
from settlement.services.plans.decide_draft import approve_draft
from settlement.services.plans.publish_draft import publish_draft
from settlement.services.plans.published import with_findings
from settlement.services.plans.submit_draft import FILE_NAME, SubmitDraft, submit_draft
from settlement.services.resources import Resources


async def publish_file(
    resources: Resources,
    author: Actor,
    approver: Actor,
    source: str,
    file_name: str = FILE_NAME,
    corrects: str | None = None,
) -> list[Answer]:
    """Take each version of a file that is not published through its whole life; return the answers about them.

    Every step is its own command with its own refusals; what was done before one is refused stays done. Raises what
    `submit_draft`, `approve_draft` and `publish_draft` raise, and `PlanRefused` for a file with errors: nothing is
    submitted of it.
    """
    try:
        plan = await asyncio.to_thread(_read_sound, source, file_name)
    except PlanRefused as refused:
        raise with_findings(refused) from None
    async with fund_transaction(resources.engine, author.fund_id) as connection:
        published = await list_plan_versions(connection, author.fund_id, plan.header.code)
    digests = {known.version: known.digest for known in published}
    answers = []
    for version in sorted(plan.versions, key=lambda version: version.effective_from):
        if digests.get(version.version) == version.digest:
            continue
        command = SubmitDraft(source, version.version, corrects, file_name)
        draft = (await submit_draft(resources, author, command)).answer
        draft_id = DraftId(UUID(draft["draft_id"]))
        await approve_draft(resources, approver, draft_id)
        answers.append((await publish_draft(resources, author, draft_id)).answer)
    return answers


def _read_sound(source: str, file_name: str) -> Plan:
    plan = load_plan(source, file_name)
    if errors := errors_among(examine_plan(plan)):
        raise PlanRefused(errors)
    return plan
