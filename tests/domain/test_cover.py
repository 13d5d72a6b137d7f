"""Cover over time: what a break is, and what holds until the roster comes."""

from __future__ import annotations

from datetime import date

import pytest

from settlement.domain.cover import CoverSpan, cover_on, provisional_cover_on, span_from


def a_span(first_day: str, last_day: str, renews_from: str | None = None) -> CoverSpan:
    renewal = date.fromisoformat(renews_from) if renews_from else None
    return CoverSpan(date.fromisoformat(first_day), date.fromisoformat(last_day), "active", renews_from=renewal)


YEAR = a_span("2026-01-01", "2026-12-31")
MARCH = a_span("2026-03-01", "2026-03-31")
FROM_JUNE = a_span("2026-06-01", "2026-12-31")


@pytest.mark.parametrize(
    ("spans", "grace_days", "since", "returned"),
    [
        pytest.param([YEAR, MARCH, FROM_JUNE], 0, "2026-01-01", False, id="a_span_within_a_longer_one_is_no_break"),
        pytest.param([MARCH, FROM_JUNE], 0, "2026-06-01", True, id="two_months_between_are_a_break"),
        pytest.param([MARCH, FROM_JUNE], 60, "2026-06-01", True, id="one_day_more_than_the_grace"),
        pytest.param([MARCH, FROM_JUNE], 61, "2026-03-01", False, id="as_many_days_as_the_grace"),
        pytest.param([FROM_JUNE], 0, "2026-06-01", False, id="nothing_before"),
        pytest.param(
            [a_span("2025-01-01", "2025-11-30"), YEAR, FROM_JUNE], 0, "2026-01-01", True, id="a_break_before_the_row"
        ),
    ],
)
def test_cover_goes_on_while_no_day_is_without(
    spans: list[CoverSpan], grace_days: int, since: str, returned: bool
) -> None:
    cover = cover_on(spans, date(2026, 7, 1), grace_days)
    assert cover is not None
    assert (str(cover.since), cover.returned) == (since, returned)
    assert [span.first_day for span in cover.row] == sorted((span.first_day for span in cover.row), reverse=True)


@pytest.mark.parametrize(
    ("renews_from", "grace_days", "since", "returned"),
    [
        pytest.param("2027-01-01", 0, "2026-01-01", False, id="the_next_day"),
        pytest.param("2027-02-01", 0, "2027-02-01", True, id="a_month_later"),
        pytest.param("2027-02-01", 31, "2026-01-01", False, id="a_month_later_within_the_grace"),
    ],
)
def test_a_break_before_an_announced_term_is_one_whether_or_not_the_roster_has_come(
    renews_from: str, grace_days: int, since: str, returned: bool
) -> None:
    day, old = date(2027, 2, 15), a_span("2026-01-01", "2026-12-31", renews_from)
    waiting = provisional_cover_on([old], day, grace_days, (2, 28))
    confirmed = cover_on([old, a_span(renews_from, "2027-12-31")], day, grace_days)
    assert waiting is not None
    assert confirmed is not None
    assert waiting.provisional
    assert (str(waiting.since), waiting.returned) == (since, returned) == (str(confirmed.since), confirmed.returned)


def test_a_day_that_a_month_does_not_have_is_its_last() -> None:
    old = a_span("2026-01-01", "2026-12-31", "2027-01-01")
    cover = provisional_cover_on([old], date(2027, 2, 28), 0, (2, 30))
    assert cover is not None
    assert cover.span.last_day == date(2027, 2, 28)


@pytest.mark.parametrize(
    ("day", "renews_from", "until", "last_day"),
    [
        pytest.param("2027-01-01", "2027-01-01", (2, 28), "2027-02-28", id="the_first_day_of_the_new_term"),
        pytest.param("2027-02-28", "2027-01-01", (2, 28), "2027-02-28", id="the_last_day"),
        pytest.param("2027-03-01", "2027-01-01", (2, 28), None, id="a_day_too_late"),
        pytest.param("2027-01-01", "2027-01-02", (2, 28), None, id="the_new_term_has_not_begun"),
        pytest.param("2027-01-01", "2026-12-31", (2, 28), None, id="the_new_term_began_before_the_old_one_ended"),
        pytest.param("2027-01-01", None, (2, 28), None, id="nothing_was_announced"),
        pytest.param("2027-01-01", "2027-01-01", (1, 1), "2027-01-01", id="only_the_first_day"),
        pytest.param("2026-12-31", "2027-01-01", (2, 28), None, id="the_old_term_still_runs"),
    ],
)
def test_who_was_covered_stays_so_until_the_roster_comes(
    day: str, renews_from: str | None, until: tuple[int, int], last_day: str | None
) -> None:
    older, old = a_span("2024-01-01", "2024-12-31"), a_span("2025-12-01", "2026-12-31", renews_from)
    cover = provisional_cover_on([older, old], date.fromisoformat(day), 0, until)
    assert (None if cover is None else str(cover.span.last_day)) == last_day
    assert cover is None or (cover.span.first_day, cover.provisional) == (old.renews_from, True)


def test_a_year_that_ends_within_the_months_of_waiting_waits_into_the_next() -> None:
    old = a_span("2025-04-01", "2026-03-31", "2026-04-01")
    cover = provisional_cover_on([old], date(2026, 12, 31), 0, (2, 28))
    assert cover is not None
    assert cover.span.last_day == date(2027, 2, 28)
    assert provisional_cover_on([], date(2026, 12, 31), 0, (2, 28)) is None


@pytest.mark.parametrize(
    ("day", "found"),
    [
        pytest.param("2026-03-31", MARCH, id="the_last_of_those_that_hold_it"),
        pytest.param("2026-02-28", YEAR, id="the_one_that_holds_it"),
        pytest.param("2025-12-31", YEAR, id="the_first_that_begins_after_it"),
        pytest.param("2027-01-01", FROM_JUNE, id="the_other_one_where_none_is_left"),
    ],
)
def test_the_span_of_a_day_is_the_last_that_holds_it_or_the_next(day: str, found: CoverSpan) -> None:
    assert span_from([YEAR, MARCH], date.fromisoformat(day), FROM_JUNE) is found
    assert span_from([MARCH, YEAR], date(2025, 1, 1), FROM_JUNE) is YEAR
