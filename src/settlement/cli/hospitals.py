"""`settlement hospital add|list`: codes and dated levels."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from settlement.cli.shell import FundCode, with_fund
from settlement.cli.telling import Json, tell, tell_rows
from settlement.db.engine import fund_transaction
from settlement.db.registry import Fund, list_hospitals
from settlement.services.funds import add_fund as registering
from settlement.services.resources import Resources

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Hospitals: codes and dated levels.")


@app.command("add")
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


@app.command("list")
def show_hospitals(fund_code: FundCode, as_json: Json = False) -> None:
    """Show a fund's hospitals."""

    async def use(resources: Resources, of: Fund) -> list[dict[str, Any]]:
        async with fund_transaction(resources.engine, of.fund_id) as connection:
            return [
                {"name": h.name, "codes": list(h.codes), "levels": [f"{level} from {day}" for day, level in h.levels]}
                for h in await list_hospitals(connection, of.fund_id)
            ]

    tell_rows(as_json, "hospitals", with_fund(fund_code, use))
