"""Settle one bill: the insurer has said yes, the plan is applied, one record is written in one transaction.

Every door ends here. Whenever something could be committed, the answer is a record: priced, or held with one question.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.commands import find_answer
from settlement.db.engine import fund_transaction
from settlement.db.parts import write_together
from settlement.db.people import certificate_index, number_index
from settlement.db.settling import Reading as UnderLock
from settlement.db.settling import StoredAnswer, Wanted, lock_member, read_under_lock
from settlement.domain.errors import ensure
from settlement.domain.ids import FundId, MemberId
from settlement.domain.time import china_date
from settlement.services.bills.commands import CREATED, Once, Outcome, SettleBill
from settlement.services.bills.decide import certificate_of, likely_service_date
from settlement.services.bills.errors import KeyReused
from settlement.services.bills.read_brought import ReadBill, read_brought_settlement
from settlement.services.bills.settling import KnownFromBefore, Settling
from settlement.services.bills.work import Work
from settlement.services.funds.rules import FundRules
from settlement.services.resources import Resources
from settlement.services.transactions import run


class RulesChanged(Exception):
    """A plan version is in force that this process has not read yet."""

    def __init__(self, digest: str) -> None:
        super().__init__(digest)
        self.digest = digest


def refuse_unknown_version(rules: FundRules, seen: UnderLock) -> None:
    """Raise `RulesChanged` when the version in force, of a kept place, or of a promise was not read yet."""
    promised = [promise.plan_digest for promise in seen.promises]
    for digest in (seen.plan_digest, seen.chain.plan_digest if seen.chain else None, *promised):
        if digest is not None and rules.version_by_digest(digest) is None:
            raise RulesChanged(digest)


@dataclass(frozen=True, slots=True)
class Indexes:
    """The blind indexes by which the bill's person is found."""

    certificate: bytes | None
    number: bytes | None


async def settle_bill(resources: Resources, command: SettleBill) -> Outcome:
    """Record one bill and answer what the patient pays.

    Raises what `read_brought_settlement` raises, `KeyReused`, and what `run` raises when nothing could be committed.
    """
    fund_id = command.caller.fund_id
    rules = await resources.rules.of(fund_id)
    read = read_brought_settlement(command.brought, rules.profile, command.caller)
    indexes = _indexes(resources, command, read)
    async with resources.queue.place((fund_id, indexes.certificate or indexes.number)):
        while True:
            try:
                return await run(lambda: _transaction(resources, command, rules, read, indexes))  # noqa: B023
            except RulesChanged as changed:
                rules = await resources.rules.read_anew(fund_id)
                ensure(rules.version_by_digest(changed.digest) is not None, "the plan version in force cannot be read")
            except KnownFromBefore as known:
                command = replace(command, brought=known.brought)
                read = read_brought_settlement(command.brought, rules.profile, command.caller)
                indexes = _indexes(resources, command, read)


def replayed(stored: StoredAnswer, once: Once) -> Outcome:
    """Return the stored answer of the same command. Raises `KeyReused` when the key was another command's."""
    if stored.fingerprint != once.fingerprint:
        raise KeyReused
    return Outcome(stored.body, created=stored.status == CREATED, replayed=True)


async def answered_before(connection: AsyncConnection, fund_id: FundId, once: Once | None) -> Outcome | None:
    """Return what this very command was answered earlier. Raises `KeyReused` when the key was another command's."""
    stored = await find_answer(connection, fund_id, once.command) if once else None
    return replayed(stored, once) if stored and once else None


async def _transaction(
    resources: Resources, command: SettleBill, rules: FundRules, read: ReadBill, indexes: Indexes
) -> Outcome:
    fund_id = command.caller.fund_id
    async with fund_transaction(resources.engine, fund_id) as connection:
        member_id = await lock_member(
            connection,
            fund_id,
            _once(command, read),
            certificate_index=indexes.certificate,
            number_index=indexes.number,
        )
        at = resources.clock()
        wanted = _wanted(at, command, rules, read, indexes, member_id)
        under_lock = await read_under_lock(connection, wanted)
        if command.once is not None and under_lock.answer is not None:
            return replayed(under_lock.answer, command.once)
        refuse_unknown_version(rules, under_lock)
        work = Work(resources, command.caller, command.once, at)
        settling = Settling(work, command, rules, read, member_id, indexes.number, under_lock)
        outcome = await settling.outcome(connection)
        if work.parts:
            await write_together(connection, work.parts)
        return outcome


def _once(command: SettleBill, read: ReadBill) -> str:
    """Name what must not run twice at a time: the client's key, else the insurer's bill."""
    if command.once is not None:
        return command.once.lock_name
    return f"{read.visit.area}\x1f{read.bill.insurer_settlement_id}"


def _indexes(resources: Resources, command: SettleBill, read: ReadBill) -> Indexes:
    fund_id, number = command.caller.fund_id, read.bill.insured.insured_person_no
    certificate = certificate_of(read.bill, command.brought.answers)
    return Indexes(
        certificate_index(resources.keys, fund_id, certificate) if certificate else None,
        number_index(resources.keys, fund_id, number) if number else None,
    )


def _wanted(
    at: datetime,
    command: SettleBill,
    rules: FundRules,
    read: ReadBill,
    indexes: Indexes,
    member_id: MemberId | None,
) -> Wanted:
    return Wanted(
        fund_id=command.caller.fund_id,
        member_id=member_id,
        number_index=indexes.number,
        area=read.visit.area,
        insurer_settlement_id=read.bill.insurer_settlement_id,
        hospital_code=read.visit.hospital_code,
        encounter_id=read.bill.encounter_id,
        charge_batch_no=read.visit.charge_batch_no,
        visit_no=read.visit.visit_no,
        resettles=command.brought.resettles,
        plan_code=rules.fund.plan_code,
        service_date=likely_service_date(read.bill, read.visit, rules, china_date(at)),
        at=at,
        command=command.once.command if command.once else None,
    )
