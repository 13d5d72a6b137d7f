"""`settlement staff add|list|disable|password`: the people of a fund's office who sign in by name."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from settlement.cli.asking import ask_new_password
from settlement.cli.shell import FundCode, with_fund
from settlement.cli.telling import Json, tell, tell_rows
from settlement.db.engine import fund_transaction
from settlement.db.registry import Fund
from settlement.db.staff import Staff, list_staff
from settlement.services.access import add_staff as keeping
from settlement.services.access.passwords import generated_password
from settlement.services.resources import Resources

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The people who sign in by name.")

Login = Annotated[str, typer.Argument(metavar="NAME", help="Short name in small letters, for example zhang.")]


@app.command("add")
def add(
    login: Login,
    fund_code: FundCode,
    role: Annotated[list[str], typer.Option(help="clerk, approver, auditor or operator; may be given again.")],
    as_json: Json = False,
) -> None:
    """Add an account. Asks for its password twice; on a pipe takes a line, or makes one and shows it once."""
    given = ask_new_password(login)
    password = given or generated_password()

    async def use(resources: Resources, of: Fund) -> tuple[Fund, Staff]:
        account = await keeping.add_staff(resources, of.fund_id, login=login, roles=tuple(role), password=password)
        return of, account

    fund, account = with_fund(fund_code, use)
    username = f"{fund.fund_id}.{account.login}"
    machine: dict[str, Any] = {"username": username, "roles": list(account.roles)}
    person = f"username: {username}\nroles:    {', '.join(account.roles)}"
    if given is None:
        machine["password"] = password
        person += f"\npassword: {password}\nThe password is not shown again."
    tell(as_json, machine, person)


@app.command("list")
def show(fund_code: FundCode, as_json: Json = False) -> None:
    """Show a fund's accounts."""

    async def use(resources: Resources, of: Fund) -> list[dict[str, Any]]:
        async with fund_transaction(resources.engine, of.fund_id) as connection:
            return [
                {
                    "name": account.login,
                    "roles": list(account.roles),
                    "since": str(account.created_at),
                    "disabled": str(account.disabled_at or ""),
                }
                for account in await list_staff(connection, of.fund_id)
            ]

    tell_rows(as_json, "staff", with_fund(fund_code, use))


@app.command("disable")
def disable(login: Login, fund_code: FundCode, as_json: Json = False) -> None:
    """Disable an account: it signs in no more, and a token it still has changes nothing. Its name is not used again."""

    async def use(resources: Resources, of: Fund) -> None:
        await keeping.disable_staff(resources, of.fund_id, login)

    with_fund(fund_code, use)
    tell(as_json, {"disabled": login}, f"Disabled {login}.")


@app.command("password")
def password(login: Login, fund_code: FundCode, as_json: Json = False) -> None:
    """Give an account another password: asked for twice; on a pipe a line, or one is made and shown once."""
    given = ask_new_password(login)
    new = given or generated_password()

    async def use(resources: Resources, of: Fund) -> None:
        await keeping.change_password(resources, of.fund_id, login, new)

    with_fund(fund_code, use)
    machine: dict[str, Any] = {"changed": login} | ({} if given else {"password": new})
    shown = "" if given else f"\npassword: {new}\nThe password is not shown again."
    tell(as_json, machine, f"Changed the password of {login}.{shown}")
