"""What a date decides: the cover of a term, the level of a hospital, and the plan version in force."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from builders import (
    HANGZHOU_FILE,
    City,
    Person,
    SteeredClock,
    a_2207,
    a_2304,
    a_person,
    bill_id_of,
    facts,
    open_test_resources,
    settle,
    with_one_case,
)
from database import as_owner, rows_of
from settlement.db.bills import find_settled_bill
from settlement.db.embedded import DatabaseUrls
from settlement.db.engine import fund_transaction
from settlement.db.registry import add_hospital_level, list_hospitals
from settlement.domain.scope import PersonCategory
from settlement.services.audit.prove_bill import replays
from settlement.services.members.add_member import NewMember, add_members
from settlement.services.resources import Resources


def stay(city: City, last_day: str, **changes: object) -> dict[str, object]:
    return facts(city, admitted_on=last_day, discharged_on=last_day, **changes)


def left(person: Person, on: str, **given: str) -> dict[str, Any]:
    """Return the bill of a stay that was settled on the day of its discharge."""
    return a_2304(person, setl_time=f"{on} 10:00:00", **given)


@pytest.mark.parametrize(
    ("discharged_on", "status"),
    [("2025-04-30", "none"), ("2025-05-01", "on_bill"), ("2025-06-30", "on_bill"), ("2025-07-01", "none")],
)
async def test_a_member_is_covered_from_the_first_to_the_last_day(
    resources: Resources, city: City, discharged_on: str, status: str
):
    person = a_person(50)
    first, last = date(2025, 5, 1), date(2025, 6, 30)
    await add_members(
        resources, city.fund_id, [NewMember(person.name, person.certificate, "u1", PersonCategory.ACTIVE, first, last)]
    )
    answer = (await settle(resources, city, left(person, discharged_on), stay(city, discharged_on))).answer
    assert answer["mutual_aid"]["status"] == status
    if status == "none":
        assert answer["mutual_aid"]["reason"]["code"] == "not_covered_on_date"


async def test_who_left_at_the_new_year_is_paid_the_part_of_a_stay_before_it(resources: Resources, city: City):
    person, term = a_person(50), (date(2025, 1, 1), date(2025, 12, 31))
    await add_members(
        resources, city.fund_id, [NewMember(person.name, person.certificate, "u1", PersonCategory.ACTIVE, *term)]
    )
    over_the_year = facts(city, admitted_on="2025-12-22", discharged_on="2026-01-10")
    settled = await settle(resources, city, left(person, "2026-01-10"), over_the_year)
    assert settled.answer["mutual_aid"]["amount"] == "137.97"  # 20 % of 689.83, the half of ten days out of twenty
    async with fund_transaction(resources.engine, city.fund_id) as connection:
        found = await find_settled_bill(connection, city.fund_id, bill_id_of(settled))
    assert found is not None
    assert found.priced is not None
    assert replays(found.priced, await resources.rules.of(city.fund_id))
    in_january = facts(city, admitted_on="2026-01-01", discharged_on="2026-01-10")
    after = await settle(resources, city, left(person, "2026-01-10", mdtrt_id="V2"), in_january)
    assert after.answer["mutual_aid"]["reason"]["code"] == "not_covered_on_date"


async def test_each_term_has_room_of_its_own(resources: Resources, city: City, database: DatabaseUrls):
    plain = {"hifp": "0.00", "absorbed": "0.00", "account": "0.00", "excluded": "0.00", "allowed": "60000.00"}
    bills = (("2025", "30200.00"), ("2025", "0.00"), ("2026", "30200.00"), ("2026", "0.00"))
    for number, (year, paid) in enumerate(bills):
        answer = (
            await settle(
                resources,
                city,
                left(city.member, f"{year}-03-11", mdtrt_id=f"V{number}", **plain),
                stay(city, f"{year}-03-11"),
            )
        ).answer
        assert answer["mutual_aid"]["amount"] == paid
    assert rows_of(database, "SELECT term, sum(paid_fen) FROM consumption GROUP BY 1 ORDER BY 1") == [
        ("2025", 3_020_000),
        ("2026", 3_020_000),
    ]


async def test_the_rosters_category_decides_and_not_only_the_insurers(resources: Resources, city: City):
    person = a_person(50)
    term = (date(2025, 1, 1), date(2025, 12, 31))
    await add_members(
        resources, city.fund_id, [NewMember(person.name, person.certificate, "u1", PersonCategory.RETIRED, *term)]
    )
    answer = (await settle(resources, city, a_2304(person))).answer
    assert answer["mutual_aid"]["status"] == "none"
    assert answer["mutual_aid"]["reason"]["code"] == "plan_pays_nothing"


async def test_a_change_of_level_counts_from_its_day_and_changes_nothing_earlier(
    resources: Resources, city: City, database: DatabaseUrls
):
    before = await settle(resources, city, left(city.member, "2025-03-11"), stay(city, "2025-03-11", level=1))
    assert before.answer["mutual_aid"]["amount"] == "0.00"
    async with fund_transaction(resources.engine, city.fund_id) as connection:
        first_level = {name for hospital in await list_hospitals(connection, city.fund_id) for name in hospital.codes}
        assert city.hospitals[1] in first_level
        (hospital,) = [
            found for found in await list_hospitals(connection, city.fund_id) if city.hospitals[1] in found.codes
        ]
        await add_hospital_level(connection, city.fund_id, hospital.hospital_id, date(2025, 4, 1), 2)
    receipts = rows_of(database, "SELECT receipt_hash FROM settlement")
    for discharged_on, amount in (("2025-03-31", "0.00"), ("2025-04-01", "389.83")):
        later = await settle(
            resources,
            city,
            left(city.member, discharged_on),
            stay(city, discharged_on, level=1),
        )
        assert later.answer["mutual_aid"]["amount"] == amount
    assert rows_of(database, "SELECT receipt_hash FROM settlement ORDER BY bill_id LIMIT 1") == receipts


async def test_a_stay_before_the_hospital_had_a_level_is_held(resources: Resources, city: City):
    answer = (await settle(resources, city, left(city.member, "2014-12-31"), stay(city, "2014-12-31"))).answer
    assert answer["mutual_aid"]["status"] == "none"
    assert answer["mutual_aid"]["reason"]["code"] == "no_plan_on_date"


def a_richer_plan(folder: Path) -> Path:
    """Hangzhou's plan with a second version from 2025-07-01 that pays 30 % in the first band."""
    text = HANGZHOU_FILE.read_text()
    start, end = text.index('  - version: "2018"'), text.index("\ncase_facts:")
    second = text[start:end].replace('version: "2018"', 'version: "2025b"').replace("2018-01-01", "2025-07-01")
    second = second.replace('rate: "20%"', 'rate: "30%"').replace("amount: 30200}", "amount: 30300}")
    second = second.replace("amount: 30200\n", "amount: 30300\n")
    file = folder / "hangzhou.yaml"
    file.write_text(with_one_case(text[:end].rstrip("\n") + "\n" + second + text[end:]))
    return file


async def test_a_version_that_another_process_published_is_picked_up(
    resources: Resources, city: City, database: DatabaseUrls, tmp_path: Path
):
    before = await settle(resources, city, left(city.members[0], "2025-07-10"), stay(city, "2025-07-10"))
    assert (before.answer["plan"]["version"], before.answer["mutual_aid"]["amount"]) == ("2018", "389.83")
    async with open_test_resources(database, SteeredClock(), seed=99) as another:
        await city.office.publish(another, a_richer_plan(tmp_path))
    after = await settle(resources, city, left(city.members[1], "2025-07-10"), stay(city, "2025-07-10"))
    assert (after.answer["plan"]["version"], after.answer["mutual_aid"]["amount"]) == ("2025b", "489.83")
    june = await settle(resources, city, left(city.members[2], "2025-06-30"), stay(city, "2025-06-30"))
    assert (june.answer["plan"]["version"], june.answer["mutual_aid"]["amount"]) == ("2018", "389.83")


async def test_a_process_that_never_read_a_version_learns_it_to_prove_a_bill(
    resources: Resources, city: City, database: DatabaseUrls, tmp_path: Path
):
    await resources.rules.of(city.fund_id)
    async with open_test_resources(database, SteeredClock(), seed=99) as another:
        await city.office.publish(another, a_richer_plan(tmp_path))
        settled = await settle(another, city, left(city.member, "2025-07-10"), stay(city, "2025-07-10"))
    digest = settled.answer["plan"]["digest"]
    assert (await resources.rules.of(city.fund_id)).version_by_digest(digest) is None
    rules = await resources.rules.knowing(city.fund_id, digest)
    assert rules.version_by_digest(digest) is not None
    async with fund_transaction(resources.engine, city.fund_id) as connection:
        found = await find_settled_bill(connection, city.fund_id, bill_id_of(settled))
    assert found is not None
    assert found.priced is not None
    assert replays(found.priced, rules)


async def test_a_stored_plan_whose_text_gives_another_digest_today_is_the_version_in_force_all_the_same(
    resources: Resources, city: City, database: DatabaseUrls
):
    """As after a release that writes the canonical text another way: the process must not read it anew for ever."""
    spaced = "document || ' '"
    as_owner(
        database,
        "ALTER TABLE plan_version DROP CONSTRAINT plan_version_step_fk, DROP CONSTRAINT plan_version_draft_fk",
        f"UPDATE plan_version SET document = {spaced}, digest = encode(sha256(convert_to({spaced}, 'UTF8')), 'hex')",
    )
    async with asyncio.timeout(10):
        settled = await settle(resources, city, a_2304(city.member))
    assert settled.answer["mutual_aid"]["amount"] == "389.83"
    (stored,) = rows_of(database, "SELECT digest FROM plan_version")[0]
    version = (await resources.rules.knowing(city.fund_id, str(stored))).version_by_digest(str(stored))
    assert version is not None
    assert (version.digest, version.plan.digest != stored) == (stored, True)


async def test_a_visit_belongs_to_the_chinese_day_of_its_settlement(resources: Resources, city: City):
    midnight = a_2207(city.member, setl_time="2025-12-31 23:59:59")
    answer = (await settle(resources, city, midnight, facts(city, admitted_on=None, discharged_on=None))).answer
    assert answer["service_date"] == answer["business_date"] == "2025-12-31"
