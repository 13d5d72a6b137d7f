"""What a caller sends about a bill: the insurer's answer as received, and the facts of the visit beside it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from settlement.api.schemas.examples import (
    ANSWER_DECLARED,
    ANSWER_FACT,
    FACTS,
    OUTPUT_2207,
    OUTPUT_2208,
    PENDING_MESSAGE,
    PUSH,
    REINSTATE_BROUGHT,
    REVERSE_BROUGHT,
    SETTLE_BROUGHT,
    SETTLE_FETCHED,
)
from settlement.domain.money import Money
from settlement.domain.promises import HoldKind
from settlement.domain.settlements import OtherPayer, ReversalReason, RevisionReason

Code = Annotated[str, Field(min_length=1, max_length=64)]
Output = Annotated[
    dict[str, Any],
    Field(description="The `output` of the insurer's answer, as received: `setlinfo` and `setldetail`."),
]
_RESETTLES = (
    "The insurer's settlement id of the bill that this one corrects, where neither visit nor stay number says so."
)
Yuan = Annotated[str, Field(pattern=r"^\d{1,9}(\.\d{1,2})?$", description="An amount in yuan.", examples=["3982.02"])]


class Strict(BaseModel):
    """A body without unknown keys: a misspelt one would silently change what is meant."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class VisitFacts(Strict):
    """The facts of the visit that the insurer's answer does not carry, by the insurer's names."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [FACTS]})

    mdtrtarea_admvs: Code = Field(description="Area of the place of treatment, as in the envelope.")
    fixmedins_code: Code = Field(description="Code of the hospital, as in the envelope.")
    chrg_bchno: Code = Field(description="Charge batch; for a stay, the ordinal of this settlement within it.")
    insuplc_admdvs: Code | None = Field(None, description="Area where the person is insured, as in the envelope.")
    recer_sys_code: Code | None = Field(None, description="Receiving system, as in the envelope.")
    msgid: Code | None = Field(None, description="Id of the settling message.")
    ipt_otp_no: Code | None = Field(None, description="The hospital's number of the visit or stay.")
    receipt_no: Code | None = Field(None, description="Number of the receipt on which the bill stands.")
    opter: Code | None = Field(None, description="The operator at the counter.")
    pay_loc: Code | None = Field(None, description="Place of payment: 1 bureau, 2 hospital, 3 province, 4 elsewhere.")
    admitted_on: date | None = Field(None, description="First day of the stay.")
    discharged_on: date | None = Field(None, description="Last day of the stay.")
    dise_codg: Code | None = Field(None, description="Diagnosis code; only where the fund's plan asks for it.")
    hospital_category: Code | None = Field(None, description="Category of the hospital, in the plan's words.")
    stated: dict[str, Yuan] | None = Field(
        None,
        description="Amounts the plan asks for beside the insurer's answer, by code.",
        examples=[{"bed_excess": "60.00"}],
    )


class OtherPayerBody(Strict):
    """Somebody else who pays at the counter."""

    name: str = Field(min_length=1, max_length=100, examples=["惠民保"])
    amount: Yuan

    def to_domain(self) -> OtherPayer:
        """Return the payer with the amount in fen."""
        return OtherPayer(self.name, Money.from_yuan(self.amount))


class SettlementIds(Strict):
    """The ids by which we fetch a bill from the insurer (5203)."""

    psn_no: Code
    setl_id: Code
    mdtrt_id: Code


class QuoteRequest(Strict):
    """A pre-settlement (2206 or 2303) to compute the aid on. Without `hold` nothing is stored."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"output": OUTPUT_2207, "visit": FACTS}]})

    output: Output = Field(examples=[OUTPUT_2207])
    visit: VisitFacts
    other_payers: list[OtherPayerBody] | None = Field(None, max_length=20)
    resettles: Code | None = Field(None, description=_RESETTLES)
    hold: bool = Field(
        False, description="Promise the amount: the settlement with the same insurer figures pays exactly it."
    )
    hold_for: Literal[HoldKind.COUNTER, HoldKind.STAY] = Field(
        HoldKind.COUNTER,
        description="`counter`: for the minutes until the settlement. `stay`: a guarantee until the discharge, where "
        "the fund gives one.",
    )


class SettlementRequest(Strict):
    """A bill that the insurer has settled: its answer (`output` of 2207 or 2304), or the ids to fetch it by."""

    model_config = ConfigDict(json_schema_extra={"examples": [SETTLE_BROUGHT, SETTLE_FETCHED]})

    output: Output | None = Field(None, examples=[OUTPUT_2207])
    fetch: SettlementIds | None = None
    visit: VisitFacts
    other_payers: list[OtherPayerBody] | None = Field(None, max_length=20)
    resettles: Code | None = Field(None, description=_RESETTLES)

    @model_validator(mode="after")
    def _brought_or_fetched(self) -> SettlementRequest:
        if (self.output is None) == (self.fetch is None):
            raise ValueError("give either `output` (the insurer's answer) or `fetch` (the ids), not both")
        return self


class ReversalRequest(Strict):
    """Undo a settlement that the insurer has cancelled."""

    model_config = ConfigDict(json_schema_extra={"examples": [REVERSE_BROUGHT, {"reason": "refund"}]})

    reason: ReversalReason = Field(
        description="Why; a code, because a free text would hold names.", examples=["refund"]
    )
    cancellation: Output | None = Field(
        None,
        description="The `output` of 2208 or 2305 as received. Without it we ask the insurer (5203).",
        examples=[OUTPUT_2208],
    )


class TransferRequest(Strict):
    """Move the aid that stands on a bill to the member's card."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "not_shown"}]})

    reason: Literal[RevisionReason.NOT_SHOWN, RevisionReason.ANSWER_LOST, RevisionReason.CLEARING_DISPUTED] = Field(
        description="Why the aid does not count as delivered at the counter.", examples=["not_shown"]
    )


class UndoneCancellation(Strict):
    """The insurer accepted a 2601 of the cancellation: the message as it was sent, and the answer's `infcode`."""

    psn_no: Code
    omsgid: Code = Field(description="Message id of the 2208 or 2305 that was taken back.")
    oinfno: Code = Field(examples=["2208"])
    infcode: Code = Field(examples=["0"])


class ReinstatementRequest(Strict):
    """Make a reversed bill live again, because the insurer's bill lives: its cancellation was undone, or refused."""

    model_config = ConfigDict(json_schema_extra={"examples": [REINSTATE_BROUGHT, {}]})

    undone: UndoneCancellation | None = Field(
        None, description="The 2601 of the cancellation. Without it we ask the insurer (5203)."
    )


class LaterPayerRequest(Strict):
    """Somebody else paid for the bill after it was settled."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "惠民保", "amount": "120.00", "reference": "HMB-2026-0042"}]}
    )

    name: str = Field(min_length=1, max_length=100, examples=["惠民保"])
    amount: Yuan
    reference: Code = Field(description="The payer's own number of the payment: it is recorded once.")


class CertificateBody(Strict):
    """A certificate, to answer a masked or disputed one."""

    type: Code = Field(examples=["01"])
    number: Code


class Declarations(Strict):
    """What a person declares about a held bill."""

    third_party_liable: bool | None = Field(None, description="Whether somebody else is liable for an injury.")
    same_person: bool | None = Field(None, description="True: the name differs in spelling only.")
    certificate: CertificateBody | None = None


class MissingFacts(Strict):
    """Facts of the visit that a held bill lacks, by the insurer's names."""

    insuplc_admdvs: Code | None = None
    recer_sys_code: Code | None = None
    pay_loc: Code | None = None
    admitted_on: date | None = None
    discharged_on: date | None = None
    dise_codg: Code | None = None
    hospital_category: Code | None = None
    stated: dict[str, Yuan] | None = None


class AnswerRequest(Strict):
    """The answer to the one question of a held bill."""

    model_config = ConfigDict(json_schema_extra={"examples": [ANSWER_FACT, ANSWER_DECLARED]})

    facts: MissingFacts = Field(MissingFacts(), examples=[{"discharged_on": "2026-03-10"}])
    answers: Declarations = Declarations()
    output: Output | None = Field(None, description="The insurer's answer anew, if its figures were corrected.")


class PendingMessageRequest(Strict):
    """A message to the insurer that was not answered: of a settlement, or of the cancellation of one (`setl_id`)."""

    model_config = ConfigDict(json_schema_extra={"examples": [PENDING_MESSAGE]})

    infno: Literal["2207", "2304", "2208", "2305"] = Field(description="The transaction of the message.")
    msgid: Code = Field(description="The message's own id, as in the envelope that was sent.")
    psn_no: Code = Field(description="The insured person number that the message named.")
    mdtrt_id: Code = Field(description="The visit or stay that it was about.")
    setl_id: Code | None = Field(None, description="Of a cancellation: the settlement that was to be cancelled.")
    visit: VisitFacts

    @model_validator(mode="after")
    def _a_cancellation_names_its_settlement(self) -> PendingMessageRequest:
        if (self.setl_id is not None) != (self.infno in ("2208", "2305")):
            raise ValueError("give `setl_id` for a cancellation (2208, 2305), and for nothing else")
        return self


class PushedLine(Strict):
    """One bill or cancellation of the bureau, as in its daily file."""

    infno: str | None = Field(None, description="The transaction it comes from; the sign of its total decides.")
    output: Output = Field(examples=[OUTPUT_2207])
    facts: dict[str, Any] = Field(
        description="The facts of the visit by the insurer's names, as `visit` of a settlement; on a cancellation "
        "`init_setl_id` names the settlement that was cancelled. A line whose facts cannot be read is refused alone.",
        examples=[FACTS | {"init_setl_id": None}],
    )
    present: bool = Field(False, description="True: the platform shows our answer on its own bill.")


class PushRequest(Strict):
    """One or many bills; each has its own result."""

    model_config = ConfigDict(json_schema_extra={"examples": [PUSH]})

    bills: list[PushedLine] = Field(min_length=1, max_length=500)
