"""`settlement member add|list`: members and the terms they are covered in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from settlement.cli.shell import FundCode, with_fund
from settlement.cli.telling import Json, fail, tell, tell_rows
from settlement.db.engine import fund_transaction
from settlement.db.people import list_memberships
from settlement.db.registry import Fund
from settlement.domain.bills import Certificate
from settlement.domain.scope import PersonCategory
from settlement.services.members.add_member import NewMember, add_members
from settlement.services.resources import Resources

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Members and the terms they are covered in.")


@app.command("add")
def add_member(
    fund_code: FundCode,
    unit_code: Annotated[str, typer.Option("--unit", help="Code of the unit.")],
    name: Annotated[str, typer.Option(help="Name of the member.")],
    certificate: Annotated[str, typer.Option(help="Number of the identity card (or other certificate).")],
    first_day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First day of the cover.")],
    last_day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day of the cover.")],
    certificate_type: Annotated[str, typer.Option(help="Type of the certificate, national list.")] = "01",
    category: Annotated[PersonCategory, typer.Option(help="Category on the roster.")] = PersonCategory.ACTIVE,
    shares: Annotated[
        list[str] | None, typer.Option("--module", help="Shares of a module, as critical=2; may be repeated.")
    ] = None,
    union_member: Annotated[bool | None, typer.Option(help="Whether a member of the union.")] = None,
    as_json: Json = False,
) -> None:
    """Enrol one member for a term. (A roster of many comes with `roster import`.)"""
    line = NewMember(
        name,
        Certificate(certificate_type, certificate),
        unit_code,
        category,
        first_day.date(),
        last_day.date(),
        _shares(shares),
        union_member,
    )

    async def use(resources: Resources, of: Fund) -> str:
        return str((await add_members(resources, of.fund_id, [line]))[0])

    member_id = with_fund(fund_code, use)
    tell(as_json, {"member_id": member_id}, f"Enrolled (member {member_id}).")


@app.command("list")
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


def _shares(given: list[str] | None) -> dict[str, int] | None:
    if not given:
        return None
    held = {}
    for one in given:
        module, _, count = one.partition("=")
        if not module or not count.isdigit():
            fail(f"--module {one}: write the module's code and its shares, as critical=2.")
        held[module] = int(count)
    return held
