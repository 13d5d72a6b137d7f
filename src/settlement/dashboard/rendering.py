"""Turning values into pages: one environment of templates that escape everything, and the few filters they need."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from settlement.dashboard import words
from settlement.domain.money import Money
from settlement.domain.time import CHINA


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("settlement.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"yuan": yuan, "instant": instant, "age": age, "account": words.account_in_words}
    environment.globals |= {
        "states": words.STATES,
        "doors": words.DOORS,
        "roles": words.ROLES,
        "sources": words.SOURCES,
        "breaks": words.BREAKS,
        "resolutions": words.RESOLUTIONS,
        "records": words.RECORDS,
        "laws": words.LAWS,
        "why_not": words.WHY_NOT,
    }
    return environment


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page. Links in templates begin with `root`, where the roof has put the dashboard."""
    root = request.scope["root_path"]
    return HTMLResponse(_templates().get_template(template).render(root=root, **values), status)


def yuan(amount: Money | str | None) -> str:
    """Return an amount of fen, or of yuan as text, with its thousands set apart; a dash for none."""
    if amount is None:
        return "—"
    whole, _, fraction = (amount.yuan() if isinstance(amount, Money) else amount).partition(".")
    return f"{int(whole):,}.{fraction}" if whole != "-0" else f"-0.{fraction}"


def instant(at: datetime) -> str:
    """Return an instant as clocks in China show it, to the minute."""
    return f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}"


def who(actor: str) -> str:
    """Return an actor without its fund, a person by the login alone."""
    return actor.split(".", 1)[-1].removeprefix("staff:")


def age(lasting: timedelta) -> str:
    """Say how long something has lasted, as exactly as a person asks."""
    minutes = max(0, int(lasting.total_seconds()) // 60)
    if minutes < 60:
        return f"{minutes} 分钟"
    if minutes < 24 * 60:
        return f"{minutes // 60} 小时"
    return f"{minutes // (24 * 60)} 天"


def day_of(text: str) -> date | None:
    """Return the date that a form gives as text, if it is one."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
