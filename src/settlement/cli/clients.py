"""`settlement client add|list|revoke`: the systems that may call."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from settlement.cli.shell import FundCode, with_fund
from settlement.cli.telling import Json, fail, tell, tell_rows
from settlement.db.access import list_clients, revoke_client
from settlement.db.engine import fund_transaction
from settlement.db.registry import Fund
from settlement.domain.ids import ClientId
from settlement.services.access.add_client import NewClient
from settlement.services.access.add_client import add_client as register
from settlement.services.resources import Resources

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The systems that may call.")


@app.command("add")
def add(
    fund_code: FundCode,
    name: Annotated[str, typer.Argument(help="Short name in small letters, for example people-hospital-his.")],
    role: Annotated[str, typer.Option(help="hospital, platform or staff.")],
    hospital_code: Annotated[list[str], typer.Option(help="Institution code a hospital's client speaks for.")] = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Register a client; its secret is shown once and kept nowhere."""

    async def use(resources: Resources, of: Fund) -> NewClient:
        return await register(resources, of.fund_id, name=name, role=role, hospital_codes=tuple(hospital_code))

    new = with_fund(fund_code, use)
    machine = {"client_id": new.client.client_id, "client_secret": new.secret, "scopes": list(new.client.scopes)}
    person = f"client_id:     {new.client.client_id}\nclient_secret: {new.secret}\nThe secret is not shown again."
    tell(as_json, machine, person)


@app.command("list")
def show(fund_code: FundCode, as_json: Json = False) -> None:
    """Show a fund's clients."""

    async def use(resources: Resources, of: Fund) -> list[dict[str, Any]]:
        async with fund_transaction(resources.engine, of.fund_id) as connection:
            return [
                {
                    "name": client.name,
                    "client_id": client.client_id,
                    "scopes": list(client.scopes),
                    "hospitals": list(client.hospital_codes),
                    "revoked": str(client.revoked_at or ""),
                }
                for client in await list_clients(connection, of.fund_id)
            ]

    tell_rows(as_json, "clients", with_fund(fund_code, use))


@app.command("revoke")
def revoke(
    fund_code: FundCode, name: Annotated[str, typer.Argument(help="Name of the client.")], as_json: Json = False
) -> None:
    """Take a client's right to get tokens. The last one it got runs out within SETTLEMENT_TOKEN_SECONDS."""

    async def use(resources: Resources, of: Fund) -> bool:
        async with fund_transaction(resources.engine, of.fund_id) as connection:
            return await revoke_client(connection, of.fund_id, ClientId(f"{of.fund_id}.{name}"), resources.clock())

    if not with_fund(fund_code, use):
        fail(f"There is no client {name!r} with a right to take; `settlement client list` shows the clients.")
    tell(as_json, {"revoked": name}, f"Revoked {name}.")
