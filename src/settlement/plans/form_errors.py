"""Turns pydantic's errors about a plan file's form into findings that a fund officer can act on.

Where a value may be written in two ways, pydantic complains about both; here one finding remains, about the way that
was meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from settlement.plans.findings import FilePath, Finding, Severity
from settlement.plans.vocabulary import nearest

Schema = Mapping[str, Any]
"""The JSON Schema of what was read; it knows which keys each place may have."""
_Wrong = tuple[FilePath, ErrorDetails]

_DECLARED = {
    "rounding": "{mode: half_up | half_even | down | up, place: bands_total | each_band, clause: …}",
    "account_money": "{counts_as: burden | not_burden, clause: …}",
    "overpayment": "{recovery: by_person, clause: …}",
    "stay_date": "discharge | admission",
}
"""What every plan must declare, and how that is written."""
_WAY = re.compile(r"(function-plain|tuple|literal)\[.*\]|Between|str|int|bool")
"""How pydantic names the ways to write one value, on its path to an error."""
_PREFERRED = ("function-plain", "literal", "str", "tuple", "Between")
_PATTERNS = {
    "^[a-z]": ("应为小写字母开头，由小写字母、数字和 _ 组成", "write small letters, digits and _, with a letter first"),
    "^[0-9A-Za-z]": (
        "应由字母、数字、点和连字符组成，最多 20 个",
        "write letters, digits, dots and hyphens, at most 20",
    ),
    "^(0[1-9]": ('应为月和日，加引号，如 "09-01"', 'write month and day in quotes, as "09-01"'),
}
_WRONG = {
    "string_type": ("应为文字，请加引号", "write text, in quotes if it is a number"),
    "int_type": ("应为整数，不加引号", "write a whole number without quotes"),
    "bool_type": ("应为 true 或 false", "write true or false"),
    "model_type": ("应为一组键值", "write keys with their values"),
    "dict_type": ("应为一组键值", "write keys with their values"),
}


def form_findings(
    error: ValidationError, name: str, line_of: Callable[[FilePath], int | None], schema: Schema
) -> list[Finding]:
    """Return one finding per error of form, in the order of the file's lines.

    A list that pydantic finds too short only because its items have errors of their own is not a finding.
    """
    wrong = _as_meant([(details["loc"], details) for details in error.errors(include_url=False)])
    deeper = {path[:size] for path, _ in wrong for size in range(len(path))}
    findings: dict[tuple[FilePath, str], Finding] = {}
    for path, details in wrong:
        if details["type"] != "too_short" or path not in deeper:
            id_, zh, en = _sentences(path, details, schema)
            finding = Finding(id_, Severity.ERROR, name, line_of(path), None, zh, en)
            findings.setdefault((path, id_), finding)
    return sorted(findings.values(), key=lambda finding: finding.line or 0)


def not_utf8(name: str) -> Finding:
    """Return the finding for a file in another encoding, as older Chinese editors save it."""
    zh, en = "文件不是 UTF-8 编码，请另存为 UTF-8", "save the file as UTF-8"
    return Finding("not_utf8", Severity.ERROR, name, None, None, zh, en)


def _as_meant(wrong: list[_Wrong]) -> list[_Wrong]:
    """Keep, of each value that may be written in several ways, the errors of the way that was meant."""
    kept: list[_Wrong] = []
    values: dict[FilePath, dict[str, list[_Wrong]]] = {}
    for path, details in wrong:
        steps = len(path) - (details["type"] == "extra_forbidden")
        at = next((at for at in range(steps) if isinstance(path[at], str) and _WAY.fullmatch(str(path[at]))), None)
        if at is None:
            kept.append((path, details))
        else:
            way = str(path[at])
            values.setdefault(path[:at], {}).setdefault(way, []).append(((*path[:at], *path[at + 1 :]), details))
    for path, ways in values.items():
        kept += _as_meant(ways[_meant(path, ways)])
    return kept


def _meant(path: FilePath, ways: Mapping[str, list[_Wrong]]) -> str:
    """Return the way in which a value was meant, by what it is: a list, keys, or a single value."""
    given = next((details["input"] for errors in ways.values() for place, details in errors if place == path), None)
    first = "tuple" if isinstance(given, list) else "Between" if isinstance(given, dict) else "function-plain"
    return next(way for kind in (first, *_PREFERRED, "") for way in ways if way.startswith(kind))


def _sentences(path: FilePath, details: ErrorDetails, schema: Schema) -> tuple[str, str, str]:
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    context = details.get("ctx", {})
    if "zh" in context:
        return f"not_{details['type']}", f"{key}：{context['zh']}", f"{key}: {context['en']}"
    match details["type"]:
        case "missing" if key in _DECLARED:
            return (
                "declaration_missing",
                f"缺少 {key}：公布的规则没有写明的，方案文件必须声明，写作 {key}: {_DECLARED[key]}，"
                "依据写「本方案约定：……」",
                f"{key} is missing: where published rules are silent the plan file must declare it, as "
                f"`{key}: {_DECLARED[key]}`, with 「本方案约定：…」 as the clause",
            )
        case "missing":
            return "key_missing", f"缺少 {key}，请补上", f"{key} is missing: add it"
        case "union_tag_not_found":
            kind = str(context["discriminator"]).strip("'")
            return "key_missing", f"缺少 {kind}，请补上", f"{kind} is missing: add it"
        case "extra_forbidden":
            guess = nearest(key, _keys_at(schema, path[:-1]))
            en = f"{key} is not a known key; the nearest known is: {guess}"
            return "key_unknown", f"不认识 {key}，是否应为 {guess}", en
        case "union_tag_invalid":
            return _unknown_word(str(context["discriminator"]).strip("'"), context["tag"], context["expected_tags"])
        case "literal_error" | "enum":
            return _unknown_word(key, details["input"], context["expected"])
        case "too_short" | "string_too_short":
            return "empty", f"{key}：不能为空", f"{key} is empty: fill it in, or drop the key"
        case "tuple_type":
            return "not_a_list", f"{key}：应为列表，写作 [ ]", f"{key} must be a list: write it in [ ]"
        case "string_pattern_mismatch":
            zh, en = next(words for start, words in _PATTERNS.items() if str(context["pattern"]).startswith(start))
            return (
                "wrong_pattern",
                f"{key}：{details['input']} 不行，{zh}",
                f"{key}: {details['input']} does not do, {en}",
            )
        case "greater_than_equal" | "less_than_equal":
            bound, zh, en = (context["ge"], "小", "below") if "ge" in context else (context["le"], "大", "above")
            return "number_out_of_range", f"{key}：不应{zh}于 {bound}", f"{key} must not be {en} {bound}"
        case kind if kind.startswith("date"):
            return "not_a_date", f"{key}：应为日期，如 2026-01-01", f"{key} is not a date: write it as 2026-01-01"
        case kind:
            zh, en = _WRONG.get(kind, ("内容不符合要求", details["msg"]))
            return "wrong_form", f"{key}：{zh}", f"{key}: {en}"


def _unknown_word(key: str, given: object, expected: str) -> tuple[str, str, str]:
    words = re.findall(r"'([^']+)'", expected) or [expected]
    guess = nearest(str(given), words)
    en = f"{key} cannot be {given}; the nearest known is: {guess}"
    return "unknown_word", f"{key} 没有 {given} 这个写法，是否应为 {guess}", en


def _keys_at(schema: Schema, path: FilePath) -> frozenset[str]:
    """Return the keys that the part at a path may have."""
    parts = list(_ways(schema, schema))
    for step in path:
        within = [inner for part in parts if (inner := _inner(part, step)) is not None]
        of_kind = [part for part in parts if any(step == each.get("const") for each in _properties(part).values())]
        parts = [way for inner in within for way in _ways(inner, schema)] or of_kind or parts
    return frozenset(key for part in parts for key in _properties(part))


def _inner(part: Schema, step: str | int) -> Schema | None:
    found = (
        part.get("items") if isinstance(step, int) else _properties(part).get(step, part.get("additionalProperties"))
    )
    return found if isinstance(found, Mapping) else None


def _properties(part: Schema) -> Mapping[str, Schema]:
    found: Mapping[str, Schema] = part.get("properties", {})
    return found


def _ways(part: Schema, schema: Schema) -> Iterator[Schema]:
    """Yield each way in which a part may be written, references resolved."""
    if "$ref" in part:
        yield from _ways(schema["$defs"][part["$ref"].rpartition("/")[2]], schema)
        return
    ways: Iterable[Schema] = [*part.get("anyOf", ()), *part.get("oneOf", ())]
    for way in ways:
        yield from _ways(way, schema)
    if not ways:
        yield part
