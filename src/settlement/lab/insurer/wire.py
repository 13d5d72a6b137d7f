"""JSON as the platform writes it, and amounts as it reads them: whole fen inside, never a float.

The writer is our own because the standard one cannot print an exact decimal as a JSON number.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring
from typing import Any

NO_CEILING = "999999"


class Number(str):
    """The text of a JSON number: the writer prints it without quotes, exactly as it stands."""

    __slots__ = ()


class Malformed(ValueError):
    """A body or an amount that the platform cannot read."""


ZERO = Number("0")
ZERO_DOUBLE = Number("0.0")


def yuan(fen: int, zero: Number = ZERO) -> Number:
    """Write an amount of fen as yuan the way the real messages do: 4.52, 25.1, 200.0.

    Zero is `0` in settlements and `0.0` in cancellations and in some fields, so the caller chooses it.
    """
    if not fen:
        return zero
    whole, rest = divmod(abs(fen), 100)
    sign = "-" if fen < 0 else ""
    if rest % 10:
        return Number(f"{sign}{whole}.{rest:02d}")
    return Number(f"{sign}{whole}.{rest // 10}")


def double(value: Decimal) -> Number:
    """Write a quantity, a price or a ratio with at least one decimal: 3.0, 4.52, 0.05."""
    text = format(value.normalize(), "f")
    return Number(text if "." in text else f"{text}.0")


def read_fen(value: object) -> int:
    """Read an amount in yuan, a JSON number or a string, as whole fen.

    Empty and null are zero, as the platform takes them. Raises `Malformed` on anything that is not whole fen.
    """
    if value is None or value == "":
        return 0
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise Malformed(f"not an amount: {value!r}")
    try:
        scaled = Decimal(value).scaleb(2)
        fen = int(scaled)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise Malformed(f"not an amount: {value!r}") from error
    if fen != scaled:
        raise Malformed(f"more than two decimals: {value!r}")
    return fen


def read_decimal(value: object) -> Decimal:
    """Read a quantity or a price as an exact decimal. Raises `Malformed` on anything else."""
    try:
        number = Decimal(value) if isinstance(value, (int, str)) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise Malformed(f"not a number: {value!r}")
    return number


def parse(body: bytes) -> dict[str, Any]:
    """Read a message body; decimals come as the text that was sent, so nothing is rounded on the way in."""
    try:
        message = json.loads(body, parse_float=Number)
    except ValueError as error:
        raise Malformed("not JSON") from error
    if not isinstance(message, dict):
        raise Malformed("not a JSON object")
    return message


def encode(value: object) -> str:
    """Write a value as compact JSON, `Number` as a bare number and Chinese as it is."""
    if isinstance(value, str):
        return value if type(value) is Number else encode_basestring(value)
    if value is None:
        return "null"
    if isinstance(value, dict):
        return _encode_object(value)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([encode(item) for item in value]) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    raise TypeError(f"the platform does not write {type(value).__name__}")


def _encode_object(members: dict[str, object]) -> str:
    """Write an object; its keys are plain names, and most of its values numbers, nulls and texts."""
    parts = []
    for key, value in members.items():
        if value is None:
            parts.append(f'"{key}":null')
        elif isinstance(value, str):
            parts.append(f'"{key}":{value if type(value) is Number else encode_basestring(value)}')
        else:
            parts.append(f'"{key}":{encode(value)}')
    return "{" + ",".join(parts) + "}"
