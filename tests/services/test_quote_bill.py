"""A quote is the settlement's own computation on a pre-settlement: it says the same, and stores nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from builders import City, Person, a_2207, a_2304, a_person, facts, settle
from database import rows_of
from settlement.db.embedded import DatabaseUrls
from settlement.db.settling import books_lock
from settlement.domain.money import Money
from settlement.domain.settlements import OtherPayer
from settlement.services.bills.commands import Brought
from settlement.services.bills.errors import OtherPayersExceedCash
from settlement.services.bills.quote_bill import QuoteBill, quote_bill
from settlement.services.members.check_eligibility import CheckEligibility, check_eligibility
from settlement.services.resources import Resources

TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
SAME = ("service_date", "bill", "other_on_bill", "cash_due", "plan", "receipt_values", "print_lines")


def counts(database: DatabaseUrls) -> dict[object, object]:
    tables = [name for (name,) in rows_of(database, TABLES)]
    return {table: rows_of(database, f"SELECT count(*) FROM {table}")[0][0] for table in tables}


async def quote(
    resources: Resources,
    city: City,
    output: dict[str, Any],
    beside: dict[str, Any] | None = None,
    others: tuple[OtherPayer, ...] = (),
) -> dict[str, Any]:
    return await quote_bill(resources, QuoteBill(city.caller, Brought(output, beside or facts(city), others)))


@pytest.mark.parametrize(
    ("amounts", "beside"),
    [
        pytest.param({}, {}, id="on the bill"),
        pytest.param({"account": "2200.00"}, {}, id="split"),
        pytest.param({}, {"pay_loc": "4"}, id="to the card"),
        pytest.param({}, {"fixmedins_code": "H50010302471"}, id="nothing"),
        pytest.param({"allowed": "60000.00"}, {}, id="the limit"),
    ],
)
async def test_a_quote_equals_the_settlement_that_follows_it(
    resources: Resources, city: City, amounts: dict[str, Any], beside: dict[str, Any]
):
    await settle(resources, city, a_2304(city.member))
    output = a_2304(city.member, **amounts)
    quoted = await quote(resources, city, output, facts(city, **beside))
    settled = (await settle(resources, city, output, facts(city, **beside))).answer
    assert {name: quoted[name] for name in SAME} == {name: settled[name] for name in SAME}
    assert quoted["mutual_aid"] == settled["mutual_aid"]
    assert "id" not in quoted


async def test_other_payers_are_quoted_as_they_are_settled(resources: Resources, city: City):
    output, others = a_2304(city.member), (OtherPayer("惠民保", Money(200_000)),)
    quoted = await quote(resources, city, output, others=others)
    settled = (await settle(resources, city, output, other_payers=others)).answer
    assert quoted["mutual_aid"] == settled["mutual_aid"]
    assert quoted["cash_due"] == settled["cash_due"] == "0.00"
    with pytest.raises(OtherPayersExceedCash):
        await quote(resources, city, output, others=(OtherPayer("惠民保", Money(207_967)),))


async def same_refusal(resources: Resources, city: City, output: dict[str, Any], **beside: object) -> dict[str, Any]:
    quoted = await quote(resources, city, output, facts(city, **beside))
    settled = (await settle(resources, city, output, facts(city, **beside))).answer
    assert quoted["mutual_aid"] == settled["mutual_aid"]
    return quoted["mutual_aid"]


async def test_a_quote_holds_and_refuses_as_the_settlement_does(resources: Resources, city: City):
    held = await same_refusal(resources, city, a_2304(city.members[1]), admitted_on=None)
    assert held["question"]["code"] == "admitted_on_missing"
    nobody = await same_refusal(resources, city, a_2304(a_person(99)))
    assert nobody["reason"]["code"] == "not_a_member"
    open_ = await same_refusal(resources, city, a_2304(city.members[1], medfee_sumamt=9000.01))
    assert open_["question"]["code"] == "identity_a_open"


async def test_an_unknown_certificate_with_a_members_number_is_quoted_as_it_is_settled(
    resources: Resources, city: City
):
    await settle(resources, city, a_2304(city.member))
    held = await same_refusal(resources, city, a_2304(city.member, certno="990101197001010017"))
    assert held["question"]["code"] == "certificate_disagrees"


@pytest.mark.parametrize(
    ("number", "changes"), [(0, {}), (99, {}), (0, {"medfee_sumamt": 1}), (0, {"certno": "990101********000X"})]
)
async def test_a_quote_stores_nothing(
    resources: Resources, city: City, database: DatabaseUrls, number: int, changes: dict[str, Any]
):
    before = counts(database)
    person: Person = a_person(number)
    assert await quote(resources, city, a_2304(person, **changes))
    assert counts(database) == before


async def test_a_visit_is_quoted_for_today_in_china(resources: Resources, city: City):
    output = a_2207(city.member, setl_time=None, setl_id=None)
    quoted = await quote(resources, city, output, facts(city, admitted_on=None, discharged_on=None))
    assert quoted["service_date"] == "2025-03-11"


async def test_questions_neither_hold_the_books_day_nor_wait_for_its_close(
    resources: Resources, city: City, database: DatabaseUrls
):
    """Whoever closes the books day takes its lock alone, as here; a settlement waits for it, and a close for that."""
    number = books_lock(city.fund_id)
    asked = CheckEligibility(city.caller, "01", city.member.certificate.number, None, None)
    with psycopg.connect(database.owner) as closing:
        closing.execute("SELECT pg_advisory_xact_lock(%s)", [number])
        async with asyncio.timeout(5):
            assert (await quote(resources, city, a_2304(city.member)))["mutual_aid"]["amount"] == "389.83"
            assert (await check_eligibility(resources, asked))["status"] == "covered"
        settling = asyncio.create_task(settle(resources, city, a_2304(city.member)))
        done, _ = await asyncio.wait([settling], timeout=0.5)
        assert not done
    assert (await settling).created
