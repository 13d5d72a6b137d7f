"""What is counted and timed, for Prometheus. Labels are route templates and stable codes, never a member or a bill."""

from __future__ import annotations

import time
import uuid

import structlog
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from settlement.domain.answers import Answer
from settlement.domain.settlements import Door

REQUEST_SECONDS = Histogram(
    "settlement_request_seconds",
    "Time from the request's arrival to the end of its answer.",
    ["method", "route", "status"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
ANSWERS = Counter(
    "settlement_answers_total",
    "Answers about bills, by where the aid went; replays count again.",
    ["door", "status"],
)
NOT_COVERED = Counter("settlement_not_covered_total", "Answers that a bill is not ours, by reason.", ["door", "reason"])

log = structlog.get_logger()


def count_answer(door: Door, answer: Answer) -> None:
    """Count one answer about a bill."""
    aid = answer["mutual_aid"]
    ANSWERS.labels(door.value, aid["status"]).inc()
    if answer.get("id") is None:
        NOT_COVERED.labels(door.value, aid["reason"]["code"]).inc()


class Observed:
    """Times every request and writes one log line: the route's template, never the path or its query."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and observe its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=uuid.uuid4().hex):
            try:
                await self._app(scope, receive, observed)
            finally:
                route = _template(scope)
                seconds = time.perf_counter() - began
                REQUEST_SECONDS.labels(scope["method"], route, str(status)).observe(seconds)
                log.info("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))


def _template(scope: Scope) -> str:
    """Return the template of the route that answers, with the place of the application that it belongs to."""
    path = getattr(scope.get("route"), "path", None)
    return "unmatched" if path is None else f"{scope.get('root_path', '')}{path}"
