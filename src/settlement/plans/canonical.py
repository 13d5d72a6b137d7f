"""Canonical JSON and its hash: one text for one value, so that equal things have equal digests for years."""

from __future__ import annotations

import hashlib
import json


def canonical_json(value: object) -> str:
    """Write plain data as JSON with sorted keys and without spaces; letters outside ASCII stay as they are."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256_hex(text: str) -> str:
    """Return the SHA-256 of a text's UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
