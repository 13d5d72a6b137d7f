"""One process of ours: its pool, its caches, its clock and its doors. It can be killed, and started anew."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.api.access import Api
from settlement.api.app import create_api
from settlement.db.embedded import DatabaseUrls
from settlement.db.engine import Timeouts, open_engine
from settlement.db.secrets import KeyRing
from settlement.domain.ids import IdSource
from settlement.domain.time import Clock
from settlement.gateway.client import GatewayClient
from settlement.lab.chaos.steering import Steering
from settlement.lab.chaos.wire import SteeredConnection, Watch
from settlement.services.access.tokens import Tokens
from settlement.services.clock.watched_clock import WatchedClock
from settlement.services.funds.lines import Lines
from settlement.services.funds.rules import FundRules, RulesShelf
from settlement.services.members.queue import MemberQueue
from settlement.services.resources import Resources

POOL_SIZE = 4
TOKEN_KEY = "a key for the tokens of the simulation"
RESTART_SECONDS = 1.0
TOKEN_LIFETIME = timedelta(days=60)
_PATIENT = Timeouts(lock=300, statement=300)
"""The server's own time-outs run in real time, which nobody steers; so they are put out of reach."""


class Unreachable(Exception):
    """No answer: the process is down, or it died before it answered."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a process answered over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Premises:
    """What outlives a process: the database, the keys, the profiles, the line to the insurer, chance and the hour."""

    urls: DatabaseUrls
    keys: KeyRing
    profiles: Path
    rng: Random
    now: Clock
    insurer_of: Callable[[Process], httpx.AsyncBaseTransport]


class Process:
    """A process of the API or the worker, with its clock `skew` wrong."""

    def __init__(self, name: str, premises: Premises, steering: Steering, watch: Watch, skew: timedelta) -> None:
        self.name = name
        self.steering = steering
        self.watch = watch
        self.skew = skew
        self._premises = premises
        self._life: Life | None = None
        self._is_closed = False

    @property
    def life(self) -> Life:
        """What the running process works with. Raises `Unreachable` while it is down."""
        if self._life is None:
            raise Unreachable(self.name)
        return self._life

    @property
    def is_up(self) -> bool:
        """Whether it answers."""
        return self._life is not None

    def start(self) -> None:
        """Start with empty caches and no connection."""
        self._life = begin_life(self, self._premises)

    def crash(self) -> None:
        """Die as by `kill -9`: the server sees the connections end, and no task runs on.

        A task that awaits an answer is not cancelled at once, because the driver would ask the server to cancel the
        statement, which a dead process does not; it ends when it learns that its line is gone.
        """
        life, self._life = self._life, None
        if life is not None:
            life.end_at_once()
            self.steering.loop.call_later(RESTART_SECONDS, self._start_again)

    def _start_again(self) -> None:
        if not self._is_closed:
            self.start()

    async def call(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Call its API. Raises `Unreachable` when it is down or dies meanwhile."""
        app = self.life.app
        reply: Reply = await self.run(call_app(app, method, path, headers, body))
        return reply

    async def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do a piece of work in this process. Raises `Unreachable` when it is down or dies meanwhile."""
        life = self._life
        if life is None:
            work.close()
            raise Unreachable(self.name)
        task = asyncio.ensure_future(work)
        life.tasks.add(task)
        try:
            await asyncio.wait([task])
        finally:
            life.tasks.discard(task)
        if task.cancelled():
            raise Unreachable(self.name)
        failed = task.exception()
        if life.is_dead:
            raise Unreachable(self.name)
        if failed is not None:
            raise failed
        return task.result()

    async def close(self) -> None:
        """End in an orderly way, for good."""
        self._is_closed = True
        life, self._life = self._life, None
        if life is not None:
            life.is_steered = False
            await life.engine.dispose()
            await life.ops.dispose()
            await life.insurers.close()


@dataclass(eq=False, slots=True)
class Life:
    """What a process has from its start to its end."""

    process: Process
    steering: Steering
    watch: Watch
    engine: AsyncEngine
    ops: AsyncEngine
    resources: Resources
    insurers: Lines
    tokens: Tokens
    app: FastAPI
    lines: list[SteeredConnection] = field(default_factory=list)
    tasks: set[asyncio.Future[Any]] = field(default_factory=set)
    is_dead: bool = False
    is_steered: bool = True

    def opens(self, _dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]) -> None:
        """Have the pool open steered connections; the driver is told as SQLAlchemy lets it be told."""
        parameters["async_creator_fn"] = self._open

    def end_at_once(self) -> None:
        """Cut every connection, then end every task that awaits no answer of the server."""
        self.is_dead = True
        awaiting = [line for line in self.lines if line.waiter is not None]
        self.steering.cut([line for line in self.lines if not line.closed])
        waiters = {line.waiter for line in awaiting}
        for line in self.lines:
            if line not in awaiting:
                line.hang_up()
        for task in self.tasks - waiters:
            task.cancel()
        self.engine.sync_engine.dispose(close=False)
        self.ops.sync_engine.dispose(close=False)

    async def _open(self, *arguments: Any, **parameters: Any) -> SteeredConnection:
        if self.is_dead:
            raise asyncio.CancelledError
        self.steering.connecting(1)
        try:
            line = await SteeredConnection.connect(*arguments, **parameters)
        finally:
            self.steering.connecting(-1)
        line.owner = self
        self.lines.append(line)
        return line


def begin_life(process: Process, premises: Premises) -> Life:
    """Build what the roof builds for a process."""

    def clock() -> datetime:
        return premises.now() + process.skew

    engine = open_engine(premises.urls.app, POOL_SIZE, _PATIENT)
    ops = open_engine(premises.urls.ops, 2, _PATIENT)
    resources = Resources(
        engine=engine,
        keys=premises.keys,
        clock=clock,
        ids=IdSource(clock, premises.rng),
        rules=RulesShelf(engine, premises.profiles),
        queue=MemberQueue(),
        keep_messages=timedelta(days=180),
        hold_counter_for=timedelta(minutes=30),
    )
    insurers = SimulatedLines(premises.insurer_of(process), clock, premises.rng)
    tokens = Tokens(TOKEN_KEY, TOKEN_LIFETIME, clock)
    life = Life(process, process.steering, process.watch, engine, ops, resources, insurers, tokens, _app(process.name))
    life.app.state.api = Api(resources, insurers, tokens, "", WatchedClock())
    for pool in (engine, ops):
        event.listen(pool.sync_engine, "do_connect", life.opens)
    return life


class SimulatedLines(Lines):
    """The lines to the insurer, over a transport that the seed steers."""

    def __init__(self, transport: httpx.AsyncBaseTransport, clock: Clock, rng: Random) -> None:
        super().__init__({}, clock)
        self._transport = transport
        self._now = clock
        self._rng = rng

    def to(self, rules: FundRules) -> GatewayClient:
        """Return the one client that asks the simulated insurer."""
        client = self._clients.get(rules.fund.fund_id)
        if client is None:
            http = httpx.AsyncClient(transport=self._transport, timeout=None)
            serial = itertools.count(self._rng.randrange(1000)).__next__
            client = GatewayClient(rules.profile, http, {}, self._now, serial, lambda: f"{self._rng.getrandbits(64):x}")
            self._clients[rules.fund.fund_id] = client
        return client


@cache
def _app(_process: str) -> FastAPI:
    """Return the application of a process by its name; built once, because what lives is handed to it anew."""

    @asynccontextmanager
    async def nothing() -> AsyncIterator[Api]:
        raise NotImplementedError
        yield

    return create_api(nothing)


async def call_app(app: FastAPI, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """Make one HTTP request in process."""
    given = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": given,
        "client": ("chaos", 1),
        "server": ("chaos", 80),
    }
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in sent[1:])
    names = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], names, json.loads(content) if content else None)
