"""A re-rating lists what each live bill of a member and term would get now; it changes nothing."""

from __future__ import annotations

import pytest

from builders import City, Node, SteeredClock, a_2304, a_2305, bill_id_of, facts, reverse, settle
from database import rows_of
from settlement.db.embedded import DatabaseUrls
from settlement.domain.promises import HoldKind
from settlement.services.bills.commands import Brought, Outcome
from settlement.services.bills.errors import BillNotFound
from settlement.services.bills.promise_bill import PromiseBill, promise_bill
from settlement.services.bills.quote_bill import QuoteBill
from settlement.services.bills.rerate_member import rerate_member
from settlement.services.resources import Resources

NO_INSURANCE = {"hifp": "0.00", "absorbed": "0.00", "account": "0.00", "excluded": "0.00"}


def visit(number: int, city: City, **amounts: str) -> Node:
    return a_2304(city.member, mdtrt_id=f"V{number:08d}", **amounts)


async def lines(resources: Resources, city: City, settled: Outcome) -> list[tuple[str, str | None]]:
    rerating = (await rerate_member(resources, city.caller, bill_id_of(settled))).to_json()
    return [(line["aid_recorded"], line["aid_now"]) for line in rerating["lines"]]


async def test_a_bill_that_lost_to_one_since_reversed_would_get_its_aid_now(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    whole = visit(1, city, **NO_INSURANCE, allowed="60000.00")
    first = await settle(resources, city, whole)
    poor, later = await settle(resources, city, visit(2, city)), await settle(resources, city, visit(3, city))
    assert await lines(resources, city, first) == [("30200.00", "30200.00"), ("0.00", "0.00"), ("0.00", "0.00")]
    await reverse(resources, city, first, a_2305(whole))
    assert await lines(resources, city, poor) == [("0.00", "0.00"), ("0.00", "0.00")]
    clock.forward(days=2)
    before = rows_of(database, "SELECT count(*), sum(event_count) FROM bill")
    rerating = (await rerate_member(resources, city.caller, bill_id_of(later))).to_json()
    assert [line["aid_now"] for line in rerating["lines"]] == ["389.83", "689.83"]
    assert (rerating["net"], rerating["owes"]) == ("1079.66", "fund")
    assert rows_of(database, "SELECT count(*), sum(event_count) FROM bill") == before


async def test_a_kept_promise_stays_as_promised(resources: Resources, city: City, clock: SteeredClock):
    whole = visit(1, city, **NO_INSURANCE, allowed="60000.00")
    first = await settle(resources, city, whole)
    quote = QuoteBill(city.caller, Brought(visit(2, city), facts(city)))
    await promise_bill(resources, PromiseBill(quote, HoldKind.COUNTER, None))
    promised = await settle(resources, city, visit(2, city))
    assert promised.answer["promise"]["kept"] is True
    await reverse(resources, city, first, a_2305(whole))
    clock.forward(days=2)
    assert await lines(resources, city, promised) == [("0.00", "0.00")]


async def test_a_held_bill_has_nothing_to_re_rate(resources: Resources, city: City):
    held = await settle(resources, city, visit(1, city), facts(city, discharged_on=None))
    with pytest.raises(BillNotFound):
        await rerate_member(resources, city.caller, bill_id_of(held))
