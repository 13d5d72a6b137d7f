"""Identifiers: UUIDv7, made by us before anything is inserted, and the numbers that people read."""

import random
from dataclasses import dataclass
from typing import NewType
from uuid import UUID

from settlement.domain.time import Clock, china_date

FundId = NewType("FundId", UUID)
UnitId = NewType("UnitId", UUID)
HospitalId = NewType("HospitalId", UUID)
MemberId = NewType("MemberId", UUID)
MembershipId = NewType("MembershipId", UUID)
PlanVersionId = NewType("PlanVersionId", UUID)
DraftId = NewType("DraftId", UUID)
StaffId = NewType("StaffId", UUID)
BillId = NewType("BillId", UUID)
HoldId = NewType("HoldId", UUID)
ClientId = NewType("ClientId", str)

UUID7_RANDOM_BITS = 74
_NUMBER_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class IdSource:
    """Makes UUIDv7 (RFC 9562, section 5.7) from a clock and a source of randomness that are handed in.

    Version 7 and not 4, because rows that arrive together then lie together: a row cost a quarter of the WAL.
    """

    clock: Clock
    randomness: random.Random

    def new(self) -> UUID:
        """Return a fresh UUIDv7 of the present millisecond."""
        milliseconds = int(self.clock().timestamp() * 1000)
        bits = self.randomness.getrandbits(UUID7_RANDOM_BITS)
        high, low = bits >> 62, bits & (2**62 - 1)
        return UUID(int=(milliseconds << 80) | (7 << 76) | (high << 64) | (2 << 62) | low)

    def settlement_no(self, bill_id: UUID) -> str:
        """Return the number that people read over the telephone: the date in China and eight letters or digits.

        The letters are Crockford's base 32 (no I, L, O, U) of the id's last 40 random bits.
        """
        tail, letters = bill_id.int, ""
        for _ in range(8):
            tail, digit = divmod(tail, 32)
            letters = _NUMBER_ALPHABET[digit] + letters
        return f"HZ{china_date(self.clock()):%Y%m%d}-{letters}"
