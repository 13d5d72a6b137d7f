"""Books days and their seals: what a seal says, the text that is hashed and signed, and when a day is due to close."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from settlement.domain.ids import FundId
from settlement.domain.money import Money
from settlement.domain.time import CHINA, china_date

FORMAT = 2
"""How a day's records are written for its hash. A day is recomputed in the format that its seal names."""

_WHAT = "settlement books day"


@dataclass(frozen=True, slots=True)
class BooksDay:
    """One books day of a fund; open while `closed_at` is `None`."""

    fund_id: FundId
    number: int
    opened_at: datetime
    closed_at: datetime | None


def is_due(open_day: BooksDay, now: datetime, close_at: time) -> bool:
    """Say whether the open day is to be closed: it began on an earlier date in China, and today's hour has come.

    A day whose hour was missed is closed later, once, however many dates have passed.
    """
    return china_date(open_day.opened_at) < china_date(now) and now.astimezone(CHINA).time() >= close_at


@dataclass(frozen=True, slots=True)
class Sums:
    """A day's aid in fen: of the settlements recorded in it, and of the settlements that were undone in it."""

    aid_on_bill: Money
    aid_to_card: Money
    reversed_on_bill: Money
    reversed_to_card: Money


@dataclass(frozen=True, slots=True)
class DayContent:
    """What a closed day holds: how many lines of each kind of record, the sums, and the hash over all lines."""

    counts: Mapping[str, int]
    sums: Sums
    record_hash: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What a seal states, before it is signed. `previous_hash` is the seal hash of the day before, if there is one."""

    fund_id: FundId
    books_day: int
    format: int
    closed_at: datetime
    content: DayContent
    previous_hash: str | None
    key_id: str
    sealed_at: datetime

    def to_json(self) -> dict[str, Any]:
        """Return the statement as plain values: amounts in yuan, instants in UTC."""
        return {
            "what": _WHAT,
            "format": self.format,
            "fund_id": str(self.fund_id),
            "books_day": self.books_day,
            "closed_at": utc_text(self.closed_at),
            "counts": dict(self.content.counts),
            **{field.name: getattr(self.content.sums, field.name).yuan() for field in fields(Sums)},
            "record_hash": self.content.record_hash,
            "previous_hash": self.previous_hash,
            "key_id": self.key_id,
            "sealed_at": utc_text(self.sealed_at),
        }

    def canonical(self) -> bytes:
        """Return the bytes that are hashed and signed: JSON with sorted keys, without spaces, in ASCII."""
        return json.dumps(self.to_json(), sort_keys=True, separators=(",", ":")).encode("ascii")

    def hash(self) -> str:
        """Return the SHA-256 of the canonical bytes, in hexadecimal."""
        return hashlib.sha256(self.canonical()).hexdigest()


@dataclass(frozen=True, slots=True)
class Seal:
    """A statement with its own hash and its signature (Ed25519, in Base64)."""

    statement: Statement
    seal_hash: str
    signature: str

    @property
    def name(self) -> str:
        """The fund and the day, as findings name them."""
        return f"{self.statement.fund_id} day {self.statement.books_day}"

    def follows(self, previous: Seal | None) -> bool:
        """Say whether the seal's hash is its own, and it stands in the chain after another (the first after none)."""
        day, before = (previous.statement.books_day, previous.seal_hash) if previous else (0, None)
        expected = (self.statement.hash(), day + 1, before)
        return expected == (self.seal_hash, self.statement.books_day, self.statement.previous_hash)

    def to_json(self) -> dict[str, Any]:
        """Return the seal as it is handed to witnesses."""
        return {**self.statement.to_json(), "seal_hash": self.seal_hash, "signature": self.signature}


def seal_from_json(given: Mapping[str, Any]) -> Seal:
    """Read a seal as it was handed to a witness. Raises `ValueError`, `KeyError` or `TypeError` for what is none."""
    content = DayContent(
        counts={str(kind): int(count) for kind, count in given["counts"].items()},
        sums=Sums(**{field.name: Money.from_yuan(given[field.name]) for field in fields(Sums)}),
        record_hash=str(given["record_hash"]),
    )
    statement = Statement(
        fund_id=FundId(UUID(given["fund_id"])),
        books_day=int(given["books_day"]),
        format=int(given["format"]),
        closed_at=datetime.fromisoformat(given["closed_at"]),
        content=content,
        previous_hash=given["previous_hash"],
        key_id=str(given["key_id"]),
        sealed_at=datetime.fromisoformat(given["sealed_at"]),
    )
    seal = Seal(statement, str(given["seal_hash"]), str(given["signature"]))
    if seal.to_json() != dict(given) or statement.hash() != seal.seal_hash:
        raise ValueError("the line is not a seal, or was changed")
    return seal


def utc_text(at: datetime) -> str:
    """Write an instant in UTC with six decimals, always alike."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
