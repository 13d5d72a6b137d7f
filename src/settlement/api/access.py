"""Who calls: the bearer token, the scope a route needs, and the fingerprint of an idempotent command."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from settlement.api.problems import Refused, language_of
from settlement.db.settling import CommandKey
from settlement.domain.ids import StaffId
from settlement.services.access.check_account import check_account
from settlement.services.access.tokens import Scope, Tokens
from settlement.services.bills.commands import Caller, Once
from settlement.services.clock.watched_clock import WatchedClock
from settlement.services.funds.lines import Lines
from settlement.services.plans.acting import Actor
from settlement.services.resources import Resources

IdempotencyKey = Annotated[
    str,
    Header(
        min_length=8,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Names this command. Repeating it under the same key gives the same answer and does nothing again.",
        examples=["H37160000001-20260310-000042"],
    ),
]

OptionalIdempotencyKey = Annotated[
    str | None, Header(alias="idempotency-key", min_length=8, max_length=200, pattern=r"^[\x21-\x7e]+$")
]

bearer = HTTPBearer(auto_error=False, description="A token from `POST /oauth/token`.")


@dataclass(frozen=True, slots=True)
class Api:
    """What the roof hands to this door."""

    resources: Resources
    lines: Lines
    tokens: Tokens
    schema_revision: str
    watched_clock: WatchedClock


async def api_of(request: Request) -> Api:
    """Return what the roof handed to the application.

    A coroutine, as `caller` below is: FastAPI sends what is none to a thread, which costs more than the work itself.
    """
    api: Api = request.app.state.api
    return api


ApiDep = Annotated[Api, Depends(api_of)]


def caller_with(*scopes: Scope) -> Callable[..., Awaitable[Caller]]:
    """Return the dependency that lets in callers with all scopes, as the client, fund and hospitals of their token."""

    async def caller(
        request: Request,
        api: ApiDep,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
    ) -> Caller:
        if credentials is None:
            raise Refused("token_missing")
        holder = api.tokens.read(credentials.credentials)
        for scope in scopes:
            if scope.value not in holder.scopes:
                raise Refused("scope_missing", scope=scope.value)
        if b"%00" in request.scope["query_string"] or "\x00" in request.scope["path"]:
            raise Refused("request_invalid")
        return Caller(holder.client_id, holder.fund_id, holder.hospital_codes, language_of(request))

    return caller


SettlingCaller = Annotated[Caller, Depends(caller_with(Scope.SETTLE))]
ReadingCaller = Annotated[Caller, Depends(caller_with(Scope.READ))]
PushingCaller = Annotated[Caller, Depends(caller_with(Scope.PUSH))]
AskingCaller = Annotated[Caller, Depends(caller_with(Scope.ELIGIBILITY))]
EventsCaller = Annotated[Caller, Depends(caller_with(Scope.EVENTS))]
OpsCaller = Annotated[Caller, Depends(caller_with(Scope.OPS))]
ReconcilingCaller = Annotated[Caller, Depends(caller_with(Scope.RECONCILIATION_READ))]
PlansCaller = Annotated[Caller, Depends(caller_with(Scope.PLANS_READ))]
TouchedCaller = Annotated[Caller, Depends(caller_with(Scope.PLANS_READ, Scope.READ))]
"""What a version touches are settlements with their aid: a plan's reader alone does not see them."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A person of the staff who calls: as a caller, and as who acts."""

    caller: Caller
    actor: Actor


def acting_with(
    scope: Scope,
) -> Callable[[Request, Api, HTTPAuthorizationCredentials | None], Awaitable[tuple[Caller, StaffId | None]]]:
    """Return what lets in those with a scope who are to change something, with the staff account if it is one's.

    A staff account is looked at with each such call: the token of one that was disabled since changes nothing.
    """
    caller_with_scope = caller_with(scope)

    async def acting(
        request: Request, api: Api, credentials: HTTPAuthorizationCredentials | None
    ) -> tuple[Caller, StaffId | None]:
        caller = await caller_with_scope(request, api, credentials)
        staff_id = api.tokens.read(credentials.credentials).staff_id if credentials else None
        if staff_id is not None:
            await check_account(api.resources, caller.fund_id, staff_id)
        return caller, staff_id

    return acting


def staff_with(scope: Scope) -> Callable[..., Awaitable[Signed]]:
    """Return the dependency that lets in people of the staff with a scope; no client has the scopes it is for."""
    acting = acting_with(scope)

    async def signed(
        request: Request,
        api: ApiDep,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
    ) -> Signed:
        caller, staff_id = await acting(request, api, credentials)
        if staff_id is None:
            raise Refused("scope_missing", scope=scope.value)
        return Signed(caller, Actor(caller.fund_id, staff_id))

    return signed


_may_bring = acting_with(Scope.RECONCILIATION_BRING)


async def _bringing(
    request: Request,
    api: ApiDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
) -> Caller:
    caller, _ = await _may_bring(request, api, credentials)
    return caller


BringingCaller = Annotated[Caller, Depends(_bringing)]
DraftingStaff = Annotated[Signed, Depends(staff_with(Scope.PLANS_DRAFT))]
ApprovingStaff = Annotated[Signed, Depends(staff_with(Scope.PLANS_APPROVE))]
WorkingStaff = Annotated[Signed, Depends(staff_with(Scope.RECONCILIATION_WORK))]
ProposingStaff = Annotated[Signed, Depends(staff_with(Scope.AID_PROPOSE))]
ApplyingStaff = Annotated[Signed, Depends(staff_with(Scope.AID_APPROVE))]


def once(api: Api, caller: Caller, key: str, operation: str, body: object) -> Once:
    """Return the command's key with a fingerprint of what it does: the operation and its whole body.

    Keys count in no order and fractions by their value, so that a sender may write its JSON anew for a repetition.
    """
    text = json.dumps([operation, body], sort_keys=True, default=_plain, ensure_ascii=False)
    fingerprint = api.resources.keys.blind_index("command", text).hex()
    return Once(CommandKey(caller.client_id, key), fingerprint)


_EXACT = Context(prec=60)
"""More digits than a number may have on arrival, so that no two of them become one."""


def _plain(value: Any) -> str | int:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value.normalize(_EXACT))
    return str(value)
