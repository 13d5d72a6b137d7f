"""Double entry: what one settlement moves between which accounts, each amount as one posting of positive fen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from settlement.domain.bills import BillFigures, InsurerFunds
from settlement.domain.money import ZERO, Money
from settlement.domain.settlements import Split

CARE = "care"
"""What the hospital's care cost: the payers of a bill together credit it with the total billed."""
AID = "aid"
"""What the fund has granted; it is owed to the hospital for aid on the bill, to the member for aid to the card."""
HOSPITAL_PAYABLE = "payable:hospital"
MEMBER_PAYABLE = "payable:member"


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount of fen, more than zero, that moves from one account's debit to another's credit."""

    debit: str
    credit: str
    fen: Money


def postings_of(figures: BillFigures, split: Split) -> tuple[Posting, ...]:
    """Return the postings of one settlement, in a fixed order, in fen.

    The payers' postings show the whole bill; the fund's show what it now owes and to whom. A share that is negative
    (a profile may allow it) is posted with its sides swapped, so that an amount is always positive.
    """
    payers = [(f"payer:{field.name}", getattr(figures.funds, field.name)) for field in fields(InsurerFunds)]
    payers += [
        ("payer:provider", figures.provider_absorbed),
        ("payer:account", figures.account_paid),
        ("payer:mutual_aid", split.aid_on_bill),
        ("payer:other", split.other_on_bill),
        ("payer:patient", split.cash_due),
    ]
    movements = [(payer, CARE, amount) for payer, amount in payers]
    movements += [(AID, HOSPITAL_PAYABLE, split.aid_on_bill), (AID, MEMBER_PAYABLE, split.aid_to_card)]
    return tuple(_posting(debit, credit, amount) for debit, credit, amount in movements if amount != ZERO)


def swapped(postings: Iterable[Posting]) -> tuple[Posting, ...]:
    """Return the postings that undo the given ones: the same amounts with the sides swapped."""
    return tuple(Posting(posting.credit, posting.debit, posting.fen) for posting in postings)


def _posting(debit: str, credit: str, amount: Money) -> Posting:
    return Posting(debit, credit, amount) if amount > ZERO else Posting(credit, debit, -amount)
