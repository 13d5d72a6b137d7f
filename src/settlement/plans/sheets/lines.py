"""Reads the rows of each sheet: headings to columns, cells to values; what it cannot read becomes a finding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from settlement.plans.sheets.cells import PAID, YUAN, Cell, Given, plain
from settlement.plans.sheets.conditions import read_values
from settlement.plans.sheets.layout import (
    ANSWER,
    CASE_NUMBER,
    CASE_PAYS,
    CASE_STATED,
    CASES,
    CHOICE_KEY,
    CLAUSE,
    COMPUTED_HEADING,
    CONDITIONS,
    HELP,
    MODULE_KEY,
    NUMBER_KEY,
    OWNER_KEY,
    PART,
    PAYS_HEADING,
    QUESTION,
    STATED_HEADING,
    VERSION_KEY,
    Column,
    Question,
    Questionnaire,
    Table,
)
from settlement.plans.sheets.places import At, Findings, Place
from settlement.plans.sheets.wrong import Wrong
from settlement.plans.vocabulary import nearest

Grid = Sequence[Sequence[Given]]
BELONGING = frozenset({VERSION_KEY, OWNER_KEY, MODULE_KEY, NUMBER_KEY, CHOICE_KEY, CASE_NUMBER})
_LOOKS_FOR_HEADINGS = 6


@dataclass(slots=True)
class Line:
    """A row that has something in it: its values by key, and where each of its cells is, blank ones too."""

    place: Place
    values: dict[str, At] = field(default_factory=dict)
    cells: dict[str, Place] = field(default_factory=dict)

    def get(self, key: str) -> Any:
        """Return the value of a cell, or `None`."""
        at = self.values.get(key)
        return None if at is None else at.value


@dataclass(slots=True)
class Answer:
    """An answered question, or one that was left open."""

    question: Question
    belongs: Line
    answer: At | None
    clause: At | None
    answer_place: Place
    clause_place: Place


def blank(given: Given | None) -> bool:
    """Say whether a cell has nothing in it."""
    return given is None or (isinstance(given, str) and not given.strip())


def read_table(table: Table, grid: Grid, found: Findings) -> list[Line]:
    """Return the rows of a table that have something in them."""
    needed = [column.heading for column in table.columns]
    if table is CASES:
        needed = [column.heading for column in table.columns if column.key in (CASE_NUMBER, "name")]
    start, headings = _headings(table.name, needed, grid, found)
    columns = {at: _column(table, heading) for at, heading in headings.items()}
    unknown = [at for at, column in columns.items() if column is None]
    _unknown(table.name, headings, unknown, grid, start, needed, found)
    lines = []
    for number, row in enumerate(grid[start:], start + 1):
        line = Line(Place(table.name, number))
        for at, column in columns.items():
            if column is None:
                continue
            place = Place(table.name, number, column.heading)
            line.cells[column.key] = place
            if at < len(row) and not blank(row[at]):
                _read_into(line, column, row[at], place, found)
        if line.values:
            if table is CONDITIONS:
                _read_condition(line, found)
            lines.append(line)
    return lines


def read_questionnaire(sheet: Questionnaire, grid: Grid, found: Findings) -> list[Answer]:
    """Return the questions of a sheet with their answers, in the order of the rows."""
    needed = [*(owner.heading for owner in sheet.owners), QUESTION, ANSWER, *([CLAUSE] if sheet.has_clauses else [])]
    start, headings = _headings(sheet.name, needed, grid, found)
    unknown = [at for at, heading in headings.items() if heading not in (*needed, PART, HELP)]
    _unknown(sheet.name, headings, unknown, grid, start, needed, found)
    by_heading = {heading: at for at, heading in headings.items()}
    answers = []
    for number, row in enumerate(grid[start:], start + 1):
        shown = {heading: row[at] for heading, at in by_heading.items() if at < len(row) and not blank(row[at])}
        if not shown.keys() & set(needed):
            continue
        answer = _answer(sheet, number, shown, found)
        if answer is not None:
            answers.append(answer)
    return answers


def _answer(sheet: Questionnaire, number: int, shown: Mapping[str, Given], found: Findings) -> Answer | None:
    line = Line(Place(sheet.name, number))
    at_question = Place(sheet.name, number, QUESTION)
    if QUESTION not in shown:
        found.add(
            at_question,
            "sheet_row_half_filled",
            "这一行没有写问题，请补上问题或清空这一行",
            "the row has no question: add it, or clear the row",
        )
        return None
    text = plain(shown[QUESTION]).strip()
    question = sheet.question(text)
    if question is None:
        guess = nearest(text, [each.text for each in sheet.questions])
        found.add(
            at_question,
            "sheet_question_unknown",
            f"不认识问题「{text}」，是否应为「{guess}」",
            f"{text} is not a question of this sheet; the nearest is: {guess}",
        )
        return None
    for owner in sheet.owners:
        if owner.heading in shown:
            _read_into(line, owner, shown[owner.heading], Place(sheet.name, number, owner.heading), found)
    at_answer, at_clause = Place(sheet.name, number, ANSWER), Place(sheet.name, number, CLAUSE)
    clause = At(plain(shown[CLAUSE]), at_clause) if CLAUSE in shown else None
    if clause is not None and question.clause is None:
        found.add(
            at_clause, "sheet_cell_not_used", "这个问题不写依据，请清空", "this question has no clause: clear the cell"
        )
    answer = None
    if ANSWER in shown and (value := _value(question.cell, shown[ANSWER], at_answer, found)) is not None:
        answer = value
    return Answer(question, line, answer, clause, at_answer, at_clause)


def _read_into(line: Line, column: Column, given: Given, place: Place, found: Findings) -> None:
    value = _value(column.cell, given, place, found)
    if value is not None:
        line.values[column.key] = value


def _value(cell: Cell, given: Given, place: Place, found: Findings) -> At | None:
    try:
        return At(cell.read(given), place)
    except Wrong as wrong:
        found.add_wrong(place, wrong)
        return None


def _read_condition(line: Line, found: Findings) -> None:
    """Read the values of a condition, which are words of its fact."""
    fact, values = line.get("fact"), line.values.get("one_of")
    if fact is None or values is None:
        return
    try:
        line.values["one_of"] = At(read_values(fact, plain(values.value)), values.place)
    except Wrong as wrong:
        found.add_wrong(values.place, wrong)


def _headings(sheet: str, needed: Sequence[str], grid: Grid, found: Findings) -> tuple[int, dict[int, str]]:
    """Return after how many rows the table's rows start, and the heading of each column."""
    best = max(
        range(min(len(grid), _LOOKS_FOR_HEADINGS)),
        key=lambda number: (len(set(needed) & {plain(cell).strip() for cell in grid[number]}), -number),
        default=None,
    )
    headings: dict[int, str] = {}
    for at, cell in enumerate(() if best is None else grid[best]):
        text = plain(cell).strip()
        if text and text in headings.values():
            found.add(
                Place(sheet, (best or 0) + 1, text),
                "sheet_column_twice",
                "这一列有两个，请删去一个",
                "the column stands here twice: delete one",
            )
        elif text:
            headings[at] = text
    for heading in needed:
        if heading not in headings.values():
            found.add(
                Place(sheet),
                "sheet_column_missing",
                f"缺少列「{heading}」，请补上标题",
                f"the column {heading} is missing: add its heading",
            )
    return (0 if best is None else best + 1), headings


def _unknown(
    sheet: str,
    headings: Mapping[int, str],
    columns: Iterable[int],
    grid: Grid,
    start: int,
    known: Iterable[str],
    found: Findings,
) -> None:
    """Report columns that have content and no meaning; what is written there must not be lost silently."""
    known, rows = [*known], grid[start:]
    for at in columns:
        if headings[at] != COMPUTED_HEADING and any(at < len(row) and not blank(row[at]) for row in rows):
            guess = nearest(headings[at], known)
            found.add(
                Place(sheet, None, headings[at]),
                "sheet_column_unknown",
                f"不认识这一列，是否应为「{guess}」；不需要就删去",
                f"the column is not known; the nearest is: {guess}; delete it if it is not needed",
            )
    for number, row in enumerate(rows, start + 1):
        for at, cell in enumerate(row):
            if at not in headings and not blank(cell):
                found.add(
                    Place(sheet, number),
                    "sheet_column_unknown",
                    f"「{plain(cell)}」所在的列没有标题，请补上标题或清空",
                    f"the column of {plain(cell)} has no heading: add it, or clear the cell",
                )


_CODE_IN_HEADING = re.compile(r"(?:.*[（(])?([^（）()]+)[)）]?")


def _column(table: Table, heading: str) -> Column | None:
    known = next((column for column in table.columns if column.heading == heading), None)
    if known is not None or table is not CASES:
        return known
    for prefix, part, cell in ((PAYS_HEADING, CASE_PAYS, PAID), (STATED_HEADING, CASE_STATED, YUAN)):
        code = _CODE_IN_HEADING.fullmatch(heading.removeprefix(prefix).strip())
        if heading.startswith(prefix) and code:
            return Column(heading, f"{part}.{code[1]}", cell)
    return None
