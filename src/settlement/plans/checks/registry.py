"""What a check is: its stable id, how grave it is, and a function that yields the places it finds, with sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from settlement.plans.checks.survey import Survey
from settlement.plans.findings import FilePath, Severity
from settlement.plans.model import Plan

ERROR, WARNING = Severity.ERROR, Severity.WARNING


@dataclass(frozen=True, slots=True)
class Place:
    """One place that a check finds: where, under which clause, and what to mend, in Chinese and English.

    For a check of one version `path` starts at `plan` for the header and at `version` for what the version says;
    for a check of the file it is the path in the file.
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
    find: Callable[[Survey], Iterator[Place]]


@dataclass(frozen=True, slots=True)
class FileCheck:
    """One check of a whole file: what versions and worked cases say about each other."""

    id: str
    severity: Severity
    find: Callable[[Plan], Iterator[Place]]


CHECKS: list[Check] = []
"""Every check of a version, in the order in which the modules of this package define them."""
FILE_CHECKS: list[FileCheck] = []
"""Every check of a file. A version from the database has passed them before it was published."""


def check(id_: str, severity: Severity) -> Callable[[Callable[[Survey], Iterator[Place]]], Check]:
    """Register a function as a check of a version."""

    def register(find: Callable[[Survey], Iterator[Place]]) -> Check:
        made = Check(id_, severity, find)
        CHECKS.append(made)
        return made

    return register


def file_check(id_: str, severity: Severity) -> Callable[[Callable[[Plan], Iterator[Place]]], FileCheck]:
    """Register a function as a check of a file."""

    def register(find: Callable[[Plan], Iterator[Place]]) -> FileCheck:
        made = FileCheck(id_, severity, find)
        FILE_CHECKS.append(made)
        return made

    return register
