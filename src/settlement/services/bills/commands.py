"""What a door hands to the use cases about bills, and what it gets back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from settlement.db.settling import CommandKey
from settlement.domain.answers import Answer
from settlement.domain.ids import BillId, ClientId, FundId
from settlement.domain.sentences import Language
from settlement.domain.settlements import Door, OtherPayer, ReversalReason

CREATED, KNOWN = 201, 200


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the client, its fund, and the hospital codes it is bound to (none: it is bound to no hospital)."""

    client_id: ClientId
    fund_id: FundId
    hospital_codes: frozenset[str]
    language: Language = Language.CHINESE

    def may_act_for(self, hospital_code: str | None) -> bool:
        """Say whether the caller may see and touch this hospital's bills."""
        return not self.hospital_codes or hospital_code in self.hospital_codes


@dataclass(frozen=True, slots=True)
class Once:
    """An idempotent command: its key, and the fingerprint that tells it from another one under the same key."""

    command: CommandKey
    fingerprint: str

    @property
    def lock_name(self) -> str:
        """What must not run twice at a time."""
        return f"{self.command.client_id}\x1f{self.command.key}"


@dataclass(frozen=True, slots=True)
class Brought:
    """A bill as it was brought: the insurer's answer and the facts of the visit as received, by the insurer's names.

    `answers` are what a person has answered to the questions a held bill asked.
    """

    output: Mapping[str, Any]
    facts: Mapping[str, Any]
    other_payers: tuple[OtherPayer, ...] | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    resettles: str | None = None
    """The insurer's settlement that this one takes the place of, where the hospital says so."""

    @property
    def others(self) -> tuple[OtherPayer, ...]:
        """The other payers; `None` above is "nothing said", which an empty tuple is not."""
        return self.other_payers or ()


@dataclass(frozen=True, slots=True)
class SettleBill:
    """Record one bill that the insurer has settled. `at_counter`: its answer is shown to the patient who pays.

    `confirmed_by` names the source (`exchange`, `5203`) where the figures come from the insurer itself.
    """

    caller: Caller
    door: Door
    brought: Brought
    at_counter: bool
    confirmed_by: str | None = None
    once: Once | None = None


@dataclass(frozen=True, slots=True)
class ReverseBill:
    """Undo the live settlement of a bill. `cancellation` is the insurer's answer to its cancellation, if brought."""

    caller: Caller
    bill_id: BillId
    reason: ReversalReason
    cancellation: Mapping[str, Any] | None
    once: Once | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a command. `created`: a record was made by it; `replayed`: it is the answer of an earlier time."""

    answer: Answer
    created: bool
    replayed: bool = False

    @property
    def status(self) -> int:
        """How the answer is stored and sent: 201 for a record that was made, 200 for one that was known."""
        return CREATED if self.created else KNOWN
