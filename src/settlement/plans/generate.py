"""Writes a checked plan version as the source text of plain Python over whole fen. It writes; `compile.py` runs it.

`adjudicate(bill, ledgers, notes)` is what callers run: the inputs of a bill and the member's ledgers go in, what each
benefit pays comes out, and the ledgers have counted the bill. With a list as `notes` it also says how it came about.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from settlement.plans.generate_benefit import BenefitWriter, WrittenBenefit
from settlement.plans.generate_limits import burden_lines
from settlement.plans.layout import Layout, splits
from settlement.plans.model import PlanVersion
from settlement.plans.source import excludes


@dataclass(frozen=True, slots=True)
class Generated:
    """The source of a version, with what its caller must hand to it."""

    source: str
    layout: Layout
    benefits: tuple[WrittenBenefit, ...]


def generate(version: PlanVersion) -> Generated:
    """Return the source of a version: the functions of its benefits, and `adjudicate`, which calls them in order."""
    body = version.body
    layout = Layout(
        frozenset(stated.code for stated in version.header.stated),
        {module.code: module.basic for module in body.modules},
        splits(version.header),
    )
    writers = [BenefitWriter(version, place, layout) for place in range(len(body.benefits))]
    head = [*_excluded(version, layout), *burden_lines(version, layout)]
    written = [writer.written() for writer in writers]
    entry = "\n".join(_entry(version, layout, written, head))
    title = f'"""Plan {version.plan_code}, version {version.version}, {version.digest}: generated, in whole fen."""'
    functions = [function for benefit in written for function in benefit.functions]
    source = "\n\n\n".join([title, _inputs(layout), *functions, entry]) + "\n"
    return Generated(source, layout, tuple(written))


def _inputs(layout: Layout) -> str:
    lines = [
        "def inputs(figures, facts, day=None, share=(0, 1, 1)):",
        '    """Return what a bill is asked for, in its order."""',
    ]
    if any("funds." in read for read in layout.inputs.values()):
        lines.append("    funds = figures.funds")
    lines += ["    return (", *(f"        {read},  # {name}" for name, read in layout.inputs.items()), "    )"]
    return "\n".join(lines)


def _excluded(version: PlanVersion, layout: Layout) -> Iterator[str]:
    """Write which of the plan's own conditions keeps every benefit from the bill, counted from 0."""
    yield "refused = None"
    for number, condition in enumerate(version.header.covers):
        yield f"{'elif' if number else 'if'} {excludes(layout, condition)}:  # {condition.clause!r}"
        yield f"    refused = {number}"


def _entry(version: PlanVersion, layout: Layout, written: list[WrittenBenefit], head: list[str]) -> Iterator[str]:
    yield "def adjudicate(bill, ledgers, notes=None):"
    yield '    """Return what each benefit pays, in the order of the file; count the bill in the ledgers."""'
    if layout.inputs:
        yield f"    ({', '.join(layout.inputs)},) = bill"
    if layout.ledgers:
        yield f"    ({', '.join(ledger.name for ledger in layout.ledgers)},) = ledgers"
    yield from (f"    {line}" for line in head)
    for benefit in written:
        yield from (f"    {line}" for line in benefit.lines)
    yield f"    return ({', '.join(f'aid_{benefit.code}' for benefit in version.body.benefits)},)"
