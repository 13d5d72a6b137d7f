"""How one value stands in one cell, and how it is read back: amounts, rates, dates, words of a list, conditions.

What a cell holds is text, a whole number, a `Decimal` (a rate, shown as a percentage) or a date; spreadsheets give
numbers back as binary fractions, so they are read by their fifteen digits, which is what the sheet shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from pydantic_core import PydanticCustomError

from settlement.plans.sheets.conditions import (
    EMPTY,
    UNKNOWN,
    read_fact,
    read_value,
    read_when,
    split,
    write_fact,
    write_value,
    write_when,
)
from settlement.plans.sheets.words import AID_PREFIX, AMOUNT, GROUP_OF, Words
from settlement.plans.sheets.wrong import wrong_value, wrong_word
from settlement.plans.values import NOTHING, read_points, read_rate, read_yuan

Shown = str | int | Decimal | date
Given = str | int | float | bool | date | time | timedelta
Tree = Any

NO_AID = "不补助"
CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_DATE = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")


@dataclass(frozen=True, slots=True)
class Cell:
    """A kind of cell. `write` takes a value as the plan file has it, `read` gives it back or raises `Wrong`."""

    write: Callable[[Tree], Shown]
    read: Callable[[Given], Tree]
    words: Words | None = None
    centred: bool = False
    refers_to: str = ""
    """What codes it offers: `versions`, `benefits`, `modules` or `purses` of the workbook."""


def plain(given: Given) -> str:
    """Return what a cell holds as text, a number by its digits."""
    if isinstance(given, bool):
        return "是" if given else "否"
    if isinstance(given, datetime):
        return given.date().isoformat()
    if isinstance(given, float):
        digits = format(Decimal(format(given, ".15g")), "f")
        return digits.rstrip("0").rstrip(".") if "." in digits else digits
    return given.isoformat() if isinstance(given, date) else str(given)


def _custom(read: Callable[[object], object], text: str) -> None:
    try:
        read(text)
    except PydanticCustomError as error:
        context = error.context or {}
        raise wrong_value(str(context["zh"]), str(context["en"])) from None


def _read_text(given: Given) -> str:
    return given if isinstance(given, str) else plain(given)


def _read_short(given: Given) -> str:
    return plain(given).strip()


def _read_yuan(given: Given) -> int | str:
    text = plain(given).strip().replace(",", "").replace("，", "").removesuffix("元").strip()
    text = text.removeprefix("¥").removeprefix("￥")
    try:
        read_yuan(text)
    except PydanticCustomError:
        raise wrong_value(
            f"「{plain(given)}」不是金额：请写元，至多两位小数，如 1000 或 1000.50",
            f"{plain(given)} is not an amount: write yuan with at most two decimals, as 1000 or 1000.50",
        ) from None
    whole, _, fen = text.partition(".")
    if fen.strip("0"):
        return f"{whole}.{fen:0<2}"
    return int(whole)


def _write_yuan(value: Tree) -> Shown:
    return value if isinstance(value, int) else _whole_or_text(str(value))


def _whole_or_text(text: str) -> Shown:
    whole, _, fen = text.partition(".")
    return text if fen.strip("0") else int(whole)


def _read_paid(given: Given) -> str:
    whole, _, fen = str(_read_yuan(given)).partition(".")
    return f"{whole}.{fen or '00'}"


def _write_rate(value: Tree) -> Shown:
    if value == NOTHING:
        return NO_AID
    rate = Decimal(str(value).removesuffix("%")) / 100
    return rate if 0 < rate <= 1 else str(value)


def _read_rate(given: Given) -> str:
    if isinstance(given, int | float) and not isinstance(given, bool):
        if not 0 < given <= 1:
            raise wrong_value(
                f"{plain(given)} 不是比例：请写百分数，如 20%；不补助的写「{NO_AID}」",
                f"{plain(given)} is not a rate: write a percentage, as 20%, or {NO_AID}",
            )
        text = f"{plain(float(Decimal(plain(given)) * 100))}%"
    else:
        text = plain(given).strip().replace("％", "%").replace(" ", "")
    if text == NO_AID:
        return NOTHING
    try:
        read_rate(text)
    except PydanticCustomError:
        raise wrong_value(
            f"「{text}」不是比例：请写百分数，如 20%；不补助的写「{NO_AID}」",
            f"{text} is not a rate: write a percentage, as 20%, or {NO_AID}",
        ) from None
    return text


def _read_points(given: Given) -> str:
    text = plain(given).strip().replace("＋", "+").replace("－", "-").removesuffix("个百分点").strip()
    text = text if text.startswith(("+", "-")) else f"+{text}"
    _custom(read_points, text)
    return text


def _read_count(given: Given) -> int:
    text = plain(given).strip()
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise wrong_value(f"「{text}」不是整数", f"{text} is not a whole number")
    return int(text)


def _read_date(given: Given) -> date:
    if isinstance(given, datetime):
        return given.date()
    if isinstance(given, date):
        return given
    text = plain(given).strip()
    try:
        if found := _DATE.fullmatch(text):
            return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        pass
    raise wrong_value(f"「{text}」不是日期，请写如 2026-01-01", f"{text} is not a date: write as 2026-01-01")


def _read_month_day(given: Given) -> str:
    if isinstance(given, date):
        return f"{given:%m-%d}"
    text = plain(given).strip()
    if found := re.fullmatch(r"([0-9]{1,2})[-/.月]([0-9]{1,2})日?", text):
        return f"{int(found[1]):02d}-{int(found[2]):02d}"
    raise wrong_value(f"「{text}」不是月日，请写如 09-01", f"{text} is not a day of the year: write as 09-01")


def word_cell(words: Words) -> Cell:
    """Return a cell that holds one word of a list; a file word without Chinese stands as it is."""

    def write(value: Tree) -> Shown:
        return words.zh(value) or str(value)

    def read(given: Given) -> Tree:
        text = plain(given).strip()
        word = words.word(text)
        if word is None:
            word = next((known for known in words.chinese if str(known) == text), None)
        if word is None:
            raise wrong_word(text, words.chinese.values())
        return word

    return Cell(write, read, words, centred=True)


def reference_cell(kind: str) -> Cell:
    """Return a cell that names something of the workbook by its code; a name may stand behind the code."""
    return Cell(str, _read_short, refers_to=kind)


def _write_codes(value: Tree) -> Shown:
    if isinstance(value, str):
        return GROUP_OF.zh(value) or value
    return "、".join(value)


def _read_codes(given: Given) -> list[str]:
    codes = [piece.split()[0] for piece in split(plain(given), "、,，;；\n")]
    for code in codes:
        if not CODE.fullmatch(code):
            raise wrong_value(
                f"「{code}」不是代码：请写小写字母、数字和下划线，几个之间用顿号分开",
                f"{code} is not a code: small letters, digits, underscores; several are parted by 、",
            )
    return codes


def _read_group(given: Given) -> list[str] | str:
    word = GROUP_OF.word(plain(given).strip())
    return str(word) if word is not None else _read_codes(given)


def _write_amounts(value: Tree) -> Shown:
    return "、".join(_amount_zh(name) for name in value)


def _amount_zh(name: str) -> str:
    if name.startswith("aid.") and CODE.fullmatch(name.removeprefix("aid.")):
        return f"{AID_PREFIX}{name.removeprefix('aid.')}"
    return AMOUNT.zh(name) or (name if CODE.fullmatch(name) else json.dumps(name, ensure_ascii=False))


def _read_amounts(given: Given) -> list[str]:
    return [_read_amount(piece) for piece in split(plain(given), "、,，;；\n+＋")]


def _read_amount(piece: str) -> str:
    if piece.startswith('"'):
        return str(read_value("", piece))
    if found := re.fullmatch(r"补助\s*[:：]?\s*([a-z][a-z0-9_]*)", piece):
        return f"aid.{found[1]}"
    word = AMOUNT.word(piece)
    if word is not None:
        return str(word)
    if CODE.fullmatch(piece.removeprefix("aid.")):
        return piece
    raise wrong_word(piece, [*AMOUNT.chinese.values(), f"{AID_PREFIX}待遇代码"])


def _read_shares(given: Given) -> dict[str, int]:
    shares: dict[str, int] = {}
    for piece in split(plain(given), "、,，;；\n"):
        found = re.fullmatch(r'("(?:[^"\\]|\\.)*"|[^\s"=＝:：]+)\s*[=＝:：]\s*(-?[0-9]+)\s*份?', piece)
        if not found:
            raise wrong_value(f"「{piece}」看不懂，请写如 critical = 2", f"{piece} is not clear: write as critical = 2")
        shares[str(read_value("", found[1]))] = int(found[2])
    return shares


def _write_shares(value: Tree) -> Shown:
    return "；".join(f"{_quoted(code)} = {count}" for code, count in value.items()) or EMPTY


def _quoted(code: str) -> str:
    return code if CODE.fullmatch(code) else json.dumps(code, ensure_ascii=False)


_SPAN = re.compile(r"(\S+?)\s*(?:至|到)\s*([0-9年月日/.-]+)\s*(?:[（(](.*)[)）])?", re.DOTALL)


def _read_covers(given: Given) -> list[Tree]:
    spans = []
    for piece in split(plain(given), ";；\n"):
        found = _SPAN.fullmatch(piece)
        if not found:
            raise wrong_value(
                f"「{piece}」看不懂，请写如 2026-01-01 至 2026-12-31",
                f"{piece} is not clear: write as 2026-01-01 至 2026-12-31",
            )
        span: dict[str, Tree] = {"first_day": _read_date(found[1]), "last_day": _read_date(found[2])}
        if found[3]:
            span["person_category"] = read_value("person_category", found[3])
        spans.append(span)
    return spans


def _write_covers(value: Tree) -> Shown:
    return "；".join(_write_span(span) for span in value) or EMPTY


def _write_span(span: Tree) -> str:
    category = span.get("person_category")
    said = "" if category is None else f"（{write_value('person_category', category)}）"
    return f"{span['first_day'].isoformat()} 至 {span['last_day'].isoformat()}{said}"


def nullable(cell: Cell, *, empty: Callable[[], Tree] | None = None) -> Cell:
    """Return a cell of a worked case's fact, where `未知` says that the fact is not known."""

    def write(value: Tree) -> Shown:
        return UNKNOWN if value is None else cell.write(value)

    def read(given: Given) -> Tree:
        text = plain(given).strip()
        if text == UNKNOWN:
            return None
        return empty() if empty is not None and text == EMPTY else cell.read(given)

    return Cell(write, read, cell.words, cell.centred)


def fact_cell(fact: str) -> Cell:
    """Return the cell of one value of a fact, in its Chinese word, as a number or as a code."""

    def read(given: Given) -> Tree:
        return read_value(fact, plain(given))

    return Cell(lambda value: write_value(fact, value), read)


TEXT = Cell(str, _read_text)
SHORT = Cell(str, _read_short, centred=True)
YUAN = Cell(_write_yuan, _read_yuan)
PAID = Cell(_write_yuan, _read_paid)
RATE = Cell(_write_rate, _read_rate, centred=True)
POINTS = Cell(str, _read_points, centred=True)
COUNT = Cell(int, _read_count, centred=True)
DATE = Cell(lambda value: value, _read_date, centred=True)
MONTH_DAY = Cell(str, _read_month_day, centred=True)
CODES = Cell(_write_codes, _read_codes)
GROUP = Cell(_write_codes, _read_group)
AMOUNTS_OF_BILL = Cell(_write_amounts, _read_amounts)
WHEN = Cell(write_when, lambda given: read_when(plain(given)))
FACT_NAME = Cell(lambda value: write_fact(str(value)), lambda given: read_fact(plain(given)))
SHARES = nullable(Cell(_write_shares, _read_shares), empty=dict)
COVERS = nullable(Cell(_write_covers, _read_covers), empty=list)
