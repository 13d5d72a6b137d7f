"""`settlement unit add|list`: the employers' unions that enrol members."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from settlement.cli.shell import FundCode, with_fund
from settlement.cli.telling import Json, tell, tell_rows
from settlement.db.engine import fund_transaction
from settlement.db.registry import Fund, list_units
from settlement.services.funds import add_fund as registering
from settlement.services.members.announce_renewal import announce_renewal
from settlement.services.resources import Resources

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Units: the employers' unions that enrol members.")


@app.command("add")
def add_unit(
    fund_code: FundCode,
    code: Annotated[str, typer.Option(help="Code of the unit.")],
    name: Annotated[str, typer.Option(help="Name of the unit.")],
    unit_class: Annotated[str | None, typer.Option("--class", help="Kind of employer, in the plan's word.")] = None,
    region: Annotated[str | None, typer.Option(help="Region, in the plan's word.")] = None,
    as_json: Json = False,
) -> None:
    """Register a unit."""

    async def use(resources: Resources, of: Fund) -> None:
        await registering.add_unit(resources, of.fund_id, code=code, name=name, unit_class=unit_class, region=region)

    with_fund(fund_code, use)
    tell(as_json, {"code": code}, f"Registered unit {code}.")


@app.command("announce")
def announce(
    fund_code: FundCode,
    code: Annotated[str, typer.Option(help="Code of the unit.")],
    first_day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First day of the term it goes on with.")],
    as_json: Json = False,
) -> None:
    """Record that a unit renews: until its roster comes, its members' cover is provisional, as the plan says."""

    async def use(resources: Resources, of: Fund) -> None:
        await announce_renewal(resources, of.fund_id, code, first_day.date())

    with_fund(fund_code, use)
    tell(as_json, {"code": code, "first_day": first_day.date().isoformat()}, f"Unit {code} goes on.")


@app.command("list")
def show_units(fund_code: FundCode, as_json: Json = False) -> None:
    """Show a fund's units."""

    async def use(resources: Resources, of: Fund) -> list[dict[str, Any]]:
        async with fund_transaction(resources.engine, of.fund_id) as connection:
            return [
                {"code": u.code, "name": u.name, "class": u.unit_class, "region": u.region}
                for u in await list_units(connection, of.fund_id)
            ]

    tell_rows(as_json, "units", with_fund(fund_code, use))
