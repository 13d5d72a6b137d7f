"""Checks the sense of a plan: names that exist, bands without gaps, limits that agree. Form is checked on loading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from settlement.plans.check_rules import rules_remarks
from settlement.plans.findings import FilePath, Finding, PlanRefused, Severity
from settlement.plans.model import AmountSum, BenefitRules, Condition, Header, Plan, PlanVersion, VersionBody
from settlement.plans.remarks import Remark, error
from settlement.plans.vocabulary import AMOUNTS, FACTS, nearest


def check_plan(plan: Plan) -> list[Finding]:
    """Return everything that is wrong or strange in a plan file, by line; a plan with an error is not published."""
    remarks = [*_header_remarks(plan.header), *_versions_remarks(plan)]
    for position, version in enumerate(plan.versions):
        remarks += [_placed(remark, position) for remark in _body_remarks(version.body)]
    findings = [_finding(remark, plan.source.name, plan.source.line_of(remark.path)) for remark in remarks]
    return sorted(findings, key=lambda finding: finding.line or 0)


def refuse_unsound(version: PlanVersion) -> None:
    """Raise `PlanRefused` unless a version is sound enough to be compiled; warnings do not matter here."""
    name = f"{version.plan_code} {version.version}"
    findings = [
        _finding(remark, name, None)
        for remark in (*_header_remarks(version.header), *_body_remarks(version.body))
        if remark.severity is Severity.ERROR
    ]
    if findings:
        raise PlanRefused(findings)


def _finding(remark: Remark, file: str, line: int | None) -> Finding:
    return Finding(remark.severity, file, line, remark.clause, remark.zh, remark.en)


def _placed(remark: Remark, position: int) -> Remark:
    """Move a remark about one version to where that version stands in the file."""
    return Remark(remark.severity, ("versions", position, *remark.path[1:]), remark.clause, remark.zh, remark.en)


def _header_remarks(header: Header) -> Iterator[Remark]:
    yield from _conditions_remarks(header.covers, ("plan", "covers"))


def _versions_remarks(plan: Plan) -> Iterator[Remark]:
    """Yield versions that cannot be told apart, by name or by their first day."""
    for key in ("version", "effective_from"):
        given = [str(getattr(version.body, key)) for version in plan.versions]
        for position, value in enumerate(given):
            if value in given[:position]:
                yield error(
                    ("versions", position, key),
                    None,
                    f"{key} {value} 重复，请改",
                    f"{key} {value} is given twice: change one",
                )


def _body_remarks(body: VersionBody) -> Iterator[Remark]:
    codes = Counter(benefit.code for benefit in body.benefits)
    for position, benefit in enumerate(body.benefits):
        path: FilePath = ("version", "benefits", position)
        if codes[benefit.code] > 1:
            yield error(
                (*path, "code"),
                None,
                f"待遇代码 {benefit.code} 重复，请改",
                f"the benefit code {benefit.code} is given twice: change one",
            )
        yield from _benefit_remarks(benefit, path)


def _benefit_remarks(benefit: BenefitRules, path: FilePath) -> Iterator[Remark]:
    yield from _conditions_remarks(benefit.conditions, (*path, "conditions"))
    yield from _amounts_remarks(benefit.base, (*path, "base"))
    yield from _amounts_remarks(benefit.burden, (*path, "burden"))
    yield from rules_remarks(benefit, path)


def _amounts_remarks(amounts: AmountSum, path: FilePath) -> Iterator[Remark]:
    """Yield amounts that no bill has."""
    for key, names in (("plus", amounts.plus), ("minus", amounts.minus)):
        for position, name in enumerate(names):
            if name not in AMOUNTS:
                guess = nearest(name, AMOUNTS)
                yield error(
                    (*path, key, position),
                    amounts.clause,
                    f"账单上没有 {name} 这个金额，是否应为 {guess}",
                    f"a bill has no amount {name}; the nearest known is: {guess}",
                )


def _conditions_remarks(conditions: tuple[Condition, ...], path: FilePath) -> Iterator[Remark]:
    """Yield facts, and values of facts, that do not exist."""
    for position, condition in enumerate(conditions):
        if condition.fact not in FACTS:
            guess = nearest(condition.fact, FACTS)
            yield error(
                (*path, position, "fact"),
                condition.clause,
                f"没有 {condition.fact} 这个事实，是否应为 {guess}",
                f"there is no fact {condition.fact}; the nearest known is: {guess}",
            )
        else:
            yield from _values_remarks(condition, (*path, position, "one_of"))


def _values_remarks(condition: Condition, path: FilePath) -> Iterator[Remark]:
    known = FACTS[condition.fact]
    for position, value in enumerate(condition.one_of):
        if known is None and not isinstance(value, str):
            yield error(
                (*path, position),
                condition.clause,
                f'{value} 是代码，请加引号写作 "{value}"',
                f'{value} is a code: quote it, as "{value}"',
            )
        elif known is not None and value not in known:
            guess = nearest(value, known)
            yield error(
                (*path, position),
                condition.clause,
                f"{condition.fact} 没有 {value} 这个值，是否应为 {guess}",
                f"{condition.fact} cannot be {value}; the nearest known is: {guess}",
            )
