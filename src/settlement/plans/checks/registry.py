"""What a check is: its stable id, how grave it is, and a function that yields the places it finds, with sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from settlement.plans.findings import FilePath, Severity
from settlement.plans.model import PlanVersion


@dataclass(frozen=True, slots=True)
class Place:
    """One place that a check finds: where, under which clause, and what to mend, in Chinese and English.

    `path` starts at `plan` for the header and at `version` for what one version says.
    """

    path: FilePath
    clause: str | None
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one version with its header. Its id names a section of `docs/plan-checks.md` and its own test."""

    id: str
    severity: Severity
    find: Callable[[PlanVersion], Iterator[Place]]


CHECKS: list[Check] = []
"""Every check, in the order in which the modules of this package define them."""


def check(id_: str, severity: Severity) -> Callable[[Callable[[PlanVersion], Iterator[Place]]], Check]:
    """Register a function as a check."""

    def register(find: Callable[[PlanVersion], Iterator[Place]]) -> Check:
        made = Check(id_, severity, find)
        CHECKS.append(made)
        return made

    return register
