"""The simulated insurer, called in process: by the hospitals without a fault, by our own questions as the seed says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import httpx

from settlement.lab.chaos.points import AFTER, BEFORE
from settlement.lab.chaos.steering import Mortal, Steering
from settlement.lab.his import inputs
from settlement.lab.his.bills import CancelledBill, Facts, OpenVisit, SettledBill
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
_SILENCE_SECONDS = 3600
_BAD_GATEWAY = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
T = TypeVar("T")

_FOREIGN = b'{"code":500159,"success":false,"message":"\xe7\xb3\xbb\xe7\xbb\x9f\xe7\xb9\x81\xe5\xbf\x99"}'


class _Counter(Gateway):
    """The hospitals' own line, straight to the platform: what is simulated is what comes of it at our doors."""

    def __init__(self, platform: Platform) -> None:
        super().__init__("http://insurer", httpx.AsyncClient(verify=False))
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


@dataclass(frozen=True, slots=True)
class Sent:
    """A settlement on its way to the insurer, who takes it up later or never."""

    hospital: Hospital
    visit: OpenVisit
    message: dict[str, Any]
    facts: Facts

    def arrive(self) -> SettledBill:
        """Have the insurer settle it; its answer reaches nobody."""
        answer = _at_once(self.hospital.gateway.post(self.message, self.visit.person.psn_no))
        infno, msgid = self.message["infno"], self.message["msgid"]
        return SettledBill(infno, answer.output, answer.raw, self.facts, self.visit.person, self.visit, msgid)


class InsurerCity:
    """The city's insurer of one history with two hospitals; amounts come from its policy, dates from the caller."""

    def __init__(self, folder: Path) -> None:
        self.platform = Platform(InsurerOptions(folder, persons=PERSONS, clock="message"), TRANSACTIONS)
        counter = _Counter(self.platform)
        self._hospital_of: dict[str, Hospital] = {}
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

    def treat(
        self,
        person: Person,
        rng: Random,
        at: datetime,
        most_fen: int = 200_000,
        *,
        inpatient: bool | None = None,
    ) -> OpenVisit:
        """Have a hospital treat a person and make the trial with the insurer at a wall-clock time of China."""
        hospital = rng.choice(self.hospitals)
        use_account = rng.random() < 0.5
        total = min(visit_total(rng), most_fen)
        stays = most_fen == 200_000 and rng.randrange(100) < _STAYS_OF_100
        if stays if inpatient is None else inpatient:
            admitted = at - timedelta(days=rng.randint(1, 5))
            visit = _at_once(
                hospital.begin_stay(person, stay_lines(rng, total + 100_000, 3), admitted, at, "21", use_account)
            )
        else:
            visit = _at_once(hospital.begin_outpatient(person, visit_lines(rng, total), "11", use_account, at))
        self._hospital_of[visit.mdtrt_id] = hospital
        return visit

    def settle(self, visit: OpenVisit) -> SettledBill:
        """Have the hospital settle a visit with the insurer."""
        return _at_once(self._hospital_of[visit.mdtrt_id].settle(visit))

    def facts_of(self, visit: OpenVisit) -> Facts:
        """Return the facts of a visit that is not settled yet."""
        return self._hospital_of[visit.mdtrt_id].facts_of(visit, f"trial-{visit.ipt_otp_no}", "")

    def message_id(self, visit: OpenVisit) -> str:
        """Return the id of a message of the visit's hospital that the insurer never gets."""
        message = self._hospital_of[visit.mdtrt_id].message("2207", {}, visit.person, visit.at)
        return str(message["msgid"])

    def presettle(self, visit: OpenVisit) -> None:
        """Have the hospital make the trial anew."""
        _at_once(self._hospital_of[visit.mdtrt_id].presettle(visit))

    def send(self, visit: OpenVisit) -> Sent:
        """Have the hospital send a settlement that the insurer has not taken up yet."""
        hospital, receipt_no = self._hospital_of[visit.mdtrt_id], f"late-{visit.ipt_otp_no}"
        infno = "2304" if visit.inpatient else "2207"
        message = hospital.message(infno, inputs.settlement(visit, receipt_no), visit.person, visit.at)
        return Sent(hospital, visit, message, hospital.facts_of(visit, message["msgid"], receipt_no))

    def refund_part(self, visit: OpenVisit, rng: Random, at: datetime) -> OpenVisit:
        """Have the hospital charge a visit whose bill was cancelled anew, less of it than before; the trial is made."""
        hospital, again = self._hospital_of[visit.mdtrt_id], replace(visit, at=at)
        _at_once(hospital.delete_fees(again))
        again.fee_lines = visit_lines(rng, max(1_000, visit.total_fen * rng.randint(40, 95) // 100))
        _at_once(hospital.send("2204", inputs.visit_fees(again), again.person, at))
        _at_once(hospital.presettle(again))
        return again

    def settle_anew(self, visit: OpenVisit, at: datetime) -> OpenVisit:
        """Have the hospital make the trial of a visit or stay whose bill was cancelled again, as another payment."""
        again = replace(visit, use_account=not visit.use_account)
        again.at = visit.at if visit.inpatient else at
        _at_once(self._hospital_of[visit.mdtrt_id].presettle(again))
        return again

    def register_anew(self, visit: OpenVisit, at: datetime) -> OpenVisit:
        """Have the hospital register the same visit a second time under its own number, while the first bill lives."""
        hospital, person = self._hospital_of[visit.mdtrt_id], visit.person
        node = inputs.registration(person, visit.ipt_otp_no, at)
        answer = _at_once(hospital.send("2201", node, person, at))
        again = replace(
            visit, mdtrt_id=str(answer.output["data"]["mdtrt_id"]), use_account=not visit.use_account, at=at
        )
        _at_once(hospital.send("2203A", inputs.visit_information(again), person, at))
        _at_once(hospital.send("2204", inputs.visit_fees(again), person, at))
        _at_once(hospital.presettle(again))
        self._hospital_of[again.mdtrt_id] = hospital
        return again

    def undo_cancellation(self, cancelled: CancelledBill, at: datetime) -> None:
        """Have the hospital take a cancellation back (2601), so that the settlement lives again."""
        bill = cancelled.original
        hospital = self._hospital_of[bill.visit.mdtrt_id]
        _at_once(hospital.reverse(bill.person, cancelled.msgid, cancelled.infno, at))

    def cancel(self, bill: SettledBill, at: datetime) -> CancelledBill:
        """Have the hospital cancel a settlement with the insurer.

        At the present time: by it we tell a cancellation from an earlier one that was undone.
        """
        hospital = next(each for each in self.hospitals if each.code == bill.facts["fixmedins_code"])
        return _at_once(hospital.cancel(bill, at))

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
