"""`settlement plan to-xlsx|from-xlsx`: a plan file as a workbook for clerks, and the workbook as a plan file."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from settlement.cli.telling import BROKEN, REFUSED, Json, fail, tell
from settlement.plans.cases import run_cases
from settlement.plans.checks.run import check_plan
from settlement.plans.findings import Finding, PlanRefused, Severity
from settlement.plans.model import read_plan
from settlement.plans.write_yaml import write_plan

if TYPE_CHECKING:
    from settlement.plans.sheets import PlanFromSheets


def add_to(app: typer.Typer) -> None:
    """Add both commands to the plan workshop."""
    app.command("to-xlsx")(write_sheets)
    app.command("from-xlsx")(read_sheets)


def write_sheets(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A plan file (YAML).")],
    out: Annotated[Path, typer.Option("--output", "-o", dir_okay=False, help="The workbook to write (.xlsx).")],
    next_version: Annotated[
        str | None, typer.Option("--next", help="Name of a further version, which repeats the last one to be changed.")
    ] = None,
    starts: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of that version.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a plan file as a workbook that clerks can read and change (exit code 3 if it cannot hold all of it)."""
    # Imported here and below: the other plan commands need not wait for the spreadsheet libraries.
    from settlement.plans.sheets import to_xlsx, with_next_version

    if (next_version is None) != (starts is None):
        fail("--next and --from belong together: the next version's name and its first day.")
    try:
        plan = read_plan(file)
        if next_version is not None and starts is not None:
            plan = with_next_version(plan, next_version, date(starts.year, starts.month, starts.day))
        unsound = any(finding.severity is Severity.ERROR for finding in check_plan(plan))
        content = to_xlsx(plan, () if unsound else run_cases(plan))
    except PlanRefused as refused:
        _refuse(as_json, refused)
    out.write_bytes(content)
    versions = [version.version for version in plan.versions]
    tell(as_json, {"file": str(out), "versions": versions}, f"Wrote {out} with versions {', '.join(versions)}.")


def read_sheets(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A workbook written by to-xlsx (.xlsx).")],
    out: Annotated[Path, typer.Option("--output", "-o", dir_okay=False, help="The plan file to write (YAML).")],
    as_json: Json = False,
) -> None:
    """Read a workbook into a plan file, check it and run its worked cases (exit code 1 if something is wrong).

    Findings name sheet, row and column. A workbook that cannot be read writes no file (exit code 3); one that can be
    read is written also where the checks find errors, which then stand in the file too.
    """
    from settlement.plans.sheets import from_xlsx

    try:
        read = from_xlsx(file.read_bytes(), str(file))
    except PlanRefused as refused:
        _refuse(as_json, refused)
    out.write_text(write_plan(read.plan.file), encoding="utf-8")
    findings = read.check()
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    findings += [] if errors else _wrong_cases(read)
    wrong = [finding for finding in findings if finding.severity is Severity.ERROR]
    if as_json:
        print(json.dumps({"file": str(out), "errors": len(wrong), "findings": [_shown(each) for each in findings]}))
    else:
        for finding in findings:
            print(finding)
        print(f"Wrote {out}: {len(wrong)} errors, {len(findings) - len(wrong)} warnings.")
    if wrong:
        raise typer.Exit(BROKEN)


def _wrong_cases(read: PlanFromSheets) -> list[Finding]:
    """Return a finding for each worked case that does not come out as its row says."""
    from settlement.plans.sheets import price_in_words

    findings = []
    try:
        results = run_cases(read.plan)
    except PlanRefused as refused:
        return list(refused.findings)
    for number, result in enumerate(results):
        if result.passed:
            continue
        pairs = zip(result.expected, result.actual, strict=False)
        bill = next((at for at, (expected, actual) in enumerate(pairs) if expected != actual), len(result.actual))
        zh = en = result.trouble or ""
        if bill < len(result.actual):
            expected, actual = price_in_words(result.expected[bill]), price_in_words(result.actual[bill])
            zh, en = f"应为 {expected}，按规则算得 {actual}", f"expected {expected}, the rules give {actual}"
        place = read.place_of_bill(number, bill)
        findings.append(place.finding(read.plan.source.name, "sheet_case_differs", f"{result.name}：{zh}", en))
    return findings


def _refuse(as_json: bool, refused: PlanRefused) -> NoReturn:
    if not as_json:
        fail(str(refused))
    print(json.dumps({"errors": len(refused.findings), "findings": [_shown(each) for each in refused.findings]}))
    raise typer.Exit(REFUSED)


def _shown(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "severity": finding.severity.value,
        "file": finding.file,
        "line": finding.line,
        "clause": finding.clause,
        "zh": finding.zh,
        "en": finding.en,
    }
