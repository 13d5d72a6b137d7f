"""Reading JSON exactly: an amount that came as a JSON number never passes through a binary float."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from json import JSONDecodeError
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from settlement.gateway.messages import decode

LARGEST_BODY_BYTES = 4 * 2**20
"""A batch of some hundred bills; a single one is three kilobytes."""


class ExactRequest(Request):
    """A request whose JSON numbers with a fraction arrive as `Decimal`."""

    async def json(self) -> Any:
        """Return the body decoded.

        Raises `JSONDecodeError` for what is not JSON or holds what is no text (a NUL, half a character), and an
        `HTTPException` for what is too large: these two are what FastAPI lets pass from here as they are.
        """
        body = await self.body()
        if len(body) > LARGEST_BODY_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            content = decode(body.decode("utf-8-sig"))
            if b"\\u" in body:
                _refuse_no_text(content)
        except ValueError:
            raise JSONDecodeError("not JSON in UTF-8", "", 0) from None
        return content


def _refuse_no_text(content: Any) -> None:
    """Raise `ValueError` where an escape stands for a character that no database and no encoding takes."""
    written = json.dumps(content, default=str, ensure_ascii=False)
    written.encode()
    if "\\u0000" in written:
        raise ValueError("a NUL is no text")


class ExactRoute(APIRoute):
    """A route that reads its body as `ExactRequest` does."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the usual handler, given an exact request."""
        handler = super().get_route_handler()

        async def exact(request: Request) -> Response:
            return await handler(ExactRequest(request.scope, request.receive))

        return exact
