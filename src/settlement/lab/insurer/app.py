"""The simulator's doors: messages by POST on any path, the operator's endpoints under /admin."""

from __future__ import annotations

import asyncio
from typing import Any

from settlement.lab.insurer.admin import admin_app
from settlement.lab.insurer.auth import check_auth
from settlement.lab.insurer.desk import (
    Request,
    answer_request,
    answer_with_error,
    log_unanswered,
    park,
    person_no,
    read_request,
    reversed_msgid,
    take_late,
)
from settlement.lab.insurer.dropping import drop, wait_for_client_to_leave
from settlement.lab.insurer.faults import Fault
from settlement.lab.insurer.platform import Answered, Platform
from settlement.lab.insurer.wire import encode

_JSON = b"application/json;charset=UTF-8"
_OCTETS = b"application/octet-stream"
_HTML = b"text/html"
_BAD_GATEWAY = "<html><body><h1>502 Bad Gateway</h1></body></html>"
_FOREIGN = encode({"code": 500159, "success": False, "message": "系统繁忙"})


class InsurerApp:
    """The ASGI application of one platform."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._admin = admin_app(platform)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            raise RuntimeError("the simulator speaks HTTP only")
        if scope["path"].startswith("/admin"):
            await self._admin(scope, receive, send)
        elif scope["method"] != "POST":
            await _send(send, b"", status=405)
        else:
            await self._exchange(scope, receive, send)

    async def _exchange(self, scope: Any, receive: Any, send: Any) -> None:
        options = self._platform.options
        body = await _read_body(receive)
        denied = check_auth(options.auth, options.secret, scope["headers"])
        if denied is not None:
            await _send(send, denied.encode(), status=500)
            return
        request = read_request(scope["path"], body)
        fault = self._platform.faults.take(request.infno, lambda: person_no(self._platform, request))
        if fault is None:
            await _send_answer(send, self._answer(request))
        else:
            await self._fail(fault, request, scope, receive, send)

    def _answer(self, request: Request) -> Answered:
        answered = answer_request(self._platform, request)
        if msgid := reversed_msgid(request, answered):
            self._let_happen(msgid)
        return answered

    def _let_happen(self, msgid: str) -> None:
        """Give a late message its effect, after the seconds it still needs."""
        late = take_late(self._platform, msgid)
        if late is None:
            return
        request, seconds = late
        if not seconds:
            answer_request(self._platform, request, delivered=False)
            return
        task = asyncio.get_running_loop().create_task(self._happen_later(request, seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _happen_later(self, request: Request, seconds: float) -> None:
        await asyncio.sleep(seconds)
        answer_request(self._platform, request, delivered=False)

    async def _fail(self, fault: Fault, request: Request, scope: Any, receive: Any, send: Any) -> None:
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            await _send_answer(send, self._answer(request))
        elif fault.kind == "error_after":
            await _send_answer(send, answer_with_error(self._platform, request))
        elif fault.kind in ("no_answer_before", "no_answer_after", "late"):
            await self._stay_silent(fault, request, scope, receive)
        else:
            await self._answer_without_envelope(fault, request, send)

    async def _stay_silent(self, fault: Fault, request: Request, scope: Any, receive: Any) -> None:
        if fault.kind == "no_answer_after":
            answer_request(self._platform, request, delivered=False)
        elif fault.kind == "late":
            park(self._platform, request, fault.seconds)
        else:
            log_unanswered(self._platform, request)
        if fault.hold:
            await wait_for_client_to_leave(receive)
            return
        if fault.kind != "late":
            await asyncio.sleep(fault.seconds)
        await drop(scope, receive)

    async def _answer_without_envelope(self, fault: Fault, request: Request, send: Any) -> None:
        if fault.effect:
            answer_request(self._platform, request, delivered=False)
        else:
            log_unanswered(self._platform, request)
        await asyncio.sleep(fault.seconds)
        if fault.kind == "http_error":
            await _send(send, _BAD_GATEWAY.encode(), _HTML, status=502)
        else:
            await _send(send, b"" if fault.kind == "empty_body" else _FOREIGN.encode())


async def _read_body(receive: Any) -> bytes:
    event = await receive()
    body: bytes = event.get("body", b"")
    while event.get("more_body"):
        event = await receive()
        body += event.get("body", b"")
    return body


async def _send_answer(send: Any, answered: Answered) -> None:
    if answered.blob is not None:
        await _send(send, answered.blob, _OCTETS)
    else:
        await _send(send, answered.text.encode())


async def _send(send: Any, body: bytes, content_type: bytes = _JSON, status: int = 200) -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
