"""How a question to the insurer can end (docs/gateway.md 6): four types, so that nobody mistakes one for another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answered:
    """The insurer answered. A bare list is handed over under the name `result`, no output as an empty mapping."""

    output: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """The insurer said no, and asking again will not change that. `message` is its own text: show it, never log it."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """The question never reached the insurer: no credentials, no connection, no sign-in, or the line rests.

    `retry_after_seconds` is when it is worth asking again, where that is known.
    """

    reason: str
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The question may have reached the insurer, but what came back decides nothing. It may be asked again."""

    reason: str


Outcome = Answered | Refused | NotSent | NoAnswer
