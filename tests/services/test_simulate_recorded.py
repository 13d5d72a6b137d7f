"""A draft on the fund's own settlements: the plan that paid them gives what they were paid."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from builders import City, a_2207, a_2304, a_2305, reverse, settle
from settlement.db.embedded import DatabaseUrls
from settlement.db.engine import open_engine
from settlement.plans.model import load_plan, read_plan
from settlement.plans.simulation.grouping import Period
from settlement.plans.simulation.simulate import Plans
from settlement.services.resources import Resources
from settlement.services.simulation.recorded_bills import simulate_recorded
from settlement.services.simulation.run_simulation import Request, Simulated

HANGZHOU_FILE = Path(__file__).parents[2] / "plans" / "hangzhou.yaml"
YEAR = Period(date(2025, 1, 1), date(2025, 12, 31))


async def simulate(database: DatabaseUrls, city: City, draft: str, period: Period = YEAR) -> Simulated:
    assert database.ops
    engine = open_engine(database.ops, pool_size=1)
    try:
        request = Request(Plans(draft), period, 1)
        return await simulate_recorded(engine, city.fund_id, date(2025, 1, 1), request, lambda what, done, of: None)
    finally:
        await engine.dispose()


async def settle_some(resources: Resources, city: City) -> None:
    for person in city.members:
        await settle(resources, city, a_2304(person))
        await settle(resources, city, a_2207(person))
        await settle(resources, city, a_2304(person, allowed="30000.00", hifp="8000.00"))


async def test_the_plan_that_paid_them_gives_what_they_were_paid(
    resources: Resources, city: City, database: DatabaseUrls
):
    await settle_some(resources, city)
    tally = (await simulate(database, city, read_plan(HANGZHOU_FILE).versions[-1].canonical())).tally
    whole = tally.whole
    assert whole.before_fen == whole.after_fen > 0
    assert (whole.gaining, whole.losing, whole.members) == (0, 0, len(city.members))
    assert (tally.refused, tally.held.total()) == (0, 0)


async def test_a_draft_that_pays_less_is_seen_and_reversed_bills_are_not(
    resources: Resources, city: City, database: DatabaseUrls
):
    await settle_some(resources, city)
    first = await simulate(database, city, read_plan(HANGZHOU_FILE).versions[-1].canonical())
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    await reverse(resources, city, settled, a_2305(output))
    text = HANGZHOU_FILE.read_text(encoding="utf-8").replace('rate: "50%"', 'rate: "40%"', 1)
    draft = load_plan(text, "draft").versions[-1].canonical()
    tally = (await simulate(database, city, draft)).tally
    assert tally.whole.bills == first.tally.whole.bills
    assert tally.whole.before_fen == first.tally.whole.before_fen
    assert tally.whole.losing == len(city.members)
    assert all(loss.first_bill for loss in tally.losses)


async def test_settlements_before_the_period_only_use_room(resources: Resources, city: City, database: DatabaseUrls):
    await settle_some(resources, city)
    later = Period(date(2025, 12, 1), date(2025, 12, 31))
    draft = read_plan(HANGZHOU_FILE).versions[-1].canonical()
    tally = (await simulate(database, city, draft, later)).tally
    assert tally.whole.bills == 0
    assert tally.history > 0
