"""What one simulated insurer is started with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from settlement.lab.insurer.clock import ClockKind

AuthKind = Literal["none", "apikey", "x-tif"]


@dataclass(frozen=True, slots=True)
class InsurerOptions:
    """Where the simulator listens, what it remembers in which folder, and which city it plays.

    `port` 0 lets the system choose; `clock` "message" makes the platform's now the message's `inf_time`.
    `secret` is the apikey, or the key that signs the x-tif headers.
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 1
    persons: int = 6000
    clock: ClockKind = "system"
    area: str = "371600"
    auth: AuthKind = "none"
    secret: str = field(default="test-secret", repr=False)
