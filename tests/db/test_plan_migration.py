"""Versions that were published before there were accounts survive the migration that asks for two people."""

from __future__ import annotations

from alembic import command
from sqlalchemy import create_engine

from builders import HANGZHOU_FILE, KEYS
from database import Databases, as_owner, ops_engine, rows_of
from settlement.db import migrations
from settlement.db.engine import driver_url
from settlement.plans.model import read_plan
from settlement.services.audit.examine import examine

FUND = "01900000-0000-7000-8000-00000000000a"
VERSION = "01900000-0000-7000-8000-00000000000b"


async def test_a_version_from_before_keeps_its_id_and_gets_a_draft_and_its_steps(databases: Databases):
    urls = databases.server.ensure_database("before_accounts")
    try:
        engine = create_engine(driver_url(urls.owner))
        with engine.connect() as connection:
            config = migrations._config()
            config.attributes["connection"] = connection
            command.upgrade(config, "0005")
            connection.commit()
        engine.dispose()
        published = read_plan(HANGZHOU_FILE).versions[0]
        document = published.canonical().replace("'", "''")
        as_owner(
            urls,
            f"INSERT INTO fund VALUES ('{FUND}', 'old', '老基金', 'chongqing', 'hangzhou', now())",
            f"INSERT INTO books_day VALUES ('{FUND}', 1, now(), NULL)",
            f"""INSERT INTO plan_version VALUES ('{FUND}', '{VERSION}', 'hangzhou', '2018', '2018-01-01',
                '{document}', '{published.digest}', '2024-05-06T00:00:00Z')""",
        )
        assert migrations.upgrade(urls.owner) == migrations.newest_revision()
        kept = rows_of(urls, "SELECT plan_version_id::text, digest, corrects, step FROM plan_version")
        assert kept == [(VERSION, published.digest, None, "published")]
        steps = """SELECT kind, author.login, actor.login, at = '2024-05-06T00:00:00Z' FROM plan_step
            JOIN staff AS actor ON actor.staff_id = actor_id JOIN staff AS author ON author.staff_id = author_id
            ORDER BY kind"""
        assert rows_of(urls, steps) == [
            ("approved", "migration-0007-author", "migration-0007-approver", True),
            ("checked", "migration-0007-author", "migration-0007-author", True),
            ("published", "migration-0007-author", "migration-0007-author", True),
        ]
        assert rows_of(urls, "SELECT DISTINCT password_hash, disabled_at IS NULL, roles FROM staff") == [
            (None, False, [])
        ]
        async with ops_engine(urls) as ops:
            assert (await examine(ops, KEYS)).broken == ()
    finally:
        databases.drop("before_accounts")
