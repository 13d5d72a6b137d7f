"""What stands in the sheets, as text: how cells of each kind are written and read, and whole workbooks.

`test_shown.py` holds it against `tests/plans/shown/`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from importlib import import_module
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import load_workbook
from openpyxl.cell.cell import Cell as SheetCell
from openpyxl.worksheet.worksheet import Worksheet
from plan_builders import part_of_text

from settlement.domain.money import Money
from settlement.plans.cases import Priced, run_cases
from settlement.plans.findings import PlanRefused
from settlement.plans.model import Plan, load_plan, read_plan
from settlement.plans.sheets import cells as kinds
from settlement.plans.sheets import from_xlsx, to_xlsx, with_next_version
from settlement.plans.sheets.bounds import NotAWorkbook, TooLarge, refuse_oversized
from settlement.plans.sheets.cells import Cell, Given, fact_cell, reference_cell, word_cell
from settlement.plans.sheets.conditions import read_value, read_values, read_when, write_value, write_when
from settlement.plans.sheets.layout import ABOUT, WORDS
from settlement.plans.sheets.read import grids_of
from settlement.plans.sheets.words import IF_NOT_STATED, YES_NO, Words
from settlement.plans.sheets.write import first_difference, price_in_words
from settlement.plans.sheets.wrong import Wrong

FEW_CASES = part_of_text("format", "  - name: HZ band3")
ALLSORTS = Path(__file__).parent / "sheets" / "allsorts.yaml"

AT_THREE = datetime(2026, 1, 2, 3)  # noqa: DTZ001 - workbooks have no time zone


def given() -> dict[str, tuple[Cell, tuple[Given, ...]]]:
    """Return what clerks may write in cells of each kind."""
    return {
        "text": (kinds.TEXT, (" a b ", 12.0, 0.1 + 0.2, True, False, AT_THREE, date(2026, 1, 2), 120, 1e21)),
        "short": (kinds.SHORT, (" a b ", 2026.0, 1.50)),
        "yuan": (
            kinds.YUAN,
            (1000, 1000.5, 1000.25, "1,000", " 1，000.5 元 ", "¥12", "￥12.30", "12.00元", "0", -5, "-5.5", 0.005,
            "一千", ""),
        ),
        "paid": (kinds.PAID, (0, 100, 100.5, "1,000.05 元", "x")),
        "rate": (
            kinds.RATE,
            (0.2, 0.125, 1, 1.0, 0.333, 0, 1.5, -0.2, True, "20%", " 20 ％ ", "33.333%", "不补助", " 不补助 ",
            "0%", "101%", "x"),
        ),
        "points": (kinds.POINTS, (5, -10, 2.5, "+5", "－10 个百分点", "＋5", "5个百分点", "0", "x", "+101")),
        "count": (kinds.COUNT, (3, 3.0, " 12 ", -1, 1.5, "999999999", "1234567890", "x", "+1", True)),
        "date": (
            kinds.DATE,
            (
                AT_THREE, date(2026, 1, 2), "2026-01-02", "2026/1/2", "2026.1.2", " 2026年1月2日 ", "2026年1月2",
                "2026-13-01", "26-1-1", 46024, "x",
            ),
        ),
        "month_day": (kinds.MONTH_DAY, (date(2026, 9, 1), "09-01", "9/1", "9.1", " 9月1日 ", "0901", "x", 9.01)),
        "yes_no": (word_cell(YES_NO), (True, False, "是", " 否 ", "True", "no")),
        "word": (word_cell(IF_NOT_STATED), ("按零计算", " hold ", "暂挂")),
        "reference": (reference_cell("benefits"), (" inpatient 住院 ", 2026)),
        "codes": (kinds.CODES, ("a", "a、b,c，d;e；f\ng", " a 名称 、 b 另 ", "A", "a b、9", "、", "本方案全部待遇")),
        "group": (kinds.GROUP, (" 本方案全部待遇 ", "本会全部方案", "a、b", "A")),
        "amounts": (
            kinds.AMOUNTS_OF_BILL,
            (
                "政策范围内费用", "政策范围内费用＋医院负担+自费", "补助 inpatient、补助：visit，补助: x",
                "bed;aid.a；aid.b",
                '"补助 a"、"x,y"', "床位费", "补助 A", '"x',
            ),
        ),
        "shares": (
            kinds.SHARES,
            (
                "critical = 2", "critical=2份；women：1、a:3,b＝4", '"x y" = 1; "9" = 2', "无", "未知", " 未知 ",
                "critical",
                "critical = 两", "a = -1", '"a\\"b" = 1', "",
            ),
        ),
        "covers": (
            kinds.COVERS,
            (
                "2026-01-01 至 2026-12-31",
                "2026-1-1到2026年3月1日（在职）;2027-01-01 至 2027-02-01(退休)\n2028/1/1 至 2028/2/1",
                "2026-01-01 至 2026-12-31（某类）", "无", "未知", "2026-01-01", "2026-01-01 至 2026-13-01",
                "一月 至 二月",
            ),
        ),
        "when": (
            kinds.WHEN,
            (
                "医院等级 = 三级、二级；年龄 16 至 60；连续参保天数 ≤ 119",
                "hospital_level为3;年龄>=18\n住院天数 至少 3",
                "年龄 不少于 1；住院天数最多 9；工龄月数 不超过 12；本期第几次住院 <= 2；连续参保期数至多 5；年龄 不限",
                "年龄 16-60", "年龄 16 到 60", "年龄 16 ~ 60", "年龄 16—60", "年龄 至少 -1", '"age" 不限',
                "年龄 = 30，31,32",
                "性别＝女;性别 = 男", "险种 = 310、\"3;1\"、#3", "意外伤害 = 是", "意外伤害 = #true",
                "意外伤害 = 对", "年龄 = 老",
                "医院等级 = 特级", "医院等级 = #3", "人员类别 = 在职", "险种 = ", "年龄", "某事 = 1", '"x = 1',
                '"abc" = 1',
                '诊断 = "未完', "诊断 = #x", "",
            ),
        ),
        "fact_name": (kinds.FACT_NAME, ("年龄", "age", " settled_on ", '"某事"', "某事", '"x')),
        "level": (fact_cell("hospital_level"), ("三级", 3, "3", "四级")),
    }  # fmt: skip


def values() -> dict[str, tuple[Cell, tuple[Any, ...]]]:
    """Return what a plan file has, for cells of each kind."""
    return {
        "yuan": (kinds.YUAN, (1000, "1000.50", "1000.00", "0.05")),
        "paid": (kinds.PAID, (100, "100.50", "100.00")),
        "rate": (kinds.RATE, ("nothing", "20%", "33.333%", "100%", "0%", "120%")),
        "yes_no": (word_cell(YES_NO), (True, False, 1, "x")),
        "codes": (kinds.CODES, (["a", "b"], "all", "all_plans", "other")),
        "amounts": (kinds.AMOUNTS_OF_BILL, (["allowed", "aid.inpatient", "bed", "aid.A", "x,y", "床位"],)),
        "shares": (kinds.SHARES, ({"critical": 2, "x y": 1}, {}, None)),
        "covers": (
            kinds.COVERS,
            (
                [
                    {"first_day": date(2026, 1, 1), "last_day": date(2026, 3, 1), "person_category": "active"},
                    {"first_day": date(2026, 4, 1), "last_day": date(2026, 5, 1), "person_category": "某类"},
                    {"first_day": date(2026, 6, 1), "last_day": date(2026, 7, 1)},
                ],
                [],
                None,
            ),
        ),
        "fact_name": (kinds.FACT_NAME, ("age", "settled_on", "某事")),
        "level": (fact_cell("hospital_level"), (3, 4, "3")),
    }


FACT_VALUES = (
    ("hospital_level", 3), ("hospital_level", 9), ("hospital_level", "3"), ("hospital_level", True), ("sex", "female"),
    ("sex", "other"), ("sex", "女"), ("accident", True), ("accident", "是"), ("accident", "true"), ("accident", 1),
    ("age", 30), ("age", "30"), ("age", "007"), ("age", -5), ("insurance_type", "310"), ("insurance_type", 310),
    ("insurance_type", False), ("diagnosis", "C50 左"), ("diagnosis", "a、b"), ("diagnosis", "#x"),
    ("diagnosis", '"q"'),
    ("diagnosis", "未知"), ("diagnosis", "无"), ("diagnosis", " x"), ("diagnosis", ""), ("event", "none"),
    ("event", "cancer"), ("nobody_knows", "x"), ("nobody_knows", 1), ("nobody_knows", True), ("age", "a  b"),
)  # fmt: skip

WHENS: tuple[dict[str, Any], ...] = (
    {"hospital_level": [3, 2], "age": {"at_least": 16, "at_most": 60}, "days_covered": {"at_most": 119}},
    {"age": {"at_least": 0}, "stay_days": {}, "某事": ["x"], "accident": [True]},
    {"age": {"at_most": 0}},
)


def cells() -> Iterator[str]:
    """Yield what each kind of cell makes of what is written in it, and how it shows what a file has."""
    for name, (cell, all_given) in given().items():
        yield f"## {name} read"
        yield from (f"{one!r} -> {_said(cell.read, one)}" for one in all_given)
    for name, (cell, has) in values().items():
        yield f"## {name} written"
        yield from (f"{value!r} -> {cell.write(value)!r}" for value in has)
    yield "## values of facts"
    for fact, value in FACT_VALUES:
        shown = write_value(fact, value)
        yield f"{fact} {value!r} -> {shown!r} -> {_said(lambda text, fact=fact: read_value(fact, text), shown)}"
    yield f"none -> {_said(lambda text: read_values('age', text), ' 、')}"
    yield "## conditions"
    for when in WHENS:
        yield f"{when} -> {write_when(when)!r} -> {read_when(write_when(when))}"


def _said(read: Callable[[Any], object], given: Any) -> str:
    try:
        return repr(read(given))
    except Wrong as wrong:
        return f"{wrong.id}: {wrong.zh} | {wrong.en}"


def sheets_of(content: bytes) -> Iterator[str]:
    """Yield all of a workbook: its sheets, their values, where each style stands, what they offer and print."""
    for sheet in load_workbook(BytesIO(content)).worksheets:
        yield f"## {sheet.title}"
        yield from _page(sheet)
        styles: dict[str, list[SheetCell]] = {}
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell, SheetCell):
                    styles.setdefault(_style(cell), []).append(cell)
                    if cell.value is not None:
                        yield f"{cell.coordinate} {cell.data_type} {cell.value!r}"
        yield from (f"style {style}: {_ranges(cells)}" for style, cells in styles.items())


def _page(sheet: Worksheet) -> Iterator[str]:
    setup, view, properties = sheet.page_setup, sheet.sheet_view, sheet.sheet_properties
    yield f"page {setup.orientation} {setup.paperSize} {setup.fitToWidth} {setup.fitToHeight}"
    yield f"view {view.showGridLines} {view.zoomScale} {sheet.freeze_panes}"
    yield f"tab {properties.tabColor and properties.tabColor.rgb} fits {properties.pageSetUpPr.fitToPage}"
    yield f"prints {sheet.print_area} titles {sheet.print_title_rows} filter {sheet.auto_filter.ref}"
    yield f"merged {sorted(map(str, sheet.merged_cells.ranges))}"
    yield f"widths { {letter: column.width for letter, column in sorted(sheet.column_dimensions.items())} }"
    yield f"heights { {number: row.height for number, row in sorted(sheet.row_dimensions.items()) if row.height} }"
    for rule in sheet.data_validations.dataValidation:
        yield (
            f"offers {rule.sqref} {rule.type} {rule.formula1} blank {rule.allow_blank} "
            f"refuses {rule.showErrorMessage} {rule.errorTitle} {rule.error}"
        )


def _style(cell: SheetCell) -> str:
    font, align, border = cell.font, cell.alignment, cell.border
    sides = [
        (side.style, side.color and side.color.rgb) for side in (border.left, border.right, border.top, border.bottom)
    ]
    return str(
        (
            cell.number_format, font.name, font.sz, font.b, font.i, font.color and font.color.rgb, cell.fill.fill_type,
            cell.fill.fgColor.rgb, align.horizontal, align.vertical, align.wrap_text, align.indent, sides,
        )
    )  # fmt: skip


def _ranges(cells: list[SheetCell]) -> str:
    """Write cells as ranges within their columns: `A3:A27 B3`."""
    said = []
    places = sorted((cell.column, cell.row, cell.column_letter) for cell in cells)
    for _, run in groupby(enumerate(places), key=lambda pair: (pair[1][0], pair[1][1] - pair[0])):
        members = [place for _, place in run]
        first, last = members[0], members[-1]
        said.append(f"{first[2]}{first[1]}" if first == last else f"{first[2]}{first[1]}:{last[2]}{last[1]}")
    return " ".join(said)


def all_sorts() -> Iterator[str]:
    """Yield the workbook of the plan with all sorts of rules."""
    yield from sheets_of(to_xlsx(read_plan(ALLSORTS)))


def next_version() -> Iterator[str]:
    """Yield the workbook of a plan with a version to come and what its cases come to, one of them not as it says."""
    text = FEW_CASES.replace('pays: {inpatient: "160.00"}', "pays: {inpatient: 161}")
    plan = load_plan(text.replace("分段恰为 100.00 元。", "长" * 200), "plan.yaml")
    yield from sheets_of(to_xlsx(with_next_version(plan, "2027", date(2027, 1, 1)), run_cases(plan)))


def rarities() -> Iterator[str]:
    """Yield what stands in the rows of a plan with what is rare."""
    content = to_xlsx(read_plan(ALLSORTS.with_name("rarities.yaml")))
    for name, grid in grids_of(content, "plan.xlsx").items():
        if name not in (ABOUT, WORDS):
            yield f"## {name}"
            yield from (f"{row}" for row in grid[1:] if any(cell != "" for cell in row))


def checked() -> Iterator[str]:
    """Yield what the check says of the workbook of all sorts, and where its cases stand."""
    back = from_xlsx(to_xlsx(read_plan(ALLSORTS)), "plan.xlsx")
    for said in back.check():
        yield f"{said.id} {said.severity.value} {said.file} {said.line} [{said.clause}]\n{said.zh}\n{said.en}"
    yield from (f"case 0, bill {bill}: {back.place_of_bill(0, bill)}" for bill in range(4))


def refused() -> Iterator[str]:
    """Yield what is no workbook, what is too large, and plans that a workbook cannot hold."""
    yield from (f"{name}: {_measured(content)}" for name, content in _packed().items())
    for content in (b"", _zip({"xl/workbook.xml": b'<c r="XFD1048576"/>'}), b"format: 1"):
        yield _refusal(lambda content=content: from_xlsx(content, "plan.xlsx"))
    plan = load_plan(ALLSORTS.read_text(encoding="utf-8"), "plan.yaml")
    names = plan.header.names.model_copy(update={"zh": "方案\x07"})
    header = plan.file.plan.model_copy(update={"names": names})
    unprintable = Plan(plan.source, plan.file.model_copy(update={"plan": header}), plan.versions)
    yield _refusal(lambda: to_xlsx(unprintable))
    for version, day in (("1", date(2027, 1, 1)), ("2", date(2020, 1, 1)), ("2", date(2020, 1, 2))):
        yield _refusal(lambda version=version, day=day: with_next_version(plan, version, day).versions[-1].version)
    for priced in (
        Priced({}),
        Priced({"a": Money(1_00), "b": Money(5)}, ("a", "b")),
        Priced({"a": Money(1_00)}, (), "age"),
        Priced({}, ("a",), None, True),
    ):
        yield price_in_words(priced)
    for one, other in _PAIRS:
        yield f"{one} {other}: {first_difference(one, other, '')}"


_PAIRS: tuple[tuple[object, object], ...] = (
    ({"a": 1}, {"a": 1}),
    ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}),
    ({"a": [1]}, {"a": [1, 2]}),
    ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "d": 2}}),
    ({"a": 1}, {"b": 1}),
    ({"a": True}, {"a": 1}),
    ({"a": [{"b": 1}]}, {"a": [{}]}),
    ({"a": {}}, {"a": []}),
)


def _refusal(make: Callable[[], object]) -> str:
    try:
        return repr(make())
    except PlanRefused as refused:
        return " / ".join(
            f"{each.id} {each.severity} {each.file} {each.line} {each.zh} {each.en}" for each in refused.findings
        )


def _zip(parts: dict[str, bytes], kind: int = ZIP_DEFLATED) -> bytes:
    packed = BytesIO()
    with ZipFile(packed, "w", kind) as file:
        for name, text in parts.items():
            file.writestr(name, text)
    return packed.getvalue()


def _packed() -> dict[str, bytes]:
    """Return packed parts that are a workbook or nearly one."""
    book = {"xl/workbook.xml": b"<a/>"}
    sound = _zip(book)
    cells = {
        "no_cells": b"<s/>",
        "by_name": b'<s><row r="500000"><c r="A500000"/></row></s>',
        "one_more_row": b'<s><row r="500001"><c r="A500001"/></row></s>',
        "wide": b'<s><row r="500"><c r="ALL1"/></row></s>',
        "wider": b'<s><row r="500"><c r="ALM1"/></row></s>',
        "by_order": b"<s>" + b"<row><c/><c/></row>" * 2_500 + b'<row r="249999"><c/></row><row/></s>',
        "by_order_one_more": b"<s><row><c/><c/></row>" + b'<row r="250000"><c/></row><row/></s>',
        "after_a_named_cell": b'<s><row r="10000"><c r="AW1"/><c/></row></s>',
        "after_a_named_cell_one_more": b'<s><row r="10000"><c r="AX1"/><c/></row></s>',
        "with_a_space_of_names": b'<x:s xmlns:x="u"><x:row r="500001"><x:c/></x:row></x:s>',
        "fixed": b'<s><c r="$B$2"/></s>',
        "small_letters": b'<s><c r="b2"/></s>',
        "no_row": b'<s><c r="B"/></s>',
        "four_letters": b'<s><c r="ABCD1"/></s>',
        "row_in_words": b'<s><row r="two"/></s>',
        "row_of_other_digits": '<s><row r="２"/></s>'.encode(),
        "row_of_seven_digits": b'<s><row r="1000000"/></s>',
        "row_of_eight_digits": b'<s><row r="00000001"/></s>',
        "document_type": b"<!DOCTYPE s><s/>",
        "no_xml": b"<s>",
        "relation_elsewhere": b'<s><Relationship Target="a.bin"/></s>',
    }
    relations = "xl/_rels/workbook.xml.rels"
    damaged = sound.replace(b"<a/>", b"<b/>")
    return {
        "nothing": b"",
        "text": b"format: 1",
        "sound": sound,
        "other_name": _zip({"xl/book.xml": b"<a/>"}),
        "binary_beside": _zip(book | {"xl/workbook.bin": b""}),
        "text_document_beside": _zip(book | {"content.xml": b"<a/>"}),
        "damaged": sound[: len(sound) // 2],
        "changed": damaged if damaged != sound else sound[:40] + b"x" + sound[41:],
        "relation_to_a_sheet": _zip(book | {relations: b'<s><Relationship Target="worksheets/Sheet1.XML"/></s>'}),
        "relation_to_something": _zip(book | {relations: b'<s><Relationship Target="a.bin"/></s>'}),
        "relation_to_nothing": _zip(book | {relations: b"<s><Relationship/></s>"}),
        "large_letters": _zip(book | {"xl/A.XML": b"<!DOCTYPE s><s/>"}),
        "picture": _zip(book | {"xl/a.png": b"<!DOCTYPE s><s/>"}),
        **{name: _zip(book | {"xl/worksheets/sheet1.xml": text}) for name, text in cells.items()},
    }


def _measured(content: bytes) -> str:
    try:
        refuse_oversized(content)
    except (NotAWorkbook, TooLarge) as wrong:
        return type(wrong).__name__
    return "a workbook"


def tables() -> Iterator[str]:
    """Yield the sheets with their columns and questions, as the modules make them when they are read anew."""
    for sheet in _anew("settlement.plans.sheets.layout").SHEETS:
        yield f"## {sheet.name} {sorted(f'{model.__name__}.{key}' for model, key in sheet.structure)}\n{sheet.hint}"
        for column in getattr(sheet, "columns", ()) or sheet.owners:
            of = [model.__name__ for model in column.of]
            yield f"{column.heading} {column.key} {of} {column.width} {column.level} {_kind(column.cell)}"
        for question in getattr(sheet, "questions", ()):
            asked = f"{question.part} {question.text} {question.key} {question.clause} {question.several}"
            yield f"{asked} {_kind(question.cell)} {question.help}"
    for name, cell in _anew("settlement.plans.sheets.layout").CASE_FACT_CELLS.items():
        known: object = {"shares": {}, "covers": []}.get(name, 1)
        written = f"{cell.write(None)} {cell.write(known)}"
        yield f"{name} {_kind(cell)} {written} {_said(cell.read, '未知')} {_said(cell.read, '1')}"


def _anew(module: str) -> Any:
    """Read a module again, beside the one that everybody has: what it makes once is made now."""
    package, _, name = module.rpartition(".")
    kept = sys.modules.pop(module)
    try:
        return import_module(module)
    finally:
        sys.modules[module] = kept
        setattr(sys.modules[package], name, kept)


def _kind(cell: Cell) -> str:
    offered: Words | None = cell.words
    return f"{offered.title if offered else ''}/{cell.refers_to}/{cell.centred}"


SHOWN_SHEETS: dict[str, Callable[[], Iterator[str]]] = {
    "cells.txt": cells,
    "refused-sheets.txt": refused,
    "tables.txt": tables,
    "checked-sheets.txt": checked,
    "workbook.txt": all_sorts,
    "rarities.txt": rarities,
    "workbook-next.txt": next_version,
}
