"""Double entry: what one settlement moves between which accounts, each amount as one posting of positive fen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from settlement.domain.bills import BillFigures, InsurerFunds
from settlement.domain.errors import ensure
from settlement.domain.money import ZERO, Money, total
from settlement.domain.settlements import Split

CARE = "care"
"""What the hospital's care cost: the payers of a bill together credit it with the total billed."""
AID = "aid"
"""What the fund has granted, `aid:<purse>` where a plan has several purses; it is owed to the hospital for aid on the
bill, to the member for aid to the card."""
HOSPITAL_PAYABLE = "payable:hospital"
MEMBER_PAYABLE = "payable:member"


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount of fen, more than zero, that moves from one account's debit to another's credit."""

    debit: str
    credit: str
    fen: Money


def purses_of(receipt: Mapping[str, Any]) -> tuple[tuple[str, Money], ...]:
    """Return what each purse bears of a bill's aid, in fen, as its receipt says; empty where the plan has one purse."""
    purses: dict[str, Money] = {}
    for benefit in receipt.get("result", ()):
        for purse, amount in benefit.get("funding", {}).items():
            purses[purse] = purses.get(purse, ZERO) + Money.from_yuan(amount)
    return tuple(purses.items())


def postings_of(figures: BillFigures, split: Split, purses: Sequence[tuple[str, Money]] = ()) -> tuple[Posting, ...]:
    """Return the postings of one settlement, in a fixed order, in fen.

    The payers' postings show the whole bill; the fund's show what it now owes and to whom. A share that is negative
    (a profile may allow it) is posted with its sides swapped, so that an amount is always positive. Where several
    purses bear the aid, the first ones bear what stands on the bill.
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
    movements += _grants(split, purses)
    return tuple(_posting(debit, credit, amount) for debit, credit, amount in movements if amount != ZERO)


def _grants(split: Split, purses: Sequence[tuple[str, Money]]) -> list[tuple[str, str, Money]]:
    """Return what each account bears; what has no purse of its own comes first."""
    rest = split.aid - total(amount for _, amount in purses)
    ensure(rest >= ZERO, "the purses bear more than the aid")
    on_bill, grants = split.aid_on_bill, []
    for account, amount in ((AID, rest), *((f"{AID}:{purse}", amount) for purse, amount in purses)):
        here = min(on_bill, amount)
        on_bill -= here
        grants += [(account, HOSPITAL_PAYABLE, here), (account, MEMBER_PAYABLE, amount - here)]
    return grants


def swapped(postings: Iterable[Posting]) -> tuple[Posting, ...]:
    """Return the postings that undo the given ones: the same amounts with the sides swapped."""
    return tuple(Posting(posting.credit, posting.debit, posting.fen) for posting in postings)


def _posting(debit: str, credit: str, amount: Money) -> Posting:
    return Posting(debit, credit, amount) if amount > ZERO else Posting(credit, debit, -amount)
