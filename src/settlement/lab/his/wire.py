"""JSON and money as the hospital's billing system reads and writes them: exact decimals, whole fen, never a float."""

from __future__ import annotations

import json
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any


def read_json(body: bytes | str) -> Any:
    """Read JSON with every number as a `Decimal`."""
    return json.loads(body, parse_float=Decimal, parse_int=Decimal)


def write_json(value: object) -> str:
    """Write JSON with a `Decimal` as a bare number, so that what was read is written with the same digits."""
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, Decimal)):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode_basestring(key)}:{write_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(write_json(item) for item in value) + "]"
    raise TypeError(f"cannot write {type(value).__name__}")


def yuan(fen: int) -> str:
    """Write an amount of fen as a string of yuan with two decimals, as requests carry it."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def fen_of(value: Decimal | str | None) -> int:
    """Read an amount in yuan as whole fen; null counts as zero. Raises `ValueError` on a fraction of a fen."""
    scaled = Decimal(value or 0).scaleb(2)
    fen = int(scaled)
    if fen != scaled:
        raise ValueError(f"not whole fen: {value}")
    return fen
