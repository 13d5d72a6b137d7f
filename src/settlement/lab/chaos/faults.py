"""The faults that a seed can choose, and where they strike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from settlement.lab.chaos.points import AFTER, BEFORE, COMMIT, GATEWAY_QUESTIONS, points_of_the_flow

LOST, CRASH = "lost", "crash"
REQUEST_LOST, ANSWER_LOST = "request_lost", "answer_lost"
DOOR = "door"
GATEWAY_FAULTS = (
    "gateway_refuses_connection",
    "gateway_lost_after",
    "gateway_silent",
    "gateway_error_after",
    "gateway_http_error",
    "gateway_empty_body",
    "gateway_no_envelope",
)
RESTART, DUPLICATE, SKEW, DISORDER = "restart", "duplicate_message", "clock_skew", "late_file"
KINDS = (
    f"{LOST}_{BEFORE}",
    f"{LOST}_{AFTER}",
    f"{CRASH}_{BEFORE}",
    f"{CRASH}_{AFTER}",
    REQUEST_LOST,
    ANSWER_LOST,
    *GATEWAY_FAULTS,
    RESTART,
    DUPLICATE,
    SKEW,
    DISORDER,
)
"""Every kind: lost (the connection is cut before or after the effect), crash (the process dies there), and the rest."""

_TARGETS_OF_A_HISTORY = 3
_REACHED_BY = {
    "bills.is_of_another_bill": "reverse_brought",
    "bills.find_later_bill_of_visit": "correct_new_first",
    "bills.list_cancellations": "reinstate",
    "bills.list_live_bills_of_member": "rerate_after_reversal",
    "holds.find_member_of_visit": "answer_is_lost",
    "holds.list_kept_rooms": "reinstate",
    "settling.read_takings": "rerate_after_reversal",
    "settling.read_covers": "rerate_after_reversal",
    "rerating": "rerate_after_reversal",
    "rerating.find_rerating": "pay_later",
    "later_payers": "pay_later",
    "bills.list_live_bills_of_visit": "cancel_first",
    "bills.get_head": "answer_is_lost",
    "registry.list_funds": "answer_is_lost",
    "gateway.5203": "reverse_seen",
    "gateway.9001": "settle_fetched",
    "reconciliation.delete_expired_lines": "work_round",
    "books": "keep_the_books",
    "commands": "ask_what_became",
    "events": "work_round",
    "examinations": "examine_meanwhile",
    "gateway.5204": "answer_is_lost",
    "holds": "release_promise",
    "holds.find_last_kept_place": "release_kept_place",
    "messages.delete_expired_messages": "work_round",
    "messages.list_messages": "reinstate",
    "pending": "answer_is_lost",
    "people": "settle_brought",
    "reconciliation": "reconcile",
    "reconciling": "reconcile",
    "reports": "reverse_twice",
}
"""Which action passes a point, or the points of a subject, for those that few others pass."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that strikes when a point is passed for the nth time, before or after what happens there."""

    kind: str
    point: str
    phase: str
    passage: int

    def __str__(self) -> str:
        return f"{self.kind} {self.phase} {self.point} #{self.passage}"


def plan_faults(number: int, rng: Random) -> tuple[Fault, ...]:
    """Return the faults of the history of a number: crashes at points in turn, so that a run hits each, and chance."""
    # All befores, then all afters: who dies before a point's first passage does not die after it in the same history.
    points = [(point, phase) for phase in (BEFORE, AFTER) for point in points_of_the_flow()]
    faults = []
    for turn in range(_TARGETS_OF_A_HISTORY):
        point, phase = points[(number * _TARGETS_OF_A_HISTORY + turn) % len(points)]
        often = _action_for(point) is None
        faults.append(Fault(CRASH, point, phase, rng.choice((1, 1, 1, 2, 3)) if often else 1))
    queries = [point for point, _ in points if not point.startswith("gateway.")]
    faults += [
        Fault(LOST, rng.choice((COMMIT, rng.choice(queries))), rng.choice((BEFORE, AFTER)), rng.randint(1, 4))
        for _ in range(rng.randrange(4))
    ]
    for _ in range(rng.randrange(3)):
        kind, phase = rng.choice(((REQUEST_LOST, BEFORE), (ANSWER_LOST, AFTER)))
        faults.append(Fault(kind, DOOR, phase, rng.randint(1, 12)))
    for _ in range(rng.randrange(3)):
        question = rng.choice((*GATEWAY_QUESTIONS, GATEWAY_QUESTIONS[-1]))
        faults.append(Fault(rng.choice(GATEWAY_FAULTS), question, BEFORE, rng.randint(1, 2)))
    return tuple(faults)


def actions_for(faults: Sequence[Fault]) -> list[str]:
    """Return the actions without which a history would hardly pass the points at which processes are to die."""
    wanted = [_action_for(fault.point) for fault in faults if fault.kind == CRASH]
    return sorted({name for name in wanted if name is not None})


def _action_for(point: str) -> str | None:
    return _REACHED_BY.get(point) or _REACHED_BY.get(point.partition(".")[0])


def kind_struck(fault: Fault) -> str:
    """Return under which kind a fault is counted."""
    return f"{fault.kind}_{fault.phase}" if fault.kind in (LOST, CRASH) else fault.kind


def matching(faults: Sequence[Fault], point: str, phase: str, passage: int) -> Fault | None:
    """Return the first fault that strikes at this passage of a point."""
    here = (point, phase, passage)
    return next((fault for fault in faults if (fault.point, fault.phase, fault.passage) == here), None)
