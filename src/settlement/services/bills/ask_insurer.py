"""Asking the insurer by 5203 what became of one settlement: a question, outside any transaction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from settlement.domain.errors import GatewayUnavailable
from settlement.gateway.client import GatewayClient, Place
from settlement.gateway.mapping import Fetched, from_5203
from settlement.gateway.messages import SettlementQuestion
from settlement.gateway.outcome import Answered, NoAnswer, NotSent, Refused
from settlement.services.bills.errors import GatewayNotAsked, InsurerRefused, MessageUnreadable


async def ask_settlement(
    line: GatewayClient, *, insured_person_no: str, insurer_settlement_id: str, encounter_id: str, place: Place
) -> tuple[Fetched, Mapping[str, Any]]:
    """Return what 5203 says, read and as received.

    Raises `GatewayNotAsked` where the bureau issued no credentials, `InsurerRefused`, and `GatewayUnavailable` when
    there was no answer; in each case nothing was changed.
    """
    if not line.can_ask:
        raise GatewayNotAsked
    question = SettlementQuestion(psn_no=insured_person_no, setl_id=insurer_settlement_id, mdtrt_id=encounter_id)
    outcome = await line.ask_settlement(question, place)
    if isinstance(outcome, Refused):
        raise InsurerRefused(insurer_text=outcome.message)
    if not isinstance(outcome, Answered):
        raise unavailable(outcome)
    fetched = from_5203(outcome.output, line.profile)
    if not isinstance(fetched, Fetched):
        raise MessageUnreadable(field=fetched.field, problem=fetched.problem)
    return fetched, outcome.output


def unavailable(outcome: NotSent | NoAnswer) -> GatewayUnavailable:
    """Return the refusal for a question without an answer, with the seconds after which to ask again if known."""
    if isinstance(outcome, NotSent) and outcome.retry_after_seconds is not None:
        return GatewayUnavailable(outcome.reason, retry_after_seconds=math.ceil(outcome.retry_after_seconds))
    return GatewayUnavailable(outcome.reason)
