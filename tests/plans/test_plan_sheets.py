"""Plans as workbooks: nothing is lost either way, clerks change cells only, and every mistake is named by its cell."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from enum import Enum
from io import BytesIO
from pathlib import Path
from typing import Literal, get_args, get_origin
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from clerk_changes import MISTAKES, Cells, Change, column, edited, row_of, setting, write
from openpyxl import Workbook, load_workbook
from plan_builders import HANGZHOU, HANGZHOU_TEXT
from pydantic import BaseModel
from random_plans import a_random_plan
from read_last import assert_as_read_last
from sheet_keys import keys_of, models_in, placed
from typer.testing import CliRunner

from settlement.cli import app
from settlement.plans.cases import run_cases
from settlement.plans.checks.run import check_plan
from settlement.plans.findings import Finding, PlanRefused, Severity
from settlement.plans.model import Plan, PlanFile, load_plan, read_plan
from settlement.plans.sheets import PlanFromSheets, from_xlsx, to_xlsx, with_next_version
from settlement.plans.sheets.layout import SHEETS, Questionnaire
from settlement.plans.sheets.read import from_grids, grids_of
from settlement.plans.sheets.words import AMOUNT, ANY_FACT, LISTS
from settlement.plans.vocabulary import AMOUNTS, FACTS
from settlement.plans.write_yaml import file_tree, write_plan

ROOT = Path(__file__).parents[2]
ALLSORTS = Path(__file__).parent / "sheets" / "allsorts.yaml"
FILES = sorted([*(ROOT / "plans").glob("*.yaml"), *(ROOT / "tests" / "plans").rglob("*.yaml")])
SHEETS_OF_ALLSORTS = to_xlsx(read_plan(ALLSORTS))
CELLS_OF_ALLSORTS = grids_of(SHEETS_OF_ALLSORTS, "plan.xlsx")


def a_plan_of(file: PlanFile) -> Plan:
    return load_plan(write_plan(file), "a plan")


def assert_same(back: PlanFromSheets, plan: Plan) -> None:
    """Assert that nothing was lost: models, facts that only say their default, digests and cases."""
    assert back.plan.file == plan.file
    assert file_tree(back.plan.file) == file_tree(plan.file)
    assert [version.digest for version in back.plan.versions] == [version.digest for version in plan.versions]
    assert back.plan.file.cases == plan.file.cases
    assert facts_given(back.plan.file) == facts_given(plan.file)


def facts_given(file: PlanFile) -> list[set[str]]:
    """Return which facts each bill of the cases states, be it that they are not known."""
    return [bill.facts.model_fields_set for case in file.cases for bill in case.bills]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_plan_comes_back_from_its_workbook_as_it_was(path: Path):
    plan = read_plan(path)
    back = from_xlsx(to_xlsx(plan), "plan.xlsx")
    assert_same(back, plan)
    if not any(finding.severity is Severity.ERROR for finding in check_plan(plan)):
        assert [case.actual for case in run_cases(back.plan)] == [case.actual for case in run_cases(plan)]


@pytest.mark.parametrize("seed", range(12))
def test_any_plan_that_the_model_allows_comes_back_from_yaml_and_from_its_workbook(seed: int):
    file = a_random_plan(seed)
    plan = a_plan_of(file)
    assert (plan.file, facts_given(plan.file)) == (file, facts_given(file))
    assert_same(from_xlsx(to_xlsx(plan), "plan.xlsx"), plan)


@pytest.mark.large
@pytest.mark.parametrize("seed", range(12, 400))
def test_many_more_plans_come_back(seed: int):
    plan = a_plan_of(a_random_plan(seed))
    assert_same(from_xlsx(to_xlsx(plan), "plan.xlsx"), plan)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_yaml_is_written_the_same_way_every_time(path: Path):
    text = write_plan(read_plan(path).file)
    assert write_plan(load_plan(text, path.name).file) == text


def test_yaml_is_written_as_the_house_writes_it():
    written = write_plan(read_plan(ALLSORTS).file).splitlines()
    for line in (
        '                  - {above: 5000, up_to: 10000, rate: "50%", clause: c}',
        "        names: {zh: 主, en: main}",
        "          - {rule: minimum, amount: 100, clause: c}",
        "          - {fact: care, one_of: [inpatient], clause: c, label: l}",
        "              - {when: {hospital_level: [3], stay_ordinal: {at_most: 1}}, value: 300}",
        '      - {facts: {care: outpatient, event: cancer, severity: mild}, pays: {crit: "1.00"}}',
    ):
        assert line in written
    assert [written[written.index(key) - 1] for key in ("plan:", "versions:", "case_facts:", "cases:")] == [""] * 4


def test_most_lines_of_a_plan_that_people_wrote_stay_as_they_are():
    written = set(write_plan(HANGZHOU.file).splitlines())
    original = [line for line in HANGZHOU_TEXT.splitlines() if line.strip() and not line.startswith("#")]
    assert sum(line in written for line in original) > 0.8 * len(original)


def parts_of_the_model() -> list[type[BaseModel]]:
    """Return every part that a plan file may have."""
    parts: list[type[BaseModel]] = []

    def walk(part: type[BaseModel]) -> None:
        if part not in parts:
            parts.append(part)
            for field in part.model_fields.values():
                for inner in models_in(field.annotation):
                    walk(inner)

    walk(PlanFile)
    return parts


@pytest.mark.parametrize("part", parts_of_the_model(), ids=lambda part: part.__name__)
def test_every_key_of_the_language_has_a_place_in_some_sheet(part: type[BaseModel]):
    missing = set(keys_of(part)) - {key for model, key in placed() if model is part}
    assert not missing, f"give {part.__name__} {sorted(missing)} a column or a question in sheets/layout.py"


def test_no_sheet_has_a_place_for_what_the_language_does_not_know():
    assert not {(model, key) for model, key in placed() if key not in keys_of(model)}


def words_of(annotation: object) -> list[object]:
    """Return the words that a field may have, if it has words."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [each.value for each in annotation]
    return [word for inner in get_args(annotation) for word in words_of(inner)]


def test_every_word_of_the_language_has_a_chinese_one():
    chinese = {word for listed in LISTS for word in listed.chinese}
    of_model = {
        word
        for part in parts_of_the_model()
        for field in part.model_fields.values()
        for word in words_of(field.annotation)
    }  # fmt: skip
    assert of_model - chinese - {"bands", 1} == set()
    assert set(FACTS) - set(ANY_FACT.chinese) == set()
    assert set(AMOUNTS) - set(AMOUNT.chinese) == set()


def test_chinese_words_of_one_list_differ():
    for listed in LISTS:
        assert len(set(listed.chinese.values())) == len(listed.chinese), listed.title


def test_a_key_without_a_place_is_refused_and_not_lost(monkeypatch: pytest.MonkeyPatch):
    from settlement.plans.sheets import write as writing

    def lay_out_less(tree: dict[str, object]) -> object:
        rows = original(tree)
        for row in rows["限额与起付"]:
            row.pop("times", None)
        return rows

    original = writing.lay_out
    monkeypatch.setattr(writing, "lay_out", lay_out_less)
    with pytest.raises(PlanRefused, match=r"sheet_cannot_hold.*times"):
        to_xlsx(read_plan(ALLSORTS))


SMALL_PLAN = """
format: 1
plan:
  code: small
  names: {zh: 小方案, en: A small plan}
  source: 示例传单，2026 年
  stay_date: discharge
  spanning: {split: none, clause: 按出院日期}
  covers:
    - {fact: insurance_type, one_of: ["310"], clause: 参加对象, label: 限职工医保}
  rounding: {mode: half_up, place: bands_total, clause: 四舍五入}
  account_money: {counts_as: burden, clause: 计入个人负担}
  overpayment: {recovery: by_person, clause: 由人工处理}
versions:
  - version: "2026"
    effective_from: 2026-01-01
    clause: 2026 年度
    benefits:
      - code: inpatient
        names: {zh: 住院补助, en: Inpatient aid}
        conditions:
          - {fact: care, one_of: [inpatient], clause: 第一条, label: 限住院}
        base: {plus: [allowed], minus: [insurer_paid], clause: 第一条}
        burden: {plus: [patient_share], clause: 个人负担}
        term: {kind: calendar_year, clause: 自然年度}
        accumulation: {over: term, clause: 按年累计}
        rules:
          - rule: bands
            bands:
              - {up_to: 1000, rate: "20%", clause: "1,000 元及以下 20%"}
              - {above: 1000, rate: "50%", clause: "1,000 元以上 50%"}
          - {rule: burden_limit, clause: 不超过个人负担}
          - {rule: term_limit, amount: 20000, clause: "最高 20,000 元"}
case_facts:
  {care: inpatient, settled_on: 2026-03-10, admitted_on: 2026-03-01, discharged_on: 2026-03-10, insurance_type: "310"}
cases:
  - name: 自负 2,000 元
    bills: [{amounts: {allowed: 2000}, pays: {inpatient: 700}}]
  - name: 元旦出院
    bills:
      - amounts: {allowed: 2000}
        facts: {admitted_on: 2026-12-25, discharged_on: 2027-01-01, settled_on: 2027-01-01}
        pays: {inpatient: 700}
"""
PAYS = "应补助：住院补助（inpatient）"


def test_a_clerk_changes_a_band_and_a_cap_for_the_next_term(tmp_path: Path):
    """Only cells of the workbook are touched, and what is published stays as it is."""
    stored, sheets = tmp_path / "small.yaml", tmp_path / "small.xlsx"
    stored.write_text(SMALL_PLAN, encoding="utf-8")
    before, run = read_plan(stored), CliRunner()
    asked = ["plan", "to-xlsx", str(stored), "-o", str(sheets), "--next", "2027", "--from", "2027-01-01"]
    assert run.invoke(app, asked).exit_code == 0

    def change(book: Workbook) -> None:
        band = row_of(book["分段"], **{"版本": "2027", "超过（不含）": 1000})
        write(book, "分段", band, "补助比例", 0.55)
        write(book, "分段", band, "依据", "1,000 元以上 55%")
        write(book, "限额与起付", row_of(book["限额与起付"], 版本="2027", 规则="每期限额"), "金额", 32_000.5)
        new_case = {
            "算例号": 3,
            "算例": "2027 年的限额",
            "政策范围内费用": 100_000,
            "事实：入院日期": date(2027, 3, 1),
            "事实：出院日期": date(2027, 3, 9),
            "事实：结算日期": "2027/3/9",
            PAYS: 32_000.5,
        }
        for heading, value in new_case.items():
            write(book, "算例", 5, heading, value)

    sheets.write_bytes(edited(sheets.read_bytes(), change))
    read = ["plan", "from-xlsx", str(sheets), "-o", str(stored)]
    result = run.invoke(app, read)
    # An older case has a bill in the new term: the clerk is shown its row, and writes what it now comes to.
    assert result.exit_code == 1
    assert "「算例」第 4 行：元旦出院：应为 inpatient 700.00，按规则算得 inpatient 750.00" in result.output
    sheets.write_bytes(edited(sheets.read_bytes(), setting("算例", 4, PAYS, 750)))
    result = run.invoke(app, read)
    assert result.exit_code == 0, result.output
    after = read_plan(stored)
    assert [version.version for version in after.versions] == ["2026", "2027"]
    assert after.versions[0].digest == before.versions[0].digest
    text = stored.read_text(encoding="utf-8")
    assert '- {above: 1000, rate: "55%", clause: "1,000 元以上 55%"}' in text
    assert '- {rule: term_limit, amount: "32000.50", clause: "最高 20,000 元"}' in text
    assert all(case.passed for case in run_cases(after))


def findings_of(change: Change) -> list[Finding]:
    """Return what is said of the workbook with all sorts of rules after a change."""
    try:
        return from_grids(Cells.of(CELLS_OF_ALLSORTS, change), "plan.xlsx").check()
    except PlanRefused as refused:
        return list(refused.findings)


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_said_of_a_mistake_is_what_was_read_last(name: str):
    found = findings_of(MISTAKES[name])
    said = [
        f"{each.id} {each.file}:{each.line}\n{each.zh}\n{each.en}\n"
        for each in found
        if each.severity is Severity.ERROR
    ]
    assert_as_read_last("mistakes.txt", "".join(said), name)


def test_what_is_not_a_workbook_is_said_so():
    with pytest.raises(PlanRefused, match="sheet_not_a_workbook"):
        from_xlsx(b"format: 1", "plan.xlsx")


def repacked(change: Callable[[str, bytes], bytes], more: dict[str, bytes] | None = None) -> bytes:
    """Return the workbook of all sorts with its packed parts changed, and more of them."""
    packed = BytesIO()
    with ZipFile(BytesIO(SHEETS_OF_ALLSORTS)) as before, ZipFile(packed, "w", ZIP_DEFLATED) as after:
        for name in before.namelist():
            after.writestr(name, change(name, before.read(name)))
        for name, text in (more or {}).items():
            after.writestr(name, text)
    return packed.getvalue()


def with_a_row(cells: bytes, row: bytes = b'r="9"') -> Callable[[str, bytes], bytes]:
    return lambda name, text: (
        text.replace(b"</sheetData>", b"<row " + row + b">" + cells + b"</row></sheetData>")
        if name == "xl/worksheets/sheet2.xml"
        else text
    )


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(with_a_row(b'<c r="XFD1048576" t="n"><v>1</v></c>'), id="by_its_name"),
        pytest.param(with_a_row(b"<c><v>1</v></c>" * 200, b'r="9000"'), id="by_its_order_in_a_far_row"),
        pytest.param(lambda name, text: text.ljust(70 << 20) if "sheet2" in name else text, id="unpacked"),
    ],
)
def test_a_workbook_that_is_small_packed_and_large_laid_out_is_refused(change: Callable[[str, bytes], bytes]):
    content = repacked(change)
    assert len(content) < 1 << 20
    with pytest.raises(PlanRefused, match="sheet_too_large"):
        from_xlsx(content, "plan.xlsx")


@pytest.mark.parametrize(
    ("change", "more"),
    [
        pytest.param(lambda _, text: text, {"content.xml": b"<a/>"}, id="another_kind_of_book_within"),
        pytest.param(with_a_row(b'<c r="9A"/>'), {}, id="a_reference_that_is_none"),
        pytest.param(
            lambda name, text: (
                text.replace(b"sheet2.xml", b"sheet2.bin") if name.endswith("workbook.xml.rels") else text
            ),
            {},
            id="a_sheet_that_is_no_xml",
        ),
        pytest.param(
            lambda name, text: b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>" if "sheet2" in name else text, {}, id="entities"
        ),
    ],
)
def test_what_could_be_laid_out_otherwise_than_it_was_measured_is_no_workbook(
    change: Callable[[str, bytes], bytes], more: dict[str, bytes]
):
    with pytest.raises(PlanRefused, match="sheet_not_a_workbook"):
        from_xlsx(repacked(change, more), "plan.xlsx")


def test_every_id_of_a_finding_is_in_the_clerks_page():
    page = (ROOT / "docs" / "plan-sheets.md").read_text(encoding="utf-8")
    sources = [*(ROOT / "src/settlement/plans/sheets").glob("*.py"), ROOT / "src/settlement/cli/plan_sheets.py"]
    texts = [path.read_text(encoding="utf-8") for path in sources]
    ids = {id_ for text in texts for id_ in re.findall(r'"(sheet_[a-z_]+)"', text)}
    assert {id_ for id_ in ids if f"`{id_}`" not in page} == set()


def test_clerks_may_write_as_they_are_used_to():
    def change(book: Workbook) -> None:
        write(book, "分段", 3, "待遇", "费用")
        write(book, "分段", 3, "至（含）", "5,000 元")
        write(book, "分段", 3, "补助比例", "40％")
        write(book, "分段", 3, "版本", None)
        write(book, "比例增减", 4, "百分点", -10)
        write(book, "版本", 3, "版本", 1)
        write(book, "版本", 3, "生效日期", "2020年1月1日")
        write(book, "限额与起付", 3, "适用条件", "医院等级＝三级 ; 本期第几次住院 至多 1")
        book.create_sheet("备注：给同事")

    back = from_xlsx(edited(SHEETS_OF_ALLSORTS, change), "plan.xlsx")
    assert_same(back, read_plan(ALLSORTS))


def test_the_rows_of_cases_may_have_columns_for_any_fact_and_amount():
    def change(book: Workbook) -> None:
        page = book["算例"]
        for heading, value in (("其他保障支付", 12.5), ("事实：性别", "女"), ("另报：bed_excess", 60)):
            page.cell(2, page.max_column + 1, heading)
            page.cell(3, page.max_column, value)

    bill = from_xlsx(edited(SHEETS_OF_ALLSORTS, change), "plan.xlsx").plan.file.cases[0].bills[0]
    assert (bill.amounts.other_paid, bill.amounts.stated, bill.facts.sex) == (1250, {"bed_excess": 6000}, "female")


def test_a_workbook_shows_choices_as_lists_and_keeps_its_headings_in_sight():
    book = load_workbook(BytesIO(SHEETS_OF_ALLSORTS))
    for sheet in SHEETS:
        page = book[sheet.name]
        assert page.freeze_panes is not None
        columns = () if isinstance(sheet, Questionnaire) else sheet.columns
        if any(each.cell.words for each in columns):
            assert page.data_validations.dataValidation
    assert book["分段"].cell(3, column(book["分段"], "补助比例")).number_format == "0%"


def test_text_that_looks_like_a_formula_stays_text():
    file = HANGZHOU.file
    names = file.plan.names.model_copy(update={"zh": '=HYPERLINK("x")'})
    plan = a_plan_of(file.model_copy(update={"plan": file.plan.model_copy(update={"names": names})}))
    book = load_workbook(BytesIO(to_xlsx(plan)))
    assert book["方案"].cell(4, 3).data_type == "s"


def test_worked_cases_that_differ_stand_beside_their_rows():
    content = to_xlsx(HANGZHOU, run_cases(HANGZHOU))
    page = load_workbook(BytesIO(content))["算例"]
    assert page.cell(3, column(page, "导出时核对")).value == "相符"
    changed = edited(content, lambda book: write(book, "算例", 3, "应补助：住院医疗费补助（inpatient）", 99))
    plan = from_xlsx(changed, "plan.xlsx").plan
    page = load_workbook(BytesIO(to_xlsx(plan, run_cases(plan))))["算例"]
    assert page.cell(3, column(page, "导出时核对")).value == "不符，算得：inpatient 100.00"


def test_from_xlsx_names_the_case_that_differs_by_its_row(tmp_path: Path):
    sheets, out = tmp_path / "plan.xlsx", tmp_path / "plan.yaml"
    change = setting("算例", 4, "应补助：住院医疗费补助（inpatient）", 99)
    sheets.write_bytes(edited(to_xlsx(HANGZHOU), change))
    result = CliRunner().invoke(app, ["plan", "from-xlsx", str(sheets), "-o", str(out), "--json"])
    assert result.exit_code == 1
    assert '"sheet_case_differs"' in result.output
    assert '"line": 4' in result.output


def test_a_workbook_that_cannot_be_read_writes_no_file(tmp_path: Path):
    sheets, out = tmp_path / "plan.xlsx", tmp_path / "plan.yaml"
    sheets.write_bytes(edited(SHEETS_OF_ALLSORTS, setting("分段", 3, "至（含）", "五千")))
    result = CliRunner().invoke(app, ["plan", "from-xlsx", str(sheets), "-o", str(out)])
    assert result.exit_code == 3
    assert not out.exists()


def test_the_next_version_needs_a_new_name_and_a_later_day():
    for name, first_day in (("2018", date(2030, 1, 1)), ("2019", date(2018, 1, 1))):
        with pytest.raises(PlanRefused, match="sheet_next_version"):
            with_next_version(HANGZHOU, name, first_day)
    first, second = with_next_version(HANGZHOU, "2027", date(2027, 1, 1)).versions
    assert (first.digest, second.body.benefits) == (HANGZHOU.versions[0].digest, first.body.benefits)


def test_a_control_character_is_refused_before_anybody_gets_the_workbook():
    names = HANGZHOU.file.plan.names.model_copy(update={"zh": "方案\x07"})
    header = HANGZHOU.file.plan.model_copy(update={"names": names})
    with pytest.raises(PlanRefused, match="sheet_cannot_hold"):
        to_xlsx(Plan(HANGZHOU.source, HANGZHOU.file.model_copy(update={"plan": header}), HANGZHOU.versions))
