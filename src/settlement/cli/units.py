"""`settlement unit add|list`: the employers' unions that enrol members."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from settlement.cli.shell import FundCode, with_fund
from settlement.cli.telling import Json, tell, tell_rows
from settlement.db.engine import fund_transaction
from settlement.db.registry import Fund, list_units
from settlement.services.funds import add_fund as registering
from settlement.services.resources import Resources

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Units: the employers' unions that enrol members.")


@app.command("add")
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


@app.command("list")
def show_units(fund_code: FundCode, as_json: Json = False) -> None:
    """Show a fund's units."""

    async def use(resources: Resources, of: Fund) -> list[dict[str, Any]]:
        async with fund_transaction(resources.engine, of.fund_id) as connection:
            return [{"code": u.code, "name": u.name} for u in await list_units(connection, of.fund_id)]

    tell_rows(as_json, "units", with_fund(fund_code, use))
