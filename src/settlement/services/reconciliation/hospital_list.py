"""A hospital's list of one business date: CSV or XLSX with few columns (docs/reconciliation.md), row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from settlement.domain.money import Money, NotMoney
from settlement.gateway.bureau_list import RefusedLine
from settlement.gateway.mapping import is_area
from settlement.services.reconciliation.errors import ListRefused
from settlement.services.text_files import encoding_of

COLUMNS = {
    "settlement_id": ("结算编号", "结算ID"),
    "area": ("就医地区划",),
    "hospital_code": ("医院编码", "定点医药机构编号"),
    "cash_collected": ("实收现金",),
    "aid_given": ("互助金额",),
    "state": ("状态",),
}
"""The columns, each with the Chinese names that are taken as well. The first three are required."""
REQUIRED = ("settlement_id", "area", "hospital_code")
STATES = {"": False, "settled": False, "已结算": False, "cancelled": True, "已撤销": True}
LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class HospitalLine:
    """What a hospital says about one settlement; amounts in fen, `None` where it says nothing."""

    number: int
    area: str
    insurer_settlement_id: str
    hospital_code: str
    cancelled: bool
    cash_collected: Money | None
    aid_given: Money | None


def read_hospital_list(path: Path) -> Iterator[HospitalLine | RefusedLine]:
    """Yield the rows of a list, numbered as a spreadsheet numbers them. Raises `ListRefused`."""
    try:
        yield from _understood(_sheet(path) if path.suffix.lower() == ".xlsx" else _csv(path))
    except (BadZipFile, InvalidFileException, KeyError):
        raise ListRefused(why="the workbook cannot be opened; save it as XLSX or CSV") from None
    except (csv.Error, UnicodeDecodeError):
        raise ListRefused(why="the file is no CSV in UTF-8 or GB18030") from None


def _csv(path: Path) -> Iterator[Sequence[Any]]:
    with path.open(encoding=encoding_of(path), newline="") as text:
        yield from csv.reader(text, strict=True)


def _sheet(path: Path) -> Iterator[Sequence[Any]]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        yield from book.worksheets[0].iter_rows(values_only=True)
    finally:
        book.close()


def _understood(rows: Iterator[Sequence[Any]]) -> Iterator[HospitalLine | RefusedLine]:
    header = [_written(cell) for cell in next(rows, ())]
    places = {
        name: place
        for name, others in COLUMNS.items()
        for place, written in enumerate(header)
        if written in (name, *others)
    }
    missing = [name for name in REQUIRED if name not in places]
    if missing:
        raise ListRefused(why=f"the first row lacks the columns {', '.join(missing)}")
    for number, row in enumerate(rows, 2):
        cells = [_written(cell) for cell in row]
        if any(cells):
            given = {name: cells[place] if place < len(cells) else "" for name, place in places.items()}
            yield _line(number, given)


def _line(number: int, given: dict[str, str]) -> HospitalLine | RefusedLine:
    for name in REQUIRED:
        if not given[name]:
            return RefusedLine(number, name, "missing")
        if len(given[name]) > LONGEST_ID:
            return RefusedLine(number, name, "too_long")
    if not is_area(given["area"]):
        return RefusedLine(number, "area", "not_an_area")
    state = given.get("state", "")
    if state not in STATES:
        return RefusedLine(number, "state", "not_known")
    amounts: dict[str, Money | None] = {}
    for name in ("cash_collected", "aid_given"):
        try:
            amounts[name] = Money.from_yuan(given[name]) if given.get(name) else None
        except NotMoney:
            return RefusedLine(number, name, "not_money")
    return HospitalLine(
        number,
        given["area"],
        given["settlement_id"],
        given["hospital_code"],
        STATES[state],
        amounts["cash_collected"],
        amounts["aid_given"],
    )


def _written(cell: Any) -> str:
    """Write a cell as text. A spreadsheet holds an amount as a binary fraction and an id, now and then, as a number."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() else repr(cell)
    return str(cell).strip().replace("\0", "")
