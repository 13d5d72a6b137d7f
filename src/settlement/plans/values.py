"""How a plan file writes amounts and rates: `1000` or `"1000.50"` yuan, `"20%"`. Exact both ways, never a float."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from settlement.domain.money import Money

_YUAN = r"^-?[0-9]{1,12}(\.[0-9]{1,2})?$"
_RATE = r"^(-?[0-9]{1,3}(\.[0-9]{1,6})?%|nothing)$"
_POINTS = r"^[+-]?[0-9]{1,3}(\.[0-9]{1,4})?$"
NOTHING = "nothing"


def bilingual(kind: str, zh: str, en: str) -> PydanticCustomError:
    """Make a validation error that carries its sentence in both languages."""
    return PydanticCustomError(kind, "{en}", {"zh": zh, "en": en})


def read_yuan(given: object) -> Money:
    """Read an amount in yuan, whole or as text with at most two decimals, into fen; `Money` is fen already."""
    if isinstance(given, Money):
        return given
    if isinstance(given, int | str) and not isinstance(given, bool) and re.fullmatch(_YUAN, str(given)):
        return Money.from_yuan(given)
    if isinstance(given, list):
        raise bilingual("yuan", "此处不能按条件取值，请写一个金额", "choices are not allowed here: write one amount")
    raise bilingual(
        "yuan",
        f'{given} 不是金额：请写整数元，或加引号写至多两位小数，如 "1000.50"',
        f'{given} is not an amount: write whole yuan, or quote at most two decimals, as "1000.50"',
    )


def read_rate(given: object) -> Fraction:
    """Read a rate such as `"62.5%"` exactly; `nothing` is zero, said on purpose."""
    if isinstance(given, Fraction):
        return given
    if isinstance(given, list):
        raise bilingual("rate", "此处不能按条件取值，请写一个比例", "choices are not allowed here: write one rate")
    if given == NOTHING:
        return Fraction(0)
    if isinstance(given, str) and re.fullmatch(_RATE, given) and (rate := Fraction(given.removesuffix("%")) / 100):
        return rate
    raise bilingual(
        "rate",
        f'{given} 不是比例：请加引号写百分数，如 "20%"；不补助的写 nothing',
        f'{given} is not a rate: quote a percentage, as "20%", or write nothing',
    )


def write_rate(rate: Fraction) -> str:
    """Write a rate as the file does: `20%`, `62.5%`, `nothing`."""
    return f"{_decimal(rate * 100)}%" if rate else NOTHING


def read_points(given: object) -> Fraction:
    """Read percentage points such as `"+5"` or `"-0.5"` exactly, as the part of an amount that they are."""
    if isinstance(given, Fraction):
        return given
    if isinstance(given, str) and re.fullmatch(_POINTS, given):
        return Fraction(given) / 100
    raise bilingual(
        "points",
        f'{given} 不是百分点：请加引号写带符号的数，如 "+5"、"-10"',
        f'{given} is not a number of percentage points: quote it with its sign, as "+5" or "-10"',
    )


def write_points(points: Fraction) -> str:
    """Write percentage points as the file does: `+5`, `-0.5`."""
    return f"{'+' if points >= 0 else '-'}{_decimal(abs(points) * 100)}"


def _decimal(exact: Fraction) -> str:
    return f"{(Decimal(exact.numerator) / Decimal(exact.denominator)).normalize():f}"


Yuan = Annotated[
    Money,
    PlainValidator(read_yuan),
    PlainSerializer(Money.yuan, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": _YUAN}]}),
]
"""An amount of money; yuan in the file, fen in the program."""

Rate = Annotated[
    Fraction,
    PlainValidator(read_rate),
    PlainSerializer(write_rate, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _RATE}),
]
"""A part of an amount as an exact fraction; zero where the plan declares that it pays nothing."""

Points = Annotated[
    Fraction,
    PlainValidator(read_points),
    PlainSerializer(write_points, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _POINTS}),
]
"""Percentage points that change a rate; `+5` makes 60% of 55%."""
