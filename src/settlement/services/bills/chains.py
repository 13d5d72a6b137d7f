"""Correction chains: what a cancelled bill gives back is kept for its successor, which then stands in its place."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db import bills, holds
from settlement.db.parts import write_together
from settlement.db.settling import read_takings
from settlement.domain.bills import Care
from settlement.domain.errors import ensure
from settlement.domain.ids import HoldId
from settlement.domain.money import total
from settlement.domain.promises import HoldKind, HoldState, KeptPlace, Promise, kept_until
from settlement.domain.settlements import BillHead, BillState, RevisionReason, SettledBill
from settlement.plans.receipt import Inputs
from settlement.services.bills.anew import Anew, compute_anew
from settlement.services.bills.later_paid import later_paid
from settlement.services.bills.revise import revise
from settlement.services.bills.work import Work


async def declares_kept_place(connection: AsyncConnection, work: Work, settled: SettledBill) -> bool:
    """Say whether a live bill's plan gives its successor its place."""
    priced = settled.priced
    if settled.head.state is not BillState.LIVE or priced is None or priced.plan_digest is None:
        return False
    rules = await work.resources.rules.knowing(work.fund_id, priced.plan_digest, within=connection)
    version = rules.version_by_digest(priced.plan_digest)
    corrections = version.plan.header.corrections if version else None
    return corrections is not None and corrections.place == "kept"


def keep_place(work: Work, settled: SettledBill) -> None:
    """Hold what a bill gives back as it is reversed: nobody else gets it until the end of the next day in China."""
    head, priced = settled.head, settled.priced
    if priced is None or head.member_id is None or priced.plan_version_id is None:
        return
    hold = Promise(
        hold_id=HoldId(work.resources.ids.new()),
        kind=HoldKind.SUCCESSOR,
        state=HoldState.OPEN,
        member_id=head.member_id,
        hospital_code=head.hospital_code or "",
        encounter_id=head.encounter_id or "",
        charge_batch_no=head.charge_batch_no or "",
        figures_digest=head.figures_digest or "",
        plan_version_id=priced.plan_version_id,
        plan_code=priced.plan_code or "",
        plan_version=priced.plan_version or "",
        plan_digest=priced.plan_digest or "",
        service_date=priced.service_date,
        split=priced.split,
        receipt=priced.receipt,
        receipt_hash=priced.receipt_hash,
        actor=work.caller.client_id,
        created_at=work.at,
        expires_at=kept_until(work.at),
        of_bill_id=head.bill_id,
        place_bill_id=head.place,
    )
    work.parts.append(holds.insert_hold(work.fund_id, hold))
    work.parts.append(holds.insert_room_of_bill(work.fund_id, hold.hold_id, head.bill_id, priced.revision))


async def keep_place_on(connection: AsyncConnection, work: Work, released: Promise) -> None:
    """Hold the place that a released promise had taken over for the next successor, as long as it was kept before.

    What the promise held of the room is kept; what it had left of it may be another's by now.
    """
    if released.kind is HoldKind.SUCCESSOR or released.of_bill_id is None:
        return
    kept = await holds.find_last_kept_place(connection, work.fund_id, released.of_bill_id)
    if kept is None or work.at >= kept.expires_at:
        return
    hold = replace(
        kept,
        hold_id=HoldId(work.resources.ids.new()),
        state=HoldState.OPEN,
        split=released.split,
        receipt=released.receipt,
        receipt_hash=released.receipt_hash,
        actor=work.caller.client_id,
        created_at=work.at,
    )
    work.parts.append(holds.insert_hold(work.fund_id, hold))
    work.parts.append(holds.insert_room_of_hold(work.fund_id, hold.hold_id, released.hold_id))


def take_place(work: Work, head: BillHead, chain: KeptPlace) -> None:
    """Let a new bill, whose head names the cancelled one already, stand in its place; what was kept is its own now."""
    if chain.kind is HoldKind.SUCCESSOR:
        end = holds.end_holds(work.fund_id, [chain.hold_id], HoldState.TAKEN, work.at, head.bill_id)
        work.parts.append(end)
    work.parts += bills.replace_bill(
        work.fund_id,
        chain.of_bill_id,
        chain.event_count + 1,
        head,
        work.resources.ids.new(),
        work.caller.client_id,
        work.at,
    )


async def find_successor(connection: AsyncConnection, work: Work, settled: SettledBill) -> SettledBill | None:
    """Return the bill that corrects this one and was settled first, while this one was still live."""
    head, priced = settled.head, settled.priced
    if priced is None or head.member_id is None:
        return None
    facts = Inputs.from_json(priced.receipt["inputs"]).facts
    left = facts.discharged_on if facts.care == Care.INPATIENT else None
    found = await bills.find_later_bill_of_visit(connection, work.fund_id, head, priced.figures.billed, left)
    return await bills.find_settled_bill(connection, work.fund_id, found) if found else None


async def lives_on(connection: AsyncConnection, work: Work, head: BillHead) -> bool:
    """Say whether another bill of the correction chain lives, because its own cancellation was undone."""
    chain = await bills.list_bills_in_place(connection, work.fund_id, head.place)
    return any(other.state is BillState.LIVE and other.bill_id != head.bill_id for other in chain)


async def take_place_late(
    connection: AsyncConnection, work: Work, new: SettledBill, chain: KeptPlace
) -> SettledBill | None:
    """Put a bill that was recorded without a word of it in the kept place of the one that it is now said to correct.

    Returns it as it then stands; `None` where the place is another bill's than is named, or comes after its own.
    """
    old = await bills.find_settled_bill(connection, work.fund_id, chain.of_bill_id)
    if old is None or old.head.insurer_settlement_id != new.head.resettles or old.head.place.int > new.head.place.int:
        return None
    state = HoldState.TAKEN if chain.kind is HoldKind.SUCCESSOR else HoldState.OVERTAKEN
    work.parts.append(holds.end_holds(work.fund_id, [chain.hold_id], state, work.at, new.head.bill_id))
    # What was kept must be free before the bill is computed in its place: one statement sees no other's work.
    await write_together(connection, work.parts)
    work.parts.clear()
    _, placed = await give_place(connection, work, old, new)
    return placed


async def give_place(
    connection: AsyncConnection, work: Work, old: SettledBill, new: SettledBill
) -> tuple[SettledBill, SettledBill]:
    """Put the successor in the place of a bill whose reversal is written: as if the old one had never been.

    What it gains goes to the card; what it would lose is a person's matter. Returns both as they then stand.
    """
    anew = await _in_its_place(connection, work, old, new)
    replaces = new.head.replaces_bill_id or old.head.bill_id
    head = replace(new.head, replaces_bill_id=replaces, place_bill_id=old.head.place)
    if anew is not None and new.priced is not None and anew.aid >= new.priced.split.aid:
        placed = revise(work, new, RevisionReason.CORRECTED, anew.priced, anew.taken, head)
    else:
        written = work.changed_head(head, "settlement.took_place.v1", {"replaces": str(old.head.bill_id)})
        placed = replace(new, head=written)
        now = {"aid_now": anew.aid.yuan()} if anew else {}
        aid = new.priced.split.aid.yuan() if new.priced else None
        work.worklist(written, "corrected_with_less", {"replaces": str(old.head.bill_id), "aid_recorded": aid, **now})
    count = old.head.event_count + 1
    work.parts += bills.replace_bill(
        work.fund_id, old.head.bill_id, count, placed.head, work.resources.ids.new(), work.caller.client_id, work.at
    )
    replaced = replace(old.head, state=BillState.REPLACED, replaced_by_bill_id=placed.head.bill_id, event_count=count)
    return replace(old, head=replaced), placed


async def _in_its_place(connection: AsyncConnection, work: Work, old: SettledBill, new: SettledBill) -> Anew | None:
    before, after, member_id = old.priced, new.priced, new.head.member_id
    ensure(before is not None and after is not None and member_id is not None, "a chain of bills without settlements")
    if before is None or after is None or member_id is None:
        return None
    digests = (before.plan_digest, after.plan_digest)
    rules = await work.resources.rules.knowing(work.fund_id, *digests, within=connection)
    version = rules.version_by_digest(before.plan_digest or "")
    if version is None or version.effective_from > after.service_date:
        version = rules.version_by_digest(after.plan_digest or "")
    past = await read_takings(
        connection,
        work.fund_id,
        member_id,
        before.plan_code or "",
        work.at,
        without_bills=[new.head.bill_id],
        before=old.head.place,
    )
    if version is None:
        return None
    # Once it stands in the place, what was paid for the old bill counts for it anyway.
    stands = [] if new.head.place == old.head.place else [old.head.bill_id]
    later = await later_paid(connection, work.fund_id, version, [*stands, new.head.bill_id])
    paid = total(later.values())
    return compute_anew(new.head, after, version, past, visit_on=before.service_date, later_paid=paid)
