"""Where things stand in a workbook, and plain data that remembers it: every finding names sheet, row and column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from settlement.plans.findings import FilePath, Finding, Severity
from settlement.plans.sheets.wrong import Wrong
from settlement.plans.yaml_lines import YamlFile


@dataclass(frozen=True, slots=True)
class Place:
    """A cell, a row, or a whole sheet."""

    sheet: str
    row: int | None = None
    heading: str | None = None

    def finding(self, name: str, id_: str, zh: str, en: str, severity: Severity = Severity.ERROR) -> Finding:
        """Return a finding about this place of a workbook."""
        row_zh = f"第 {self.row} 行" if self.row else ""
        row_en = f", row {self.row}" if self.row else ""
        column_zh = f"「{self.heading}」" if self.heading else ""
        column_en = f", column {self.heading}" if self.heading else ""
        zh, en = f"「{self.sheet}」{row_zh}{column_zh}：{zh}", f"sheet {self.sheet}{row_en}{column_en}: {en}"
        return Finding(id_, severity, name, self.row, None, zh, en)


@dataclass(frozen=True, slots=True)
class At:
    """A value and the cell that it stands in."""

    value: Any
    place: Place


@dataclass(slots=True)
class Part:
    """A mapping of the plan file as it grows out of rows; `cells` knows also the cells that were left blank."""

    place: Place
    keys: dict[str, Any] = field(default_factory=dict)
    cells: dict[str, Place] = field(default_factory=dict)

    def put(self, key: str, value: Any) -> None:
        """Put a value under a key, or under a key within a key."""
        *outer, last = key.split(".")
        part = self
        for step in outer:
            inner = part.keys.setdefault(step, Part(value.place if isinstance(value, At) else self.place))
            part = inner
        part.keys[last] = value


@dataclass(slots=True)
class Findings:
    """What was found wrong in a workbook so far."""

    name: str
    found: list[Finding] = field(default_factory=list)

    def add(self, place: Place, id_: str, zh: str, en: str) -> None:
        """Add an error."""
        self.found.append(place.finding(self.name, id_, zh, en))

    def add_wrong(self, place: Place, wrong: Wrong) -> None:
        """Add what is wrong in a cell."""
        self.add(place, wrong.id, wrong.zh, wrong.en)


@dataclass(frozen=True, slots=True)
class Placed:
    """Plain data with the place of every part, in the form in which a plan remembers its lines: a line is a place."""

    source: YamlFile
    places: tuple[Place, ...]

    def place_of(self, path: FilePath) -> Place:
        """Return the place of a part, or of the nearest part around it."""
        return self.places[self.source.line_of(path)]

    def at_their_places(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return findings that carry places as lines, said of sheet, row and column."""
        said = []
        for finding in findings:
            place = self.places[finding.line or 0]
            there = place.finding(finding.file, finding.id, finding.zh, finding.en, finding.severity)
            said.append(replace(there, clause=finding.clause))
        return said


def placed(root: Part, name: str, sheets: Mapping[str, int]) -> Placed:
    """Take values and places apart; places are numbered in the order of the sheets, their rows and columns."""
    by_path: dict[FilePath, Place] = {}
    tree = _strip(root, (), by_path)
    at_top = by_path[()]
    order = {place: number for number, place in enumerate(dict.fromkeys(by_path.values()))}
    others = sorted(
        (place for place in order if place != at_top),
        key=lambda place: (sheets.get(place.sheet, 0), place.row or 0, order[place]),
    )
    places = (at_top, *others)
    number = {place: index for index, place in enumerate(places)}
    return Placed(YamlFile(name, tree, {path: number[place] for path, place in by_path.items()}), places)


def _strip(node: Any, path: FilePath, places: dict[FilePath, Place]) -> Any:
    if isinstance(node, At):
        places[path] = node.place
        _place_inside(node.value, path, node.place, places)
        return node.value
    if isinstance(node, Part):
        places[path] = node.place
        for key, place in node.cells.items():
            places.setdefault((*path, *key.split(".")), place)
        return {key: _strip(value, (*path, key), places) for key, value in node.keys.items()}
    if isinstance(node, list):
        stripped = []
        for position, each in enumerate(node):
            stripped.append(_strip(each, (*path, position), places))
            places.setdefault(path, places[(*path, position)])
        return stripped
    return node


def _place_inside(value: Any, path: FilePath, place: Place, places: dict[FilePath, Place]) -> None:
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, each in inner:
        places[(*path, key)] = place
        _place_inside(each, (*path, key), place, places)
