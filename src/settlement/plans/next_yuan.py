"""The nearest "if": what one yuan more, borne by the patient on this bill, would have brought of each benefit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from settlement.domain.benefits import PlanFacts, UsedRoom
from settlement.domain.bills import BillFigures
from settlement.domain.money import FEN_PER_YUAN, Money
from settlement.plans.compile import CompiledPlan


@dataclass(frozen=True, slots=True)
class NextYuan:
    """What one yuan more would change of a benefit's aid, in fen; it is negative where a threshold takes more."""

    aid: Money


def next_yuan(
    compiled: CompiledPlan, figures: BillFigures, facts: PlanFacts, used: Mapping[str, UsedRoom]
) -> Mapping[str, NextYuan]:
    """Return, for each benefit that starts from the bill's amounts, what one yuan more in scope would change.

    The yuan is in policy scope, no fund pays it, and the patient pays it in cash. A stay that is split over terms has
    no next yuan of one term.
    """
    if compiled.parts_of(facts):
        return {}
    now = compiled.amounts(figures, facts, used)
    then = compiled.amounts(_with_a_yuan(figures), facts, used)
    return {code: NextYuan(then[code] - now[code]) for code in compiled.codes_by_amount}


def _with_a_yuan(figures: BillFigures) -> BillFigures:
    return replace(
        figures,
        billed=figures.billed + FEN_PER_YUAN,
        allowed=figures.allowed + FEN_PER_YUAN,
        patient_share=figures.patient_share + FEN_PER_YUAN,
        cash_before_aid=figures.cash_before_aid + FEN_PER_YUAN,
    )
