"""A clerk's changes to a workbook, and the mistakes that clerks make in the workbook with all sorts of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from settlement.plans.sheets.lines import Grid

Change = Callable[[Any], object]
"""What a clerk does to a workbook, or to `Cells`."""
HEADINGS_ROW = 2


@dataclass
class OneCell:
    """A cell by its row and its place in it; what is written there is read back as a spreadsheet gives it."""

    row: list[Any]
    column: int

    @property
    def value(self) -> Any:
        given = self.row[self.column - 1]
        return None if given == "" else given

    @value.setter
    def value(self, new: Any) -> None:
        self.row[self.column - 1] = "" if new is None else float(new) if isinstance(new, int) else new


class CellsOfSheet:
    """The cells of one sheet, changed as openpyxl changes a sheet."""

    def __init__(self, rows: Iterable[Iterable[Any]]) -> None:
        self.rows = [list(row) for row in rows]

    @property
    def max_row(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> list[OneCell]:
        return [OneCell(self.rows[number - 1], at) for at in range(1, len(self.rows[number - 1]) + 1)]

    def cell(self, number: int, at: int, value: Any = None) -> OneCell:
        wide = max(at, *(len(row) for row in self.rows))
        self.rows += [[] for _ in range(number - len(self.rows))]
        for row in self.rows:
            row += [""] * (wide - len(row))
        cell = OneCell(self.rows[number - 1], at)
        if value is not None:
            cell.value = value
        return cell

    def iter_rows(self, first: int, last: int) -> list[list[OneCell]]:
        return [self[number] for number in range(first, min(last, self.max_row) + 1)]

    def insert_rows(self, before: int, count: int) -> None:
        self.rows[before - 1 : before - 1] = [[""] * len(self.rows[0]) for _ in range(count)]


class Cells(dict[str, CellsOfSheet]):
    """All cells of a workbook without its styles: a clerk's change to them is read at once."""

    @classmethod
    def of(cls, grids: Mapping[str, Grid], change: Change) -> dict[str, Grid]:
        """Return the cells after a change."""
        cells = cls({name: CellsOfSheet(grid) for name, grid in grids.items()})
        change(cells)
        return {name: sheet.rows for name, sheet in cells.items()}


def edited(content: bytes, change: Change) -> bytes:
    """Return a workbook after a clerk changed it and saved it."""
    book, out = load_workbook(BytesIO(content)), BytesIO()
    change(book)
    book.save(out)
    return out.getvalue()


def column(page: Worksheet, heading: str) -> int:
    """Return the number of the column with a heading."""
    return next(cell.column for cell in page[HEADINGS_ROW] if cell.value == heading)


def row_of(page: Worksheet, **wanted: object) -> int:
    """Return the first row whose cells under some headings are as given."""
    for number in range(HEADINGS_ROW + 1, page.max_row + 1):
        if all(page.cell(number, column(page, heading)).value == value for heading, value in wanted.items()):
            return number
    raise AssertionError(wanted)


def write(book: Workbook, sheet: str, row: int, heading: str, value: object) -> None:
    """Write a value into a cell, or clear it."""
    page = book[sheet]
    page.cell(row, column(page, heading)).value = value


def setting(sheet: str, row: int, heading: str, value: object) -> Change:
    return lambda book: write(book, sheet, row, heading, value)


def filling(sheet: str, row: int, cells: Mapping[str, object]) -> Change:
    return lambda book: [write(book, sheet, row, heading, value) for heading, value in cells.items()]


def clearing(sheet: str, first: int, last: int) -> Change:
    """Empty whole rows."""

    def clear(book: Workbook) -> None:
        for row in book[sheet].iter_rows(first, last):
            for cell in row:
                cell.value = None

    return clear


def both(*changes: Change) -> Change:
    return lambda book: [change(book) for change in changes]


_SECOND_VERSION = filling("版本", 4, {"版本": "2", "生效日期": "2027-01-01", "依据": "c"})

MISTAKES: dict[str, Change] = {
    "wrong_word": setting("限额与起付", 3, "规则", "限制"),
    "amount_in_words": setting("分段", 3, "至（含）", "五千"),
    "fraction_of_a_fen": setting("分段", 3, "至（含）", 5000.005),
    "rate_without_percent": setting("分段", 3, "补助比例", 40),
    "date_in_words": setting("版本", 3, "生效日期", "2020 年初"),
    "number_in_words": setting("保障期", 4, "每期月数", "两年"),
    "condition_in_free_words": setting("限额与起付", 3, "适用条件", "三级医院"),
    "condition_about_an_unknown_fact": setting("限额与起付", 3, "适用条件", "医院级别 = 三级"),
    "condition_with_an_unknown_value": setting("限额与起付", 3, "适用条件", "门诊或住院 = 急诊"),
    "missing_cell": setting("参加条件", 3, "依据", None),
    "missing_answer": lambda book: write(book, "方案", row_of(book["方案"], 问题="怎样舍入"), "回答", None),
    "missing_clause_of_a_rule": setting("限额与起付", 3, "依据", None),
    "row_without_its_benefit": setting("分段", 40, "补助比例", 0.5),
    "row_with_only_its_benefit": lambda book: [
        write(book, "分段", 40, heading, value)
        for heading, value in {"待遇": "expense", "规则序号": 3, "情形": 2}.items()
    ],
    "row_without_number": setting("分段", 3, "规则序号", None),
    "condition_without_its_case": setting("限额与起付", 7, "适用条件", "年龄 ≥ 50"),
    "unknown_benefit": setting("分段", 3, "待遇", "expanse"),
    "unknown_version": setting("分段", 3, "版本", "2"),
    "points_for_no_rule": setting("比例增减", 3, "规则序号", 77),
    "number_twice": setting("限额与起付", 6, "规则序号", 3),
    "cell_of_another_rule": setting("限额与起付", 7, "天数", 10),
    "clause_where_none_is_asked": lambda book: write(
        book, "方案", row_of(book["方案"], 问题="在哪里舍入"), "依据", "c"
    ),
    "changed_question": setting("方案", 4, "问题", "方案的中文名"),
    "question_twice": lambda book: [
        write(book, "方案", 4, heading, value) for heading, value in {"问题": "方案代码", "回答": "another"}.items()
    ],
    "rows_of_one_thing_differ": setting("按日补助", 4, "计日方法", "按夜数"),
    "module_and_benefit": setting("保障期", 3, "待遇", "expense"),
    "unknown_column": lambda book: [book["分段"].cell(2, 40, "备用"), book["分段"].cell(3, 40, 1)],
    "note_beside_the_table": lambda book: book["分段"].cell(3, 40, "随手记"),
    "renamed_column": lambda book: book["分段"].cell(2, column(book["分段"], "补助比例"), "比例"),
    "column_twice": lambda book: book["分段"].cell(2, column(book["分段"], "定额补助"), "补助比例"),
    "deleted_sheet": lambda book: book.pop("资金"),
    "unknown_sheet": lambda book: book.setdefault("分段2", CellsOfSheet([])),
    "version_twice": filling("版本", 4, {"版本": "1", "生效日期": "2027-01-01", "依据": "c"}),
    "no_version_named_where_there_are_two": both(
        _SECOND_VERSION, setting("分段", 3, "版本", None), setting("待遇", 3, "版本", None)
    ),
    "version_without_a_benefit": _SECOND_VERSION,
    "version_without_a_name": setting("版本", 3, "版本", None),
    "nothing_but_headings": both(*(clearing(sheet, 3, 60) for sheet in ("方案", "参加条件", "算例"))),
    "sheet_without_anything": both(clearing("资金", 2, 2), clearing("事件", 2, 2)),
    "question_of_no_benefit": setting("待遇", 4, "待遇", None),
    "row_without_a_question": setting("待遇", 4, "问题", None),
    "benefit_of_an_unknown_module": setting("待遇", 5, "回答", "other"),
    "module_twice": filling("模块", 5, {"代码": "main", "中文名称": "主", "英文名称": "main", "依据": "c"}),
    "module_without_a_code": setting("模块", 3, "代码", None),
    "limit_in_two_rows_that_differ": filling("合计限额", 5, {"代码": "cash", "范围": "每期", "依据": "d"}),
    "limit_of_an_unknown_group": setting("合计限额", 3, "包含哪些待遇", "全部"),
    "term_of_no_module": setting("保障期", 3, "模块", "other"),
    "term_without_an_owner": setting("保障期", 3, "模块", None),
    "terms_that_are_named_twice": filling("保障期", 5, {"模块": "main", "种类": "逐期公布", "期名": "1"}),
    "waiting_twice": filling("等待期", 4, {"模块": "main", "天数": 30, "意外不受限": "是", "依据": "c"}),
    "waiting_by_the_name_of_the_module": both(
        setting("等待期", 3, "模块", "主"), setting("等待期", 3, "天数", "三十"), setting("保障期", 4, "模块", "没有")
    ),
    "amount_of_one_case_only": setting("限额与起付", 4, "金额", None),
    "two_amounts_of_one_case": setting("限额与起付", 4, "补助比例", 0.5),
    "case_without_its_number": setting("限额与起付", 4, "情形", None),
    "cases_of_a_lump_sum_differ": both(
        setting("一次性待遇", 4, "按份数倍增", "否"), setting("一次性待遇", 5, "情形", None)
    ),
    "clause_of_a_case_where_there_is_one_only": setting("限额与起付", 6, "情形依据", "c"),
    "bands_with_a_condition_but_no_case": both(
        setting("分段", 3, "情形", None), setting("分段", 4, "情形", None), setting("分段", 5, "情形", None)
    ),
    "bands_of_two_methods": both(
        setting("分段", 3, "计算方法", "各段分别计算"), setting("分段", 4, "计算方法", "全额按所在段")
    ),
    "rule_of_no_kind": setting("限额与起付", 6, "规则", None),
    "points_without_a_number": setting("比例增减", 3, "规则序号", None),
    "points_that_are_none": setting("比例增减", 3, "百分点", "很多"),
    "funding_from_no_purse": filling("资金分担", 3, {"待遇": "expense", "资金": "other", "承担比例": 0.5}),
    "values_of_another_fact": both(
        setting("参加条件", 3, "取值", "一级；二级"), setting("参加条件", 5, "取值", "急诊")
    ),
    "condition_without_a_fact": setting("参加条件", 3, "事实", None),
    "cases_without_a_number": both(setting("算例", 4, "算例号", None), setting("算例", 5, "算例号", None)),
    "case_without_a_name": setting("算例", 3, "算例", None),
    "case_that_says_two_names": setting("算例", 4, "算例", "b"),
    "amount_of_a_case_in_words": setting("算例", 3, "政策范围内费用", "两万"),
    "own_fact_of_a_case_in_other_words": setting("算例", 4, "事实：门诊或住院", "急诊"),
    "number_out_of_range": both(setting("方案", 15, "回答", "x"), setting("模块", 4, "最多份数", -1)),
    "heading_far_below": lambda book: book["资金分担"].insert_rows(1, 5),
    "name_for_the_code_of_a_benefit": both(*(setting("待遇", row, "待遇", "救济") for row in range(43, 53))),
    "amount_of_an_unknown_kind": setting("待遇", 46, "回答", "挂号费"),
}
