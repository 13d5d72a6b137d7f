"""Reads YAML into plain data and remembers on which line each part stands; refuses what would be read as a surprise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import yaml

from settlement.plans.findings import FilePath, Finding, PlanRefused, Severity

_TAG = "tag:yaml.org,2002:"
_WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)")
_HINT_ZH = "检查缩进、括号和引号；含逗号、冒号、# 的文字加引号"
_HINT_EN = "look at indents, brackets and quotes; quote texts with a comma, a colon or a #"
MOST_CHARACTERS, MOST_PARTS, MOST_LEVELS, MOST_DIGITS = 200_000, 20_000, 40, 15
"""The largest published plan has a tenth of these characters and parts; a longer number is no amount and no age."""
_NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but line breaks and tabs, and halves of characters: no JSON of the record could hold them all."""
_COLON_NEXT = re.compile(r"\s*:")
_GROUPED = re.compile(r"[0-9]{1,3}(, ?[0-9]{3})+")
_CALENDAR_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A YAML text as plain data (text, whole numbers, true and false, lists, mappings) with the line of every part."""

    name: str
    tree: object
    lines: Mapping[FilePath, int]

    def line_of(self, path: FilePath) -> int:
        """Return the line of a part, or of the nearest part around it that the file has.

        Steps of the path that the file does not know are left out: pydantic names the kind of rule on its way.
        """
        known: FilePath = ()
        for step in path:
            if (*known, step) in self.lines:
                known = (*known, step)
        return self.lines[known]


def read_yaml(text: str, name: str) -> YamlFile:
    """Read one YAML document.

    Raises `PlanRefused` for a text that is not YAML and for what YAML would quietly misread: a key given twice,
    an alias, a number with a decimal point (it would become binary and lose the fen), `0310`, `yes`. A text that is
    larger than any plan is refused before it is read to its end.
    """
    if len(text) > MOST_CHARACTERS:
        raise _too_large(name, 1)
    try:
        root = _compose(text, name)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        en = f"this line, or the one before, cannot be read: {_HINT_EN}"
        raise _refused("not_yaml", name, line, f"这一行或上一行读不懂：{_HINT_ZH}", en) from None
    except (yaml.YAMLError, RecursionError):
        raise _refused("not_yaml", name, 1, "不是有效的 YAML", "this is not valid YAML") from None
    if root is None:
        raise _refused("empty_file", name, 1, "文件是空的", "the file is empty")
    reader = _Reader(name, text)
    tree = reader.value(root, ())
    return YamlFile(name, tree, reader.lines)


class _Loader(yaml.SafeLoader):
    """Composes nodes as YAML's own loader does, up to so many."""

    parts = levels = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Count the node and compose it."""
        self.parts += 1
        self.levels += 1
        if self.parts > MOST_PARTS or self.levels > MOST_LEVELS:
            raise _too_large(str(self.name), self.line + 1)
        node: yaml.Node | None = super().compose_node(parent, index)
        self.levels -= 1
        return node


def _compose(text: str, name: str) -> yaml.Node | None:
    loader = _Loader(text)
    loader.name = name
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _too_large(name: str, line: int) -> PlanRefused:
    bounds = (f"{MOST_CHARACTERS:,}", f"{MOST_PARTS:,}", MOST_LEVELS)
    zh = "文件过大：最多 {} 个字符、{} 个部分、{} 层，请精简".format(*bounds)
    en = "the file is too large: at most {} characters, {} parts and {} levels; shorten it".format(*bounds)
    return _refused("too_large", name, line, zh, en)


def _refused(id_: str, name: str, line: int, zh: str, en: str) -> PlanRefused:
    return PlanRefused([Finding(id_, Severity.ERROR, name, line, None, zh, en)])


@dataclass(slots=True)
class _Reader:
    """Walks the nodes once; a node met twice is an alias."""

    name: str
    text: str
    lines: dict[FilePath, int] = field(default_factory=dict)
    met: set[int] = field(default_factory=set)

    def value(self, node: yaml.Node, path: FilePath) -> object:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if id(node) in self.met:
            raise _refused(
                "alias", self.name, line, "不可使用别名（*），请写出内容", "aliases (*) are not allowed: write it out"
            )
        self.met.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, position)) for position, item in enumerate(node.value)]
        return self._scalar(node, path, line)

    def _mapping(self, node: yaml.MappingNode, path: FilePath) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for position, (key_node, value_node) in enumerate(node.value):
            line = key_node.start_mark.line + 1
            key = key_node.value
            if position and self._is_cut_off(node, key_node):
                raise self._text_not_quoted(node, position)
            self._refuse_control_characters(key, line)
            if key_node.tag != f"{_TAG}str":
                zh, en = f"键 {key} 请加引号", f"the key {key} must be text: quote it"
                raise _refused("key_not_text", self.name, line, zh, en)
            if key in mapping:
                zh, en = f"键 {key} 重复，请删去一个", f"the key {key} is given twice: drop one"
                raise _refused("key_twice", self.name, line, zh, en)
            self.lines[(*path, key)] = line
            mapping[key] = self.value(value_node, (*path, key))
        return mapping

    def _is_cut_off(self, node: yaml.MappingNode, key: yaml.Node) -> bool:
        """Say whether a key within braces has no colon: it is what an unquoted text has behind its comma."""
        return bool(node.flow_style) and _COLON_NEXT.match(self.text, key.end_mark.index) is None

    def _text_not_quoted(self, node: yaml.MappingNode, position: int) -> PlanRefused:
        """Return the refusal of a text that a comma has cut into keys, from the pair before to the last piece."""
        key, value = node.value[position - 1]
        *_, last = takewhile(lambda piece: self._is_cut_off(node, piece), (piece for piece, _ in node.value[position:]))
        text = self.text[value.start_mark.index : last.end_mark.index]
        if _GROUPED.fullmatch(text):
            plain = text.replace(",", "").replace(" ", "")
            zh = f"{key.value} 是金额，不写千分位逗号，请写作 {key.value}: {plain}"
            en = f"{key.value} is an amount: write it without the comma, as {key.value}: {plain}"
            return _refused("text_not_quoted", self.name, value.start_mark.line + 1, zh, en)
        zh = f'{key.value} 的文字含逗号，请加引号写作 {key.value}: "{text}"'
        en = f'the text of {key.value} has a comma: quote it, as {key.value}: "{text}"'
        return _refused("text_not_quoted", self.name, value.start_mark.line + 1, zh, en)

    def _scalar(self, node: yaml.Node, path: FilePath, line: int) -> object:
        text = str(node.value)
        self._refuse_control_characters(text, line)
        match node.tag.removeprefix(_TAG):
            case "str":
                return text
            case "int" if _WHOLE_NUMBER.fullmatch(text):
                if len(text.removeprefix("-")) > MOST_DIGITS:
                    zh, en = f"整数最多 {MOST_DIGITS} 位", f"a whole number has at most {MOST_DIGITS} digits"
                    raise _refused("number_too_long", self.name, line, zh, en)
                return int(text)
            case "null":
                return None
            case "bool" if text in ("true", "false"):
                return text == "true"
            case "timestamp" if _CALENDAR_DATE.fullmatch(text):
                return text
            case "float" if path and path[-1] in ("rate", "add"):
                zh = f'{text} 不是比例的写法，请加引号写百分数，如 "60%"'
                en = f'{text} is not how a rate is written: quote a percentage, as "60%"'
                raise _refused("decimal_not_quoted", self.name, line, zh, en)
            case "float":
                zh = f'{text} 带小数，请加引号写作 "{text}"，以免丢失分'
                en = f'{text} has a decimal point: quote it, as "{text}", to keep every fen'
                raise _refused("decimal_not_quoted", self.name, line, zh, en)
            case _:
                zh, en = f'{text} 含义不明，请加引号写作 "{text}"', f'{text} is ambiguous: quote it, as "{text}"'
                raise _refused("ambiguous_value", self.name, line, zh, en)

    def _refuse_control_characters(self, text: object, line: int) -> None:
        found = _NOT_IN_TEXT.search(str(text))
        if found is not None:
            named = f"U+{ord(found[0]):04X}"
            zh, en = f"文字中有控制字符 {named}，请删去", f"the text has a control character, {named}: delete it"
            raise _refused("control_character", self.name, line, zh, en)
