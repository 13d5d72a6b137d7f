"""What the roof builds once and every use case works with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.db.secrets import KeyRing
from settlement.domain.ids import IdSource
from settlement.domain.time import Clock
from settlement.services.funds.rules import RulesShelf
from settlement.services.members.queue import MemberQueue


@dataclass(frozen=True, slots=True)
class Resources:
    """Connections, keys, clock, ids, the funds' rules, and the queue in which one member's commands wait."""

    engine: AsyncEngine
    keys: KeyRing
    clock: Clock
    ids: IdSource
    rules: RulesShelf
    queue: MemberQueue
    keep_messages: timedelta
    hold_counter_for: timedelta
    """How long a promise stands between pre-settlement and settlement."""
