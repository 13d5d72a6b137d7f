"""`settlement db`: bringing the schema up, telling how far it is, and making a key file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from settlement.app import open_installation
from settlement.cli.shell import told_plainly
from settlement.cli.telling import BROKEN, Json, fail, tell
from settlement.config import SettingsUnusable, read_settings
from settlement.db.embedded import start_embedded
from settlement.db.migrations import current_revision, newest_revision
from settlement.db.migrations import upgrade as apply_migrations
from settlement.db.secrets import write_new_key_ring

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The database: migrations and keys.")


@app.command()
def upgrade(as_json: Json = False) -> None:
    """Apply the migrations that are missing, as the login settlement_owner."""
    with told_plainly():
        revision = apply_migrations(_owner_url())
    tell(as_json, {"revision": revision}, f"The database is at revision {revision}.")


@app.command()
def status(as_json: Json = False) -> None:
    """Say which revision the database is at, and which this release needs (exit code 1 if they differ)."""
    with told_plainly():
        settings = read_settings()
        url = settings.database_url or open_installation(settings).urls.app
        revision, needed = current_revision(url), newest_revision()
    tell(as_json, {"revision": revision, "needed": needed}, f"At revision {revision or 'none'}, this needs {needed}.")
    if revision != needed:
        raise typer.Exit(BROKEN)


@app.command()
def keygen(file: Annotated[Path, typer.Argument(help="Where to write the key file.")]) -> None:
    """Write a file with fresh keys. Keep a copy apart from the database: without it no identity can be read again."""
    try:
        write_new_key_ring(file)
    except FileExistsError:
        fail(f"{file} exists already and is left as it is: a new one would open nothing that the old one sealed.")
    except OSError as refused:
        fail(f"{file} cannot be written: {refused.strerror}.")
    print(f"Wrote {file}. Keep a copy apart from the database.")


def _owner_url() -> str:
    settings = read_settings()
    if settings.database_url is None and settings.database_owner_url is None:
        server = start_embedded(settings.settlement_data_dir)
        return server.ensure_database(settings.settlement_database_name).owner
    if settings.database_owner_url is None:
        raise SettingsUnusable("DATABASE_OWNER_URL must be set: migrations work as the login settlement_owner.")
    return settings.database_owner_url
