"""Tokens (RFC 6749): client credentials (4.4) for systems, and the password grant (4.3) for people of the staff."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from settlement.api.access import ApiDep
from settlement.api.exact_json import BoundedRoute
from settlement.api.problems import problems
from settlement.api.schemas.answers import TokenResponse
from settlement.services.access.sign_in import grant_staff_token
from settlement.services.access.tokens import ClientRefused, grant_token

router = APIRouter(route_class=BoundedRoute, tags=["access"])
basic = HTTPBasic(auto_error=False, description="Client id and secret, instead of the form fields.")


@router.post(
    "/oauth/token",
    responses=problems(
        "client_refused",
        "sign_in_refused",
        "sign_in_blocked",
        "sign_in_busy",
        "request_invalid",
        "too_large",
        "not_recorded",
    ),
    summary="Get a token",
)
async def create_token(
    api: ApiDep,
    response: Response,
    grant_type: Annotated[Literal["client_credentials", "password"], Form(examples=["client_credentials"])],
    shown: Annotated[HTTPBasicCredentials | None, Depends(basic)],
    client_id: Annotated[str | None, Form(examples=["0198c2f0-5b1e-7c3d-9a54-2f6b8e1d0c77.his"])] = None,
    client_secret: Annotated[str | None, Form(examples=["shown once when the client was added"])] = None,
    username: Annotated[str | None, Form(examples=["0198c2f0-5b1e-7c3d-9a54-2f6b8e1d0c77.zhang"])] = None,
    password: Annotated[str | None, Form(examples=["the password of the account"])] = None,
) -> TokenResponse:
    """Exchange a client's id and secret, or a staff account's name and password, for a token of a few minutes.

    A staff account's `username` is the fund's id, a dot, and the account's name.
    """
    if grant_type == "password":
        signed_in = await grant_staff_token(api.resources, api.tokens, username or "", password or "")
        access_token, scopes = signed_in.token, signed_in.scopes
    else:
        name, secret = (shown.username, shown.password) if shown else (client_id, client_secret)
        if not name or not secret or "\x00" in name:
            raise ClientRefused
        access_token, client = await grant_token(api.resources, api.tokens, name, secret)
        scopes = client.scopes
    response.headers["Cache-Control"] = "no-store"
    seconds = int(api.tokens.lifetime.total_seconds())
    return TokenResponse(access_token=access_token, expires_in=seconds, scope=" ".join(scopes))
