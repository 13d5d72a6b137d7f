"""How the fields of a message are read: exact amounts, Chinese time, texts, and other names for one field.

What a message is made of is in `messages.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from settlement.domain.errors import ensure
from settlement.domain.money import Money, NotMoney
from settlement.domain.time import from_china

LONGEST_TEXT = 512
"""Characters. The national interface has no longer field that we read, and what is read becomes keys and indexes."""
LARGEST_AMOUNT = Money(10**11)
"""A billion yuan in one figure; the sums of a bill's figures then stay amounts that can be read again."""
FIRST_YEAR, LAST_YEAR = 1900, 2200
"""Beyond them stand the placeholders for "none" and "never", with which no instant and no term can be computed."""

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?)?", re.ASCII)

Names = Mapping[str, tuple[str, ...]]
"""Other names of a field, best first, by its name in the specification."""


class Malformed(ValueError):
    """A message with a field that cannot be read; `field` is its path on the wire, `problem` a stable code."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


def is_given(value: object) -> bool:
    """Say whether a field carries something: `null` and blank text do not."""
    return value is not None and not (isinstance(value, str) and not value.strip())


def _no_float(value: object) -> None:
    ensure(not isinstance(value, float), "a message was decoded with binary floats; use messages.decode")


def _amount(value: object) -> Money | None:
    if not is_given(value):
        return None
    _no_float(value)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise PydanticCustomError("not_money", "not an amount in yuan")
    try:
        amount = Money.from_yuan(value)
    except NotMoney:
        raise PydanticCustomError("not_money", "not an amount in yuan") from None
    if abs(amount) > LARGEST_AMOUNT:
        raise PydanticCustomError("not_money", "too large for an amount")
    return amount


def _said(value: object) -> str | None:
    if not is_given(value):
        return None
    _no_float(value)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise PydanticCustomError("not_text", "not a text")
    text = format(value, "f") if isinstance(value, Decimal) else str(value).strip()
    return text.encode(errors="replace").decode().replace("\0", "")


def _text(value: object) -> str | None:
    text = _said(value)
    if text is None:
        return None
    if isinstance(value, str) and text != value.strip():
        raise PydanticCustomError("not_text", "characters that are no text")
    if len(text) > LONGEST_TEXT:
        raise PydanticCustomError("too_long", "a longer text than any field has")
    return text


def _parsed_time(value: object) -> datetime:
    text = value.strip() if isinstance(value, str) else ""
    if not _TIME.fullmatch(text):
        raise PydanticCustomError("not_a_time", "not a date or time")
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("not_a_time", "not a date or time") from None
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise PydanticCustomError("not_a_time", "a year of no bill")
    return time


def _instant(value: object) -> datetime | None:
    return from_china(_parsed_time(value)).astimezone(UTC) if is_given(value) else None


def _day(value: object) -> date | None:
    return _parsed_time(value).date() if is_given(value) else None


def read_rows(value: object) -> object:
    """Read a list that may be `null`."""
    if value is not None and not isinstance(value, list | tuple):
        raise PydanticCustomError("not_a_list", "not a list")
    return value or ()


Amount = Annotated[Money | None, PlainValidator(_amount)]
"""Fen, read from a number or a text in yuan; `null` and blank are absent, a fraction of a fen is an error."""
Text = Annotated[str | None, BeforeValidator(_text)]
"""Text without outer spaces; numbers are written out exactly, `null` and blank are absent.

Too long a text is an error, and so is a NUL or half a character: neither the database nor an encoding takes them.
"""
Said = Annotated[str | None, BeforeValidator(_said)]
"""What an insurer tells people, which may be as long as a stack trace. It never keeps an answer from being read."""
Instant = Annotated[datetime | None, PlainValidator(_instant)]
"""An aware UTC instant, read from Chinese wall-clock time; a bare date is its midnight."""
Day = Annotated[date | None, PlainValidator(_day)]
"""A Chinese calendar date, read from a date or from a date and time."""

M = TypeVar("M", bound="Message")


class Message(BaseModel):
    """A node of a message. Of several names for one field, the first that carries something is read."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    other_names: ClassVar[Names] = {}

    @model_validator(mode="before")
    @classmethod
    def _read_first_name_given(cls, node: Any, info: ValidationInfo) -> Any:
        if not isinstance(node, Mapping):
            raise PydanticCustomError("not_an_object", "not an object")
        read = dict(node)
        regional: Names = info.context or {}
        for field in {*cls.other_names, *regional} & cls.model_fields.keys():
            names = (field, *cls.other_names.get(field, ()), *regional.get(field, ()))
            read[field] = next((node[name] for name in names if is_given(node.get(name))), None)
        return read

    @classmethod
    def read(cls: type[M], node: object, regional: Names | None = None) -> M:
        """Read a node, with the names that a region uses beside the usual ones. Raises `Malformed`."""
        try:
            return cls.model_validate(node, context=regional)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            raise Malformed(_path(first["loc"]), first["type"]) from None


def _path(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".") or "output"
