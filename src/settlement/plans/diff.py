"""What differs between two versions of a plan, part by part, in the file's own writing; a person judges what it means.

It compares the canonical texts as plain data and knows no rule by its meaning, so what the language learns later is
compared, too. Parts of a list are told apart by what names them (a benefit's code, a rule's kind, a band's start).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

_NAMES = ("code", "fact", "rule", "above", "name")
"""Keys that name a part within its list, the first that all parts have and that differs from part to part."""
_ORDER = "order"
_WHOLE_YUAN = re.compile(r"(-?\d+)\.00")


class _Label(NamedTuple):
    zh: str
    en: str


_LABELS = {
    "above": _Label("起点", "lower end"),
    "account_money": _Label("个人账户支付", "account money"),
    "accumulation": _Label("累计方式", "accumulation"),
    "amount": _Label("金额", "amount"),
    "bands": _Label("分段", "bands"),
    "base": _Label("补助基数", "base"),
    "benefits": _Label("待遇", "benefits"),
    "burden": _Label("个人负担", "burden"),
    "burden_limit": _Label("个人负担限额", "burden limit"),
    "clause": _Label("条款依据", "clause"),
    "code": _Label("代码", "code"),
    "conditions": _Label("条件", "conditions"),
    "covers": _Label("参加对象", "covers"),
    "effective_from": _Label("生效日", "first day"),
    "format": _Label("格式", "format"),
    "header": _Label("计划", "plan"),
    "label": _Label("提示语", "label"),
    "minimum": _Label("最低补助", "minimum"),
    "minus": _Label("减项", "minus"),
    "mode": _Label("舍入方式", "mode"),
    "names": _Label("名称", "names"),
    "notes": _Label("说明", "notes"),
    "one_of": _Label("可取值", "values"),
    "overpayment": _Label("多付处理", "overpayment"),
    "plus": _Label("加项", "plus"),
    "rate": _Label("比例", "rate"),
    "rounding": _Label("舍入", "rounding"),
    "rules": _Label("规则", "rules"),
    "source": _Label("出处", "source"),
    "stay_date": _Label("住院按何日", "date of a stay"),
    "term": _Label("保障期", "term"),
    "term_limit": _Label("年度限额", "term limit"),
    "up_to": _Label("止点", "upper end"),
    "version": _Label("版本", "version"),
    _ORDER: _Label("顺序", "order"),
}
"""What a fund officer calls the keys of the file; a key without a label is shown as the file writes it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that differs: where, under which clause (the later version's), and its two values; absent is `None`."""

    path: tuple[str, ...]
    clause: str | None
    before: str | None
    after: str | None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values, with its sentences."""
        return {
            "path": ".".join(self.path),
            "clause": self.clause,
            "before": self.before,
            "after": self.after,
            "zh": self.zh,
            "en": self.en,
        }

    @property
    def zh(self) -> str:
        """The difference as a line in Chinese."""
        where = _where(self.path, 0)
        clause = f"（依据：{self.clause}）" if self.clause and self.path[-1] != "clause" else ""
        if self.before is None:
            return f"{where}：新增 {self.after}{clause}"
        if self.after is None:
            return f"{where}：删除 {self.before}{clause}"
        return f"{where}：由 {self.before} 改为 {self.after}{clause}"

    @property
    def en(self) -> str:
        """The difference as a line in English; names and clauses stay as the file has them."""
        where = _where(self.path, 1)
        clause = f" (clause: {self.clause})" if self.clause and self.path[-1] != "clause" else ""
        if self.before is None:
            return f"{where}: new, {self.after}{clause}"
        if self.after is None:
            return f"{where}: gone, was {self.before}{clause}"
        return f"{where}: from {self.before} to {self.after}{clause}"


def diff_versions(before: str, after: str) -> list[Difference]:
    """Compare two canonical texts; return the differences as the file has them: header, then body."""
    old, new = json.loads(before), json.loads(after)
    differences = list(_compare((), None, old, new))
    return sorted(differences, key=lambda difference: difference.path[0] == "body")


def _compare(path: tuple[str, ...], clause: str | None, old: Any, new: Any) -> Iterator[Difference]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        clause = new.get("clause", old.get("clause", clause))
        for key in dict.fromkeys((*old, *new)):
            yield from _compare((*path, key), clause, old.get(key), new.get(key))
    elif _are_parts(old) and _are_parts(new) and (name := _name_of(old, new)):
        yield from _compare_parts(path, clause, name, old, new)
    else:
        clause = _clause_of(new, _clause_of(old, clause))
        yield Difference(path, clause, _part_written(old), _part_written(new))


def _compare_parts(
    path: tuple[str, ...], clause: str | None, name: str, old: Sequence[Any], new: Sequence[Any]
) -> Iterator[Difference]:
    """Compare two lists whose parts have names; the same parts in another order are a difference, too."""
    olds, news = ({str(part[name]): part for part in parts} for parts in (old, new))
    for key in dict.fromkeys((*olds, *news)):
        yield from _compare((*path[:-1], f"{path[-1]}[{_yuan(key)}]"), clause, olds.get(key), news.get(key))
    kept_old, kept_new = [key for key in olds if key in news], [key for key in news if key in olds]
    if kept_old != kept_new:
        yield Difference((*path, _ORDER), clause, ", ".join(map(_yuan, kept_old)), ", ".join(map(_yuan, kept_new)))


def _are_parts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(part, Mapping) for part in value)


def _name_of(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the key that names every part of both lists, each differently; `None` where there is none."""
    for name in _NAMES:
        if all(isinstance(part.get(name), str) for part in (*old, *new)) and all(
            len({part[name] for part in parts}) == len(parts) for parts in (old, new)
        ):
            return name
    return None


def _clause_of(value: Any, otherwise: str | None) -> str | None:
    found = value.get("clause") if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else otherwise


def _part_written(value: Any) -> str | None:
    """Write a part without its clause, which stands beside it."""
    if not isinstance(value, Mapping):
        return _written(value)
    return _written({key: part for key, part in value.items() if key != "clause"})


def _written(value: Any) -> str | None:
    """Write a value as the file does: whole amounts as whole numbers, lists and mappings in one line."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        shown = (f"{key}: {_written(part)}" for key, part in value.items())
        return "{" + ", ".join(shown) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(str(_written(part)) for part in value) + "]"
    return _yuan(value) if isinstance(value, str) else json.dumps(value)


def _yuan(text: str) -> str:
    whole = _WHOLE_YUAN.fullmatch(text)
    return whole[1] if whole else text


def _where(path: tuple[str, ...], language: int) -> str:
    return " › ".join(_said(step, language) for step in path if step != "body")


def _said(step: str, language: int) -> str:
    """Say one step of a path: `rules[bands]` is the rules' part that is called bands."""
    key, _, part = step.removesuffix("]").partition("[")
    said = [_LABELS[word][language] if word in _LABELS else word for word in (key, part) if word]
    return " ".join(said)
