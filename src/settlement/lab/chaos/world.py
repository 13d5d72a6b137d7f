"""One history's world: its processes, its insurer, its clock, its callers, and what they bring to our doors."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

import psycopg

from settlement.db.embedded import DatabaseUrls
from settlement.domain.ids import FundId
from settlement.domain.time import CHINA
from settlement.lab.chaos.facts import Bill, Care, Claim, FlatPlan, Trial
from settlement.lab.chaos.faults import ANSWER_LOST, DOOR, REQUEST_LOST, Fault
from settlement.lab.chaos.insurer import InsurerCity, InsurerLine
from settlement.lab.chaos.loop import SteeredLoop
from settlement.lab.chaos.model import Model
from settlement.lab.chaos.plan import THE_DAY
from settlement.lab.chaos.points import AFTER, BEFORE
from settlement.lab.chaos.process import TOKEN_KEY, TOKEN_LIFETIME, Premises, Process, Reply, Unreachable
from settlement.lab.chaos.records import Records
from settlement.lab.chaos.scene import BEGINS_AT, KEYS, Scene
from settlement.lab.chaos.steering import COMMAND, Steering
from settlement.lab.his.bills import CancelledBill, Facts, OpenVisit, SettledBill
from settlement.lab.his.people import Person
from settlement.lab.his.wire import fen_of, write_json
from settlement.services.access.tokens import Tokens

T = TypeVar("T")
COUNTER = "counter"
APIS, WORKER = ("api-1", "api-2"), "worker"
MOST_TRIES = 60
_LONGEST_PAUSE_SECONDS = 3.0
_WORTH_REPEATING = {"busy", "in_progress", "not_recorded", "gateway_unavailable"}
_AMOUNTS = (
    "medfee_sumamt",
    "fulamt_ownpay_amt",
    "overlmt_selfpay",
    "preselfpay_amt",
    "inscp_scp_amt",
    "fund_pay_sumamt",
    "hifp_pay",
    "cvlserv_pay",
    "hifes_pay",
    "hifmi_pay",
    "hifob_pay",
    "hifdm_pay",
    "maf_pay",
    "oth_pay",
    "hosp_part_amt",
    "psn_part_amt",
    "acct_pay",
    "acct_mulaid_pay",
    "psn_cash_pay",
)
_SKEWS_SECONDS = (0, 0, 0, -1.9, 1.9)


@dataclass(frozen=True, slots=True)
class Message:
    """What a caller sends: to which door, under which key, and what it claims about each bill in it."""

    path: str
    body: str
    key: str | None
    claims: tuple[Claim, ...]
    by_platform: bool = False
    trial: Trial | None = None
    method: str = "POST"


@dataclass(slots=True)
class World:
    """Everything of one history. Its callers repeat what was not answered, as real ones do."""

    scene: Scene
    loop: SteeredLoop
    steering: Steering
    model: Model
    records: Records
    city: InsurerCity
    processes: dict[str, Process] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)
    skews: list[timedelta] = field(default_factory=list)
    seals: dict[tuple[FundId, int], str] = field(default_factory=dict)
    _bills: dict[str, SettledBill] = field(default_factory=dict)
    _ticks: int = 0

    def now(self) -> datetime:
        """Return the world's time; each reading is a moment after the last, so that ids are in order."""
        self._ticks += 1
        return BEGINS_AT + timedelta(seconds=self.loop.now, microseconds=self._ticks)

    def now_in_china(self) -> datetime:
        """Return the present time as the insurer writes it, to the second."""
        return self.now().astimezone(CHINA).replace(microsecond=0, tzinfo=None)

    async def wait_for_others(self, rng: Random, most: int) -> None:
        """Stand back for up to so many turns, so that what follows falls into the midst of what others do."""
        for _ in range(rng.randrange(most)):
            await self.steering.stop(None, "turn", BEFORE)

    async def at_counter(self, walk: Callable[[], T]) -> T:
        """Have a hospital do something with the insurer, at a moment that the seed chooses."""
        await self.steering.stop(None, COUNTER, BEFORE)
        return walk()

    async def treated(
        self, rng: Random, person: Person | None = None, most_fen: int = 200_000, *, inpatient: bool | None = None
    ) -> OpenVisit:
        """Have a member treated and the trial made with the insurer, on one of three days."""
        day = THE_DAY + timedelta(days=rng.choice((-1, 0, 0, 1)))
        at = datetime(day.year, day.month, day.day, rng.randint(8, 20), rng.randint(0, 59), rng.randint(0, 59))  # noqa: DTZ001 - the insurer writes wall-clock times of China.
        await self.steering.stop(None, COUNTER, BEFORE)
        return self.city.treat(person or rng.choice(self.scene.fund.members), rng, at, most_fen, inpatient=inpatient)

    async def settled(self, rng: Random, person: Person | None = None, *, inpatient: bool | None = None) -> SettledBill:
        """Have a member treated and settled with the insurer."""
        return await self.settled_visit(await self.treated(rng, person, inpatient=inpatient))

    async def settled_visit(self, visit: OpenVisit) -> SettledBill:
        """Have the hospital settle a visit with the insurer."""
        await self.steering.stop(None, COUNTER, BEFORE)
        return self.knows(self.city.settle(visit))

    def knows(self, bill: SettledBill) -> SettledBill:
        """Keep a bill that the insurer settled, by its id."""
        self._bills[bill.setl_id] = bill
        return bill

    async def cancelled_bill(self, bill: SettledBill) -> CancelledBill:
        """Have the hospital cancel a bill with the insurer."""
        await self.steering.stop(None, COUNTER, BEFORE)
        return self.cancel_now(bill)

    def cancel_now(self, bill: SettledBill) -> CancelledBill:
        """Have a bill cancelled with the insurer at this moment."""
        self.model.cancelled.add(bill.setl_id)
        return self.city.cancel(bill, self.now_in_china())

    async def deliver(self, message: Message, rng: Random) -> Reply | None:
        """Bring a message until it is answered; tell the model. `None` when it is given up, which is a violation."""
        self.model.sent(message.claims)
        if message.trial is not None and message.key is not None:
            self.model.quoted(message.key, message.trial)
        COMMAND.set(message.key or "")
        for _ in range(MOST_TRIES):
            reply = await self._try(message, rng)
            if reply is not None and not _is_to_be_repeated(reply):
                self._tell(message, reply)
                return reply
            await asyncio.sleep(rng.random() * _LONGEST_PAUSE_SECONDS)
        self.model.wrong.append(f"{message.path}: not answered after {MOST_TRIES} tries")
        return None

    async def _try(self, message: Message, rng: Random) -> Reply | None:
        fault = await self.steering.stop(None, DOOR, BEFORE)
        if fault is not None and fault.kind == REQUEST_LOST:
            return None
        process = self.processes[rng.choice(APIS)]
        headers = {"content-type": "application/json", "authorization": f"Bearer {self._token(message)}"}
        if message.key is not None:
            headers["idempotency-key"] = message.key
        try:
            reply = await process.call(message.method, message.path, headers, message.body.encode())
        except Unreachable:
            return None
        fault = await self.steering.stop(None, DOOR, AFTER)
        self.steering.note(f"answered {reply.status} {_code_of(reply)}")
        return None if fault is not None and fault.kind == ANSWER_LOST else reply

    def _token(self, message: Message) -> str:
        tokens = Tokens(TOKEN_KEY, TOKEN_LIFETIME, self.now)
        if message.by_platform:
            return self.scene.fund.token(tokens, "platform")
        return self.scene.fund.token(tokens, "hospital", tuple(each.code for each in self.city.hospitals))

    def _tell(self, message: Message, reply: Reply) -> None:
        """Tell the model what was answered: to one bill, or to each of a batch."""
        if reply.status >= 500:
            self.model.wrong.append(f"{message.path}: {reply.status} {_code_of(reply)}")
        elif message.by_platform and reply.status == 200:
            for claim, result in zip(message.claims, reply.body["results"], strict=True):
                self._tell_one(claim, "", result["status"], result.get("settlement") or result.get("problem"))
        else:
            if message.key is not None and reply.status < 300:
                self.model.answered(message.key, reply.status, write_plain(reply.body))
            if message.trial is not None and message.key is not None and reply.status < 300:
                self.model.promised(message.key, _told_of_hold(reply.body.get("hold")))
            for claim in message.claims:
                self._tell_one(claim, message.key or "", reply.status, reply.body)
            if not message.claims and reply.status >= 400:
                self.model.wrong.append(f"{message.path}: {reply.status} {_code_of(reply)}")

    def _tell_one(self, claim: Claim, key: str, status: int, body: Mapping[str, Any]) -> None:
        if status < 300:
            self.model.acknowledged(claim, _told(body))
        else:
            self.model.refused(claim, key, str(body.get("code")))

    def bill_named(self, setl_id: str) -> Bill:
        """Return a bill by the insurer's id, as the model knows it."""
        return self.bill_of(self._bills[setl_id])

    def bill_of(self, bill: SettledBill) -> Bill:
        """Return a bill as the model knows it."""
        info = bill.setlinfo
        return Bill(
            setl_id=bill.setl_id,
            care=self._care_of(bill.visit, bill.facts),
            day=bill.facts["discharged_on"] or str(info["setl_time"])[:10],
            share_fen=fen_of(info["psn_part_amt"]),
            cash_fen=fen_of(info["psn_cash_pay"]),
            billed_fen=fen_of(info["medfee_sumamt"]),
            figures=_figures_of(info),
        )

    def trial_of(self, visit: OpenVisit, facts: Facts, resettles: str | None = None) -> Trial:
        """Return a pre-settlement as the model knows it."""
        info = visit.trial["setlinfo"]
        return Trial(
            care=self._care_of(visit, facts),
            day=facts["discharged_on"],
            share_fen=fen_of(info["psn_part_amt"]),
            cash_fen=fen_of(info["psn_cash_pay"]),
            figures=_figures_of(info),
            resettles=resettles,
        )

    def _care_of(self, visit: OpenVisit, facts: Facts) -> Care:
        known = {person.psn_no for person in (*self.scene.fund.members, self.scene.fund.latecomer)}
        return Care(
            member=visit.person.psn_no if visit.person.psn_no in known else None,
            hospital=str(facts["fixmedins_code"]),
            visit=visit.mdtrt_id,
            visit_no=visit.ipt_otp_no,
            batch_no=str(facts["chrg_bchno"]),
            inpatient=visit.inpatient,
        )


def open_world(
    scene: Scene,
    loop: SteeredLoop,
    seed: str,
    faults: Sequence[Fault],
    urls: DatabaseUrls,
    monitor: psycopg.Connection,
    plan: FlatPlan,
) -> World:
    """Start the processes of a history, each with a clock of its own, on its own copy of the database."""
    rng = Random(f"{seed}/world")
    steering = Steering(loop, Random(f"{seed}/steering"), faults, monitor)
    model = Model(plan, scene.fund.latecomer.psn_no, memberships=len(scene.fund.members) + 1)
    records = Records(monitor, model, steering, BEGINS_AT)
    city = InsurerCity(scene.insurer_folder())
    city.set_members([*scene.fund.members, scene.fund.latecomer])
    world = World(scene, loop, steering, model, records, city)

    def insurer_of(process: Process) -> InsurerLine:
        return InsurerLine(city.platform, steering, process)

    premises = Premises(urls, KEYS, scene.profiles, Random(f"{seed}/ids"), world.now, insurer_of)
    for name in (*APIS, WORKER):
        skew = timedelta(seconds=rng.choice(_SKEWS_SECONDS))
        world.skews.append(skew)
        world.processes[name] = Process(name, premises, steering, records, skew)
        world.processes[name].start()
    loop.steer = steering.steer
    return world


def write_plain(body: object) -> str:
    """Return a body as text in one form."""
    return write_json(body)


def visit_of(bill: SettledBill | CancelledBill) -> dict[str, str]:
    """Return the facts of a visit as a hospital sends them."""
    return {name: value for name, value in bill.facts.items() if value is not None and name != "init_setl_id"}


def batch_of(visit: OpenVisit, facts: Facts) -> str:
    """Name a charge batch: hospital, visit and batch."""
    return f"{facts['fixmedins_code']}/{visit.mdtrt_id}/{visit.chrg_bchno}"


def _figures_of(info: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the amounts that the insurer settled by; what is left on the account is none of them."""
    return tuple(fen_of(info.get(name)) for name in _AMOUNTS)


def _is_to_be_repeated(reply: Reply) -> bool:
    if "retry-after" in reply.headers:
        return True
    results = reply.body.get("results", ()) if isinstance(reply.body, dict) else ()
    return any((result.get("problem") or {}).get("code") in _WORTH_REPEATING for result in results)


def _code_of(reply: Reply) -> str:
    if not isinstance(reply.body, dict):
        return "-"
    aid = reply.body.get("mutual_aid") or {}
    return str(reply.body.get("code") or reply.body.get("state") or aid.get("status") or "-")


def _told(body: Mapping[str, Any]) -> dict[str, object]:
    aid = body.get("mutual_aid") or {}
    return {
        "id": body.get("id"),
        "state": body.get("state"),
        "on_bill_fen": fen_of(aid.get("on_bill")),
        "to_card_fen": fen_of(aid.get("to_card")),
        "cash_due_fen": fen_of(body.get("cash_due")),
    }


def _told_of_hold(hold: Mapping[str, Any] | None) -> dict[str, object] | None:
    if hold is None:
        return None
    amounts = {"on_bill_fen": "aid_on_bill", "to_card_fen": "aid_to_card", "cash_due_fen": "cash_due"}
    return {"id": hold["id"], **{name: fen_of(hold[theirs]) for name, theirs in amounts.items()}}
