"""The clients that may call: hashed secrets, scopes and the hospital codes they are bound to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.registry import insert_once
from settlement.db.tables import client
from settlement.domain.ids import ClientId, FundId


@dataclass(frozen=True, slots=True)
class Client:
    """A system that may call. `hospital_codes` empty means that it is bound to no hospital (the platform, staff)."""

    client_id: ClientId
    name: str
    secret_hash: str
    scopes: tuple[str, ...]
    hospital_codes: tuple[str, ...]
    revoked_at: datetime | None


async def add_client(connection: AsyncConnection, fund_id: FundId, new: Client, at: datetime) -> None:
    """Insert a client; only the hash of its secret is kept. Raises `AlreadyRegistered`, for a revoked name too."""
    await insert_once(
        connection,
        insert(client).values(
            fund_id=fund_id,
            client_id=new.client_id,
            name=new.name,
            secret_hash=new.secret_hash,
            scopes=list(new.scopes),
            hospital_codes=list(new.hospital_codes),
            created_at=at,
        ),
        f"client {new.name} (a revoked name is not used again)",
    )


async def find_client(connection: AsyncConnection, fund_id: FundId, client_id: ClientId) -> Client | None:
    """Return a client by its id, revoked ones too."""
    statement = _clients().where(client.c.fund_id == fund_id, client.c.client_id == client_id)
    row = (await connection.execute(statement)).one_or_none()
    return _client(row) if row else None


async def list_clients(connection: AsyncConnection, fund_id: FundId) -> list[Client]:
    """Return a fund's clients in the order in which they were added."""
    rows = await connection.execute(_clients().where(client.c.fund_id == fund_id).order_by(client.c.created_at))
    return [_client(row) for row in rows]


async def revoke_client(connection: AsyncConnection, fund_id: FundId, client_id: ClientId, at: datetime) -> bool:
    """Take a client's right to get tokens; tokens already given run out by themselves. Return whether it had it."""
    mine = (client.c.fund_id == fund_id) & (client.c.client_id == client_id) & client.c.revoked_at.is_(None)
    return (await connection.execute(update(client).where(mine).values(revoked_at=at))).rowcount == 1


def _clients() -> Select[Any]:
    columns = ("client_id", "name", "secret_hash", "scopes", "hospital_codes", "revoked_at")
    return select(*[client.c[name] for name in columns])


def _client(row: Row[Any]) -> Client:
    return Client(
        row.client_id, row.name, row.secret_hash, tuple(row.scopes), tuple(row.hospital_codes), row.revoked_at
    )
