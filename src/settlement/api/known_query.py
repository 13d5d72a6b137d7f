"""Refusing a query parameter that a route does not know: a misspelt filter would silently find everything."""

from __future__ import annotations

import difflib

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute


async def known_query_only(request: Request) -> None:
    """Raise `RequestValidationError` for an unknown query parameter, with the nearest known one."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = _names(route.dependant)
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise RequestValidationError([_error(name, known) for name in unknown])


def _names(dependant: Dependant) -> set[str]:
    names = {parameter.alias for parameter in dependant.query_params}
    return names.union(*(_names(inner) for inner in dependant.dependencies))


def _error(name: str, known: set[str]) -> dict[str, object]:
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"; did you mean {nearest[0]}?" if nearest else f"; known are {', '.join(sorted(known)) or 'none'}"
    return {"loc": ("query", name[:64]), "msg": f"unknown parameter{hint}", "type": "unknown_parameter"}
