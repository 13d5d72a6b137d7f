"""The hospital's side of door A: a token, and bills and cancellations brought with the answers it holds."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import httpx

from settlement.lab.his.bills import CancelledBill, SettledBill
from settlement.lab.his.wire import write_json
from settlement.services.access.add_client import NewClient

_TOKEN_LIVES_SECONDS = 300


class DoorA:
    """One hospital's line to the service. It repeats a command under its key when told to, as a real one would."""

    def __init__(self, http: httpx.AsyncClient, url: str, client: NewClient) -> None:
        self._http = http
        self._url = url
        self._client = client
        self._token: tuple[str, float] | None = None

    async def hold(self, bill: SettledBill) -> dict[str, Any]:
        """Ask for a promise on the figures that the insurer's trial showed; return the quote with its hold."""
        body = write_json({"output": bill.output, "visit": _visit(bill.facts), "hold": True})
        return await self._post("/v1/quotes", body, f"hold-{bill.msgid}")

    async def settle(self, bill: SettledBill) -> dict[str, Any]:
        """Bring a settled bill; return the answer."""
        body = write_json({"output": bill.output, "visit": _visit(bill.facts)})
        return await self._post("/v1/settlements", body, f"settle-{bill.msgid}")

    async def reverse(self, bill_id: str, cancelled: CancelledBill) -> dict[str, Any]:
        """Bring the insurer's cancellation of a bill; return the answer."""
        body = write_json({"reason": "refund", "cancellation": cancelled.output})
        return await self._post(f"/v1/settlements/{bill_id}/reversals", body, f"reverse-{cancelled.msgid}")

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Read something; return the answer."""
        response = await self._http.get(f"{self._url}{path}", params=query, headers=await self._headers())
        response.raise_for_status()
        return dict(response.json())

    async def token(self) -> str:
        """Return a token, a fresh one when the last has grown old."""
        now = asyncio.get_running_loop().time()
        if self._token is None or self._token[1] < now:
            form = {
                "grant_type": "client_credentials",
                "client_id": self._client.client.client_id,
                "client_secret": self._client.secret,
            }
            response = await self._http.post(f"{self._url}/oauth/token", data=form)
            response.raise_for_status()
            self._token = (str(response.json()["access_token"]), now + _TOKEN_LIVES_SECONDS)
        return self._token[0]

    async def _post(self, path: str, body: str, key: str) -> dict[str, Any]:
        headers = {**await self._headers(), "Idempotency-Key": key, "Content-Type": "application/json"}
        while True:
            response = await self._http.post(f"{self._url}{path}", content=body.encode(), headers=headers)
            if "Retry-After" not in response.headers:
                break
            await asyncio.sleep(random.uniform(0.1, float(response.headers["Retry-After"])))
        if response.is_error:
            raise RuntimeError(f"{path} was refused: {response.text}")
        return dict(json.loads(response.content))

    async def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {await self.token()}"}


def _visit(facts: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in facts.items() if value is not None and name != "init_setl_id"}
