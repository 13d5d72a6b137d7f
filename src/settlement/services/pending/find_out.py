"""Find out what became of a bill or a message: from our own records, else from the insurer. We ask, we never act there.

What the insurer says has its effect here as through any door: a bill is confirmed, settled to the card, or reversed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from settlement.db import bills
from settlement.db.engine import fund_transaction
from settlement.db.messages import find_message
from settlement.db.pending import Leased, find_bill_of_message
from settlement.domain.bills import Visit
from settlement.domain.errors import GatewayUnavailable, SettlementError
from settlement.domain.ids import BillId, ClientId
from settlement.domain.pending import ACTOR, Asks, Said
from settlement.domain.settlements import BillHead, BillState, Door, ReversalReason
from settlement.gateway.client import GatewayClient, Place
from settlement.gateway.mapping import Fetched, SettledLines, from_5204, read_settlement, read_visit
from settlement.gateway.messages import FeeQuestion
from settlement.gateway.outcome import Answered, Refused
from settlement.gateway.readings import Cancellation, Unreadable
from settlement.services.bills.ask_insurer import ask_settlement, unavailable
from settlement.services.bills.commands import Brought, Caller, SettleBill
from settlement.services.bills.errors import GatewayNotAsked, InsurerRefused
from settlement.services.bills.reverse_bill import BY_5203, AskedTooEarly, Seen, undo
from settlement.services.bills.settle_bill import settle_bill
from settlement.services.funds.rules import FundRules
from settlement.services.members.queue import MemberBusy
from settlement.services.resources import Resources
from settlement.services.transactions import CommandInProgress, NotRecorded

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FoundOut:
    """What was said, and the bill that it is about where that is another one than the question's."""

    said: Said
    bill_id: BillId | None = None


def asker_of(rules: FundRules) -> Caller:
    """Return in whose name the answers to a fund's questions are recorded."""
    fund_id = rules.fund.fund_id
    return Caller(ClientId(f"{fund_id}.{ACTOR}"), fund_id, frozenset())


@dataclass(frozen=True, slots=True)
class Asking:
    """One asker of a fund: its connections, its line to the insurer, and in whose name it records."""

    resources: Resources
    rules: FundRules
    line: GatewayClient
    caller: Caller

    async def find_out(self, leased: Leased) -> FoundOut:
        """Return what is known of a question's matter now. What cannot be done leaves it undecided."""
        try:
            if leased.question.asks is Asks.SETTLEMENT:
                return await self._message(leased.question.bill_id)
            return FoundOut(await self._bill(leased.question.bill_id, leased.question.asks))
        except (GatewayUnavailable, NotRecorded, CommandInProgress, MemberBusy, AskedTooEarly):
            return FoundOut(Said.NOTHING)
        except GatewayNotAsked:
            return FoundOut(Said.UNCLEAR)
        except InsurerRefused as refused:
            text = str(refused.figures.get("insurer_text", ""))
            return FoundOut(Said.NOT_FOUND if self.rules.profile.says_not_found(text) else Said.UNCLEAR)
        except SettlementError as refused:
            log.warning("pending.undecided", bill_id=str(leased.question.bill_id), code=refused.code)
            return FoundOut(Said.UNCLEAR)

    async def _bill(self, bill_id: BillId, asks: Asks) -> Said:
        head, message = await self._head_and_message(bill_id, "settlement")
        if head.state not in (BillState.LIVE, BillState.HELD):
            return Said.CANCELLED
        if asks is Asks.BILL and head.confirmed_at is not None:
            return Said.LIVE
        if message is None:
            return Said.UNCLEAR
        bill, visit = read_settlement(message["output"], self.rules.profile), read_visit(message["facts"])
        if isinstance(bill, Unreadable) or isinstance(visit, Unreadable):
            return Said.UNCLEAR
        psn_no = bill.insured.insured_person_no or ""
        fetched, output = await self._ask_5203(psn_no, head.insurer_settlement_id, bill.encounter_id, visit)
        about = fetched.reading.insurer_settlement_id
        if not isinstance(fetched.reading, Cancellation) and about != head.insurer_settlement_id:
            return Said.UNCLEAR
        return await self._take(head, fetched, output, message["facts"])

    async def _take(
        self, head: BillHead, fetched: Fetched, output: Mapping[str, Any], facts: Mapping[str, Any]
    ) -> Said:
        """Record what 5203 says of a bill that we have."""
        if fetched.refunded:
            cancellation = fetched.reading if isinstance(fetched.reading, Cancellation) else None
            seen, reason = Seen(BY_5203, cancellation, head), ReversalReason.INSURER_CANCELLED
            await undo(self.resources, self.caller, head.bill_id, reason, seen, None, None)
            return Said.CANCELLED
        if fetched.refunded is None:
            return Said.UNCLEAR
        brought = Brought(output, facts)
        await settle_bill(
            self.resources, SettleBill(self.caller, head.door, brought, at_counter=False, confirmed_by=BY_5203)
        )
        now, _ = await self._head_and_message(head.bill_id, "settlement")
        return Said.LIVE if now.confirmed_at is not None else Said.OTHER_FIGURES

    async def _message(self, bill_id: BillId) -> FoundOut:
        head, message = await self._head_and_message(bill_id, "unanswered")
        encounter_id, message_id, hospital_code = head.encounter_id, head.message_id, head.hospital_code
        if encounter_id is None or message_id is None or hospital_code is None or message is None:
            return FoundOut(Said.UNCLEAR)
        async with fund_transaction(self.resources.engine, self.caller.fund_id) as connection:
            known = await find_bill_of_message(connection, self.caller.fund_id, encounter_id, message_id, hospital_code)
        if known is not None:
            return await self._known(known)
        visit = read_visit(message["facts"])
        if isinstance(visit, Unreadable):
            return FoundOut(Said.UNCLEAR)
        return await self._ask_by_visit(head, encounter_id, str(message["psn_no"]), visit, message["facts"])

    async def _known(self, bill_id: BillId) -> FoundOut:
        found, _ = await self._head_and_message(bill_id, "settlement")
        undone = found.state in (BillState.REVERSED, BillState.CANCELLED_UNSEEN)
        return FoundOut(Said.CANCELLED if undone else Said.LIVE, bill_id)

    async def _ask_by_visit(
        self, head: BillHead, encounter_id: str, psn_no: str, visit: Visit, facts: Mapping[str, Any]
    ) -> FoundOut:
        """Ask 5204 which settlements cover the visit's lines now, and 5203 which of them our message made."""
        if not self.line.can_ask:
            raise GatewayNotAsked
        place = Place(visit.area, visit.insured_area or "")
        outcome = await self.line.ask_fees(FeeQuestion(psn_no=psn_no, mdtrt_id=encounter_id), place)
        if isinstance(outcome, Refused):
            raise InsurerRefused(insurer_text=outcome.message)
        if not isinstance(outcome, Answered):
            raise unavailable(outcome)
        covering = from_5204(outcome.output)
        if isinstance(covering, Unreadable):
            return FoundOut(Said.UNCLEAR)
        unclear = False
        for settled in covering:
            fetched, output = await self._ask_5203(psn_no, settled.insurer_settlement_id, encounter_id, visit)
            made_it = _made_by(head, fetched, settled, alone=len(covering) == 1)
            if made_it:
                return await self._settle(fetched, output, facts)
            unclear = unclear or made_it is None
        return FoundOut(Said.UNCLEAR if unclear else Said.NOT_FOUND)

    async def _settle(self, fetched: Fetched, output: Mapping[str, Any], facts: Mapping[str, Any]) -> FoundOut:
        """Record the bill that the message made. Its aid goes to the card: no counter was shown it."""
        if fetched.refunded:
            return FoundOut(Said.CANCELLED)
        confirmed_by = BY_5203 if fetched.refunded is False else None
        brought = Brought(output, facts)
        settled = await settle_bill(
            self.resources,
            SettleBill(self.caller, Door.API, brought, at_counter=False, confirmed_by=confirmed_by),
        )
        recorded = settled.answer.get("id")
        return FoundOut(Said.LIVE, BillId(UUID(recorded)) if recorded else None)

    async def _ask_5203(
        self, psn_no: str, insurer_settlement_id: str, encounter_id: str, visit: Visit
    ) -> tuple[Fetched, Mapping[str, Any]]:
        return await ask_settlement(
            self.line,
            insured_person_no=psn_no,
            insurer_settlement_id=insurer_settlement_id,
            encounter_id=encounter_id,
            place=Place(visit.area, visit.insured_area or ""),
        )

    async def _head_and_message(self, bill_id: BillId, kind: str) -> tuple[BillHead, Mapping[str, Any] | None]:
        fund_id = self.caller.fund_id
        async with fund_transaction(self.resources.engine, fund_id) as connection:
            head = await bills.get_head(connection, fund_id, bill_id)
            return head, await find_message(connection, self.resources.keys, fund_id, bill_id, kind)


def _made_by(head: BillHead, fetched: Fetched, settled: SettledLines, *, alone: bool) -> bool | None:
    """Say whether a settlement was made by the head's message; `None` where nothing tells.

    Where the region's 5203 does not carry the message's id, the one settlement that covers just its batch is it.
    """
    if isinstance(fetched.reading, Cancellation):
        return False
    if fetched.reading.message_id is not None:
        return fetched.reading.message_id == head.message_id
    return True if alone and settled.charge_batches == {head.charge_batch_no} else None
