"""The steps of a bill's life in words that a cashier understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from settlement.domain.sentences import Language, sentence

_OF_REASON = {"settlement.revised.v1": "revision"}


def step_in_words(type_: str, payload: Mapping[str, Any], language: Language) -> str:
    """Say an event in words; what its payload holds as codes is said in words too."""
    codes = {
        "question": payload.get("question"),
        "reason": f"{_OF_REASON.get(type_, 'reversal')}_{payload['reason']}" if "reason" in payload else None,
        "outcome": f"known_{payload['outcome']}" if "outcome" in payload else None,
        "source": f"source_{payload.get('seen_by') or payload.get('by')}" if {"seen_by", "by"} & set(payload) else None,
    }
    words = {name: sentence(code, language) for name, code in codes.items() if code}
    return sentence(type_, language, **{**payload, **words})
