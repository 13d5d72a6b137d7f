"""What a seal says: one text for one statement, a chain that nothing can be taken out of, and reading it back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from settlement.domain.books import BooksDay, DayContent, Seal, Statement, Sums, is_due, seal_from_json
from settlement.domain.ids import FundId
from settlement.domain.money import Money

STATEMENT = Statement(
    fund_id=FundId(UUID("01957dc7-c901-7d8e-91b7-584a2265b1f5")),
    books_day=1,
    format=1,
    closed_at=datetime(2025, 3, 11, 16, 30, tzinfo=UTC),
    content=DayContent(
        {"settlement": 2, "posting": 9}, Sums(Money(77_966), Money(0), Money(38_983), Money(0)), "ab" * 32
    ),
    previous_hash=None,
    key_id="0123456789abcdef",
    sealed_at=datetime(2025, 3, 11, 16, 30, 2, 5, tzinfo=UTC),
)


def a_seal(**changes: Any) -> Seal:
    stated = replace(STATEMENT, **changes)
    return Seal(stated, stated.hash(), "c2lnbmF0dXJl")


def test_the_text_that_is_signed_never_changes():
    """Whoever changes it cannot verify the seals that were made before."""
    assert STATEMENT.canonical().decode() == (
        '{"aid_on_bill":"779.66","aid_to_card":"0.00","books_day":1,"closed_at":"2025-03-11T16:30:00.000000Z",'
        '"counts":{"posting":9,"settlement":2},"format":1,"fund_id":"01957dc7-c901-7d8e-91b7-584a2265b1f5",'
        '"key_id":"0123456789abcdef","previous_hash":null,"record_hash":"' + "ab" * 32 + '",'
        '"reversed_on_bill":"389.83","reversed_to_card":"0.00","sealed_at":"2025-03-11T16:30:02.000005Z",'
        '"what":"settlement books day"}'
    )


def test_the_text_depends_on_the_instant_and_not_on_its_zone():
    in_china = STATEMENT.closed_at.astimezone(timezone(timedelta(hours=8)))
    assert replace(STATEMENT, closed_at=in_china).canonical() == STATEMENT.canonical()


def test_a_seal_is_read_back_as_it_was_handed_out():
    for seal in (a_seal(), a_seal(books_day=2, previous_hash="0" * 64)):
        assert seal_from_json(json.loads(json.dumps(seal.to_json()))) == seal


@pytest.mark.parametrize("name", sorted(a_seal().to_json()))
def test_a_seal_without_one_of_its_parts_is_none(name: str):
    given = a_seal().to_json()
    del given[name]
    with pytest.raises((KeyError, ValueError)):
        seal_from_json(given)


@pytest.mark.parametrize("name", sorted(set(a_seal().to_json()) - {"signature"}))
def test_a_seal_with_another_part_is_none(name: str):
    others = {"counts": {"settlement": 3}, "books_day": 2, "format": 2, "previous_hash": "0" * 64}
    times = {"closed_at": "2025-03-11T16:30:01.000000Z", "sealed_at": "2025-03-11T16:30:03.000000Z"}
    another_fund = {"fund_id": "01957dc7-c901-7d8e-91b7-584a2265b1f6"}
    others |= times | another_fund
    given = a_seal().to_json() | {name: others.get(name, "1.00")}
    with pytest.raises(ValueError):  # noqa: PT011
        seal_from_json(given)


def test_a_seal_is_read_as_what_its_parts_are_and_no_more():
    given = a_seal().to_json()
    with pytest.raises(ValueError, match=r"^the line is not a seal, or was changed$"):
        seal_from_json(given | {"remark": ""})
    assert seal_from_json(given).name == f"{STATEMENT.fund_id} day 1"


@pytest.mark.parametrize(
    ("opened", "now", "due"),
    [
        pytest.param("10T23:59:59", "11T00:29:59", False, id="before_the_hour"),
        pytest.param("10T23:59:59", "11T00:30:00", True, id="at_the_hour"),
        pytest.param("11T00:00:00", "11T23:59:59", False, id="the_day_began_today"),
        pytest.param("08T12:00:00", "11T12:00:00", True, id="days_were_missed"),
        pytest.param("12T12:00:00", "11T12:00:00", False, id="a_clock_went_back"),
    ],
)
def test_a_day_is_due_at_its_hour_on_a_later_date_in_china(opened: str, now: str, due: bool):
    began, at = (datetime.fromisoformat(f"2025-03-{each}+08:00").astimezone(UTC) for each in (opened, now))
    assert is_due(BooksDay(STATEMENT.fund_id, 1, began, None), at, time(0, 30)) is due


def test_seals_follow_each_other_day_by_day():
    first = a_seal()
    second = a_seal(books_day=2, previous_hash=first.seal_hash)
    assert first.follows(None)
    assert second.follows(first)


def test_a_seal_does_not_follow_when_its_day_hash_or_forerunner_is_another():
    first = a_seal()
    for other in (
        a_seal(books_day=2),
        a_seal(books_day=3, previous_hash=first.seal_hash),
        a_seal(books_day=2, previous_hash="0" * 64),
        replace(a_seal(books_day=2, previous_hash=first.seal_hash), seal_hash="0" * 64),
    ):
        assert not other.follows(first)
    assert not a_seal(books_day=2, previous_hash=first.seal_hash).follows(None)
    assert not first.follows(first)
