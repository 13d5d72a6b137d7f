"""The dashboard's application, which the roof puts beside the API: its pages, its errors as pages, its headers."""

from __future__ import annotations

from importlib import resources

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from settlement.dashboard.menu import menu_for
from settlement.dashboard.pages import bills, invariants, reconciliation, seals, sign_in, today, worklist
from settlement.dashboard.rendering import page
from settlement.domain.errors import SettlementError
from settlement.domain.sentences import SENTENCES, Language, sentence
from settlement.services.books.seal_keys import Verifier
from settlement.services.transactions import DATABASE_FAILURES, told_plainly

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Nothing but our own style and icon is loaded, nothing runs, nobody frames a page, and no page stays in a cache."""
_STATUS = {
    "form_stale": 403,
    "not_recorded": 503,
    "owner_unknown": 422,
    "remark_unusable": 422,
    "staff_role_missing": 403,
    "token_invalid": 401,
    "bill_not_found": 404,
    "break_not_found": 404,
    "worklist_item_not_found": 404,
}
_BY_STATUS = {404: "没有这一页。", 405: "此页不支持这种操作。", 413: "提交的内容过大。"}
_KEPT = {"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}

log = structlog.get_logger()


def create_dashboard(verifier: Verifier | None = None) -> FastAPI:
    """Return the application; the roof sets `state.resources` before the first request.

    `verifier` has the public keys of seals; without it no signature is looked at, and the page says so.
    """
    app = FastAPI(openapi_url=None)
    app.state.verifier = verifier
    for subject in (sign_in, today, bills, worklist, reconciliation, seals, invariants):
        app.include_router(subject.router)
    app.add_api_route("/static/{name}", kept_file)
    app.add_exception_handler(SettlementError, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _by_status)
    for failure in DATABASE_FAILURES:
        app.add_exception_handler(failure, _database_failed)
    app.add_exception_handler(Exception, _our_bug)
    app.add_middleware(Guarded)
    return app


async def kept_file(name: str) -> Response:
    """Return the style or the icon."""
    if name not in _KEPT:
        raise HTTPException(404)
    content = resources.files("settlement.dashboard").joinpath("static", name).read_bytes()
    return Response(content, media_type=_KEPT[name], headers={"Cache-Control": "max-age=3600"})


class Guarded:
    """Puts the headers on every answer that say what a browser may do with it, and what it may not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; an answer keeps a header of its own."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded)


def _error_page(request: Request, status: int, said: str) -> Response:
    visitor = getattr(request.state, "visitor", None)
    menu = menu_for(visitor) if visitor else ()
    return page(request, "error.html", status, visitor=visitor, menu=menu, here=None, said=said)


async def _refused(request: Request, refused: Exception) -> Response:
    assert isinstance(refused, SettlementError)
    known = refused.code in SENTENCES
    said = sentence(refused.code, Language.CHINESE, **refused.figures) if known else refused.code
    return _error_page(request, _STATUS.get(refused.code, 409), said)


async def _unreadable(request: Request, refused: Exception) -> Response:
    return _error_page(request, 422, "地址中有无法识别的内容，请从页面上的链接或表单进入。")


async def _by_status(request: Request, refused: Exception) -> Response:
    assert isinstance(refused, HTTPException)
    said = _BY_STATUS.get(refused.status_code, "请求无法识别，请返回重试。")
    answer = _error_page(request, refused.status_code, said)
    answer.headers.update(refused.headers or {})
    return answer


async def _database_failed(request: Request, failed: Exception) -> Response:
    if told_plainly(failed) is None:
        return await _our_bug(request, failed)
    answer = _error_page(request, 503, "数据库暂时没有应答，请稍后刷新。刚才提交的操作是否完成，请刷新后核对。")
    answer.headers["Retry-After"] = "2"
    return answer


async def _our_bug(request: Request, failed: Exception) -> Response:
    """Say that it is our fault. Starlette calls this outside of `Guarded`, so the headers are put on here."""
    log.error("dashboard.our_bug", fault=type(failed).__name__, exc_info=failed)
    answer = _error_page(request, 500, "系统内部错误，未作任何改动，请联系运维。")
    answer.headers.update(HEADERS)
    return answer
