"""Figures, facts, used room and benefits as plain JSON data, amounts as yuan strings; inputs are read back exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import Any

from settlement.domain.benefits import Benefit, PlanFacts, UsedRoom
from settlement.domain.bills import BillFigures, InsurerFunds
from settlement.domain.money import Money

_FIGURES = tuple(field.name for field in fields(BillFigures) if field.name != "funds")
_FUNDS = tuple(field.name for field in fields(InsurerFunds))
_FACTS = tuple(field.name for field in fields(PlanFacts))
_DATES = frozenset({"settled_on", "admitted_on", "discharged_on"})


def figures_to_json(figures: BillFigures) -> dict[str, Any]:
    """Write a bill's amounts, each fund by its name."""
    amounts: dict[str, Any] = {name: getattr(figures, name).yuan() for name in _FIGURES}
    amounts["funds"] = {name: getattr(figures.funds, name).yuan() for name in _FUNDS}
    return amounts


def figures_from_json(given: Mapping[str, Any]) -> BillFigures:
    """Read a bill's amounts back; every amount must be there."""
    funds = InsurerFunds(**{name: Money.from_yuan(given["funds"][name]) for name in _FUNDS})
    return BillFigures(funds=funds, **{name: Money.from_yuan(given[name]) for name in _FIGURES})


def facts_to_json(facts: PlanFacts) -> dict[str, Any]:
    """Write the facts of a bill, dates as `2026-03-10`, what is not known as `null`."""
    values = ((name, getattr(facts, name)) for name in _FACTS)
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values}


def facts_from_json(given: Mapping[str, Any]) -> PlanFacts:
    """Read the facts of a bill back."""
    known = {name: given[name] for name in _FACTS}
    dates = {name: date.fromisoformat(known[name]) for name in _DATES if known[name] is not None}
    return PlanFacts(**{**known, **dates})


def room_to_json(room: UsedRoom) -> dict[str, Any]:
    """Write the used room of one benefit."""
    return {
        "base": room.base.yuan(),
        "burden": room.burden.yuan(),
        "paid": room.paid.yuan(),
        "days": room.days,
        "times": room.times,
    }


def room_from_json(given: Mapping[str, Any]) -> UsedRoom:
    """Read the used room of one benefit back."""
    base, burden, paid = (Money.from_yuan(given[name]) for name in ("base", "burden", "paid"))
    return UsedRoom(base, burden, paid, given["days"], given["times"])


def used_to_json(used: Mapping[str, UsedRoom]) -> dict[str, Any]:
    """Write used room by benefit code."""
    return {code: room_to_json(room) for code, room in used.items()}


def used_from_json(given: Mapping[str, Any]) -> dict[str, UsedRoom]:
    """Read used room by benefit code back."""
    return {code: room_from_json(room) for code, room in given.items()}


def benefit_to_json(benefit: Benefit) -> dict[str, Any]:
    """Write what a benefit pays and why; the used room stands beside it, not in it."""
    return {
        "code": benefit.code,
        "name": benefit.name,
        "term": {
            "code": benefit.term.code,
            "first_day": benefit.term.first_day.isoformat(),
            "last_day": benefit.term.last_day.isoformat(),
        },
        "base": benefit.base.yuan(),
        "steps": [
            {"kind": step.kind.value, "delta": step.delta.yuan(), "clause": step.clause, "label": step.label}
            for step in benefit.steps
        ],
        "amount": benefit.amount.yuan(),
    }
