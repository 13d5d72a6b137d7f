"""Money as a whole number of fen, and the one place where a fraction of a fen is rounded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

FEN_PER_YUAN = 100
LARGEST_FEN = 10**15
"""Ten trillion yuan: beyond any bill, and a sum of thousands of them still fits a 64-bit column."""


_AMOUNT = re.compile(r"[+-]?\d{1,16}(\.\d{1,10})?([eE][+-]?\d{1,2})?", re.ASCII)
"""Plain digits, and the exponent that some JSON writers use; few enough of them to be exact in a `Decimal`."""


class Rounding(StrEnum):
    """How a fraction of a fen becomes whole; a plan declares one (no published plan states its own)."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    DOWN = "down"
    UP = "up"


class NotMoney(ValueError):
    """A text or number that is not a whole number of fen."""


class Money(int):
    """A whole number of fen; it may be negative where a profile says that a sign occurs."""

    __slots__ = ()

    @classmethod
    def from_yuan(cls, amount: str | int | Decimal) -> Money:
        """Read an amount in yuan exactly.

        Raises `NotMoney` for anything that is not a finite number with at most two decimals: a figure with
        half a fen in it is a question for the sender, never something to round on arrival.
        """
        text = str(amount).strip()
        if not _AMOUNT.fullmatch(text):
            raise NotMoney(f"{amount!r} is not an amount in yuan")
        fen = Decimal(text) * FEN_PER_YUAN
        if abs(fen) > LARGEST_FEN:
            raise NotMoney(f"{amount!r} is too large for an amount")
        if fen != fen.to_integral_value():
            raise NotMoney(f"{amount!r} has a fraction of a fen")
        return cls(int(fen))

    def yuan(self) -> str:
        """Write the amount in yuan with two decimals, as `"3982.02"`."""
        sign = "-" if self < 0 else ""
        yuan, fen = divmod(abs(int(self)), FEN_PER_YUAN)
        return f"{sign}{yuan}.{fen:02d}"

    def share(self, rate: Fraction | Decimal, rounding: Rounding) -> Money:
        """Return this amount times an exact rate, rounded once to a whole fen."""
        return Money(rounded(Fraction(int(self)) * Fraction(rate), rounding))

    def __add__(self, other: int) -> Money:
        return Money(int(self) + int(other))

    __radd__ = __add__

    def __sub__(self, other: int) -> Money:
        return Money(int(self) - int(other))

    def __rsub__(self, other: int) -> Money:
        return Money(int(other) - int(self))

    def __neg__(self) -> Money:
        return Money(-int(self))

    def __repr__(self) -> str:
        return f"Money({int(self)})"

    def __str__(self) -> str:
        return self.yuan()


ZERO = Money(0)


def total(amounts: Iterable[Money]) -> Money:
    """Add amounts in fen; nothing adds up to zero."""
    return Money(sum(int(amount) for amount in amounts))


def rounded(exact: Fraction, rounding: Rounding) -> int:
    """Round an exact number of fen to a whole one.

    `DOWN` is towards zero and `UP` away from it, so that a reversal rounds like its settlement.
    """
    whole, rest = divmod(abs(exact.numerator), exact.denominator)
    up = {
        Rounding.HALF_UP: 2 * rest >= exact.denominator,
        Rounding.HALF_EVEN: 2 * rest > exact.denominator or (2 * rest == exact.denominator and whole % 2 == 1),
        Rounding.DOWN: False,
        Rounding.UP: rest > 0,
    }[rounding]
    size = whole + (1 if up else 0)
    return -size if exact < 0 else size
