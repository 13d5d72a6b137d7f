"""Examine every settlement by computing it again: postings, receipt, the plan's amounts, and the room it took."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement import ENGINE_VERSION
from settlement.db.audit import Room, StoredSettlement, stream_settlements
from settlement.domain.audit import Finding, Invariant, Tally, findings_of
from settlement.domain.benefits import STAY, Benefit, Consumption, UsedRoom
from settlement.domain.errors import InvariantViolation
from settlement.domain.money import Money, total
from settlement.domain.postings import postings_of, purses_of
from settlement.plans.canonical import canonical_json, sha256_hex
from settlement.plans.compile import CompiledPlan
from settlement.plans.history import rooms_taken, stay_room, stay_term
from settlement.plans.receipt import Inputs, replay
from settlement.plans.stored import benefit_to_json, figures_from_json, used_from_json
from settlement.services.audit.examine_plans import Plans

POSTINGS = Invariant(
    "postings_match_settlement", "A settlement's postings are exactly what its figures and its aid say, and balance."
)
RECEIPT_HASH = Invariant("receipt_hash", "The hash of a stored receipt is the one recorded beside it.")
RECEIPT_SAYS = Invariant(
    "receipt_says_what_is_recorded",
    "A receipt holds the figures, plan, engine, service date and aid of the settlement that it explains.",
)
REPLAYS = Invariant(
    "settlement_replays",
    "Computed again under its plan version by the same engine, a settlement gives the same fen and the same receipt.",
)
TAKEN = Invariant(
    "room_taken_as_computed",
    "The room that a settlement took of each benefit is what its plan version computes from its receipt.",
)
OTHER_ENGINE = "recorded by another version of the engine, whose own release computes it again"
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, InvariantViolation)
"""What reading a receipt that was tampered with may raise; then it does not say what it should."""


@dataclass(frozen=True, slots=True)
class _Tallies:
    postings: Tally = field(default_factory=lambda: Tally(POSTINGS))
    receipt_hash: Tally = field(default_factory=lambda: Tally(RECEIPT_HASH))
    receipt_says: Tally = field(default_factory=lambda: Tally(RECEIPT_SAYS))
    replays: Tally = field(default_factory=lambda: Tally(REPLAYS))
    taken: Tally = field(default_factory=lambda: Tally(TAKEN))

    def findings(self) -> list[Finding]:
        tallies = (self.postings, self.receipt_hash, self.receipt_says, self.replays, self.taken)
        return findings_of(tallies)


async def examine_settlements(connection: AsyncConnection, plans: Plans) -> list[Finding]:
    """Check every revision of every settlement, one at a time; memory does not grow with their number."""
    tallies = _Tallies()
    async for stored in stream_settlements(connection):
        _examine(stored, plans.get((stored.fund_id, stored.plan_version_id)), tallies)
    return tallies.findings()


def _examine(stored: StoredSettlement, plan: CompiledPlan | None, tallies: _Tallies) -> None:
    bill_id, inputs = stored.bill_id, _inputs(stored)
    tallies.postings.note(_posted_as_it_should(stored), bill_id)
    tallies.receipt_hash.note(sha256_hex(canonical_json(stored.receipt)) == stored.receipt_hash, bill_id)
    if stored.plan_version_id is None:
        tallies.receipt_says.note(_says_why_excluded(stored), bill_id)
        tallies.taken.note(not stored.taken, bill_id)
        return
    tallies.receipt_says.note(_says_what_is_recorded(stored, plan, inputs), bill_id)
    if stored.engine_version != ENGINE_VERSION:
        tallies.replays.pass_over(OTHER_ENGINE)
        tallies.taken.pass_over(OTHER_ENGINE)
        return
    benefits = _replayed(stored, plan, inputs)
    tallies.replays.note(benefits is not None and _same(stored, benefits), bill_id)
    taken = benefits is not None and inputs is not None and plan is not None and _taken(plan, inputs, benefits)
    tallies.taken.note(taken == stored.taken, bill_id)


def _posted_as_it_should(stored: StoredSettlement) -> bool:
    try:
        return stored.postings == postings_of(stored.figures, stored.split, purses_of(stored.receipt))
    except UNREADABLE:
        return False


def _inputs(stored: StoredSettlement) -> Inputs | None:
    """Return what a settlement was computed from; `None` when there was no plan, or its receipt cannot be read."""
    try:
        return None if stored.plan_version_id is None else Inputs.from_json(stored.receipt["inputs"])
    except UNREADABLE:
        return None


def _says_why_excluded(stored: StoredSettlement) -> bool:
    try:
        figures, engine_version = figures_from_json(stored.receipt["figures"]), stored.receipt["engine_version"]
        return bool(stored.receipt["excluded"]) and (figures, engine_version) == (stored.figures, stored.engine_version)
    except UNREADABLE:
        return False


def _says_what_is_recorded(stored: StoredSettlement, plan: CompiledPlan | None, inputs: Inputs | None) -> bool:
    if plan is None or inputs is None:
        return False
    try:
        aid = total(Money.from_yuan(benefit["amount"]) for benefit in stored.receipt["result"])
        said = (stored.receipt["engine_version"], stored.receipt["plan_digest"], inputs.figures, aid)
        recorded = (stored.engine_version, plan.digest, stored.figures, stored.split.aid)
        return said == recorded and plan.service_date(inputs.facts) == stored.service_date
    except UNREADABLE:
        return False


def _replayed(stored: StoredSettlement, plan: CompiledPlan | None, inputs: Inputs | None) -> tuple[Benefit, ...] | None:
    """Compute a settlement again from its receipt; `None` when the receipt or the plan cannot be read."""
    if plan is None or inputs is None:
        return None
    try:
        return replay(plan, inputs, used_from_json(stored.receipt["used_before"]))
    except UNREADABLE:
        return None


def _same(stored: StoredSettlement, benefits: tuple[Benefit, ...]) -> bool:
    """Compare the whole result: it names every step with its clause, so equal results give equal reasons, too."""
    aid = total(benefit.amount for benefit in benefits)
    return aid == stored.split.aid and [benefit_to_json(benefit) for benefit in benefits] == stored.receipt.get(
        "result"
    )


def _taken(plan: CompiledPlan, inputs: Inputs, benefits: tuple[Benefit, ...]) -> dict[tuple[str, str], Room]:
    taken = {key: _room(room) for key, room in rooms_taken(benefits).items()}
    stay = stay_room(plan, inputs.facts)
    return taken if stay is None else {**taken, (STAY, stay_term(plan, inputs.facts)): _room(stay)}


def _room(room: Consumption | UsedRoom) -> Room:
    return (int(room.base), int(room.burden), int(room.paid), room.days, room.times, int(room.deductible))
