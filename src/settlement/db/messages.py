"""What a bill was brought as: the raw message, sealed, with the day on which it is dropped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.parts import Part, insert_part
from settlement.db.secrets import KeyRing, Sealed
from settlement.db.tables import message_body
from settlement.domain.ids import BillId, FundId


def insert_message(
    keys: KeyRing,
    fund_id: FundId,
    bill_id: BillId,
    message_id: UUID,
    kind: str,
    content: Mapping[str, Any],
    received_at: datetime,
    expires_at: datetime,
) -> Part:
    """Part of a write: the message sealed and bound to its row; figures are kept as exact text.

    Half a character under a key that nobody reads is kept as it came: it must not keep a bill from being recorded.
    """
    written = _text(content).encode(errors="surrogatepass")
    sealed = keys.seal(written, _bound_to(fund_id, bill_id, message_id))
    values = {
        "fund_id": fund_id,
        "message_id": message_id,
        "bill_id": bill_id,
        "kind": kind,
        "key_id": sealed.key_id,
        "envelope": sealed.envelope,
        "received_at": received_at,
        "expires_at": expires_at,
    }
    return insert_part("message_body", values)


async def find_message(
    connection: AsyncConnection, keys: KeyRing, fund_id: FundId, bill_id: BillId, kind: str
) -> dict[str, Any] | None:
    """Return the newest message of a kind that a bill was brought with; `None` once it has been dropped."""
    newest = (
        select(message_body.c.message_id, message_body.c.key_id, message_body.c.envelope)
        .where(message_body.c.fund_id == fund_id, message_body.c.bill_id == bill_id, message_body.c.kind == kind)
        .order_by(message_body.c.message_id.desc())
        .limit(1)
    )
    row = (await connection.execute(newest)).one_or_none()
    return _opened(keys, fund_id, bill_id, row) if row is not None else None


async def list_messages(
    connection: AsyncConnection, keys: KeyRing, fund_id: FundId, bill_id: BillId, kind: str
) -> list[dict[str, Any]]:
    """Return every message of a kind that is kept of a bill, in the order in which they came."""
    kept = (
        select(message_body.c.message_id, message_body.c.key_id, message_body.c.envelope)
        .where(message_body.c.fund_id == fund_id, message_body.c.bill_id == bill_id, message_body.c.kind == kind)
        .order_by(message_body.c.message_id)
    )
    rows = (await connection.execute(kept)).all()
    return [_opened(keys, fund_id, bill_id, row) for row in rows]


def _opened(keys: KeyRing, fund_id: FundId, bill_id: BillId, row: Row[UUID, str, bytes]) -> dict[str, Any]:
    text = keys.open(Sealed(row.key_id, row.envelope), _bound_to(fund_id, bill_id, row.message_id))
    content: dict[str, Any] = json.loads(text)
    return content


async def delete_expired_messages(connection: AsyncConnection, at: datetime, most: int) -> int:
    """Drop up to `most` messages whose time is over; return how many. Only the login `settlement_ops` may."""
    over = select(message_body.c.fund_id, message_body.c.message_id).where(message_body.c.expires_at < at).limit(most)
    expired = tuple_(message_body.c.fund_id, message_body.c.message_id).in_(over)
    return (await connection.execute(delete(message_body).where(expired))).rowcount


def as_kept(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message's content as `find_message` would return it, to tell whether it says anything new."""
    kept: dict[str, Any] = json.loads(_text(content))
    return kept


def _bound_to(fund_id: FundId, bill_id: BillId, message_id: UUID) -> bytes:
    """Return what a message is sealed to: its row, and the bill, so that two bills' messages cannot be swapped."""
    return fund_id.bytes + bill_id.bytes + message_id.bytes


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, default=_exact_text)


def _exact_text(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} does not belong in a message")
