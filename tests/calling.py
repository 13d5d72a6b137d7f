"""Calling the API over real HTTP. Every answer that passes here is checked against its description and its schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from settlement.api.app import create_api
from settlement.api.problems import MEDIA_TYPE, STATUS, Problem
from settlement.api.schemas.answers import SettlementResponse
from settlement.services.access.add_client import NewClient

BOUNDARY = "form-of-the-tests"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@cache
def described() -> tuple[FastAPI, dict[str, Any]]:
    """Return the application, which is never started, and its OpenAPI document."""

    @asynccontextmanager
    async def never() -> Any:
        raise AssertionError("this application is only described")
        yield

    app = create_api(never)
    return app, app.openapi()


def routes() -> list[APIRoute]:
    """Return every route that the document describes."""
    found = (route for route in _flat(described()[0].routes) if isinstance(route, APIRoute))
    return [route for route in found if route.include_in_schema]


def _flat(found: Any) -> Iterator[Any]:
    for route in found:
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if inner and not isinstance(route, APIRoute):
            yield from _flat(inner)
        else:
            yield route


def form_of(fields: dict[str, str], name: str, file: bytes) -> bytes:
    """Write a form with a file, as a browser does."""
    parts = [f'Content-Disposition: form-data; name="{field}"\r\n\r\n{value}' for field, value in fields.items()]
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    before = "".join(f"--{BOUNDARY}\r\n{part}\r\n" for part in parts)
    return f"{before}--{BOUNDARY}\r\n{head}".encode() + file + f"\r\n--{BOUNDARY}--\r\n".encode()


def body_of(content: Any) -> bytes:
    """Write a body as a HIS does: amounts as JSON numbers."""
    return json.dumps(content, default=float, ensure_ascii=False).encode()


@dataclass(slots=True)
class Callers:
    """The clients of a test, by role; each gets a token when it first calls."""

    url: str
    http: httpx.AsyncClient
    clients: dict[str, NewClient]
    people: dict[str, tuple[str, str]] = field(default_factory=dict)
    """User name and password of people of the staff, by role."""
    _tokens: dict[str, str] = field(default_factory=dict)

    async def token(self, role: str) -> str:
        """Return a role's access token."""
        if role not in self._tokens:
            if role in self.people:
                form = dict(zip(("username", "password"), self.people[role], strict=True)) | {"grant_type": "password"}
            else:
                new = self.clients[role]
                form = {
                    "grant_type": "client_credentials",
                    "client_id": new.client.client_id,
                    "client_secret": new.secret,
                }
            answer = await self.http.post(f"{self.url}/oauth/token", data=form)
            checked(answer)
            assert answer.status_code == 200, answer.text
            self._tokens[role] = answer.json()["access_token"]
        return self._tokens[role]

    async def call(
        self,
        role: str | None,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Call as a role (or as nobody), and check the answer's shape."""
        sent = dict(headers or {})
        if role is not None:
            sent["Authorization"] = f"Bearer {await self.token(role)}"
        if key is not None:
            sent["Idempotency-Key"] = key
        content = body if isinstance(body, bytes) or body is None else body_of(body)
        if content is not None:
            form = f"multipart/form-data; boundary={BOUNDARY}"
            sent.setdefault("Content-Type", form if content.startswith(b"--") else "application/json")
        answer = await self.http.request(method, self.url + path, content=content, params=params, headers=sent)
        return checked(answer)

    async def get(self, role: str | None, path: str, **params: Any) -> httpx.Response:
        """Read as a role."""
        return await self.call(role, "GET", path, params=params or None)


def checked(answer: httpx.Response) -> httpx.Response:
    """Assert that an answer is as the document says: a listed problem, or a body that its model knows whole."""
    route = _route_of(answer.request)
    if answer.status_code >= 400:
        _check_problem(answer, route)
    elif "json" in answer.headers["content-type"]:
        body = json.loads(answer.content, parse_float=_no_float)
        model = route.response_model if route else None
        if isinstance(model, type) and issubclass(model, BaseModel):
            _check_model(model.model_validate(body))
        if route is not None and route.path.startswith("/v1/requests/") and "mutual_aid" in body["body"]:
            _check_model(SettlementResponse.model_validate(body["body"]))
    return answer


def _route_of(request: httpx.Request) -> APIRoute | None:
    path = request.url.path
    return next(
        (
            route
            for route in routes()
            if request.method in route.methods and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", _plain(route)), path)
        ),
        next((route for route in routes() if route.path.endswith(":path}") and path.startswith("/v1/requests/")), None),
    )


def _plain(route: APIRoute) -> str:
    return route.path


def _check_problem(answer: httpx.Response, route: APIRoute | None) -> None:
    if answer.request.url.path == "/readyz":
        return
    assert answer.headers["content-type"] == MEDIA_TYPE, answer.text
    problem = Problem.model_validate(answer.json())
    assert problem.status == answer.status_code == STATUS[problem.code], answer.text
    assert problem.type == f"urn:settlement:problem:{problem.code}"
    assert problem.title == problem.code.replace("_", " ")
    english = answer.request.headers.get("accept-language", "").lower().startswith("en")
    assert bool(CHINESE.search(problem.detail)) is not english, problem.detail
    assert "{" not in problem.detail
    if answer.status_code == 503 or problem.code in ("busy", "in_progress"):
        assert int(answer.headers["retry-after"]) > 0
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"].startswith(("Bearer", "Basic"))
    if route is not None and answer.request.method in route.methods:
        assert problem.code in documented(route).get(str(answer.status_code), ()), (
            f"{answer.request.method} {route.path} does not document {problem.code}"
        )


def documented(route: APIRoute) -> dict[str, list[str]]:
    """Return the problem codes that a route documents, by status."""
    path = route.path.replace(":path}", "}")
    operation = described()[1]["paths"][path][next(iter(route.methods)).lower()]
    return {
        status: list(response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {}))
        for status, response in operation["responses"].items()
    }


def _check_model(model: BaseModel) -> None:
    assert not model.model_extra, f"{type(model).__name__} does not describe {sorted(model.model_extra or ())}"
    for name in type(model).model_fields:
        _check_value(getattr(model, name))


def _check_value(value: object) -> None:
    if isinstance(value, BaseModel):
        _check_model(value)
    elif isinstance(value, list):
        for item in value:
            _check_value(item)


def _no_float(text: str) -> None:
    raise AssertionError(f"the answer holds the number {text}; amounts are strings")
