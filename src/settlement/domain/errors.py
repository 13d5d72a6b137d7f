"""The kinds of failure, never mixed: what cannot be done, what could not be asked, and our own fault."""

from __future__ import annotations


class SettlementError(Exception):
    """A request that cannot be done. `code` is stable; `problems.py` turns it into the caller's answer.

    `figures` are shown to the caller beside the sentence: they hold ids and amounts, never a person's data.
    """

    code = "settlement_error"

    def __init__(self, message: str = "", **figures: object) -> None:
        super().__init__(message or self.code)
        self.figures = figures


class GatewayUnavailable(SettlementError):
    """The insurer did not answer our question; nothing was changed and the question may be asked again."""

    code = "gateway_unavailable"


class InvariantViolation(Exception):
    """Our own fault: something that must always hold does not. The transaction is rolled back, someone is paged."""


def ensure(holds: bool, message: str) -> None:
    """Raise `InvariantViolation` unless the condition holds; unlike `assert` it is never compiled away."""
    if not holds:
        raise InvariantViolation(message)
