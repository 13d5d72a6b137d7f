"""Tills of hospitals that go on whatever is killed: they quote, settle, cancel, and repeat what was not answered."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import httpx

from settlement.lab.his.bills import CancelledBill, OpenVisit, SettledBill
from settlement.lab.his.clock import now
from settlement.lab.his.costs import stay_lines, stay_total, visit_lines, visit_total
from settlement.lab.his.gateway import Refused, Unanswered
from settlement.lab.his.hospital import Hospital
from settlement.lab.his.people import Person
from settlement.lab.his.wire import write_json
from settlement.services.access.add_client import NewClient

Json = dict[str, Any]

STAYS, CANCELLED, TWICE_AT_ONCE, WITHOUT_HOLD = 0.2, 0.2, 0.1, 0.15
"""Shares of the visits: that are stays, that are cancelled again, whose settlement is sent twice at once, …"""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """One answer that a till has in hand: from here on it must be true."""

    kind: str
    key: str
    status: int
    answer: Json


@dataclass(frozen=True, slots=True)
class Shown:
    """What a patient was shown before he paid, and what he was charged."""

    quote: Json
    settled: Json
    figures_equal: bool


@dataclass(slots=True)
class Diary:
    """What one till did and saw."""

    acknowledged: list[Acknowledged] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    settled: dict[str, Json] = field(default_factory=dict)
    """By the insurer's settlement id: the answer to the bill that was brought."""
    reversed: dict[str, Json] = field(default_factory=dict)
    lost_settlements: dict[str, Json] = field(default_factory=dict)
    """By message id: the answer to the report that the insurer had not answered it."""
    lost_cancellations: dict[str, Json] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


class ServiceLine:
    """One hospital's line to the service behind several addresses: it repeats a command until it is answered."""

    def __init__(
        self, http: httpx.AsyncClient, urls: Sequence[str], client: NewClient, chance: Random, diary: Diary
    ) -> None:
        self._http = http
        self._urls = urls
        self._client = client
        self._chance = chance
        self._diary = diary
        self._token: str | None = None

    async def command(self, kind: str, path: str, body: Json, key: str) -> Json:
        """Send a command until it is acknowledged, always under the same key; return the answer."""
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        response = await self._answered("POST", path, kind, content=write_json(body).encode(), headers=headers)
        answer: Json = json.loads(response.content)
        self._diary.acknowledged.append(Acknowledged(kind, key, response.status_code, answer))
        self._diary.counts[f"acknowledged {kind}"] += 1
        self._diary.counts["replayed"] += "Idempotent-Replayed" in response.headers
        return answer

    async def get(self, path: str) -> Json:
        """Read something, as often as it takes."""
        return dict(json.loads((await self._answered("GET", path, "reading")).content))

    async def _answered(self, method: str, path: str, kind: str, **request: Any) -> httpx.Response:
        for tries in range(1_000_000):
            self._diary.counts["repeated"] += bool(tries) and method == "POST"
            response = await self._sent(method, path, **request)
            if response is not None and response.is_success:
                return response
            if response is not None:
                code = response.json().get("code", "")
                self._diary.counts[f"refused {response.status_code} {code}"] += 1
                assert response.status_code in (401, 503) or code in ("in_progress", "busy"), f"{kind}: {response.text}"
            await asyncio.sleep(self._chance.uniform(0.1, 0.6))
        raise AssertionError("unreachable")

    async def _sent(self, method: str, path: str, **request: Any) -> httpx.Response | None:
        """Send to one of the addresses, as a balancer would; `None` when no answer came."""
        url = self._chance.choice(self._urls)
        try:
            if self._token is None:
                form = {
                    "grant_type": "client_credentials",
                    "client_id": self._client.client.client_id,
                    "client_secret": self._client.secret,
                }
                given = await self._http.post(f"{url}/oauth/token", data=form)
                if given.is_error:
                    return given
                self._token = str(given.json()["access_token"])
            headers = request.pop("headers", {}) | {"Authorization": f"Bearer {self._token}"}
            response = await self._http.request(method, f"{url}{path}", headers=headers, **request)
        except httpx.HTTPError:
            self._diary.counts["not reached, or answer lost"] += 1
            return None
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._token = None
        return response


@dataclass(slots=True)
class Till:
    """One till of one hospital. It treats one patient after the other until it is told to stop."""

    hospital: Hospital
    line: ServiceLine
    members: Sequence[Person]
    chance: Random
    diary: Diary
    pause_seconds: float

    async def work(self, stop: asyncio.Event) -> None:
        """Treat patients until told to stop; the one who is at the till is served to the end."""
        while not stop.is_set():
            visit = await self._begun()
            if visit is not None:
                await self._serve(visit)
            await asyncio.sleep(self.chance.uniform(0, self.pause_seconds))

    async def _begun(self) -> OpenVisit | None:
        """Begin a visit or a stay; one whose beginning the insurer did not answer is given up, nothing was paid."""
        person, chance, at = self.chance.choice(self.members), self.chance, now().replace(microsecond=0)
        try:
            if chance.random() >= STAYS:
                return await self.hospital.begin_outpatient(person, visit_lines(chance, visit_total(chance)), at=at)
            days = chance.randint(2, 12)
            lines = stay_lines(chance, stay_total(chance), days)
            return await self.hospital.begin_stay(person, lines, at - timedelta(days=days), at)
        except (Unanswered, Refused) as failed:
            self.diary.counts[f"visits given up ({type(failed).__name__.lower()})"] += 1
            return None

    async def _serve(self, visit: OpenVisit) -> None:
        quote = await self._quote(visit) if self.chance.random() >= WITHOUT_HOLD else None
        try:
            bill = await self.hospital.settle(visit)
        except (Unanswered, Refused) as lost:
            await self._report_settlement(visit, lost.infno, lost.msgid)
            return
        answer = await self._settle(bill)
        self.diary.settled[bill.setl_id] = answer
        if quote is not None and quote.get("hold"):
            self.diary.shown.append(Shown(quote, answer, _same_figures(visit.trial, bill.output)))
        if answer.get("id") and self.chance.random() < CANCELLED:
            await self._cancel(bill, answer)

    async def _quote(self, visit: OpenVisit) -> Json:
        body = {"output": visit.trial, "visit": self._facts(visit), "hold": True}
        return await self.line.command("quote", "/v1/quotes", body, f"quote-{visit.mdtrt_id}")

    async def _settle(self, bill: SettledBill) -> Json:
        """Bring a bill; now and then twice at the same moment, as an impatient cashier does."""
        facts = {name: value for name, value in bill.facts.items() if value is not None}
        body = {"output": bill.output, "visit": facts}
        times = 2 if self.chance.random() < TWICE_AT_ONCE else 1
        key = f"settle-{bill.msgid}"
        answers = await asyncio.gather(
            *(self.line.command("settlement", "/v1/settlements", body, key) for _ in range(times))
        )
        assert all(answer == answers[0] for answer in answers), f"{key} was answered differently"
        self.diary.counts["sent twice at once"] += times - 1
        return answers[0]

    async def _cancel(self, bill: SettledBill, answer: Json) -> None:
        try:
            cancelled = await self.hospital.cancel(bill)
        except (Unanswered, Refused) as lost:
            report = self._report(bill.visit, lost.infno, lost.msgid) | {"setl_id": bill.setl_id}
            self.diary.lost_cancellations[bill.setl_id] = await self._send_report(report)
            return
        self.diary.reversed[bill.setl_id] = await self._reverse(answer["id"], cancelled)

    async def _reverse(self, bill_id: str, cancelled: CancelledBill) -> Json:
        body = {"reason": "refund", "cancellation": cancelled.output}
        path = f"/v1/settlements/{bill_id}/reversals"
        return await self.line.command("reversal", path, body, f"reverse-{cancelled.msgid}")

    async def _report_settlement(self, visit: OpenVisit, infno: str, msgid: str) -> None:
        self.diary.lost_settlements[msgid] = await self._send_report(self._report(visit, infno, msgid))

    async def _send_report(self, report: Json) -> Json:
        return await self.line.command("report", "/v1/pending-messages", report, f"report-{report['msgid']}")

    def _report(self, visit: OpenVisit, infno: str, msgid: str) -> Json:
        ids = {"infno": infno, "msgid": msgid, "psn_no": visit.person.psn_no, "mdtrt_id": visit.mdtrt_id}
        return ids | {"visit": self._facts(visit)}

    def _facts(self, visit: OpenVisit) -> Json:
        facts = {
            "mdtrtarea_admvs": self.hospital.area,
            "fixmedins_code": self.hospital.code,
            "chrg_bchno": visit.chrg_bchno,
            "insuplc_admdvs": visit.person.insuplc_admdvs,
            "recer_sys_code": self.hospital.system_code,
            "pay_loc": "2",
        }
        if visit.admitted_at and visit.discharged_at:
            facts["admitted_on"] = f"{visit.admitted_at:%Y-%m-%d}"
            facts["discharged_on"] = f"{visit.discharged_at:%Y-%m-%d}"
        return facts


def _same_figures(trial: Json, settled: Json) -> bool:
    """Say whether a settlement says what its trial said, in every amount that both name; the balance changes by it."""
    before, after = trial["setlinfo"], settled["setlinfo"]
    amounts = {name for name, value in before.items() if isinstance(value, Decimal)} - {"balc"}
    both = {name for name in amounts if isinstance(after.get(name), Decimal)}
    assert both >= {"medfee_sumamt", "psn_cash_pay", "fund_pay_sumamt"}
    return all(before[name] == after[name] for name in both)
