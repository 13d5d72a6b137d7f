"""What the worker does about books days: close those whose hour has come, seal those that are closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.db.books import list_unsealed_days
from settlement.services.books.close_books_day import close_due_books_days
from settlement.services.books.seal_books_days import seal_closed_days
from settlement.services.books.seal_keys import Signer
from settlement.services.resources import Resources


@dataclass(frozen=True, slots=True)
class BooksKeeping:
    """How books days are kept: when they are closed, in China, and the key that seals them, if there is one."""

    resources: Resources
    close_at: time
    signer: Signer | None


@dataclass(frozen=True, slots=True)
class Kept:
    """How many books days one round closed and sealed, and how many closed ones still have no seal."""

    closed: int
    sealed: int
    unsealed: int


async def keep_books(keeping: BooksKeeping, ops: AsyncEngine) -> Kept:
    """Close what is due and seal what is closed; without a key closed days stay unsealed, as `doctor` says."""
    closed = await close_due_books_days(keeping.resources, ops, keeping.close_at)
    sealed = await seal_closed_days(keeping.resources, ops, keeping.signer) if keeping.signer else []
    async with ops.connect() as connection:
        unsealed = len(await list_unsealed_days(connection))
    return Kept(len(closed), len(sealed), unsealed)
