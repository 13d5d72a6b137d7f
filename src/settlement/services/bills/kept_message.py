"""What a bill was brought with, as its sealed message keeps it, and how it joins what is brought now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from settlement.domain.money import Money
from settlement.domain.settlements import OtherPayer
from settlement.services.bills.commands import Brought


def content_of(brought: Brought) -> dict[str, Any]:
    """Return what the message keeps; nothing else of the bringing is needed to decide the bill anew."""
    return {
        "output": brought.output,
        "facts": brought.facts,
        "other_payers": [{"name": other.name, "amount": other.amount.yuan()} for other in brought.others],
        "answers": brought.answers,
        **({"resettles": brought.resettles} if brought.resettles else {}),
    }


def merged(brought: Brought, earlier: Mapping[str, Any] | None) -> Brought:
    """Return what was brought now, with the facts, answers and payers known from before where it says nothing.

    Payers that are stated as none take back those from before.
    """
    if earlier is None:
        return brought
    told = {name: value for name, value in brought.facts.items() if value is not None}
    if amounts := {**(earlier["facts"].get("stated") or {}), **(told.get("stated") or {})}:
        told["stated"] = amounts
    payers = brought.other_payers
    return replace(
        brought,
        facts={**earlier["facts"], **told},
        other_payers=_payers(earlier) if payers is None else payers,
        answers={**earlier["answers"], **brought.answers},
        resettles=brought.resettles or earlier.get("resettles"),
    )


def _payers(content: Mapping[str, Any]) -> tuple[OtherPayer, ...]:
    return tuple(OtherPayer(other["name"], Money.from_yuan(other["amount"])) for other in content["other_payers"])
