"""`settlement doctor`: every invariant, with the ids of what breaks it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from settlement.app import open_ops, seal_verifier
from settlement.cli.shell import installation, told_plainly
from settlement.cli.telling import BROKEN, Json, console
from settlement.domain.audit import Examination, Finding
from settlement.services.audit.examine import examine
from settlement.services.audit.examine_seals import ChainAsked
from settlement.services.books.export_seals import read_witness

app = typer.Typer(add_completion=False)


@app.command()
def doctor(
    chain: Annotated[bool, typer.Option("--chain", help="Hash the records of every sealed books day anew.")] = False,
    witness: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Compare with exported seals; implies --chain.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check every invariant at one instant, while the service runs (exit code 1 if one is broken)."""

    async def examined() -> Examination:
        async with open_ops(opened) as ops:
            with Progress(console=console, transient=True, disable=as_json or not console.is_terminal) as progress:
                task = progress.add_task("Examining")
                return await examine(
                    ops,
                    opened.keys,
                    lambda done, of: progress.update(task, completed=done, total=of),
                    verifier=verifier,
                    chain=asked,
                )

    with told_plainly():
        opened = installation(settlement_log_level="warning")
        verifier = seal_verifier(opened.settings)
        asked = _asked(witness) if chain or witness else None
        examination = asyncio.run(examined())
    if as_json:
        print(json.dumps(examination.to_json(), ensure_ascii=False))
    else:
        for finding in examination.findings:
            console.print(_line(finding), highlight=False, soft_wrap=True)
        console.print(f"{len(examination.findings)} invariants examined, {len(examination.broken)} broken.")
    if examination.broken:
        raise typer.Exit(BROKEN)


def _asked(witness: Path | None) -> ChainAsked:
    if witness is None:
        return ChainAsked()
    with witness.open(encoding="utf-8", errors="replace") as lines:
        return ChainAsked(read_witness(lines))


def _line(finding: Finding) -> str:
    if not finding.holds:
        named = ", ".join(finding.ids)
        return f"[red]broken[/red] {finding.invariant.name}: {finding.broken} of {finding.examined}: {named}"
    passed_over = f", {finding.not_examined} not examined: {finding.why}" if finding.not_examined else ""
    return f"[green]holds [/green] {finding.invariant.name} ({finding.examined}{passed_over})"
