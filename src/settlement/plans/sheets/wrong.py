"""What can be wrong in a cell, said in Chinese and English; where it stands is added by who reads the sheet."""

from __future__ import annotations

from collections.abc import Iterable


class Wrong(Exception):
    """A cell that cannot be read: the id of its finding, and how to mend it."""

    def __init__(self, id_: str, zh: str, en: str) -> None:
        self.id, self.zh, self.en = id_, zh, en


def wrong_value(zh: str, en: str) -> Wrong:
    """Say that a cell's content has the wrong form."""
    return Wrong("sheet_value_wrong", zh, en)


def wrong_word(given: object, allowed: Iterable[str]) -> Wrong:
    """Say that a cell has a word that its list does not have."""
    words = "、".join(allowed)
    return Wrong(
        "sheet_word_unknown",
        f"不认识「{given}」，请从下拉列表中选：{words}",
        f"{given} is not a word of the list; choose one of: {words}",
    )
