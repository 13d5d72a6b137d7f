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
_OF_PARTS = frozenset({"night_before", "night_after"})
"""Facts of one part of a split stay; what is stored is the whole bill, and its parts are made again."""
_COVERS = "covers"
"""Stored only where it is known, so that the receipts of plans that split no stays are what they were."""
_FACTS = tuple(field.name for field in fields(PlanFacts) if field.name not in {*_OF_PARTS, _COVERS})
_DATES = (
    "settled_on",
    "admitted_on",
    "discharged_on",
    "event_on",
    "cover_first_day",
    "cover_last_day",
    "covered_since",
    "counted_from",
    "plan_since",
)


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
    values = {name: getattr(facts, name) for name in _FACTS}
    written = {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
    written["other_paid"] = facts.other_paid.yuan()
    written["stated"] = {code: amount.yuan() for code, amount in facts.stated.items()}
    written["shares"] = None if facts.shares is None else dict(facts.shares)
    if facts.covers is not None:
        written[_COVERS] = [[first.isoformat(), last.isoformat()] for first, last in facts.covers]
    return written


def facts_from_json(given: Mapping[str, Any]) -> PlanFacts:
    """Read the facts of a bill back; a fact that the receipt does not know yet is as if it had not been asked for."""
    known = {name: given[name] for name in _FACTS if name in given}
    known |= {name: date.fromisoformat(known[name]) for name in _DATES if known.get(name) is not None}
    if "other_paid" in known:
        known["other_paid"] = Money.from_yuan(known["other_paid"])
    if "stated" in known:
        known["stated"] = {code: Money.from_yuan(amount) for code, amount in known["stated"].items()}
    if given.get(_COVERS) is not None:
        known[_COVERS] = tuple((date.fromisoformat(first), date.fromisoformat(last)) for first, last in given[_COVERS])
    return PlanFacts(**known)


def room_to_json(room: UsedRoom) -> dict[str, Any]:
    """Write the used room of one benefit."""
    return {
        "base": room.base.yuan(),
        "burden": room.burden.yuan(),
        "paid": room.paid.yuan(),
        "days": room.days,
        "times": room.times,
        "deductible": room.deductible.yuan(),
    }


def room_from_json(given: Mapping[str, Any]) -> UsedRoom:
    """Read the used room of one benefit back; the first engine's receipts hold no deductible."""
    base, burden, paid = (Money.from_yuan(given[name]) for name in ("base", "burden", "paid"))
    return UsedRoom(base, burden, paid, given["days"], given["times"], Money.from_yuan(given.get("deductible", "0.00")))


def used_to_json(used: Mapping[str, UsedRoom]) -> dict[str, Any]:
    """Write used room by benefit code and span."""
    return {code: room_to_json(room) for code, room in used.items()}


def used_from_json(given: Mapping[str, Any]) -> dict[str, UsedRoom]:
    """Read used room by benefit code and span back."""
    return {code: room_from_json(room) for code, room in given.items()}


def benefit_to_json(benefit: Benefit) -> dict[str, Any]:
    """Write what a benefit pays and why; the used room stands beside it, not in it."""
    funding = {purse: amount.yuan() for purse, amount in benefit.funding}
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
        **({"funding": funding} if funding else {}),
    }
