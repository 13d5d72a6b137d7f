"""Signing in with fund, name and password, and signing out."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from settlement.dashboard.access import (
    EVERYONE,
    FORM_COOKIE,
    ResourcesDep,
    Visitor,
    forget_session,
    form_by,
    is_plain_on_loopback,
    keep_form_secret,
    keep_session,
    mark_of,
    read_form,
    visitor_in,
)
from settlement.dashboard.rendering import page
from settlement.domain.sentences import Language, sentence
from settlement.services.access.close_session import close_session
from settlement.services.access.open_session import open_session
from settlement.services.access.sign_in import SignInBlocked, SignInRefused
from settlement.services.access.tokens import new_secret

router = APIRouter()


@router.get("/sign-in")
async def show_form(request: Request, ended: bool = False, fund: str = "") -> Response:
    """Show the form; a link may name the fund."""
    said = "登录已过期或已退出，请重新登录。" if ended else None
    return _form(request, 200, said, fund)


@router.post("/sign-in")
async def sign_in(request: Request, resources: ResourcesDep) -> Response:
    """Open a session and go to the first page. A refusal shows the form again and does not say what was wrong."""
    fields = await read_form(request)
    secret = request.cookies.get(FORM_COOKIE, "")
    fund, login = fields.get("fund", "").strip(), fields.get("login", "").strip()
    if not secret or not hmac.compare_digest(fields.get("mark", "").encode(), mark_of(secret).encode()):
        return _form(request, 403, sentence("form_stale", Language.CHINESE), fund, login)
    try:
        token = await open_session(resources, fund, login, fields.get("password", ""))
    except SignInRefused:
        return _form(request, 401, "基金、用户名或密码不正确，或账号已停用。", fund, login)
    except SignInBlocked as blocked:
        answer = _form(request, 429, sentence(blocked.code, Language.CHINESE, **blocked.figures), fund, login)
        answer.headers["Retry-After"] = str(blocked.figures["retry_after_seconds"])
        return answer
    response = RedirectResponse(f"{request.scope['root_path']}/", 303)
    keep_session(request, response, token)
    return response


@router.post("/sign-out")
async def sign_out(
    request: Request,
    resources: ResourcesDep,
    visitor: Annotated[Visitor, Depends(visitor_in(EVERYONE))],
    _: Annotated[Mapping[str, str], Depends(form_by(EVERYONE))],
) -> Response:
    """End the session."""
    await close_session(resources, visitor.token)
    response = RedirectResponse(f"{request.scope['root_path']}/sign-in?ended=1", 303)
    forget_session(request, response)
    return response


def _form(request: Request, status: int, said: str | None, fund: str, login: str = "") -> Response:
    """Return the form with a mark whose secret only this browser has."""
    secret = request.cookies.get(FORM_COOKIE) or new_secret()
    insecure = request.url.scheme == "http" and not is_plain_on_loopback(request)
    values = {"said": said, "fund": fund, "login": login, "mark": mark_of(secret), "insecure": insecure}
    response = page(request, "sign_in.html", status, **values)
    keep_form_secret(request, response, secret)
    return response
