"""Who a bill's person is: by certificate, by an insured person number learnt with evidence, and never by guessing."""

from __future__ import annotations

from typing import Any

import pytest

from builders import KEYS, City, Person, a_2304, facts, settle
from database import rows_of
from settlement.db.embedded import DatabaseUrls
from settlement.db.secrets import Sealed
from settlement.services.resources import Resources

NUMBERS = "SELECT person_id, area, evidence FROM person_number"


def by_number_alone(of: Person, **changes: object) -> dict[str, Any]:
    """An answer that names its person by `psn_no` only."""
    return a_2304(of, psn_name=None, psn_cert_type=None, certno=None, **changes)


def status(outcome: Any) -> str:
    found: str = outcome.answer["mutual_aid"]["status"]
    return found


def question(outcome: Any) -> str:
    found: str = outcome.answer["mutual_aid"]["question"]["code"]
    return found


async def test_a_number_is_learnt_with_its_evidence_and_then_finds_the_member_alone(
    resources: Resources, city: City, database: DatabaseUrls
):
    stranger = await settle(resources, city, by_number_alone(city.member))
    assert stranger.answer["mutual_aid"]["reason"]["code"] == "not_a_member"
    named = await settle(resources, city, a_2304(city.member))
    assert rows_of(database, NUMBERS) == [
        (city.member.member_id, "500102", f"bill {named.answer['settlement_no']} by api")
    ]
    found = await settle(resources, city, by_number_alone(city.member))
    assert status(found) == "on_bill"
    assert rows_of(database, "SELECT DISTINCT member_id FROM settlement") == [(city.member.member_id,)]


async def test_a_learnt_number_is_sealed_and_found_by_a_blind_index(
    resources: Resources, city: City, database: DatabaseUrls
):
    await settle(resources, city, a_2304(city.member))
    ((index, key_id, envelope),) = rows_of(database, "SELECT number_index, key_id, envelope FROM person_number")
    number = city.member.insured_person_no.encode()
    assert number not in bytes(index) + bytes(envelope)
    assert city.member.member_id is not None
    bound_to = city.fund_id.bytes + city.member.member_id.bytes
    assert KEYS.open(Sealed(str(key_id), bytes(envelope)), bound_to) == number


async def test_one_person_may_have_several_numbers(resources: Resources, city: City, database: DatabaseUrls):
    await settle(resources, city, a_2304(city.member))
    await settle(resources, city, a_2304(city.member, psn_no="ZG8000000001"))
    assert len(rows_of(database, NUMBERS)) == 2
    again = await settle(resources, city, by_number_alone(city.member, psn_no="ZG8000000001"))
    assert status(again) == "on_bill"


async def test_a_number_that_belongs_to_another_member_holds_the_bill(
    resources: Resources, city: City, database: DatabaseUrls
):
    first, second = city.members[:2]
    await settle(resources, city, a_2304(first))
    held = await settle(resources, city, a_2304(second, psn_no=first.insured_person_no))
    assert question(held) == "number_of_two_members"
    assert rows_of(database, "SELECT count(*) FROM person_number") == [(1,)]


async def test_an_unknown_certificate_with_a_members_number_holds_the_bill(resources: Resources, city: City):
    await settle(resources, city, a_2304(city.member))
    held = await settle(resources, city, a_2304(city.member, certno="990101197001010017"))
    assert question(held) == "certificate_disagrees"


async def test_nothing_is_learnt_from_a_held_bill_or_from_a_stranger(
    resources: Resources, city: City, database: DatabaseUrls
):
    await settle(resources, city, a_2304(city.member, psn_name="另一人"))
    await settle(resources, city, a_2304(city.member, certno="990101197001010017"))
    assert rows_of(database, NUMBERS) == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"psn_name": "测 试0000"}, id="a space in the name"),
        pytest.param({"psn_name": "测试·0000"}, id="the dot of a minority name"),
        pytest.param({"psn_name": "测试００００"}, id="full-width figures"),
        pytest.param({"psn_name": None}, id="no name"),
        pytest.param({"psn_cert_type": "1"}, id="a one-digit certificate type"),
        pytest.param({"certno": "99010119800101000x"}, id="a small x"),
    ],
)
async def test_a_spelling_does_not_hold_the_bill(resources: Resources, city: City, changes: dict[str, Any]):
    assert status(await settle(resources, city, a_2304(city.member, **changes))) == "on_bill"


async def test_a_masked_number_is_asked_for_even_when_the_person_number_is_known(resources: Resources, city: City):
    await settle(resources, city, a_2304(city.member))
    held = await settle(resources, city, a_2304(city.member, certno="990101********000X"), facts(city))
    assert question(held) == "certificate_masked"
