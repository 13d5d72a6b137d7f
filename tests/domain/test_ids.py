"""Identifiers: UUIDs of version 7 in the order of their making, and numbers that can be read over the telephone."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.domain.ids import UUID7_RANDOM_BITS, IdSource

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVENING = datetime(2025, 3, 11, 16, 30, tzinfo=UTC)


class KnownBits(random.Random):
    """Randomness that hands out given bits, and only as many as are asked for."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.bits = bits

    def getrandbits(self, k: int) -> int:
        assert k == UUID7_RANDOM_BITS
        return self.bits


@given(milliseconds=st.integers(0, 4_000_000_000_000), bits=st.integers(0, 2**74 - 1))
def test_an_id_holds_its_millisecond_its_version_and_every_random_bit(milliseconds, bits):
    made = IdSource(lambda: EPOCH + timedelta(milliseconds=milliseconds), KnownBits(bits)).new()
    assert (made.version, made.variant) == (7, RFC_4122)
    assert abs((made.int >> 80) - milliseconds) <= 1
    high, low = (made.int >> 64) & (2**12 - 1), made.int & (2**62 - 1)
    assert high << 62 | low == bits


def test_the_example_of_the_standard_is_made_again():
    """RFC 9562, appendix A.6."""
    at = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    bits = 0xCC3 << 62 | 0x18C4DC0C0C07398F
    assert IdSource(lambda: at, KnownBits(bits)).new() == UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")


@pytest.mark.parametrize(
    ("tail", "letters"),
    [
        (0, "00000000"),
        (1, "00000001"),
        (31, "0000000Z"),
        (32, "00000010"),
        (2**40 - 1, "ZZZZZZZZ"),
        (2**40, "00000000"),
        (2**41 + 18, "0000000J"),
        (int("0123456789abcdef", 32), "89ABCDEF"),
    ],
)
def test_a_settlement_number_is_the_chinese_day_and_the_end_of_the_id(tail, letters):
    assert IdSource(lambda: EVENING, random.Random(1)).settlement_no(UUID(int=tail)) == f"HZ20250312-{letters}"


@given(st.uuids(), st.uuids())
def test_settlement_numbers_of_a_day_differ_where_the_ends_of_the_ids_do(one, other):
    ids = IdSource(lambda: EVENING, random.Random(1))
    alike = one.int % 2**40 == other.int % 2**40
    assert (ids.settlement_no(one) == ids.settlement_no(other)) is alike
    assert not set(ids.settlement_no(one)[11:]) & set("ILOU")
