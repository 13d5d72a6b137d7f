"""A version that is published late, or corrects another, lists the settlements it touches; nothing is changed by it."""

from __future__ import annotations

import pytest

from builders import City, a_2304, a_2305, bill_id_of, facts, reverse, settle
from database import rows_of
from services.test_plan_lifecycle import a_version, id_of, published, submitted, with_one_case
from settlement.db.embedded import DatabaseUrls
from settlement.services.plans.decide_draft import approve_draft
from settlement.services.plans.errors import PlanNotFound
from settlement.services.plans.list_touched import what_touches
from settlement.services.plans.publish_draft import publish_draft
from settlement.services.resources import Resources

RECORDS = "SELECT count(*), sum(aid_on_bill_fen + aid_to_card_fen), max(receipt_hash) FROM settlement"


async def settled_on(resources: Resources, city: City, number: int, day: str, **given: str) -> str:
    outcome = await settle(
        resources,
        city,
        a_2304(city.members[number], setl_time=f"{day} 10:00:00", **given),
        facts(city, admitted_on=day, discharged_on=day),
    )
    return str(bill_id_of(outcome))


async def listed(resources: Resources, city: City, version: str) -> list[tuple[str, str, str | None, str | None]]:
    bills = await (await what_touches(resources, city.fund_id, version)).page(resources)
    shown = [bill.to_json() for bill in bills]
    return [(bill["id"], bill["aid_recorded"], bill["aid_now"], bill["difference"]) for bill in shown]


async def test_a_late_version_lists_what_it_touches_with_both_amounts(
    resources: Resources, city: City, database: DatabaseUrls
):
    before = await settled_on(resources, city, 0, "2025-02-28")
    first = await settled_on(resources, city, 1, "2025-03-01")
    second = await settled_on(resources, city, 2, "2025-03-10")
    records = rows_of(database, RECORDS)
    answer = await published(resources, city, a_version("2025", "2025-03-01", "30%"))
    assert answer["late"] is True
    assert answer["touched_count"] == 2
    touched = await listed(resources, city, "2025")
    assert touched == [(first, "389.83", "489.83", "100.00"), (second, "389.83", "489.83", "100.00")]
    assert before not in {bill[0] for bill in touched}
    assert rows_of(database, RECORDS) == records


async def test_each_settlement_is_computed_by_itself_with_the_room_that_it_found(resources: Resources, city: City):
    """A term's second bill counts what the first was paid then, and not what it would be now: both gain the same 100.

    Together the member would gain it once; that is the re-rating's to say, which works per member and term.
    """
    await settled_on(resources, city, 0, "2025-03-01")
    await settled_on(resources, city, 0, "2025-03-02")
    await published(resources, city, a_version("2018b", rate="30%"), "2018")
    found = [bill[1:] for bill in await listed(resources, city, "2018b")]
    assert found == [("389.83", "489.83", "100.00"), ("689.83", "789.83", "100.00")]


async def test_a_limit_over_a_life_that_is_new_sees_what_earlier_terms_took(resources: Resources, city: City):
    first = await settled_on(resources, city, 0, "2025-03-01")
    second = await settled_on(resources, city, 0, "2026-03-01", mdtrt_id="another stay")
    limit = "          - {rule: limit, over: life, amount: 500, clause: 一生最高 500 元}\n"
    next_benefit = "      - code: critical_illness\n"
    source = a_version("2018b").replace(next_benefit, limit + next_benefit, 1)
    await published(resources, city, with_one_case(source), "2018")
    touched = await listed(resources, city, "2018b")
    assert touched == [(first, "389.83", "389.83", "0.00"), (second, "389.83", "110.17", "-279.66")]


async def test_a_correction_touches_what_the_corrected_version_priced_and_no_later_version(
    resources: Resources, city: City
):
    await published(resources, city, a_version("2025", "2025-03-01", "30%"))
    under_2018 = await settled_on(resources, city, 0, "2025-02-28")
    under_2025 = await settled_on(resources, city, 1, "2025-03-10")
    corrected = await published(resources, city, a_version("2018b", rate="25%"), "2018")
    assert corrected["touched_count"] == 1
    assert await listed(resources, city, "2018b") == [(under_2018, "389.83", "439.83", "50.00")]
    assert await listed(resources, city, "2025") == []
    assert await listed(resources, city, "2018") == []
    again = await published(resources, city, a_version("2025b", "2025-03-01", "20%"), "2025")
    assert again["touched_count"] == 1
    assert await listed(resources, city, "2025b") == [(under_2025, "489.83", "389.83", "-100.00")]
    assert await listed(resources, city, "2025") == []


async def test_reversed_bills_are_not_touched_and_new_ones_under_the_version_neither(resources: Resources, city: City):
    output = a_2304(city.member)
    undone = await settle(resources, city, output)
    await reverse(resources, city, undone, a_2305(output))
    answer = await published(resources, city, a_version("2018b", rate="30%"), "2018")
    assert answer["touched_count"] == 0
    await settle(resources, city, a_2304(city.members[1]))
    assert await listed(resources, city, "2018b") == []


async def test_a_fact_that_nobody_asked_for_then_is_named(resources: Resources, city: City, database: DatabaseUrls):
    """The old version asked nothing about the hospital, and the registry did not know its level."""
    source = a_version("2024", "2024-01-01")
    start = source.index("          - fact: hospital_level")
    without_level = source[:start] + source[source.index("        base:") :]
    await published(resources, city, with_one_case(without_level))
    outcome = await settle(resources, city, a_2304(city.member), facts(city, fixmedins_code="H00000000000"))
    assert outcome.answer["mutual_aid"]["status"] == "on_bill"
    answer = await published(resources, city, a_version("2024b", "2024-01-01"), "2024")
    assert answer["touched_count"] == 1
    (bill,) = await (await what_touches(resources, city.fund_id, "2024b")).page(resources)
    assert (bill.aid_now, bill.missing) == (None, "hospital_level")
    assert bill.to_json()["difference"] is None


async def test_a_draft_says_what_it_would_touch(resources: Resources, city: City):
    bill = await settled_on(resources, city, 0, "2025-03-10")
    draft = await submitted(resources, city.office.author, a_version("2025", "2025-03-01", "30%"))
    assert await listed(resources, city, "2025") == [(bill, "389.83", "489.83", "100.00")]
    await approve_draft(resources, city.office.approver, id_of(draft))
    await publish_draft(resources, city.office.author, id_of(draft))
    assert await listed(resources, city, "2025") == [(bill, "389.83", "489.83", "100.00")]
    with pytest.raises(PlanNotFound):
        await listed(resources, city, "2031")


async def test_pages_follow_each_other_without_a_gap(resources: Resources, city: City):
    days = ["2025-03-03", "2025-03-01", "2025-03-01", "2025-03-02", "2025-03-01"]
    bills = [(day, await settled_on(resources, city, number % 3, day)) for number, day in enumerate(days)]
    answer = await published(resources, city, a_version("2025", "2025-03-01", "30%"))
    assert answer["touched_count"] == len(bills)
    touching = await what_touches(resources, city.fund_id, "2025")
    found, after = [], None
    while page := await touching.page(resources, after, 2):
        found += [(str(bill.recorded.service_date), str(bill.recorded.bill_id)) for bill in page]
        after = (page[-1].recorded.service_date, page[-1].recorded.bill_id)
    assert found == sorted(bills)
