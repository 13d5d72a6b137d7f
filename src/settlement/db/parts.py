"""Parts of one write: each an `INSERT` or `UPDATE` as SQL with its values, joined into a single statement.

The SQL of a part depends on its table and columns alone, so that a write of the same shape is one prepared statement.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from psycopg.errors import UniqueViolation
from psycopg.types.json import Json, Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.engine import send
from settlement.domain.errors import ensure

_ONCE = {
    "bill_once",
    "bill_once_per_hospital",
    "bill_cancelled_once",
    "bill_number_once",
    "event_once",
    "event_of_fund_once",
    "seal_pk",
    "idempotency_pk",
    "settlement_pk",
    "reversal_pk",
    "person_number_pk",
    "later_payer_once",
}
_NAMED = re.compile(r"(?<![:\w]):([a-z]\w*)")


class RecordedMeanwhile(Exception):
    """Another transaction recorded this bill or this key between our reading and our writing: read again."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its SQL, whose parameters begin with the table's name, and their values."""

    sql: str
    values: Mapping[str, Any]


def insert_part(
    table: str, values: Mapping[str, Any], computed: Sequence[tuple[str, str]] = (), *, row: str = ""
) -> Part:
    """Return the part that inserts one row; `computed` are columns whose value is SQL.

    `row` tells the parameters of several rows of one table apart, where one write may have them.
    """
    prefix = f"{table}_{row}" if row else table
    return Part(
        _insert(table, prefix, tuple(values), tuple(computed)), {f"{prefix}_{name}": values[name] for name in values}
    )


def json(value: object) -> Jsonb:
    """Mark a value as JSON."""
    return Jsonb(value)


def json_as_written(value: object) -> Json:
    """Mark a value as JSON whose text is kept letter for letter, keys in their order."""
    return Json(value)


async def write_together(connection: AsyncConnection, parts: Sequence[Part]) -> None:
    """Write all parts in one statement, hence in one round trip; all of them are there or none.

    Raises `RecordedMeanwhile` when the bill, its number, the key or the revision exists already.
    """
    values = {name: value for part in parts for name, value in part.values.items()}
    ensure(len(values) == sum(len(part.values) for part in parts), "two parts of one write name the same parameter")
    statement, names = joined(tuple(part.sql for part in parts))
    try:
        await send(connection, statement, [values[name] for name in names])
    except UniqueViolation as refused:
        if refused.diag.constraint_name in _ONCE:
            raise RecordedMeanwhile(refused.diag.constraint_name) from refused
        raise


@lru_cache(maxsize=256)
def _insert(table: str, prefix: str, columns: tuple[str, ...], computed: tuple[tuple[str, str], ...]) -> str:
    names = ", ".join([*columns, *[name for name, _ in computed]])
    values = ", ".join([*[f":{prefix}_{name}" for name in columns], *[sql for _, sql in computed]])
    return f"INSERT INTO {table} ({names}) VALUES ({values})"


@lru_cache(maxsize=256)
def joined(parts: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return one statement of all parts, with `$1`, `$2` … where they name values, and those names in order."""
    written = ",\n".join(f"part_{number} AS ({sql})" for number, sql in enumerate(parts))
    names = tuple(dict.fromkeys(_NAMED.findall(written)))
    places = {name: f"${place}" for place, name in enumerate(names, 1)}
    return f"WITH {_NAMED.sub(lambda named: places[named[1]], written)}\nSELECT 1", names
