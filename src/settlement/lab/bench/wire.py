"""The wire between one API process and PostgreSQL: a forwarding proxy that counts round trips."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_SOCKET = ".s.PGSQL.5432"
_CHUNK = 2**16


@dataclass(slots=True)
class Wire:
    """Counts trips. A trip is one flush from the client that waits for the server, in however many packets."""

    trips: int = 0


@asynccontextmanager
async def counted_wire(server_directory: str, own_directory: Path) -> AsyncIterator[Wire]:
    """Listen in a directory as the server does in its own, forward everything, and count."""
    wire = Wire()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _forward(wire, f"{server_directory}/{_SOCKET}", reader, writer)

    listener = await asyncio.start_unix_server(connected, own_directory / _SOCKET)
    try:
        yield wire
    finally:
        listener.close()


async def _forward(wire: Wire, server: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    answers, questions = await asyncio.open_unix_connection(server)
    answered = True

    async def to_server() -> None:
        nonlocal answered
        while packet := await reader.read(_CHUNK):
            wire.trips += answered
            answered = False
            questions.write(packet)
        questions.close()

    async def to_client() -> None:
        nonlocal answered
        while packet := await answers.read(_CHUNK):
            answered = True
            writer.write(packet)
        writer.close()

    with suppress(ConnectionError):
        await asyncio.gather(to_server(), to_client())
