"""An event loop whose time stands still, and which asks whoever steers it what goes on whenever nothing can go on."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

WAIT_SECONDS = 0.05


class SteeredLoop(asyncio.SelectorEventLoop):
    """Real sockets, virtual time: a timer fires only when `pass_time` is called.

    `steer` is called when no task is ready. It makes one ready, or lets time pass, or waits for a socket.
    """

    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self) -> None:
        self.now = 0.0
        self.steer: Callable[[], None] | None = None
        super().__init__()

    def time(self) -> float:
        """Return the virtual time, in seconds since the loop was made."""
        return self.now

    def poll(self, seconds: float) -> bool:
        """Wait for sockets, in real seconds; say whether anything can go on."""
        self._process_events(self._selector.select(seconds))  # type: ignore[attr-defined]
        return bool(self._ready)

    def next_timer(self) -> float | None:
        """Return how many virtual seconds are left until the next timer."""
        waiting = [timer.when() for timer in self._scheduled if not timer.cancelled()]
        return max(0.0, min(waiting) - self.now) if waiting else None

    def run_in_executor(self, executor: object, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Do what belongs into a thread at once: when a thread is done is the machine's matter, not the seed's."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as failed:  # noqa: BLE001 - as a thread would hand it on.
            done.set_exception(failed)
        return done

    def pass_time(self, seconds: float) -> None:
        """Move the virtual time on; timers whose time has come fire next."""
        self.now += seconds

    def _run_once(self) -> None:
        if not self._ready:
            if self.steer is None:
                self._wait_in_real_time()
            else:
                self.steer()
        super()._run_once()  # type: ignore[misc]

    def _wait_in_real_time(self) -> None:
        """Let virtual time run with the real one: before and after a history nobody steers."""
        began = time.monotonic()
        left = self.next_timer()
        self.poll(WAIT_SECONDS if left is None else min(WAIT_SECONDS, left))
        self.now += time.monotonic() - began
