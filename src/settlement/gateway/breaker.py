"""The breaker of one line: after some failures in a row nobody waits for it any more, until one question got through.

Ours and no library's: decision record 27 says which were looked at, and why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from settlement.domain.time import Clock


class LineRests(Exception):
    """The line is not asked now; it may be tried again after so many seconds."""

    def __init__(self, retry_after_seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


@dataclass(slots=True)
class Breaker:
    """Lets questions through while the line answers, one at a time after it rested, and never too many at once.

    `failures_to_open` failures in a row open it for `rest_seconds`; then the next question is a trial: if it fails the
    line rests again. A clock that is set back ends a rest early rather than prolonging it.
    """

    failures_to_open: int
    rest_seconds: float
    most_at_once: int
    clock: Clock
    _failed_in_a_row: int = field(default=0, init=False)
    _rests_until: datetime | None = field(default=None, init=False)
    _under_way: int = field(default=0, init=False)

    @property
    def is_open(self) -> bool:
        """Whether the line rests, or would be asked one question only."""
        return self._rests_until is not None

    @contextmanager
    def question(self) -> Iterator[None]:
        """Hold a place on the line. Raises `LineRests` where there is none, at once and without a byte sent."""
        if self._rests_until is not None:
            left = (self._rests_until - self.clock()).total_seconds()
            if 0 < left <= self.rest_seconds:
                raise LineRests(left, "the insurer did not answer lately")
            if self._under_way:
                raise LineRests(1, "the insurer did not answer lately, and one question is on trial")
        if self._under_way >= self.most_at_once:
            raise LineRests(1, "too many questions are under way to the insurer")
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    def answered(self) -> None:
        """Note that the far end is there and in time."""
        self._failed_in_a_row, self._rests_until = 0, None

    def failed(self) -> None:
        """Note that it was not there, too slow, or broken."""
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= self.failures_to_open:
            self.rest()

    def rest(self) -> None:
        """Open it at once, whatever came before: who cannot sign in can ask nothing."""
        self._rests_until = self.clock() + timedelta(seconds=self.rest_seconds)
