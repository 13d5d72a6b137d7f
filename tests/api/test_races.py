"""Many at once through real HTTP and real locks: one member's limit, one bill by three doors, and who has to wait."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest

from builders import City, SteeredClock, a_2304, a_2305, facts, open_test_resources, settle
from calling import Callers
from database import rows_of
from gateway.insurer import Insurer, insurer_on_thread
from serving import served, service_process
from settlement.db.embedded import DatabaseUrls
from settlement.domain.money import Money
from settlement.services.access.add_client import NewClient

PLAIN = {"hifp": "0.00", "absorbed": "0.00", "account": "0.00", "excluded": "0.00"}
ROUNDS = 3


@asynccontextmanager
async def callers_of(url: str, clients: dict[str, NewClient], *roles: str) -> AsyncIterator[Callers]:
    limits = httpx.Limits(max_connections=120, max_keepalive_connections=120)
    async with httpx.AsyncClient(trust_env=False, timeout=60, limits=limits) as http:
        callers = Callers(url, http, clients)
        for role in roles:
            await callers.token(role)
        yield callers


@dataclass(frozen=True, slots=True)
class Sent:
    """One bill as it was answered: the seconds it took, and its aid."""

    seconds: float
    aid: Money


async def send(callers: Callers, city: City, output: dict[str, Any], key: str) -> Sent:
    body = {"output": output, "visit": facts(city)}
    began = time.perf_counter()
    answer = await callers.call("hospital", "POST", "/v1/settlements", body, key=key)
    seconds = time.perf_counter() - began
    assert answer.status_code == 201, answer.text
    return Sent(seconds, Money.from_yuan(answer.json()["mutual_aid"]["amount"]))


def test_a_members_limit_holds_and_the_others_hardly_wait(
    database: DatabaseUrls, city: City, two_funds: Any, tmp_path: Path
):
    """50 bills of one member with 100.00 left of the limit, and 50 bills of 50 others sent meanwhile.

    What the others wait is compared with the same 100 bills spread over 100 members, in alternating rounds of one run.
    """

    async def race() -> tuple[list[list[Sent]], list[float], list[float]]:
        async with open_test_resources(database, SteeredClock(), seed=5) as resources:
            for hot in city.members[:ROUNDS]:
                used = await settle(resources, city, a_2304(hot, allowed="49833.33", **PLAIN))
                assert used.answer["mutual_aid"]["amount"] == "30100.00"
        others = city.members[10:60]
        hots, meanwhile, spread = [], [], []
        with service_process(database, tmp_path) as service:
            async with callers_of(service.url, two_funds.clients, "hospital") as callers:
                await asyncio.gather(
                    *[send(callers, city, a_2304(one), f"warm-{n:04d}") for n, one in enumerate(others)]
                )
                for number in range(ROUNDS):
                    bills = [a_2304(city.members[number], allowed="3000.00", **PLAIN) for _ in range(50)]
                    mixed = [(f"hot-{number}-{n:03d}", bill) for n, bill in enumerate(bills)]
                    mixed += [(f"cold-{number}-{n:03d}", a_2304(one)) for n, one in enumerate(others)]
                    sent = await all_at_once(callers, city, mixed, number)
                    hots.append([one for key, one in sent.items() if key.startswith("hot")])
                    meanwhile += [one.seconds for key, one in sent.items() if key.startswith("cold")]
                    alone = [(f"spread-{number}-{n:03d}", a_2304(one)) for n, one in enumerate(city.members[10:110])]
                    spread += [one.seconds for one in (await all_at_once(callers, city, alone, number)).values()]
        return hots, meanwhile, spread

    hots, meanwhile, spread = asyncio.run(race())
    for hot in hots:
        assert len(hot) == 50
        assert sum(one.aid for one in hot) == Money(10_000)
    paid = "SELECT sum(paid_fen) FROM consumption WHERE member_id = '{}'"
    for one in city.members[:ROUNDS]:
        assert rows_of(database, paid.format(one.member_id)) == [(3_020_000,)]
    told = f"median of the others {median(meanwhile):.3f} s, of bills spread over 100 members {median(spread):.3f} s"
    (tmp_path / "medians.txt").write_text(told)
    print(told)  # noqa: T201
    assert median(meanwhile) <= 1.5 * median(spread), told


async def all_at_once(
    callers: Callers, city: City, bills: list[tuple[str, dict[str, Any]]], seed: int
) -> dict[str, Sent]:
    """Send bills together, in an order that a seed shuffles; return what each was answered, by its key."""
    shuffled = random.Random(seed).sample(bills, len(bills))
    sent = await asyncio.gather(*[send(callers, city, output, key) for key, output in shuffled])
    return {key: one for (key, _), one in zip(shuffled, sent, strict=True)}


@pytest.fixture
def insurer() -> Iterator[Insurer]:
    with insurer_on_thread() as running:
        yield running


async def test_one_bill_brought_fetched_and_pushed_at_once_is_settled_once(
    database: DatabaseUrls, city: City, two_funds: Any, insurer: Insurer, tmp_path: Path
):
    (tmp_path / "chongqing.toml").write_text(insurer.profile())
    with served(database, settlement_profiles=tmp_path) as url:
        async with callers_of(url, two_funds.clients, "hospital", "platform") as callers:
            for number in range(4):
                output = a_2304(city.members[number])
                insurer.says_5203(output)
                answers = await asyncio.gather(*_by_three_doors(callers, city, output, number))
                ids = {answer["id"] for answer in answers}
                assert len(ids) == 1
                assert {answer["state"] for answer in answers} == {"live"}
                aids = {(aid["status"], aid["amount"]) for aid in (answer["mutual_aid"] for answer in answers)}
                assert aids in ({("on_bill", "389.83")}, {("to_card", "389.83")})
                (bill_id,) = ids
                now = (await callers.get("hospital", f"/v1/settlements/{bill_id}")).json()
                assert now["confirmed"] is True
    assert rows_of(database, "SELECT count(*), count(DISTINCT bill_id) FROM settlement") == [(4, 4)]
    assert rows_of(database, "SELECT count(*) FROM bill") == [(4,)]
    assert rows_of(database, "SELECT count(*) FROM worklist_item") == [(0,)]
    confirmations = "SELECT count(*) FROM event WHERE type = 'settlement.confirmed.v1' GROUP BY bill_id"
    assert all(count == (1,) for count in rows_of(database, confirmations))


def _by_three_doors(callers: Callers, city: City, output: dict[str, Any], number: int) -> list[Any]:
    node, visit = output["setlinfo"], facts(city)
    ids = {name: node[name] for name in ("psn_no", "setl_id", "mdtrt_id")}
    brought, fetched = {"output": output, "visit": visit}, {"fetch": ids, "visit": visit}

    async def settled(body: dict[str, Any], key: str) -> dict[str, Any]:
        answer = await callers.call("hospital", "POST", "/v1/settlements", body, key=key)
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def pushed() -> dict[str, Any]:
        line = {"output": output, "facts": visit}
        answer = await callers.call("platform", "POST", "/v1/gateway/bills", {"bills": [line]})
        (result,) = answer.json()["results"]
        assert result["status"] in (200, 201), result
        found: dict[str, Any] = result["settlement"]
        return found

    calls = [settled(brought, f"brought-{number}-{n}") for n in range(3)]
    calls += [settled(fetched, f"fetched-{number}-{n}") for n in range(3)]
    calls += [pushed() for _ in range(3)]
    random.Random(number).shuffle(calls)
    return calls


async def test_reversals_sent_at_once_reverse_once_and_free_the_room_once(
    callers: Callers, city: City, database: DatabaseUrls
):
    output = a_2304(city.member, allowed="60000.00", **PLAIN)
    body = {"output": output, "visit": facts(city)}
    settled = (await callers.call("hospital", "POST", "/v1/settlements", body, key="settle-key")).json()
    reversal = {"reason": "refund", "cancellation": a_2305(output)}
    path = f"/v1/settlements/{settled['id']}/reversals"
    answers = await asyncio.gather(
        *[callers.call("hospital", "POST", path, reversal, key=f"reverse-{n:03d}") for n in range(10)]
    )
    assert sorted({answer.status_code for answer in answers}) in ([201], [200, 201], [201, 409], [200, 201, 409])
    assert sum(answer.status_code == 201 for answer in answers) == 1
    assert rows_of(database, "SELECT count(*) FROM reversal") == [(1,)]
    assert rows_of(database, "SELECT record, count(*) FROM posting GROUP BY 1 ORDER BY 1") == [
        ("reversal", 3),
        ("settlement", 3),
    ]


async def test_two_persons_claiming_one_new_number_at_once_get_one_of_them_held(
    callers: Callers, city: City, database: DatabaseUrls
):
    for number in range(5):
        people = [replace(city.members[2 * number + n], insured_person_no=f"ZG7{number:09d}") for n in (0, 1)]
        answers = await asyncio.gather(
            *[
                callers.call(
                    "hospital",
                    "POST",
                    "/v1/settlements",
                    {"output": a_2304(person), "visit": facts(city)},
                    key=f"number-{number}-{n}",
                )
                for n, person in enumerate(people)
            ]
        )
        assert sorted(answer.json()["mutual_aid"]["status"] for answer in answers) == ["held", "on_bill"]
    assert rows_of(database, "SELECT count(*) FROM person_number") == [(5,)]
