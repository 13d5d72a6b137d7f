"""Revise a recorded bill: the one way to change it. Revision n is undone and n+1 stands in its place, in one write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from settlement.db import bills
from settlement.domain.benefits import Taking
from settlement.domain.errors import ensure
from settlement.domain.postings import postings_of, purses_of
from settlement.domain.settlements import (
    BY_REVISION,
    BillHead,
    BillState,
    PricedRecord,
    ReversalRecord,
    RevisionReason,
    SettledBill,
)
from settlement.domain.time import china_date
from settlement.services.bills.work import Work


def revise(
    work: Work,
    settled: SettledBill,
    reason: RevisionReason,
    priced: PricedRecord,
    taken: Sequence[Taking] | None = None,
    head: BillHead | None = None,
) -> SettledBill:
    """Collect the parts by which `priced` becomes the bill's next revision; return the bill as it then stands.

    Call it under the member's lock, with the books day held open. Both records fall in the open books day and carry
    today's date in China as business date: what earlier day sheets said stays said. A revision that is undone already
    (the insurer had cancelled it) is not undone again. `taken` is the room of the new revision; without it, it takes
    exactly the room of the one before. `head` is the head with whatever else changes of it.
    """
    before, bill_id = settled.priced, settled.head.bill_id
    ensure(before is not None, "a bill without a settlement cannot be revised")
    if before is None:
        return settled
    if settled.reversal is None:
        _undo(work, settled.head, before, reason)
    priced = replace(
        priced,
        revision=before.revision + 1,
        business_date=china_date(work.at),
        actor=work.caller.client_id,
        recorded_at=work.at,
        hold_id=None,
        plan_version_id=priced.plan_version_id or before.plan_version_id,
    )
    changed = replace(head or settled.head, state=BillState.LIVE, revision=priced.revision)
    written = work.changed_head(changed, "settlement.revised.v1", _payload(priced, reason))
    work.parts.append(bills.insert_settlement(work.fund_id, bill_id, written.member_id, priced.plan_version_id, priced))
    lines = postings_of(priced.figures, priced.split, purses_of(priced.receipt))
    if lines:
        work.parts.append(bills.insert_postings(work.fund_id, bill_id, priced.revision, lines))
    _take(work, written, priced, taken)
    return SettledBill(written, priced, None, settled.promise)


def _undo(work: Work, head: BillHead, before: PricedRecord, reason: RevisionReason) -> None:
    undone = ReversalRecord(
        revision=before.revision,
        reason=reason.value,
        seen_by=BY_REVISION,
        cancelling_settlement_id=None,
        business_date=china_date(work.at),
        actor=work.caller.client_id,
        recorded_at=work.at,
    )
    work.parts.append(bills.insert_reversal(work.fund_id, head.bill_id, work.resources.ids.new(), undone))
    work.parts.append(bills.insert_swapped_postings(work.fund_id, head.bill_id, before.revision))


def _take(work: Work, head: BillHead, priced: PricedRecord, taken: Sequence[Taking] | None) -> None:
    if taken is None:
        work.parts.append(bills.insert_same_consumption(work.fund_id, head.bill_id, priced.revision))
    elif taken and head.member_id is not None and priced.plan_code is not None:
        work.parts.append(
            bills.insert_consumption(work.fund_id, head, head.member_id, priced.plan_code, priced.revision, taken)
        )


def _payload(priced: PricedRecord, reason: RevisionReason) -> dict[str, object]:
    return {
        "revision": priced.revision,
        "replaces": priced.revision - 1,
        "reason": reason.value,
        "aid_on_bill": priced.split.aid_on_bill.yuan(),
        "aid_to_card": priced.split.aid_to_card.yuan(),
        "cash_due": priced.split.cash_due.yuan(),
    }
