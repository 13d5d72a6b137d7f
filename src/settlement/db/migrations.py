"""Bringing a database to the present schema, as the owner login, and telling how far it is."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from settlement.db.engine import driver_url

OLDEST_SERVER_VERSION = 15
_ONE_AT_A_TIME = 7_146_052_271
_ROLES = ("settlement_app", "settlement_ops")


class SchemaUnusable(RuntimeError):
    """The database cannot be migrated as it is; the message says what its administrator has to do."""


def upgrade(owner_url: str) -> str:
    """Apply the migrations that are missing, each in its own transaction; return the revision reached."""
    engine = create_engine(driver_url(owner_url))
    try:
        with engine.connect() as connection:
            _check_server(connection)
            # Two processes that start at once do not migrate at once: the second finds it done.
            connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": _ONE_AT_A_TIME})
            connection.commit()
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
            return _revision(connection) or ""
    finally:
        engine.dispose()


def current_revision(url: str) -> str | None:
    """Return the revision a database is at, `None` when it has no schema yet."""
    engine = create_engine(driver_url(url))
    try:
        with engine.connect() as connection:
            return _revision(connection)
    finally:
        engine.dispose()


def newest_revision() -> str:
    """Return the revision that this release was written for."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    installed = Path(__file__).parent.parent / "_alembic"
    in_checkout = Path(__file__).parents[3] / "alembic"
    config = Config()
    config.set_main_option("script_location", str(installed if installed.exists() else in_checkout))
    return config


def _check_server(connection: Connection) -> None:
    version = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    if version < OLDEST_SERVER_VERSION:
        raise SchemaUnusable(f"PostgreSQL {version} is too old; this service needs {OLDEST_SERVER_VERSION} or newer.")
    found = connection.execute(text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:r)"), {"r": list(_ROLES)})
    missing = sorted(set(_ROLES) - set(found.scalars()))
    connection.rollback()
    if missing:
        raise SchemaUnusable(f"The logins {', '.join(missing)} do not exist. Run deploy/logins.sql as superuser first.")
