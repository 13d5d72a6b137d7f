"""The gateway in front of the platform: no authentication, an apikey, or signed x-tif headers."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable

from settlement.lab.insurer.options import AuthKind
from settlement.lab.insurer.wire import encode

WINDOW_SECONDS = 180
_INCOMPLETE = "鉴权参数不完整，请求不合法。"
_WRONG = "鉴权失败，鉴权信息有误。"

Headers = Iterable[tuple[bytes, bytes]]


def x_tif_signature(timestamp: str, secret: str, nonce: str) -> str:
    """Return the lower-case hex signature of the x-tif scheme (national interface, endpoint headers)."""
    return hashlib.sha256(f"{timestamp}{secret}{nonce}{timestamp}".encode()).hexdigest()


def check_auth(kind: AuthKind, secret: str, headers: Headers, clock: Callable[[], float] = time.time) -> str | None:
    """Return the body of the HTTP 500 that turns a request away, or None when it may pass.

    A signed request may be at most 180 seconds off the gateway's own clock, in either direction.
    """
    if kind == "none":
        return None
    sent = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
    if kind == "apikey":
        reason = None if sent.get("apikey") == secret else (_WRONG if sent.get("apikey") else _INCOMPLETE)
    else:
        reason = _check_x_tif(sent, secret, clock())
    return None if reason is None else encode({"code": 400001, "msg": reason})


def _check_x_tif(sent: dict[str, str], secret: str, now: float) -> str | None:
    names = ("x-tif-paasid", "x-tif-timestamp", "x-tif-nonce", "x-tif-signature")
    if not all(sent.get(name) for name in names):
        return _INCOMPLETE
    timestamp = sent["x-tif-timestamp"]
    if not timestamp.isdigit() or abs(now - int(timestamp)) > WINDOW_SECONDS:
        return _WRONG
    expected = x_tif_signature(timestamp, secret, sent["x-tif-nonce"])
    return None if sent["x-tif-signature"].lower() == expected else _WRONG
