"""Re-rate a member's term: each live bill computed anew in its place, old against new. Nothing is changed by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db import bills
from settlement.db.engine import fund_transaction
from settlement.db.settling import lock_member, read_covers, read_takings
from settlement.domain.answers import Answer
from settlement.domain.benefits import STAY, Taking
from settlement.domain.cover import CoverSpan
from settlement.domain.ids import BillId, FundId, MemberId
from settlement.domain.money import ZERO, Money, total
from settlement.domain.settlements import SettledBill
from settlement.plans.history import rooms_taken
from settlement.plans.receipt import Inputs, replay
from settlement.plans.stored import used_from_json
from settlement.services.bills.anew import Anew, compute_anew
from settlement.services.bills.commands import Caller
from settlement.services.bills.errors import BillNotFound
from settlement.services.bills.later_paid import later_paid
from settlement.services.bills.turns import run_in_turn
from settlement.services.funds.rules import FundRules
from settlement.services.resources import Resources


@dataclass(frozen=True, slots=True)
class RatedBill:
    """One live bill: its aid as recorded and as it would be now, in fen; `None` where its version cannot compute it."""

    settled: SettledBill
    aid_recorded: Money
    aid_now: Money | None
    anew: Anew | None = None
    """The bill as it would be now, where anything of it would be another: aid, or the room it takes."""

    @property
    def difference(self) -> Money:
        """What the bill would get more, or less where it is negative, in fen."""
        return ZERO if self.aid_now is None else self.aid_now - self.aid_recorded

    def to_json(self) -> Answer:
        """Return it as plain values, amounts in yuan."""
        return {
            "id": str(self.settled.head.bill_id),
            "settlement_no": self.settled.head.settlement_no,
            "revision": self.settled.head.revision,
            "aid_recorded": self.aid_recorded.yuan(),
            "aid_now": self.aid_now.yuan() if self.aid_now is not None else None,
            "difference": self.difference.yuan(),
        }


@dataclass(frozen=True, slots=True)
class Rerating:
    """A member's term, computed anew in the order of recording; `net` is owed to the member, or by him if negative."""

    member_id: MemberId
    plan_code: str
    term: str
    effect: str
    """What the plan declares for earlier changes: `leave`, `propose` or `raise`."""
    lines: tuple[RatedBill, ...]

    @property
    def changed(self) -> tuple[RatedBill, ...]:
        """The lines that would be recorded anew; none, unless some bill's aid would be another."""
        if not any(line.difference != ZERO for line in self.lines):
            return ()
        return tuple(line for line in self.lines if line.anew is not None)

    @property
    def net(self) -> Money:
        """The sum of the differences, in fen."""
        return total(line.difference for line in self.lines)

    def to_json(self) -> Answer:
        """Return it as plain values, amounts in yuan."""
        owes = "fund" if self.net > ZERO else "member" if self.net < ZERO else None
        return {
            "term": self.term,
            "net": self.net.yuan(),
            "owes": owes,
            "lines": [line.to_json() for line in self.lines],
        }


async def rerate_member(resources: Resources, caller: Caller, bill_id: BillId) -> Rerating:
    """Compute every live bill of the bill's member in its term anew, in the order of their places.

    Promises that were kept stay as promised, and open holds and they are served first. Raises `BillNotFound` for a
    bill that was not settled under a plan, and what `run` raises.
    """

    async def transaction() -> Rerating:
        async with fund_transaction(resources.engine, caller.fund_id) as connection:
            await lock_member(connection, caller.fund_id, f"rerate\x1f{bill_id}", bill_id=bill_id)
            return await rerate_under_lock(connection, resources, caller.fund_id, bill_id, resources.clock())

    return await run_in_turn(resources, caller.fund_id, bill_id, transaction)


async def rerate_under_lock(
    connection: AsyncConnection, resources: Resources, fund_id: FundId, bill_id: BillId, at: datetime
) -> Rerating:
    """Do the same within a transaction that holds the member's lock, as of an instant."""
    settled = await bills.find_settled_bill(connection, fund_id, bill_id)
    term = _term_of(settled) if settled else None
    if settled is None or settled.head.member_id is None or term is None or settled.priced is None:
        raise BillNotFound(id=str(bill_id))
    member_id, plan_code = settled.head.member_id, settled.priced.plan_code or ""
    found = await bills.list_live_bills_of_member(connection, fund_id, member_id)
    in_term = [bill for bill in found if bill.priced and bill.priced.plan_code == plan_code and _term_of(bill) == term]
    digests = [settled.priced.plan_digest, *(bill.priced.plan_digest for bill in in_term if bill.priced)]
    rules = await resources.rules.knowing(fund_id, *digests, within=connection)
    version = rules.version_by_digest(settled.priced.plan_digest or "")
    changes = version.plan.header.earlier_changes if version else None
    later = await later_paid(connection, fund_id, version, [bill.head.bill_id for bill in in_term])
    covers = await read_covers(connection, fund_id, member_id, plan_code)
    rating = _Rating(fund_id, member_id, plan_code, rules, later, covers)
    lines = await rating.lines(connection, in_term, at)
    return Rerating(member_id, plan_code, term, changes.effect if changes else "propose", lines)


def _term_of(settled: SettledBill) -> str | None:
    """Return the term of a bill's first benefit, in which its stay counts, too."""
    result = settled.priced.receipt.get("result") if settled.priced else None
    return str(result[0]["term"]["code"]) if result else None


@dataclass(frozen=True, slots=True)
class _Rating:
    fund_id: FundId
    member_id: MemberId
    plan_code: str
    rules: FundRules
    later_paid: Mapping[BillId, Money]
    covers: Sequence[CoverSpan]

    async def lines(
        self, connection: AsyncConnection, in_term: Sequence[SettledBill], at: datetime
    ) -> tuple[RatedBill, ...]:
        """Compute bill after bill; what an earlier one would take now is what the next one finds.

        What stays as it is keeps its room before all others, so that limits hold: a promise that was kept, and a bill
        that its version cannot compute any more.
        """
        in_order = sorted(in_term, key=lambda bill: (bill.head.place.int, bill.head.bill_id.int))
        staying = {bill.head.bill_id for bill in in_order if bill.is_as_promised}
        while True:
            lines = await self._lines_beside(connection, in_order, staying, at)
            unknown = {line.settled.head.bill_id for line in lines if line.aid_now is None}
            if unknown <= staying:
                return lines
            staying |= unknown

    async def _lines_beside(
        self, connection: AsyncConnection, in_order: Sequence[SettledBill], staying: Set[BillId], at: datetime
    ) -> tuple[RatedBill, ...]:
        taken, lines = list[Taking](), []
        anew_ids = [bill.head.bill_id for bill in in_order if bill.head.bill_id not in staying]
        for bill in in_order:
            recorded = bill.priced.split.aid if bill.priced else ZERO
            if bill.head.bill_id in staying:
                lines.append(RatedBill(bill, recorded, recorded if bill.is_as_promised else None))
                continue
            others = await read_takings(
                connection,
                self.fund_id,
                self.member_id,
                self.plan_code,
                at,
                without_bills=anew_ids,
                before=bill.head.place,
            )
            anew = self._anew(bill, [*others, *taken])
            taken += anew.taken if anew else ()
            changed = anew if anew is not None and self._differs(bill, anew) else None
            lines.append(RatedBill(bill, recorded, anew.aid if anew else None, changed))
        return tuple(lines)

    def _anew(self, bill: SettledBill, past: Sequence[Taking]) -> Anew | None:
        priced = bill.priced
        version = self.rules.version_by_digest(priced.plan_digest or "") if priced else None
        if version is None or priced is None:
            return None
        later = self.later_paid.get(bill.head.bill_id, ZERO)
        return compute_anew(bill.head, priced, version, past, later_paid=later, covers=self.covers)

    def _differs(self, bill: SettledBill, anew: Anew) -> bool:
        """Say whether a bill would get another amount, or take other room, than it did."""
        priced = bill.priced
        version = self.rules.version_by_digest(priced.plan_digest or "") if priced else None
        if priced is None or version is None:
            return False
        used = used_from_json(priced.receipt["used_before"])
        took = rooms_taken(replay(version.plan, Inputs.from_json(priced.receipt["inputs"]), used))
        takes = {(taking.code, taking.term): taking.room for taking in anew.taken if taking.code != STAY}
        return anew.aid != priced.split.aid or took != takes
