"""The answers about drafts and versions, as plain JSON values: every door says the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from settlement.db.plans import Draft, Step
from settlement.domain.answers import Answer
from settlement.domain.time import CHINA
from settlement.plans.findings import Finding
from settlement.services.plans.spans import Span


def draft_answer(draft: Draft, span: Span | None) -> Answer:
    """Return a draft or version: its state and steps, what its check found, and when it is in force.

    `in_force` is of a published version: none for a draft, and none for a version that was corrected.
    """
    check = draft.steps[0]
    return {
        "draft_id": str(draft.draft_id),
        "plan": draft.plan_code,
        "version": draft.version,
        "effective_from": draft.effective_from.isoformat(),
        "corrects": draft.corrects,
        "digest": draft.digest,
        "state": draft.state,
        "author": draft.author,
        "created_at": instant(draft.created_at),
        "errors": check.errors,
        "warnings": len(check.findings) - check.errors,
        "findings": [dict(finding) for finding in check.findings],
        "steps": [_step(step) for step in draft.steps],
        "in_force": span and {"first_day": span.first_day.isoformat(), "until": span.until and span.until.isoformat()},
    }


def shown_finding(finding: Finding) -> dict[str, Any]:
    """Return a finding of the check, in both languages."""
    return {
        "severity": finding.severity.value,
        "line": finding.line,
        "clause": finding.clause,
        "zh": finding.zh,
        "en": finding.en,
    }


def instant(at: datetime) -> str:
    """Write an instant as China's clocks show it."""
    return at.astimezone(CHINA).isoformat(timespec="milliseconds")


def _step(step: Step) -> dict[str, Any]:
    return {"kind": step.kind, "actor": step.actor, "at": instant(step.at), "remark": step.remark}
