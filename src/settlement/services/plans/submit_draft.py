"""Submit a version of a plan file as a draft, with what its check finds; nothing is in force by it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.plans import Draft, Step, add_draft
from settlement.db.registry import PublishedVersion, list_plan_versions
from settlement.db.staff import Staff
from settlement.domain.answers import Answer
from settlement.domain.ids import DraftId
from settlement.plans.checks.run import errors_among
from settlement.plans.examine import examine_plan
from settlement.plans.findings import Finding, PlanRefused
from settlement.plans.model import Plan, PlanVersion, load_plan
from settlement.services.bills.commands import Once, Outcome
from settlement.services.plans.acting import MAY_DRAFT, Actor, act
from settlement.services.plans.errors import PlanOfAnotherFund, VersionChanged, VersionKnown, VersionNotNamed
from settlement.services.plans.published import refuse_unpublishable, with_findings
from settlement.services.plans.shown import draft_answer, shown_finding
from settlement.services.resources import Resources

FILE_NAME = "plan.yaml"


@dataclass(frozen=True, slots=True)
class SubmitDraft:
    """A plan file's text. `version` names the one that is meant; without it, the only one that is not published.

    `corrects` names the version whose place it takes, from the same first day.
    """

    source: str
    version: str | None = None
    corrects: str | None = None
    file_name: str = FILE_NAME


async def submit_draft(resources: Resources, actor: Actor, command: SubmitDraft, once: Once | None = None) -> Outcome:
    """Keep a version as a draft of the person's, checked; the answer holds its findings.

    A file that cannot be read is refused (`PlanRefused`); one that the check finds wrong, or whose worked cases do not
    come out, is kept as `faulty`, which nobody can approve. Raises `PlanOfAnotherFund`, `VersionNotNamed`, and what
    `refuse_unpublishable` raises.
    """
    try:
        plan, findings = await asyncio.to_thread(_examined, command)
    except PlanRefused as refused:
        raise with_findings(refused) from None
    rules = await resources.rules.of(actor.fund_id)
    if plan.header.code != rules.fund.plan_code:
        raise PlanOfAnotherFund(plan_code=plan.header.code, expected=rules.fund.plan_code)

    async def does(connection: AsyncConnection, account: Staff) -> Answer:
        published = await list_plan_versions(connection, actor.fund_id, plan.header.code)
        version = _meant(plan, command.version, published)
        refuse_unpublishable(version, command.corrects, published)
        now = resources.clock()
        check = _check(findings, account, now)
        draft = Draft(
            DraftId(resources.ids.new()),
            version.plan_code,
            version.version,
            version.effective_from,
            command.corrects,
            version.canonical(),
            version.digest,
            command.source,
            account.staff_id,
            account.login,
            now,
            (check,),
        )
        await add_draft(connection, actor.fund_id, draft, check)
        return draft_answer(draft, None)

    return await act(resources, actor, MAY_DRAFT, once, does)


def _examined(command: SubmitDraft) -> tuple[Plan, list[Finding]]:
    plan = load_plan(command.source, command.file_name)
    return plan, examine_plan(plan)


def _meant(plan: Plan, name: str | None, published: Sequence[PublishedVersion]) -> PlanVersion:
    """Return the version that is to be a draft. A file may hold those published before, unchanged."""
    digests = {known.version: known.digest for known in published}
    new = [version for version in plan.versions if digests.get(version.version) != version.digest]
    if name is not None:
        named = [version for version in plan.versions if version.version == name]
        if not named:
            raise VersionNotNamed(versions=", ".join(version.version for version in plan.versions))
        return named[0]
    if not new:
        raise VersionKnown(version=", ".join(version.version for version in plan.versions))
    changed = [version.version for version in new if version.version in digests]
    if changed:
        raise VersionChanged(version=", ".join(changed))
    if len(new) > 1:
        raise VersionNotNamed(versions=", ".join(version.version for version in new))
    return new[0]


def _check(findings: Sequence[Finding], account: Staff, at: datetime) -> Step:
    errors = len(errors_among(findings))
    shown = tuple(shown_finding(finding) for finding in findings)
    return Step("faulty" if errors else "checked", account.staff_id, at, errors, shown, actor=account.login)
