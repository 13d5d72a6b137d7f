"""The operator's endpoints: look at the city, tell the bureau its members, set faults and switches, get its file."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from settlement.lab.insurer.bureau import certificate_key, push_day, write_day_file
from settlement.lab.insurer.catalogue import CATALOGUE
from settlement.lab.insurer.faults import UnknownFault, read_fault
from settlement.lab.insurer.persons import Person
from settlement.lab.insurer.platform import Platform
from settlement.lab.insurer.records import Settlement
from settlement.lab.insurer.switches import UnknownSwitch

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

Endpoint = Callable[[Request], Awaitable[Response]]


class _BadRequest(ValueError):
    """The operator asked for something that the simulator does not understand."""


def admin_app(platform: Platform) -> Starlette:
    """Return the application behind /admin."""
    admin = _Admin(platform)
    routes = [
        Route("/admin/persons", _guarded(admin.list_persons), methods=["GET"]),
        Route("/admin/hospitals", _guarded(admin.list_hospitals), methods=["GET"]),
        Route("/admin/catalogue", _guarded(admin.list_catalogue), methods=["GET"]),
        Route("/admin/members", _guarded(admin.put_members), methods=["PUT"]),
        Route("/admin/faults", _guarded(admin.faults), methods=["GET", "POST", "DELETE"]),
        Route("/admin/switches", _guarded(admin.switches), methods=["GET", "PUT"]),
        Route("/admin/file", _guarded(admin.get_file), methods=["GET"]),
        Route("/admin/push", _guarded(admin.push), methods=["POST"]),
        Route("/admin/settlements", _guarded(admin.list_settlements), methods=["GET"]),
        Route("/admin/stats", _guarded(admin.stats), methods=["GET"]),
    ]
    return Starlette(routes=routes)


class _Admin:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def list_persons(self, request: Request) -> Response:
        offset, limit = _page(request)
        persons = self._platform.persons
        rows = [self._person_row(person) for person in persons[offset : offset + limit]]
        return JSONResponse({"total": len(persons), "persons": rows})

    async def list_hospitals(self, request: Request) -> Response:
        rows = [hospital._asdict() | {"area": self._platform.options.area} for hospital in self._platform.hospitals]
        return JSONResponse({"total": len(rows), "hospitals": rows})

    async def list_catalogue(self, request: Request) -> Response:
        return JSONResponse({"items": [item._asdict() for item in CATALOGUE.values()]})

    async def put_members(self, request: Request) -> Response:
        body = await _json(request)
        rows = body.get("members") if isinstance(body, dict) else body
        if not isinstance(rows, list):
            raise _BadRequest("members must be a list of {psn_cert_type, certno}")
        try:
            keys = sorted({certificate_key(str(row["psn_cert_type"]), str(row["certno"])) for row in rows})
        except (KeyError, TypeError) as error:
            raise _BadRequest("every member needs psn_cert_type and certno") from error
        self._platform.set_members(keys)
        return JSONResponse({"members": len(keys)})

    async def faults(self, request: Request) -> Response:
        faults = self._platform.faults
        if request.method == "DELETE":
            faults.clear()
        elif request.method == "POST":
            body = await _json(request)
            for values in body if isinstance(body, list) else [body]:
                faults.add(read_fault(values))
        return JSONResponse({"faults": faults.as_list()})

    async def switches(self, request: Request) -> Response:
        if request.method == "PUT":
            self._platform.set_switches(await _json(request))
        return JSONResponse(self._platform.switches.as_dict())

    async def get_file(self, request: Request) -> Response:
        _, text = write_day_file(self._platform, _day(request.query_params.get("date")))
        return Response(text, media_type="application/x-ndjson; charset=utf-8")

    async def push(self, request: Request) -> Response:
        body = await _json(request)
        day = _day(body.get("date"))
        try:
            record = await push_day(self._platform, day, str(body.get("url")), str(body.get("token", "")))
        except httpx.HTTPError as error:
            return JSONResponse({"error": f"the service did not answer: {error!r}"}, status_code=502)
        return JSONResponse(record)

    async def list_settlements(self, request: Request) -> Response:
        offset, limit = _page(request)
        psn_no = request.query_params.get("psn_no", "")
        rows = [row for row in self._platform.state.settlements.values() if psn_no in ("", row.psn_no)]
        refunds = [refund for refund in self._platform.state.refunds.values() if refund.state == "live"]
        cancelled_by = {refund.init_setl_id: refund.setl_id for refund in refunds}
        shown = [
            self._settlement_row(row) | {"cancelled_by": cancelled_by.get(row.setl_id)}
            for row in rows[offset : offset + limit]
        ]
        return JSONResponse({"total": len(rows), "settlements": shown})

    async def stats(self, request: Request) -> Response:
        platform = self._platform
        return JSONResponse(
            {
                "persons": len(platform.persons),
                "hospitals": len(platform.hospitals),
                "members": len(platform.members),
                "exchanges": platform.raw.exchange_count,
                "messages": platform.message_counts,
                "visits": dict(Counter(visit.state for visit in platform.state.visits.values())),
                "settlements": dict(Counter(row.state for row in platform.state.settlements.values())),
                "refunds": dict(Counter(row.state for row in platform.state.refunds.values())),
                "late": sorted(platform.late),
            }
        )

    def _person_row(self, person: Person) -> dict[str, Any]:
        return person._asdict() | {"balance_fen": self._platform.balance(person)}

    def _settlement_row(self, row: Settlement) -> dict[str, Any]:
        amounts = row.amounts
        visit = self._platform.state.visits[row.mdtrt_id]
        return {
            "setl_id": row.setl_id,
            "infno": row.infno,
            "state": row.state,
            "mdtrt_id": row.mdtrt_id,
            "psn_no": row.psn_no,
            "msgid": row.msgid,
            "setl_time": row.setl_time,
            "fixmedins_code": visit.fixmedins_code,
            "chrg_bchno": row.chrg_bchno,
            "medfee_sumamt_fen": amounts.medfee_sumamt,
            "fund_pay_sumamt_fen": amounts.fund_pay_sumamt,
            "hosp_part_amt_fen": amounts.hosp_part_amt,
            "psn_part_amt_fen": amounts.psn_part_amt,
            "acct_pay_fen": amounts.acct_pay,
            "psn_cash_pay_fen": amounts.psn_cash_pay,
        }


def _guarded(endpoint: Endpoint) -> Endpoint:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except (_BadRequest, UnknownFault, UnknownSwitch) as error:
            return JSONResponse({"error": str(error)}, status_code=422)

    return answer


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except ValueError as error:
        raise _BadRequest("the body is not JSON") from error


def _page(request: Request) -> tuple[int, int]:
    try:
        return int(request.query_params.get("offset", 0)), int(request.query_params.get("limit", 100_000))
    except ValueError as error:
        raise _BadRequest("offset and limit must be whole numbers") from error


def _day(text: object) -> str:
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        raise _BadRequest("date must be yyyy-MM-dd")
    return text
