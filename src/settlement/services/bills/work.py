"""One command about one bill while its transaction runs: what was read, and the parts that will be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from settlement.db import bills, commands
from settlement.db.messages import insert_message
from settlement.db.parts import Part
from settlement.db.pending import insert_question
from settlement.db.settling import StoredAnswer
from settlement.domain.answers import Answer
from settlement.domain.ids import FundId
from settlement.domain.pending import Asks, Patience, PendingQuestion
from settlement.domain.settlements import BillHead
from settlement.services.bills.commands import Caller, Once, Outcome
from settlement.services.resources import Resources


@dataclass(slots=True)
class Work:
    """Collects the parts of one write in the order of their references: heads first, then what hangs on them."""

    resources: Resources
    caller: Caller
    once: Once | None
    at: datetime
    parts: list[Part] = field(default_factory=list)

    @property
    def fund_id(self) -> FundId:
        """The caller's fund."""
        return self.caller.fund_id

    def new_head(self, head: BillHead, event: str, payload: Mapping[str, Any]) -> BillHead:
        """Write a new head with its first event; return it as written."""
        written = replace(head, event_count=1)
        self.parts.append(bills.insert_head(self.fund_id, written))
        self._event(written, event, payload)
        return written

    def changed_head(self, head: BillHead, event: str, payload: Mapping[str, Any]) -> BillHead:
        """Write a head as it now stands with its next event; return it as written."""
        written = replace(head, event_count=head.event_count + 1)
        self.parts.append(bills.update_head(self.fund_id, written))
        self._event(written, event, payload)
        return written

    def message(self, head: BillHead, kind: str, content: Mapping[str, Any]) -> None:
        """Write the raw message, sealed, to be dropped when its time is over."""
        kept_until = self.at + self.resources.keep_messages
        message_id = self.resources.ids.new()
        part = insert_message(
            self.resources.keys, self.fund_id, head.bill_id, message_id, kind, content, self.at, kept_until
        )
        self.parts.append(part)

    def ask(self, head: BillHead, asks: Asks, message_id: str | None, patience: Patience) -> None:
        """Write that the insurer is to be asked about a bill, at once and until its deadline."""
        question = PendingQuestion(
            bill_id=head.bill_id,
            asks=asks,
            message_id=message_id,
            opened_at=self.at,
            due_at=self.at,
            deadline_at=self.at + patience.deadline,
        )
        self.parts.append(insert_question(self.fund_id, self.resources.ids.new(), question))

    def worklist(self, head: BillHead, kind: str, figures: Mapping[str, Any]) -> None:
        """Write something that a person has to look at."""
        item_id = self.resources.ids.new()
        self.parts.append(commands.insert_worklist_item(self.fund_id, item_id, head.bill_id, kind, figures, self.at))

    def answered(self, answer: Answer, *, created: bool) -> Outcome:
        """Write the answer under the command's key, if it has one, and return it."""
        outcome = Outcome(answer, created)
        if self.once is not None:
            stored = StoredAnswer(self.once.fingerprint, outcome.status, answer)
            self.parts.append(commands.insert_answer(self.fund_id, self.once.command, stored, self.at))
        return outcome

    def _event(self, head: BillHead, type_: str, payload: Mapping[str, Any]) -> None:
        event_id = self.resources.ids.new()
        part = bills.insert_event(self.fund_id, head, event_id, type_, dict(payload), self.caller.client_id, self.at)
        self.parts.append(part)
