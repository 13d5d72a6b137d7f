"""The benchmark's own database: a fund, its hospitals and members, and look-alikes of members for `pgbench`."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from settlement.app import Installation, open_installation, open_resources
from settlement.config import read_settings
from settlement.db.embedded import EmbeddedServer, start_embedded
from settlement.domain.bills import Certificate
from settlement.domain.ids import FundId
from settlement.domain.scope import PersonCategory
from settlement.lab.bench.bills import HOSPITALS, YEAR, Person
from settlement.lab.bench.outcome import BenchFailed
from settlement.lab.demo.stage import plan_file
from settlement.lab.office import open_office
from settlement.plans.model import read_plan
from settlement.services.access.add_client import NewClient, add_client
from settlement.services.funds.add_fund import add_fund, add_hospital, add_unit
from settlement.services.members.add_member import NewMember, add_members

DATABASE = "settlement_bench"
LOOKALIKES_PER_MEMBER = 4
"""`pgbench` settles several times as fast; with as many more members their histories grow about as fast as ours."""
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Scene:
    """A seeded database, and how to reach it: by the API, by `pgbench`, and as the superuser who only looks on."""

    installation: Installation
    server: EmbeddedServer
    folder: Path
    fund_id: FundId
    clients: dict[str, NewClient]
    persons: tuple[Person, ...]

    @property
    def lookalike_count(self) -> int:
        """How many members `pgbench` settles for."""
        return LOOKALIKES_PER_MEMBER * len(self.persons)

    @property
    def socket_directory(self) -> str:
        """The directory in which the server listens."""
        return str(make_url(self.server.superuser_url).query["host"])

    def observer(self) -> psycopg.Connection:
        """Connect as the superuser, to read counters and to place look-alikes."""
        url = make_url(self.server.superuser_url).set(database=DATABASE)
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)


@contextmanager
def set_scene(data_directory: Path, members: int) -> Iterator[Scene]:
    """Make the database anew, seed it, and drop it at the end.

    Raises `BenchFailed` while another benchmark runs on this data directory, or where commits would not be durable.
    """
    folder = data_directory / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "bench.lock").open("w") as lock:
        _take(lock.fileno())
        server = start_embedded(data_directory)
        server.recreate_database(DATABASE)
        try:
            yield _seeded(server, data_directory, folder, members)
        finally:
            with psycopg.connect(server.superuser_url, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def _take(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise BenchFailed("another benchmark runs on this data directory; wait for it to end") from None


def _seeded(server: EmbeddedServer, data_directory: Path, folder: Path, members: int) -> Scene:
    settings = read_settings(settlement_data_dir=data_directory, settlement_database_name=DATABASE)
    installation = open_installation(settings)
    persons = tuple(Person(number) for number in range(members))
    fund_id, clients = asyncio.run(_register(installation, persons))
    scene = Scene(installation, server, folder, fund_id, clients, persons)
    with psycopg.connect(installation.urls.app) as connection:
        _refuse_unsafe(connection)
    with scene.observer() as connection:
        _place_lookalikes(connection, scene.lookalike_count)
        connection.execute("ANALYZE")
        connection.execute("CHECKPOINT")
    return scene


async def _register(installation: Installation, persons: tuple[Person, ...]) -> tuple[FundId, dict[str, NewClient]]:
    plan = read_plan(plan_file())
    since, until = date(YEAR, 1, 1), date(YEAR, 12, 31)
    async with open_resources(installation) as resources:
        fund = await add_fund(
            resources, code="bench", name="测试互助", gateway_profile="simulator", plan_code=plan.header.code
        )
        await (await open_office(resources, fund.fund_id)).publish(resources, plan_file())
        await add_unit(resources, fund.fund_id, code="U01", name="测试单位")
        clients = {}
        for code, level in HOSPITALS:
            await add_hospital(resources, fund.fund_id, name=code, codes=(code,), level=level, since=since)
            clients[code] = await add_client(
                resources, fund.fund_id, name=f"his-{code.lower()}", role="hospital", hospital_codes=(code,)
            )
        lines = [
            NewMember(person.name, Certificate("01", person.certificate_no), "U01", PersonCategory.ACTIVE, since, until)
            for person in persons
        ]
        for start in range(0, len(lines), _BATCH):
            await add_members(resources, fund.fund_id, lines[start : start + _BATCH])
        return fund.fund_id, clients


def _refuse_unsafe(connection: psycopg.Connection) -> None:
    """Look at what holds for the login that settles: a role can have settings of its own."""
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
        if row != ("on",):
            raise BenchFailed(f"the server runs with {setting} = {row[0] if row else '?'}; a commit must be durable")


def _place_lookalikes(connection: psycopg.Connection, count: int) -> None:
    """Copy one member so that number m is found by values that `pgbench` can compute from m.

    Its variables are numbers, so it could not hold the keyed hashes of thousands of certificates; `scripts.py` has
    the same expressions.
    """
    connection.execute(
        """
        CREATE TEMPORARY TABLE lookalike AS
        SELECT lpad(to_hex(m), 32, '0')::uuid AS id, sha256(int8send(m)) AS certificate_index,
               sha256(int8send(-m)) AS number_index
        FROM generate_series(1::bigint, %s) AS m
        """,
        [count],
    )
    connection.execute("""
        INSERT INTO person (fund_id, person_id, key_id, envelope, certificate_index, created_at)
        SELECT fund_id, lookalike.id, key_id, envelope, lookalike.certificate_index, created_at
        FROM (SELECT * FROM person LIMIT 1) AS model, lookalike ORDER BY lookalike.id
    """)
    connection.execute("""
        INSERT INTO member (fund_id, member_id, created_at)
        SELECT fund_id, lookalike.id, created_at
        FROM (SELECT * FROM member LIMIT 1) AS model, lookalike ORDER BY lookalike.id
    """)
    connection.execute("""
        INSERT INTO membership (fund_id, membership_id, member_id, unit_id, plan_code, person_category,
                                first_day, last_day, recorded_at)
        SELECT fund_id, lookalike.id, lookalike.id, unit_id, plan_code, person_category,
               first_day, last_day, recorded_at
        FROM (SELECT * FROM membership LIMIT 1) AS model, lookalike ORDER BY lookalike.id
    """)
    connection.execute("""
        INSERT INTO person_number (fund_id, number_index, person_id, key_id, envelope, area, evidence, learnt_at)
        SELECT fund_id, lookalike.number_index, lookalike.id, key_id, envelope, '371602', 'look-alike', created_at
        FROM (SELECT * FROM person LIMIT 1) AS model, lookalike ORDER BY lookalike.id
    """)
