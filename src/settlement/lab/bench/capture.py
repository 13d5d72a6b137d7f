"""The statements that a settlement really sends, with their values, taken from settlements made in this process."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from settlement.app import open_resources
from settlement.db.parts import Part, joined, write_together
from settlement.db.settling import CommandKey
from settlement.domain.settlements import Door
from settlement.gateway.messages import decode
from settlement.lab.bench.bills import HOSPITALS, a_stay, as_body
from settlement.lab.bench.outcome import BenchFailed
from settlement.lab.bench.scene import Scene
from settlement.services.bills import settle_bill as use_case
from settlement.services.bills.commands import Brought, Caller, Once, SettleBill
from settlement.services.bills.settle_bill import settle_bill

STATEMENTS = 3
"""Lock, read, write; beside them `BEGIN` with the fund, and `COMMIT`."""
_PLACE = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement with `%(name)s` where a value stands, and the values."""

    sql: str
    values: Mapping[str, Any]


async def capture(scene: Scene, seed: int, count: int) -> list[tuple[Statement, ...]]:
    """Settle bills in process and return the statements of each, of members who were settled before.

    A member's first bill also records the insured person number; it is settled, but not returned.
    """
    captured = []
    async with open_resources(scene.installation) as resources:
        await resources.rules.of(scene.fund_id)
        for number, command in enumerate(_commands(scene, seed, 2 * count)):
            with _noted(resources.engine) as sent:
                await settle_bill(resources, command)
            if number % 2:
                captured.append(tuple(sent))
    if any(len(statements) != STATEMENTS for statements in captured):
        raise BenchFailed(f"a settlement sent {[len(statements) for statements in captured]} statements, not 3")
    return captured


def _commands(scene: Scene, seed: int, count: int) -> Iterator[SettleBill]:
    chance, code = Random(f"{seed}-captured"), HOSPITALS[0][0]
    client = scene.clients[code].client
    caller = Caller(client.client_id, scene.fund_id, frozenset(client.hospital_codes))
    for number in range(count):
        stay = decode(as_body(a_stay(chance, scene.persons[number // 2], code, f"C{number:08d}")))
        once = Once(CommandKey(client.client_id, f"captured-{number:08d}"), f"{number:064d}")
        yield SettleBill(caller, Door.API, Brought(stay["output"], stay["visit"]), at_counter=True, once=once)


@contextmanager
def _noted(engine: AsyncEngine) -> Iterator[list[Statement]]:
    """Note what is sent: by SQLAlchemy's event, and the write, which goes to the driver directly, on its way there."""
    sent: list[Statement] = []

    def read(_connection: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        sent.append(Statement(sql, dict(values)))

    async def write(connection: AsyncConnection, parts: Sequence[Part]) -> None:
        sent.append(_written(parts))
        await write_together(connection, parts)

    event.listen(engine.sync_engine, "before_cursor_execute", read)
    vars(use_case)["write_together"] = write
    try:
        yield sent
    finally:
        vars(use_case)["write_together"] = write_together
        event.remove(engine.sync_engine, "before_cursor_execute", read)


def _written(parts: Sequence[Part]) -> Statement:
    sql, names = joined(tuple(part.sql for part in parts))
    values = {name: value for part in parts for name, value in part.values.items()}
    return Statement(_PLACE.sub(lambda place: f"%({names[int(place[1]) - 1]})s", sql), values)
