"""The worker's asking of what is pending: a job of its own, because it waits for the insurer."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable

from settlement.services.pending.ask_questions import AT_ONCE, Asker, ask_all_due

PAUSE_SECONDS = 0.5
ROUNDS_BETWEEN_SEARCHES = 3600


def asking(asker: Asker) -> Callable[[], Awaitable[float]]:
    """Return the job: ask what is due, at once again while there is more, and now and then search all bills."""
    rounds = itertools.count()

    async def ask() -> float:
        asked = await ask_all_due(asker, all_times=next(rounds) % ROUNDS_BETWEEN_SEARCHES == 0)
        return 0 if asked >= AT_ONCE else PAUSE_SECONDS

    return ask
