"""The schema that the migrations make: from empty, equal to what the queries name, and every constraint named."""

from __future__ import annotations

import re
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine

from database import Databases, ops_engine, rows_of
from settlement.db.embedded import DatabaseUrls
from settlement.db.migrations import current_revision, newest_revision, upgrade
from settlement.db.tables import metadata


async def _inspected(engine: AsyncEngine) -> dict[str, dict[str, str]]:
    dialect = postgresql.dialect()

    def read(connection: object) -> dict[str, dict[str, str]]:
        found = inspect(connection)
        return {
            table: {column["name"]: column["type"].compile(dialect) for column in found.get_columns(table)}
            for table in found.get_table_names()
            if table != "alembic_version"
        }

    async with engine.connect() as connection:
        return await connection.run_sync(read)


async def test_the_tables_that_queries_name_are_the_tables_that_the_migrations_make(database: DatabaseUrls):
    dialect = postgresql.dialect()
    named = {
        table.name: {column.name: column.type.compile(dialect) for column in table.columns}
        for table in metadata.tables.values()
    }
    async with ops_engine(database) as engine:
        assert await _inspected(engine) == named


def test_every_constraint_and_index_was_named_by_us(database: DatabaseUrls):
    constraints = rows_of(
        database,
        "SELECT conrelid::regclass::text, conname FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'p', 'u', 'x') "
        "AND conrelid::regclass::text <> 'alembic_version'",
    )
    assert len(constraints) > 60
    generated = re.compile(r"_(pkey|fkey|key|check|excl|not_null)\d*$")
    assert [name for _, name in constraints if generated.search(str(name))] == []
    indexes = rows_of(database, "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")
    assert [
        name for (name,) in indexes if re.search(r"_(idx|pkey|key)\d*$", str(name)) and name != "alembic_version_pkc"
    ] == []


def test_every_key_and_foreign_key_begins_with_the_fund(database: DatabaseUrls):
    first_columns = rows_of(
        database,
        "SELECT conname, attname FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1] "
        "WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'f') "
        "AND conrelid::regclass::text <> 'alembic_version'",
    )
    assert {column for _, column in first_columns} == {"fund_id"}


def test_the_migrations_go_up_from_empty_one_by_one_and_again_change_nothing(databases: Databases):
    urls = databases.server.ensure_database("empty_for_migrations")
    try:
        assert current_revision(urls.owner) is None
        assert upgrade(urls.owner) == newest_revision()
        assert upgrade(urls.owner) == newest_revision() == current_revision(urls.app)
    finally:
        databases.drop("empty_for_migrations")


def test_there_is_one_line_of_migrations_and_each_sets_a_lock_timeout_first():
    scripts = ScriptDirectory(str(Path(__file__).parents[2] / "alembic"))
    assert len(scripts.get_heads()) == 1
    for revision in scripts.walk_revisions():
        body = Path(revision.path).read_text().split("def upgrade", 1)[1]
        assert body.index("lock_timeout") < min(
            found for word in ("CREATE", "ALTER", "GRANT", "SQL)") if (found := body.find(word)) > 0
        ), revision.revision
