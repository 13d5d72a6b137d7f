"""Random plan files of any form the model has: strange texts, every key, no sense. A new key is in them at once."""

from __future__ import annotations

import json
from datetime import date, timedelta
from enum import Enum
from fractions import Fraction
from random import Random
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from settlement.domain.money import Money
from settlement.plans.model import PlanFile
from settlement.plans.model.parts import Code
from settlement.plans.values import Points
from settlement.plans.vocabulary import FACTS

LETTERS = "甲乙会员ab 17=+-\"'、；;#：（）未知无至≥%\n"
WORDS = ("inpatient", "310", "active", "住院", "是", "三级", "未知", "无", "不限", "yes", "2026-01-01", "=1+1", "#N/A")


def a_random_plan(seed: int) -> PlanFile:
    """Return a plan file of any form; the same seed gives the same one."""
    tree = _told_apart(_Maker(Random(seed)).part(PlanFile))
    return PlanFile.model_validate_json(json.dumps(tree))


class _Maker:
    """Makes what the model's annotations ask for; keys whose form the annotations do not say are made by name."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def part(self, model: type[BaseModel]) -> dict[str, Any]:
        """Make a part of the file with about two thirds of its optional keys."""
        hints, made = get_type_hints(model, include_extras=True), {}
        for name, field in model.model_fields.items():
            if field.is_required() or self.random.random() < 0.65:
                hint = field.annotation if isinstance(hints[name], TypeVar) else hints[name]
                made[field.alias or name] = self.named(model.__name__, field.alias or name, hint)
        return made

    def named(self, model: str, key: str, hint: Any) -> Any:
        """Make the value of a key."""
        random = self.random
        match key:
            case "when":
                return {self.fact(): self.test() for _ in range(random.randint(1, 2))}
            case "fact":
                return self.fact()
            case "starts" | "until":
                return random.choice(["01-31", "09-01", "12-31"])
            case "pays" if model == "CaseBill":
                return {self.code(): self.yuan() for _ in range(random.randint(0, 2))}
            case "stated" if model == "CaseAmounts":
                return {self.code(): self.yuan() for _ in range(random.randint(0, 2))}
            case "asks":
                return [self.code() for _ in range(random.randint(0, 2))]
        return self.of(hint)

    def of(self, hint: Any) -> Any:
        """Make a value of an annotated type."""
        random, origin = self.random, get_origin(hint)
        if hint is Code:
            return self.code()
        if hint is Points:
            return f"{random.choice('+-')}{random.randint(0, 99)}.{random.randint(0, 99):02d}"
        if origin is Annotated:
            return self.annotated(get_args(hint)[0], hint)
        if origin in (Union, UnionType):
            return self.of(random.choice(get_args(hint)))
        if origin is Literal:
            return random.choice(get_args(hint))
        if origin is tuple:
            return [self.of(get_args(hint)[0]) for _ in range(random.randint(1, 3))]
        if origin is dict:
            return {self.text(): self.of(get_args(hint)[1]) for _ in range(random.randint(0, 2))}
        if issubclass(hint, BaseModel):
            return self.part(hint)
        if issubclass(hint, Enum):
            return random.choice([each.value for each in hint])
        makers = {Money: self.yuan, Fraction: self.rate, date: self.day, str: self.text, NoneType: lambda: None}
        if hint in makers:
            return makers[hint]()
        return {bool: random.choice([True, False]), int: random.randint(-9, 999)}[hint]

    def annotated(self, plain: Any, hint: Any) -> Any:
        """Make a whole number within its bounds, a version's name, or what the plain type says."""
        constraints = [each for note in get_args(hint)[1:] for each in (note, *getattr(note, "metadata", []))]
        if plain is int:
            low = max((each.ge for each in constraints if getattr(each, "ge", None) is not None), default=-9)
            high = min((each.le for each in constraints if getattr(each, "le", None) is not None), default=999)
            return self.random.randint(low, high)
        if int in get_args(plain):
            return self.random.randint(1, 99)
        if any("{0,19}" in str(getattr(each, "pattern", "")) for each in constraints):
            return self.random.choice(["2026", "1.10", "1e5", "v-2", "007"]) + str(self.random.randint(0, 9))
        return self.of(plain)

    def code(self) -> str:
        return self.random.choice("abxyz") + "".join(self.random.choices("abc_19", k=self.random.randint(0, 4)))

    def text(self) -> str:
        if self.random.random() < 0.2:
            return self.random.choice(WORDS)
        return self.random.choice("甲a1=") + "".join(self.random.choices(LETTERS, k=self.random.randint(0, 9)))

    def fact(self) -> str:
        return self.random.choice(sorted(FACTS)) if self.random.random() < 0.8 else self.text()

    def test(self) -> Any:
        if self.random.random() < 0.5:
            return {key: self.random.randint(-5, 999) for key in ("at_least", "at_most") if self.random.random() < 0.6}
        return [self.value() for _ in range(self.random.randint(1, 3))]

    def value(self) -> Any:
        return self.random.choice([self.text(), self.random.choice(WORDS), self.random.randint(-9, 400), True, False])

    def yuan(self) -> Any:
        fen = self.random.choice([0, 7, -7, 100, 99_999, 123_400, self.random.randint(-(10**9), 10**13)])
        return self.random.choice([fen // 100, Money(fen).yuan()])

    def rate(self) -> str:
        exact = f"{self.random.randint(0, 120)}.{self.random.randint(1, 999_999):06d}%"
        return self.random.choice(["nothing", f"{self.random.randint(1, 300)}%", "-5%", exact])

    def day(self) -> str:
        return (date(1990, 1, 1) + timedelta(days=self.random.randint(0, 40_000))).isoformat()


def _told_apart(tree: dict[str, Any]) -> dict[str, Any]:
    """Give everything with a code, and every version, a name of its own, and every rule of bands a band."""
    for place, version in enumerate(tree["versions"]):
        version["version"] = f"{version['version'][:9]}.{place}"
        for part in ("modules", "purses", "benefits", "limits"):
            for number, each in enumerate(version.get(part, [])):
                each["code"] = f"{each['code']}{number}"
        for benefit in version["benefits"]:
            for rule in benefit.get("rules", []):
                if rule["rule"] == "bands" and not rule.get("bands") and not rule.get("choices"):
                    rule["bands"] = [{"rate": "50%", "clause": "x"}]
    return tree
