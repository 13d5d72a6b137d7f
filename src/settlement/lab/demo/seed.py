"""Seeding the demo's city: two funds, their units, hospitals, members, plan and clients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from settlement.db.registry import Fund
from settlement.domain.bills import Certificate
from settlement.domain.scope import PersonCategory
from settlement.lab.his.people import HospitalEntry, Person
from settlement.lab.office import Office, open_office
from settlement.plans.model import read_plan
from settlement.services.access.add_client import NewClient, add_client
from settlement.services.funds.add_fund import add_fund, add_hospital, add_unit
from settlement.services.members.add_member import NewMember, add_members
from settlement.services.resources import Resources

UNITS = (
    "纺织工会",
    "机械工会",
    "化工工会",
    "公交工会",
    "供水工会",
    "热力工会",
    "建设工会",
    "食品工会",
    "物流工会",
    "电力工会",
)
SECOND_FUND_MEMBERS = 40
_BATCH = 500
_SINCE = date(2015, 1, 1)


@dataclass(frozen=True, slots=True)
class SeededCity:
    """The demo's first fund, who is a member of it, and the clients by what they are for."""

    fund: Fund
    members: tuple[Person, ...]
    hospital_clients: dict[str, NewClient]
    platform_client: NewClient
    staff_client: NewClient
    office: Office


async def seed_city(
    resources: Resources,
    *,
    profile: str,
    plan_file: Path,
    persons: Sequence[Person],
    hospitals: Sequence[HospitalEntry],
    member_count: int,
    year: int,
) -> SeededCity:
    """Seed a fund with many units and all hospitals, and a second, small one; members are active employees."""
    active = [person for person in persons if person.insutype == "310" and person.psn_type.startswith("11")]
    local = [person for person in active if person.insuplc_admdvs[:4] == hospitals[0].area[:4]]
    members = tuple(local[:member_count])
    fund, office = await _add_fund(resources, "binzhou", "滨州市职工互助保障基金", profile, plan_file)
    for number, name in enumerate(UNITS, 1):
        await add_unit(resources, fund.fund_id, code=f"U{number:02d}", name=f"滨州市{name}")
    await _add_hospitals(resources, fund, hospitals)
    await _enrol(resources, fund, members, len(UNITS), year)
    await add_members(resources, fund.fund_id, [_member_of_the_examples(year)])
    second, _ = await _add_fund(resources, "wudi", "无棣县职工互助保障基金", profile, plan_file)
    await add_unit(resources, second.fund_id, code="U01", name="无棣县总工会")
    await _add_hospitals(resources, second, hospitals[:1])
    await _enrol(resources, second, local[member_count : member_count + SECOND_FUND_MEMBERS], 1, year)
    clients = {
        entry.code: await add_client(
            resources, fund.fund_id, name=f"his-{entry.code.lower()}", role="hospital", hospital_codes=(entry.code,)
        )
        for entry in hospitals
    }
    platform = await add_client(resources, fund.fund_id, name="bureau", role="platform", hospital_codes=())
    staff = await add_client(resources, fund.fund_id, name="office", role="staff", hospital_codes=())
    return SeededCity(fund, members, clients, platform, staff, office)


async def _add_fund(resources: Resources, code: str, name: str, profile: str, plan_file: Path) -> tuple[Fund, Office]:
    plan = read_plan(plan_file)
    fund = await add_fund(resources, code=code, name=name, gateway_profile=profile, plan_code=plan.header.code)
    office = await open_office(resources, fund.fund_id)
    await office.publish(resources, plan_file)
    return fund, office


async def _add_hospitals(resources: Resources, fund: Fund, hospitals: Sequence[HospitalEntry]) -> None:
    for entry in hospitals:
        await add_hospital(
            resources, fund.fund_id, name=entry.name, codes=(entry.code,), level=entry.level, since=_SINCE
        )


def _member_of_the_examples(year: int) -> NewMember:
    """Return the invented person of the API's examples, so that they can be tried as they stand."""
    certificate = Certificate("01", "371602199001010015")
    return NewMember("测试甲", certificate, "U01", PersonCategory.ACTIVE, date(2026, 1, 1), date(year, 12, 31))


async def _enrol(resources: Resources, fund: Fund, members: Sequence[Person], units: int, year: int) -> None:
    lines = [
        NewMember(
            person.psn_name,
            Certificate(*person.certificate),
            f"U{index % units + 1:02d}",
            PersonCategory.ACTIVE,
            date(year, 1, 1),
            date(year, 12, 31),
        )
        for index, person in enumerate(members)
    ]
    for start in range(0, len(lines), _BATCH):
        await add_members(resources, fund.fund_id, lines[start : start + _BATCH])
