"""One day of the demo's city: people are treated and settled, and their bills brought through the doors."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from settlement.lab.demo.bringing import DoorA
from settlement.lab.his.bills import CancelledBill, SettledBill

UNBROUGHT_SHARE = 0.06
"""Members' bills that no hospital brings (paid by telephone): the bureau's push finds them, aid goes to the card."""
HELD_QUOTE_SHARE = 0.25
"""Bills whose cash is taken on a quote that holds; the others are settled without one."""
FORGOTTEN_DATE_SHARE = 0.02
"""Stays brought without their discharge date: they are held for it."""
PUSHED_CANCELLATION_SHARE = 0.3
"""Cancellations that the hospital does not report; the bureau's push does."""


@dataclass(slots=True)
class Day:
    """Brings each bill as it is settled, and keeps what was answered to it, by the insurer's settlement id."""

    seed: int
    doors: dict[str, DoorA]
    members: frozenset[str]
    shown: Callable[[SettledBill, dict[str, Any]], None] | None = None
    answers: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    promises: int = 0
    promises_kept: int = 0

    async def bring(self, bill: SettledBill | CancelledBill) -> None:
        """Bring one bill or cancellation, or leave it to the bureau's push."""
        if isinstance(bill, CancelledBill):
            await self._bring_cancellation(bill)
            return
        chance = self._chance(bill)
        if bill.psn_no in self.members and chance.random() < UNBROUGHT_SHARE:
            self.answers[bill.setl_id] = None
            return
        if bill.infno == "2304" and chance.random() < FORGOTTEN_DATE_SHARE:
            bill.facts["discharged_on"] = None
        door = self.doors[str(bill.facts["fixmedins_code"])]
        quote = await door.hold(bill) if self._chance(bill, "hold").random() < HELD_QUOTE_SHARE else {}
        answer = await door.settle(bill)
        if quote.get("hold") is not None:
            self.promises += 1
            self.promises_kept += answer["cash_due"] == quote["cash_due"]
        self.answers[bill.setl_id] = answer
        if self.shown is not None:
            self.shown(bill, answer)

    async def _bring_cancellation(self, cancelled: CancelledBill) -> None:
        answer = self.answers.get(cancelled.original.setl_id)
        if answer is None or answer.get("id") is None:
            return
        if self._chance(cancelled.original, "cancel").random() >= PUSHED_CANCELLATION_SHARE:
            door = self.doors[str(cancelled.facts["fixmedins_code"])]
            self.answers[cancelled.original.setl_id] = await door.reverse(answer["id"], cancelled)

    def _chance(self, bill: SettledBill, what: str = "") -> Random:
        """Return the chance of one bill, from the seed and the bill itself, so that no order changes it."""
        return Random(f"{self.seed}-{bill.psn_no}-{bill.visit.at.isoformat()}-{bill.visit.total_fen}-{what}")


async def push_day(http: httpx.AsyncClient, insurer_url: str, api_url: str, token: str, date: str) -> list[Any]:
    """Have the bureau push a day's members' bills; return the result of each."""
    body = {"date": date, "url": api_url, "token": token}
    response = await http.post(f"{insurer_url}/admin/push", json=body, timeout=300)
    response.raise_for_status()
    return list(json.loads(response.content)["results"])
