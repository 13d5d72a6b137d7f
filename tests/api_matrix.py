"""Every route that asks for a token, with a request that passes its schema, and the roles that it is for."""

from __future__ import annotations

from typing import Any

from settlement.api.schemas import examples

ROLES = ("hospital", "platform", "staff")
_BILL = {"output": examples.OUTPUT_2207, "visit": examples.FACTS | {"fixmedins_code": "H50010302473"}}
_PUSH = {"bills": [{"output": examples.OUTPUT_2207, "facts": examples.FACTS}]}

Line = tuple[str, str, str, Any, tuple[str, ...]]


def matrix(bill_id: str, key: str) -> list[Line]:
    """Return method, template, path, body and allowed roles of each route."""
    of_bill = "/v1/settlements/{bill_id}"
    bill = f"/v1/settlements/{bill_id}"
    return [
        ("POST", "/v1/quotes", "/v1/quotes", _BILL, ("hospital",)),
        ("POST", "/v1/settlements", "/v1/settlements", _BILL, ("hospital",)),
        ("POST", f"{of_bill}/answers", f"{bill}/answers", {"answers": {"same_person": True}}, ("hospital",)),
        ("POST", f"{of_bill}/reversals", f"{bill}/reversals", {"reason": "refund"}, ("hospital",)),
        ("POST", "/v1/gateway/bills", "/v1/gateway/bills", _PUSH, ("platform",)),
        ("GET", "/v1/requests/{idempotency_key:path}", f"/v1/requests/{key}", None, ROLES),
        ("GET", "/v1/settlements", "/v1/settlements", None, ROLES),
        ("GET", of_bill, bill, None, ROLES),
        *[("GET", f"{of_bill}/{part}", f"{bill}/{part}", None, ROLES) for part in ("explanation", "proof", "timeline")],
        ("GET", "/v1/eligibility", "/v1/eligibility?certificate_number=1", None, ROLES),
        ("GET", "/v1/events", "/v1/events", None, ROLES),
        ("GET", "/v1/ops/summary", "/v1/ops/summary", None, ("staff",)),
    ]
