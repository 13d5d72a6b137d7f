"""What the billing system holds: fee lines, a visit before settlement, the settled bill and its cancellation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from settlement.lab.his.people import Person
from settlement.lab.his.wire import fen_of, write_json

Facts = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class FeeLine:
    """One fee line: a catalogue code, the unit price in fen and how many."""

    code: str
    name: str
    price_fen: int
    quantity: int = 1

    @property
    def amount_fen(self) -> int:
        """The line's total in fen."""
        return self.price_fen * self.quantity


@dataclass(slots=True)
class OpenVisit:
    """A visit or stay that is ready to be settled: fees uploaded, trial made.

    `trial` is the output of 2206 or 2303 as received, `trial_raw` the bytes of that answer.
    """

    person: Person
    inpatient: bool
    mdtrt_id: str
    chrg_bchno: str
    ipt_otp_no: str
    med_type: str
    use_account: bool
    fee_lines: list[FeeLine]
    at: datetime
    admitted_at: datetime | None = None
    discharged_at: datetime | None = None
    trial: dict[str, Any] = field(default_factory=dict)
    trial_raw: bytes = b""

    @property
    def total_fen(self) -> int:
        """The sum of the fee lines in fen."""
        return sum(line.amount_fen for line in self.fee_lines)


@dataclass(frozen=True, slots=True)
class SettledBill:
    """A settlement as the hospital received it: `output` with exact decimals, `raw` the bytes of the whole answer."""

    infno: str
    output: dict[str, Any]
    raw: bytes
    facts: Facts
    person: Person
    visit: OpenVisit
    msgid: str

    @property
    def setlinfo(self) -> dict[str, Any]:
        """The settlement's amounts and identities, in the insurer's own names."""
        info: dict[str, Any] = self.output["setlinfo"]
        return info

    @property
    def psn_no(self) -> str:
        """The insured person's number."""
        return self.person.psn_no

    @property
    def certificate(self) -> tuple[str, str]:
        """The person's certificate, type and number."""
        return self.person.certificate

    @property
    def setl_id(self) -> str:
        """The insurer's number of the settlement."""
        return str(self.setlinfo["setl_id"])

    @property
    def mdtrt_id(self) -> str:
        """The insurer's number of the visit."""
        return self.visit.mdtrt_id

    @property
    def trial(self) -> dict[str, Any]:
        """The output of the trial before it, 2206 or 2303."""
        return self.visit.trial

    def amount_fen(self, name: str) -> int:
        """Return one amount of the settlement in fen."""
        value: Decimal | None = self.setlinfo[name]
        return fen_of(value)

    def as_line(self) -> str:
        """Write the bill as JSON with `infno`, `output` and `facts`, the shape in which bills are handed on."""
        return write_json({"infno": self.infno, "output": self.output, "facts": self.facts})


@dataclass(frozen=True, slots=True)
class CancelledBill:
    """The cancellation of a settlement: a negative of it. `init_setl_id` in the facts names what was cancelled."""

    infno: str
    output: dict[str, Any]
    raw: bytes
    facts: Facts
    original: SettledBill
    msgid: str

    @property
    def setlinfo(self) -> dict[str, Any]:
        """The negative amounts, in the insurer's own names."""
        info: dict[str, Any] = self.output["setlinfo"]
        return info

    @property
    def psn_no(self) -> str:
        """The insured person's number."""
        return self.original.psn_no

    @property
    def certificate(self) -> tuple[str, str]:
        """The person's certificate, type and number."""
        return self.original.certificate

    @property
    def setl_id(self) -> str:
        """The id of the cancellation: new, or the settlement's own where the insurer echoes it."""
        return str(self.setlinfo["setl_id"])

    @property
    def init_setl_id(self) -> str:
        """The id of the settlement that was cancelled."""
        return self.original.setl_id

    @property
    def mdtrt_id(self) -> str:
        """The insurer's number of the visit."""
        return self.original.mdtrt_id

    def as_line(self) -> str:
        """Write the cancellation as JSON with `infno`, `output` and `facts`."""
        return write_json({"infno": self.infno, "output": self.output, "facts": self.facts})
