"""A fund whose members live in a simulated insurer's city, on a line to it: what is pending is really asked there."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import resources as files
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from builders import HANGZHOU_FILE, KEYS, once
from lab.builders import a_stay_bill, a_visit_bill
from lab.running import City as InsurersCity
from settlement.app import utc_now
from settlement.db.embedded import DatabaseUrls
from settlement.db.engine import open_engine
from settlement.domain.bills import Certificate
from settlement.domain.ids import ClientId, FundId, IdSource
from settlement.domain.scope import PersonCategory
from settlement.domain.settlements import Door
from settlement.domain.time import CHINA
from settlement.lab.his.bills import OpenVisit, SettledBill
from settlement.lab.his.gateway import Unanswered, open_client
from settlement.lab.his.hospital import Hospital
from settlement.lab.his.people import Person
from settlement.lab.office import open_office
from settlement.plans.model import read_plan
from settlement.services.bills.commands import Brought, Caller, Outcome, SettleBill
from settlement.services.bills.settle_bill import settle_bill
from settlement.services.funds.add_fund import add_fund, add_hospital, add_unit
from settlement.services.funds.lines import Lines
from settlement.services.funds.rules import RulesShelf
from settlement.services.members.add_member import NewMember, add_members
from settlement.services.members.queue import MemberQueue
from settlement.services.pending.ask_questions import Asker
from settlement.services.pending.report_message import ReportMessage, report_message
from settlement.services.resources import Resources

QUICK = {
    "connect_timeout_seconds": 2,
    "answer_timeout_seconds": 2,
    "slow_answer_seconds": 2,
    "breaker_rest_seconds": 0.5,
    "longest_upstream_seconds": 2,
    "pending_first_pause_seconds": 0.2,
    "pending_longest_pause_seconds": 0.5,
    "pending_deadline_seconds": 20,
}
"""A city in a hurry: "not found" counts after two seconds."""

MEMBERS = 12
_serials = itertools.count(1, step=40)


def write_profile(folder: Path, url: str, **changes: Any) -> Path:
    """Write the simulator's profile with an address and quick times; return the folder of profiles."""
    shipped = (files.files("settlement.gateway") / "profiles" / "simulator.toml").read_text(encoding="utf-8")
    given = QUICK | changes
    kept = [line for line in shipped.splitlines() if line.split(" = ")[0] not in given]
    quick = "".join(f"{name} = {value}\n" for name, value in given.items())
    (folder / "simulator.toml").write_text(f'url = "{url}/fsi/hgs/{{infno}}"\n{quick}' + "\n".join(kept) + "\n")
    return folder


@dataclass(slots=True)
class AskedCity:
    """One fund, its insurer's city, and a hospital; `asker` asks as a worker does."""

    insurers: InsurersCity
    resources: Resources
    ops: AsyncEngine
    lines: Lines
    fund_id: FundId
    members: tuple[Person, ...]
    hospital: Hospital
    caller: Caller

    @property
    def asker(self) -> Asker:
        """Ask as the worker does, without jitter."""
        return Asker(self.resources, self.lines, self.ops, lambda: 0.0)

    async def visit(self, nth: int = 0) -> OpenVisit:
        """Open a visit of a member, ready to be settled at the insurer."""
        return await self.hospital.begin_outpatient(self.members[nth], a_visit_bill())

    async def stay(self, nth: int = 0) -> OpenVisit:
        """Open a stay of a member that ended just now."""
        now = datetime.now(CHINA)
        return await self.hospital.begin_stay(self.members[nth], a_stay_bill(), now - timedelta(days=9), now)

    async def settled_at_insurer(self, nth: int = 0) -> SettledBill:
        """Settle a visit of a member at the insurer."""
        return await self.hospital.settle(await self.visit(nth))

    async def bring(self, bill: SettledBill) -> Outcome:
        """Bring the insurer's answer, as door A does."""
        brought = Brought(bill.output, bill.facts)
        return await settle_bill(
            self.resources, SettleBill(self.caller, Door.API, brought, at_counter=True, once=once(self.caller))
        )

    async def lost(self, visit: OpenVisit) -> str:
        """Settle a visit at the insurer, whose answer does not come; return the message's id."""
        try:
            await self.hospital.settle(visit)
        except Unanswered as unanswered:
            return unanswered.msgid
        raise AssertionError("the insurer answered")

    async def report(self, visit: OpenVisit, message_id: str, setl_id: str | None = None) -> Outcome:
        """Report an unanswered message, as the billing system does."""
        facts = {
            "mdtrtarea_admvs": self.hospital.area,
            "fixmedins_code": self.hospital.code,
            "chrg_bchno": visit.chrg_bchno,
            "insuplc_admdvs": visit.person.insuplc_admdvs,
            "recer_sys_code": self.hospital.system_code,
            "pay_loc": "2",
            "admitted_on": visit.admitted_at.date().isoformat() if visit.admitted_at else None,
            "discharged_on": visit.discharged_at.date().isoformat() if visit.discharged_at else None,
        }
        report = ReportMessage(
            self.caller, message_id, visit.person.psn_no, visit.mdtrt_id, setl_id, facts, once(self.caller)
        )
        return await report_message(self.resources, report)


@asynccontextmanager
async def an_asked_city(
    urls: DatabaseUrls, url: str, profiles: Path, his_timeout_seconds: float = 5.0
) -> AsyncIterator[AskedCity]:
    """Register a fund with members of the insurer's city; in real time, because the insurer and its faults are."""
    engine, ops = open_engine(urls.app, 10), open_engine(urls.ops, 4)
    lines = Lines({}, utc_now)
    async with open_client(his_timeout_seconds) as http:
        insurers = await InsurersCity(url, http).load()
        resources = Resources(
            engine=engine,
            keys=KEYS,
            clock=utc_now,
            ids=IdSource(utc_now, random.Random(11)),
            rules=RulesShelf(engine, profiles),
            queue=MemberQueue(),
            keep_messages=timedelta(days=180),
            hold_counter_for=timedelta(minutes=30),
        )
        try:
            yield await _registered(insurers, resources, ops, lines)
        finally:
            await lines.close()
            await engine.dispose()
            await ops.dispose()


async def _registered(insurers: InsurersCity, resources: Resources, ops: AsyncEngine, lines: Lines) -> AskedCity:
    plan = read_plan(HANGZHOU_FILE)
    fund = await add_fund(
        resources, code="bz", name="某市互助", gateway_profile="simulator", plan_code=plan.header.code
    )
    fund_id = fund.fund_id
    await (await open_office(resources, fund_id)).publish(resources, HANGZHOU_FILE)
    await add_unit(resources, fund_id, code="u1", name="某单位")
    hospital = insurers.hospital(first_serial=next(_serials))
    await add_hospital(
        resources, fund_id, name=hospital.name, codes=(hospital.code,), level=hospital.level, since=date(2015, 1, 1)
    )
    members = tuple(insurers.person(nth=nth) for nth in range(MEMBERS))
    year = datetime.now(CHINA).year
    await add_members(
        resources,
        fund_id,
        [
            NewMember(
                person.psn_name,
                Certificate(*person.certificate),
                "u1",
                PersonCategory.ACTIVE,
                date(year - 1, 1, 1),
                date(year + 1, 12, 31),
            )
            for person in members
        ],
    )
    await insurers.members(*members)
    await hospital.sign_in()
    caller = Caller(ClientId(f"{fund_id}.his"), fund_id, frozenset({hospital.code}))
    return AskedCity(insurers, resources, ops, lines, fund_id, members, hospital, caller)
