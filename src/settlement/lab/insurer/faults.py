"""Faults that an operator sets: how the platform fails to answer, for a transaction or for one person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

FaultKind = Literal[
    "no_answer_before",
    "no_answer_after",
    "slow",
    "error_after",
    "late",
    "http_error",
    "empty_body",
    "no_envelope",
]


class UnknownFault(ValueError):
    """A fault that the simulator cannot make."""


@dataclass(slots=True)
class Fault:
    """One fault. It strikes the next `count` messages that match; 0 means every one until it is removed.

    `infno` "*" matches every transaction; `psn_no` narrows it to one person. `seconds` is the delay: before the
    connection ends for a missing answer, before the effect for a slow one, and for a late effect after the
    platform said "not found". `hold` keeps the connection open for as long as the client waits, instead of
    closing it. `effect` says whether an answer that is no envelope comes after the effect.
    """

    kind: FaultKind
    infno: str = "*"
    psn_no: str = ""
    count: int = 1
    seconds: float = 0.0
    hold: bool = False
    effect: bool = False


class Faults:
    """The faults that are set, oldest first; the oldest that matches a message strikes it."""

    def __init__(self) -> None:
        self._set: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Set one more fault."""
        self._set.append(fault)

    def clear(self) -> None:
        """Remove all faults."""
        self._set.clear()

    def take(self, infno: str, psn_no: Callable[[], str]) -> Fault | None:
        """Return the fault that strikes this message, using it up by one, or None.

        The person is asked for only when a fault wants to know.
        """
        for fault in self._set:
            if fault.infno in ("*", infno) and fault.psn_no in ("", psn_no() if fault.psn_no else ""):
                self._use_up(fault)
                return fault
        return None

    def as_list(self) -> list[dict[str, Any]]:
        """Return the faults that are still set."""
        return [asdict(fault) for fault in self._set]

    def _use_up(self, fault: Fault) -> None:
        if fault.count == 1:
            self._set.remove(fault)
        elif fault.count > 1:
            fault.count -= 1


def read_fault(values: dict[str, Any]) -> Fault:
    """Read a fault as the admin endpoint brings it. Raises `UnknownFault`."""
    unknown = sorted(set(values) - {"kind", "infno", "psn_no", "count", "seconds", "hold", "effect"})
    if unknown:
        raise UnknownFault(f"unknown fields: {', '.join(unknown)}")
    if values.get("kind") not in get_args(FaultKind):
        raise UnknownFault(f"kind must be one of {', '.join(get_args(FaultKind))}")
    fault = Fault(**values)
    if not isinstance(fault.seconds, (int, float)) or fault.seconds < 0 or type(fault.count) is not int:
        raise UnknownFault("seconds and count must be numbers, not negative")
    return fault
