"""What reading an answer of the insurer can come to, besides a bill that closes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from settlement.domain.bills import Insured
from settlement.domain.money import Money


class QuestionCode(StrEnum):
    """Why a bill does not close. The codes are stable; `domain/sentences.py` has a sentence for each."""

    AID_ALREADY_INSIDE = "aid_already_inside"
    FIGURE_MISSING = "figure_missing"
    IDENTITY_A_OPEN = "identity_a_open"
    IDENTITY_B_OPEN = "identity_b_open"
    IDENTITY_C_OPEN = "identity_c_open"
    ACCOUNT_MONEY_OTHER_WAY = "account_money_other_way"
    FAMILY_ACCOUNT_OTHER_WAY = "family_account_other_way"
    FAMILY_ACCOUNT_EXCEEDS_ACCOUNT = "family_account_exceeds_account"
    SIGN_NOT_ALLOWED = "sign_not_allowed"


@dataclass(frozen=True, slots=True)
class Question:
    """The one question that must be answered: its code, the insurer's fields concerned, the difference in fen."""

    code: QuestionCode
    fields: tuple[str, ...]
    difference: Money | None = None


@dataclass(frozen=True, slots=True)
class NotClosing:
    """A bill whose figures do not add up under the profile: it is held with them, never guessed.

    `figures` are the amounts as delivered, in yuan, by the insurer's names. A trial has no `insurer_settlement_id`.
    """

    insurer_settlement_id: str | None
    encounter_id: str
    settled_at: datetime | None
    care_type: str | None
    insured: Insured
    message_id: str | None
    figures: Mapping[str, str]
    question: Question


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that cannot be read; `field` is the insurer's name for what is wrong.

    `problem` is one of `missing`, `not_money`, `not_text`, `too_long`, `not_a_time`, `not_an_object`, `not_a_list`.
    """

    field: str
    problem: str


@dataclass(frozen=True, slots=True)
class CancelledFigures:
    """The amounts that a cancellation takes back, as positives in fen; `None` was not delivered."""

    billed: Money | None
    excluded: Money | None
    over_limit: Money | None
    upfront_share: Money | None
    allowed: Money | None
    insurer_deductible: Money | None
    hifp: Money | None
    cvlserv: Money | None
    hifes: Money | None
    hifmi: Money | None
    hifob: Money | None
    hifdm: Money | None
    maf: Money | None
    oth: Money | None
    insurer_paid: Money | None
    provider_absorbed: Money | None
    patient_share: Money | None
    account_paid: Money | None
    family_account_paid: Money | None
    cash_before_aid: Money | None


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The insurer's cancellation of a settlement.

    `insurer_settlement_id` is the cancelled settlement's or one of its own, by region: keep it beside the original's.
    `settled_at` is when the insurer cancelled; its date is the reversal's business date.
    """

    insurer_settlement_id: str
    encounter_id: str
    settled_at: datetime | None
    insured: Insured
    message_id: str | None
    figures: CancelledFigures


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """What an answer says about the visit beside its figures; `None` where it says nothing."""

    insured_area: str | None
    hospital_code: str | None
    place_of_payment: str | None
    receipt_no: str | None
    admitted_on: date | None
    discharged_on: date | None
