"""Register a system that may call, and show its secret once."""

from __future__ import annotations

import re
from dataclasses import dataclass

from settlement.db.access import Client
from settlement.db.access import add_client as insert_client
from settlement.db.engine import fund_transaction
from settlement.domain.errors import SettlementError
from settlement.domain.ids import ClientId, FundId
from settlement.services.access.tokens import Scope, hash_secret, new_secret
from settlement.services.resources import Resources

SCOPES_OF_A_ROLE: dict[str, tuple[Scope, ...]] = {
    "hospital": (Scope.SETTLE, Scope.READ, Scope.ELIGIBILITY, Scope.EVENTS, Scope.RECONCILIATION_BRING),
    "platform": (Scope.PUSH, Scope.READ, Scope.ELIGIBILITY, Scope.EVENTS, Scope.RECONCILIATION_BRING),
    "staff": (Scope.READ, Scope.ELIGIBILITY, Scope.EVENTS, Scope.OPS, Scope.PLANS_READ, Scope.RECONCILIATION_READ),
}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,40}")


class ClientUnusable(SettlementError):
    """What was given of a client cannot be used; `why` says what to mend."""

    code = "client_unusable"


@dataclass(frozen=True, slots=True)
class NewClient:
    """A registered client with its secret, which is kept nowhere."""

    client: Client
    secret: str


async def add_client(
    resources: Resources, fund_id: FundId, *, name: str, role: str, hospital_codes: tuple[str, ...]
) -> NewClient:
    """Register a client of a fund in a role; a hospital's is bound to its codes. Raises `ClientUnusable`."""
    if role not in SCOPES_OF_A_ROLE:
        raise ClientUnusable(why=f"the role must be one of {', '.join(SCOPES_OF_A_ROLE)}")
    if not _NAME.fullmatch(name):
        raise ClientUnusable(why="the name must be 2 to 41 small letters, digits or hyphens")
    if (role == "hospital") != bool(hospital_codes):
        raise ClientUnusable(why="a hospital's client names its hospital codes, and no other client does")
    secret = new_secret()
    scopes = tuple(scope.value for scope in SCOPES_OF_A_ROLE[role])
    client = Client(ClientId(f"{fund_id}.{name}"), name, hash_secret(secret), scopes, hospital_codes, None)
    async with fund_transaction(resources.engine, fund_id) as connection:
        await insert_client(connection, fund_id, client, resources.clock())
    return NewClient(client, secret)
