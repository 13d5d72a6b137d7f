"""How commands tell a person or a machine what they did, and which exit codes they end with."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

BROKEN = 1
"""A check found something: an invariant is broken, a plan has errors, a worked case fails."""
REFUSED = 3
"""What was asked cannot be done; the sentence says why and what to do. (2 is a command line that is wrong.)"""

Json = Annotated[bool, typer.Option("--json", help="One JSON object as the last line, for machines.")]
console = Console()


def fail(message: str) -> NoReturn:
    """Say why on standard error and exit."""
    print(message, file=sys.stderr)
    raise typer.Exit(REFUSED)


def tell(as_json: bool, machine: dict[str, Any], person: str) -> None:
    """Print the JSON object, or the sentence for a person."""
    print(json.dumps(machine, ensure_ascii=False) if as_json else person)


def tell_rows(as_json: bool, name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print rows as one JSON object, or as a table."""
    if as_json:
        print(json.dumps({name: rows}, ensure_ascii=False))
    elif not rows:
        print(f"No {name} yet.")
    else:
        table = Table(box=None, header_style="bold")
        for name in rows[0]:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*[", ".join(cell) if isinstance(cell, list) else str(cell) for cell in row.values()])
        console.print(table)
