"""`settlement plan check|test|explain|schema|publish|to-xlsx|from-xlsx`: the plan workshop."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from settlement.cli.plan_sheets import add_sheet_commands
from settlement.cli.telling import BROKEN, Json, console, fail, tell
from settlement.domain.benefits import UsedRoom
from settlement.domain.money import Money, NotMoney
from settlement.plans.cases import CaseResult, case_facts, case_figures, run_cases
from settlement.plans.checks.run import check_plan
from settlement.plans.compile import compile_version
from settlement.plans.explain import explain as explain_benefits
from settlement.plans.findings import Finding, PlanRefused, Severity
from settlement.plans.model import CaseAmounts, CaseFacts, Plan, read_plan
from settlement.plans.model import schema as plan_schema

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The plan workshop.")
add_sheet_commands(app)

PlanFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A plan file (YAML).")]


@app.command()
def check(file: PlanFile, as_json: Json = False) -> None:
    """Check a plan file like a compiler (exit code 1 if it has errors; warnings do not count)."""
    try:
        findings = check_plan(read_plan(file))
    except PlanRefused as refused:
        findings = list(refused.findings)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if as_json:
        print(json.dumps({"errors": len(errors), "findings": [_shown(finding) for finding in findings]}))
    else:
        for finding in findings:
            print(finding)
        print(f"{file}: {len(errors)} errors, {len(findings) - len(errors)} warnings.")
    if errors:
        raise typer.Exit(BROKEN)


@app.command("test")
def run_worked_cases(
    path: Annotated[Path, typer.Argument(exists=True, help="A plan file, or a folder of them.")], as_json: Json = False
) -> None:
    """Run the worked cases of one or many plans (exit code 1 if one fails)."""
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    results = [(file, result) for file in files for result in run_cases(_read(file))]
    failed = [(file, result) for file, result in results if not result.passed]
    for file, result in failed:
        console.print(f"[red]failed[/red] {file}:{result.line} {result.name}: {_difference(result)}", highlight=False)
    passed = len(results) - len(failed)
    machine = {"plans": len(files), "passed": passed, "failed": len(failed)}
    tell(as_json, machine, f"{len(files)} plans, {passed} cases passed, {len(failed)} failed.")
    if failed:
        raise typer.Exit(BROKEN)


@app.command()
def explain(
    file: PlanFile,
    allowed: Annotated[str, typer.Option(help="In-scope amount of the bill (inscp_scp_amt), in yuan.")],
    insurer_paid: Annotated[str, typer.Option(help="What the insurer's funds paid, in yuan.")],
    excluded: Annotated[str, typer.Option(help="Cost outside the insurer's catalogue, in yuan.")] = "0",
    upfront_share: Annotated[str, typer.Option(help="Share paid first, in yuan.")] = "0",
    used_base: Annotated[str, typer.Option(help="Base of earlier bills of the term, in yuan.")] = "0",
    used_burden: Annotated[str, typer.Option(help="Patient's burden of earlier bills of the term, in yuan.")] = "0",
    used_paid: Annotated[str, typer.Option(help="Aid of earlier bills of the term, in yuan.")] = "0",
    language: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    as_json: Json = False,
) -> None:
    """Explain every fen of one bill under the plan's newest version, with the file's ordinary facts."""
    plan = _read(file)
    version = plan.versions[-1]
    compiled = compile_version(version)
    try:
        amounts = CaseAmounts(
            allowed=Money.from_yuan(allowed),
            insurer_paid=Money.from_yuan(insurer_paid),
            excluded=Money.from_yuan(excluded),
            upfront_share=Money.from_yuan(upfront_share),
        )
        room = UsedRoom(Money.from_yuan(used_base), Money.from_yuan(used_burden), Money.from_yuan(used_paid))
    except NotMoney as refused:
        fail(f"{refused}. Give amounts as 1234.56.")
    facts = case_facts(plan.file.case_facts, CaseFacts())
    benefits = compiled.adjudicate(case_figures(amounts), facts, dict.fromkeys(compiled.limits, room))
    explanations = explain_benefits(benefits, compiled.limits)
    if as_json:
        print(json.dumps({"benefits": [e.to_json() for e in explanations]}, ensure_ascii=False))
        return
    for explanation in explanations:
        for said in explanation.sentences:
            print(said.en if language == "en" else said.zh)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the plan file, for editors."""
    print(json.dumps(plan_schema(), ensure_ascii=False, indent=2))


@app.command()
def publish(
    file: PlanFile, fund_code: Annotated[str, typer.Option("--fund", help="Code of the fund.")], as_json: Json = False
) -> None:
    """Publish the file's versions for a fund; a version that is published already must be the same."""
    plan = _read(file)
    # Imported here: it alone among the commands of this file opens a database.
    from settlement.cli.publishing import publish_for_fund

    new = publish_for_fund(fund_code, plan)
    names = [version.version for version in new]
    said = f"Published {', '.join(names)}." if names else "Every version of the file is published already."
    tell(as_json, {"published": names}, said)


def _read(file: Path) -> Plan:
    try:
        return read_plan(file)
    except PlanRefused as refused:
        fail(str(refused))


def _shown(finding: Finding) -> dict[str, Any]:
    return {
        "severity": finding.severity.value,
        "file": finding.file,
        "line": finding.line,
        "clause": finding.clause,
        "zh": finding.zh,
        "en": finding.en,
    }


def _in_yuan(paid: Mapping[str, Money]) -> str:
    return ", ".join(f"{benefit} {amount}" for benefit, amount in paid.items()) or "nothing"


def _difference(result: CaseResult) -> str:
    if result.trouble is not None:
        return result.trouble
    pairs = zip(result.expected, result.actual, strict=True)
    return "; ".join(
        f"bill {number}: expected {_in_yuan(expected)}, got {_in_yuan(actual)}"
        for number, (expected, actual) in enumerate(pairs, 1)
        if expected != actual
    )
