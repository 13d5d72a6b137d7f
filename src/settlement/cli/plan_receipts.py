"""`settlement plan receipt|replay`: keep a bill's receipt, and compute it again years later."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from settlement.cli.telling import BROKEN, Json, fail, tell
from settlement.plans.kept_receipt import ReceiptUnusable, replay_kept


def add_to(app: typer.Typer) -> None:
    """Add the commands about receipts to the plan workshop."""
    app.command()(receipt)
    app.command()(replay)


def receipt(
    settlement_no: Annotated[str, typer.Argument(help="Number of the settlement, as on the slip.")],
    fund_code: Annotated[str, typer.Option("--fund", help="Code of the fund.")],
    to: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    as_json: Json = False,
) -> None:
    """Keep a bill's receipt with its plan version in one file; it names no person."""
    # Imported here: replaying a kept receipt opens no database.
    from settlement.cli.keeping import kept_receipt_of

    to.write_text(kept_receipt_of(fund_code, settlement_no), encoding="utf-8")
    tell(as_json, {"settlement_no": settlement_no, "file": str(to)}, f"Kept the receipt of {settlement_no} in {to}.")


def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A kept receipt (JSON).")],
    as_json: Json = False,
) -> None:
    """Compute a kept receipt again: the same fen, or what changed (exit code 1)."""
    try:
        replayed = replay_kept(file.read_text(encoding="utf-8"))
    except (ReceiptUnusable, UnicodeDecodeError) as refused:
        fail(f"{file}: {refused}")
    machine = {
        "same": replayed.same,
        "aid_then": replayed.aid_then.yuan(),
        "aid_now": replayed.aid_now.yuan(),
        "changes": list(replayed.changes),
    }
    same = ": the same, step by step" if replayed.same else ""
    said = f"Aid then {replayed.aid_then}, now {replayed.aid_now}{same}."
    tell(as_json, machine, "\n".join([said, *replayed.changes]))
    if not replayed.same:
        raise typer.Exit(BROKEN)
