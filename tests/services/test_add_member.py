"""Enrolling members: whole rosters or nobody, and an empty one is no fault."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from builders import City, a_person
from database import rows_of
from settlement.db.embedded import DatabaseUrls
from settlement.domain.bills import Certificate
from settlement.domain.scope import PersonCategory
from settlement.services.members.add_member import NewMember, NewMemberUnusable, UnitUnknown, add_members
from settlement.services.resources import Resources


def a_line(number: int = 50) -> NewMember:
    person = a_person(number)
    term = (date(2025, 1, 1), date(2025, 12, 31))
    return NewMember(person.name, person.certificate, "u1", PersonCategory.ACTIVE, *term)


async def test_an_empty_roster_enrols_nobody(resources: Resources, city: City):
    assert await add_members(resources, city.fund_id, []) == []


async def test_a_person_enrolled_twice_is_one_member_with_the_first_cover(
    resources: Resources, city: City, database: DatabaseUrls
):
    first = await add_members(resources, city.fund_id, [a_line()])
    again = await add_members(resources, city.fund_id, [replace(a_line(), last_day=date(2026, 12, 31)), a_line(51)])
    assert again[0] == first[0]
    assert again[1] != first[0]
    cover = f"SELECT last_day FROM membership WHERE member_id = '{first[0]}'"
    assert rows_of(database, cover) == [(date(2025, 12, 31),)]


@pytest.mark.parametrize(
    ("spoilt", "refusal"),
    [
        pytest.param({"unit_code": "nowhere"}, UnitUnknown, id="an unknown unit"),
        pytest.param({"name": " "}, NewMemberUnusable, id="no name"),
        pytest.param({"certificate": Certificate("01", "9901011980****0016")}, NewMemberUnusable, id="a masked number"),
        pytest.param({"last_day": date(2024, 12, 31)}, NewMemberUnusable, id="an end before the beginning"),
    ],
)
async def test_one_bad_line_enrols_nobody(
    resources: Resources, city: City, database: DatabaseUrls, spoilt: dict[str, object], refusal: type[Exception]
):
    before = rows_of(database, "SELECT count(*) FROM person")
    with pytest.raises(refusal):
        await add_members(resources, city.fund_id, [a_line(), replace(a_line(51), **spoilt)])
    assert rows_of(database, "SELECT count(*) FROM person") == before
