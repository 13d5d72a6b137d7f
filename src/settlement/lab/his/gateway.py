"""The line to the insurer, or to whatever stands in its place: one POST per message, and what can come of it."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from httpx_aiohttp import AiohttpTransport

from settlement.lab.his.wire import read_json

HeaderMaker = Callable[[], dict[str, str]]


class Unanswered(Exception):
    """Nobody knows whether the message had its effect: no answer came, or none with an envelope."""

    def __init__(self, infno: str, msgid: str, psn_no: str, reason: str) -> None:
        super().__init__(f"{infno} {msgid}: {reason}")
        self.infno = infno
        self.msgid = msgid
        self.psn_no = psn_no
        self.reason = reason


class Refused(Exception):
    """The insurer answered with an infcode other than 0. A -1 with a message id may yet have had its effect."""

    def __init__(self, infno: str, msgid: str, psn_no: str, answer: dict[str, Any]) -> None:
        self.infno = infno
        self.msgid = msgid
        self.psn_no = psn_no
        self.infcode = int(answer["infcode"])
        self.text = str(answer.get("err_msg") or "")
        self.refmsgid = str(answer.get("inf_refmsgid") or "")
        super().__init__(f"{infno} {msgid}: {self.infcode} {self.text}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: its output with exact decimals, and the bytes as they came."""

    msgid: str
    output: dict[str, Any]
    raw: bytes


def open_client(timeout_seconds: float = 30.0, connections: int = 100) -> httpx.AsyncClient:
    """Open an HTTP client for any number of hospitals; close it with `async with` or `aclose`."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=60)
    transport = AiohttpTransport(verify=False, trust_env=False, limits=limits)
    return httpx.AsyncClient(transport=transport, timeout=timeout_seconds, trust_env=False)


def apikey_headers(key: str) -> HeaderMaker:
    """Return the maker of apikey headers."""
    return lambda: {"apikey": key}


def x_tif_headers(paasid: str, secret: str) -> HeaderMaker:
    """Return the maker of signed x-tif headers; every message gets a timestamp and nonce of its own."""

    def make() -> dict[str, str]:
        timestamp, nonce = str(int(time.time())), uuid.uuid4().hex
        signature = hashlib.sha256(f"{timestamp}{secret}{nonce}{timestamp}".encode()).hexdigest()
        return {
            "x-tif-paasid": paasid,
            "x-tif-timestamp": timestamp,
            "x-tif-nonce": nonce,
            "x-tif-signature": signature,
        }

    return make


class Gateway:
    """One address that takes messages; `path` is appended to it with the transaction number in place of {infno}."""

    def __init__(
        self,
        url: str,
        http: httpx.AsyncClient,
        path: str = "/fsi/hgs/{infno}",
        headers: HeaderMaker | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.http = http
        self._path = path
        self._headers = headers or dict

    async def post(self, message: dict[str, Any], psn_no: str = "") -> Answer:
        """Send one message once and return its answer. Raises `Refused` and `Unanswered`; never sends again."""
        infno, msgid = str(message["infno"]), str(message["msgid"])
        response = await self._send(message, psn_no)
        try:
            answer = read_json(response.content)
            succeeded = answer["infcode"] in (0, "0")
        except (ValueError, KeyError, TypeError) as error:
            raise Unanswered(infno, msgid, psn_no, f"no envelope, HTTP {response.status_code}") from error
        if not succeeded:
            raise Refused(infno, msgid, psn_no, answer)
        return Answer(msgid, answer.get("output") or {}, response.content)

    async def fetch(self, message: dict[str, Any]) -> bytes:
        """Send one message that is answered with a file, and return its bytes. Raises `Unanswered`."""
        return (await self._send(message, "")).content

    async def _send(self, message: dict[str, Any], psn_no: str) -> httpx.Response:
        body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", **self._headers()}
        url = self.url + self._path.format(infno=message["infno"])
        try:
            return await self.http.post(url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise Unanswered(str(message["infno"]), str(message["msgid"]), psn_no, repr(error)) from error
