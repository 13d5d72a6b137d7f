"""The names a plan file may use: amounts of a bill, facts about it, and the words that a fact may take."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import fields

from settlement.domain.bills import BillFigures, Care, InsurerFunds
from settlement.domain.scope import PersonCategory

FUNDS = tuple(field.name for field in fields(InsurerFunds))

AMOUNTS = (*(field.name for field in fields(BillFigures) if field.name != "funds"), "insurer_paid")
"""Amounts of one bill that a base or a burden may be made of."""

FACTS: Mapping[str, frozenset[str | int] | None] = {
    "care": frozenset(care.value for care in Care),
    "hospital_level": frozenset({1, 2, 3}),
    "insurance_type": None,
    "person_category": frozenset(category.value for category in PersonCategory) - {PersonCategory.UNKNOWN.value},
}
"""Facts that a condition may ask for, with the values they can take; `None` is any code of the insurer's list."""


def nearest(word: str | int, known: Iterable[str | int]) -> str:
    """Return the known word that looks most like a mistaken one, or all of them where none does."""
    words = sorted(str(each) for each in known)
    close = difflib.get_close_matches(str(word), words, n=1)
    return close[0] if close else ", ".join(words)
