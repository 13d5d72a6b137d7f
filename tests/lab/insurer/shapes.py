"""The shapes of the real messages, by hand: keys and kinds of values of each transaction's output.

A kind is `text`, `number` or `null`; `text?` and `number?` may be null as well.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

Shape = dict[str, str]

_NUMBERS = (
    "cvlserv_pay psn_cash_pay hifmi_pay act_pay_dedc balc acct_mulaid_pay hifob_pay oth_pay medfee_sumamt hifes_pay "
    "acct_pay fund_pay_sumamt fulamt_ownpay_amt hosp_part_amt inscp_scp_amt maf_pay psn_part_amt pool_prop_selfpay "
    "hifp_pay overlmt_selfpay preselfpay_amt"
)
_TEXTS = (
    "setl_time cvlserv_flag med_type brdy naty certno psn_no mdtrt_cert_type medins_setl_id psn_cert_type clr_way gend "
    "mdtrt_id setl_id insutype psn_name clr_optins psn_type clr_type"
)


def shape(numbers: str = "", texts: str = "", nulls: str = "") -> Shape:
    """Build a shape from names."""
    return {
        **dict.fromkeys(numbers.split(), "number"),
        **dict.fromkeys(texts.split(), "text"),
        **dict.fromkeys(nulls.split(), "null"),
    }


SETTLED = shape(f"{_NUMBERS} age", _TEXTS)
DETAIL = shape("fund_payamt inscp_scp_amt", "fund_pay_type fund_pay_type_name", "setl_proc_info crt_payb_lmt_amt")
STAY_DETAIL = shape("fund_payamt inscp_scp_amt", "fund_pay_type")
LINE = shape(
    "det_item_fee_sumamt fulamt_ownpay_amt cnt pric inscp_scp_amt overlmt_amt pric_uplmt_amt selfpay_prop "
    "preselfpay_amt",
    "bas_medn_flag med_chrgitm_type hi_nego_drug_flag feedetl_sn drt_reim_flag lmt_used_flag chrgitm_lv",
)
_STAY_EXTRA = "othfund_pay hifdm_pay psn_pay ownpay_hosp_part inscp_amt cashPayamt dedc_std crt_dedc"

SETLINFO: dict[str, Shape] = {
    "2206": SETTLED | shape(nulls="setl_time setl_id clr_way clr_optins"),
    "2207": SETTLED,
    "2208": SETTLED | shape(nulls="psn_part_amt hosp_part_amt acct_mulaid_pay"),
    "2303": {key: kind for key, kind in SETTLED.items() if key not in {"setl_time", "setl_id", "clr_way", "clr_optins"}}
    | shape(_STAY_EXTRA, "insu_admdvs mdtrt_cert_no psn_insu_rlts_id"),
    "2304": SETTLED,
    "2305": shape(
        f"{_NUMBERS} {_STAY_EXTRA}",
        "setl_time insu_admdvs mdtrt_cert_no begndate enddate medins_setl_id mdtrt_id setl_id setl_type "
        "psn_insu_rlts_id clr_optins",
        "exp_content invono psn_part_amt hosp_part_amt acct_mulaid_pay",
    ),
}
SETLDETAIL: dict[str, Shape] = {
    "2206": DETAIL,
    "2207": DETAIL,
    "2208": DETAIL,
    "2303": STAY_DETAIL,
    "2304": STAY_DETAIL,
    "2305": DETAIL | shape(nulls="fund_pay_type_name"),
}
LINES: dict[str, Shape] = {
    "2204": LINE | shape(nulls="exp_content memo list_sp_item_flag chld_medc_flag"),
    "2301": LINE,
}
BASEINFO = shape("age", "certno psn_no gend brdy naty psn_cert_type psn_name", "exp_content")
INSUINFO = shape("balc", "insuplc_admdvs psn_insu_date cvlserv_flag emp_name psn_type psn_insu_stas insutype") | {
    "paus_insu_date": "text?"
}
TOP_LEVEL: dict[str, set[str]] = {
    "1101": {"idetinfo", "baseinfo", "insuinfo"},
    "2206": {"setlinfo", "setldetail", "expContent"},
    "2207": {"setlinfo", "setldetail", "expContent"},
    "2208": {"setlinfo", "setldetail", "expContent"},
    "2303": {"setlinfo", "setldetail"},
    "2304": {"setlinfo", "setldetail"},
    "2305": {"setlinfo", "setldetail"},
}


def shape_of(row: dict[str, Any]) -> Shape:
    """Return the shape that an object has."""
    return {key: kind_of(value) for key, value in row.items()}


def kind_of(value: object) -> str:
    """Name the kind of a value."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return "text"
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def fits(found: Shape, expected: Shape) -> bool:
    """Tell whether a shape is the expected one, letting `kind?` be null."""
    return found.keys() == expected.keys() and all(
        kind == expected[key] or (expected[key].endswith("?") and kind in ("null", expected[key][:-1]))
        for key, kind in found.items()
    )
