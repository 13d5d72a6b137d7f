"""`settlement seal new-key|export`: the key that seals books days, and the seals for witnesses."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from settlement.cli.shell import FundCode, with_fund
from settlement.cli.telling import Json, fail, tell
from settlement.db.registry import Fund
from settlement.domain.books import Seal
from settlement.services.books.export_seals import export_seal, export_seals
from settlement.services.books.seal_keys import public_file, write_new_key
from settlement.services.resources import Resources

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Seals of books days: their key, their witnesses.")


@app.command("new-key")
def new_key(
    file: Annotated[Path, typer.Argument(help="Where to write the private key; FILE.pub gets the public one.")],
    as_json: Json = False,
) -> None:
    """Write a fresh Ed25519 key for SETTLEMENT_SEAL_KEY_FILE, and its public half for whoever verifies."""
    try:
        key_id = write_new_key(file)
    except FileExistsError:
        fail(f"{file} exists already and is left as it is.")
    except OSError as refused:
        fail(f"{file} cannot be written: {refused.strerror}.")
    public = public_file(file)
    said = f"Wrote {file} (key {key_id}) and {public}. Give the public half to the witnesses; keep a copy of both."
    tell(as_json, {"key_id": key_id, "file": str(file), "public_file": str(public)}, said)


@app.command("export")
def export(
    fund_code: FundCode,
    day: Annotated[int | None, typer.Option(min=1, help="The seal of this books day alone.")] = None,
    since: Annotated[int, typer.Option(min=1, help="The seals from this books day on.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One object with the count as the last line.")] = False,
) -> None:
    """Write seals to standard output for a witness, one JSON line each."""

    async def use(resources: Resources, of: Fund) -> int:
        if day is not None:
            _write(await export_seal(resources, of.fund_id, day))
            return 1
        count = 0
        async for seal in export_seals(resources, of.fund_id, since):
            _write(seal)
            count += 1
        return count

    exported = with_fund(fund_code, use)
    if as_json:
        tell(True, {"exported": exported}, "")


def _write(seal: Seal) -> None:
    sys.stdout.write(json.dumps(seal.to_json(), ensure_ascii=True) + "\n")
