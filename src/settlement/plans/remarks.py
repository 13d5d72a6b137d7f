"""A remark about a plan version: what a check says before anyone knows the file and line it came from."""

from __future__ import annotations

from dataclasses import dataclass

from settlement.plans.findings import FilePath, Severity


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark; `path` starts at `plan` for the header and at `version` for what one version says."""

    severity: Severity
    path: FilePath
    clause: str | None
    zh: str
    en: str


def error(path: FilePath, clause: str | None, zh: str, en: str) -> Remark:
    """Remark on something that must be mended before the plan may be published."""
    return Remark(Severity.ERROR, path, clause, zh, en)


def warning(path: FilePath, clause: str | None, zh: str, en: str) -> Remark:
    """Remark on something that may be meant, and that members will ask about."""
    return Remark(Severity.WARNING, path, clause, zh, en)
