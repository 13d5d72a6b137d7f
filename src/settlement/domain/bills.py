"""A bill as the insurer settled it, in our words: figures, visit and person. What it costs whom, not what we pay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum

from settlement.domain.money import ZERO, Money, total


class Care(StrEnum):
    """Where care was given: what the insurer's care types come down to for a plan."""

    OUTPATIENT = "outpatient"
    INPATIENT = "inpatient"


@dataclass(frozen=True, slots=True)
class InsurerFunds:
    """What each fund of the insurer paid, in fen; a single fund may be negative where the profile says so."""

    hifp: Money = ZERO
    cvlserv: Money = ZERO
    hifes: Money = ZERO
    hifmi: Money = ZERO
    hifob: Money = ZERO
    hifdm: Money = ZERO
    maf: Money = ZERO
    oth: Money = ZERO
    unnamed: Money = ZERO

    def total(self) -> Money:
        """Return the sum over all funds, in fen."""
        return total(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, slots=True)
class BillFigures:
    """The amounts of one bill in fen, already checked against the identities of the insurer's interface.

    `billed = excluded + over_limit + upfront_share + allowed` (A),
    `billed = insurer_paid + provider_absorbed + patient_share` (B),
    `patient_share = account_paid + cash_before_aid` (C).
    `family_account_paid` is part of `account_paid`.
    """

    billed: Money
    excluded: Money
    over_limit: Money
    upfront_share: Money
    allowed: Money
    insurer_deductible: Money
    funds: InsurerFunds
    provider_absorbed: Money
    patient_share: Money
    account_paid: Money
    family_account_paid: Money
    cash_before_aid: Money

    @property
    def insurer_paid(self) -> Money:
        """What the insurer's funds paid together, account money not among it, in fen."""
        return self.funds.total()


@dataclass(frozen=True, slots=True)
class Certificate:
    """A document that names a person: its type (national list, `01` is the resident identity card) and its number."""

    type: str
    number: str


@dataclass(frozen=True, slots=True)
class Insured:
    """The person as the insurer's answer names them. What the answer left out is `None`."""

    certificate: Certificate | None
    name: str | None
    insured_person_no: str | None
    insurance_type: str | None
    person_type: str | None


@dataclass(frozen=True, slots=True)
class Visit:
    """The facts of the visit that come beside the insurer's answer. `None` is not known.

    `charge_batch_no` is, for a stay, the ordinal of the settlement within it.
    """

    area: str
    hospital_code: str
    charge_batch_no: str
    insured_area: str | None = None
    system_code: str | None = None
    message_id: str | None = None
    visit_no: str | None = None
    receipt_no: str | None = None
    operator: str | None = None
    place_of_payment: str | None = None
    admitted_on: date | None = None
    discharged_on: date | None = None
    diagnosis: str | None = None
    hospital_category: str | None = None
    stated: Mapping[str, Money] = field(default_factory=dict)
    """Amounts that the plan asks for and the insurer's answer does not carry, as the hospital states them."""


@dataclass(frozen=True, slots=True)
class InsurerBill:
    """One bill that the insurer has settled (or would settle: then `insurer_settlement_id` is `None`)."""

    insurer_settlement_id: str | None
    encounter_id: str
    settled_at: datetime | None
    care_type: str | None
    insured: Insured
    figures: BillFigures
    message_id: str | None
    """The message that made the settlement; the only link from the one to the other."""
