"""Lays a plan file out in rows: what the file says by nesting, the rows say by version, benefit and number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from settlement.plans.sheets.conditions import write_values
from settlement.plans.sheets.layout import (
    BANDS,
    BENEFITS,
    CASE_FACTS,
    CASE_NUMBER,
    CASES,
    CHOICE_KEY,
    CONDITIONS,
    EVENTS,
    FUNDING,
    GROUP_LIMITS,
    LUMP_SUMS,
    MODIFIERS,
    MODULE_KEY,
    MODULES,
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
from settlement.plans.sheets.words import BANDS_RULE

Tree = dict[str, Any]
Row = dict[str, Any]
"""One row by the keys of its columns; in a questionnaire, by `@question`, `@answer` and `@clause`."""
QUESTION_KEY, ANSWER_KEY, CLAUSE_KEY = "@question", "@answer", "@clause"
Rows = dict[str, list[Row]]


def lay_out(tree: Tree) -> Rows:
    """Return the rows of every sheet for a plan file's plain data."""
    header, versions = tree["plan"], tree["versions"]
    rows: Rows = {
        PLAN.name: list(_answers(PLAN, {**header, "@format": tree["format"]}, {})),
        EVENTS.name: [_flat(event) for event in header.get("events", [])],
        STATED.name: [_flat(stated) for stated in header.get("stated", [])],
        CONDITIONS.name: [_condition(condition) for condition in header["covers"]],
        CASE_FACTS.name: list(_answers(CASE_FACTS, tree["case_facts"], {})),
        CASES.name: [row for number, case in enumerate(tree["cases"], 1) for row in _case(number, case)],
    }
    for version in versions:
        for sheet, more in _version(version):
            rows.setdefault(sheet.name, []).extend(more)
    return rows


def _version(version: Tree) -> Iterator[tuple[Table | Questionnaire, list[Row]]]:
    of = {VERSION_KEY: version["version"]}
    yield VERSIONS, [_flat({key: version[key] for key in ("version", "effective_from", "clause")})]
    for module in version.get("modules", []):
        yield MODULES, [{**of, **_flat(_without(module, "term", "waiting"))}]
        yield from _span_of({**of, MODULE_KEY: module["code"]}, module)
    yield PURSES, [{**of, **_flat(purse)} for purse in version.get("purses", [])]
    for benefit in version["benefits"]:
        yield from _benefit({**of, OWNER_KEY: benefit["code"]}, benefit)
    for limit in version.get("limits", []):
        yield GROUP_LIMITS, [{**of, "code": limit["code"], **row} for row in _chosen(_flat_amount(limit))]


def _span_of(of: Row, part: Tree) -> Iterator[tuple[Table, list[Row]]]:
    """Yield the term and the waiting of a module or of a benefit."""
    if term := part.get("term"):
        named = [{f"term.{key}": value for key, value in each.items()} for each in term.get("terms", [])]
        yield TERMS, [{**of, **row} for row in _headed(_without(term, "terms"), named)]
    if waiting := part.get("waiting"):
        yield WAITING, [{**of, **waiting}]


def _benefit(of: Row, benefit: Tree) -> Iterator[tuple[Table | Questionnaire, list[Row]]]:
    yield BENEFITS, list(_answers(BENEFITS, benefit, of))
    yield CONDITIONS, [{**of, **_condition(condition)} for condition in benefit.get("conditions", [])]
    yield from _span_of(of, benefit)
    if per_day := benefit.get("per_day"):
        days = [_renamed(day, "clause", "day_clause") for day in per_day["days"]]
        yield PER_DAY, [{**of, **row} for row in _headed(_without(per_day, "days"), days)]
    if lump_sum := benefit.get("lump_sum"):
        yield LUMP_SUMS, [{**of, **row} for row in _chosen(lump_sum)]
    for number, rule in enumerate(benefit.get("rules", []), 1):
        numbered = {**of, NUMBER_KEY: number}
        if rule["rule"] == BANDS_RULE:
            yield BANDS, [{**numbered, **row} for row in _bands(rule)]
        else:
            yield RULES, [{**numbered, **row} for row in _chosen(_rule(rule))]
        yield MODIFIERS, [{**numbered, **modifier} for modifier in rule.get("modifiers", [])]
    yield FUNDING, [{**of, **share} for share in benefit.get("funding", [])]


def _rule(rule: Tree) -> Row:
    """Return a rule with each key under the key whose column it shares."""
    return {SAME_COLUMN.get((rule["rule"], key), key): value for key, value in _without(rule, "modifiers").items()}


def _bands(rule: Tree) -> Iterator[Row]:
    rows: list[Row] = list(rule.get("bands", []))
    for number, choice in enumerate(rule.get("choices", []), 1):
        said = {key: choice[key] for key in ("when",) if key in choice}
        said |= {"choice_clause": choice["clause"]} if "clause" in choice else {}
        rows += [{CHOICE_KEY: number, **row} for row in _headed(said, choice["bands"])]
    return _headed(_without(rule, "rule", "bands", "choices", "modifiers"), rows)


def _chosen(part: Tree) -> Iterator[Row]:
    """Yield a part of the file with an amount or a rate, one row for each of its choices."""
    for key in ("amount", "rate"):
        if isinstance(choices := part.get(key), list):
            rows = [
                {CHOICE_KEY: number, key: choice["value"]}
                | ({"when": choice["when"]} if "when" in choice else {})
                | ({"choice_clause": choice["clause"]} if "clause" in choice else {})
                for number, choice in enumerate(choices, 1)
            ]
            return _headed(_without(part, key), rows)
    return iter([part])


def _case(number: int, case: Tree) -> Iterator[Row]:
    bills = []
    for bill in case["bills"]:
        row: Row = {key: bill[key] for key in ("asks", "missing", "not_covered") if key in bill}
        amounts = dict(bill.get("amounts", {}))
        row |= {f"stated.{code}": amount for code, amount in amounts.pop("stated", {}).items()}
        for part, values in (("amounts", amounts), ("facts", bill.get("facts", {})), ("pays", bill.get("pays", {}))):
            row |= {f"{part}.{key}": value for key, value in values.items()}
        bills.append(row)
    said: Row = {key: case[key] for key in ("name", "note") if key in case}
    return ({CASE_NUMBER: number, **row} for row in _headed(said, bills))


def _answers(sheet: Questionnaire, part: Tree, of: Row) -> Iterator[Row]:
    """Yield every question, with its answer and clause where the part has them."""
    for question in sheet.questions:
        answer = find(part, question.key)
        clause = find(part, question.clause) if question.clause else (None, False)
        for each in (answer[0] or [None]) if question.several else [answer[0]]:
            given = {ANSWER_KEY: each} if answer[1] else {}
            yield {**of, QUESTION_KEY: question, **given, **({CLAUSE_KEY: clause[0]} if clause[1] else {})}


def find(part: Mapping[str, Any], key: str) -> tuple[Any, bool]:
    """Return what stands under a key such as `names.zh`, and whether anything does."""
    here: Any = part
    for step in key.split("."):
        if not isinstance(here, Mapping) or step not in here:
            return None, False
        here = here[step]
    return here, True


def _headed(head: Row, rows: Iterable[Row]) -> Iterator[Row]:
    """Yield rows of which the first one also says what holds for all of them."""
    said = head
    for row in rows:
        yield {**said, **row}
        said = {}
    if said:
        yield said


def _flat(part: Tree) -> Row:
    """Write names as `names.zh` and `names.en`."""
    row: Row = {}
    for key, value in part.items():
        row |= {f"{key}.{inner}": each for inner, each in value.items()} if key == "names" else {key: value}
    return row


def _flat_amount(limit: Tree) -> Row:
    row = _flat(limit)
    burden = row.pop("burden", {})
    return {**row, **{f"burden.{key}": value for key, value in burden.items()}}


def _condition(condition: Tree) -> Row:
    said = {"one_of": write_values(condition["fact"], condition["one_of"])} if "one_of" in condition else {}
    return {**condition, **said}


def _without(part: Tree, *keys: str) -> Tree:
    return {key: value for key, value in part.items() if key not in keys}


def _renamed(part: Tree, key: str, new: str) -> Tree:
    return {new if each == key else each: value for each, value in part.items()}
