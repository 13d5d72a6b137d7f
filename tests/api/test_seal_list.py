"""Seals as witnesses fetch them, the event that tells of one, and the day's figures that say how many are missing."""

from __future__ import annotations

from datetime import timedelta

from builders import TEN_IN_CHINA, City, SteeredClock, a_2304, open_test_resources, settle
from calling import Callers
from database import ops_engine
from sealing import SIGNER, VERIFIER
from settlement.db.embedded import DatabaseUrls
from settlement.domain.books import seal_from_json
from settlement.services.books.close_books_day import close_books_day
from settlement.services.books.seal_books_days import seal_closed_days
from settlement.services.events.number_events import number_all_events


async def close_days(database: DatabaseUrls, city: City, count: int, *, seal: bool = True) -> None:
    clock = SteeredClock(TEN_IN_CHINA + timedelta(days=3 * (not seal)))
    async with open_test_resources(database, clock, seed=20 + seal) as resources, ops_engine(database) as ops:
        for _ in range(count):
            await settle(resources, city, a_2304(city.member))
            await close_books_day(resources, city.fund_id)
            clock.forward(days=1)
        if seal:
            await seal_closed_days(resources, ops, SIGNER)
        await number_all_events(ops)


async def test_a_witness_fetches_seals_page_by_page_and_verifies_them(
    callers: Callers, city: City, database: DatabaseUrls
):
    await close_days(database, city, 3)
    first = (await callers.get("platform", "/v1/seals", limit=2)).json()
    second = (await callers.get("platform", "/v1/seals", limit=2, cursor=first["next_cursor"])).json()
    seals = [seal_from_json(shown) for shown in first["seals"] + second["seals"]]
    assert [seal.statement.books_day for seal in seals] == [1, 2, 3]
    assert second["next_cursor"] is None
    assert all(VERIFIER.verifies(seal) for seal in seals)
    assert [seal.follows(before) for before, seal in zip([None, *seals], seals, strict=False)] == [True] * 3
    assert (await callers.get("platform of another fund", "/v1/seals")).json()["seals"] == []


async def test_the_sealing_is_an_event_of_the_fund_which_a_hospital_does_not_get(
    callers: Callers, city: City, database: DatabaseUrls
):
    await close_days(database, city, 1)
    seals = (await callers.get("staff", "/v1/seals")).json()["seals"]
    events = (await callers.get("staff", "/v1/events")).json()["events"]
    assert [(event["type"], event["bill_id"] is None) for event in events] == [
        ("settlement.settled.v1", False),
        ("books_day.sealed.v1", True),
    ]
    assert events[1]["payload"] == seals[0]
    of_hospital = (await callers.get("hospital", "/v1/events")).json()["events"]
    assert "books_day.sealed.v1" not in {event["type"] for event in of_hospital}


async def test_the_summary_says_how_many_closed_days_have_no_seal(callers: Callers, city: City, database: DatabaseUrls):
    await close_days(database, city, 1)
    summary = (await callers.get("staff", "/v1/ops/summary")).json()
    assert (summary["books_day"], summary["books_days_unsealed"]) == (2, 0)
    await close_days(database, city, 2, seal=False)
    summary = (await callers.get("staff", "/v1/ops/summary")).json()
    assert (summary["books_day"], summary["books_days_unsealed"]) == (4, 2)
