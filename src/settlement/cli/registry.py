"""`settlement fund|unit|hospital|member add|list`: what a fund works with."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

import typer

from settlement.app import open_ops
from settlement.cli.shell import Json, installation, tell, tell_rows, told_plainly, with_fund, with_resources
from settlement.db.engine import fund_transaction
from settlement.db.people import list_memberships
from settlement.db.registry import Fund, list_funds, list_hospitals, list_units
from settlement.domain.bills import Certificate
from settlement.domain.scope import PersonCategory
from settlement.services.funds import add_fund as registering
from settlement.services.members.add_member import NewMember, add_members
from settlement.services.resources import Resources

fund = typer.Typer(no_args_is_help=True, help="Funds: one per city.")
unit = typer.Typer(no_args_is_help=True, help="Units: the employers' unions that enrol members.")
hospital = typer.Typer(no_args_is_help=True, help="Hospitals: codes and dated levels.")
member = typer.Typer(no_args_is_help=True, help="Members and the terms they are covered in.")

FundCode = Annotated[str, typer.Option("--fund", help="Code of the fund.")]


@fund.command("add")
def add_fund(
    code: Annotated[str, typer.Option(help="Short name in small letters, for example binzhou.")],
    name: Annotated[str, typer.Option(help="Full name.")],
    profile: Annotated[str, typer.Option(help="Gateway profile: a shipped one, or a file in SETTLEMENT_PROFILES.")],
    plan: Annotated[str, typer.Option(help="Code of the plan that it pays by.")],
    as_json: Json = False,
) -> None:
    """Register a fund."""

    async def use(resources: Resources) -> Fund:
        return await registering.add_fund(resources, code=code, name=name, gateway_profile=profile, plan_code=plan)

    added = with_resources(use)
    tell(as_json, {"fund_id": str(added.fund_id), "code": code}, f"Registered fund {code} ({added.fund_id}).")


@fund.command("list")
def show_funds(as_json: Json = False) -> None:
    """Show every fund."""

    async def listed() -> list[Fund]:
        async with open_ops(opened) as ops, ops.connect() as connection:
            return await list_funds(connection)

    with told_plainly():
        opened = installation(settlement_log_level="warning")
        funds = asyncio.run(listed())
    rows = [{"code": f.code, "name": f.name, "profile": f.gateway_profile, "plan": f.plan_code} for f in funds]
    tell_rows(as_json, "funds", rows)


@unit.command("add")
def add_unit(
    fund_code: FundCode,
    code: Annotated[str, typer.Option(help="Code of the unit.")],
    name: Annotated[str, typer.Option(help="Name of the unit.")],
    as_json: Json = False,
) -> None:
    """Register a unit."""

    async def use(resources: Resources, of: Fund) -> None:
        await registering.add_unit(resources, of.fund_id, code=code, name=name)

    with_fund(fund_code, use)
    tell(as_json, {"code": code}, f"Registered unit {code}.")


@unit.command("list")
def show_units(fund_code: FundCode, as_json: Json = False) -> None:
    """Show a fund's units."""

    async def use(resources: Resources, of: Fund) -> list[dict[str, Any]]:
        async with fund_transaction(resources.engine, of.fund_id) as connection:
            return [{"code": u.code, "name": u.name} for u in await list_units(connection, of.fund_id)]

    tell_rows(as_json, "units", with_fund(fund_code, use))


@hospital.command("add")
def add_hospital(
    fund_code: FundCode,
    name: Annotated[str, typer.Option(help="Name of the hospital.")],
    code: Annotated[list[str], typer.Option(help="Institution code (fixmedins_code); give several for campuses.")],
    level: Annotated[int, typer.Option(min=1, max=3, help="Level 1 to 3.")],
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First day of that level.")],
    as_json: Json = False,
) -> None:
    """Register a hospital with its codes and its level from a date on."""

    async def use(resources: Resources, of: Fund) -> None:
        await registering.add_hospital(
            resources, of.fund_id, name=name, codes=tuple(code), level=level, since=since.date()
        )

    with_fund(fund_code, use)
    person = f"Registered {name} ({', '.join(code)}), level {level} from {since:%Y-%m-%d}."
    tell(as_json, {"name": name, "codes": code}, person)


@hospital.command("list")
def show_hospitals(fund_code: FundCode, as_json: Json = False) -> None:
    """Show a fund's hospitals."""

    async def use(resources: Resources, of: Fund) -> list[dict[str, Any]]:
        async with fund_transaction(resources.engine, of.fund_id) as connection:
            return [
                {"name": h.name, "codes": list(h.codes), "levels": [f"{level} from {day}" for day, level in h.levels]}
                for h in await list_hospitals(connection, of.fund_id)
            ]

    tell_rows(as_json, "hospitals", with_fund(fund_code, use))


@member.command("add")
def add_member(
    fund_code: FundCode,
    unit_code: Annotated[str, typer.Option("--unit", help="Code of the unit.")],
    name: Annotated[str, typer.Option(help="Name of the member.")],
    certificate: Annotated[str, typer.Option(help="Number of the identity card (or other certificate).")],
    first_day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First day of the cover.")],
    last_day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day of the cover.")],
    certificate_type: Annotated[str, typer.Option(help="Type of the certificate, national list.")] = "01",
    category: Annotated[PersonCategory, typer.Option(help="Category on the roster.")] = PersonCategory.ACTIVE,
    as_json: Json = False,
) -> None:
    """Enrol one member for a term. (A roster of many comes with `roster import`.)"""
    line = NewMember(
        name, Certificate(certificate_type, certificate), unit_code, category, first_day.date(), last_day.date()
    )

    async def use(resources: Resources, of: Fund) -> str:
        return str((await add_members(resources, of.fund_id, [line]))[0])

    member_id = with_fund(fund_code, use)
    tell(as_json, {"member_id": member_id}, f"Enrolled (member {member_id}).")


@member.command("list")
def show_members(
    fund_code: FundCode,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many covers to show.")] = 50,
    as_json: Json = False,
) -> None:
    """Show covers by member id. Names and certificates stay sealed."""

    async def use(resources: Resources, of: Fund) -> list[dict[str, Any]]:
        async with fund_transaction(resources.engine, of.fund_id) as connection:
            covers = await list_memberships(connection, of.fund_id, limit)
        return [
            {
                "member_id": str(cover.member_id),
                "unit": cover.unit_code,
                "category": cover.person_category,
                "first_day": cover.first_day.isoformat(),
                "last_day": cover.last_day.isoformat(),
            }
            for cover in covers
        ]

    tell_rows(as_json, "members", with_fund(fund_code, use))
