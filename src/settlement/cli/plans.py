"""`settlement plan check|test|explain|schema`: the plan workshop; other files add their commands."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from settlement.cli import plan_publishing, plan_receipts, plan_sheets, plan_simulate
from settlement.cli.telling import BROKEN, Json, console, fail, tell
from settlement.plans.boundaries import Boundary, boundaries
from settlement.plans.cases import PricedBill, price_in_order, run_cases
from settlement.plans.checks.run import check_plan, errors_among
from settlement.plans.examine import examine_plan
from settlement.plans.explain import Sentence, closing
from settlement.plans.explain import explain as explain_benefits
from settlement.plans.findings import Finding, PlanRefused
from settlement.plans.model import CaseBill, CaseFacts, Plan, read_plan
from settlement.plans.model import schema as plan_schema
from settlement.plans.sheets.words import ANY_FACT
from settlement.plans.vocabulary import FACTS

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The plan workshop.")
plan_receipts.add_to(app)
plan_sheets.add_to(app)
plan_simulate.add_to(app)
plan_publishing.add_to(app)

PlanFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A plan file (YAML).")]


@app.command()
def check(file: PlanFile, as_json: Json = False) -> None:
    """Check a plan file like a compiler (exit code 1 if it has errors; warnings do not count).

    Without errors it first shows the boundary cases: what is paid a fen below, at, and a fen above each bound. What
    it finds and the verdict come last.
    """
    beside: list[Boundary] = []
    try:
        plan = read_plan(file)
        findings = examine_plan(plan)
    except PlanRefused as refused:
        findings = list(refused.findings)
    errors = errors_among(findings)
    if not errors:
        beside = boundaries(plan)
    if as_json:
        machine = {
            "errors": len(errors),
            "findings": [_shown(finding) for finding in findings],
            "boundaries": [_shown_boundary(boundary) for boundary in beside],
        }
        print(json.dumps(machine, ensure_ascii=False))
    else:
        for line in _told(beside):
            print(line)
        for finding in findings:
            print(finding)
        print(f"{file}: {len(errors)} errors, {len(findings) - len(errors)} warnings.")
        if not errors:
            print(f"Next, the worked cases: settlement plan test {file}")
    if errors:
        raise typer.Exit(BROKEN)


@app.command("test")
def run_worked_cases(
    path: Annotated[Path, typer.Argument(exists=True, help="A plan file, or a folder of them.")], as_json: Json = False
) -> None:
    """Run the worked cases of one or many plans (exit code 1 if one fails)."""
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    plans = [(file, _sound(file)) for file in files]
    results = [(file, result) for file, plan in plans for result in run_cases(plan)]
    failed = [(file, result) for file, result in results if not result.passed]
    for file, result in failed:
        console.print(f"[red]failed[/red] {file}:{result.line} {result.name}: {result.difference()}", highlight=False)
    passed = len(results) - len(failed)
    machine = {"plans": len(files), "passed": passed, "failed": len(failed)}
    tell(as_json, machine, f"{len(files)} plans, {passed} cases passed, {len(failed)} failed.")
    if failed:
        raise typer.Exit(BROKEN)


@app.command()
def explain(
    file: PlanFile,
    allowed: Annotated[str, typer.Option(help="In-scope amount of the bill (inscp_scp_amt), in yuan.")] = "0",
    insurer_paid: Annotated[str, typer.Option(help="What the insurer's funds paid, in yuan.")] = "0",
    excluded: Annotated[str, typer.Option(help="Cost outside the insurer's catalogue, in yuan.")] = "0",
    upfront_share: Annotated[str, typer.Option(help="Share paid first, in yuan.")] = "0",
    amount: Annotated[list[str] | None, typer.Option(help="Any amount, as insurer_deductible=900; repeatable.")] = None,
    fact: Annotated[list[str] | None, typer.Option(help="A fact, as hospital_level=2; repeatable.")] = None,
    case: Annotated[str | None, typer.Option(help="Instead: the last bill of the worked case with this name.")] = None,
    language: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    as_json: Json = False,
) -> None:
    """Explain every fen of one bill, with the file's ordinary facts unless others are given, or of a worked case."""
    plan = _sound(file)
    bills = _bills_of(plan, case) if case else [_bill_of(allowed, insurer_paid, excluded, upfront_share, amount, fact)]
    priced = price_in_order(plan, bills)[-1]
    if isinstance(priced, str):
        fail(f"{priced}.")
    not_priced = _not_priced(priced)
    if not_priced is not None:
        machine: dict[str, Any] = {"benefits": [], "sentences": [{"zh": not_priced.zh, "en": not_priced.en}]}
        tell(as_json, machine, not_priced.en if language == "en" else not_priced.zh)
        return
    explanations = explain_benefits(priced.benefits, priced.compiled.limits, priced.next_yuan(), priced.origins())
    last = closing([each.benefit for each in explanations], priced.compiled.term_limits)
    if as_json:
        told = [{"zh": said.zh, "en": said.en} for said in last]
        print(json.dumps({"benefits": [e.to_json() for e in explanations], "sentences": told}, ensure_ascii=False))
        return
    for said in (*(said for explanation in explanations for said in explanation.sentences), *last):
        print(said.en if language == "en" else said.zh)


def _not_priced(priced: PricedBill) -> Sentence | None:
    """Say why a bill of a case is paid nothing yet: it is held for a fact, or not ours."""
    if priced.not_covered_on is not None:
        day = priced.not_covered_on.isoformat()
        return Sentence(f"{day} 没有参保，本单不归本方案。", f"not covered on {day}: the bill is not this plan's.")
    if priced.missing is not None:
        name = ANY_FACT.zh(priced.missing) or priced.missing
        return Sentence(
            f"待补：缺少「{name}」（{priced.missing}），补上以后再计算。",
            f"held: {priced.missing} is missing; nothing is computed until it is known.",
        )
    return None


def _bills_of(plan: Plan, name: str) -> Sequence[CaseBill]:
    found = next((case for case in plan.file.cases if case.name == name), None)
    if found is None:
        fail(f"{plan.source.name} has no case {name}; it has: {', '.join(case.name for case in plan.file.cases)}.")
    return found.bills


def _bill_of(
    allowed: str,
    insurer_paid: str,
    excluded: str,
    upfront_share: str,
    amounts: Sequence[str] | None,
    facts: Sequence[str] | None,
) -> CaseBill:
    """Return the bill that the options describe, read as a worked case would be."""
    named = {"allowed": allowed, "insurer_paid": insurer_paid, "excluded": excluded, "upfront_share": upfront_share}
    named |= dict(_pairs(amounts, "--amount"))
    given = {name: _plain(value) for name, value in _pairs(facts, "--fact")}
    for name in given.keys() - CaseFacts.model_fields.keys():
        if name in FACTS:
            fail(f"{name} follows from dates, covers or earlier bills: write a case with those, and use --case.")
        fail(f"There is no fact {name}. Facts are: {', '.join(CaseFacts.model_fields)}.")
    try:
        return CaseBill.model_validate_json(json.dumps({"amounts": named, "facts": given}))
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        fail(f"{'.'.join(str(step) for step in wrong['loc'])}: {wrong['msg']}")


def _pairs(given: Sequence[str] | None, option: str) -> Iterator[tuple[str, str]]:
    for each in given or ():
        name, equals, value = each.partition("=")
        if not equals:
            fail(f"{option} {each}: write a name and a value, as hospital_level=2.")
        yield name, value


def _plain(value: str) -> str | int | bool:
    """Read a fact as YAML would: whole numbers and true or false, everything else as text; codes have quotes."""
    if value in ("true", "false"):
        return value == "true"
    return int(value) if re.fullmatch(r"-?[0-9]{1,3}", value) else value.strip('"')


@app.command()
def schema() -> None:
    """Print the JSON Schema of the plan file, for editors."""
    print(json.dumps(plan_schema(), ensure_ascii=False, indent=2))


def _read(file: Path) -> Plan:
    try:
        return read_plan(file)
    except PlanRefused as refused:
        fail(str(refused))


def _sound(file: Path) -> Plan:
    """Return a plan without errors; of another one say what `check` finds, and exit as it does."""
    plan = _read(file)
    errors = errors_among(check_plan(plan))
    for finding in errors:
        print(finding, file=sys.stderr)
    if errors:
        raise typer.Exit(BROKEN)
    return plan


def _told(beside: Sequence[Boundary]) -> Iterator[str]:
    """Yield the boundary cases as lines: each bound with its clause, then three bills beside it."""
    version, head = None, None
    for boundary in beside:
        if boundary.version != version:
            yield f"Boundary cases of version {boundary.version}: a bill below, on and above each bound"
        if (boundary.version, boundary.benefit, boundary.bound, boundary.clause) != (version, *(head or ())):
            yield f"  {boundary.benefit} · {boundary.bound}（{boundary.clause}）"
        version, head = boundary.version, (boundary.benefit, boundary.bound, boundary.clause)
        given = ", ".join(f"{name} {value}" for name, value in boundary.given.items())
        yield f"      {given:<44} base {boundary.base!s:>12}   aid {boundary.aid!s:>12}"


def _shown_boundary(boundary: Boundary) -> dict[str, Any]:
    return {
        "version": boundary.version,
        "benefit": boundary.benefit,
        "bound": boundary.bound,
        "clause": boundary.clause,
        "given": dict(boundary.given),
        "base": boundary.base.yuan(),
        "aid": boundary.aid.yuan(),
    }


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
