"""Many at once through real HTTP and real locks: one member's limit, one bill by three doors, and who has to wait."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest

from api.conftest import TwoFunds
from builders import City, SteeredClock, a_2304, a_2305, facts, open_test_resources, settle
from calling import Callers, body_of
from database import rows_of
from gateway.insurer import Insurer, insurer_on_thread
from serving import served, service_process
from settlement.db.embedded import DatabaseUrls
from settlement.domain.money import Money
from settlement.services.access.add_client import NewClient

PLAIN = {"hifp": "0.00", "absorbed": "0.00", "account": "0.00", "excluded": "0.00"}
ROUNDS = 5


@asynccontextmanager
async def callers_of(url: str, clients: dict[str, NewClient], *roles: str) -> AsyncIterator[Callers]:
    limits = httpx.Limits(max_connections=120, max_keepalive_connections=120, keepalive_expiry=1)
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


class Rush:
    """Sends bills together, written beforehand, so that the sender's own work hardly counts."""

    def __init__(self, callers: Callers, city: City, token: str) -> None:
        self._callers = callers
        self._city = city
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._keys = itertools.count()

    async def send(self, outputs: Sequence[dict[str, Any]], seed: int) -> list[Sent]:
        """Send all bills at once, in an order that a seed shuffles; return what each was answered, in theirs."""
        bodies = [body_of({"output": output, "visit": facts(self._city)}) for output in outputs]
        order = random.Random(seed).sample(range(len(bodies)), len(bodies))
        sent = await asyncio.gather(*[self._one(bodies[number]) for number in order])
        return [one for _, one in sorted(zip(order, sent, strict=True), key=lambda pair: pair[0])]

    async def _one(self, body: bytes) -> Sent:
        headers = self._headers | {"Idempotency-Key": f"rush-{next(self._keys):06d}"}
        began = time.perf_counter()
        answer = await self._callers.http.post(f"{self._callers.url}/v1/settlements", content=body, headers=headers)
        seconds = time.perf_counter() - began
        assert answer.status_code == 201, answer.text
        return Sent(seconds, Money.from_yuan(answer.json()["mutual_aid"]["amount"]))


@dataclass(slots=True)
class Races:
    """What was measured in several rounds: the hot members' bills, and the median of others to that of all spread."""

    hot: list[list[Sent]] = field(default_factory=list)
    meanwhile: list[float] = field(default_factory=list)
    spread: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median over the rounds; the two medians of a round lie next to each other in time."""
        return median(one / other for one, other in zip(self.meanwhile, self.spread, strict=True))


async def race(rush: Rush, city: City, rounds: int) -> Races:
    """Race 50 bills of a hot member and 50 of others, then 100 of 100 members, or the other way round."""
    races, others = Races(), city.members[20:70]
    await rush.send([a_2304(one) for one in city.members[20:120]], 0)
    for number in range(rounds):

        async def mixed(number: int = number) -> None:
            hot = [a_2304(city.members[number], allowed="3000.00", **PLAIN) for _ in range(50)]
            sent = await rush.send([*hot, *[a_2304(one) for one in others]], number)
            races.hot.append(sent[:50])
            races.meanwhile.append(median(one.seconds for one in sent[50:]))

        async def spread(number: int = number) -> None:
            sent = await rush.send([a_2304(one) for one in city.members[20:120]], number)
            races.spread.append(median(one.seconds for one in sent))

        for part in (mixed, spread) if number % 2 == 0 else (spread, mixed):
            await part()
    return races


async def test_a_members_limit_holds_and_the_others_hardly_wait(
    database: DatabaseUrls, city: City, two_funds: TwoFunds, tmp_path: Path
):
    """50 bills of one member with 100.00 left of the limit, and 50 bills of 50 others sent meanwhile.

    What the others wait is compared with the same 100 bills spread over 100 members, in alternating rounds of one run.
    """
    async with open_test_resources(database, SteeredClock(), seed=5) as resources:
        for hot in city.members[:ROUNDS]:
            used = await settle(resources, city, a_2304(hot, allowed="49833.33", **PLAIN))
            assert used.answer["mutual_aid"]["amount"] == "30100.00"
    with service_process(database, tmp_path) as service:
        async with callers_of(service.url, two_funds.clients, "hospital") as callers:
            races = await race(Rush(callers, city, await callers.token("hospital")), city, ROUNDS)
    for hot in races.hot:
        assert len(hot) == 50
        assert sum(one.aid for one in hot) == Money(10_000)
    paid = "SELECT sum(paid_fen) FROM consumption WHERE member_id = '{}'"
    for one in city.members[:ROUNDS]:
        assert rows_of(database, paid.format(one.member_id)) == [(3_020_000,)]
    assert races.ratio <= 1.5, f"meanwhile {races.meanwhile}, spread {races.spread}"


@pytest.fixture
def insurer() -> Iterator[Insurer]:
    with insurer_on_thread() as running:
        yield running


async def test_one_bill_brought_fetched_and_pushed_at_once_is_settled_once(
    database: DatabaseUrls, city: City, two_funds: TwoFunds, insurer: Insurer, tmp_path: Path
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
