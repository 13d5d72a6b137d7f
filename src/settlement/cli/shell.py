"""What commands that open the installation share: settings, logging, running a use case, refusing plainly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy.exc import OperationalError

from settlement.app import Installation, open_installation, open_ops, open_resources, set_up_logging
from settlement.cli.telling import fail
from settlement.config import SettingsUnusable, read_settings
from settlement.db.migrations import SchemaUnusable
from settlement.db.registry import Fund, list_funds
from settlement.db.secrets import KeysUnusable
from settlement.domain.errors import SettlementError
from settlement.domain.sentences import SENTENCES, Language, sentence
from settlement.gateway.profile import ProfileError
from settlement.plans.findings import PlanRefused
from settlement.services.resources import Resources

FundCode = Annotated[str, typer.Option("--fund", help="Code of the fund.")]

T = TypeVar("T")


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn what cannot be done into a sentence on standard error and exit code 3."""
    try:
        yield
    except SettlementError as refused:
        fail(refusal(refused))
    except (SettingsUnusable, KeysUnusable, SchemaUnusable, ProfileError) as refused:
        fail(str(refused))
    except OperationalError:
        fail("The database does not answer. Check DATABASE_URL and that the server runs.")


def refusal(refused: SettlementError) -> str:
    """Return the sentence of a refusal, or its class's own where the counter never reads it."""
    if isinstance(refused, PlanRefused):
        return str(refused)
    if refused.code in SENTENCES:
        return sentence(refused.code, Language.ENGLISH, **refused.figures)
    if "why" in refused.figures:
        return f"{refused.figures['why']}."
    figures = ", ".join(f"{name}: {value}" for name, value in refused.figures.items())
    said = str(refused) if str(refused) != refused.code else " ".join((type(refused).__doc__ or "").split())
    return f"{said} ({figures})" if figures else said


def installation(**overrides: Any) -> Installation:
    """Read the settings and open what they name; wrong ones end the command with a sentence."""
    settings = read_settings(**overrides)
    set_up_logging(settings)
    return open_installation(settings)


def with_resources(use: Callable[[Resources], Awaitable[T]]) -> T:
    """Run something with open resources, as the login `settlement_app`."""

    async def opened() -> T:
        async with open_resources(opened_installation) as resources:
            return await use(resources)

    with told_plainly():
        opened_installation = installation(settlement_log_level="warning")
        return asyncio.run(opened())


def with_fund(code: str, use: Callable[[Resources, Fund], Awaitable[T]]) -> T:
    """Run something for the fund with a code, which is looked up as the login `settlement_ops`."""

    async def opened() -> T:
        async with open_ops(opened_installation) as ops, ops.connect() as connection:
            found = {fund.code: fund for fund in await list_funds(connection)}
        if code not in found:
            fail(f"There is no fund {code!r}; `settlement fund list` shows the funds.")
        async with open_resources(opened_installation) as resources:
            return await use(resources, found[code])

    with told_plainly():
        opened_installation = installation(settlement_log_level="warning")
        return asyncio.run(opened())
