"""Conditions as a clerk writes them in one cell: `医院等级 = 三级、二级；年龄 16 至 60；连续参保天数 ≤ 119`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from settlement.plans.sheets.words import ANY_FACT, FACT_VALUES, YES_NO
from settlement.plans.sheets.wrong import Wrong, wrong_value, wrong_word
from settlement.plans.vocabulary import FACTS, FactKind

Value = str | int | bool
_PLAIN = re.compile(r"[^\s\"#；;、,，=＝≥≤<>]+(?: [^\s\"；;、,，=＝≥≤<>]+)*")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
_JSON_MARK = "#"
"""Before a number, or a yes or no, where the fact would have words or codes."""
_EXAMPLE = "医院等级 = 三级、二级；年龄 16 至 60；连续参保天数 ≤ 119"
ANYTHING = "不限"
UNKNOWN = "未知"
EMPTY = "无"
"""An empty list, where a blank cell would say that nothing is given."""


def write_fact(name: str) -> str:
    """Write a fact's name in Chinese; a name without Chinese stays as it is, in quotes."""
    return ANY_FACT.zh(name) or json.dumps(name, ensure_ascii=False)


def read_fact(text: str) -> str:
    """Read a fact's name, in Chinese, as the file has it, or in quotes. Raises `Wrong` for any other."""
    text = text.strip()
    if text.startswith('"'):
        return str(_json(text))
    word = ANY_FACT.word(text)
    if word is None and text not in ANY_FACT.chinese:
        raise wrong_word(text, [zh for name, zh in ANY_FACT.chinese.items() if name in FACTS])
    return text if word is None else str(word)


def write_value(fact: str, value: Value) -> str:
    """Write one value of a fact; what would be read as another value is written in quotes, as JSON."""
    words = FACT_VALUES.get(fact) or (YES_NO if isinstance(value, bool) else None)
    shown = (words.zh(value) if words else None) or (json.dumps(value) if isinstance(value, bool) else str(value))
    if shown not in (UNKNOWN, EMPTY) and _PLAIN.fullmatch(shown) and _reads_as(fact, shown, value):
        return shown
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else f"{_JSON_MARK}{json.dumps(value)}"


def _reads_as(fact: str, shown: str, value: Value) -> bool:
    try:
        again = read_value(fact, shown)
    except Wrong:
        return False
    return again == value and type(again) is type(value)


def read_value(fact: str, text: str) -> Value:
    """Read one value of a fact. Raises `Wrong` for a word that the fact does not have."""
    text = text.strip()
    if text.startswith('"'):
        return str(_json(text))
    if text.startswith(_JSON_MARK):
        return _json(text[1:])  # type: ignore[no-any-return]
    words = FACT_VALUES.get(fact)
    if words is not None and (word := words.word(text)) is not None:
        return word
    kind = FACTS[fact].kind if fact in FACTS else None
    if kind is FactKind.FLAG:
        if (flag := YES_NO.word(text)) is None:
            raise wrong_word(text, YES_NO.chinese.values())
        return flag
    if kind is FactKind.NUMBER:
        if not _WHOLE.fullmatch(text):
            raise wrong_value(f"「{text}」不是整数", f"{text} is not a whole number")
        return int(text)
    if kind is FactKind.WORD and words is not None and text not in words.chinese:
        raise wrong_word(text, words.chinese.values())
    return text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise wrong_value(f"引号不成对：{text}", f"the quotes do not match: {text}") from None


def write_values(fact: str, values: list[Value]) -> str:
    """Write several values of a fact, `三级、二级`."""
    return "、".join(write_value(fact, value) for value in values)


def read_values(fact: str, text: str) -> list[Value]:
    """Read several values of a fact; commas of either script part them too."""
    values = [read_value(fact, token) for token in split(text, "、,，")]
    if not values:
        raise wrong_value("没有写取值", "no value is given")
    return values


def split(text: str, marks: str) -> Iterator[str]:
    """Split a text at some marks, but not within double quotes; empty pieces are left out."""
    piece = ""
    for token in re.findall(r'"(?:[^"\\]|\\.)*"|.', text, flags=re.DOTALL):
        if token in marks:
            if piece.strip():
                yield piece.strip()
            piece = ""
        else:
            piece += token
    if piece.strip():
        yield piece.strip()


def write_when(when: Mapping[str, Any]) -> str:
    """Write facts with what each must be, parted by `；`."""
    return "；".join(_write_test(fact, wanted) for fact, wanted in when.items())


def _write_test(fact: str, wanted: Any) -> str:
    name = write_fact(fact)
    if isinstance(wanted, list):
        return f"{name} = {write_values(fact, wanted)}"
    low, high = wanted.get("at_least"), wanted.get("at_most")
    if low is not None and high is not None:
        return f"{name} {low} 至 {high}"
    if low is not None:
        return f"{name} ≥ {low}"
    return f"{name} {ANYTHING}" if high is None else f"{name} ≤ {high}"


_NAME = r'("(?:[^"\\]|\\.)*"|[^\s"=＝≥≤<>]+?)\s*'
_NUMBER = r"\s*(-?[0-9]+)"
_TESTS: tuple[tuple[re.Pattern[str], tuple[str, ...] | None], ...] = (
    (re.compile(_NAME + r"(?:=|＝|为)\s*(.+)", re.DOTALL), None),
    (re.compile(_NAME + _NUMBER + r"\s*(?:至|到|-|~|—)" + _NUMBER), ("at_least", "at_most")),
    (re.compile(_NAME + r"(?:≥|>=|至少|不少于)" + _NUMBER), ("at_least",)),
    (re.compile(_NAME + r"(?:≤|<=|至多|最多|不超过)" + _NUMBER), ("at_most",)),
    (re.compile(_NAME + ANYTHING), ()),
)


def read_when(text: str) -> dict[str, Any]:
    """Read facts with what each must be. Raises `Wrong` for a fact or a form that is not known."""
    when: dict[str, Any] = {}
    for piece in split(text, "；;\n"):
        fact, wanted = _read_test(piece)
        if fact in when:
            raise wrong_value(f"事实「{write_fact(fact)}」写了两次", f"the fact {fact} is given twice")
        when[fact] = wanted
    return when


def _read_test(piece: str) -> tuple[str, Any]:
    for pattern, bounds in _TESTS:
        found = pattern.fullmatch(piece)
        if not found:
            continue
        fact = read_fact(found[1])
        if bounds is None:
            return fact, read_values(fact, found[2])
        return fact, {bound: int(number) for bound, number in zip(bounds, found.groups()[1:], strict=True)}
    raise wrong_value(f"看不懂条件「{piece}」，写法如：{_EXAMPLE}", f"{piece} is not a condition; write as: {_EXAMPLE}")
