"""Examine the published plan versions, and compile them for the checks that compute settlements again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.audit import StoredVersion, list_stored_versions
from settlement.domain.audit import Finding, Invariant, Tally
from settlement.domain.errors import InvariantViolation
from settlement.domain.ids import FundId, PlanVersionId
from settlement.plans.canonical import sha256_hex
from settlement.plans.compile import CompiledPlan, compile_version
from settlement.plans.findings import PlanRefused
from settlement.plans.model import PlanVersion

PLANS_UNCHANGED = Invariant(
    "plan_versions_unchanged",
    "A published plan version still has the digest of its text, says in its row what the text says, and compiles.",
)

Plans = Mapping[tuple[FundId, PlanVersionId | None], CompiledPlan]


async def examine_plans(connection: AsyncConnection) -> tuple[Finding, Plans]:
    """Check each version against its text; return also those that compile, by fund and id."""
    tally = Tally(PLANS_UNCHANGED)
    plans: dict[tuple[FundId, PlanVersionId | None], CompiledPlan] = {}
    for stored in await list_stored_versions(connection):
        plan = _compiled(stored)
        tally.note(plan is not None and _says_the_same(stored, plan), stored.plan_version_id)
        if plan is not None:
            plans[stored.fund_id, stored.plan_version_id] = plan
    return tally.finding(), plans


def limits_of(plans: Plans) -> dict[str, list[Any]]:
    """Return the term limits of all versions, side by side: version, name, each benefit that it limits, fen."""
    rows = [
        (version_id, limit.name, benefit, int(limit.amount))
        for (_, version_id), plan in plans.items()
        for limit in plan.term_limits
        for benefit in limit.benefits
    ]
    columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    return dict(zip(("versions", "names", "benefits", "limits"), map(list, columns), strict=True))


def _compiled(stored: StoredVersion) -> CompiledPlan | None:
    try:
        return compile_version(PlanVersion.from_canonical(stored.document))
    except (PlanRefused, InvariantViolation):
        return None


def _says_the_same(stored: StoredVersion, plan: CompiledPlan) -> bool:
    version = PlanVersion.from_canonical(stored.document)
    of_row = (stored.plan_code, stored.version, stored.effective_from)
    of_text = (version.plan_code, version.version, version.effective_from)
    return of_row == of_text and stored.digest == sha256_hex(stored.document) == plan.digest
