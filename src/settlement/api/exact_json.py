"""Reading a body exactly and within bounds: no binary floats, no more bytes than a batch of bills has.

Whoever shows no valid token is refused before a byte of the body is read.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from http import HTTPStatus
from json import JSONDecodeError
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from settlement.api.access import api_of, bearer
from settlement.api.problems import Refused
from settlement.gateway.messages import NotJson, decode

LARGEST_BODY_BYTES = 4 * 2**20
"""A batch of some hundred bills; a single one is three kilobytes."""


class BoundedRequest(Request):
    """A request whose body is read no further than `LARGEST_BODY_BYTES`."""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Yield the body. Raises an `HTTPException`, which FastAPI lets pass as it is, where it is too large."""
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > LARGEST_BODY_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        received = 0
        async for chunk in super().stream():
            received += len(chunk)
            if received > LARGEST_BODY_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            yield chunk


class ExactRequest(BoundedRequest):
    """A request whose JSON numbers with a fraction arrive as `Decimal`."""

    async def json(self) -> Any:
        """Return the body decoded.

        Raises `JSONDecodeError`, which FastAPI knows, for what is not JSON, what no insurer writes (`messages.decode`),
        and what is no text (a NUL, half a character).
        """
        body = await self.body()
        try:
            content = decode(body.decode("utf-8-sig"))
            if b"\\u" in body:
                _refuse_no_text(content)
        except NotJson as refused:
            raise JSONDecodeError(str(refused), "", 0) from None
        except ValueError:
            raise JSONDecodeError("the body is not text in UTF-8", "", 0) from None
        return content


def _refuse_no_text(content: Any) -> None:
    """Raise `ValueError` where an escape stands for a character that no database and no encoding takes."""
    written = json.dumps(content, default=str, ensure_ascii=False)
    written.encode()
    if "\\u0000" in written:
        raise ValueError("a NUL is no text")


class BoundedRoute(APIRoute):
    """A route that reads no more than it may."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the usual handler, given a bounded request."""
        handler = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            return await handler(BoundedRequest(request.scope, request.receive))

        return bounded


class ExactRoute(APIRoute):
    """A route that reads its body as `ExactRequest` does, and only for callers with a valid token."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the usual handler, given an exact request."""
        handler = super().get_route_handler()

        async def exact(request: Request) -> Response:
            await refuse_strangers(request)
            return await handler(ExactRequest(request.scope, request.receive))

        return exact


async def refuse_strangers(request: Request) -> None:
    """Look at the token before the body: FastAPI reads the body first and asks its dependencies afterwards."""
    shown = await bearer(request)
    if shown is None:
        raise Refused("token_missing")
    (await api_of(request)).tokens.read(shown.credentials)
