"""The receipt of an adjudication: what went in, under which plan and engine, and what came out, under one hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from settlement import ENGINE_VERSION
from settlement.domain.benefits import Benefit, PlanFacts, UsedRoom
from settlement.domain.bills import BillFigures
from settlement.plans.canonical import canonical_json, sha256_hex
from settlement.plans.compile import CompiledPlan
from settlement.plans.stored import (
    benefit_to_json,
    facts_from_json,
    facts_to_json,
    figures_from_json,
    figures_to_json,
    used_to_json,
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an adjudication is made of besides the plan and the used room."""

    figures: BillFigures
    facts: PlanFacts

    def to_json(self) -> dict[str, Any]:
        """Return the inputs as plain data."""
        return {"figures": figures_to_json(self.figures), "facts": facts_to_json(self.facts)}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Inputs:
        """Read inputs back."""
        return cls(figures_from_json(given["figures"]), facts_from_json(given["facts"]))


@dataclass(frozen=True, slots=True)
class Receipt:
    """An adjudication that anyone can run again from its parts; equal receipts have equal hashes."""

    plan_digest: str
    engine_version: str
    inputs: Inputs
    used: Mapping[str, UsedRoom]
    benefits: tuple[Benefit, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the receipt as plain data, without its hash."""
        return {
            "plan_digest": self.plan_digest,
            "engine_version": self.engine_version,
            "inputs": self.inputs.to_json(),
            "used_before": used_to_json(self.used),
            "result": [benefit_to_json(benefit) for benefit in self.benefits],
        }

    @property
    def hash(self) -> str:
        """The SHA-256 of the receipt's canonical JSON, in hexadecimal."""
        return sha256_hex(canonical_json(self.to_json()))


def make_receipt(
    compiled: CompiledPlan, inputs: Inputs, used: Mapping[str, UsedRoom], benefits: tuple[Benefit, ...]
) -> Receipt:
    """Make the receipt of benefits that this plan has just adjudicated by this engine, with the room it met."""
    met = {benefit.code: benefit.used_before for benefit in benefits}
    return Receipt(compiled.digest, ENGINE_VERSION, inputs, {**met, **used}, benefits)


def replay(compiled: CompiledPlan, inputs: Inputs, used: Mapping[str, UsedRoom]) -> tuple[Benefit, ...]:
    """Adjudicate stored inputs again; under the same plan and engine it gives the same fen, and the same receipt."""
    return compiled.adjudicate(inputs.figures, inputs.facts, used)
