"""The commit is lost, or its answer, and the process dies: the same key tells the truth, and nothing is half there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from builders import City, a_2304, a_2305, facts, open_test_resources
from calling import Callers
from database import rows_of
from serving import registered_clients, served, service_process
from settlement.db.embedded import DatabaseUrls
from settlement.services.access.add_client import NewClient
from wire import Fate, wire_to

KEY = "H50010302473-20250311-000001"
RECORDS = ("bill", "settlement", "posting", "consumption", "event", "message_body", "idempotency", "person_number")


def counts(database: DatabaseUrls) -> dict[str, Any]:
    return {table: rows_of(database, f"SELECT count(*) FROM {table}")[0][0] for table in RECORDS}


@asynccontextmanager
async def callers_of(url: str, clients: dict[str, NewClient]) -> AsyncIterator[Callers]:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        callers = Callers(url, http, clients)
        await callers.token("hospital")
        yield callers


@pytest.fixture
async def clients(database: DatabaseUrls, city: City) -> dict[str, NewClient]:
    async with open_test_resources(database, seed=3) as resources:
        return await registered_clients(resources, city)


@pytest.mark.parametrize("command", ["settle", "reverse"])
@pytest.mark.parametrize("fate", [Fate.COMMIT_SWALLOWED, Fate.ANSWER_SWALLOWED])
async def test_after_a_lost_commit_the_same_key_on_a_new_process_tells_the_truth(
    database: DatabaseUrls, city: City, clients: dict[str, NewClient], tmp_path: Path, fate: Fate, command: str
):
    output = a_2304(city.member)
    path, body = "/v1/settlements", {"output": output, "visit": facts(city)}
    with wire_to(database) as wire, service_process(wire.urls(database), tmp_path) as service:
        async with callers_of(service.url, clients) as callers:
            if command == "reverse":
                settled = await callers.call("hospital", "POST", path, body, key=f"{KEY}-0")
                path += f"/{settled.json()['id']}/reversals"
                body = {"reason": "refund", "cancellation": a_2305(output)}
            before = counts(database)
            wire.let_the_next_commit_be(fate)
            lost = asyncio.create_task(callers.call("hospital", "POST", path, body, key=KEY))
            assert await asyncio.to_thread(wire.happened.wait, 20)
            service.kill()
            with pytest.raises(httpx.TransportError):
                await lost
    after_the_crash = counts(database)
    written = {"settle": set(RECORDS), "reverse": {"posting", "event", "message_body", "idempotency"}}[command]
    changed = {table for table in RECORDS if after_the_crash[table] != before[table]}
    assert changed == (set() if fate is Fate.COMMIT_SWALLOWED else written)
    with served(database) as fresh:
        async with callers_of(fresh, clients) as callers:
            fate_told = await callers.get("hospital", f"/v1/requests/{KEY}")
            again = await callers.call("hospital", "POST", path, body, key=KEY)
            assert again.status_code == 201
            assert again.json()["state"] == ("live" if command == "settle" else "reversed")
            told = (
                again.json()["mutual_aid"]["on_bill"]
                if command == "settle"
                else again.json()["reversal"]["aid_on_bill"]
            )
            assert told == "389.83"
            if fate is Fate.COMMIT_SWALLOWED:
                assert fate_told.status_code == 404
                assert "idempotent-replayed" not in again.headers
            else:
                assert fate_told.json()["body"] == again.json()
                assert again.headers["idempotent-replayed"] == "true"
                assert counts(database) == after_the_crash
            proof = (await callers.get("hospital", f"/v1/settlements/{again.json()['id']}/proof")).json()
            assert (proof["closes"], proof["postings_balance"], proof["replays_to_the_same_fen"]) == (True, True, True)
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(1,)]
    assert rows_of(database, "SELECT count(*) FROM reversal") == [(int(command == "reverse"),)]


async def test_one_settlement_costs_one_commit_and_at_most_five_round_trips(
    database: DatabaseUrls, city: City, clients: dict[str, NewClient]
):
    """The first settlements of a connection cost more: a statement is prepared when it is sent the sixth time."""
    costs = []
    with wire_to(database) as wire, served(wire.urls(database)) as url:
        async with callers_of(url, clients) as callers:
            for number in range(24):
                body = {"output": a_2304(city.members[number % 3]), "visit": facts(city)}
                wire.count_anew()
                settled = await callers.call("hospital", "POST", "/v1/settlements", body, key=f"{KEY}-{number}")
                assert settled.status_code == 201
                counted = wire.counts
                costs.append((counted.commits, counted.statements_outside, counted.trips))
    warm = costs[10:]
    assert {commits for commits, _, _ in warm} == {1}
    assert {outside for _, outside, _ in warm} == {0}
    assert max(trips for _, _, trips in warm) <= 5, costs
    assert min(trips for _, _, trips in warm) >= 3, "the wire counts too few trips to be believed"


async def test_the_wire_counts_what_a_transaction_of_known_shape_sends(database: DatabaseUrls, city: City):
    with wire_to(database) as wire:
        async with open_test_resources(wire.urls(database)) as resources, resources.engine.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")
            wire.count_anew()
            await connection.exec_driver_sql("BEGIN")
            await connection.exec_driver_sql("SELECT 1")
            await connection.exec_driver_sql("COMMIT")
            await connection.exec_driver_sql("SELECT 1")
            assert (wire.counts.trips, wire.counts.commits, wire.counts.statements_outside) == (4, 1, 1)
