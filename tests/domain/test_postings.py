"""Double entry: the payers of a bill together credit what the care cost; a reversal leaves every account at zero."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from bill_builders import FIGURES, SPLIT, bills_with_aid
from hypothesis import given

from settlement.domain.bills import InsurerFunds
from settlement.domain.errors import InvariantViolation
from settlement.domain.money import Money, total
from settlement.domain.postings import (
    AID,
    CARE,
    HOSPITAL_PAYABLE,
    MEMBER_PAYABLE,
    Posting,
    postings_of,
    purses_of,
    swapped,
)

NEGATIVE = -(10**6)


def balances(postings: tuple[Posting, ...]) -> Counter[str]:
    """Return each account's debits less its credits, in fen."""
    balance: Counter[str] = Counter()
    for posting in postings:
        balance[posting.debit] += int(posting.fen)
        balance[posting.credit] -= int(posting.fen)
    return balance


def test_each_payer_and_what_the_fund_owes_are_posted_in_a_fixed_order():
    assert [(line.debit, line.credit, int(line.fen)) for line in postings_of(FIGURES, SPLIT)] == [
        ("payer:hifp", "care", 600_000),
        ("payer:cvlserv", "care", 100),
        ("payer:hifes", "care", 20_000),
        ("payer:hifmi", "care", 3_000),
        ("payer:hifob", "care", 10_000),
        ("payer:hifdm", "care", 500),
        ("payer:maf", "care", 7_000),
        ("payer:oth", "care", 8_000),
        ("payer:unnamed", "care", 1_400),
        ("payer:provider", "care", 12_034),
        ("payer:account", "care", 30_000),
        ("payer:mutual_aid", "care", 38_983),
        ("payer:other", "care", 10_001),
        ("payer:patient", "care", 158_982),
        ("aid", "payable:hospital", 38_983),
        ("aid", "payable:member", 1_017),
    ]


def test_a_negative_share_is_posted_with_its_sides_swapped_and_an_empty_one_not_at_all():
    figures = replace(FIGURES, funds=InsurerFunds(hifp=Money(650_001), oth=Money(-1)))
    funds = postings_of(figures, SPLIT)[:2]
    assert funds == (Posting("payer:hifp", CARE, Money(650_001)), Posting(CARE, "payer:oth", Money(1)))


@given(bills_with_aid(NEGATIVE))
def test_the_payers_pay_the_bill_and_the_fund_owes_the_aid(bill):
    figures, split = bill
    postings = postings_of(figures, split)
    balance = balances(postings)
    assert all(posting.fen > 0 for posting in postings)
    assert balance[CARE] == -figures.billed
    assert total(Money(fen) for account, fen in balance.items() if account.startswith("payer:")) == figures.billed
    assert (balance[AID], balance[HOSPITAL_PAYABLE], balance[MEMBER_PAYABLE]) == (
        split.aid,
        -split.aid_on_bill,
        -split.aid_to_card,
    )


@given(bills_with_aid(NEGATIVE))
def test_a_reversal_nets_to_zero_on_every_account(bill):
    postings = postings_of(*bill)
    assert set(balances(postings + swapped(postings)).values()) <= {0}
    assert [posting.fen for posting in swapped(postings)] == [posting.fen for posting in postings]


def test_purses_bear_the_aid_as_the_receipt_says_the_first_ones_what_stands_on_the_bill():
    receipt = {
        "result": [
            {"funding": {"city": "100.00", "county": "0.17"}},
            {},
            {"funding": {"county": "299.83"}},
        ]
    }
    assert purses_of({}) == ()
    assert purses_of(receipt) == (("city", Money(10_000)), ("county", Money(30_000)))
    granted = [(line.debit, line.credit, int(line.fen)) for line in postings_of(FIGURES, SPLIT, purses_of(receipt))]
    assert granted[-3:] == [
        ("aid:city", "payable:hospital", 10_000),
        ("aid:county", "payable:hospital", 28_983),
        ("aid:county", "payable:member", 1_017),
    ]
    part = [(line.debit, line.credit, int(line.fen)) for line in postings_of(FIGURES, SPLIT, [("city", Money(1_018))])]
    assert part[-3:] == [
        ("aid", "payable:hospital", 38_982),
        ("aid:city", "payable:hospital", 1),
        ("aid:city", "payable:member", 1_017),
    ]


def test_purses_never_bear_more_than_the_aid():
    with pytest.raises(InvariantViolation, match=r"^the purses bear more than the aid$"):
        postings_of(FIGURES, SPLIT, [("city", Money(40_001))])
