"""Reads a workbook into a plan; what is wrong with it is said of sheet, row and column."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO

from pydantic import ValidationError
from python_calamine import CalamineError, CalamineWorkbook

from settlement.plans.checks.run import check_plan
from settlement.plans.findings import Finding, PlanRefused, Severity
from settlement.plans.form_errors import form_findings
from settlement.plans.model import Plan, PlanFile, PlanVersion, schema, with_idle_declarations
from settlement.plans.sheets.bounds import NotAWorkbook, TooLarge, refuse_oversized
from settlement.plans.sheets.gather import gather
from settlement.plans.sheets.layout import ABOUT, OWN_NOTES, SHEETS, WORDS, Questionnaire
from settlement.plans.sheets.lines import Answer, Grid, Line, read_questionnaire, read_table
from settlement.plans.sheets.places import Findings, Place, Placed, placed
from settlement.plans.vocabulary import nearest

_ORDER = {sheet.name: number for number, sheet in enumerate(SHEETS)}
_SAYS = {
    "key_missing": (
        "sheet_cell_missing", "没有填，请补上", "the cell is empty: fill it in"
    ),
    "declaration_missing": (
        "sheet_cell_missing",
        "没有填：公布的规则没有写明的，也要在这里选定",
        "the cell is empty: published rules do not state it, so it must be decided here",
    ),
    "key_unknown": (
        "sheet_cell_not_used", "这种规则不用这一格，请清空", "this kind of rule does not use the cell: clear it"
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlanFromSheets:
    """A plan out of a workbook; its lines are places in the sheets."""

    plan: Plan
    placed: Placed

    def check(self) -> list[Finding]:
        """Return what the checks of plan files find, each said of sheet, row and column."""
        return self.placed.at_their_places(check_plan(self.plan))

    def place_of_bill(self, case: int, bill: int) -> Place:
        """Return where a bill of a worked case stands, both counted from 0."""
        return self.placed.place_of(("cases", case, "bills", bill))


def from_xlsx(content: bytes, name: str) -> PlanFromSheets:
    """Read a workbook; `name` stands in findings. Raises `PlanRefused` with sheet, row, column and what to mend."""
    return from_grids(grids_of(content, name), name)


def from_grids(grids: Mapping[str, Grid], name: str) -> PlanFromSheets:
    """Read the cells of a workbook's sheets, by their names. Raises as `from_xlsx` does."""
    found = Findings(name)
    _look_at_sheets(grids, found)
    _stop_if_wrong(found)
    lines: dict[str, Sequence[Line]] = {}
    answers: dict[str, Sequence[Answer]] = {}
    for sheet in SHEETS:
        if isinstance(sheet, Questionnaire):
            answers[sheet.name] = read_questionnaire(sheet, grids[sheet.name], found)
        else:
            lines[sheet.name] = read_table(sheet, grids[sheet.name], found)
    _stop_if_wrong(found)
    root = gather(lines, answers, found)
    _stop_if_wrong(found)
    read = placed(root, name, _ORDER)
    try:
        file = PlanFile.model_validate_json(
            json.dumps(with_idle_declarations(read.source.tree), default=date.isoformat)
        )
    except ValidationError as error:
        raise PlanRefused(
            [_said(finding, read) for finding in form_findings(error, name, read.source.line_of, schema())]
        ) from None
    versions = tuple(PlanVersion(format=file.format, header=file.plan, body=body) for body in file.versions)
    return PlanFromSheets(Plan(read.source, file, versions), read)


def _stop_if_wrong(found: Findings) -> None:
    if found.found:
        raise PlanRefused(found.found)


def _said(finding: Finding, read: Placed) -> Finding:
    """Say an error of form in the words of the sheets."""
    place = read.places[finding.line or 0]
    id_, zh, en = _SAYS.get(finding.id) or (
        "sheet_value_wrong", finding.zh.partition("：")[2] or finding.zh, finding.en.partition(": ")[2] or finding.en
    )  # fmt: skip
    return place.finding(finding.file, id_, zh, en)


def grids_of(content: bytes, name: str) -> dict[str, Grid]:
    """Return the cells of a workbook's sheets, by their names. Raises `PlanRefused` for what is no workbook."""
    try:
        refuse_oversized(content)
        book = CalamineWorkbook.from_filelike(BytesIO(content))
        return {sheet: book.get_sheet_by_name(sheet).to_python(skip_empty_area=False) for sheet in book.sheet_names}
    except TooLarge:
        finding = Finding(
            "sheet_too_large", Severity.ERROR, name, None, None,
            "工作簿过大：有的单元格在很远的行或列，请删去数据之外的行和列",
            "the workbook is too large: a cell stands far out; delete the rows and columns beyond the data",
        )  # fmt: skip
        raise PlanRefused([finding]) from None
    except (CalamineError, NotAWorkbook, OSError, ValueError):
        finding = Finding(
            "sheet_not_a_workbook", Severity.ERROR, name, None, None,
            "不是电子表格文件，请用 Excel 或 WPS 另存为 .xlsx", "this is not a workbook: save it as .xlsx",
        )  # fmt: skip
        raise PlanRefused([finding]) from None


def _look_at_sheets(names: Collection[str], found: Findings) -> None:
    """Report sheets that are missing, and those that nobody would read."""
    known = [sheet.name for sheet in SHEETS]
    for name in known:
        if name not in names:
            found.add(
                Place(name),
                "sheet_missing",
                "缺少这张工作表，请补上；没有内容的留空表",
                "the sheet is missing: add it; leave it empty if there is nothing in it",
            )
    for name in names:
        if name not in (*known, ABOUT, WORDS) and not name.startswith(OWN_NOTES):
            zh = f"不认识这张工作表，是否应为「{nearest(name, known)}」；自己的笔记请改名，以「{OWN_NOTES}」开头"
            en = (
                f"the sheet is not known, the nearest is {nearest(name, known)}; "
                f"notes of your own have names that begin with {OWN_NOTES}"
            )
            found.add(Place(name), "sheet_unknown", zh, en)
