"""Writes a plan as a workbook, and reads it back before anybody gets it: a workbook that lost something is refused."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from openpyxl.utils.exceptions import IllegalCharacterError

from settlement.plans.cases import CaseResult, Priced
from settlement.plans.findings import Finding, PlanRefused, Severity
from settlement.plans.model import Plan, PlanFile, VersionBody, load_plan
from settlement.plans.sheets.lay_out import lay_out
from settlement.plans.sheets.read import from_xlsx
from settlement.plans.sheets.workbook import AS_EXPECTED, Names, write_workbook
from settlement.plans.write_yaml import file_tree, write_plan


def to_xlsx(plan: Plan, results: Iterable[CaseResult] = ()) -> bytes:
    """Return a plan as a workbook, with what its worked cases come to beside them if that is known.

    Raises `PlanRefused` if some of the plan has no place there, and says what.
    """
    tree = file_tree(plan.file)
    try:
        content = write_workbook(
            lay_out(tree), _names(plan.file), _computed(results), f"{plan.header.names.zh}：方案问卷"
        )
    except IllegalCharacterError:
        raise _cannot_hold(
            plan, "文字里有看不见的控制字符，请删去", "a text has a control character: delete it"
        ) from None
    try:
        back = from_xlsx(content, plan.source.name)
    except PlanRefused as refused:
        said = refused.findings[0]
        raise _cannot_hold(plan, said.zh, said.en) from None
    lost = first_difference(tree, file_tree(back.plan.file), "")
    if lost is not None:
        raise _cannot_hold(plan, f"{lost} 写不进工作表", f"{lost} has no place in the sheets")
    return content


def with_next_version(plan: Plan, version: str, effective_from: date) -> Plan:
    """Return a plan with one more version that says what its last one says, for a clerk to change.

    Raises `PlanRefused` if the version's name is taken or its first day is not after the last one's.
    """
    last = plan.file.versions[-1]
    if version in {body.version for body in plan.file.versions} or effective_from <= last.effective_from:
        raise PlanRefused([Finding(
            "sheet_next_version", Severity.ERROR, plan.source.name, None, None,
            f"新版本要有新的名称，生效日期要在 {last.effective_from} 之后",
            f"the next version needs a new name and a first day after {last.effective_from}",
        )])  # fmt: skip
    body: VersionBody = last.model_copy(update={"version": version, "effective_from": effective_from})
    file = plan.file.model_copy(update={"versions": (*plan.file.versions, body)})
    return load_plan(write_plan(file), plan.source.name)


def _cannot_hold(plan: Plan, zh: str, en: str) -> PlanRefused:
    return PlanRefused([Finding("sheet_cannot_hold", Severity.ERROR, plan.source.name, None, None, zh, en)])


def first_difference(one: object, other: object, path: str) -> str | None:
    """Return where two trees differ first."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return next((lost for key in one if (lost := first_difference(one[key], other[key], f"{path}.{key}"))), None)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return next((lost for at, (a, b) in pairs if (lost := first_difference(a, b, f"{path}[{at}]"))), None)
    if isinstance(one, dict) and isinstance(other, dict):
        return f"{path} {sorted(one.keys() ^ other.keys())}".lstrip(".")
    return None if one == other and type(one) is type(other) else path.lstrip(".")


def _names(file: PlanFile) -> Names:
    def named(parts: str) -> dict[tuple[str, str], str]:
        return {(body.version, part.code): part.names.zh for body in file.versions for part in getattr(body, parts)}

    return Names([body.version for body in file.versions], named("benefits"), named("modules"), named("purses"))


def _computed(results: Iterable[CaseResult]) -> list[str]:
    """Return for every bill of the worked cases whether it comes out as expected, or what it comes to."""
    said = []
    for result in results:
        for number, expected in enumerate(result.expected):
            if number >= len(result.actual):
                said.append(result.trouble or "")
            else:
                actual = result.actual[number]
                said.append(AS_EXPECTED if actual == expected else f"不符，算得：{price_in_words(actual)}")
    return said


def price_in_words(priced: Priced) -> str:
    """Say what a bill of a worked case is paid, who must look at it, or what it is held for."""
    paid = "、".join(f"{code} {amount.yuan()}" for code, amount in priced.paid.items())
    asks = f"；须人工处理 {'、'.join(priced.asks)}" if priced.asks else ""
    if priced.not_covered:
        return "当天没有参保"
    return f"缺少 {priced.missing}" if priced.missing else f"{paid or '不补助'}{asks}"
