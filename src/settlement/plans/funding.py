"""Which purse bears what of a benefit."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from settlement.domain.money import Money, Rounding
from settlement.plans.model import FundingShare


def funded(amount: Money, shares: Sequence[FundingShare]) -> tuple[tuple[str, Money], ...]:
    """Split an amount over purses: each named share of it, cut to the fen; the last purse bears the rest.

    Cut and not rounded, so that the shares together never exceed the amount.
    """
    left, parts = amount, []
    for share in shares[:-1]:
        part = amount.share(share.rate or Fraction(0), Rounding.DOWN)
        parts.append((share.purse, part))
        left -= part
    return (*parts, (shares[-1].purse, left)) if shares else ()
