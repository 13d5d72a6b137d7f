"""Reading JSON exactly: an amount that came as a JSON number never passes through a binary float."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from settlement.api.problems import Refused
from settlement.gateway.messages import NotJson, decode

LARGEST_BODY_BYTES = 4 * 2**20
"""A batch of some hundred bills; a single one is three kilobytes."""


class ExactRequest(Request):
    """A request whose JSON numbers with a fraction arrive as `Decimal`."""

    async def json(self) -> Any:
        """Return the body decoded. Raises `RequestValidationError` for what is not JSON."""
        body = await self.body()
        if len(body) > LARGEST_BODY_BYTES:
            raise Refused("too_large")
        try:
            return decode(body)
        except NotJson as refused:
            raise RequestValidationError([{"loc": ("body",), "msg": str(refused), "type": "not_json"}]) from None


class ExactRoute(APIRoute):
    """A route that reads its body as `ExactRequest` does."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the usual handler, given an exact request."""
        handler = super().get_route_handler()

        async def exact(request: Request) -> Response:
            return await handler(ExactRequest(request.scope, request.receive))

        return exact
