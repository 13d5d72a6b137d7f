"""Whether another version may take its place among those published of a fund's plan. Pure."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from settlement.db.plans import Draft
from settlement.db.registry import PublishedVersion
from settlement.plans.cases import failing_cases
from settlement.plans.checks.run import refuse_unsound
from settlement.plans.findings import PlanRefused
from settlement.plans.model import PlanVersion, load_plan
from settlement.services.plans.errors import (
    CorrectionUnusable,
    StartTaken,
    StayDateChanged,
    VersionChanged,
    VersionKnown,
)
from settlement.services.plans.shown import shown_finding


def refuse_unpublishable(version: PlanVersion, corrects: str | None, published: Sequence[PublishedVersion]) -> None:
    """Raise why a version cannot take its place among those published.

    `VersionKnown` and `VersionChanged` by its name, `StayDateChanged`, `StartTaken` and `CorrectionUnusable` by its
    dates. Its soundness is another matter: `refuse_faulty`.
    """
    by_name = {known.version: known for known in published}
    known = by_name.get(version.version)
    if known is not None and known.digest == version.digest:
        raise VersionKnown(version=version.version)
    if known is not None:
        raise VersionChanged(version=version.version)
    stay_dates = {PlanVersion.from_canonical(other.document).header.stay_date for other in published}
    if stay_dates - {version.header.stay_date}:
        raise StayDateChanged(stay_date=version.header.stay_date)
    in_place = {other.effective_from: other.version for other in published}.get(version.effective_from)
    if corrects is None and in_place is not None:
        raise StartTaken(version=in_place, effective_from=version.effective_from.isoformat())
    if corrects is not None and corrects != in_place:
        raise CorrectionUnusable(corrects=corrects, effective_from=version.effective_from.isoformat())


async def refuse_faulty(draft: Draft) -> PlanVersion:
    """Return a draft's version, checked once more by today's check. Raises `PlanRefused` with its findings."""
    try:
        return await asyncio.to_thread(_sound_version, draft)
    except PlanRefused as refused:
        raise with_findings(refused) from None


def _sound_version(draft: Draft) -> PlanVersion:
    version = PlanVersion.from_canonical(draft.document)
    refuse_unsound(version)
    if failing := failing_cases(load_plan(draft.source, draft.version)):
        raise PlanRefused(failing)
    return version


def with_findings(refused: PlanRefused) -> PlanRefused:
    """Return the refusal of a plan with its findings as figures, so that every door tells them."""
    refused.figures = {"findings": [shown_finding(finding) for finding in refused.findings]}
    return refused
