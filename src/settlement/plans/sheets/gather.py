"""Gathers the rows of the sheets into a plan file's plain data, by version, benefit and number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from settlement.plans.sheets.cells import CODE
from settlement.plans.sheets.layout import (
    BANDS,
    BENEFITS,
    CASE_FACTS,
    CASE_NUMBER,
    CASES,
    CHOICE,
    CHOICE_KEY,
    CONDITIONS,
    EVENTS,
    FUNDING,
    GROUP_LIMITS,
    LUMP_SUMS,
    MODIFIERS,
    MODULE_KEY,
    MODULES,
    NUMBER,
    NUMBER_KEY,
    OWNER_KEY,
    PER_DAY,
    PLAN,
    PURSES,
    RULES,
    SAME_COLUMN,
    STATED,
    TERMS,
    VERSION_KEY,
    VERSIONS,
    WAITING,
    Questionnaire,
    Table,
)
from settlement.plans.sheets.lines import BELONGING, Answer, Line
from settlement.plans.sheets.places import At, Findings, Part, Place
from settlement.plans.sheets.words import BANDS_RULE

Lines = Mapping[str, Sequence[Line]]
Answers = Mapping[str, Sequence[Answer]]
Key = tuple[Any, ...]
_BY = frozenset({"amount", "rate"})
_NAMELESS = ""
"""A version whose name was forgotten; rows that name a version may mean this one, so nothing is said of them."""


def gather(lines: Lines, answers: Answers, found: Findings) -> Part:
    """Build the plan file out of all rows; rows that belong nowhere become findings."""
    return _Gatherer(lines, answers, found).file()


@dataclass(slots=True)
class _Gatherer:
    """The rows, by sheet, and what rows may refer to."""

    lines: Lines
    answers: Answers
    found: Findings
    versions: dict[str, Part] = field(default_factory=dict)
    owners: dict[str, dict[Key, Part]] = field(default_factory=dict)
    """Modules, benefits and purses by version and code."""

    def file(self) -> Part:
        root, header = Part(Place(PLAN.name)), self._answered(PLAN, self.answers[PLAN.name])
        root.cells |= {"versions": Place(VERSIONS.name), "cases": Place(CASES.name)}
        header.cells["covers"] = Place(CONDITIONS.name)
        if (format_ := header.keys.pop("@format", None)) is not None:
            root.put("format", format_)
        root.cells["format"] = header.cells.pop("@format")
        root.put("plan", header)
        for sheet, key in ((EVENTS, "events"), (STATED, "stated")):
            self._append(header, key, [self._part(sheet, [line]) for line in self.lines[sheet.name]])
        self._read_versions()
        self._append(root, "versions", [*self.versions.values()])
        self._fill_versions()
        for line in self.lines[CONDITIONS.name]:
            whole = line.get(OWNER_KEY) is None and line.get(VERSION_KEY) is None
            if whole or self._settle(CONDITIONS, line):
                owner, key = (header, "covers") if whole else (self._owner(line), "conditions")
                self._append(owner, key, [self._part(CONDITIONS, [line])])
        root.put("case_facts", self._answered(CASE_FACTS, self.answers[CASE_FACTS.name]))
        self._append(root, "cases", self._cases())
        return root

    def _read_versions(self) -> None:
        for line in self.lines[VERSIONS.name]:
            part, name = self._part(VERSIONS, [line]), line.get("version")
            if name is None:
                self._missing(line, "版本", "version")
            elif name in self.versions:
                self._twice(line.values["version"])
            part.cells["benefits"] = Place(BENEFITS.name)
            self.versions[name or _NAMELESS] = part

    def _fill_versions(self) -> None:
        for sheet, key in ((MODULES, "modules"), (PURSES, "purses")):
            self._read_coded(sheet, key, [[line] for line in self._rows(sheet)])
        self._read_benefits()
        self._read_coded(GROUP_LIMITS, "limits", _grouped(self._rows(GROUP_LIMITS), (VERSION_KEY, "code")))
        for sheet, key in ((TERMS, "term"), (WAITING, "waiting")):
            for group in _grouped(self._rows(sheet), (VERSION_KEY, MODULE_KEY, OWNER_KEY)):
                self._put_once(self._owner(group[0]), key, sheet, group, self._term if sheet is TERMS else self._whole)
        for group in _grouped(self._rows(PER_DAY), (VERSION_KEY, OWNER_KEY)):
            self._put_once(self._owner(group[0]), "per_day", PER_DAY, group, self._per_day)
        for group in _grouped(self._rows(LUMP_SUMS), (VERSION_KEY, OWNER_KEY)):
            self._put_once(self._owner(group[0]), "lump_sum", LUMP_SUMS, group, self._chosen)
        self._read_rules()
        for line in self._rows(FUNDING):
            share = self._part(FUNDING, [line])
            self._refer(share, "purse", "purses", line)
            self._append(self._owner(line), "funding", [share])

    def _read_coded(self, sheet: Table, key: str, groups: Iterable[Sequence[Line]]) -> None:
        """Read parts of a version that have a code: modules, purses, limits of several benefits."""
        known = self.owners.setdefault(key, {})
        for group in groups:
            version, code = group[0].get(VERSION_KEY), group[0].get("code")
            if code is None:
                self._missing(group[0], "代码", "code")
                continue
            part = self._chosen(sheet, group) if sheet is GROUP_LIMITS else self._part(sheet, group)
            if (version, code) in known:
                self._twice(group[0].values["code"])
            known[version, code] = part
            self._append(self.versions[version], key, [part])

    def _read_benefits(self) -> None:
        benefits = self.owners.setdefault("benefits", {})
        groups: dict[Key, list[Answer]] = {}
        for answer in self.answers[BENEFITS.name]:
            version = self._version(answer.belongs)
            said = answer.belongs.values.get(OWNER_KEY)
            if said is None:
                place = Place(BENEFITS.name, answer.answer_place.row, "待遇")
                self.found.add(
                    place, "sheet_cell_missing", "没有写待遇的代码，请补上", "the benefit's code is missing: add it"
                )
            elif version is not None:
                groups.setdefault((version, said.value.split()[0]), []).append(answer)
        for (name, code), asked in groups.items():
            part = self._answered(BENEFITS, asked)
            part.place = asked[0].belongs.place
            part.keys = {"code": At(code, asked[0].belongs.values[OWNER_KEY].place), **part.keys}
            part.cells["rules"] = Place(RULES.name)
            self._refer(part, "module", "modules", asked[0].belongs)
            benefits[name, code] = part
            self._append(self.versions[name], "benefits", [part])

    def _read_rules(self) -> None:
        """Read the rules of both sheets, in the order of their numbers, and the points added to their rates."""
        rules: dict[int, dict[int, tuple[Line, Part]]] = {}
        owners: dict[int, Part] = {}
        for sheet in (BANDS, RULES):
            for group in _grouped(self._rows(sheet), (VERSION_KEY, OWNER_KEY, NUMBER_KEY)):
                owner, number = self._owner(group[0]), self._number(group[0])
                if number is None:
                    continue
                part = self._bands(group) if sheet is BANDS else self._rule(group)
                owners[id(owner)] = owner
                known = rules.setdefault(id(owner), {})
                if number in known:
                    at = known[number][0].place
                    self.found.add(
                        group[0].values[NUMBER_KEY].place,
                        "sheet_number_twice",
                        f"规则序号 {number} 已用在「{at.sheet}」第 {at.row} 行，请换一个",
                        f"rule {number} is already on sheet {at.sheet}, row {at.row}: take another number",
                    )
                known[number] = group[0], part
        for line in self._rows(MODIFIERS):
            owner, number = self._owner(line), self._number(line)
            if number is None:
                continue
            if number not in rules.get(id(owner), {}):
                self.found.add(
                    line.values[NUMBER_KEY].place,
                    "sheet_reference_unknown",
                    f"这项待遇没有序号为 {number} 的规则",
                    f"the benefit has no rule {number}",
                )
                continue
            self._append(rules[id(owner)][number][1], "modifiers", [self._part(MODIFIERS, [line])])
        for which, numbered in rules.items():
            self._append(owners[which], "rules", [part for _, (_, part) in sorted(numbered.items())])

    def _number(self, line: Line) -> int | None:
        number: int | None = line.get(NUMBER_KEY)
        if number is None:
            self._missing(line, NUMBER.heading, NUMBER_KEY)
        return number

    def _term(self, sheet: Table, lines: Sequence[Line]) -> Part:
        part = self._part(sheet, lines, leave=lambda key: key.startswith("term."))
        named = []
        for line in lines:
            values = {key.removeprefix("term."): at for key, at in line.values.items() if key.startswith("term.")}
            if values:
                cells = {key.removeprefix("term."): at for key, at in line.cells.items() if key.startswith("term.")}
                named.append(Part(line.place, dict(values), cells))
        self._append(part, "terms", named)
        return part

    def _whole(self, sheet: Table, lines: Sequence[Line]) -> Part:
        for line in lines[1:]:
            self._differ(line.place, lines[0].place)
        return self._part(sheet, lines[:1])

    def _per_day(self, sheet: Table, lines: Sequence[Line]) -> Part:
        part = self._part(sheet, lines, levels=("head",))
        self._append(
            part,
            "days",
            [_rename(self._part(sheet, [line], levels=("line",)), "day_clause", "clause") for line in lines],
        )
        return part

    def _bands(self, lines: Sequence[Line]) -> Part:
        part = self._part(BANDS, lines, levels=("head",))
        part.keys = {"rule": BANDS_RULE, **part.keys}
        choices = []
        for group in _grouped(lines, (CHOICE_KEY,)):
            bands = [self._part(BANDS, [line], levels=("line",)) for line in group]
            for line in group:
                if not any(
                    column.level == "line" and column.key in line.values
                    for column in BANDS.columns
                    if column.key not in BELONGING
                ):
                    self._half_filled(line)
            if group[0].get(CHOICE_KEY) is None:
                self._no_choice(BANDS, group)
                self._append(part, "bands", bands)
            else:
                choice = _rename(self._part(BANDS, group, levels=("choice",)), "choice_clause", "clause")
                self._append(choice, "bands", bands)
                choices.append((group[0].get(CHOICE_KEY), choice))
        self._append(part, "choices", [choice for _, choice in sorted(choices, key=lambda pair: pair[0])])
        return part

    def _chosen(self, sheet: Table, lines: Sequence[Line]) -> Part:
        """Build a part with an amount or a rate that may be a list of choices, one row each."""
        part = self._part(sheet, lines, levels=("head",))
        if lines[0].get(CHOICE_KEY) is None and len(lines) == 1:
            self._no_choice(sheet, lines)
            line = lines[0]
            for key in _BY & line.cells.keys():
                part.cells[key] = line.cells[key]
                if key in line.values:
                    part.put(key, line.values[key])
            return part
        choices = []
        for line in lines:
            if line.get(CHOICE_KEY) is None:
                self._missing(line, CHOICE.heading, CHOICE_KEY)
                continue
            choice = _rename(self._part(sheet, [line], levels=("choice",)), "choice_clause", "clause")
            given = [key for key in ("amount", "rate") if key in choice.keys]
            if len(given) != 1:
                self._half_filled(line)
                continue
            choice.put("value", choice.keys.pop(given[0]))
            choices.append((line.get(CHOICE_KEY), given[0], choice))
        for key in ("amount", "rate"):
            self._append(
                part, key, [choice for _, of, choice in sorted(choices, key=lambda each: each[0]) if of == key]
            )
        return part

    def _rule(self, lines: Sequence[Line]) -> Part:
        """Build a rule; a column that it shares with other rules holds a key of its own."""
        part, rule = self._chosen(RULES, lines), lines[0].get("rule")
        for (of, key), column in SAME_COLUMN.items():
            if of == rule:
                _rename(part, column, key)
        return part

    def _no_choice(self, sheet: Table, lines: Sequence[Line]) -> None:
        """Report what belongs to one of several cases where the row does not say which."""
        for line in lines:
            for key in ("when", "choice_clause"):
                if key in line.values:
                    self._missing(line, CHOICE.heading, CHOICE_KEY)
                    break

    def _cases(self) -> list[Part]:
        cases = []
        for group in _grouped(self.lines[CASES.name], (CASE_NUMBER,)):
            if group[0].get(CASE_NUMBER) is None:
                for line in group:
                    self._missing(line, "算例号", CASE_NUMBER)
                continue
            case = self._part(CASES, group, levels=("head",))
            bills = []
            for line in group:
                bill = Part(line.place)
                for column_key, at in line.values.items():
                    if column_key not in ("name", "note", CASE_NUMBER):
                        # An amount that the hospital states is one of the bill's amounts.
                        bill.put(f"amounts.{column_key}" if column_key.startswith("stated.") else column_key, at)
                bills.append(bill)
            case.put("bills", bills)
            cases.append(case)
        return cases

    def _answered(self, sheet: Questionnaire, asked: Sequence[Answer]) -> Part:
        part = Part(Place(sheet.name))
        for answer in asked:
            question = answer.question
            part.cells.setdefault(question.key, answer.answer_place)
            if question.clause is not None:
                part.cells.setdefault(question.clause, answer.clause_place)
            if answer.answer is not None and question.several:
                self._append(part, question.key, [answer.answer])
            elif answer.answer is not None:
                self._put_new(part, question.key, answer.answer)
            if answer.clause is not None and question.clause is not None:
                self._put_new(part, question.clause, answer.clause)
        for question in sheet.questions:
            part.cells.setdefault(question.key, Place(sheet.name, asked[0].answer_place.row if asked else None))
        return part

    def _put_new(self, part: Part, key: str, at: At) -> None:
        if key in (known := _put_so_far(part)):
            self._twice(at, known[key].place)
            return
        part.put(key, at)

    def _part(
        self,
        sheet: Table,
        lines: Sequence[Line],
        levels: Sequence[str] = ("head", "choice", "line"),
        leave: Callable[[str], bool] = lambda _key: False,
    ) -> Part:
        """Build a part out of the columns of some levels; what several rows say of it must be the same."""
        part = Part(lines[0].place)
        for column in sheet.columns:
            if column.level not in levels or column.key in BELONGING or leave(column.key):
                continue
            for line in lines:
                if column.key in line.cells:
                    part.cells.setdefault(column.key, line.cells[column.key])
                if (at := line.values.get(column.key)) is None:
                    continue
                said = _put_so_far(part).get(column.key)
                if said is None:
                    part.put(column.key, at)
                elif said.value != at.value:
                    self._differ(at.place, said.place)
        return part

    def _put_once(self, owner: Part, key: str, sheet: Table, lines: Sequence[Line], build: Callable[..., Part]) -> None:
        if key in owner.keys:
            self._differ(lines[0].place, owner.keys[key].place)
        owner.put(key, build(sheet, lines))

    @staticmethod
    def _append(part: Part, key: str, more: Sequence[Any]) -> None:
        if more:
            part.keys.setdefault(key, []).extend(more)

    def _rows(self, sheet: Table) -> list[Line]:
        """Return the rows of a sheet whose version, module and benefit are known, each said by its code."""
        return [line for line in self.lines[sheet.name] if self._settle(sheet, line)]

    def _settle(self, sheet: Table, line: Line) -> bool:
        version = self._version(line)
        if version is None:
            return False
        line.values[VERSION_KEY] = At(version, line.place)
        said = [(key, line.values[key]) for key in (MODULE_KEY, OWNER_KEY) if key in line.values]
        if len(said) == 2:
            zh, en = "模块和待遇只能写一个", "a row belongs to a module or to a benefit, not to both"
            self.found.add(said[1][1].place, "sheet_values_differ", zh, en)
            return False
        if not said and sheet.column(OWNER_KEY) is not None:
            self._missing(line, "待遇", OWNER_KEY)
            return False
        for key, at in said:
            kind, what = ("modules", "模块") if key == MODULE_KEY else ("benefits", "待遇")
            code = self._code(kind, version, at)
            if code is None:
                self._unknown(at, what, [each for name, each in self.owners.get(kind, {}) if name == version])
                return False
            line.values[key] = At(code, at.place)
        return True

    def _version(self, line: Line) -> str | None:
        """Return the version that a row names; a row that names none means the only one there is."""
        said = line.values.get(VERSION_KEY)
        if said is None and len(self.versions) == 1:
            return next(iter(self.versions))
        if said is None:
            self._missing(line, "版本", VERSION_KEY)
            return None
        if said.value not in self.versions:
            if _NAMELESS not in self.versions:
                self._unknown(said, "版本", self.versions)
            return None
        return str(said.value)

    def _owner(self, line: Line) -> Part:
        """Return the module or benefit that a settled row belongs to."""
        kind, key = ("modules", MODULE_KEY) if MODULE_KEY in line.values else ("benefits", OWNER_KEY)
        return self.owners[kind][line.get(VERSION_KEY), line.get(key)]

    def _code(self, kind: str, version: str, at: At) -> str | None:
        """Return the code that a cell names: by the code itself, or by a Chinese name."""
        known = self.owners.get(kind, {})
        code = str(at.value).split()[0]
        if (version, code) in known:
            return code
        if CODE.fullmatch(str(at.value)):
            # What looks like a code is never taken for a name.
            return None
        named = [
            each
            for (name, each), part in known.items()
            if name == version and isinstance(names := part.keys.get("names"), Part) and _text(names, "zh") == at.value
        ]
        return str(named[0]) if len(named) == 1 else None

    def _refer(self, part: Part, key: str, kind: str, line: Line) -> None:
        """Replace what a cell says of a module or a purse by its code."""
        at = part.keys.get(key)
        version = line.get(VERSION_KEY) or next(iter(self.versions), "")
        if isinstance(at, At):
            part.keys[key] = At(self._code(kind, version, at) or str(at.value).split()[0], at.place)

    def _missing(self, line: Line, heading: str, key: str) -> None:
        place = line.cells.get(key) or Place(line.place.sheet, line.place.row, heading)
        filled = "、".join(at.place.heading for at in line.values.values() if at.place.heading)
        self.found.add(
            place,
            "sheet_row_half_filled",
            f"这一行写了「{filled}」，但没有写「{heading}」，请补上",
            f"the row has {filled} but no {heading}: add it",
        )

    def _half_filled(self, line: Line) -> None:
        self.found.add(
            line.place,
            "sheet_row_half_filled",
            "这一行没有写完：请补上金额或比例等内容，或清空整行",
            "the row is half filled: add the amount or the rate, or clear the whole row",
        )

    def _unknown(self, at: At, what: str, known: Iterable[str]) -> None:
        names = "、".join(known)
        self.found.add(
            at.place,
            "sheet_reference_unknown",
            f"没有{what}「{at.value}」，已有的是：{names}",
            f"there is no {at.value}; there are: {names}",
        )

    def _twice(self, at: At, first: Place | None = None) -> None:
        zh = f"，第一次在第 {first.row} 行" if first else ""
        en = f", first in row {first.row}" if first else ""
        self.found.add(
            at.place, "sheet_given_twice", f"写了两次{zh}，请删去一个", f"this is given twice{en}: delete one"
        )

    def _differ(self, place: Place, first: Place) -> None:
        self.found.add(
            place,
            "sheet_values_differ",
            f"与第 {first.row} 行写的不一致，请改成一致或清空",
            f"this differs from row {first.row}: make them the same, or clear the cell",
        )


def _rename(part: Part, key: str, new: str) -> Part:
    """Call a key of a sheet as the plan file does."""
    for kept in (part.keys, part.cells):
        if key in kept:
            kept[new] = kept.pop(key)
    return part


def _put_so_far(part: Part) -> dict[str, Any]:
    """Return what a part has by key, `names.zh` for a key within a key."""
    flat: dict[str, Any] = {}
    for key, value in part.keys.items():
        if isinstance(value, Part):
            flat |= {f"{key}.{inner}": each for inner, each in _put_so_far(value).items()}
        else:
            flat[key] = value
    return flat


def _grouped(lines: Iterable[Line], keys: Sequence[str]) -> list[list[Line]]:
    """Return rows by what they belong to, groups in the order of their first rows."""
    groups: dict[Key, list[Line]] = {}
    for line in lines:
        groups.setdefault(tuple(line.get(key) for key in keys), []).append(line)
    return list(groups.values())


def _text(part: Part, key: str) -> object:
    at = part.keys.get(key)
    return at.value if isinstance(at, At) else at
