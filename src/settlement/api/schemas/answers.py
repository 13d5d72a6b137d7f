"""What we answer: amounts are strings in yuan, instants carry China's offset, ids are ours unless they say whose."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

Yuan = str


class Reason(BaseModel):
    """Why, as a stable code and as a sentence for the cashier: first how the money stands, then what to do."""

    code: str = Field(examples=["aid_on_bill"])
    sentence: str = Field(examples=["互助已记入本单，请按扣除互助后的现金数收费。"])


class Asked(BaseModel):
    """The one question that holds a bill, with the figures it is about."""

    code: str = Field(examples=["discharged_on_missing"])
    sentence: str = Field(examples=["互助款暂未算出，请按医保现金数收费，算出后打入职工银行卡。缺少出院日期，请补报。"])
    figures: dict[str, str]


class MutualAid(BaseModel):
    """The aid and where it goes: `on_bill`, `to_card`, `split`, `none` or `held`."""

    status: str = Field(examples=["on_bill"])
    amount: Yuan | None = Field(examples=["810.00"])
    on_bill: Yuan | None = Field(examples=["810.00"])
    to_card: Yuan | None = Field(examples=["0.00"])
    reason: Reason | None
    question: Asked | None


class BillAmounts(BaseModel):
    """What the insurer settled. `billed = insurer_paid + provider_absorbed + patient_share`."""

    billed: Yuan = Field(examples=["12865.00"])
    excluded: Yuan = Field(examples=["865.00"])
    over_limit: Yuan = Field(examples=["0.00"])
    upfront_share: Yuan = Field(examples=["600.00"])
    allowed: Yuan = Field(examples=["11400.00"])
    insurer_deductible: Yuan = Field(examples=["600.00"])
    insurer_paid: Yuan = Field(examples=["9180.00"])
    funds: dict[str, Yuan] = Field(examples=[{"hifp": "9180.00"}])
    provider_absorbed: Yuan = Field(examples=["0.00"])
    patient_share: Yuan = Field(examples=["3685.00"])
    account_paid: Yuan = Field(examples=["200.00"])
    family_account_paid: Yuan = Field(examples=["0.00"])
    cash_before_aid: Yuan = Field(examples=["3485.00"])


class PlanNamed(BaseModel):
    """The plan version that computed, with the hash of its text."""

    code: str = Field(examples=["hangzhou"])
    version: str = Field(examples=["2018"])
    digest: str


class HoldShown(BaseModel):
    """A promise: until `expires_at` the settlement with the same insurer figures pays exactly these amounts."""

    id: str
    kind: str = Field(examples=["counter"])
    state: str = Field(examples=["open"], description="`open`, `kept`, `overtaken`, `replaced` or `released`.")
    expires_at: str
    aid_on_bill: Yuan = Field(examples=["810.00"])
    aid_to_card: Yuan = Field(examples=["0.00"])
    cash_due: Yuan = Field(examples=["2675.00"])
    receipt_hash: str


class PromiseShown(BaseModel):
    """What a hold of this charge batch had promised, and whether the settlement kept it."""

    hold_id: str
    kept: bool
    aid_on_bill: Yuan
    aid_to_card: Yuan
    cash_due: Yuan = Field(description="What the patient was shown.")
    reason: Reason


class QuoteResponse(BaseModel):
    """What a settlement with these figures would pay now. Only a `hold` promises it."""

    model_config = ConfigDict(extra="allow")

    mutual_aid: MutualAid
    service_date: str | None = None
    bill: BillAmounts | None = None
    other_on_bill: Yuan | None = None
    cash_due: Yuan | None = Field(None, examples=["2675.00"])
    plan: PlanNamed | None = None
    estimate: bool | None = Field(None, description="Of a stay that has not ended: it can change with the discharge.")
    hold: HoldShown | None = None
    not_held: Reason | None = Field(None, description="Why a quote that asked for a hold has none.")
    receipt_values: dict[str, Yuan] | None = None
    print_lines: list[str] | None = Field(None, examples=[["职工医疗互助支付 810.00 元", "个人应付现金 2675.00 元"]])


class Reversed(BaseModel):
    """The undoing of a settlement."""

    aid_on_bill: Yuan = Field(description="The aid on the bill that was undone.")
    aid_to_card: Yuan
    cash_due: Yuan = Field(description="What the patient had paid.")
    reason: str
    seen_by: str = Field(description="`brought`, `5203` or `exchange`: how the insurer's cancellation is known.")
    cancelling_settlement_id: str | None
    business_date: str
    recorded_at: str


class SettlementResponse(QuoteResponse):
    """One bill as it is recorded. A bill that is not ours has `mutual_aid` alone: no id, and nothing is kept."""

    id: str | None = Field(None, description="The bill's id; it survives corrections and reversals.")
    settlement_no: str | None = Field(None, description="The number people read.", examples=["HZ20260310-4C7Q2M9D"])
    state: str | None = Field(None, examples=["live"])
    revision: int | None = None
    area: str | None = None
    insurer_settlement_id: str | None = None
    cancelling_settlement_id: str | None = None
    hospital_code: str | None = None
    encounter_id: str | None = None
    charge_batch_no: str | None = None
    visit_no: str | None = None
    receipt_no: str | None = None
    operator: str | None = None
    message_id: str | None = None
    door: str | None = None
    settled_at: str | None = None
    confirmed: bool | None = Field(None, description="Whether the figures were seen at the insurer itself.")
    business_date: str | None = None
    recorded_at: str | None = None
    promise: PromiseShown | None = None
    reversal: Reversed | None = None
    replaces: str | None = Field(None, description="The cancelled bill that this one corrects, and whose place it has.")
    replaced_by: str | None = Field(None, description="The bill that stands in this one's place.")
    receipt_hash: str | None = None


class SettlementPage(BaseModel):
    """A page of settlements in the order of recording; `next_cursor` fetches the next one."""

    settlements: list[SettlementResponse]
    next_cursor: str | None


class Explanation(BaseModel):
    """Why this amount: base and signed steps, each with its clause, used room before and after, in two languages."""

    id: str
    plan: PlanNamed | None
    excluded: str | None = Field(description="Why a bill that was held turned out not to be ours.")
    benefits: list[dict[str, Any]]


class RatedBillShown(BaseModel):
    """One live bill: its aid as recorded, and as it would be now in its place."""

    id: str
    settlement_no: str
    revision: int
    aid_recorded: Yuan
    aid_now: Yuan | None = Field(description="Nothing where its plan version lacks a fact to compute it.")
    difference: Yuan


class ReratingShown(BaseModel):
    """A member's term computed anew, bill by bill in the order of recording. It is a proposal: nothing is changed."""

    id: str
    term: str = Field(examples=["2026"])
    net: Yuan
    owes: str | None = Field(description="`fund` or `member`: who owes the net to the other.")
    lines: list[RatedBillShown]


class KeptLineShown(BaseModel):
    """One bill of a kept re-rating."""

    bill_id: str
    revision: int
    aid_recorded: Yuan
    aid_now: Yuan | None


class StoredReratingShown(BaseModel):
    """A re-rating as it was proposed, and what became of it."""

    rerating_id: str
    state: str = Field(examples=["proposed"], description="`proposed`, `applied`, `declined` or `lapsed`.")
    plan_code: str
    term: str
    net: Yuan = Field(description="What the fund owes the member; negative where the member owes.")
    lines: list[KeptLineShown]
    proposed_by: str
    created_at: str
    decided_by: str | None
    decided_at: str | None


class LaterPayerShown(BaseModel):
    """What a later payer leads to: nothing where the plan leaves it, else a proposal if an amount would change."""

    id: str
    counts: bool = Field(description="Whether the plan counts payers who come later.")
    rerating: StoredReratingShown | None


class ReratingPage(BaseModel):
    """A page of re-ratings, the newest first; `next_cursor` fetches the next one."""

    reratings: list[StoredReratingShown]
    next_cursor: str | None


class PostingShown(BaseModel):
    """One amount moved from one account's debit to another's credit."""

    revision: int
    record: str
    debit: str
    credit: str
    amount: Yuan


class ProofOfPromise(BaseModel):
    """What was promised before the bill, in yuan, and whether the settlement pays exactly that."""

    hold_id: str
    kept: bool
    aid_on_bill: Yuan
    aid_to_card: Yuan
    cash_due: Yuan


class Proof(BaseModel):
    """The equation of the bill, its postings, and what was checked just now."""

    id: str
    equation: dict[str, Yuan] | None
    closes: bool
    postings: list[PostingShown]
    postings_balance: bool
    promise: ProofOfPromise | None = Field(description="The hold under which the bill came.")
    receipt_hash: str | None
    replays_to_the_same_fen: bool | None


class TimelineStep(BaseModel):
    """One thing that happened to a bill."""

    at: str
    type: str
    sentence: str
    actor: str


class TimelineNow(BaseModel):
    """What is known at this moment and what to tell the patient; `asked_next_at` while the insurer is being asked."""

    known: str = Field(examples=["医保是否已结算尚不清楚，已查询 2 次。"])
    tell_patient: str = Field(
        examples=["请勿重复结算或重复收费，请患者保留票据；查清后互助款打入职工银行卡，无需申请。"]
    )
    asked_next_at: str | None = None


class Timeline(BaseModel):
    """What happened when, in words a cashier understands, and how it stands now."""

    id: str
    steps: list[TimelineStep]
    now: TimelineNow


class PushResult(BaseModel):
    """The result of one pushed bill: an answer, or the problem that refused it."""

    insurer_settlement_id: str | None
    status: int = Field(examples=[201])
    settlement: SettlementResponse | None = None
    problem: dict[str, Any] | None = None


class PushResponse(BaseModel):
    """One result per bill, in their order."""

    results: list[PushResult]


class CommandFate(BaseModel):
    """What became of a command: the status and body of its first answer."""

    key: str
    status: int
    body: dict[str, Any]


class Eligibility(BaseModel):
    """Whether a person is covered on a date: `covered`, `not_covered`, `unknown`, or `provisional` until the roster."""

    status: str = Field(examples=["covered"])
    on: str
    plan: PlanNamed | None = None
    cover: dict[str, str] | None = Field(None, description="First and last day of the cover, unit code, category.")
    limits: list[dict[str, Any]] = Field([], description="Per benefit: term, limit, paid, remaining.")
    answer_holds_until: str = Field(description="Ask again after this instant.")


class TokenResponse(BaseModel):
    """An access token (RFC 6749, section 5.1)."""

    access_token: str
    token_type: str = "Bearer"
    expires_in: int = Field(examples=[600])
    scope: str


class Event(BaseModel):
    """Something that happened to a bill or, without one, in the fund; `position` orders events for those who pull."""

    position: int
    id: str
    type: str = Field(examples=["settlement.settled.v1"])
    bill_id: str | None
    sequence: int
    payload: dict[str, Any]
    recorded_at: str


class EventPage(BaseModel):
    """Events after a position; `last_position` is the `after` of the next call."""

    events: list[Event]
    last_position: int


class Seal(BaseModel):
    """What a closed books day holds, hashed, chained to the day before and signed."""

    what: str = Field(examples=["settlement books day"])
    format: int = Field(examples=[1])
    fund_id: str
    books_day: int = Field(examples=[128])
    closed_at: str = Field(examples=["2026-03-10T16:30:00.000000Z"])
    counts: dict[str, int] = Field(examples=[{"settlement": 412, "posting": 3709}])
    aid_on_bill: Yuan = Field(description="Of the settlements recorded in the day.", examples=["160512.40"])
    aid_to_card: Yuan = Field(examples=["2210.00"])
    reversed_on_bill: Yuan = Field(description="Of the settlements undone in the day.", examples=["810.00"])
    reversed_to_card: Yuan = Field(examples=["0.00"])
    record_hash: str = Field(description="SHA-256 over all records of the day in a fixed order.")
    previous_hash: str | None = Field(description="`seal_hash` of the day before; none for the first.")
    key_id: str = Field(description="Names the public key.", examples=["9f86d081884c7d65"])
    sealed_at: str
    seal_hash: str = Field(description="SHA-256 of what is signed.")
    signature: str = Field(description="Ed25519, in Base64.")


class SealPage(BaseModel):
    """Seals in the order of their books days."""

    seals: list[Seal]
    next_cursor: int | None


class WorklistItem(BaseModel):
    """Something that a person has to look at."""

    kind: str = Field(examples=["bill_changed"])
    bill_id: str
    opened_at: datetime
    figures: dict[str, Any]


class OpsSummary(BaseModel):
    """Figures for dashboards, of the caller's fund."""

    model_config = ConfigDict(extra="allow")

    business_date: str
    bills: dict[str, int]
    amounts: dict[str, Yuan]
    not_covered: dict[str, int]
    held: dict[str, Any]
    worklist: dict[str, int]
    worklist_items: list[WorklistItem]
    events_unnumbered: int
    pending: dict[str, dict[str, Any]] = Field(
        {}, description="What the insurer is being asked, by what is asked: `count` and `oldest_seconds`."
    )
    books_day: int
    books_days_unsealed: int
