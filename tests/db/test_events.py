"""Giving events their positions, whatever the clocks of the hosts said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from builders import City, SteeredClock, a_2304, settle
from database import ops_engine, rows_of
from settlement.db.embedded import DatabaseUrls
from settlement.services.events.number_events import number_all_events
from settlement.services.resources import Resources


async def test_an_event_of_a_host_with_a_late_clock_gets_its_position_when_all_times_are_looked_at(
    resources: Resources, city: City, database: DatabaseUrls, clock: SteeredClock
):
    await settle(resources, city, a_2304(city.member))
    async with ops_engine(database) as ops:
        await number_all_events(ops)
        clock.now -= timedelta(days=3)
        await settle(resources, city, a_2304(city.member))
        assert await number_all_events(ops) == 0
        assert await number_all_events(ops, all_times=True) == 1
    assert rows_of(database, "SELECT position FROM event_position ORDER BY 1") == [(1,), (2,)]


async def test_an_event_of_a_host_with_an_early_clock_keeps_no_other_from_its_position(
    resources: Resources, city: City, database: DatabaseUrls, clock: SteeredClock
):
    clock.now = datetime.now(UTC) + timedelta(days=3)
    await settle(resources, city, a_2304(city.member))
    async with ops_engine(database) as ops:
        await number_all_events(ops)
        clock.now = datetime.now(UTC)
        await settle(resources, city, a_2304(city.member))
        assert await number_all_events(ops) == 1
