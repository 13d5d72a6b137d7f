"""All that keeps a plan file from being published: what the checks find, and worked cases that do not come out."""

from __future__ import annotations

from settlement.plans.cases import failing_cases
from settlement.plans.checks.run import check_plan, errors_among
from settlement.plans.findings import Finding
from settlement.plans.model import Plan


def examine_plan(plan: Plan) -> list[Finding]:
    """Return what is wrong or strange in a plan file; cases are run only where no check finds an error."""
    findings = check_plan(plan)
    return findings if errors_among(findings) else [*findings, *failing_cases(plan)]
