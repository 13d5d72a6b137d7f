"""The messages of the national interface that we read or ask with: names as on the wire.

Unknown keys are ignored, and what no rule needs (birthday, employer, balance) is not modelled. Nothing is decided here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator

from settlement.domain.money import Money
from settlement.gateway.fields import Amount, Day, Instant, Message, Names, Said, Text, is_given, read_rows

LONGEST_NUMBER = 40
LARGEST_EXPONENT = 20
DEEPEST_NESTING = 64

_EXPONENT = re.compile(r"[eE]([+-]?\d+)$", re.ASCII)


class NotJson(ValueError):
    """A body that is not JSON, or holds what no insurer writes; it says which."""


def decode(body: str | bytes) -> Any:
    """Decode a JSON body so that no amount passes through binary floating point. Raises `NotJson`.

    Ten characters can write a number that takes minutes to spell out, and a short text can nest deeper than whatever
    walks it afterwards: both are refused here, before anybody works with them, and under whatever key they stand.
    """
    try:
        content = json.loads(body, parse_float=_fraction, parse_int=_whole, parse_constant=_refuse_constant)
    except NotJson:
        raise
    except (ValueError, RecursionError):
        raise NotJson("the body is not JSON") from None
    _refuse_deep_nesting(content)
    return content


def _fraction(written: str) -> Decimal:
    _refuse_long(written)
    exponent = _EXPONENT.search(written)
    if exponent and abs(int(exponent[1])) > LARGEST_EXPONENT:
        raise NotJson("no insurer writes such a number")
    return Decimal(written)


def _whole(written: str) -> int:
    _refuse_long(written)
    return int(written)


def _refuse_long(written: str) -> None:
    if len(written) > LONGEST_NUMBER:
        raise NotJson("no insurer writes such a number")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _refuse_deep_nesting(content: Any) -> None:
    level = [content]
    for _ in range(DEEPEST_NESTING):
        inner = (child for node in level for child in (node.values() if isinstance(node, dict) else node))
        level = [child for child in inner if isinstance(child, dict | list)]
        if not level:
            return
    raise NotJson("no insurer nests so deeply")


class RequestEnvelope(Message):
    """The head of a request, docs/gateway.md 1.1; `input` holds the question's named node."""

    infno: str
    msgid: str
    mdtrtarea_admvs: str
    insuplc_admdvs: str = ""
    recer_sys_code: str
    dev_no: str = ""
    dev_safe_info: str = ""
    cainfo: str = ""
    signtype: str = ""
    infver: str
    opter_type: str
    opter: str
    opter_name: str
    inf_time: str
    fixmedins_code: str
    fixmedins_name: str
    sign_no: str = ""
    input: Mapping[str, Any]


class ResponseEnvelope(Message):
    """The head of an answer, docs/gateway.md 1.2. `infcode` arrives as a number or a text and is read as text."""

    other_names: ClassVar[Names] = {"err_msg": ("message",)}

    infcode: Text = None
    inf_refmsgid: Text = None
    refmsg_time: Text = None
    respond_time: Text = None
    signtype: Text = None
    err_msg: Said = None
    warn_msg: Said = None
    output: Any = None


class LocalAnswer(Message):
    """A JSON object without `infcode`: a filter on the way spoke, not the insurer (docs/gateway.md 1.2)."""

    other_names: ClassVar[Names] = {"message": ("msg",)}

    code: Text = None
    message: Said = None


def read_answer(body: str | bytes) -> ResponseEnvelope | LocalAnswer:
    """Read the body of an answer, with or without the envelope. Raises `NotJson` or `Malformed`."""
    node = decode(body)
    if isinstance(node, Mapping) and is_given(node.get("infcode")):
        return ResponseEnvelope.read(node)
    return LocalAnswer.read(node)


class SettlementNode(Message):
    """`setlinfo` of 2206, 2207, 2208, 2303, 2304, 2305 and 5203, docs/gateway.md 2.S. Amounts are fen."""

    other_names: ClassVar[Names] = {
        "certno": ("cert_no",),
        "medfee_sumamt": ("med_fee_sumamt",),
        "preselfpay_amt": ("prese_ifpay_amt",),
        "inscp_scp_amt": ("inscp_amt",),
        "hosp_part_amt": ("ownpay_hosp_part",),
        "psn_part_amt": ("psn_pay",),
        "psn_cash_pay": ("pdn_cash_pay", "cash_payamt", "cashPayamt", "psnCash_pay"),
        "insuplc_admdvs": ("insu_admdvs", "insu_optins"),
    }

    mdtrt_id: Text = None
    setl_id: Text = None
    medins_setl_id: Text = None
    setl_time: Instant = None
    psn_no: Text = None
    psn_name: Text = None
    psn_cert_type: Text = None
    certno: Text = None
    insutype: Text = None
    psn_type: Text = None
    med_type: Text = None
    insuplc_admdvs: Text = None
    fixmedins_code: Text = None
    hosp_lv: Text = None
    pay_loc: Text = None
    refd_setl_flag: Text = None
    begndate: Day = None
    enddate: Day = None
    invono: Text = None

    medfee_sumamt: Amount = None
    fulamt_ownpay_amt: Amount = None
    overlmt_selfpay: Amount = None
    preselfpay_amt: Amount = None
    inscp_scp_amt: Amount = None
    act_pay_dedc: Amount = None
    hifp_pay: Amount = None
    cvlserv_pay: Amount = None
    hifes_pay: Amount = None
    hifmi_pay: Amount = None
    hifob_pay: Amount = None
    hifdm_pay: Amount = None
    maf_pay: Amount = None
    oth_pay: Amount = None
    fund_pay_sumamt: Amount = None
    hosp_part_amt: Amount = None
    psn_part_amt: Amount = None
    acct_pay: Amount = None
    acct_mulaid_pay: Amount = None
    psn_cash_pay: Amount = None

    def amounts(self) -> dict[str, Money]:
        """Return the amounts that were delivered, in fen, by their name in the specification."""
        values = ((field, getattr(self, field)) for field in type(self).model_fields)
        return {field: value for field, value in values if isinstance(value, Money)}


class FundRow(Message):
    """One row of `setldetail`: for display, and to see aid that the platform has already paid (docs/gateway.md 4)."""

    fund_pay_type: Text = None
    fund_pay_type_name: Text = None
    fund_payamt: Amount = None


class SettlementOutput(Message):
    """`output` of every transaction that carries a settlement, docs/gateway.md 2.S."""

    setlinfo: SettlementNode
    setldetail: Annotated[tuple[FundRow, ...], BeforeValidator(read_rows)] = ()


class PersonQuestion(Message):
    """Input node `data` of 1101: who is this?"""

    mdtrt_cert_type: str
    mdtrt_cert_no: str
    card_sn: str = ""
    begntime: str = ""
    psn_cert_type: str = ""
    certno: str = ""
    psn_name: str = ""


class PersonNode(Message):
    """`baseinfo` of 1101."""

    other_names: ClassVar[Names] = {"certno": ("cert_no",)}

    psn_no: Text = None
    psn_cert_type: Text = None
    certno: Text = None
    psn_name: Text = None


class InsuranceRow(Message):
    """One row of `insuinfo` of 1101; a person has several, of which one pays the bill."""

    insutype: Text = None
    psn_type: Text = None
    psn_insu_stas: Text = None
    psn_insu_date: Day = None
    paus_insu_date: Day = None
    insuplc_admdvs: Text = None


class PersonOutput(Message):
    """`output` of 1101, docs/gateway.md 6."""

    baseinfo: PersonNode
    insuinfo: Annotated[tuple[InsuranceRow, ...], BeforeValidator(read_rows)] = ()


class VisitQuestion(Message):
    """Input node `data` of 5201: which visits had this person in this span? Times as `yyyy-MM-dd HH:mm:ss`."""

    psn_no: str
    begntime: str
    endtime: str
    med_type: str
    mdtrt_id: str = ""


class VisitRow(Message):
    """One row of `mdtrtinfo` of 5201."""

    mdtrt_id: Text = None
    psn_no: Text = None
    insutype: Text = None
    psn_type: Text = None
    med_type: Text = None
    begntime: Instant = None
    endtime: Instant = None
    ipt_otp_no: Text = None


class VisitOutput(Message):
    """`output` of 5201."""

    mdtrtinfo: Annotated[tuple[VisitRow, ...], BeforeValidator(read_rows)] = ()


class SettlementQuestion(Message):
    """Input node `data` of 5203: what became of this settlement?"""

    psn_no: str
    setl_id: str
    mdtrt_id: str


class FeeQuestion(Message):
    """Input node `data` of 5204; without `setl_id` the lines tell by theirs whether the visit was settled."""

    psn_no: str
    mdtrt_id: str
    setl_id: str = ""


class FeeRow(Message):
    """One fee line of 5204, docs/gateway.md 6."""

    feedetl_sn: Text = None
    mdtrt_id: Text = None
    setl_id: Text = None
    chrg_bchno: Text = None
    fee_ocur_time: Instant = None
    det_item_fee_sumamt: Amount = None
    fulamt_ownpay_amt: Amount = None
    overlmt_amt: Amount = None
    preselfpay_amt: Amount = None
    inscp_scp_amt: Amount = None


class FeeOutput(Message):
    """`output` of 5204: an array in most places, which the client hands over as `result`; elsewhere `feedetail`."""

    result: Annotated[tuple[FeeRow, ...], BeforeValidator(read_rows)] = ()
    feedetail: Annotated[tuple[FeeRow, ...], BeforeValidator(read_rows)] = ()


class SignInQuestion(Message):
    """Input node `signIn` of 9001."""

    opter_no: str
    mac: str
    ip: str


class SignInNode(Message):
    """`signinoutb` of 9001; `sign_time` is the platform's clock, which is not ours."""

    sign_no: Text = None
    sign_time: Instant = None


class SignInOutput(Message):
    """`output` of 9001."""

    signinoutb: SignInNode
