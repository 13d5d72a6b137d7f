"""`settlement books close`: close a fund's books day by hand."""

from __future__ import annotations

import typer

from settlement.cli.shell import FundCode, with_fund
from settlement.cli.telling import Json, tell
from settlement.db.registry import Fund
from settlement.services.books.close_books_day import close_books_day
from settlement.services.resources import Resources

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Books days: closing them.")


@app.callback()
def books() -> None:
    """Books days: the worker closes them at SETTLEMENT_BOOKS_CLOSE_AT, and seals them."""


@app.command("close")
def close(fund_code: FundCode, as_json: Json = False) -> None:
    """Close the open books day and open the next, once a date in China; the worker seals the closed one."""

    async def use(resources: Resources, of: Fund) -> int:
        return await close_books_day(resources, of.fund_id)

    closed = with_fund(fund_code, use)
    tell(as_json, {"fund": fund_code, "closed": closed, "open": closed + 1}, f"Closed books day {closed}.")
