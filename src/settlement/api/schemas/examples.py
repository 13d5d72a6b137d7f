"""Example messages for the OpenAPI document: a bill of an invented person, whose figures satisfy every identity."""

from __future__ import annotations

from typing import Any

FACTS: dict[str, Any] = {
    "mdtrtarea_admvs": "371600",
    "fixmedins_code": "H37160000001",
    "chrg_bchno": "1",
    "insuplc_admdvs": "371602",
    "recer_sys_code": "FSI",
    "msgid": "H37160000001202603101015300007",
    "ipt_otp_no": "ZY2026030042",
    "receipt_no": "0012345678",
    "opter": "S001",
    "pay_loc": "2",
    "admitted_on": "2026-03-02",
    "discharged_on": "2026-03-10",
}

_SETLINFO: dict[str, Any] = {
    "setl_id": "371600000400125",
    "mdtrt_id": "371600000178725",
    "psn_no": "37160000000000000000100001",
    "psn_name": "测试甲",
    "psn_cert_type": "01",
    "certno": "371602199001010015",
    "insutype": "310",
    "psn_type": "1101",
    "med_type": "21",
    "setl_time": "2026-03-10 10:15:31",
    "medfee_sumamt": 12865.00,
    "fulamt_ownpay_amt": 865.00,
    "overlmt_selfpay": 0,
    "preselfpay_amt": 600.00,
    "inscp_scp_amt": 11400.00,
    "act_pay_dedc": 600,
    "hifp_pay": 9180.00,
    "cvlserv_pay": 0,
    "hifes_pay": 0,
    "hifmi_pay": 0,
    "hifob_pay": 0,
    "maf_pay": 0,
    "oth_pay": 0,
    "fund_pay_sumamt": 9180.00,
    "hosp_part_amt": 0,
    "psn_part_amt": 3685.00,
    "acct_pay": 200.00,
    "psn_cash_pay": 3485.00,
    "acct_mulaid_pay": 0,
    "medins_setl_id": "H37160000001202603101015300007",
    "clr_optins": "371600",
    "clr_way": "1",
    "clr_type": "21",
}

OUTPUT_2207: dict[str, Any] = {
    "setlinfo": _SETLINFO,
    "setldetail": [{"fund_pay_type": "310100", "fund_payamt": 9180.00, "inscp_scp_amt": 11400.00}],
}

_TAKEN_BACK = {name: -value if isinstance(value, int | float) and value else value for name, value in _SETLINFO.items()}
OUTPUT_2208: dict[str, Any] = {"setlinfo": {**_TAKEN_BACK, "setl_time": "2026-03-10 15:40:02"}, "setldetail": []}

SETTLE_BROUGHT: dict[str, Any] = {"output": OUTPUT_2207, "visit": FACTS}
SETTLE_FETCHED: dict[str, Any] = {
    "fetch": {name: _SETLINFO[name] for name in ("psn_no", "setl_id", "mdtrt_id")},
    "visit": FACTS,
}
REVERSE_BROUGHT: dict[str, Any] = {"reason": "refund", "cancellation": OUTPUT_2208}
ANSWER_FACT: dict[str, Any] = {"facts": {"discharged_on": "2026-03-10"}}
ANSWER_DECLARED: dict[str, Any] = {"answers": {"third_party_liable": False}}
PENDING_MESSAGE: dict[str, Any] = {
    "infno": "2304",
    "msgid": "H37160000001202603101015300007",
    "psn_no": _SETLINFO["psn_no"],
    "mdtrt_id": _SETLINFO["mdtrt_id"],
    "visit": FACTS,
}
PUSH: dict[str, Any] = {
    "bills": [
        {"infno": "2304", "output": OUTPUT_2207, "facts": FACTS},
        {"infno": "2305", "output": OUTPUT_2208, "facts": {**FACTS, "init_setl_id": _SETLINFO["setl_id"]}},
    ]
}

REINSTATE_BROUGHT: dict[str, Any] = {
    "undone": {
        "psn_no": "37160000000000000123",
        "omsgid": "H37160000001202603111005000008",
        "oinfno": "2208",
        "infcode": "0",
    }
}
