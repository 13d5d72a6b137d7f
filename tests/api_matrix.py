"""Every route that asks for a token, with a request that passes its schema, and the roles that it is for."""

from __future__ import annotations

from typing import Any

from builders import HANGZHOU_FILE
from calling import form_of
from settlement.api.schemas import examples

CLIENTS = ("hospital", "platform", "staff")
PEOPLE = ("clerk", "approver", "auditor", "operator")
ROLES = CLIENTS + PEOPLE
_READERS = (*CLIENTS, "clerk", "approver", "auditor")
_ASKERS = (*CLIENTS, "clerk", "approver")
_FOLLOWERS = (*CLIENTS, "auditor", "operator")
_WATCHERS = ("staff", "auditor", "operator")
_PLAN_READERS = ("staff", *PEOPLE)
_DRAFTERS = ("clerk", "approver")
_RECONCILERS = ("staff", "clerk", "approver", "auditor")
_LISTS = "/v1/reconciliations"
_LIST = form_of(
    {"source": "hospital", "business_date": "2025-03-11", "hospital_codes": "H50010302473"},
    "list.csv",
    b"settlement_id,area,hospital_code,cash_collected,aid_given,state\n",
)
_ACTION = {"action": "settle"}
_NO_DRAFT = "00000000-0000-7000-8000-000000000001"
_BILL = {"output": examples.OUTPUT_2207, "visit": examples.FACTS | {"fixmedins_code": "H50010302473"}}
_UNANSWERED = examples.PENDING_MESSAGE | {"visit": _BILL["visit"]}
_PUSH = {"bills": [{"output": examples.OUTPUT_2207, "facts": examples.FACTS}]}

_LATER_PAYER = {"name": "惠民保", "amount": "120.00", "reference": "HMB-2026-0042"}

Line = tuple[str, str, str, Any, tuple[str, ...]]


def matrix(bill_id: str, key: str) -> list[Line]:
    """Return method, template, path, body and allowed roles of each route."""
    of_bill = "/v1/settlements/{bill_id}"
    bill = f"/v1/settlements/{bill_id}"
    of_draft, of_version = "/v1/plans/drafts/{draft_id}", "/v1/plans/{version}"
    draft = f"/v1/plans/drafts/{_NO_DRAFT}"
    return [
        ("POST", "/v1/quotes", "/v1/quotes", _BILL, ("hospital",)),
        ("GET", "/v1/holds/{hold_id}", f"/v1/holds/{_NO_DRAFT}", None, _READERS),
        ("POST", "/v1/holds/{hold_id}/release", f"/v1/holds/{_NO_DRAFT}/release", None, ("hospital",)),
        ("POST", "/v1/settlements", "/v1/settlements", _BILL, ("hospital",)),
        ("POST", "/v1/pending-messages", "/v1/pending-messages", _UNANSWERED, ("hospital",)),
        ("POST", f"{of_bill}/answers", f"{bill}/answers", {"answers": {"same_person": True}}, ("hospital",)),
        ("POST", f"{of_bill}/reversals", f"{bill}/reversals", {"reason": "refund"}, ("hospital",)),
        ("POST", f"{of_bill}/reinstatements", f"{bill}/reinstatements", {}, ("hospital",)),
        ("POST", f"{of_bill}/transfers", f"{bill}/transfers", {"reason": "not_shown"}, ("hospital",)),
        ("POST", "/v1/gateway/bills", "/v1/gateway/bills", _PUSH, ("platform",)),
        ("GET", "/v1/requests/{idempotency_key:path}", f"/v1/requests/{key}", None, _READERS),
        ("GET", "/v1/settlements", "/v1/settlements", None, _READERS),
        ("GET", of_bill, bill, None, _READERS),
        *[
            ("GET", f"{of_bill}/{part}", f"{bill}/{part}", None, _READERS)
            for part in ("explanation", "proof", "timeline")
        ],
        ("POST", f"{of_bill}/reratings", f"{bill}/reratings", None, _DRAFTERS),
        ("POST", f"{of_bill}/later-payers", f"{bill}/later-payers", _LATER_PAYER, _DRAFTERS),
        ("GET", "/v1/reratings", "/v1/reratings", None, _PLAN_READERS),
        (
            "POST",
            "/v1/reratings/{rerating_id}/application",
            f"/v1/reratings/{_NO_DRAFT}/application",
            None,
            ("approver",),
        ),
        ("GET", f"{of_bill}/rerating", f"{bill}/rerating", None, _PLAN_READERS),
        ("GET", "/v1/eligibility", "/v1/eligibility?certificate_number=1", None, _ASKERS),
        ("GET", "/v1/events", "/v1/events", None, _FOLLOWERS),
        ("GET", "/v1/seals", "/v1/seals", None, _FOLLOWERS),
        ("GET", "/v1/ops/summary", "/v1/ops/summary", None, _WATCHERS),
        ("GET", "/v1/plans", "/v1/plans", None, _PLAN_READERS),
        ("POST", "/v1/plans", "/v1/plans", {"source": HANGZHOU_FILE.read_text(encoding="utf-8")}, _DRAFTERS),
        ("GET", f"{of_draft}", draft, None, _PLAN_READERS),
        ("POST", f"{of_draft}/approvals", f"{draft}/approvals", {}, ("approver",)),
        ("POST", f"{of_draft}/rejections", f"{draft}/rejections", {"remark": "比例有误"}, ("approver",)),
        ("POST", f"{of_draft}/withdrawals", f"{draft}/withdrawals", {}, _DRAFTERS),
        ("POST", f"{of_draft}/publication", f"{draft}/publication", {}, _DRAFTERS),
        ("GET", of_version, "/v1/plans/2018", None, _PLAN_READERS),
        ("GET", f"{of_version}/diff", "/v1/plans/2018/diff?against=2018", None, _PLAN_READERS),
        ("POST", _LISTS, _LISTS, _LIST, ("hospital", "platform", "clerk", "approver")),
        ("GET", _LISTS, _LISTS, None, _RECONCILERS),
        ("GET", f"{_LISTS}/breaks", f"{_LISTS}/breaks", None, _RECONCILERS),
        ("GET", f"{_LISTS}/breaks/{{break_id}}", f"{_LISTS}/breaks/{_NO_DRAFT}", None, _RECONCILERS),
        ("POST", f"{_LISTS}/breaks/{{break_id}}/actions", f"{_LISTS}/breaks/{_NO_DRAFT}/actions", _ACTION, _DRAFTERS),
        ("GET", f"{of_version}/touched", "/v1/plans/2018/touched", None, ("staff", "clerk", "approver", "auditor")),
    ]
