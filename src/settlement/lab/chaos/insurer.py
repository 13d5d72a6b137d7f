"""The simulated insurer, called in process: by the hospitals without a fault, by our own questions as the seed says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import httpx

from settlement.lab.chaos.points import AFTER, BEFORE
from settlement.lab.chaos.steering import Mortal, Steering
from settlement.lab.his.bills import CancelledBill, SettledBill
from settlement.lab.his.costs import stay_lines, visit_lines, visit_total
from settlement.lab.his.gateway import Gateway
from settlement.lab.his.hospital import Hospital
from settlement.lab.his.people import Person
from settlement.lab.his.wire import read_json
from settlement.lab.insurer.bureau import day_lines
from settlement.lab.insurer.desk import answer_request, answer_with_error, read_request
from settlement.lab.insurer.options import InsurerOptions
from settlement.lab.insurer.platform import Platform
from settlement.lab.insurer.transactions import TRANSACTIONS

PERSONS = 40
HOSPITALS = 2
_STAYS_OF_100 = 20
_HOURS_TO_CANCEL = 1
_SILENCE_SECONDS = 3600
_BAD_GATEWAY = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
T = TypeVar("T")

_FOREIGN = b'{"code":500159,"success":false,"message":"\xe7\xb3\xbb\xe7\xbb\x9f\xe7\xb9\x81\xe5\xbf\x99"}'


class _Counter(Gateway):
    """The hospitals' own line, straight to the platform: what is simulated is what comes of it at our doors."""

    def __init__(self, platform: Platform) -> None:
        super().__init__("http://insurer", httpx.AsyncClient())
        self._platform = platform

    async def _send(self, message: dict[str, Any], psn_no: str) -> httpx.Response:
        body = json.dumps(message, ensure_ascii=False).encode()
        path = self._path.format(infno=message["infno"])
        return httpx.Response(200, content=answer_request(self._platform, read_request(path, body)).text.encode())


def _at_once(walk: Coroutine[Any, Any, T]) -> T:
    """Run what a hospital does to its end in one step: it waits for nobody, since its line answers at once."""
    try:
        walk.send(None)
    except StopIteration as ended:
        done: T = ended.value
        return done
    raise RuntimeError("a hospital waits for something")


class InsurerCity:
    """The city's insurer of one history with two hospitals; amounts come from its policy, dates from the caller."""

    def __init__(self, folder: Path) -> None:
        self.platform = Platform(InsurerOptions(folder, persons=PERSONS, clock="message"), TRANSACTIONS)
        counter = _Counter(self.platform)
        self.hospitals = [
            Hospital(each.fixmedins_code, each.fixmedins_name, each.level, self.platform.options.area, counter)
            for each in self.platform.hospitals[:HOSPITALS]
        ]

    def persons(self) -> list[Person]:
        """Return the insured persons of the city as its hospitals know them: active employees insured here."""
        rows = [person._asdict() | {"balance_fen": person.account_fen} for person in self.platform.persons]
        home = self.platform.options.area[:4]
        known = [Person.from_row(row) for row in rows if not row["psn_idet_type"]]
        return [
            person
            for person in known
            if person.insutype == "310" and person.psn_type.startswith("11") and person.insuplc_admdvs[:4] == home
        ]

    def set_members(self, persons: list[Person]) -> None:
        """Tell the bureau whose bills go into its file."""
        self.platform.set_members(sorted(f"{person.psn_cert_type}:{person.certno}" for person in persons))

    def settle(self, person: Person, rng: Random, at: datetime) -> SettledBill:
        """Have a hospital treat a person and settle with the insurer at a wall-clock time of China."""
        hospital = rng.choice(self.hospitals)
        use_account = rng.random() < 0.5
        total = min(visit_total(rng), 200_000)
        if rng.randrange(100) < _STAYS_OF_100:
            admitted = at - timedelta(days=rng.randint(1, 5))
            lines = stay_lines(rng, total + 100_000, 3)
            return _at_once(hospital.stay(person, lines, admitted, at, "21", use_account))
        return _at_once(hospital.outpatient(person, visit_lines(rng, total), "11", use_account, at))

    def cancel(self, bill: SettledBill) -> CancelledBill:
        """Have the hospital cancel a settlement with the insurer, an hour after it."""
        hospital = next(each for each in self.hospitals if each.code == bill.facts["fixmedins_code"])
        return _at_once(hospital.cancel(bill, bill.visit.at + timedelta(hours=_HOURS_TO_CANCEL)))

    def file(self, days: list[str]) -> list[dict[str, object]]:
        """Return the bureau's lines of members' bills and cancellations on these days, in their order."""
        return [read_json(line) for day in days for line in day_lines(self.platform, day)]


@dataclass(frozen=True, slots=True)
class InsurerLine(httpx.AsyncBaseTransport):
    """Our own line to the insurer: a process asks, and the seed decides what comes of it."""

    platform: Platform
    steering: Steering
    process: Mortal

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a question, or fail as the seed says."""
        asked = read_request(request.url.path, request.content)
        point = f"gateway.{asked.infno}"
        fault = await self.steering.stop(self.process, point, BEFORE)
        kind = fault.kind if fault else ""
        if kind == "gateway_refuses_connection":
            raise httpx.ConnectError("chaos: refused", request=request)
        if kind == "gateway_silent":
            await asyncio.sleep(_SILENCE_SECONDS)
        answered = answer_with_error if kind == "gateway_error_after" else answer_request
        content = answered(self.platform, asked).text.encode()
        await self.steering.stop(self.process, point, AFTER)
        if kind == "gateway_lost_after":
            raise httpx.ReadError("chaos: lost", request=request)
        if kind == "gateway_http_error":
            return httpx.Response(502, content=_BAD_GATEWAY, request=request)
        bodies = {"gateway_empty_body": b"", "gateway_no_envelope": _FOREIGN}
        return httpx.Response(200, content=bodies.get(kind, content), request=request)
