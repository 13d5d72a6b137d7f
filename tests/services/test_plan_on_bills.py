"""What a plan asks of records, roster and hospital reaches it through the settle path: stays, shares, cover, purses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from builders import KEYS, City, a_2304, a_2305, a_city, bill_id_of, facts, once, open_test_resources, reverse, settle
from database import Databases, ops_engine, rows_of
from settlement.db.embedded import DatabaseUrls
from settlement.domain.promises import HoldKind
from settlement.services.audit.examine import examine
from settlement.services.bills.answer_bill import AnswerBill, answer_bill
from settlement.services.bills.commands import Brought, Outcome
from settlement.services.bills.promise_bill import PromiseBill, promise_bill
from settlement.services.bills.quote_bill import QuoteBill
from settlement.services.members.announce_renewal import announce_renewal
from settlement.services.members.check_eligibility import CheckEligibility, check_eligibility
from settlement.services.resources import Resources

STAYS = Path(__file__).with_name("stays.yaml")


@pytest.fixture
def database(databases: Databases) -> Any:
    with databases.copy() as urls:
        yield urls


@pytest.fixture
async def resources(database: DatabaseUrls) -> AsyncIterator[Resources]:
    async with open_test_resources(database) as opened:
        yield opened


@pytest.fixture
async def city(resources: Resources) -> City:
    return await a_city(resources, plan_file=STAYS, shares={"main": 1, "extra": 2}, last_day=date(2025, 12, 31))


async def stay(
    resources: Resources, city: City, *, visit: str = "V1", allowed: str = "1300.00", hifp: str = "0.00", **beside: Any
) -> Outcome:
    """Settle a stay of 1 to 11 March whose whole in-scope amount the patient bears, unless told otherwise."""
    told = {"stated": {"bed_excess": "0.00"}, **beside}
    settled_at = f"{told.get('discharged_on', '2025-03-11')} 10:00:00"
    amounts = {"allowed": allowed, "excluded": "0.00", "hifp": hifp, "account": "0.00", "absorbed": "0.00"}
    output = a_2304(city.member, mdtrt_id=visit, setl_time=settled_at, **amounts)
    return await settle(resources, city, output, facts(city, **told))


def aid(outcome: Outcome) -> str:
    return str(outcome.answer["mutual_aid"]["amount"])


async def broken(database: DatabaseUrls) -> list[str]:
    async with ops_engine(database) as ops:
        examination = await examine(ops, KEYS)
        return [finding.invariant.name for finding in examination.findings if finding.broken]


async def test_the_settlements_of_one_stay_share_its_deductible_and_its_ordinal(resources, database, city):
    first = await stay(resources, city, discharged_on="2025-03-05")
    second = await stay(resources, city, chrg_bchno="2")
    # 80 % of 1,000.00 and 5 days at 2 × 30.00; then 80 % of 1,300.00 and 6 days more.
    assert (aid(first), aid(second)) == ("1100.00", "1400.00")
    assert await broken(database) == []


async def test_a_later_stay_is_the_second_one_and_takes_its_own_deductible(resources, database, city):
    await stay(resources, city, admitted_on="2025-02-01", discharged_on="2025-02-03")
    later = await stay(resources, city, visit="V2", admitted_on="2025-06-01", discharged_on="2025-06-01")
    assert aid(later) == "760.00"  # 70 % of 1,000.00 and one day
    assert await broken(database) == []


async def test_an_admission_soon_after_a_discharge_is_the_same_stay(resources, city):
    await stay(resources, city)
    again = await stay(resources, city, visit="V2", admitted_on="2025-04-10", discharged_on="2025-04-10")
    assert aid(again) == "1100.00"  # 80 % of 1,300.00: no second deductible; one day


async def test_a_stay_that_is_reversed_leaves_its_deductible_to_the_next_bill(resources, database, city):
    output = a_2304(city.member, mdtrt_id="V1", allowed="1300.00", excluded="0", hifp="0", account="0", absorbed="0")
    first = await settle(resources, city, output, facts(city, stated={"bed_excess": 0}))
    await reverse(resources, city, first, a_2305(output))
    assert aid(await stay(resources, city)) == aid(first)
    assert await broken(database) == []


async def test_days_stop_at_the_limit_of_the_term(resources, city):
    await stay(resources, city)  # 11 days
    later = await stay(resources, city, visit="V2", admitted_on="2025-06-01", discharged_on="2025-06-11")
    assert aid(later) == "940.00"  # 700.00, and the 4 days left of 15


async def test_an_amount_that_was_not_stated_holds_the_bill_until_it_is(resources, city):
    held = await stay(resources, city, stated=None)
    question = held.answer["mutual_aid"]["question"]
    assert (question["code"], question["figures"]["code"]) == ("stated_amount_missing", "bed_excess")
    assert "超标准床位费" in question["sentence"]
    command = AnswerBill(
        city.caller, bill_id_of(held), {"stated": {"bed_excess": "100.00"}}, {}, None, once(city.caller)
    )
    answered = await answer_bill(resources, command)
    assert aid(answered) == "1380.00"  # 80 % of 900.00, and 11 days
    assert answered.answer["mutual_aid"]["status"] == "to_card"


async def test_purses_bear_their_shares(resources, database, city):
    await stay(resources, city)
    assert rows_of(database, "SELECT debit, credit, fen FROM posting WHERE debit LIKE 'aid%' ORDER BY line") == [
        ("aid", "payable:hospital", 80_000),
        ("aid:city", "payable:hospital", 33_000),
        ("aid:county", "payable:hospital", 17_000),
        ("aid:county", "payable:member", 16_000),
    ]
    assert await broken(database) == []


async def test_what_a_person_decides_lands_on_the_worklist_once(resources, database, city):
    for visit in ("V1", "V2", "V3"):
        await stay(resources, city, visit=visit, allowed="30000.00")
    assert rows_of(database, "SELECT kind FROM worklist_item") == [("plan_asks:relief",)]


async def test_waiting_runs_over_the_first_days_of_cover(resources, city):
    early = await stay(resources, city, admitted_on="2025-01-30", discharged_on="2025-01-31")
    late = await stay(resources, city, visit="V2", admitted_on="2025-01-31", discharged_on="2025-01-31")
    assert aid(early) == "120.00"  # 30 January is day 30: the allowance alone, two days
    assert aid(late) == "860.00"


async def test_cover_is_provisional_once_the_unit_has_announced_its_term(resources, database, city):
    january = {"admitted_on": "2026-01-03", "discharged_on": "2026-01-04"}
    none = await stay(resources, city, **january)
    assert none.answer["mutual_aid"]["reason"]["code"] == "not_covered_on_date"
    await announce_renewal(resources, city.fund_id, "u1", date(2026, 1, 1))
    await announce_renewal(resources, city.fund_id, "u1", date(2027, 1, 1))
    asked = CheckEligibility(
        city.caller, city.member.certificate.type, city.member.certificate.number, None, date(2026, 1, 4)
    )
    assert (await check_eligibility(resources, asked))["status"] == "provisional"
    settled = await stay(resources, city, visit="V2", **january)
    assert settled.answer["mutual_aid"]["status"] == "to_card"
    assert rows_of(database, "SELECT kind FROM worklist_item") == [("provisional_cover",)]
    late = await stay(resources, city, visit="V3", admitted_on="2026-03-01", discharged_on="2026-03-01")
    assert late.answer["mutual_aid"]["reason"]["code"] == "not_covered_on_date"
    assert await broken(database) == []


async def test_a_promise_under_provisional_cover_is_kept_and_put_before_a_person(resources, database, city):
    await announce_renewal(resources, city.fund_id, "u1", date(2026, 1, 1))
    amounts = {"allowed": "1300.00", "excluded": "0.00", "hifp": "0.00", "account": "0.00", "absorbed": "0.00"}
    output = a_2304(city.member, setl_time="2026-01-04 10:00:00", **amounts)
    beside = facts(city, admitted_on="2026-01-03", discharged_on="2026-01-04", stated={"bed_excess": "0.00"})
    quote = QuoteBill(city.caller, Brought(output, beside))
    await promise_bill(resources, PromiseBill(quote, HoldKind.COUNTER, None))
    settled = (await settle(resources, city, output, beside)).answer
    assert settled["promise"]["kept"] is True
    assert rows_of(database, "SELECT kind FROM worklist_item") == [("provisional_cover",)]


async def test_a_bill_that_puts_two_things_before_a_person_is_settled(resources, database, city):
    """Under provisional cover, and with a benefit above whose threshold a person decides."""
    await announce_renewal(resources, city.fund_id, "u1", date(2026, 1, 1))
    january = {"admitted_on": "2026-01-03", "discharged_on": "2026-01-04"}
    for visit in ("V1", "V2"):
        settled = await stay(resources, city, visit=visit, allowed="30000.00", **january)
        assert settled.answer["mutual_aid"]["status"] == "to_card"
    kinds = {kind.partition(":")[0] for (kind,) in rows_of(database, "SELECT kind FROM worklist_item")}
    assert kinds == {"provisional_cover", "plan_asks"}
    assert await broken(database) == []


async def test_no_diagnosis_is_kept_that_the_plan_does_not_ask_for(resources, database, city):
    await stay(resources, city, dise_codg="C50.900")
    assert rows_of(database, "SELECT count(*) FROM settlement WHERE receipt::text LIKE '%C50%'") == [(0,)]
    assert rows_of(database, "SELECT count(*) FROM consumption WHERE diagnosis IS NOT NULL") == [(0,)]
