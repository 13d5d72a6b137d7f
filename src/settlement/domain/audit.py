"""What an examination of the whole record says: each law that always holds, and what breaks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_IDS = 20
"""So many offenders are named; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """A law of the record: a name that never changes, and one sentence that says what always holds."""

    name: str
    law: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one invariant's check found: how much was looked at, how much breaks the law, and the first ids of those.

    `not_examined` counts what could not be looked at, and `why` says why not: that is no break, and no proof either.
    """

    invariant: Invariant
    examined: int
    broken: int
    ids: tuple[str, ...]
    not_examined: int = 0
    why: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing that was looked at breaks the law."""
        return self.broken == 0

    def to_json(self) -> dict[str, Any]:
        """Return the finding as plain values."""
        return {
            "name": self.invariant.name,
            "law": self.invariant.law,
            "holds": self.holds,
            "examined": self.examined,
            "broken": self.broken,
            "ids": list(self.ids),
            "not_examined": self.not_examined,
            "why_not": self.why,
        }


@dataclass(frozen=True, slots=True)
class Examination:
    """The findings of one run, all of them about the same instant of the database."""

    findings: tuple[Finding, ...]

    @property
    def broken(self) -> tuple[Finding, ...]:
        """The findings whose law is broken."""
        return tuple(finding for finding in self.findings if not finding.holds)

    def to_json(self) -> dict[str, Any]:
        """Return the examination as plain values."""
        return {
            "invariants_examined": len(self.findings),
            "invariants_broken": len(self.broken),
            "findings": [finding.to_json() for finding in self.findings],
        }


@dataclass(slots=True)
class Tally:
    """Counts what one check looks at, and keeps the first offenders."""

    invariant: Invariant
    examined: int = 0
    not_examined: int = 0
    why: str = ""
    _offenders: dict[str, None] = field(default_factory=dict)
    _broken: int = 0

    def note(self, holds: bool, id_: object) -> None:
        """Count one thing looked at."""
        self.examined += 1
        if not holds:
            self._broken += 1
            if len(self._offenders) < MOST_IDS:
                self._offenders[str(id_)] = None

    def pass_over(self, why: str) -> None:
        """Count one thing that could not be looked at."""
        self.not_examined += 1
        self.why = why

    def finding(self) -> Finding:
        """Return what was found."""
        ids = tuple(self._offenders)
        return Finding(self.invariant, self.examined, self._broken, ids, self.not_examined, self.why)


def findings_of(tallies: Sequence[Tally]) -> list[Finding]:
    """Return what each tally found."""
    return [tally.finding() for tally in tallies]
