"""Writes rows as a workbook that a clerk can work in: headings that stay, drop-down lists, wrapped text, colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell as SheetCell
from openpyxl.cell import MergedCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from settlement.plans.sheets import words
from settlement.plans.sheets.about import ABOUT_LINES
from settlement.plans.sheets.cells import COUNT, DATE, MONTH_DAY, PAID, POINTS, RATE, SHORT, YUAN, Cell, Shown
from settlement.plans.sheets.lay_out import ANSWER_KEY, CLAUSE_KEY, QUESTION_KEY, Row, Rows
from settlement.plans.sheets.layout import (
    ABOUT,
    ANSWER,
    CASE_NUMBER,
    CASE_PAYS,
    CASE_SHOWN,
    CASE_STATED,
    CASES,
    CHOICE,
    CLAUSE,
    COMPUTED_HEADING,
    HELP,
    MODULE_KEY,
    NUMBER_KEY,
    OWNER_KEY,
    PART,
    PAYS_HEADING,
    QUESTION,
    SHEETS,
    STATED_HEADING,
    VERSION_KEY,
    WORDS,
    Column,
    Question,
    Questionnaire,
    Table,
)

_FONT = "Microsoft YaHei"
_BODY = Font(name=_FONT, size=10)
_GREY_TEXT = Font(name=_FONT, size=9, color="7A7A7A")
_OLD_TEXT = Font(name=_FONT, size=10, color="8C8C8C")
_HEADING = Font(name=_FONT, size=10, bold=True, color="FFFFFF")
_HINT = Font(name=_FONT, size=10, italic=True, color="404040")
_BOLD = Font(name=_FONT, size=10, bold=True)
_HEADING_FILL = PatternFill("solid", fgColor="2F5D62")
_KEY_FILL = PatternFill("solid", fgColor="EEF3F3")
_ANSWER_FILL = PatternFill("solid", fgColor="FFF9E3")
_OLD_FILL = PatternFill("solid", fgColor="F4F4F4")
_WRONG_FILL = PatternFill("solid", fgColor="F8D7DA")
_THIN = Side(style="thin", color="D5DADA")
_FIRM = Side(style="medium", color="7D9A9D")
_BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_NEW_GROUP = Border(left=_THIN, right=_THIN, top=_FIRM, bottom=_THIN)
_SPARE_ROWS = 25
_TAB_COLOURS = {"plan": "2F5D62", "cases": "B08900", "other": "9AA5A6"}
_LAST_ROW = 2000
AS_EXPECTED = "相符"
_COMPUTED = Column(COMPUTED_HEADING, "computed", SHORT, (), 16)
_LONG_TEXT = 200
_LINE_HEIGHT = 15
_HINT_WIDTH = 110


@dataclass(frozen=True, slots=True)
class Names:
    """What the workbook's codes are called, so that a code can stand beside its Chinese name."""

    versions: Sequence[str]
    benefits: Mapping[tuple[str, str], str]
    modules: Mapping[tuple[str, str], str]
    purses: Mapping[tuple[str, str], str]

    def shown(self, kind: str, version: str, code: str) -> str:
        """Return a code with its name behind it."""
        name = getattr(self, kind).get((version, code)) if kind != "versions" else None
        return f"{code} {name}" if name else code

    def offered(self, kind: str) -> list[str]:
        """Return what a drop-down list of such codes offers."""
        if kind == "versions":
            return list(self.versions)
        return list(dict.fromkeys(f"{code} {name}" for (_, code), name in getattr(self, kind).items()))

    def benefit(self, code: str) -> str:
        """Return a benefit's newest name."""
        return next((name for (_, known), name in reversed([*self.benefits.items()]) if known == code), code)


def write_workbook(rows: Rows, names: Names, computed: Sequence[str], title: str) -> bytes:
    """Return the workbook as bytes; `computed` is what the worked cases come to, one text for each bill."""
    book = Workbook()
    about = book.active
    assert isinstance(about, Worksheet)
    about.title = ABOUT
    lists = _Lists(names)
    _write_about(about, title)
    for sheet in SHEETS:
        page = book.create_sheet(sheet.name)
        if isinstance(sheet, Questionnaire):
            _Page(page, lists, names).questionnaire(sheet, rows[sheet.name])
        else:
            columns, of_sheet = sheet.columns, rows.get(sheet.name, [])
            if sheet is CASES:
                columns = _case_columns(of_sheet, names)
                told = [*computed, *[""] * len(of_sheet)]
                of_sheet = [{**row, _COMPUTED.key: text} for row, text in zip(of_sheet, told, strict=False)]
            _Page(page, lists, names).table(sheet, columns, of_sheet)
        kind = "cases" if sheet.name.startswith("算例") else "plan" if rows.get(sheet.name) else "other"
        page.sheet_properties.tabColor = _TAB_COLOURS[kind]
    lists.write(book.create_sheet(WORDS))
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _case_columns(rows: Sequence[Row], names: Names) -> tuple[Column, ...]:
    """Return the columns of cases that are always there or that a case uses, and one for each benefit."""
    used = {key for row in rows for key in row}
    columns = [column for column in CASES.columns if column.key in CASE_SHOWN or column.key in used]
    at = next(place for place, column in enumerate(columns) if column.key == "asks")
    stated = sorted(key for key in used if key.startswith(f"{CASE_STATED}."))
    codes = dict.fromkeys([code for _, code in names.benefits])
    codes |= dict.fromkeys(key.partition(".")[2] for row in rows for key in row if key.startswith(f"{CASE_PAYS}."))
    pays = [_coded(PAYS_HEADING, CASE_PAYS, code, names.benefit(code)) for code in codes]
    return (
        *columns[:at],
        *(_coded(STATED_HEADING, CASE_STATED, key.partition(".")[2], "") for key in stated),
        *pays,
        _COMPUTED,
        *columns[at:],
    )


def _coded(heading: str, part: str, code: str, name: str) -> Column:
    said = f"{name}（{code}）" if name and name != code else code
    return Column(f"{heading}{said}", f"{part}.{code}", PAID if part == CASE_PAYS else YUAN, (), 15)


@dataclass(slots=True)
class _Page:
    """One sheet as it is written."""

    page: Worksheet
    lists: _Lists
    names: Names

    def table(self, sheet: Table, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """Write a table with some empty rows below it to write in."""
        self._top(sheet.hint, [column.heading for column in columns], [column.width for column in columns])
        frozen = sum(column.key.startswith("@") and column is not CHOICE for column in columns) + (sheet is CASES)
        self.page.freeze_panes = f"{get_column_letter(min(frozen, 3) + 1)}3"
        before: object = None
        for number, row in enumerate(rows, 3):
            group = tuple(row.get(key) for key in (VERSION_KEY, MODULE_KEY, OWNER_KEY, NUMBER_KEY, CASE_NUMBER))
            old = row.get(VERSION_KEY, row.get("version")) in self.names.versions[:-1]
            for at, column in enumerate(columns, 1):
                shown, key = self._shown(column, row) if column.key in row else None, column.key.startswith("@")
                cell = self._cell(number, at, shown, column.cell, key=key, old=old, first=group != before)
                if column is _COMPUTED:
                    cell.font, cell.fill = (
                        (_GREY_TEXT, _OLD_FILL) if shown in ("", AS_EXPECTED) else (_BODY, _WRONG_FILL)
                    )
            before = group
        last = len(rows) + 2
        for number in range(last + 1, last + 1 + _SPARE_ROWS):
            for at, column in enumerate(columns, 1):
                self._cell(number, at, None, column.cell, key=column.key.startswith("@"))
        for at, column in enumerate(columns, 1):
            letter = get_column_letter(at)
            self.lists.offer(self.page, column.cell, [f"{letter}3:{letter}{_LAST_ROW}"])
        self.page.print_area = f"A1:{get_column_letter(len(columns))}{max(last, 3)}"
        if rows:
            self.page.auto_filter.ref = f"A2:{get_column_letter(len(columns))}{last}"

    def _shown(self, column: Column, row: Row) -> Shown | None:
        value, kind = row[column.key], column.cell.refers_to
        if kind:
            return self.names.shown(kind, str(row[VERSION_KEY]), str(value))
        return column.cell.write(value)

    def questionnaire(self, sheet: Questionnaire, rows: Sequence[Row]) -> None:
        """Write questions with answers, clauses and what they mean."""
        owners = [column.heading for column in sheet.owners]
        clause = [CLAUSE] if sheet.has_clauses else []
        part = [PART] if any(question.part for question in sheet.questions) else []
        headings = [*owners, *part, QUESTION, ANSWER, *clause, HELP]
        widths = [
            *(column.width for column in sheet.owners),
            *([11] if part else []),
            36,
            42,
            *([48] if clause else []),
            40,
        ]
        self._top(sheet.hint, headings, widths)
        answer_at = len(owners) + len(part) + 2
        self.page.freeze_panes = f"{get_column_letter(answer_at)}3"
        ranges: dict[int, tuple[Cell, list[str]]] = {}
        before: object = None
        for number, row in enumerate(rows, 3):
            question: Question = row[QUESTION_KEY]
            group = (row.get(VERSION_KEY), row.get(OWNER_KEY), *((question.part,) if not owners else ()))
            first, old = group != before, row.get(VERSION_KEY) in self.names.versions[:-1]
            for at, column in enumerate(sheet.owners, 1):
                self._cell(number, at, self._shown(column, row), column.cell, key=True, first=first, old=old)
            if part:
                self._cell(number, len(owners) + 1, question.part, COUNT, key=True, first=first)
            self._cell(number, answer_at - 1, question.text, None, key=True, first=first).font = _BOLD
            shown = self._answer(question, row) if ANSWER_KEY in row else None
            self._cell(number, answer_at, shown, question.cell, first=first, old=old, answer=True)
            if clause:
                asked = question.clause is not None
                self._cell(
                    number, answer_at + 1, row.get(CLAUSE_KEY), None, first=first, old=old, answer=asked, key=not asked
                )
            help_cell = self._cell(number, len(headings), question.help, None, first=first)
            help_cell.font = _GREY_TEXT
            letter = get_column_letter(answer_at)
            ranges.setdefault(id(question.cell), (question.cell, []))[1].append(f"{letter}{number}")
            before = group
        for cell, places in ranges.values():
            self.lists.offer(self.page, cell, places)
        if owners:
            self.page.auto_filter.ref = f"A2:{get_column_letter(len(headings))}{len(rows) + 2}"

    def _answer(self, question: Question, row: Row) -> Shown:
        if question.cell.refers_to:
            return self.names.shown(question.cell.refers_to, str(row[VERSION_KEY]), str(row[ANSWER_KEY]))
        return question.cell.write(row[ANSWER_KEY])

    def _top(self, hint: str, headings: Sequence[str], widths: Sequence[int]) -> None:
        page = self.page
        for at, (heading, width) in enumerate(zip(headings, widths, strict=True), 1):
            page.column_dimensions[get_column_letter(at)].width = width
            cell = page.cell(2, at, heading)
            cell.font, cell.fill, cell.border = _HEADING, _HEADING_FILL, _BOX
            cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        page.cell(1, 1, hint).font = _HINT
        page.cell(1, 1).alignment = Alignment(vertical="center", wrap_text=True)
        across, total = 0, 0
        while total < _HINT_WIDTH:
            total += widths[across] if across < len(widths) else 9
            across += 1
        page.merge_cells(start_row=1, start_column=1, end_row=1, end_column=across)
        page.row_dimensions[1].height = _LINE_HEIGHT * _lines(hint, total) + 8
        lines = max(_lines(heading, width) for heading, width in zip(headings, widths, strict=True))
        page.row_dimensions[2].height = _LINE_HEIGHT * lines + 8
        page.sheet_view.showGridLines = False
        page.sheet_view.zoomScale = 110
        _fit_to_paper(page)
        page.print_title_rows = "1:2"

    def _make_room(self, row: int, at: int, shown: Shown) -> None:
        """Make a row as high as its longest text needs."""
        lines = _lines(str(shown), self.page.column_dimensions[get_column_letter(at)].width)
        height = _LINE_HEIGHT * lines + 4
        dimension = self.page.row_dimensions[row]
        dimension.height = max(height, dimension.height or 0)

    def _cell(
        self,
        row: int,
        at: int,
        shown: Shown | None,
        kind: Cell | None,
        *,
        key: bool = False,
        old: bool = False,
        first: bool = False,
        answer: bool = False,
    ) -> SheetCell | MergedCell:
        cell = self.page.cell(row, at)
        put(cell, shown)
        if kind is not None and shown is None:
            cell.number_format = _blank_format(kind)
        cell.font, cell.border = _OLD_TEXT if old else _BODY, _NEW_GROUP if first else _BOX
        side = _side(shown, kind)
        cell.alignment = Alignment(horizontal=side, vertical="center", wrap_text=True, indent=int(side == "right"))
        if shown is not None:
            self._make_room(row, at, shown)
        if old:
            cell.fill = _OLD_FILL
        elif key:
            cell.fill = _KEY_FILL
        elif answer:
            cell.fill = _ANSWER_FILL
        return cell


def put(cell: SheetCell | MergedCell, shown: Shown | None) -> None:
    """Put a value into a cell so that it is what it looks like: text stays text, also where it begins with `=`."""
    if shown is None or shown == "" or isinstance(cell, MergedCell):
        return
    cell.value = shown
    if isinstance(shown, str):
        cell.data_type = "s"
        # A spreadsheet shows long texts in cells of the format "text" as number signs.
        cell.number_format = "@" if len(shown) < _LONG_TEXT else "General"
    elif isinstance(shown, Decimal):
        decimals = max(0, -int(shown.normalize().as_tuple().exponent) - 2)
        cell.number_format = f"0.{'0' * decimals}%" if decimals else "0%"
    elif isinstance(shown, date):
        cell.number_format = "yyyy-mm-dd"
    else:
        cell.number_format = "#,##0" if abs(shown) >= 1000 else "0"


def _blank_format(kind: Cell) -> str:
    """Return the format in which a clerk's typing keeps its meaning: 25 as 25%, `09-01` and `+5` as text."""
    if kind is RATE:
        return "0%"
    if kind is DATE:
        return "yyyy-mm-dd"
    return "@" if kind in (MONTH_DAY, POINTS, SHORT) else "General"


def _lines(text: str, width: float) -> int:
    """Return how many lines a text takes in a column; a Chinese letter is as wide as two others."""
    room = max(width - 1, 4)
    return sum(max(1, -(-_width(line) // int(room))) for line in text.split("\n"))


def _width(text: str) -> int:
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)


def _side(shown: Shown | None, kind: Cell | None) -> str:
    if kind is not None and kind.centred:
        return "center"
    if kind in (YUAN, PAID) or isinstance(shown, int | Decimal):
        return "right"
    return "left"


class _Lists:
    """The sheet of words, and the drop-down lists that offer them."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.columns: dict[str, str] = {}
        self.written: list[tuple[str, list[tuple[str, str]]]] = []
        for listed in words.LISTS:
            self._add(listed.title, [(zh, _file_word(word)) for word, zh in listed.chinese.items()])
        for kind, title in (("versions", "版本"), ("benefits", "待遇"), ("modules", "模块"), ("purses", "资金")):
            self._add(f"本文件的{title}", [(shown, "") for shown in names.offered(kind)])
            self.columns[kind] = self.columns[f"本文件的{title}"]

    def _add(self, title: str, pairs: list[tuple[str, str]]) -> None:
        letter = get_column_letter(2 * len(self.written) + 1)
        self.written.append((title, pairs))
        self.columns[title] = f"'{WORDS}'!${letter}$3:${letter}${max(len(pairs), 1) + 2}"

    def offer(self, page: Worksheet, cell: Cell, places: Iterable[str]) -> None:
        """Offer a cell's words or codes in a drop-down list; other words are refused, other codes are not."""
        source = self.columns.get(cell.refers_to) or (self.columns.get(cell.words.title) if cell.words else None)
        if source is None:
            return
        rule = DataValidation(type="list", formula1=f"={source}", allow_blank=True, showErrorMessage=not cell.refers_to)
        rule.errorTitle, rule.error = "请从列表中选", "这一格只能填下拉列表里的词。"
        page.add_data_validation(rule)
        for place in places:
            rule.add(place)

    def write(self, page: Worksheet) -> None:
        """Write every list with the file's words beside the Chinese ones."""
        page.cell(1, 1, "下拉列表用的词，左边是中文，右边灰色是方案文件里的词。这张表不读入，请不要改。").font = _HINT
        for place, (title, pairs) in enumerate(self.written):
            at = 2 * place + 1
            head = page.cell(2, at, title)
            head.font, head.fill = _HEADING, _HEADING_FILL
            page.cell(2, at + 1).fill = _HEADING_FILL
            for number, (zh, word) in enumerate(pairs, 3):
                put(page.cell(number, at), zh)
                put(page.cell(number, at + 1), word)
                page.cell(number, at).font, page.cell(number, at + 1).font = _BODY, _GREY_TEXT
            longest = max((2 * len(zh) for zh, _ in pairs), default=8)
            page.column_dimensions[get_column_letter(at)].width = max(longest, 2 * len(title), 8) + 2
            page.column_dimensions[get_column_letter(at + 1)].width = (
                max((len(word) for _, word in pairs), default=2) + 2
            )
        page.freeze_panes = "A3"
        _fit_to_paper(page)
        page.sheet_properties.tabColor = _TAB_COLOURS["other"]


def _file_word(word: Any) -> str:
    return str(word).lower() if isinstance(word, bool) else str(word)


def _write_about(page: Worksheet, title: str) -> None:
    page.column_dimensions["A"].width, page.column_dimensions["B"].width = 22, 96
    page.cell(1, 1, title).font = Font(name=_FONT, size=16, bold=True, color="2F5D62")
    page.row_dimensions[1].height = 30
    for number, (left, right) in enumerate(ABOUT_LINES, 3):
        one, two = page.cell(number, 1, left), page.cell(number, 2, right)
        one.font, two.font = _BOLD, _BODY
        one.alignment = two.alignment = Alignment(vertical="top", wrap_text=True)
        page.row_dimensions[number].height = _LINE_HEIGHT * _lines(right, 96) + 8
    page.sheet_view.showGridLines = False
    page.sheet_properties.tabColor = _TAB_COLOURS["other"]
    _fit_to_paper(page)


def _fit_to_paper(page: Worksheet) -> None:
    page.page_setup.orientation, page.page_setup.paperSize = "landscape", 9
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
