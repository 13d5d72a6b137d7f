"""The line between a simulated process and PostgreSQL: the driver's own connection, stopped at each round trip."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Protocol

from psycopg import AsyncConnection, OperationalError
from psycopg import Error as PsycopgError
from psycopg.abc import PQGen

from settlement.lab.chaos.facts import Moment
from settlement.lab.chaos.faults import LOST
from settlement.lab.chaos.points import AFTER, BEFORE, BEGIN, COMMIT, point_of
from settlement.lab.chaos.steering import Mortal, Steering

_POINTS_OF_TEXTS = {b"BEGIN": BEGIN, b"COMMIT": COMMIT}


class LineLost(OperationalError):
    """The connection was cut by the simulation."""


class Watch(Protocol):
    """Who looks at the records after every commit."""

    @property
    def moment(self) -> Moment:
        """Now, in commits and seconds."""

    def committed(self, began: Moment) -> None:
        """Hear of a commit of a transaction that began at that moment."""


class Owner(Protocol):
    """The life of a process to which a connection belongs."""

    is_dead: bool
    is_steered: bool

    @property
    def process(self) -> Mortal:
        """Whose life it is."""

    @property
    def steering(self) -> Steering:
        """Who lets its messages go."""

    @property
    def watch(self) -> Watch:
        """Who is told of its commits."""


class SteeredConnection(AsyncConnection[Any]):
    """A connection whose every message waits for the seed's leave before it is sent and after it was answered."""

    owner: Owner | None = None
    waiter: asyncio.Task[Any] | None = None
    _pid = 0
    _began = Moment(0, 0.0)
    _text = b""

    @property
    def pid(self) -> int:
        """The server's process, known as long as the connection was once open."""
        self._pid = self._pid or self.pgconn.backend_pid
        return self._pid

    async def execute(self, query: Any, params: Any = None, **named: Any) -> Any:
        """Remember what is sent in words, because `BEGIN` and `COMMIT` are no named queries."""
        self._text = query if isinstance(query, bytes) else b""
        try:
            return await super().execute(query, params, **named)
        finally:
            self._text = b""

    async def wait(self, gen: PQGen[Any], *arguments: Any, **named: Any) -> Any:
        """Do one round trip, stopped before and after it where it is a point."""
        owner = self.owner
        if owner is None or not owner.is_steered:
            return await super().wait(gen, *arguments, **named)
        if owner.is_dead:
            raise asyncio.CancelledError
        word = self._text.partition(b";")[0]
        point = _POINTS_OF_TEXTS.get(word) or point_of(sys._getframe(1))
        if point is not None:
            await self._stop(owner, point, BEFORE)
        answer = await self._round_trip(owner, word, gen, *arguments, **named)
        if point == BEGIN:
            self._began = owner.watch.moment
        if point == COMMIT:
            owner.watch.committed(self._began)
        if point is not None:
            await self._stop(owner, point, AFTER)
        return answer

    def hang_up(self) -> None:
        """Close our end. Not while an answer is awaited: the loop still watches the socket then."""
        self.pgconn.finish()

    async def _stop(self, owner: Owner, point: str, phase: str) -> None:
        fault = await owner.steering.stop(owner.process, point, phase)
        if fault is not None and fault.kind == LOST:
            owner.steering.cut([self])
            self.hang_up()
            raise LineLost(f"chaos: the line was lost {phase} {point}")

    async def _round_trip(self, owner: Owner, word: bytes, gen: PQGen[Any], *arguments: Any, **named: Any) -> Any:
        self.waiter = asyncio.current_task()
        owner.steering.sent(self)
        try:
            return await super().wait(gen, *arguments, **named)
        except PsycopgError:
            if owner.is_dead:
                raise asyncio.CancelledError from None
            raise
        finally:
            self.waiter = None
            owner.steering.answered(self, ends_transaction=word in (b"COMMIT", b"ROLLBACK"))
