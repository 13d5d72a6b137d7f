"""Answers in the shapes that regions really use, with figures of our own, as JSON text: they pass the real decoder."""

from __future__ import annotations

import json
from typing import Any

from settlement.gateway.messages import ResponseEnvelope, decode, read_answer

Node = dict[str, Any]


def envelope(output: object, infcode: int | str = 0, err_msg: str | None = None) -> str:
    """Return the text of an answer as Hebei writes it."""
    head = {"infcode": infcode, "inf_refmsgid": "131100202503101015310000012345", "refmsg_time": "20250310101531102"}
    return json.dumps({**head, "respond_time": "20250310101531461", "err_msg": err_msg, "output": output})


def received(output: object) -> Node:
    """Return an output as it arrives: through text and the decoder."""
    answer = read_answer(envelope(output))
    assert isinstance(answer, ResponseEnvelope)
    assert isinstance(answer.output, dict)
    return answer.output


def person(**changes: object) -> Node:
    return {
        "psn_no": "13110000000000000101",
        "psn_name": "测试甲",
        "psn_cert_type": "01",
        "certno": "131102198001010016",
        "gend": "1",
        "brdy": "1980-01-01",
        "age": 45.1,
        "insutype": "310",
        "psn_type": "1101",
        **changes,
    }


def hebei_2207(**changes: object) -> Node:
    """1286.50 billed: 672.00 pooled fund, 200.00 account, 414.50 cash."""
    node = person() | {
        "mdtrt_id": "300990001",
        "setl_id": "400990001",
        "setl_time": "2025-03-10 10:15:31",
        "med_type": "11",
        "medins_setl_id": "H13110200026202503101015300007",
        "medfee_sumamt": 1286.5,
        "fulamt_ownpay_amt": 86.5,
        "overlmt_selfpay": 0,
        "preselfpay_amt": 60.0,
        "inscp_scp_amt": 1140,
        "act_pay_dedc": 300,
        "hifp_pay": 672,
        "cvlserv_pay": 0,
        "hifes_pay": 0,
        "hifmi_pay": 0,
        "hifob_pay": 0,
        "maf_pay": 0,
        "oth_pay": 0,
        "fund_pay_sumamt": 672,
        "hosp_part_amt": 0,
        "psn_part_amt": 614.5,
        "acct_pay": 200,
        "psn_cash_pay": 414.5,
        "acct_mulaid_pay": 0,
        "balc": 0.0,
        "clr_type": "11",
    }
    detail = {"fund_pay_type": "310100", "fund_payamt": 672, "fund_pay_type_name": "城镇职工基本医疗保险统筹基金"}
    return {"setlinfo": node | changes, "setldetail": [detail], "expContent": None}


def chongqing_2304(**changes: object) -> Node:
    """9000.00 billed: 5000.00 pooled, 1500.00 large-amount fund, 120.34 hospital, 300.00 account, 2079.66 cash."""
    node = person(psn_no="ZG9000000001") | {
        "mdtrt_id": "310009990001",
        "setl_id": "300099900001",
        "setl_time": "2025-03-11 09:58:41",
        "med_type": "21",
        "medins_setl_id": "H50010302473202503110958341146",
        "medfee_sumamt": 9000.0,
        "fulamt_ownpay_amt": 800.15,
        "overlmt_selfpay": 99.85,
        "preselfpay_amt": 100,
        "inscp_scp_amt": 8000.0,
        "act_pay_dedc": 880,
        "hifp_pay": 5000,
        "hifob_pay": 1500,
        "hifdm_pay": 0,
        "fund_pay_sumamt": 6500,
        "hosp_part_amt": 120.34,
        "ownpay_hosp_part": 0,
        "psn_part_amt": 2379.66,
        "psn_pay": 2379.66,
        "acct_pay": 300,
        "psn_cash_pay": 2079.66,
        "cashPayamt": 2079.66,
        "acct_mulaid_pay": 0,
        "othfund_pay": 0.0,
        "insu_admdvs": "500102",
    }
    rows = [("330101", 1500), ("310101", 5000), ("999996", 120.34), ("310201", 300)]
    return {
        "setlinfo": node | changes,
        "setldetail": [{"fund_pay_type": code, "fund_payamt": paid} for code, paid in rows],
    }


def guangdong_2207(**changes: object) -> Node:
    """500.00 billed: the fund total of 380.00 contains 80.00 of account money; 120.00 cash."""
    return hebei_2207(
        medfee_sumamt="500.00",
        fulamt_ownpay_amt="0.00",
        preselfpay_amt="20.00",
        inscp_scp_amt="480.00",
        act_pay_dedc="0",
        hifp_pay="300.00",
        fund_pay_sumamt="380.00",
        psn_part_amt="200.00",
        acct_pay="80.00",
        psn_cash_pay="120.00",
        **changes,
    )


def family_beside_2207(**changes: object) -> Node:
    """614.50 to bear: 200.00 account, beside it 100.00 of a relative's, 314.50 cash."""
    return hebei_2207(acct_mulaid_pay=100, psn_cash_pay=314.5, **changes)


def negated(node: Node) -> Node:
    """Return a settlement's node with every amount turned round, as a cancellation delivers it."""
    codes = {"insutype", "psn_type", "med_type", "age", "balc"}
    return {
        name: -value if isinstance(value, int | float) and value and name not in codes else value
        for name, value in node.items()
    }


def hebei_2208(of: Node, **changes: object) -> Node:
    """The cancellation of a 2207: shares that Hebei leaves null are null."""
    nulls = {"psn_part_amt": None, "hosp_part_amt": None, "acct_mulaid_pay": None}
    moved = {"setl_time": "2025-03-12 08:00:00", "medins_setl_id": "H13110200026202503120800000008"}
    return {"setlinfo": negated(of["setlinfo"]) | nulls | moved | changes, "setldetail": []}


def chongqing_2305(of: Node, **changes: object) -> Node:
    """The cancellation of a 2304: no person, hospital and patient's part under their local names, dates of the stay."""
    node = negated(of["setlinfo"])
    person_fields = person().keys() | {"med_type"}
    kept = {name: value for name, value in node.items() if name not in person_fields}
    local = {
        "psn_part_amt": None,
        "hosp_part_amt": None,
        "acct_mulaid_pay": None,
        "ownpay_hosp_part": node["hosp_part_amt"],
        "setl_type": "2",
        "begndate": "2025-03-01",
        "enddate": "2025-03-11",
        "setl_time": "2025-03-13 11:00:00",
    }
    return {"setlinfo": kept | local | changes, "setldetail": None}


def as_5203(of: Node, **changes: object) -> Node:
    """The 5203 of a settlement: other names for the patient's part and the cash, times for dates."""
    node = dict(of["setlinfo"])
    node |= {"psn_pay": node.pop("psn_part_amt"), "cash_payamt": node.pop("psn_cash_pay")}
    node.pop("cashPayamt", None)
    node.pop("hosp_part_amt")
    node |= {
        "refd_setl_flag": "0",
        "begndate": "2025-03-01 00:00:00",
        "enddate": "2025-03-11 00:00:00",
        "hosp_lv": "02",
        "pay_loc": "2",
        "insu_optins": "131102",
        "emp_name": "某单位",
        "fixmedins_code": "H13110200026",
        "year": "2025",
        "invono": None,
    }
    return {"setlinfo": node | changes, "setldetail": of["setldetail"]}


def as_text_amounts(output: Node) -> Node:
    """The same answer with every amount as a text, as several provinces write it."""
    node = {
        name: f"{value:.2f}" if isinstance(value, int | float) else value for name, value in output["setlinfo"].items()
    }
    return {**output, "setlinfo": node}


def through_text(output: Node) -> Node:
    """Return the output decoded from its own text, exact."""
    decoded = decode(json.dumps(output))
    assert isinstance(decoded, dict)
    return decoded
