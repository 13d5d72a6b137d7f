"""The queue in memory where one member's commands wait, so that they do not fill the pool of connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from settlement.domain.errors import SettlementError

AT_ONCE = 2
"""Two, so that the next one has locked and read by the time the first has committed; a third would only wait."""
LONGEST_WAIT_SECONDS = 10


class MemberBusy(SettlementError):
    """So many commands of this member are under way that this one was not begun; it may be repeated."""

    code = "busy"


class MemberQueue:
    """Lets at most two commands of one member hold a connection in this process; the rest wait in memory."""

    def __init__(self, longest_wait_seconds: float = LONGEST_WAIT_SECONDS) -> None:
        self._longest_wait_seconds = longest_wait_seconds
        self._places: dict[Hashable, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def place(self, member: Hashable) -> AsyncIterator[None]:
        """Wait for one of the member's two places. Raises `MemberBusy` after ten seconds."""
        semaphore, users = self._places.get(member, (asyncio.Semaphore(AT_ONCE), 0))
        self._places[member] = (semaphore, users + 1)
        try:
            try:
                await asyncio.wait_for(semaphore.acquire(), self._longest_wait_seconds)
            except TimeoutError:
                raise MemberBusy from None
            try:
                yield
            finally:
                semaphore.release()
        finally:
            self._leave(member)

    def _leave(self, member: Hashable) -> None:
        semaphore, users = self._places[member]
        if users == 1:
            del self._places[member]
        else:
            self._places[member] = (semaphore, users - 1)
