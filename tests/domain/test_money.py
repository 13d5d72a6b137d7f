"""Money: whole fen in, whole fen out, one place that rounds."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.domain.money import LARGEST_FEN, Money, NotMoney, Rounding, total

AMOUNTS = st.integers(-LARGEST_FEN, LARGEST_FEN).map(Money)


@pytest.mark.parametrize(
    ("written", "fen"),
    [("3982.02", 398_202), ("0", 0), ("-25.1", -2510), (" 1.5 ", 150), (7, 700), (Decimal("4.520"), 452), ("-0", 0)],
)
def test_yuan_are_read_exactly(written, fen):
    assert Money.from_yuan(written) == fen


@pytest.mark.parametrize(
    ("written", "refusal"),
    [
        ("0.001", "has a fraction of a fen"),
        ("abc", "is not an amount in yuan"),
        ("", "is not an amount in yuan"),
        ("NaN", "is not an amount in yuan"),
        ("Infinity", "is not an amount in yuan"),
        ("1e30", "is too large for an amount"),
        ("10000000000000.01", "is too large for an amount"),
        ("-10000000000000.01", "is too large for an amount"),
    ],
)
def test_what_is_not_whole_fen_is_refused_and_named(written, refusal):
    with pytest.raises(NotMoney) as refused:
        Money.from_yuan(written)
    assert str(refused.value) == f"{written!r} {refusal}"


@pytest.mark.parametrize(
    ("fen", "yuan"), [(398_202, "3982.02"), (0, "0.00"), (5, "0.05"), (-5, "-0.05"), (-12_345, "-123.45")]
)
def test_yuan_are_written_with_two_decimals(fen, yuan):
    assert Money(fen).yuan() == str(Money(fen)) == yuan


@given(AMOUNTS)
def test_reading_what_was_written_gives_the_same_fen(amount):
    assert Money.from_yuan(amount.yuan()) == amount


@given(AMOUNTS, AMOUNTS)
def test_money_and_whole_numbers_of_fen_are_reckoned_as_the_numbers_are(one, other):
    assert (one + other, one - other, -one) == (int(one) + int(other), int(one) - int(other), -int(one))
    assert (int(other) + one, int(other) - one) == (int(other) + int(one), int(other) - int(one))


def test_a_failing_test_shows_fen():
    assert repr(Money(-5)) == "Money(-5)"


@given(AMOUNTS, AMOUNTS)
def test_sums_and_differences_stay_money(one, other):
    for result in (one + other, int(one) + other, one - other, int(one) - other, -one, total([one, other])):
        assert type(result) is Money
    assert one + other - other == one
    assert sum([one, other]) == total([one, other])


@pytest.mark.parametrize(
    ("rounding", "positive", "negative"),
    [
        (Rounding.HALF_UP, [0, 1, 1, 2, 2, 3, 4, 5], [0, -1, -1, -2, -2, -3, -4, -5]),
        (Rounding.HALF_EVEN, [0, 0, 1, 2, 2, 2, 4, 4], [0, 0, -1, -2, -2, -2, -4, -4]),
        (Rounding.DOWN, [0, 0, 0, 1, 1, 2, 3, 4], [0, 0, 0, -1, -1, -2, -3, -4]),
        (Rounding.UP, [1, 1, 1, 2, 2, 3, 4, 5], [-1, -1, -1, -2, -2, -3, -4, -5]),
    ],
)
def test_a_share_is_rounded_once_by_the_declared_mode(rounding, positive, negative):
    rates = [Fraction(*rate) for rate in ((2, 5), (1, 2), (3, 5), (3, 2), (5, 3), (5, 2), (7, 2), (9, 2))]
    assert [Money(1).share(rate, rounding) for rate in rates] == positive
    assert [Money(-1).share(rate, rounding) for rate in rates] == negative


@given(AMOUNTS, st.fractions(0, 1), st.sampled_from(Rounding))
def test_a_share_of_a_reversal_is_the_reversed_share(amount, rate, rounding):
    assert (-amount).share(rate, rounding) == -amount.share(rate, rounding)


@given(AMOUNTS, st.fractions(0, 1), st.sampled_from(Rounding))
def test_a_share_is_less_than_one_fen_from_exact(amount, rate, rounding):
    assert abs(int(amount.share(rate, rounding)) - Fraction(int(amount)) * rate) < 1
