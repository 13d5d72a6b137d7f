"""The roof: settings become a database, keys, clock and doors. The only place that reads the clock or makes chance."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.api.access import Api
from settlement.api.app import create_api
from settlement.api.clock_watch import watch_clock
from settlement.api.overload import Kind
from settlement.config import SHORTEST_TOKEN_KEY, Settings, SettingsUnusable
from settlement.dashboard.app import create_dashboard
from settlement.db.embedded import DatabaseUrls, start_embedded
from settlement.db.engine import open_engine
from settlement.db.migrations import current_revision, newest_revision, upgrade
from settlement.db.secrets import KeyRing, read_key_ring, write_new_key_ring, write_once
from settlement.domain.ids import IdSource
from settlement.domain.time import Clock
from settlement.services.access.tokens import Tokens
from settlement.services.books.keep_books import BooksKeeping
from settlement.services.books.seal_keys import Signer, Verifier, public_file, read_signer, read_verifier
from settlement.services.clock.compare_clocks import refuse_clock_apart
from settlement.services.clock.watched_clock import WatchedClock
from settlement.services.funds.lines import Lines
from settlement.services.funds.rules import RulesShelf
from settlement.services.members.queue import MemberQueue
from settlement.services.pending.ask_questions import Asker
from settlement.services.resources import Resources

DASHBOARD = "/ops"


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
    try:
        server = start_embedded(directory)
    except OSError as refused:
        raise SettingsUnusable(
            f"SETTLEMENT_DATA_DIR: {directory} cannot be used ({refused.strerror}). Name a folder that can be written."
        ) from None
    urls = server.ensure_database(settings.settlement_database_name)
    if current_revision(urls.owner) != newest_revision():
        upgrade(urls.owner)
    key_file = settings.settlement_key_file or directory / "keys.json"
    if settings.settlement_key_file is None and not key_file.exists():
        with suppress(FileExistsError):
            write_new_key_ring(key_file)
    given = settings.settlement_token_key
    token_key = given.get_secret_value() if given else _kept_secret(directory / "token.key")
    return Installation(settings, urls, read_key_ring(key_file), token_key)


def _kept_secret(file: Path) -> str:
    """Return the secret in a file, made at the first time; all processes of this machine share it."""
    if not file.exists():
        with suppress(FileExistsError):
            write_once(file, secrets.token_urlsafe(48))
    kept = file.read_text().strip()
    if len(kept) < SHORTEST_TOKEN_KEY:
        raise SettingsUnusable(
            f"{file} holds no secret of at least {SHORTEST_TOKEN_KEY} characters. Restore it, or remove it: a new one "
            "is made then, and clients get new tokens."
        )
    return kept


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
            hold_counter_for=timedelta(minutes=settings.settlement_hold_minutes),
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


@asynccontextmanager
async def open_books_keeping(installation: Installation) -> AsyncIterator[BooksKeeping]:
    """Open what closes and seals books days. Raises `KeysUnusable` when the seal key is named and cannot be used."""
    signer = _signer(installation.settings)
    async with open_resources(installation) as resources:
        yield BooksKeeping(resources, installation.settings.settlement_books_close_at, signer)


def seal_verifier(settings: Settings) -> Verifier | None:
    """Return what verifies seals; `None` when no key is named. Raises `KeysUnusable`."""
    return read_verifier(settings.settlement_seal_public_keys, _signer(settings))


def public_verifier(settings: Settings) -> Verifier | None:
    """Return what verifies seals by public halves alone: a process that answers the web never reads the private key.

    The half beside the private key counts too. `None` when there is none. Raises `KeysUnusable`.
    """
    signing = settings.settlement_seal_key_file
    beside = public_file(signing) if signing and public_file(signing).exists() else None
    known = [read_verifier(file, None) for file in (settings.settlement_seal_public_keys, beside) if file]
    keys = {id_: key for verifier in known if verifier for id_, key in verifier.public_keys.items()}
    return Verifier(keys) if keys else None


def _signer(settings: Settings) -> Signer | None:
    return read_signer(settings.settlement_seal_key_file) if settings.settlement_seal_key_file else None


def set_up_logging(settings: Settings) -> None:
    """Write one JSON line per event to standard error: an event name and bound fields, never a person's data.

    A traceback is its lines of code. With the values beside them, as structlog shows them when it is not told
    otherwise, it would hold whole bills.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.settlement_log_level.upper())),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    if not any(isinstance(handler, _LibrariesLog) for handler in logging.getLogger().handlers):
        logging.getLogger().addHandler(_LibrariesLog())


class _LibrariesLog(logging.Handler):
    """Writes what a library logs as one line of ours; by default it would be text of many lines on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        said, of = record.getMessage(), record.name
        structlog.get_logger().log(record.levelno, "library", library=of, said=said, exc_info=record.exc_info)


async def refuse_wrong_clock(installation: Installation, clock: Clock = utc_now) -> None:
    """Raise `ClockApart` when this machine's clock is more than two seconds off the database's."""
    engine = open_engine(installation.urls.app, pool_size=1)
    try:
        await refuse_clock_apart(engine, clock)
    finally:
        await engine.dispose()


@asynccontextmanager
async def open_asker(installation: Installation, ops: AsyncEngine) -> AsyncIterator[Asker]:
    """Open what the worker asks the insurer with: a pool as `settlement_app`, and the funds' lines."""
    async with open_resources(installation) as resources:
        lines = Lines(os.environ, utc_now)
        try:
            yield Asker(resources, lines, ops, random.SystemRandom().random)
        finally:
            await lines.close()


def build_api(installation: Installation, clock: Clock = utc_now) -> FastAPI:
    """Return the HTTP application of this installation, API and dashboard, which logs the same way under any server.

    `clock` is what is compared with the database's while it runs.
    """
    settings = installation.settings
    set_up_logging(settings)
    dashboard = create_dashboard(public_verifier(settings))

    @asynccontextmanager
    async def open_api() -> AsyncIterator[Api]:
        lifetime = timedelta(seconds=settings.settlement_token_seconds)
        tokens = Tokens(installation.token_key, lifetime, utc_now)
        lines = Lines(os.environ, utc_now)
        async with open_resources(installation) as resources:
            watched = WatchedClock()
            watching = asyncio.create_task(watch_clock(watched, resources.engine, clock))
            dashboard.state.resources = resources
            try:
                yield Api(resources, lines, tokens, newest_revision(), watched)
            finally:
                watching.cancel()
                await lines.close()

    at_once = {Kind.QUOTE: settings.settlement_quotes_at_once, Kind.COMMAND: settings.settlement_commands_at_once}
    app = create_api(open_api, at_once)
    app.mount(DASHBOARD, dashboard)
    return app
