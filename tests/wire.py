"""A wire before PostgreSQL: it passes every byte on, counts round trips and commits, and can swallow a COMMIT.

It listens on a unix socket of its own and forwards to the server's. A trip is a flush of the client that waits for the
server: whatever the client sends before it reads again is one.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from settlement.db.embedded import DatabaseUrls

_SOCKET = ".s.PGSQL.5432"
_LARGEST_READ = 2**16


class Fate(StrEnum):
    """What becomes of the next COMMIT: passed, swallowed, or passed with its answer swallowed; or of every byte."""

    PASSED = "passed"
    COMMIT_SWALLOWED = "commit swallowed"
    ANSWER_SWALLOWED = "answer swallowed"
    EVERYTHING_SWALLOWED = "everything swallowed"


@dataclass(slots=True)
class Counts:
    """What went over the wire since it was last asked."""

    trips: int = 0
    commits: int = 0
    statements_outside: int = 0
    """Statements that ended outside of a transaction, each a commit of its own; a COMMIT itself is not among them."""
    sent: list[str] = field(default_factory=list)


class _Frames:
    """Cuts a stream of the protocol into messages; the client's first one has no type."""

    def __init__(self, begins_untyped: bool) -> None:
        self._rest = b""
        self._untyped = begins_untyped

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield type and body of each message that is whole now."""
        self._rest += data
        while True:
            head = 4 if self._untyped else 5
            if len(self._rest) < head:
                return
            length = int.from_bytes(self._rest[head - 4 : head], "big") + head - 4
            if len(self._rest) < length:
                return
            kind = b"" if self._untyped else self._rest[:1]
            body, self._rest = self._rest[head:length], self._rest[length:]
            self._untyped = False
            yield kind, body


class Wire:
    """The proxy, in a thread of its own. `happened` is set when a COMMIT met the fate that was set."""

    def __init__(self, server_socket: Path) -> None:
        self._server_socket = server_socket
        self._folder = tempfile.TemporaryDirectory(prefix="wire-")
        self.counts = Counts()
        self.fate = Fate.PASSED
        self.happened = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._connections: set[asyncio.Future[None]] = set()
        self._server: asyncio.Server
        self._closing: asyncio.Event

    def url(self, url: str) -> str:
        """Return a URL of the server with this wire before it."""
        through = make_url(url).update_query_dict({"host": self._folder.name})
        return through.render_as_string(hide_password=False)

    def urls(self, urls: DatabaseUrls) -> DatabaseUrls:
        """Return the three logins' URLs with this wire before them."""
        return DatabaseUrls(self.url(urls.owner), self.url(urls.app), self.url(urls.ops))

    def count_anew(self) -> None:
        """Forget what was counted."""
        self.counts = Counts()

    def let_the_next_commit_be(self, fate: Fate) -> None:
        """Arm the wire for the next COMMIT of a transaction that wrote."""
        self.happened.clear()
        self.fate = fate

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        self._done(self._listen())

    def stop(self) -> None:
        """Stop listening and close every connection."""
        self._done(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._folder.cleanup()

    def _done(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self) -> None:
        self._closing = asyncio.Event()
        self._server = await asyncio.start_unix_server(self._serve, str(Path(self._folder.name) / _SOCKET))

    async def _end(self) -> None:
        self._server.close()
        self._closing.set()
        await asyncio.gather(*self._connections)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        closed = self._loop.create_future()
        self._connections.add(closed)
        server_reader, server_writer = await asyncio.open_unix_connection(str(self._server_socket))
        line = _Line(self)
        ends = [
            asyncio.ensure_future(line.upstream(reader, server_writer)),
            asyncio.ensure_future(line.downstream(server_reader, writer)),
            asyncio.ensure_future(self._closing.wait()),
        ]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        await asyncio.gather(*ends, return_exceptions=True)
        for stream in (writer, server_writer):
            stream.close()
            with suppress(OSError):
                await stream.wait_closed()
        self._connections.discard(closed)
        closed.set_result(None)


class _Line:
    """One connection on the wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._client = _Frames(begins_untyped=True)
        self._server = _Frames(begins_untyped=False)
        self._client_spoke_last = False
        self._swallowing_answer = False
        self._writing_statements: set[bytes] = set()
        self._wrote = False

    async def upstream(self, reader: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        while data := await reader.read(_LARGEST_READ):
            wire = self._wire
            if wire.fate is Fate.EVERYTHING_SWALLOWED:
                continue
            for kind, body in self._client.feed(data):
                self._watch(kind, body)
                if kind == b"Q" and body == b"COMMIT\0" and self._wrote:
                    if wire.fate is Fate.COMMIT_SWALLOWED:
                        wire.happened.set()
                        await asyncio.Event().wait()
                    self._swallowing_answer = wire.fate is Fate.ANSWER_SWALLOWED
            if not self._client_spoke_last:
                wire.counts.trips += 1
            self._client_spoke_last = True
            server.write(data)
            await server.drain()

    def _watch(self, kind: bytes, body: bytes) -> None:
        """Notice what is sent, and whether the transaction writes: by its statements, prepared ones by their names."""
        if kind == b"Q":
            self._wire.counts.sent.append(body.strip(b"\0").decode(errors="replace")[:80])
            self._wrote = self._wrote and not body.startswith(b"BEGIN")
        elif kind == b"P":
            name, query = body.split(b"\0")[:2]
            self._wire.counts.sent.append(query.decode(errors="replace")[:80])
            change = self._writing_statements.add if b"INSERT INTO" in query else self._writing_statements.discard
            change(name)
        elif kind == b"B":
            self._wrote = self._wrote or body.split(b"\0")[1] in self._writing_statements

    async def downstream(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while data := await reader.read(_LARGEST_READ):
            self._client_spoke_last = False
            committed = False
            if self._wire.fate is Fate.EVERYTHING_SWALLOWED:
                continue
            for kind, body in self._server.feed(data):
                if kind == b"C" and body == b"COMMIT\0":
                    self._wire.counts.commits += 1
                    committed = True
                elif kind == b"Z" and body == b"I" and not committed:
                    self._wire.counts.statements_outside += 1
                if kind == b"Z" and self._swallowing_answer:
                    self._wire.happened.set()
                    await asyncio.Event().wait()
            if not self._swallowing_answer:
                client.write(data)
                await client.drain()


@contextmanager
def wire_to(urls: DatabaseUrls) -> Iterator[Wire]:
    """Put a wire before the server of these URLs."""
    host = make_url(urls.app).query["host"]
    assert isinstance(host, str)
    wire = Wire(Path(host) / _SOCKET)
    wire.start()
    try:
        yield wire
    finally:
        wire.stop()
