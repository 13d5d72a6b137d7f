"""Writes a plan file's model as YAML in the house form: the model's order of keys, short rows in one line.

The same model always gives the same text, so that a change shows as the lines that changed. Comments are not in the
model and are therefore not written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import yaml
from pydantic import BaseModel

from settlement.domain.money import FEN_PER_YUAN, Money
from settlement.plans.model import CaseBill, CaseFacts, PlanFile

Tree = Any
"""Plain data as a plan file has it: mappings, lists, text, whole numbers, true and false, dates, nothing."""

WIDTH = 140
_TAG = "tag:yaml.org,2002:"
_ROWS = frozenset({"bands", "days", "terms", "funding", "amount", "rate", "modifiers"})
"""Lists whose items are rows of a table, one line each."""
_ROWS_WITH_ROOM = frozenset({"bills", "conditions", "events", "rules", "stated"})
"""Lists whose items stand in one line if it is not too long."""
_SHORT = frozenset({"accumulation", "amounts", "facts", "names", "pays", "shares", "term", "when"})
"""Mappings that stand behind their key."""
_HEAD_INDENT = 2
"""How far the keys of a file's head are indented."""
_BLOCK = frozenset({"notes"})
_LOOKS_LIKE_A_NUMBER = re.compile(r"[-+0-9.,:%_]+")


def file_tree(file: PlanFile) -> dict[str, Tree]:
    """Return a plan file as plain data; what equals its default is left out, except among the facts of cases.

    There what is given counts, even where it is the default: a bill's fact goes before the one that all bills share.
    """
    return _mapping(file, file.model_dump(mode="json", by_alias=True))


def write_plan(file: PlanFile) -> str:
    """Write a plan file as YAML text; reading it back gives an equal model."""
    sections = ({key: value} for key, value in file_tree(file).items())
    return "\n".join(_dump(_block(section, "")) for section in sections)


def _mapping(part: BaseModel, dumped: Mapping[str, Tree]) -> dict[str, Tree]:
    written: dict[str, Tree] = {}
    for name, field in type(part).model_fields.items():
        value, key = getattr(part, name), field.alias or name
        if isinstance(part, CaseFacts):
            left_out = name not in part.model_fields_set
        elif isinstance(value, CaseFacts):
            left_out = not value.model_fields_set
        else:
            left_out = not field.is_required() and value == field.get_default(call_default_factory=True)
        if not left_out:
            written[key] = _value(value, dumped[key], whole=key != "pays")
    if isinstance(part, CaseBill) and not written.keys() & {"pays", "asks", "missing"}:
        # A bill that is paid nothing says so.
        written["pays"] = {}
    return written


def _value(value: object, dumped: Tree, *, whole: bool = True) -> Tree:
    """Return a value as the file writes it; `dumped` is the same as JSON, which knows a rate from points."""
    if isinstance(value, BaseModel):
        return _mapping(value, dumped)
    if isinstance(value, Money):
        return int(value) // FEN_PER_YUAN if whole and value % FEN_PER_YUAN == 0 else value.yuan()
    if isinstance(value, Fraction):
        return dumped
    if isinstance(value, Mapping):
        return {key: _value(each, dumped[key], whole=whole) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_value(each, shown) for each, shown in zip(value, dumped, strict=True)]
    return value if isinstance(value, bool | date | None) else dumped


class _Dumper(yaml.SafeDumper):
    """Indents lists within mappings, and quotes with double quotes."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def choose_scalar_style(self) -> Any:
        style = super().choose_scalar_style()
        return '"' if style == "'" else style


def _dump(node: yaml.Node) -> str:
    return str(yaml.serialize(node, Dumper=_Dumper, allow_unicode=True, width=10**6))


def _scalar(value: object) -> yaml.ScalarNode:
    match value:
        case None:
            return yaml.ScalarNode(f"{_TAG}null", "null")
        case bool():
            return yaml.ScalarNode(f"{_TAG}bool", "true" if value else "false")
        case int():
            return yaml.ScalarNode(f"{_TAG}int", str(value))
        case date():
            return yaml.ScalarNode(f"{_TAG}timestamp", value.isoformat())
        case _:
            text = str(value)
            style = '"' if _LOOKS_LIKE_A_NUMBER.fullmatch(text) or "\n" in text else None
            return yaml.ScalarNode(f"{_TAG}str", text, style=style)


def _node(value: Tree, children: Sequence[tuple[yaml.Node | None, yaml.Node]], *, flow: bool) -> yaml.Node:
    if isinstance(value, Mapping):
        return yaml.MappingNode(f"{_TAG}map", list(children), flow_style=flow)
    return yaml.SequenceNode(f"{_TAG}seq", [child for _, child in children], flow_style=flow)


def _flow(value: Tree) -> yaml.Node:
    if isinstance(value, Mapping):
        return _node(value, [(_scalar(key), _flow(each)) for key, each in value.items()], flow=True)
    if isinstance(value, list):
        return _node(value, [(None, _flow(each)) for each in value], flow=True)
    return _scalar(value)


def _block(value: Tree, key: str, indent: int = 0) -> yaml.Node:
    """Build a part that is spread over lines; `key` is the key it stands under, the list's for an item of a list."""
    if isinstance(value, Mapping):
        children = [(_scalar(name), _inside(each, name, indent)) for name, each in value.items()]
        return _node(value, children, flow=not value)
    if isinstance(value, list):
        return _node(value, [(None, _item(each, key, indent + 2)) for each in value], flow=not value)
    return _scalar(value)


def _inside(value: Tree, key: str, indent: int) -> yaml.Node:
    """Build the value of a key: short things behind the key, the rest below it. The head of a file takes its room."""
    plain_list = isinstance(value, list) and not any(isinstance(each, dict | list) for each in value)
    short = key in _SHORT and indent > _HEAD_INDENT and (key == "facts" or not _holds_lists_of_parts(value))
    if (plain_list and key not in _BLOCK) or short:
        return _flow(value)
    return _block(value, key, indent + 2)


def _item(value: Tree, key: str, indent: int) -> yaml.Node:
    """Build an item of a list: rows of a table in one line."""
    if isinstance(value, Mapping) and not _holds_lists_of_parts(value):
        flow = _flow(value)
        if key in _ROWS or (key == "covers" and "first_day" in value):
            return flow
        if key in _ROWS_WITH_ROOM and indent + len(_dump(flow)) < WIDTH:
            return flow
    return _block(value, key, indent)


def _holds_lists_of_parts(value: Mapping[str, Tree]) -> bool:
    return any(isinstance(each, list) and any(isinstance(part, Mapping) for part in each) for each in value.values())
