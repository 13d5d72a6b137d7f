"""The border: the insurer's answers in, our words out. Beyond it nobody knows the insurer's field names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Annotated, Any

from pydantic import PlainValidator, TypeAdapter
from pydantic_core import PydanticCustomError

from settlement.domain.bills import BillFigures, Insured, InsurerBill, Visit
from settlement.domain.certificates import normalised
from settlement.domain.money import ZERO, Money
from settlement.gateway.fields import Amount, Day, Malformed, Message, Text
from settlement.gateway.identities import FUND_FIELDS, account_money, close_bill
from settlement.gateway.messages import FeeOutput, SettlementNode, SettlementOutput
from settlement.gateway.profile import GatewayProfile
from settlement.gateway.readings import (
    AnswerFacts,
    Cancellation,
    CancelledFigures,
    NotClosing,
    Unreadable,
)

_REFUNDED = {"0": False, "1": True}


@dataclass(frozen=True, slots=True)
class Fetched:
    """What 5203 says about a settlement.

    `reading` is a `Cancellation` where the answer shows the refund's own record, in negative amounts. `refunded` is
    whether the settlement was cancelled; `None` where the answer does not say.
    """

    reading: InsurerBill | NotClosing | Cancellation
    refunded: bool | None
    facts: AnswerFacts


def read_settlement(output: Mapping[str, Any], profile: GatewayProfile) -> InsurerBill | NotClosing | Unreadable:
    """Read the `output` of 2207 or 2304 (docs/gateway.md 2.S): a bill that closes, one question, or what is unreadable.

    The body must have been decoded by `messages.decode`, so that no amount was a binary float.
    """
    read = _read(output, profile)
    if isinstance(read, Unreadable):
        return read
    if read.setlinfo.setl_id is None:
        return Unreadable("setlinfo.setl_id", "missing")
    return _bill(read, profile)


def read_trial(output: Mapping[str, Any], profile: GatewayProfile) -> InsurerBill | NotClosing | Unreadable:
    """Read the `output` of 2206 or 2303: what a settlement would be. It has no settlement id and no instant."""
    read = _read(output, profile)
    if isinstance(read, Unreadable):
        return read
    trial = read.setlinfo.model_copy(update={"setl_id": None, "setl_time": None})
    return _bill(read.model_copy(update={"setlinfo": trial}), profile)


def read_cancellation(output: Mapping[str, Any], profile: GatewayProfile) -> Cancellation | Unreadable:
    """Read the `output` of 2208 or 2305; amounts come as negatives, several of them as `null`."""
    read = _read(output, profile)
    if isinstance(read, Unreadable):
        return read
    return _cancellation(read.setlinfo, profile)


def is_cancellation(output: Mapping[str, Any], profile: GatewayProfile) -> bool:
    """Say whether an output is a cancellation's, where bills and cancellations come in one stream.

    A refund's record has a negative total; a settlement that was refunded later keeps its positive one.
    """
    read = _read(output, profile)
    return not isinstance(read, Unreadable) and (read.setlinfo.medfee_sumamt or ZERO) < ZERO


def cancels(cancellation: Cancellation, figures: BillFigures) -> bool:
    """Say whether a cancellation takes back exactly these figures, in every amount that it delivered (identity H).

    One that does not even deliver the total takes nothing back.
    """
    if cancellation.figures.billed is None:
        return False
    for field in fields(CancelledFigures):
        taken = getattr(cancellation.figures, field.name)
        held_by = figures.funds if field.name in FUND_FIELDS else figures
        if taken is not None and taken != getattr(held_by, field.name):
            return False
    return True


def from_5203(output: Mapping[str, Any], profile: GatewayProfile) -> Fetched | Unreadable:
    """Read the `output` of 5203, whose names differ from those of the settlement that it describes."""
    read = _read(output, profile)
    if isinstance(read, Unreadable):
        return read
    node = read.setlinfo
    if node.setl_id is None:
        return Unreadable("setlinfo.setl_id", "missing")
    is_refund = (node.medfee_sumamt or ZERO) < ZERO
    reading = _cancellation(node, profile) if is_refund else _bill(read, profile)
    if isinstance(reading, Unreadable):
        return reading
    refunded = True if is_refund else _REFUNDED.get(node.refd_setl_flag or "")
    return Fetched(reading, refunded, _facts(node))


@dataclass(frozen=True, slots=True)
class SettledLines:
    """A settlement that fee lines of a visit name as theirs, and the charge batches of those lines."""

    insurer_settlement_id: str
    charge_batches: frozenset[str]


def from_5204(output: Mapping[str, Any]) -> tuple[SettledLines, ...] | Unreadable:
    """Read which settlements cover the fee lines of a visit; none means that nothing of it is settled now."""
    try:
        read = FeeOutput.read(output)
    except Malformed as malformed:
        return Unreadable(malformed.field, malformed.problem)
    batches: dict[str, set[str]] = {}
    for row in (*read.result, *read.feedetail):
        if row.setl_id is not None:
            of_it = batches.setdefault(row.setl_id, set())
            if row.chrg_bchno is not None:
                of_it.add(row.chrg_bchno)
    return tuple(SettledLines(number, frozenset(named)) for number, named in batches.items())


def read_answer_facts(output: Mapping[str, Any], profile: GatewayProfile) -> AnswerFacts | Unreadable:
    """Read what an answer says about the visit: regions put dates, area and place of payment beside the figures."""
    read = _read(output, profile)
    return read if isinstance(read, Unreadable) else _facts(read.setlinfo)


_AREA = re.compile(r"\d{6}", re.ASCII)
"""GB/T 2260: it is half of what names a settlement, so a misspelt one would name another."""


def is_area(code: str) -> bool:
    """Say whether a text is an area's code: six digits."""
    return _AREA.fullmatch(code) is not None


def _stated(value: object) -> Mapping[str, Money] | None:
    """Read the amounts that a plan asks for by their codes; one that is not an amount is an error."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise PydanticCustomError("not_an_object", "not an object")
    read = {str(code): _STATED_AMOUNT.validate_python(amount) for code, amount in value.items()}
    return {code: amount for code, amount in read.items() if amount is not None}


_STATED_AMOUNT: TypeAdapter[Money | None] = TypeAdapter(Amount)


class _VisitFacts(Message):
    mdtrtarea_admvs: Text = None
    fixmedins_code: Text = None
    chrg_bchno: Text = None
    insuplc_admdvs: Text = None
    recer_sys_code: Text = None
    msgid: Text = None
    ipt_otp_no: Text = None
    receipt_no: Text = None
    opter: Text = None
    pay_loc: Text = None
    admitted_on: Day = None
    discharged_on: Day = None
    dise_codg: Text = None
    hospital_category: Text = None
    stated: Annotated[Mapping[str, Money] | None, PlainValidator(_stated)] = None


class _CancellationFacts(Message):
    init_setl_id: Text = None


def read_visit(facts: Mapping[str, Any]) -> Visit | Unreadable:
    """Read the facts that come beside a bill, in the insurer's names; area, hospital and charge batch are required."""
    given = {name: value.isoformat() if isinstance(value, date) else value for name, value in facts.items()}
    try:
        read = _VisitFacts.read(given)
    except Malformed as malformed:
        return Unreadable(malformed.field, malformed.problem)
    if read.mdtrtarea_admvs is None or read.fixmedins_code is None or read.chrg_bchno is None:
        required = ("mdtrtarea_admvs", "fixmedins_code", "chrg_bchno")
        return Unreadable(next(name for name in required if getattr(read, name) is None), "missing")
    if not is_area(read.mdtrtarea_admvs):
        return Unreadable("mdtrtarea_admvs", "not_an_area")
    return Visit(
        area=read.mdtrtarea_admvs,
        hospital_code=read.fixmedins_code,
        charge_batch_no=read.chrg_bchno,
        insured_area=read.insuplc_admdvs,
        system_code=read.recer_sys_code,
        message_id=read.msgid,
        visit_no=read.ipt_otp_no,
        receipt_no=read.receipt_no,
        operator=read.opter,
        place_of_payment=read.pay_loc,
        admitted_on=read.admitted_on,
        discharged_on=read.discharged_on,
        diagnosis=read.dise_codg,
        hospital_category=read.hospital_category,
        stated=read.stated or {},
    )


def read_cancelled_settlement_id(facts: Mapping[str, Any]) -> str | Unreadable | None:
    """Read which settlement a cancellation cancelled (`init_setl_id`), where that is not its own id."""
    try:
        return _CancellationFacts.read(facts).init_setl_id
    except Malformed as malformed:
        return Unreadable(malformed.field, malformed.problem)


@dataclass(frozen=True, slots=True)
class Undoing:
    """A 2601 that a hospital sent: which message it took back, of whom, and whether the insurer accepted it."""

    insured_person_no: str
    message_id: str
    transaction: str
    accepted: bool

    @property
    def restores(self) -> bool:
        """Whether what it took back was a cancellation: then the settlement lives again (docs/gateway.md 5.3)."""
        return self.transaction.startswith(("2208", "2305", "2103"))


class _Undoing(Message):
    psn_no: Text = None
    omsgid: Text = None
    oinfno: Text = None
    infcode: Text = None


def read_undoing(message: Mapping[str, Any]) -> Undoing | Unreadable:
    """Read the input of a 2601 with the `infcode` of its answer; all four are required."""
    try:
        read = _Undoing.read(message)
    except Malformed as malformed:
        return Unreadable(malformed.field, malformed.problem)
    required = (read.psn_no, read.omsgid, read.oinfno, read.infcode)
    if None in required:
        return Unreadable(("psn_no", "omsgid", "oinfno", "infcode")[required.index(None)], "missing")
    return Undoing(read.psn_no or "", read.omsgid or "", read.oinfno or "", read.infcode == "0")


def completed(visit: Visit, facts: AnswerFacts) -> Visit:
    """Return the visit with its gaps filled from the answer; what was stated beside the bill stays."""
    return replace(
        visit,
        insured_area=visit.insured_area or facts.insured_area,
        receipt_no=visit.receipt_no or facts.receipt_no,
        place_of_payment=visit.place_of_payment or facts.place_of_payment,
        admitted_on=visit.admitted_on or facts.admitted_on,
        discharged_on=visit.discharged_on or facts.discharged_on,
    )


def _read(output: Mapping[str, Any], profile: GatewayProfile) -> SettlementOutput | Unreadable:
    try:
        read = SettlementOutput.read(output, profile.aliases)
    except Malformed as malformed:
        return Unreadable(malformed.field, malformed.problem)
    return Unreadable("setlinfo.mdtrt_id", "missing") if read.setlinfo.mdtrt_id is None else read


def _bill(read: SettlementOutput, profile: GatewayProfile) -> InsurerBill | NotClosing:
    node = read.setlinfo
    closed = close_bill(read, profile)
    if isinstance(closed, BillFigures):
        return InsurerBill(
            insurer_settlement_id=node.setl_id,
            encounter_id=node.mdtrt_id or "",
            settled_at=node.setl_time,
            care_type=node.med_type,
            insured=_insured(node),
            figures=closed,
            message_id=node.medins_setl_id,
        )
    return NotClosing(
        insurer_settlement_id=node.setl_id,
        encounter_id=node.mdtrt_id or "",
        settled_at=node.setl_time,
        care_type=node.med_type,
        insured=_insured(node),
        message_id=node.medins_setl_id,
        figures={field: amount.yuan() for field, amount in node.amounts().items()},
        question=closed,
    )


def _cancellation(node: SettlementNode, profile: GatewayProfile) -> Cancellation | Unreadable:
    if node.setl_id is None:
        return Unreadable("setlinfo.setl_id", "missing")
    return Cancellation(
        insurer_settlement_id=node.setl_id,
        encounter_id=node.mdtrt_id or "",
        settled_at=node.setl_time,
        insured=_insured(node),
        message_id=node.medins_setl_id,
        figures=_cancelled(node, profile),
    )


def _cancelled(node: SettlementNode, profile: GatewayProfile) -> CancelledFigures:
    """Turn the amounts round. Account money that a relative may have paid beside is known only when that is stated."""
    unknown_family = profile.family_account == "beside" and node.acct_mulaid_pay is None
    account = None if unknown_family else account_money(node, profile)
    insurer_paid = node.fund_pay_sumamt
    if profile.account_money_in_fund_total and insurer_paid is not None:
        insurer_paid = None if account is None else insurer_paid - account
    return CancelledFigures(
        billed=_positive(node.medfee_sumamt),
        excluded=_positive(node.fulamt_ownpay_amt),
        over_limit=_positive(node.overlmt_selfpay),
        upfront_share=_positive(node.preselfpay_amt),
        allowed=_positive(node.inscp_scp_amt),
        insurer_deductible=_positive(node.act_pay_dedc),
        **{ours: _positive(getattr(node, field)) for ours, field in FUND_FIELDS.items()},
        insurer_paid=_positive(insurer_paid),
        provider_absorbed=_positive(node.hosp_part_amt),
        patient_share=_positive(node.psn_part_amt),
        account_paid=_positive(account),
        family_account_paid=_positive(node.acct_mulaid_pay),
        cash_before_aid=_positive(node.psn_cash_pay),
    )


def _positive(amount: Money | None) -> Money | None:
    return None if amount is None else -amount


def _insured(node: SettlementNode) -> Insured:
    return Insured(
        certificate=None if node.certno is None else normalised(node.psn_cert_type, node.certno),
        name=node.psn_name,
        insured_person_no=node.psn_no,
        insurance_type=node.insutype,
        person_type=node.psn_type,
    )


def _facts(node: SettlementNode) -> AnswerFacts:
    return AnswerFacts(
        insured_area=node.insuplc_admdvs,
        hospital_code=node.fixmedins_code,
        place_of_payment=node.pay_loc,
        receipt_no=node.invono,
        admitted_on=node.begndate,
        discharged_on=node.enddate,
    )
