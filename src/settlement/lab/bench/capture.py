"""The statements that a settlement really sends, with their values, taken from settlements made in this process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from sqlalchemy import event

from settlement.app import open_resources
from settlement.db.settling import CommandKey
from settlement.domain.settlements import Door
from settlement.gateway.messages import decode
from settlement.lab.bench.bills import HOSPITALS, a_stay, as_body
from settlement.lab.bench.outcome import BenchFailed
from settlement.lab.bench.scene import Scene
from settlement.services.bills.commands import Brought, Caller, Once, SettleBill
from settlement.services.bills.settle_bill import settle_bill

STATEMENTS = 3
"""Lock, read, write; beside them `BEGIN` with the fund, and `COMMIT`."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement with `%(name)s` where a value stands, and the values."""

    sql: str
    values: Mapping[str, Any]


async def capture(scene: Scene, seed: int, count: int) -> list[tuple[Statement, ...]]:
    """Settle bills in process and return the statements of each, of members who were settled before.

    A member's first bill also records the insured person number; it is settled, but not returned.
    """
    chance, captured = Random(f"{seed}-captured"), []
    code, client = HOSPITALS[0][0], scene.clients[HOSPITALS[0][0]].client
    caller = Caller(client.client_id, scene.fund_id, frozenset(client.hospital_codes))
    async with open_resources(scene.installation) as resources:
        sent: list[Statement] = []

        def note(_connection: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
            sent.append(Statement(sql, dict(values)))

        for number in range(2 * count):
            person = scene.persons[number // 2 % len(scene.persons)]
            stay = decode(as_body(a_stay(chance, person, code, f"C{number:08d}")))
            once = Once(CommandKey(client.client_id, f"captured-{number:08d}"), "0" * 64)
            command = SettleBill(caller, Door.API, Brought(stay["output"], stay["visit"]), at_counter=True, once=once)
            await resources.rules.of(scene.fund_id)
            sent.clear()
            event.listen(resources.engine.sync_engine, "before_cursor_execute", note)
            await settle_bill(resources, command)
            event.remove(resources.engine.sync_engine, "before_cursor_execute", note)
            if number % 2:
                captured.append(tuple(sent))
    if any(len(statements) != STATEMENTS for statements in captured):
        raise BenchFailed(f"a settlement sent {[len(statements) for statements in captured]} statements, not 3")
    return captured
