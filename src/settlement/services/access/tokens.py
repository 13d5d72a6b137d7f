"""Access tokens: short-lived, signed, naming the client's fund, its scopes and the hospitals it is bound to."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

import jwt

from settlement.db.access import Client, find_client
from settlement.db.engine import fund_transaction
from settlement.domain.errors import SettlementError
from settlement.domain.ids import ClientId, FundId, StaffId
from settlement.domain.time import Clock
from settlement.services.resources import Resources

_ALGORITHM = "HS256"
_AUDIENCE = "settlement"
_SECRET_BYTES = 32


class Scope(StrEnum):
    """What a client may do."""

    SETTLE = "bills:settle"
    READ = "bills:read"
    PUSH = "bills:push"
    ELIGIBILITY = "eligibility:read"
    EVENTS = "events:read"
    OPS = "ops:read"
    PLANS_READ = "plans:read"
    PLANS_DRAFT = "plans:draft"
    PLANS_APPROVE = "plans:approve"
    RECONCILIATION_READ = "reconciliation:read"
    RECONCILIATION_BRING = "reconciliation:bring"
    RECONCILIATION_WORK = "reconciliation:work"
    AID_PROPOSE = "aid:propose"
    AID_APPROVE = "aid:approve"


class ClientRefused(SettlementError):
    """Client id or secret is wrong, or the client was revoked; which one is not told."""

    code = "client_refused"


class TokenInvalid(SettlementError):
    """The token is not ours, was changed, or has run out."""

    code = "token_invalid"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who gets a token: a client, or a person of the staff (`client_id` then names the account)."""

    client_id: ClientId
    scopes: tuple[str, ...]
    hospital_codes: tuple[str, ...]
    staff_id: StaffId | None = None


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a valid token speaks for."""

    client_id: ClientId
    fund_id: FundId
    scopes: frozenset[str]
    hospital_codes: frozenset[str]
    staff_id: StaffId | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """Signs and reads tokens. `lifetime` is short, because a revoked client keeps its last token until it runs out."""

    key: str
    lifetime: timedelta
    clock: Clock

    def issue(self, fund_id: FundId, holder: Holder) -> str:
        """Return a token for a client or a person of the staff."""
        now = self.clock()
        claims = {
            "aud": _AUDIENCE,
            "sub": holder.client_id,
            "fund": str(fund_id),
            "scope": " ".join(holder.scopes),
            "hospitals": list(holder.hospital_codes),
            **({"staff": str(holder.staff_id)} if holder.staff_id else {}),
            "iat": now,
            "exp": now + self.lifetime,
        }
        return jwt.encode(claims, self.key, _ALGORITHM)

    def read(self, token: str) -> Bearer:
        """Return who a token speaks for. Raises `TokenInvalid`."""
        try:
            claims = jwt.decode(
                token,
                self.key,
                [_ALGORITHM],
                audience=_AUDIENCE,
                options={"require": ["sub", "fund", "exp"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            raise TokenInvalid from None
        if claims["exp"] <= self.clock().timestamp():
            raise TokenInvalid
        return Bearer(
            ClientId(claims["sub"]),
            FundId(UUID(claims["fund"])),
            frozenset(claims["scope"].split()),
            frozenset(claims["hospitals"]),
            StaffId(UUID(claims["staff"])) if "staff" in claims else None,
        )


async def grant_token(resources: Resources, tokens: Tokens, client_id: str, secret: str) -> tuple[str, Client]:
    """Return a token for a client that shows its secret (OAuth 2.0 client credentials, RFC 6749 section 4.4).

    A client's id begins with its fund's, so that the client is looked for within one fund only.
    Raises `ClientRefused`.
    """
    fund_id = fund_of(client_id)
    async with fund_transaction(resources.engine, fund_id) as connection:
        client = await find_client(connection, fund_id, ClientId(client_id))
    known_hash = client.secret_hash if client else hash_secret("")
    fits = hmac.compare_digest(known_hash, hash_secret(secret))
    if client is None or not fits or client.revoked_at is not None:
        raise ClientRefused
    return tokens.issue(fund_id, Holder(client.client_id, client.scopes, client.hospital_codes)), client


def fund_of(client_id: str) -> FundId:
    """Return the fund that a client id names. Raises `ClientRefused` for what is no client id."""
    try:
        return FundId(UUID(client_id.split(".", 1)[0]))
    except ValueError:
        raise ClientRefused from None


def new_secret() -> str:
    """Return a fresh secret of 256 random bits; it is shown once."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def hash_secret(secret: str) -> str:
    """Return what is kept of a secret. It has 256 random bits, so a fast hash is enough: nobody guesses it."""
    return hashlib.sha256(secret.encode()).hexdigest()
