"""Who looks at a page: the session behind the cookie, the roles that a page is for, and the mark of a form."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request, Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from settlement.domain.errors import SettlementError
from settlement.domain.ids import ClientId
from settlement.services.access.add_staff import APPROVER, AUDITOR, CLERK, OPERATOR
from settlement.services.access.use_session import LONGEST_SESSION, SignedInStaff, use_session
from settlement.services.bills.commands import Caller
from settlement.services.plans.acting import Actor
from settlement.services.resources import Resources

SESSION_COOKIE = "settlement_ops"
FORM_COOKIE = "settlement_ops_form"
LARGEST_FORM_BYTES = 16 * 1024

EVERYONE = frozenset({CLERK, APPROVER, AUDITOR, OPERATOR})
READERS = frozenset({CLERK, APPROVER, AUDITOR})
"""Who may see bills; an operator keeps the machine and sees none."""


class FormStale(SettlementError):
    """The form does not carry the mark of this session: it is of an older one, or came from elsewhere."""

    code = "form_stale"


class PageNotForRole(SettlementError):
    """The account has none of the roles that the page is for."""

    code = "staff_role_missing"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in person of the staff with the token of the session."""

    staff: SignedInStaff
    token: str

    @property
    def mark(self) -> str:
        """What this session's forms carry, so that no other site can send one."""
        return mark_of(self.token)

    @property
    def caller(self) -> Caller:
        """This person as who calls a use case; the name is the one that a token of the account has."""
        return Caller(ClientId(f"{self.staff.fund_id}.staff:{self.staff.login}"), self.staff.fund_id, frozenset())

    @property
    def actor(self) -> Actor:
        """This person as who gives commands."""
        return Actor(self.staff.fund_id, self.staff.staff_id)

    def has(self, roles: frozenset[str]) -> bool:
        """Say whether the account has one of the roles."""
        return bool(roles & set(self.staff.roles))


def mark_of(secret: str) -> str:
    """Return the mark that belongs to a secret of the browser; the secret cannot be found from it."""
    return hmac.new(secret.encode(), b"form", hashlib.sha256).hexdigest()


def resources_of(request: Request) -> Resources:
    """Return what the roof handed to the dashboard."""
    resources: Resources = request.app.state.resources
    return resources


async def _resources(request: Request) -> Resources:
    return resources_of(request)


ResourcesDep = Annotated[Resources, Depends(_resources)]


@cache
def visitor_in(roles: frozenset[str]) -> Callable[[Request], Awaitable[Visitor]]:
    """Return the dependency that lets in signed-in staff with one of the roles; others are sent to sign in.

    For the same roles it is the same, so that FastAPI asks it once in a request.
    """

    async def visitor(request: Request) -> Visitor:
        token = request.cookies.get(SESSION_COOKIE, "")
        staff = await use_session(resources_of(request), token) if token else None
        if staff is None:
            where = f"{request.scope['root_path']}/sign-in{'?ended=1' if token else ''}"
            raise HTTPException(HTTPStatus.SEE_OTHER, headers={"Location": where})
        if b"%00" in request.scope["query_string"] or "\x00" in request.scope["path"]:
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY)
        found = Visitor(staff, token)
        request.state.visitor = found
        if not found.has(roles):
            raise PageNotForRole(roles=" / ".join(sorted(roles)))
        return found

    return visitor


@cache
def form_by(roles: frozenset[str]) -> Callable[..., Awaitable[Mapping[str, str]]]:
    """Return the dependency that reads a form of a signed-in person with one of the roles.

    The session is looked at first, then the mark, and only then what the form says. Raises `FormStale`.
    """

    async def form(request: Request, visitor: Visitor = Depends(visitor_in(roles))) -> Mapping[str, str]:
        fields = await read_form(request)
        if not hmac.compare_digest(fields.get("mark", "").encode(), visitor.mark.encode()):
            raise FormStale
        return fields

    return form


async def read_form(request: Request) -> Mapping[str, str]:
    """Return the fields of a form as text, each once; a form states its length, which is bounded."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > LARGEST_FORM_BYTES:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    async with request.form(max_files=0, max_fields=20) as form:
        return {name: value for name, value in form.items() if not isinstance(value, UploadFile)}


def keep_session(request: Request, response: Response, token: str) -> None:
    """Hand the browser the session's token."""
    _keep(request, response, SESSION_COOKIE, token)


def keep_form_secret(request: Request, response: Response, secret: str) -> None:
    """Hand the browser the secret whose mark the form for signing in carries: there is no session yet."""
    _keep(request, response, FORM_COOKIE, secret)


def forget_session(request: Request, response: Response) -> None:
    """Take the session's token from the browser."""
    response.delete_cookie(SESSION_COOKIE, path=request.scope["root_path"] or "/")


def _keep(request: Request, response: Response, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=int(LONGEST_SESSION.total_seconds()),
        path=request.scope["root_path"] or "/",
        httponly=True,
        samesite="strict",
        secure=not is_plain_on_loopback(request),
    )


def is_plain_on_loopback(request: Request) -> bool:
    """Say whether the page is read without TLS on the machine itself: the one case where a cookie may go in clear."""
    if request.url.scheme != "http":
        return False
    host = request.url.hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
