"""Valid things by default for tests that settle: a city with members and hospitals, the insurer's answers, commands.

`a_city` registers everything; `a_2304` and `a_2207` make an answer whose identities close for whatever amounts are
given; `settle` and `reverse` run the use cases. Amounts are yuan as text.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from gateway import shapes
from settlement.db.embedded import DatabaseUrls
from settlement.db.engine import open_engine
from settlement.db.secrets import KeyRing
from settlement.db.settling import CommandKey
from settlement.domain.bills import Certificate
from settlement.domain.ids import BillId, ClientId, FundId, IdSource, MemberId
from settlement.domain.scope import PersonCategory
from settlement.domain.settlements import Door, OtherPayer, ReversalReason
from settlement.lab.office import Office, open_office
from settlement.plans.model import read_plan
from settlement.services.bills.commands import Brought, Caller, Once, Outcome, ReverseBill, SettleBill
from settlement.services.bills.reverse_bill import reverse_bill
from settlement.services.bills.settle_bill import settle_bill
from settlement.services.funds.add_fund import add_fund, add_hospital, add_unit
from settlement.services.funds.lines import Lines
from settlement.services.funds.rules import RulesShelf
from settlement.services.members.add_member import NewMember, add_members
from settlement.services.members.queue import MemberQueue
from settlement.services.resources import Resources

Node = dict[str, Any]
HANGZHOU_FILE = Path(__file__).parents[1] / "plans" / "hangzhou.yaml"
TEN_IN_CHINA = datetime(2025, 3, 11, 2, 0, tzinfo=UTC)
KEYS = KeyRing(active="k1", sealing={"k1": bytes(range(16))}, index=bytes(range(32)))
POOL_SIZE = 10

_settlement_ids = itertools.count(700_000_000_001)
_keys = itertools.count(1)


@dataclass(slots=True)
class SteeredClock:
    """A clock that a test moves. Each reading is a millisecond after the last, so records and ids are in order."""

    now: datetime = TEN_IN_CHINA

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def forward(self, **by: float) -> None:
        """Move on, by `days=1` or `minutes=5`."""
        self.now += timedelta(**by)


@asynccontextmanager
async def open_test_resources(
    urls: DatabaseUrls, clock: SteeredClock | None = None, seed: int = 7
) -> AsyncIterator[Resources]:
    """Open what the use cases work with, as the login settlement_app, with a steered clock and seeded ids."""
    clock = clock or SteeredClock()
    engine = open_engine(urls.app, POOL_SIZE)
    try:
        yield Resources(
            engine=engine,
            keys=KEYS,
            clock=clock,
            ids=IdSource(clock, random.Random(seed)),
            rules=RulesShelf(engine, None),
            queue=MemberQueue(),
            keep_messages=timedelta(days=180),
            hold_counter_for=timedelta(minutes=30),
        )
    finally:
        await engine.dispose()


@dataclass(frozen=True, slots=True)
class Person:
    """An insured person as the insurer names them; `member_id` when the person is a member."""

    name: str
    certificate: Certificate
    insured_person_no: str
    member_id: MemberId | None = None


@dataclass(frozen=True, slots=True)
class City:
    """One fund with what was registered for it. `hospitals` is institution codes by level."""

    fund_id: FundId
    caller: Caller
    area: str
    system_code: str
    hospitals: Mapping[int, str]
    members: tuple[Person, ...]
    office: Office

    @property
    def member(self) -> Person:
        """The first member."""
        return self.members[0]


_PLACES = {"chongqing": ("500100", "YBXT"), "simulator": ("371600", "FSI")}


async def a_city(
    resources: Resources,
    *,
    code: str = "hz",
    profile: str = "chongqing",
    members: int = 3,
    first_day: date = date(2025, 1, 1),
    last_day: date = date(2026, 12, 31),
    plan_file: Path = HANGZHOU_FILE,
    shares: Mapping[str, int] | None = None,
) -> City:
    """Register a fund that pays by a plan, Hangzhou's if none is given: a unit, hospitals, and active members."""
    plan = read_plan(plan_file)
    fund = await add_fund(
        resources, code=code, name="某市职工互助", gateway_profile=profile, plan_code=plan.header.code
    )
    fund_id = fund.fund_id
    office = await open_office(resources, fund_id)
    await office.publish(resources, plan_file)
    await add_unit(resources, fund_id, code="u1", name="某单位")
    hospitals = {level: f"H5001030247{level}" for level in (1, 2, 3)}
    for level, hospital_code in hospitals.items():
        await add_hospital(
            resources, fund_id, name=f"某{level}级医院", codes=(hospital_code,), level=level, since=date(2015, 1, 1)
        )
    people = [a_person(number) for number in range(members)]
    lines = [
        NewMember(person.name, person.certificate, "u1", PersonCategory.ACTIVE, first_day, last_day, shares)
        for person in people
    ]
    ids = await add_members(resources, fund_id, lines)
    enrolled = tuple(
        Person(person.name, person.certificate, person.insured_person_no, member_id)
        for person, member_id in zip(people, ids, strict=True)
    )
    area, system_code = _PLACES[profile]
    caller = Caller(ClientId(f"{fund_id}.his"), fund_id, frozenset())
    return City(fund_id, caller, area, system_code, hospitals, enrolled, office)


def with_one_case(text: str) -> str:
    """Return a plan's text with its cases replaced by that of a bill over nothing, which is paid nothing."""
    return text[: text.index("\ncases:")] + "\ncases:\n  - {name: 没有费用, bills: [{}]}\n"


def a_person(number: int) -> Person:
    """Return a person of a made-up district; the same number is the same person."""
    certificate = Certificate("01", f"990101{19800101 + number % 28}{number // 28:03d}X")
    return Person(f"测试{number:04d}", certificate, f"ZG9{number:09d}")


def a_2304(of: Person, setl_id: str | None = None, **given: Any) -> Node:
    """Return the answer to an inpatient settlement: 9,000.00 billed, 2,079.66 cash, unless amounts are given.

    `allowed`, `excluded`, `hifp`, `account` and `absorbed` change the bill, and the rest follows so that the
    identities close; anything else overrides a field by the insurer's name.
    """
    return _answer(shapes.chongqing_2304(), of, setl_id, given)


def a_2207(of: Person, setl_id: str | None = None, **given: Any) -> Node:
    """Return the answer to an outpatient settlement; amounts as for `a_2304`."""
    return _answer(shapes.chongqing_2304(med_type="11"), of, setl_id, given)


def a_2305(of: Node, **changes: object) -> Node:
    """Return the answer to the cancellation of a settlement."""
    setl_id = f"{of['setlinfo']['setl_id']}9"
    return shapes.through_text(shapes.chongqing_2305(_plain(of), **({"setl_id": setl_id} | changes)))


_AMOUNTS = {"allowed": "8000.00", "excluded": "1000.00", "hifp": "6500.00", "account": "300.00", "absorbed": "120.34"}


def _answer(shape: Node, of: Person, setl_id: str | None, given: dict[str, Any]) -> Node:
    yuan = {name: Decimal(given.pop(name, default)) for name, default in _AMOUNTS.items()}
    billed = yuan["allowed"] + yuan["excluded"]
    share = billed - yuan["hifp"] - yuan["absorbed"]
    cash = share - yuan["account"]
    amounts = {
        "medfee_sumamt": billed,
        "fulamt_ownpay_amt": yuan["excluded"],
        "overlmt_selfpay": 0,
        "preselfpay_amt": 0,
        "inscp_scp_amt": yuan["allowed"],
        "hifp_pay": yuan["hifp"],
        "hifob_pay": 0,
        "fund_pay_sumamt": yuan["hifp"],
        "hosp_part_amt": yuan["absorbed"],
        "psn_part_amt": share,
        "psn_pay": share,
        "acct_pay": yuan["account"],
        "psn_cash_pay": cash,
        "cashPayamt": cash,
    }
    person = {
        "psn_no": of.insured_person_no,
        "psn_name": of.name,
        "psn_cert_type": of.certificate.type,
        "certno": of.certificate.number,
    }
    own_id = {"setl_id": setl_id or str(next(_settlement_ids))}
    node = {**shape["setlinfo"], **person, **own_id, **amounts, **given}
    return shapes.through_text(_plain({**shape, "setlinfo": node, "setldetail": []}))


def _plain(output: Node) -> Node:
    """Return the output with its exact amounts as the floats that the shapes and JSON writers use."""
    node = {name: float(value) if isinstance(value, Decimal) else value for name, value in output["setlinfo"].items()}
    return {**output, "setlinfo": node}


def facts(city: City, *, level: int = 3, **changes: object) -> Node:
    """Return the facts beside a bill: a stay from 1 to 11 March 2025 in the city's hospital of a level."""
    return {
        "mdtrtarea_admvs": city.area,
        "fixmedins_code": city.hospitals[level],
        "chrg_bchno": "1",
        "insuplc_admdvs": f"{city.area[:4]}02",
        "recer_sys_code": city.system_code,
        "admitted_on": "2025-03-01",
        "discharged_on": "2025-03-11",
        **changes,
    }


def once(caller: Caller, key: str | None = None, fingerprint: str = "a body") -> Once:
    """Return an idempotent command of a client; without a key, of one that was not used yet."""
    return Once(CommandKey(caller.client_id, key or f"key-{next(_keys):08d}"), fingerprint)


async def settle(
    resources: Resources,
    city: City,
    output: Node,
    beside: Node | None = None,
    *,
    key: str | None = None,
    door: Door = Door.API,
    at_counter: bool = True,
    confirmed_by: str | None = None,
    other_payers: tuple[OtherPayer, ...] | None = None,
    answers: Mapping[str, Any] | None = None,
    resettles: str | None = None,
) -> Outcome:
    """Settle a bill brought by the city's HIS, with the usual facts unless others are given."""
    brought = Brought(output, beside or facts(city), other_payers, answers or {}, resettles)
    command = SettleBill(city.caller, door, brought, at_counter, confirmed_by, once(city.caller, key))
    return await settle_bill(resources, command)


def bill_id_of(outcome: Outcome) -> BillId:
    """Return the id of the bill that an outcome is about."""
    return BillId(UUID(outcome.answer["id"]))


async def reverse(
    resources: Resources,
    city: City,
    settled: Outcome,
    cancellation: Node | None,
    *,
    reason: ReversalReason = ReversalReason.REFUND,
    key: str | None = None,
) -> Outcome:
    """Reverse a bill by the insurer's cancellation."""
    bill_id = bill_id_of(settled)
    lines = Lines({}, resources.clock)
    try:
        return await reverse_bill(
            resources, lines, ReverseBill(city.caller, bill_id, reason, cancellation, once(city.caller, key))
        )
    finally:
        await lines.close()
