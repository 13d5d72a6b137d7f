"""A far end on a real socket: it answers what a script says, or breaks off where the script says so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes to write before the connection is closed."""

    sent: bytes


@dataclass(frozen=True, slots=True)
class Http:
    """A whole HTTP answer."""

    body: str = ""
    status: int = 200

    def encode(self) -> bytes:
        body = self.body.encode()
        return f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@dataclass(frozen=True, slots=True)
class Slow:
    """An answer that comes in drops: one byte, then a pause, for ever."""

    pause_seconds: float = 0.05


Reply = Raw | Http | Slow
Script = Callable[[dict[str, Any]], Reply | Awaitable[Reply]]


@dataclass(slots=True)
class FarEnd:
    """What the far end received: whole messages, their head lines, and the paths they were posted to."""

    script: Script
    url: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def asked(self, infno: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["infno"] == infno]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        message = json.loads(await reader.readexactly(int(headers["content-length"])))
        self.paths.append(head[0].split()[1])
        self.headers.append(headers)
        self.messages.append(message)
        reply = self.script(message)
        if isinstance(reply, Awaitable):
            reply = await reply
        if isinstance(reply, Slow):
            writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\n")
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(reply.pause_seconds)
            return False
        writer.write(reply.encode() if isinstance(reply, Http) else reply.sent)
        await writer.drain()
        return isinstance(reply, Http)


@asynccontextmanager
async def far_end(script: Script) -> AsyncIterator[FarEnd]:
    """Listen on a free port until the test is over."""
    end = FarEnd(script)
    server = await asyncio.start_server(end.serve, "127.0.0.1", 0)
    end.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    try:
        yield end
    finally:
        server.close()
        await asyncio.sleep(0)
