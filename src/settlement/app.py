"""The roof: settings become a database, keys, clock and doors. The only place that reads the clock or makes chance."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.api.access import Api
from settlement.api.app import create_api
from settlement.config import Settings, SettingsUnusable
from settlement.db.embedded import DatabaseUrls, start_embedded
from settlement.db.engine import open_engine
from settlement.db.migrations import current_revision, newest_revision, upgrade
from settlement.db.secrets import KeyRing, read_key_ring, write_new_key_ring
from settlement.domain.ids import IdSource
from settlement.services.access.tokens import Tokens
from settlement.services.funds.lines import Lines
from settlement.services.funds.rules import RulesShelf
from settlement.services.members.queue import MemberQueue
from settlement.services.resources import Resources


@dataclass(frozen=True, slots=True)
class Installation:
    """Where this installation keeps its data, and the secrets it works with."""

    settings: Settings
    urls: DatabaseUrls
    keys: KeyRing
    token_key: str


def utc_now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


def open_installation(settings: Settings) -> Installation:
    """Find the database (or start the embedded one, and bring it to the present schema) and the keys.

    Raises `SettingsUnusable` or `KeysUnusable` with a sentence that says how to mend it.
    """
    if settings.database_url is None:
        return _embedded(settings)
    key_file, token_key = settings.settlement_key_file, settings.settlement_token_key
    if key_file is None or token_key is None:
        raise SettingsUnusable("SETTLEMENT_KEY_FILE and SETTLEMENT_TOKEN_KEY must be set beside DATABASE_URL.")
    urls = DatabaseUrls(settings.database_owner_url or "", settings.database_url, settings.database_ops_url or "")
    return Installation(settings, urls, read_key_ring(key_file), token_key.get_secret_value())


def _embedded(settings: Settings) -> Installation:
    directory = settings.settlement_data_dir
    server = start_embedded(directory)
    urls = server.ensure_database(settings.settlement_database_name)
    if current_revision(urls.owner) != newest_revision():
        upgrade(urls.owner)
    key_file = settings.settlement_key_file or directory / "keys.json"
    if settings.settlement_key_file is None and not key_file.exists():
        write_new_key_ring(key_file)
    given = settings.settlement_token_key
    token_key = given.get_secret_value() if given else _kept_secret(directory / "token.key")
    return Installation(settings, urls, read_key_ring(key_file), token_key)


def _kept_secret(file: Path) -> str:
    """Return the secret in a file, made at the first time; all processes of this machine share it."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text()
    with os.fdopen(descriptor, "w") as new:
        secret = secrets.token_urlsafe(48)
        new.write(secret)
    return secret


def make_ids() -> IdSource:
    """Return the source of ids of this process."""
    return IdSource(utc_now, random.SystemRandom())


@asynccontextmanager
async def open_resources(installation: Installation) -> AsyncIterator[Resources]:
    """Open what the use cases work with, as the login `settlement_app`."""
    settings = installation.settings
    engine = open_engine(installation.urls.app, settings.database_pool_size)
    try:
        yield Resources(
            engine=engine,
            keys=installation.keys,
            clock=utc_now,
            ids=make_ids(),
            rules=RulesShelf(engine, settings.settlement_profiles),
            queue=MemberQueue(),
            keep_messages=timedelta(days=settings.settlement_message_days),
        )
    finally:
        await engine.dispose()


@asynccontextmanager
async def open_ops(installation: Installation) -> AsyncIterator[AsyncEngine]:
    """Open a pool as the login `settlement_ops`, which reads every fund and changes no record."""
    if not installation.urls.ops:
        raise SettingsUnusable("DATABASE_OPS_URL must be set: this command works as the login settlement_ops.")
    engine = open_engine(installation.urls.ops, pool_size=2)
    try:
        yield engine
    finally:
        await engine.dispose()


def build_api(installation: Installation) -> FastAPI:
    """Return the HTTP application of this installation."""
    settings = installation.settings

    @asynccontextmanager
    async def open_api() -> AsyncIterator[Api]:
        lifetime = timedelta(seconds=settings.settlement_token_seconds)
        tokens = Tokens(installation.token_key, lifetime, utc_now)
        lines = Lines(os.environ, utc_now)
        async with open_resources(installation) as resources:
            try:
                yield Api(resources, lines, tokens, newest_revision())
            finally:
                await lines.close()

    return create_api(open_api)
