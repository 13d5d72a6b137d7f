"""The business inputs of the transactions that a hospital sends, in the fields of the national interface."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from settlement.lab.his.bills import FeeLine, OpenVisit
from settlement.lab.his.people import Person
from settlement.lab.his.wire import yuan

_DOCTOR = {"bilg_dr_codg": "D371600000001", "bilg_dr_name": "医师甲"}
_DEPARTMENT = {"bilg_dept_codg": "A03", "bilg_dept_name": "内科"}


def moment(at: datetime) -> str:
    """Write a time as the interface does, yyyy-MM-dd HH:mm:ss."""
    return at.strftime("%Y-%m-%d %H:%M:%S")


def identification(person: Person) -> dict[str, Any]:
    """1101, by citizen identity number."""
    return {
        "data": {
            "mdtrt_cert_type": "02",
            "mdtrt_cert_no": person.certno,
            "card_sn": "",
            "begntime": "",
            "psn_cert_type": person.psn_cert_type,
            "certno": person.certno,
            "psn_name": person.psn_name,
        }
    }


def registration(person: Person, ipt_otp_no: str, at: datetime) -> dict[str, Any]:
    """2201."""
    return {
        "data": {
            "psn_no": person.psn_no,
            "insutype": person.insutype,
            "begntime": moment(at),
            **_certificate(person),
            "ipt_otp_no": ipt_otp_no,
            "atddr_no": _DOCTOR["bilg_dr_codg"],
            "dr_name": _DOCTOR["bilg_dr_name"],
            "dept_code": _DEPARTMENT["bilg_dept_codg"],
            "dept_name": _DEPARTMENT["bilg_dept_name"],
            "caty": "A03",
        }
    }


def visit_information(visit: OpenVisit) -> dict[str, Any]:
    """2203A: kind of care and diagnosis."""
    return {
        "mdtrtinfo": {
            "mdtrt_id": visit.mdtrt_id,
            "psn_no": visit.person.psn_no,
            "med_type": visit.med_type,
            "begntime": moment(visit.at),
            "main_cond_dscr": "",
            "dise_codg": "M03900" if visit.med_type == "14" else "",
            "dise_name": "高血压" if visit.med_type == "14" else "",
        },
        "diseinfo": [_diagnosis(visit.at)],
    }


def visit_fees(visit: OpenVisit) -> dict[str, Any]:
    """2204."""
    rows = [
        _fee_row(visit, serial, line) | {"chrg_bchno": visit.chrg_bchno, "rx_circ_flag": "0", "rxno": ""}
        for serial, line in enumerate(visit.fee_lines, start=1)
    ]
    return {"feedetail": rows}


def stay_fees(visit: OpenVisit, start: int, count: int) -> dict[str, Any]:
    """2301, for `count` of the stay's fee lines from `start`."""
    rows = [
        _fee_row(visit, serial, line) | {"med_type": visit.med_type, "init_feedetl_sn": ""}
        for serial, line in enumerate(visit.fee_lines[start : start + count], start=start + 1)
    ]
    return {"feedetail": rows}


def admission(person: Person, ipt_no: str, med_type: str, at: datetime) -> dict[str, Any]:
    """2401."""
    return {
        "mdtrtinfo": {
            "psn_no": person.psn_no,
            "insutype": person.insutype,
            "begntime": moment(at),
            **_certificate(person),
            "med_type": med_type,
            "ipt_no": ipt_no,
            "medrcdno": ipt_no,
            "atddr_no": _DOCTOR["bilg_dr_codg"],
            "chfpdr_name": _DOCTOR["bilg_dr_name"],
            "adm_diag_dscr": "肺炎",
            "adm_dept_codg": _DEPARTMENT["bilg_dept_codg"],
            "adm_dept_name": _DEPARTMENT["bilg_dept_name"],
            "adm_bed": "12",
            "dscg_maindiag_code": "J18.900",
            "dscg_maindiag_name": "肺炎",
        },
        "diseinfo": [_diagnosis(at) | {"psn_no": person.psn_no, "maindiag_flag": "1"}],
    }


def discharge(visit: OpenVisit, at: datetime) -> dict[str, Any]:
    """2402."""
    return {
        "dscginfo": {
            "mdtrt_id": visit.mdtrt_id,
            "psn_no": visit.person.psn_no,
            "insutype": visit.person.insutype,
            "endtime": moment(at),
            "dscg_dept_codg": _DEPARTMENT["bilg_dept_codg"],
            "dscg_dept_name": _DEPARTMENT["bilg_dept_name"],
            "dscg_bed": "12",
            "dscg_way": "1",
        },
        "diseinfo": [_diagnosis(at) | {"psn_no": visit.person.psn_no, "maindiag_flag": "1"}],
    }


def trial(visit: OpenVisit) -> dict[str, Any]:
    """2206, or 2303 for a stay."""
    data = _settling(visit)
    if visit.inpatient:
        data |= {"mid_setl_flag": "0", "invono": "", **dict.fromkeys(_PARTS, "0")}
    return {"data": data}


def settlement(visit: OpenVisit, invono: str) -> dict[str, Any]:
    """2207, or 2304 for a stay: the four amounts are copied from the trial, as real systems do."""
    info = visit.trial["setlinfo"]
    data = _settling(visit) | {"invono": invono} | {name: str(info[name]) for name in _PARTS}
    if visit.inpatient and visit.discharged_at is not None:
        data |= {"mid_setl_flag": "0", "dscgTime": visit.discharged_at.strftime("%Y-%m-%d")}
    return {"data": data}


def of_visit(visit: OpenVisit, **more: str) -> dict[str, Any]:
    """Build the input of the transactions that name a visit only: 2202, 2205, 2404, 2405."""
    return {"data": {"mdtrt_id": visit.mdtrt_id, "psn_no": visit.person.psn_no, **more}}


_PARTS = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")


def _certificate(person: Person) -> dict[str, str]:
    return {"mdtrt_cert_type": "02", "mdtrt_cert_no": person.certno}


def _settling(visit: OpenVisit) -> dict[str, Any]:
    data: dict[str, Any] = {
        "psn_no": visit.person.psn_no,
        **_certificate(visit.person),
        "medfee_sumamt": yuan(visit.total_fen),
        "psn_setlway": "01",
        "mdtrt_id": visit.mdtrt_id,
        "insutype": visit.person.insutype,
        "acct_used_flag": "1" if visit.use_account else "0",
    }
    return data if visit.inpatient else data | {"med_type": visit.med_type, "chrg_bchno": visit.chrg_bchno}


def _fee_row(visit: OpenVisit, serial: int, line: FeeLine) -> dict[str, Any]:
    return {
        "feedetl_sn": f"{visit.ipt_otp_no}{serial:05d}",
        "mdtrt_id": visit.mdtrt_id,
        "psn_no": visit.person.psn_no,
        "fee_ocur_time": moment(visit.admitted_at or visit.at),
        "med_list_codg": line.code,
        "medins_list_codg": line.code,
        "det_item_fee_sumamt": yuan(line.amount_fen),
        "cnt": line.quantity,
        "pric": yuan(line.price_fen),
        **_DEPARTMENT,
        **_DOCTOR,
        "hosp_appr_flag": "1",
    }


def _diagnosis(at: datetime) -> dict[str, Any]:
    return {
        "diag_type": "1",
        "diag_srt_no": 1,
        "diag_code": "J18.900",
        "diag_name": "肺炎",
        "diag_dept": "内科",
        "dise_dor_no": _DOCTOR["bilg_dr_codg"],
        "dise_dor_name": _DOCTOR["bilg_dr_name"],
        "diag_time": moment(at),
        "vali_flag": "1",
    }
