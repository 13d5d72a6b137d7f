"""Chinese calendar dates: the day changes at 16:00 UTC, whatever offset an instant is written with."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from settlement.domain.time import china_date, clock_offset_seconds, from_china


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        pytest.param(datetime(2025, 3, 11, 15, 59, 59, tzinfo=UTC), date(2025, 3, 11), id="a_second_before_midnight"),
        pytest.param(datetime(2025, 3, 11, 16, 0, tzinfo=UTC), date(2025, 3, 12), id="midnight"),
        pytest.param(
            datetime(2025, 3, 11, 16, 30, tzinfo=timezone(timedelta(hours=9))), date(2025, 3, 11), id="another_offset"
        ),
    ],
)
def test_the_day_is_the_one_in_china(instant, day):
    assert china_date(instant) == day


def test_a_clock_on_a_wall_in_china_is_eight_hours_ahead_of_utc():
    assert from_china(datetime(2025, 3, 11, 7, 59, 58)) == datetime(2025, 3, 10, 23, 59, 58, tzinfo=UTC)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("theirs", "offset"),
    [
        pytest.param(-3, -3.0, id="behind"),
        pytest.param(0, 0.0, id="as_we_asked"),
        pytest.param(1, 0.0, id="while_we_asked"),
        pytest.param(2, 0.0, id="as_the_answer_came"),
        pytest.param(2.5, 0.5, id="ahead"),
    ],
)
def test_another_clock_differs_by_what_the_time_of_asking_does_not_explain(theirs, offset):
    before = datetime(2025, 3, 11, tzinfo=UTC)
    after = before + timedelta(seconds=2)
    assert clock_offset_seconds(before, before + timedelta(seconds=theirs), after) == offset
