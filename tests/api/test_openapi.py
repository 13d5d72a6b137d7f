"""The OpenAPI document is a product: examples on every operation with a body, and schemas that tell the truth."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter

from builders import City
from calling import Callers, described, routes
from settlement.api.schemas import bills, plans

WITH_BODY = [
    (path, method)
    for path, operations in described()[1]["paths"].items()
    for method, operation in operations.items()
    if "requestBody" in operation
]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = described()[1]["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return found


def examples_of(path: str, method: str) -> tuple[str, list[Any]]:
    (media_type, content) = next(iter(described()[1]["paths"][path][method]["requestBody"]["content"].items()))
    return media_type, [*resolved(content["schema"]).get("examples", []), *_given(content)]


def _given(content: dict[str, Any]) -> list[Any]:
    return [example["value"] for example in content.get("examples", {}).values()]


def test_some_operations_have_a_body():
    assert len(WITH_BODY) == 17


@pytest.mark.parametrize(("path", "method"), WITH_BODY)
def test_every_operation_with_a_body_has_a_whole_example_that_its_schema_takes(path: str, method: str):
    media_type, examples = examples_of(path, method)
    if media_type != "application/json":
        content = described()[1]["paths"][path][method]["requestBody"]["content"][media_type]
        fields = resolved(content["schema"])["properties"].values()
        assert all(field["examples"] for field in fields)
        return
    assert examples, f"{method} {path} has no example"
    route = next(route for route in routes() if route.path == path and method.upper() in route.methods)
    for example in examples:
        _body_model(route).validate_python(example)


def _body_model(route: APIRoute) -> TypeAdapter[Any]:
    assert route.body_field is not None
    return TypeAdapter(route.body_field.field_info.annotation)


@pytest.mark.parametrize("path", ["/v1/quotes", "/v1/settlements"])
async def test_the_documents_examples_are_accepted_by_the_service(callers: Callers, city: City, path: str):
    for number, example in enumerate(examples_of(path, "post")[1]):
        body = json.loads(json.dumps(example))
        body["visit"]["fixmedins_code"] = city.hospitals[3]
        answer = await callers.call("hospital", "POST", path, body, key=f"example-{number}")
        assert answer.status_code in (200, 422)
        if answer.status_code == 422:
            assert answer.json()["code"] == "fetching_not_possible"


def test_every_operation_has_a_summary_a_description_and_a_tag():
    for path, operations in described()[1]["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], f"{method} {path}"
            assert operation["description"], f"{method} {path}"
            assert operation["tags"], f"{method} {path}"
            assert operation["operationId"], f"{method} {path}"


def test_every_answer_has_a_schema_of_ours():
    for route in routes():
        if route.path.startswith("/v1"):
            assert isinstance(route.response_model, type), route.path
            assert issubclass(route.response_model, BaseModel), route.path


def test_a_misspelt_key_is_refused_by_every_body():
    of_plans = (plans.DraftRequest, plans.ApprovalRequest, plans.RejectionRequest, plans.WithdrawalRequest)
    of_bills = (
        bills.QuoteRequest,
        bills.SettlementRequest,
        bills.ReversalRequest,
        bills.AnswerRequest,
        bills.PendingMessageRequest,
    )
    for model in (*of_bills, *of_plans, plans.PublicationRequest):
        assert model.model_config.get("extra") == "forbid"


async def test_the_document_is_served(callers: Callers):
    served = (await callers.http.get(f"{callers.url}/openapi.json")).json()
    assert served == json.loads(json.dumps(described()[1]))
