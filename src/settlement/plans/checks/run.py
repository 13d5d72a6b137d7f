"""Runs the checks over a plan file, with lines, or over one version that came from the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from settlement.plans.checks import (  # noqa: F401  Importing a module registers its checks.
    bands,
    declarations,
    facts,
    limits,
    membership,
    money,
    names,
    rules,
    versions,
)
from settlement.plans.checks.registry import CHECKS, FILE_CHECKS, Check, FileCheck, Place
from settlement.plans.checks.survey import Survey
from settlement.plans.findings import FilePath, Finding, PlanRefused, Severity
from settlement.plans.model import Plan, PlanVersion


def check_plan(plan: Plan) -> list[Finding]:
    """Return everything that is wrong or strange in a plan file, by line; a plan with an error is not published."""
    findings: dict[tuple[str, FilePath], Finding] = {}
    for check, path, place in _found_in_file(plan):
        line = plan.source.line_of(path)
        finding = Finding(check.id, check.severity, plan.source.name, line, place.clause, place.zh, place.en)
        findings.setdefault((check.id, path), finding)
    return sorted(findings.values(), key=lambda finding: finding.line or 0)


def errors_among(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that keep a plan from being published."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def refuse_unsound(version: PlanVersion) -> None:
    """Raise `PlanRefused` unless a version is sound enough to be compiled; warnings do not matter here."""
    name = f"{version.plan_code} {version.version}"
    findings = [
        Finding(check.id, check.severity, name, None, place.clause, place.zh, place.en)
        for check, place in _found(version, only_errors=True)
    ]
    if findings:
        raise PlanRefused(findings)


def _found_in_file(plan: Plan) -> Iterator[tuple[Check | FileCheck, FilePath, Place]]:
    """Yield what every check finds, with its path in the file; what is said of the header is said of each version."""
    for position, version in enumerate(plan.versions):
        for check, place in _found(version):
            yield check, _in_file(place.path, position), place
    for file_check in FILE_CHECKS:
        for place in file_check.find(plan):
            yield file_check, place.path, place


def _in_file(path: FilePath, position: int) -> FilePath:
    return ("versions", position, *path[1:]) if path[0] == "version" else path


def _found(version: PlanVersion, *, only_errors: bool = False) -> Iterator[tuple[Check, Place]]:
    survey = Survey(version)
    for check in CHECKS:
        if not only_errors or check.severity is Severity.ERROR:
            for place in check.find(survey):
                yield check, place
