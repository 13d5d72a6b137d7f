"""What is wrong, or strange, in a plan file: where, under which clause, and how to mend it, in Chinese and English."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from settlement.domain.errors import SettlementError

FilePath = tuple[str | int, ...]
"""Where something stands in a plan file: keys and positions from the top, for example `("versions", 0, "version")`."""


class Severity(StrEnum):
    """Whether a finding keeps the plan from being published or only asks for a second look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding in a plan file; `line` counts from 1 and is `None` for a version that came from the database."""

    id: str
    """Which check or which error of form, stable; `docs/plan-checks.md` has a section of this name."""
    severity: Severity
    file: str
    line: int | None
    clause: str | None
    zh: str
    en: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.severity}[{self.id}]: {self.zh} / {self.en}"


class PlanRefused(SettlementError):
    """A plan file that cannot be read, or a version that must not be compiled; `findings` says why, line by line."""

    code = "plan_refused"

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = tuple(findings)
