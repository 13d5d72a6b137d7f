"""Overload: a bounded number of requests in flight by class, so that quotes are shed before settlements wait.

What is not taken on is refused before its body is read and its token is looked at: that costs a twentieth of a quote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from prometheus_client import Counter, Gauge
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from settlement.api.problems import refusal


class Kind(StrEnum):
    """What may wait, and what may not: a quote can be asked for again, a settlement follows the insurer's yes."""

    QUOTE = "quote"
    COMMAND = "command"


IN_FLIGHT = Gauge("settlement_in_flight", "Requests being answered now, by class.", ["kind"])
SHED = Counter("settlement_shed_total", "Requests refused as `overloaded`, by class.", ["kind"])

_QUOTES = ("/v1/quotes", "/v1/eligibility")


@dataclass(slots=True)
class Shedding:
    """Passes on what there is room for, and answers 503 `overloaded` to the rest.

    `most` is how many of each class may be in flight in this process; what is no class of ours always passes.
    """

    app: ASGIApp
    most: Mapping[Kind, int]
    _in_flight: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0), init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        kind = kind_of(scope)
        if kind is None:
            await self.app(scope, receive, send)
            return
        if self._in_flight[kind] >= self.most[kind]:
            SHED.labels(kind.value).inc()
            await refusal(Request(scope), "overloaded", {})(scope, receive, send)
            return
        self._in_flight[kind] += 1
        IN_FLIGHT.labels(kind.value).inc()
        try:
            await self.app(scope, receive, send)
        finally:
            self._in_flight[kind] -= 1
            IN_FLIGHT.labels(kind.value).dec()


def kind_of(scope: Scope) -> Kind | None:
    """Return the class of a request; `None` for what is neither bounded nor shed."""
    if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
        return None
    if scope["path"] in _QUOTES:
        return Kind.QUOTE
    return Kind.COMMAND if scope["method"] == "POST" else None
