"""The points at which a simulated process can die: found in the code by inspection, never listed by hand.

A point is a named query: a public coroutine of a subject's module in `db/` that takes a connection. Beside these stand
the beginning and the commit of a transaction and the questions to the insurer.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import CodeType, FrameType, ModuleType

import settlement.db
import settlement.worker

BEGIN, COMMIT = "transaction.begin", "transaction.commit"
GATEWAY_QUESTIONS = ("gateway.9001", "gateway.5203", "gateway.5204")
BEFORE, AFTER = "before", "after"

_DOORS = (
    "settlement.api.routes.settlements",
    "settlement.api.routes.platform",
    "settlement.services.bills.decide_rerating",
    "settlement.services.bills.add_later_payer",
    "settlement.services.reconciliation.bring_list",
)
_ONLY_READS = "settlement.services.audit."
"""Examinations change nothing and are made again when they are cut off, so only their keeping is of the flow."""
_KEEPS = "settlement.services.audit.keep_examination"
NOT_PLAYED = {
    "examinations.only_bills_of": "sends nothing as long as no invariant is broken",
}
"""Queries that the doors can reach and that no history does, each with its reason."""
_NO_SUBJECT = "settlement.db.engine"
"""The shape of transactions: what it sends stands under the names of those who send, and under `BEGIN` and `COMMIT`."""


@cache
def named_queries() -> dict[CodeType, str]:
    """Return every named query by its code, as `subject.name`."""
    found = {}
    for module in _modules_of_db():
        for name, function in vars(module).items():
            if _is_named_query(module, name, function):
                found[function.__code__] = f"{module.__name__.rpartition('.')[2]}.{name}"
    return found


@cache
def points_of_the_flow() -> tuple[str, ...]:
    """Return the points that the doors of the settlement flow can reach, each of which a run must hit.

    The rule: a named query that a route of settlements or of the platform, a job of the worker, or any service that one
    of these is built of, calls by name. What only other doors call (reports, dashboards, registers) is not among them.
    """
    known = set(named_queries().values())
    called = {query for module in _flow_modules() for query in _queries_called_in(module)}
    return (BEGIN, COMMIT, *GATEWAY_QUESTIONS, *sorted((known & called) - NOT_PLAYED.keys()))


def point_of(frame: FrameType | None) -> str | None:
    """Return the named query that is being run: the outermost one, where one calls another."""
    queries, found = named_queries(), None
    while frame is not None:
        found = queries.get(frame.f_code, found)
        frame = frame.f_back
    return found


def _modules_of_db() -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(settlement.db.__path__, "settlement.db."):
        if info.name != _NO_SUBJECT:
            yield importlib.import_module(info.name)


def _is_named_query(module: ModuleType, name: str, function: object) -> bool:
    if name.startswith("_") or not inspect.iscoroutinefunction(function) or function.__module__ != module.__name__:
        return False
    return next(iter(inspect.signature(function).parameters), "") == "connection"


def _flow_modules() -> list[str]:
    """Return the doors of the flow and every service module that they are built of."""
    jobs = pkgutil.iter_modules(settlement.worker.__path__, "settlement.worker.")
    modules = [*_DOORS, *(job.name for job in jobs)]
    for module in modules:
        for node in ast.walk(_tree_of(module)):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("settlement.services"):
                candidates = (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
                modules += [name for name in candidates if name not in modules and _is_flow(name)]
    return modules


def _queries_called_in(module: str) -> Iterator[str]:
    tree = _tree_of(module)
    subjects: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "settlement.db":
            subjects |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("settlement.db."):
            subject = node.module.rpartition(".")[2]
            yield from (f"{subject}.{alias.name}" for alias in node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in subjects:
            yield f"{subjects[node.value.id]}.{node.attr}"


@cache
def _tree_of(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(importlib.import_module(module)))


def _is_flow(name: str) -> bool:
    return _is_module(name) and (name == _KEEPS or not name.startswith(_ONLY_READS))


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
