"""How the cash of a bill divides: other payers first, then aid as far as there is cash, the rest to the card."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.domain.errors import InvariantViolation
from settlement.domain.money import ZERO, Money
from settlement.domain.settlements import AidStatus, OtherPayer, Split, split_aid, total_of_others

AMOUNTS = st.integers(0, 10**9).map(Money)


@pytest.mark.parametrize(
    ("aid", "cash", "other", "at_counter", "expected", "status"),
    [
        pytest.param(30, 100, 20, True, Split(30, 0, 20, 50), "on_bill", id="cash_is_left"),
        pytest.param(80, 100, 20, True, Split(80, 0, 20, 0), "on_bill", id="aid_takes_all_the_cash"),
        pytest.param(81, 100, 20, True, Split(80, 1, 20, 0), "split", id="a_fen_too_much_goes_to_the_card"),
        pytest.param(30, 100, 100, True, Split(0, 30, 100, 0), "to_card", id="other_payers_took_all_the_cash"),
        pytest.param(30, 100, 20, False, Split(0, 30, 20, 80), "to_card", id="nobody_at_a_counter"),
        pytest.param(0, 100, 20, True, Split(0, 0, 20, 80), "none", id="no_aid"),
        pytest.param(0, 0, 0, True, Split(0, 0, 0, 0), "none", id="nothing_to_pay"),
    ],
)
def test_aid_goes_on_the_bill_as_far_as_there_is_cash(aid, cash, other, at_counter, expected, status):
    split = split_aid(Money(aid), Money(cash), Money(other), at_counter)
    assert split == expected
    assert split.status is AidStatus(status)


@given(aid=AMOUNTS, cash=AMOUNTS, part=st.fractions(0, 1), at_counter=st.booleans())
def test_every_fen_of_cash_and_of_aid_has_one_place(aid, cash, part, at_counter):
    other = Money(int(cash * part))
    split = split_aid(aid, cash, other, at_counter)
    assert split.aid == split.aid_on_bill + split.aid_to_card == aid
    assert split.aid_on_bill + split.other_on_bill + split.cash_due == cash
    assert split.other_on_bill == other
    assert min(split.aid_on_bill, split.aid_to_card, split.cash_due) >= ZERO
    assert split.aid_to_card == ZERO or split.cash_due == ZERO or not at_counter


@pytest.mark.parametrize("other", [-1, 101])
def test_other_payers_pay_no_more_than_the_cash_and_no_less_than_nothing(other):
    with pytest.raises(InvariantViolation, match=r"^other payers pay more than the cash of the bill$"):
        split_aid(ZERO, Money(100), Money(other), at_counter=True)


def test_aid_is_never_negative():
    with pytest.raises(InvariantViolation, match=r"^aid is negative$"):
        split_aid(Money(-1), Money(100), ZERO, at_counter=True)


def test_other_payers_are_added_up():
    assert total_of_others([OtherPayer("insurer", Money(12)), OtherPayer("charity", Money(30))]) == Money(42)
    assert total_of_others([]) == ZERO


@pytest.mark.parametrize(
    ("aid", "expected"),
    [
        pytest.param(120, Split(80, 40, 20, 5), id="more_goes_to_the_card"),
        pytest.param(80, Split(80, 0, 20, 5), id="the_card_has_nothing"),
        pytest.param(30, Split(30, 0, 20, 55), id="less_is_owed_in_cash"),
        pytest.param(0, Split(0, 0, 20, 85), id="nothing"),
    ],
)
def test_another_aid_leaves_on_the_bill_what_was_shown_as_far_as_it_goes(aid, expected):
    assert Split(Money(80), Money(10), Money(20), Money(5)).with_aid(Money(aid)) == expected


def test_aid_that_is_all_paid_to_the_card_is_owed_in_cash():
    assert Split(Money(80), Money(10), Money(20), Money(5)).all_to_card == Split(0, 90, 20, 85)
