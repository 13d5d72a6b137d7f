"""The HTTP protocol that lets the platform end a connection without an answer."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

EXTENSION = "insurer.transport"


class DroppingProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which also hands its transport to the application."""

    def on_headers_complete(self) -> None:
        """Add the transport to the scope, then go on as usual."""
        self.scope["extensions"] = {EXTENSION: {"transport": self.transport}}
        super().on_headers_complete()


async def drop(scope: Any, receive: Any) -> None:
    """Close the connection without a response and wait until it is gone."""
    scope["extensions"][EXTENSION]["transport"].close()
    await wait_for_client_to_leave(receive)


async def wait_for_client_to_leave(receive: Any) -> None:
    """Return when the client has closed its side."""
    while (await receive())["type"] != "http.disconnect":
        pass
