"""What the service does by itself or for its office: the worker's jobs, books days, questions, reconciliations."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, time, timedelta
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from settlement.db.reconciliation import BreakSearch
from settlement.db.settling import CommandKey
from settlement.domain.errors import SettlementError
from settlement.domain.ids import ClientId
from settlement.domain.reconciliation import Source
from settlement.lab.chaos.actions import TURNS, action, answer_to, bring, claim_of_line, reversal_of, settlement_of
from settlement.lab.chaos.facts import Claim
from settlement.lab.chaos.plan import THE_DAY
from settlement.lab.chaos.process import Process, Unreachable
from settlement.lab.chaos.promising import promise
from settlement.lab.chaos.scene import COVER_LAPSED, KEYS, roster_line
from settlement.lab.chaos.steering import COMMAND
from settlement.lab.chaos.world import APIS, MOST_TRIES, WORKER, Message, World
from settlement.lab.his.wire import write_json
from settlement.services.audit.keep_examination import examine_when_due
from settlement.services.bills.commands import Caller, Once
from settlement.services.bills.rerate_what_changed import rerate_what_changed
from settlement.services.books.close_books_day import BooksBusy, BooksClosedToday, close_books_day
from settlement.services.books.export_seals import export_seals
from settlement.services.books.keep_books import BooksKeeping, keep_books
from settlement.services.books.seal_keys import Signer, key_id_of
from settlement.services.events.number_events import number_all_events
from settlement.services.members.add_member import add_members
from settlement.services.messages.drop_expired import drop_expired_messages
from settlement.services.pending.ask_questions import Asker, ask_all_due
from settlement.services.reconciliation.act_on_break import settle_missing
from settlement.services.reconciliation.bring_list import bring_list
from settlement.services.reconciliation.import_list import ListFile
from settlement.services.transactions import DATABASE_FAILURES, NotRecorded

_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = Signer(key_id_of(_KEY.public_key()), _KEY)
NIGHT_SECONDS = 16 * 3600
"""After so long it is the next day in China; books days are due at once."""
DAYS = tuple(THE_DAY + timedelta(days=offset) for offset in (-1, 0, 1, 2))
_ROUNDS_AT_REST = 40
_PAUSE_AT_REST_SECONDS = 16
_LATEST_SECONDS = 15
_OFFICE = "office"

Job = Callable[[Process], Awaitable[object]]


@action(6)
async def work_round(world: World, rng: Random) -> None:
    """The worker numbers events, and drops messages whose time is over."""
    await world.wait_for_others(rng, TURNS)
    await number_and_drop(world, rng, all_times=rng.random() < 0.5)


@action(4)
async def keep_the_books(world: World, rng: Random) -> None:
    """The worker closes the books day that is due and seals it; a witness takes the seals. The next day again."""
    for _ in range(rng.randint(1, 2)):
        await world.wait_for_others(rng, TURNS)
        await seal(world, rng)
        await asyncio.sleep(NIGHT_SECONDS * 1.5)


@action(3)
async def close_by_hand(world: World, rng: Random) -> None:
    """Somebody closes the books day through a process of the API, while the worker may do so."""
    await world.wait_for_others(rng, TURNS)

    async def close(process: Process) -> None:
        try:
            await close_books_day(process.life.resources, world.scene.fund.fund_id)
        except (BooksClosedToday, BooksBusy) as refused:
            world.steering.note(f"not closed: {refused.code}")

    await do(world, rng, close, APIS)


@action(6)
async def ask_pending(world: World, rng: Random) -> None:
    """The worker asks the insurer about what is pending, a few rounds."""
    for _ in range(rng.randint(1, 4)):
        await world.wait_for_others(rng, TURNS)
        await ask(world, rng, all_times=rng.random() < 0.5)
        await asyncio.sleep(rng.choice((1, 3, 20)))


@action(1)
async def examine_meanwhile(world: World, rng: Random) -> None:
    """The worker examines the record while others write it, and finds nothing broken."""
    await world.wait_for_others(rng, TURNS)

    async def examine(process: Process) -> None:
        broken = await examine_when_due(process.life.ops, KEYS, process.life.resources.ids)
        if broken:
            world.model.wrong.append(f"an examination in the midst of work found {broken} invariants broken")

    await do(world, rng, examine)


@action(6)
async def answer_is_lost(world: World, rng: Random) -> None:
    """A hospital gets no answer to its settlement, perhaps a promised one; it was settled, it is later, or never."""
    visit = await world.treated(rng)
    if rng.random() < 0.5:
        await promise(world, visit, rng)
    fate = rng.choice(("settled", "late", "never"))
    world.model.reported.add(visit.mdtrt_id)
    sent = world.city.send(visit)
    msgid = str(sent.message["msgid"])
    world.model.messages[msgid] = None
    facts = {name: value for name, value in sent.facts.items() if value is not None and name != "init_setl_id"}
    report = {"infno": sent.message["infno"], "msgid": msgid, "psn_no": visit.person.psn_no}
    body = write_json({**report, "mdtrt_id": visit.mdtrt_id, "visit": facts})

    async def arrives() -> None:
        await asyncio.sleep(0 if fate == "settled" else rng_of_fate.randrange(1, _LATEST_SECONDS))
        bill = world.knows(sent.arrive())
        world.model.messages[msgid] = bill.setl_id
        world.model.sent([Claim(world.bill_of(bill))])

    rng_of_fate = Random(rng.getrandbits(64))
    arriving = asyncio.ensure_future(arrives()) if fate != "never" else None
    await bring(world, Message("/v1/pending-messages", body, f"report-{msgid}", ()), rng)
    if arriving is not None:
        await arriving
    for pause in (0, 8, 25):
        await asyncio.sleep(pause)
        await ask(world, rng, all_times=False)


@action(5)
async def cancellation_is_lost(world: World, rng: Random) -> None:
    """A hospital gets no answer to a cancellation, and reports it; it was cancelled, it is later, or never."""
    bill = await world.settled(rng)
    recorded = await bring(world, settlement_of(world, bill), rng)
    if recorded is None:
        return
    fate = rng.choice(("cancelled", "late", "never"))
    msgid = world.city.message_id(bill.visit)
    facts = {name: value for name, value in bill.facts.items() if value is not None and name != "init_setl_id"}
    told = {"infno": "2305" if bill.visit.inpatient else "2208", "msgid": msgid, "psn_no": bill.psn_no}
    body = write_json({**told, "mdtrt_id": bill.mdtrt_id, "setl_id": bill.setl_id, "visit": facts | {"msgid": msgid}})
    rng_of_fate = Random(rng.getrandbits(64))

    async def arrives() -> None:
        await asyncio.sleep(0 if fate == "cancelled" else rng_of_fate.randrange(1, _LATEST_SECONDS))
        world.cancel_now(bill)

    arriving = asyncio.ensure_future(arrives()) if fate != "never" else None
    await bring(world, Message("/v1/pending-messages", body, f"report-{msgid}", ()), rng)
    if arriving is not None:
        await arriving
    await ask(world, rng, all_times=False)


@action(2)
async def ask_what_became(world: World, rng: Random) -> None:
    """A caller asks what became of a command whose answer it lost."""
    settling = settlement_of(world, await world.settled(rng))
    if await bring(world, settling, rng) is not None:
        reply = await world.deliver(Message(f"/v1/requests/{settling.key}", "", None, (), method="GET"), rng)
        if reply is not None and settling.key is not None:
            world.model.answered(settling.key, reply.body["status"], write_json(reply.body["body"]))


@action(3)
async def late_roster(world: World, rng: Random) -> None:
    """A bill is held and found not to be covered; a roster comes that covers it, the worker looks, it is cancelled."""
    fund = world.scene.fund
    bill = await world.settled(rng, fund.latecomer)
    held = await bring(world, settlement_of(world, bill, wrong_name=True), rng)
    if held is not None and held["state"] == "held":
        await bring(world, answer_to(world, held["id"], bill), rng)
    covered = roster_line(fund.latecomer, COVER_LAPSED + timedelta(days=1), date(THE_DAY.year, 12, 31))

    async def enrol(process: Process) -> None:
        await add_members(process.life.resources, fund.fund_id, [covered])

    if rng.random() < 0.8:
        await do(world, rng, enrol, APIS)
    await world.wait_for_others(rng, TURNS)
    await rerate(world, rng, all_times=False)
    if held is not None and rng.random() < 0.3:
        await bring(world, reversal_of(world, held["id"], await world.cancelled_bill(bill), brings=True), rng)


@action(5)
async def reconcile(world: World, rng: Random) -> None:
    """The bureau's list of a day is brought and compared; what is missing here may be settled from it at once."""
    await world.settled(rng)
    await asyncio.sleep(rng.choice((0, 3, 6)))
    await reconcile_day(world, rng, rng.choice(listed_days(world)), repairs=rng.random() < 0.5)


def listed_days(world: World) -> list[date]:
    """Return the days of which the bureau has a line by now."""
    return [day for day in DAYS if world.city.file([f"{day:%Y-%m-%d}"])]


async def reconcile_day(world: World, rng: Random, day: date, *, repairs: bool) -> None:
    """Bring the bureau's list of a day as it is now, and compare it with the records."""
    lines = world.city.file([f"{day:%Y-%m-%d}"])
    world.counted["list"] += 1
    number = world.counted["list"]
    path = world.city.platform.folder / f"list-{number}.jsonl"
    path.write_text("".join(f"{write_json(line)}\n" for line in lines), encoding="utf-8")
    fund_id = world.scene.fund.fund_id
    caller = Caller(ClientId(f"{fund_id}.{_OFFICE}"), fund_id, frozenset())
    once = Once(CommandKey(caller.client_id, f"list-{number}"), f"list-{number}")

    async def bring_it(process: Process) -> None:
        await bring_list(process.life.resources, caller, ListFile(Source.BUREAU, day, path), once)

    async def repair(process: Process) -> None:
        await settle_missing(process.life.resources, caller, BreakSearch(business_date=day))

    await do(world, rng, bring_it, APIS)
    if repairs:
        world.model.sent([claim_of_line(world, line) for line in lines])
        await do(world, rng, repair, APIS)


async def seal(world: World, rng: Random) -> None:
    """Have the worker close and seal what is due, and give the seals to a witness."""

    async def keep(process: Process) -> None:
        life = process.life
        await keep_books(BooksKeeping(life.resources, time(0), SIGNER), life.ops)
        async for each in export_seals(life.resources, world.scene.fund.fund_id):
            known = world.seals.setdefault((each.statement.fund_id, each.statement.books_day), each.seal_hash)
            if known != each.seal_hash:
                world.model.wrong.append(f"books day {each.statement.books_day} has another seal than before")

    await do(world, rng, keep)


async def ask(world: World, rng: Random, *, all_times: bool) -> None:
    """Have the worker ask what is due."""
    chance = Random(rng.getrandbits(64))

    async def job(process: Process) -> None:
        life = process.life
        await ask_all_due(Asker(life.resources, life.insurers, life.ops, chance.random), all_times=all_times)

    await do(world, rng, job)


async def number_and_drop(world: World, rng: Random, *, all_times: bool) -> None:
    """Have the worker number events and drop messages."""

    async def job(process: Process) -> None:
        await number_all_events(process.life.ops, all_times=all_times)
        await drop_expired_messages(process.life.ops, process.life.resources.clock)

    await do(world, rng, job)


async def rerate(world: World, rng: Random, *, all_times: bool) -> None:
    """Have the worker look at what may have changed what earlier bills get."""

    async def job(process: Process) -> None:
        await rerate_what_changed(process.life.resources, process.life.ops, all_times=all_times)

    await do(world, rng, job)


async def ask_until_known(world: World, rng: Random) -> None:
    """Have the worker ask until no question is open; one that is open still is found by the records."""
    for number in range(_ROUNDS_AT_REST):
        await ask(world, rng, all_times=number == 0)
        if number and not world.records.still_asked():
            return
        await asyncio.sleep(_PAUSE_AT_REST_SECONDS)


async def do(world: World, rng: Random, job: Job, names: tuple[str, ...] = (WORKER,), key: str = "") -> None:
    """Do a job in one of these processes, again when it dies on the way or the database does not answer.

    `key` is by whose command, where it is anybody's.
    """
    for _ in range(MOST_TRIES):
        process = world.processes[rng.choice(names)]
        try:
            if process.is_up:
                await process.run(_as_coroutine(job, process, key))
                return
        except Unreachable:
            pass
        except (*DATABASE_FAILURES, NotRecorded) as failed:
            world.steering.note(f"job failed: {type(failed).__name__}")
        except SettlementError as refused:
            world.steering.note(f"job refused: {refused.code}")
        await asyncio.sleep(rng.random())
    world.model.wrong.append("a job was not done")


async def _as_coroutine(job: Job, process: Process, key: str) -> None:
    COMMAND.set(key)
    await job(process)
