"""`settlement fund add|list`: one fund per city."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from settlement.app import open_ops
from settlement.cli.shell import installation, told_plainly, with_fund, with_resources
from settlement.cli.telling import Json, tell, tell_rows
from settlement.db.registry import Fund, list_funds
from settlement.services.funds import add_fund as registering
from settlement.services.funds.set_guarantee import set_guarantee
from settlement.services.resources import Resources

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Funds: one per city.")


@app.command("add")
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


@app.command("guarantee")
def guarantee(
    code: Annotated[str, typer.Argument(help="Code of the fund.")],
    days: Annotated[int, typer.Option(min=0, max=366, help="Days for which a stay's aid is guaranteed; 0: no more.")],
    as_json: Json = False,
) -> None:
    """Say for how many days the fund guarantees a stay's aid to a hospital, in place of a deposit."""

    async def use(resources: Resources, fund: Fund) -> None:
        await set_guarantee(resources, fund.fund_id, days or None)

    with_fund(code, use)
    tell(as_json, {"code": code, "stay_hold_days": days or None}, f"Fund {code} guarantees stays for {days} days.")


@app.command("list")
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
