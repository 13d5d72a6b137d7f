"""A receipt kept outside the database, with its plan version: anyone can compute it again, years later.

The file is JSON: `receipt`, `receipt_hash`, and `plan`, the version's canonical text. Nothing in it names a person.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from settlement import ENGINE_VERSION
from settlement.domain.errors import InvariantViolation, SettlementError
from settlement.domain.money import Money, total
from settlement.plans.canonical import canonical_json, sha256_hex
from settlement.plans.compile import compile_version
from settlement.plans.findings import PlanRefused
from settlement.plans.model import PlanVersion
from settlement.plans.receipt import Inputs, replay
from settlement.plans.stored import benefit_to_json, used_from_json


class ReceiptUnusable(SettlementError):
    """A kept receipt cannot be read, so that nothing can be computed from it; the message says why."""

    code = "receipt_unusable"


@dataclass(frozen=True, slots=True)
class Replayed:
    """A receipt computed again: the aid then and now in fen, and every difference in words."""

    aid_then: Money
    aid_now: Money
    changes: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether the fen, every step and the receipt's own hash are what they were."""
        return not self.changes


def keep_receipt(receipt: Mapping[str, Any], receipt_hash: str, plan: str) -> str:
    """Write a receipt and its plan version as one JSON text."""
    kept = {"receipt": receipt, "receipt_hash": receipt_hash, "plan": plan}
    return json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def replay_kept(text: str) -> Replayed:
    """Compute a kept receipt again with this engine. Raises `ReceiptUnusable`."""
    try:
        kept = json.loads(text)
        receipt, plan_text = kept["receipt"], kept["plan"]
        inputs, used = Inputs.from_json(receipt["inputs"]), used_from_json(receipt["used_before"])
        compiled = compile_version(PlanVersion.from_canonical(plan_text))
        benefits = [benefit_to_json(benefit) for benefit in replay(compiled, inputs, used)]
    except PlanRefused as refused:
        raise ReceiptUnusable(f"the plan in the file is not one that this release computes: {refused}") from None
    except InvariantViolation as asked:
        raise ReceiptUnusable(f"the receipt lacks what the plan asks for: {asked}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise ReceiptUnusable(f"this is not a kept receipt: {wrong!r}") from None
    then, now = receipt["result"], benefits
    changes = (*_changes_around(kept), *_changes_of_benefits(then, now))
    return Replayed(_aid(then), _aid(now), changes)


def _changes_around(kept: Mapping[str, Any]) -> Iterator[str]:
    receipt = kept["receipt"]
    if sha256_hex(canonical_json(receipt)) != kept["receipt_hash"]:
        yield "the receipt is not the one that was recorded: its hash is another"
    if sha256_hex(kept["plan"]) != receipt["plan_digest"]:
        yield "the plan in the file is not the version that the receipt names: its digest is another"
    if receipt["engine_version"] != ENGINE_VERSION:
        yield f"computed by engine {receipt['engine_version']} then, by {ENGINE_VERSION} now"


def _changes_of_benefits(then: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    before, after = ({(each["code"], each["term"]["code"]): each for each in some} for some in (then, now))
    for code, term in dict.fromkeys((*before, *after)):
        old, new = before.get((code, term)), after.get((code, term))
        if old is None or new is None:
            yield f"{code} of term {term} is {'new' if old is None else 'gone'}"
            continue
        if old["amount"] != new["amount"]:
            yield f"{code} of term {term} paid {old['amount']} then and would be paid {new['amount']} now"
        yield from _changes_of_steps(f"{code} of term {term}", old["steps"], new["steps"])


def _changes_of_steps(what: str, then: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for step in then:
        if step not in now:
            yield f"{what} had a step {step['kind']} {step['delta']} ({step['label']}; {step['clause']})"
    for step in now:
        if step not in then:
            yield f"{what} now has a step {step['kind']} {step['delta']} ({step['label']}; {step['clause']})"


def _aid(benefits: Sequence[Mapping[str, Any]]) -> Money:
    return total(Money.from_yuan(benefit["amount"]) for benefit in benefits)
