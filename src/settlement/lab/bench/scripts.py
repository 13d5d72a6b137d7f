r"""A settlement's statements as a `pgbench` script: the same SQL, with expressions where one settlement differs.

`pgbench` sends numbers only, so ids are written from two of them: `hi` is the upper half of a UUIDv7 (it grows with
time, so the rows lie together as the service's do and cost the same WAL), `lo` the lower one. `m` is a look-alike of a
member. Everything else is the captured value as a literal, in which a colon is written `\x3a`: `pgbench` would take
`:15` in `'10:15'` for a variable. `BEGIN` and the fund travel in one flush, as the service sends them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from settlement.domain.ids import FundId
from settlement.lab.bench.capture import Statement

PREFIX = "P"
"""What the insurer's ids and the keys of `pgbench`'s settlements begin with."""

_OWN_NUMBER = f"('{PREFIX}' || :hi::bigint)"
_MEMBER = "lpad(to_hex(:m::bigint), 32, '0')::uuid"


def _uuid(low: str) -> str:
    return f"(lpad(to_hex(:hi::bigint), 16, '0') || '8' || lpad(to_hex({low}), 15, '0'))::uuid"


_BILL = _uuid(":lo::bigint")
_EXPRESSIONS: Mapping[str, str] = {
    "key_lock": ":lo::bigint",
    "certificate_index": "sha256(int8send(:m::bigint))",
    "number_index": "sha256(int8send(-:m::bigint))",
    "member_id": _MEMBER,
    "bill_member_id": _MEMBER,
    "settlement_member_id": _MEMBER,
    "consumption_member_id": _MEMBER,
    "insurer_settlement_id": _OWN_NUMBER,
    "bill_insurer_settlement_id": _OWN_NUMBER,
    "key": _OWN_NUMBER,
    "idempotency_key": _OWN_NUMBER,
    "bill_settlement_no": "('HZ' || :hi::bigint)",
    "bill_bill_id": _BILL,
    "settlement_bill_id": _BILL,
    "posting_bill_id": _BILL,
    "consumption_bill_id": _BILL,
    "event_bill_id": _BILL,
    "message_body_bill_id": _BILL,
    "event_event_id": _uuid("1 + :lo::bigint"),
    "message_body_message_id": _uuid("2 + :lo::bigint"),
    "message_body_received_at": "now()",
    "message_body_expires_at": "now() + interval '180 days'",
}
_PLACE = re.compile(r"%\((\w+)\)s")
_QUOTED = re.compile(r"(E?)'((?:[^'\\]|''|\\.)*)'", re.DOTALL)


def write_scripts(
    folder: Path, connection: psycopg.Connection, fund_id: FundId, captured: Sequence[tuple[Statement, ...]]
) -> list[Path]:
    """Write one script per captured settlement; return the files."""
    files = []
    for number, statements in enumerate(captured):
        file = folder / f"settle-{number:03d}.sql"
        file.write_text(_script(connection, fund_id, statements))
        files.append(file)
    return files


def _script(connection: psycopg.Connection, fund_id: FundId, statements: Sequence[Statement]) -> str:
    lines = [
        r"\set m random(1, :members)",
        r"\set n :n + 1",
        r"\set hi ((:base + :n) << 16) | 28672 | :client_id",
        r"\set lo random(0, 1152921504606846975)",
        r"\startpipeline",
        "BEGIN;",
        f"SET LOCAL app.fund = '{fund_id}';",
        r"\endpipeline",
        *[f"{_written(connection, statement)};" for statement in statements],
        "COMMIT;",
    ]
    return "\n".join(lines) + "\n"


def _written(connection: psycopg.Connection, statement: Statement) -> str:
    def value(place: re.Match[str]) -> str:
        name = place.group(1)
        given = statement.values[name]
        expression = _EXPRESSIONS.get(name)
        return expression if expression is not None and given is not None else _literal(connection, given)

    return _PLACE.sub(value, statement.sql).replace("%%", "%").strip()


def _literal(connection: psycopg.Connection, value: Any) -> str:
    return _QUOTED.sub(_without_colons, sql.Literal(value).as_string(connection))


def _without_colons(quoted: re.Match[str]) -> str:
    is_escaped, content = quoted.groups()
    if ":" not in content:
        return quoted.group(0)
    if not is_escaped:
        content = content.replace("\\", "\\\\")
    content = content.replace(":", r"\x3a")
    return f"E'{content}'"
