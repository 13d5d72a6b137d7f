"""Reads YAML into plain data and remembers on which line each part stands; refuses what would be read as a surprise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from settlement.plans.findings import FilePath, Finding, PlanRefused, Severity

_TAG = "tag:yaml.org,2002:"
_WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)")
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
    an alias, a number with a decimal point (it would become binary and lose the fen), `0310`, `yes`.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        raise _refused("not_yaml", name, line, "不是有效的 YAML", f"this is not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError):
        raise _refused("not_yaml", name, 1, "不是有效的 YAML", "this is not valid YAML") from None
    if root is None:
        raise _refused("empty_file", name, 1, "文件是空的", "the file is empty")
    reader = _Reader(name)
    tree = reader.value(root, ())
    return YamlFile(name, tree, reader.lines)


def _refused(id_: str, name: str, line: int, zh: str, en: str) -> PlanRefused:
    return PlanRefused([Finding(id_, Severity.ERROR, name, line, None, zh, en)])


@dataclass(slots=True)
class _Reader:
    """Walks the nodes once; a node met twice is an alias."""

    name: str
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
        return self._scalar(node, line)

    def _mapping(self, node: yaml.MappingNode, path: FilePath) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = key_node.value
            if key_node.tag != f"{_TAG}str":
                raise _refused(
                    "key_not_text", self.name, line, f"键 {key} 请加引号", f"the key {key} must be text: quote it"
                )
            if key in mapping:
                raise _refused(
                    "key_twice",
                    self.name,
                    line,
                    f"键 {key} 重复，请删去一个",
                    f"the key {key} is given twice: drop one",
                )
            self.lines[(*path, key)] = line
            mapping[key] = self.value(value_node, (*path, key))
        return mapping

    def _scalar(self, node: yaml.Node, line: int) -> object:
        text = str(node.value)
        match node.tag.removeprefix(_TAG):
            case "str":
                return text
            case "int" if _WHOLE_NUMBER.fullmatch(text):
                return int(text)
            case "null":
                return None
            case "bool" if text in ("true", "false"):
                return text == "true"
            case "timestamp" if _CALENDAR_DATE.fullmatch(text):
                return text
            case "float":
                zh = f'{text} 带小数，请加引号写作 "{text}"，以免丢失分'
                raise _refused(
                    "decimal_not_quoted",
                    self.name,
                    line,
                    zh,
                    f'{text} has a decimal point: quote it, as "{text}", to keep every fen',
                )
            case _:
                raise _refused(
                    "ambiguous_value",
                    self.name,
                    line,
                    f'{text} 含义不明，请加引号写作 "{text}"',
                    f'{text} is ambiguous: quote it, as "{text}"',
                )
