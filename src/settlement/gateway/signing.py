"""What a question carries to prove that the bureau let us ask: headers, by the profile's scheme."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from settlement.gateway.profile import GatewayProfile


def tif_signature(timestamp: str, secret: str, nonce: str) -> str:
    """Sign as the x-tif gateway checks it: SHA-256 over head parameters only, lower-case hex (docs/gateway.md 1.4)."""
    return hashlib.sha256(f"{timestamp}{secret}{nonce}{timestamp}".encode()).hexdigest()


def authentication_headers(
    profile: GatewayProfile, secrets: Mapping[str, str], unix_seconds: int, nonce: str
) -> dict[str, str]:
    """Return the headers of the profile's scheme; the gateway takes a timestamp within 180 seconds of its own clock."""
    if profile.authentication == "none":
        return {}
    if profile.authentication == "apikey":
        return {"apikey": secrets[profile.apikey_variable or ""]}
    timestamp, secret = str(unix_seconds), secrets[profile.tif_secret_variable or ""]
    return {
        "x-tif-paasid": secrets[profile.tif_paasid_variable or ""],
        "x-tif-timestamp": timestamp,
        "x-tif-nonce": nonce,
        "x-tif-signature": tif_signature(timestamp, secret, nonce),
    }
