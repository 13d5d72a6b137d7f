"""The room that a bill or a hold takes, as columns: consumption and hold_room have the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from settlement.domain.benefits import Taking

_TYPES = {
    "benefit": "text",
    "term": "text",
    "base_fen": "bigint",
    "burden_fen": "bigint",
    "paid_fen": "bigint",
    "days": "integer",
    "times": "integer",
    "deductible_fen": "bigint",
    "unit": "text",
    "visit": "text",
    "care_from": "date",
    "care_to": "date",
    "hospital_code": "text",
    "diagnosis": "text",
}
ROOM_COLUMNS = ", ".join(_TYPES)


def room_values(taken: Sequence[Taking]) -> dict[str, list[Any]]:
    """Return what was taken, column by column, in fen, days and times."""
    return {
        "benefit": [taking.code for taking in taken],
        "term": [taking.term for taking in taken],
        "base_fen": [int(taking.room.base) for taking in taken],
        "burden_fen": [int(taking.room.burden) for taking in taken],
        "paid_fen": [int(taking.room.paid) for taking in taken],
        "days": [taking.room.days for taking in taken],
        "times": [taking.room.times for taking in taken],
        "deductible_fen": [int(taking.room.deductible) for taking in taken],
        "unit": [taking.unit for taking in taken],
        "visit": [taking.visit for taking in taken],
        "care_from": [taking.care_from for taking in taken],
        "care_to": [taking.care_to for taking in taken],
        "hospital_code": [taking.hospital for taking in taken],
        "diagnosis": [taking.diagnosis for taking in taken],
    }


def rows_of_room(prefix: str) -> str:
    """Return the SQL of a table of those columns, whose values are parameters that begin with `prefix`."""
    return f"unnest({', '.join(f'CAST(:{prefix}_{name} AS {type_}[])' for name, type_ in _TYPES.items())})"
