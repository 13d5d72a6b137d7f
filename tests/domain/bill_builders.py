"""Bills and their records for the tests of the core: one in which no two amounts are alike, and bills at random."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from settlement.domain.bills import BillFigures, InsurerFunds
from settlement.domain.ids import BillId
from settlement.domain.money import ZERO, Money
from settlement.domain.settlements import (
    BillHead,
    BillState,
    Door,
    PricedRecord,
    Question,
    ReversalRecord,
    SettledBill,
    Split,
    split_aid,
)

FUNDS = InsurerFunds(
    hifp=Money(600_000),
    cvlserv=Money(100),
    hifes=Money(20_000),
    hifmi=Money(3_000),
    hifob=Money(10_000),
    hifdm=Money(500),
    maf=Money(7_000),
    oth=Money(8_000),
    unnamed=Money(1_400),
)
FIGURES = BillFigures(
    billed=Money(900_000),
    excluded=Money(60_000),
    over_limit=Money(30_000),
    upfront_share=Money(11_000),
    allowed=Money(799_000),
    insurer_deductible=Money(80_000),
    funds=FUNDS,
    provider_absorbed=Money(12_034),
    patient_share=Money(237_966),
    account_paid=Money(30_000),
    family_account_paid=Money(5_000),
    cash_before_aid=Money(207_966),
)
SPLIT = Split(aid_on_bill=Money(38_983), aid_to_card=Money(1_017), other_on_bill=Money(10_001), cash_due=Money(158_982))

EVENING = datetime(2025, 3, 11, 16, 30, 5, 678_901, tzinfo=UTC)
"""Half past midnight of 12 March in China."""

HEAD = BillHead(
    bill_id=BillId(UUID("01957f3e-2d00-7000-8000-000000000001")),
    settlement_no="HZ20250312-00000001",
    state=BillState.LIVE,
    area="500103",
    insurer_settlement_id="700000000001",
    door=Door.CATCH_UP,
    created_at=EVENING,
    revision=2,
    hospital_code="H50010302473",
    encounter_id="E1",
    charge_batch_no="3",
    visit_no="V1",
    receipt_no="R1",
    operator="O1",
    message_id="M1",
    settled_at=EVENING,
    business_date=date(2025, 3, 12),
    confirmed_at=EVENING,
    confirmed_by="5203",
)
PRICED = PricedRecord(
    revision=2,
    plan_code="hangzhou",
    plan_version="2025",
    plan_digest="d1",
    service_date=date(2025, 3, 11),
    business_date=date(2025, 3, 12),
    figures=FIGURES,
    split=SPLIT,
    engine_version="1",
    receipt_hash="h1",
    receipt={},
    actor="his",
    recorded_at=EVENING,
)
REVERSAL = ReversalRecord(
    revision=2,
    reason="refund",
    seen_by="brought",
    cancelling_settlement_id="7000000000019",
    business_date=date(2025, 3, 13),
    actor="his",
    recorded_at=EVENING,
)
QUESTION = Question("identity_b_open", {"difference": "0.01"})


def a_settled_bill(head: dict[str, Any] | None = None, **priced: Any) -> SettledBill:
    """Return a live bill with its record; changes of the head stand in `head`, those of the record by name."""
    return SettledBill(replace(HEAD, **(head or {})), replace(PRICED, **priced), None)


def a_reversed_bill() -> SettledBill:
    """Return the bill after its reversal."""
    head = replace(HEAD, state=BillState.REVERSED, cancelling_settlement_id="7000000000019")
    return SettledBill(head, PRICED, REVERSAL)


def a_bill_without_record(state: BillState, question: Question | None = None) -> SettledBill:
    """Return a bill that was never priced."""
    return SettledBill(replace(HEAD, state=state, question=question, revision=0), None, None)


@st.composite
def bills(draw: st.DrawFn, smallest_fund: int = 0) -> BillFigures:
    """Draw a bill whose three identities close; a fund may be negative where a smaller smallest amount is given."""

    def amount(smallest: int = 0) -> Money:
        return Money(draw(st.integers(smallest, 10**9)))

    names = ("hifp", "cvlserv", "hifes", "hifmi", "hifob", "hifdm", "maf", "oth", "unnamed")
    funds = InsurerFunds(**{name: amount(smallest_fund) for name in draw(st.sets(st.sampled_from(names)))})
    absorbed, account, cash = amount(), amount(), amount()
    billed = funds.total() + absorbed + account + cash
    excluded, over_limit = amount(), amount()
    return BillFigures(
        billed=billed,
        excluded=excluded,
        over_limit=over_limit,
        upfront_share=ZERO,
        allowed=billed - excluded - over_limit,
        insurer_deductible=ZERO,
        funds=funds,
        provider_absorbed=absorbed,
        patient_share=account + cash,
        account_paid=account,
        family_account_paid=ZERO,
        cash_before_aid=cash,
    )


@st.composite
def bills_with_aid(draw: st.DrawFn, smallest_fund: int = 0) -> tuple[BillFigures, Split]:
    """Draw a bill and how its cash divides, at a counter or away from one."""
    figures = draw(bills(smallest_fund))
    other = Money(draw(st.integers(0, figures.cash_before_aid)))
    aid = Money(draw(st.integers(0, 10**9)))
    return figures, split_aid(aid, figures.cash_before_aid, other, draw(st.booleans()))
