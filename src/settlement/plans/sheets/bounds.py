"""How large a workbook may be before anything of it is laid out: a few bytes may claim a grid that no memory holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import BytesIO
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

MOST_BYTES = 64 << 20
"""All parts of the workbook together, unpacked."""
MOST_CELLS = 500_000
"""The cells of one sheet from its first corner to its last cell, empty ones too."""
_ONLY_XLSX, _SHEETS_OF_THE_BOOK = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_OTHER_BOOKS = frozenset({"xl/workbook.bin", "content.xml"})
_CELL = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")


class NotAWorkbook(Exception):
    """The content is no workbook in the form of .xlsx."""


class TooLarge(Exception):
    """The content is larger than any plan, packed or laid out."""


def refuse_oversized(content: bytes) -> None:
    """Read a workbook's parts without laying out a sheet. Raises `NotAWorkbook`, `TooLarge`."""
    left = MOST_BYTES
    try:
        with ZipFile(BytesIO(content)) as parts:
            names = set(parts.namelist())
            if _ONLY_XLSX not in names or names & _OTHER_BOOKS:
                raise NotAWorkbook
            for part in parts.infolist():
                with parts.open(part) as opened:
                    text = opened.read(left + 1)
                left -= len(text)
                if left < 0:
                    raise TooLarge
                if part.filename.lower().endswith((".xml", ".rels")):
                    _Corner(part.filename == _SHEETS_OF_THE_BOOK).read(text)
    except (BadZipFile, ZlibError, EOFError, NotImplementedError, RuntimeError, expat.ExpatError):
        raise NotAWorkbook from None


class _Corner:
    """Follows the cells of one part to the last row and the last column that it names, by itself or by their order."""

    def __init__(self, of_the_book: bool) -> None:
        self.of_the_book = of_the_book
        self.row = self.column = self.last_row = self.last_column = 0

    def read(self, text: bytes) -> None:
        """Read a part. Raises `NotAWorkbook` for a document type, which no workbook has, and `TooLarge`."""
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._begin
        parser.StartDoctypeDeclHandler = _refuse_document_type
        parser.Parse(text, True)

    def _begin(self, element: str, attributes: Mapping[str, str]) -> None:
        match element.rpartition(":")[2]:
            case "row":
                self._reach(_number(attributes["r"]) if "r" in attributes else self.row + 1, 0)
            case "c":
                self._reach(*(_cell(attributes["r"]) if "r" in attributes else (self.row, self.column + 1)))
            case "Relationship" if self.of_the_book and not attributes.get("Target", "").lower().endswith(".xml"):
                raise NotAWorkbook  # Of a sheet that is no XML nothing could be said before it is laid out.

    def _reach(self, row: int, column: int) -> None:
        self.row, self.column = row, column
        self.last_row, self.last_column = max(self.last_row, row), max(self.last_column, column)
        if self.last_row * self.last_column > MOST_CELLS:
            raise TooLarge


def _cell(reference: str) -> tuple[int, int]:
    """Return row and column of a reference such as `AB12`, counted from 1."""
    found = _CELL.fullmatch(reference)
    if found is None:
        raise NotAWorkbook
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]), column


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 7:
        raise NotAWorkbook
    return int(text)


def _refuse_document_type(*_: object) -> None:
    raise NotAWorkbook
