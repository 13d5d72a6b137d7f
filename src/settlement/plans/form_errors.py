"""Turns pydantic's errors about a plan file's form into findings that a fund officer can act on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from settlement.plans.findings import FilePath, Finding, Severity
from settlement.plans.vocabulary import nearest

_CHINESE = {
    "string_type": "应为文字，请加引号",
    "int_type": "应为整数",
    "date_from_datetime_parsing": "应为日期，如 2026-01-01",
    "date_type": "应为日期，如 2026-01-01",
    "literal_error": "只能取规定的值",
    "enum": "只能取规定的值",
    "too_short": "不能为空",
    "string_too_short": "不能为空",
    "string_pattern_mismatch": "格式不对",
    "tuple_type": "应为列表",
    "model_type": "应为一组键值",
    "dict_type": "应为一组键值",
    "union_tag_invalid": "不认识这种规则",
    "union_tag_not_found": "缺少 rule（规则的种类）",
}
_DECLARED = {"rounding", "account_money", "overpayment", "stay_date"}


def form_findings(
    error: ValidationError, name: str, line_of: Callable[[FilePath], int | None], known: Iterable[str]
) -> list[Finding]:
    """Return one finding per error of form, in the order of the file's lines.

    A list that pydantic finds too short only because its items have errors of their own is not a finding.
    """
    keys, errors = frozenset(known), error.errors(include_url=False)
    deeper = {details["loc"][:size] for details in errors for size in range(len(details["loc"]))}
    real = [details for details in errors if details["type"] != "too_short" or details["loc"] not in deeper]
    findings = [_finding(details, name, line_of, keys) for details in real]
    return sorted(findings, key=lambda finding: finding.line or 0)


def not_utf8(name: str) -> Finding:
    """Return the finding for a file in another encoding, as older Chinese editors save it."""
    return Finding(
        "not_utf8", Severity.ERROR, name, None, None, "文件不是 UTF-8 编码，请另存为 UTF-8", "save the file as UTF-8"
    )


def _finding(
    details: ErrorDetails, name: str, line_of: Callable[[FilePath], int | None], known: frozenset[str]
) -> Finding:
    key = next((step for step in reversed(details["loc"]) if isinstance(step, str)), "")
    id_, zh, en = _sentences(details, key, known)
    return Finding(id_, Severity.ERROR, name, line_of(details["loc"]), None, zh, en)


def _sentences(details: ErrorDetails, key: str, known: frozenset[str]) -> tuple[str, str, str]:
    context = details.get("ctx", {})
    if "zh" in context:
        return f"not_{details['type']}", f"{key}：{context['zh']}", f"{key}: {context['en']}"
    if details["type"] == "missing" and key in _DECLARED:
        return (
            "declaration_missing",
            f"缺少 {key}：公布的规则没有写明，方案文件必须声明",
            f"{key} is missing: published rules do not state it, so the plan file must declare it",
        )
    if details["type"] == "missing":
        return "key_missing", f"缺少 {key}，请补上", f"{key} is missing: add it"
    if details["type"] == "extra_forbidden":
        guess = nearest(key, known)
        return (
            "key_unknown",
            f"不认识 {key}，是否应为 {guess}",
            f"{key} is not a known key; the nearest known is: {guess}",
        )
    chinese = _CHINESE.get(details["type"], "内容不符合要求")
    return "wrong_form", f"{key}：{chinese}", f"{key}: {details['msg']}"
