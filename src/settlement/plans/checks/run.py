"""Runs the checks over a plan file, with lines, or over one version that came from the database."""

from __future__ import annotations

from collections.abc import Iterator

from settlement.plans.checks.registry import CHECKS, Check, Place
from settlement.plans.findings import FilePath, Finding, PlanRefused, Severity
from settlement.plans.model import Plan, PlanVersion


def check_plan(plan: Plan) -> list[Finding]:
    """Return everything that is wrong or strange in a plan file, by line; a plan with an error is not published."""
    findings: dict[tuple[str, FilePath], Finding] = {}
    for position, version in enumerate(plan.versions):
        for check, place in _found(version):
            path = ("versions", position, *place.path[1:]) if place.path[0] == "version" else place.path
            line = plan.source.line_of(path)
            finding = Finding(check.id, check.severity, plan.source.name, line, place.clause, place.zh, place.en)
            findings.setdefault((check.id, path), finding)
    return sorted(findings.values(), key=lambda finding: finding.line or 0)


def refuse_unsound(version: PlanVersion) -> None:
    """Raise `PlanRefused` unless a version is sound enough to be compiled; warnings do not matter here."""
    name = f"{version.plan_code} {version.version}"
    findings = [
        Finding(check.id, check.severity, name, None, place.clause, place.zh, place.en)
        for check, place in _found(version)
        if check.severity is Severity.ERROR
    ]
    if findings:
        raise PlanRefused(findings)


def _found(version: PlanVersion) -> Iterator[tuple[Check, Place]]:
    for check in CHECKS:
        for place in check.find(version):
            yield check, place
