"""Stored answers by idempotency key, the worklist, and the tally of bills that are not ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.parts import Part, insert_part, json, json_as_written
from settlement.db.settling import CommandKey, StoredAnswer
from settlement.db.tables import idempotency
from settlement.domain.ids import BillId, FundId


def insert_answer(fund_id: FundId, command: CommandKey, answer: StoredAnswer, at: datetime) -> Part:
    """Part of a write: the answer to a command, in the commit of its effect."""
    values = {
        "fund_id": fund_id,
        "client_id": command.client_id,
        "key": command.key,
        "fingerprint": answer.fingerprint,
        "status": answer.status,
        "body": json_as_written(answer.body),
        "recorded_at": at,
    }
    return insert_part("idempotency", values)


async def find_answer(connection: AsyncConnection, fund_id: FundId, command: CommandKey) -> StoredAnswer | None:
    """Return what a command under this key was answered."""
    statement = select(idempotency.c.fingerprint, idempotency.c.status, idempotency.c.body).where(
        idempotency.c.fund_id == fund_id,
        idempotency.c.client_id == command.client_id,
        idempotency.c.key == command.key,
    )
    row = (await connection.execute(statement)).one_or_none()
    return StoredAnswer(row.fingerprint, row.status, row.body) if row else None


_NO_NAME = re.compile(r"\W")


def insert_worklist_item(
    fund_id: FundId, item_id: UUID, bill_id: BillId, kind: str, figures: Mapping[str, Any], at: datetime
) -> Part:
    """Part of a write: something a person has to look at, unless the same is open for this bill already."""
    values = {
        "fund_id": fund_id,
        "item_id": item_id,
        "bill_id": bill_id,
        "kind": kind,
        "figures": json(dict(figures)),
        "opened_at": at,
    }
    part = insert_part("worklist_item", values, row=_NO_NAME.sub("_", kind))
    return replace(part, sql=f"{part.sql} ON CONFLICT DO NOTHING")


def insert_uncovered(fund_id: FundId, tally_id: UUID, business_date: date, door: str, reason: str) -> Part:
    """Part of a write: one more bill that is not ours. Neither the bill nor the person is kept."""
    values = {
        "fund_id": fund_id,
        "tally_id": tally_id,
        "business_date": business_date,
        "door": door,
        "reason": reason,
    }
    return insert_part("uncovered", values)
