"""Made-up stays whose figures close, so that aid is computed on every one: what the benchmark's hospitals bring."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any

AREA = "371600"
INSURED_AREA = "371602"
SYSTEM_CODE = "FSI"
YEAR = 2026
HOSPITALS = tuple((f"H371600090{number:02d}", 2 + number % 2) for number in range(4))
"""Codes and levels of the hospitals: 2 and 3, which the plan pays at."""


@dataclass(frozen=True, slots=True)
class Person:
    """An insured person, as the insurer names them."""

    number: int

    @property
    def name(self) -> str:
        """The person's name."""
        return f"测试{self.number:05d}"

    @property
    def certificate_no(self) -> str:
        """The number of the identity card, of a district that does not exist."""
        return f"9901011985{self.number:07d}X"

    @property
    def insured_person_no(self) -> str:
        """The insurer's number of the person."""
        return f"ZG{self.number:010d}"


def a_stay(chance: Random, person: Person, hospital_code: str, serial: str) -> dict[str, Any]:
    """Return what a hospital brings of one stay: the insurer's 2304 answer and the facts of the visit.

    The base is some hundred yuan, so that a member reaches the term's limit only after dozens of stays.
    """
    day = chance.randint(1, 24)
    setlinfo = {
        **_who(person),
        **_visit(serial, f"{YEAR}-03-{day + 4:02d}"),
        **{name: fen / 100 for name, fen in _amounts(chance).items()},
    }
    fund = {"fund_pay_type": "310100", "fund_pay_type_name": "基本医疗保险统筹基金", "setl_proc_info": ""}
    row = {**fund, "inscp_scp_amt": setlinfo["inscp_scp_amt"], "fund_payamt": setlinfo["hifp_pay"]}
    facts = {
        "mdtrtarea_admvs": AREA,
        "fixmedins_code": hospital_code,
        "chrg_bchno": "1",
        "insuplc_admdvs": INSURED_AREA,
        "recer_sys_code": SYSTEM_CODE,
        "msgid": f"{hospital_code}{serial}",
        "ipt_otp_no": f"ZY{serial}",
        "receipt_no": f"R{serial}",
        "opter": "0101",
        "pay_loc": "2",
        "admitted_on": f"{YEAR}-03-{day:02d}",
        "discharged_on": f"{YEAR}-03-{day + 4:02d}",
    }
    return {"output": {"setlinfo": setlinfo, "setldetail": [row]}, "visit": facts}


def as_body(stay: dict[str, Any]) -> bytes:
    """Write a stay as the body of a request."""
    return json.dumps(stay, ensure_ascii=False, separators=(",", ":")).encode()


def _who(person: Person) -> dict[str, Any]:
    return {
        "psn_no": person.insured_person_no,
        "psn_name": person.name,
        "psn_cert_type": "01",
        "certno": person.certificate_no,
        "mdtrt_cert_type": "03",
        "gend": "1",
        "naty": "01",
        "brdy": "1985-01-01",
        "age": 41.0,
        "insutype": "310",
        "psn_type": "1101",
        "cvlserv_flag": "0",
    }


def _visit(serial: str, last_day: str) -> dict[str, Any]:
    return {
        "setl_id": serial,
        "mdtrt_id": f"9{serial}",
        "medins_setl_id": f"M{serial}",
        "setl_time": f"{last_day} 10:20:30",
        "med_type": "21",
        "clr_type": "21",
        "clr_way": "1",
        "clr_optins": AREA,
        "balc": 1250.4,
        "pool_prop_selfpay": 0.88,
    }


def _amounts(chance: Random) -> dict[str, int]:
    """Return the amounts in fen; identities A, B and C hold."""
    allowed, excluded, upfront = (chance.randint(*span) for span in ((150_000, 600_000), (0, 80_000), (0, 30_000)))
    deductible = 30_000
    insurer = (allowed - deductible) * 88 // 100
    billed = allowed + excluded + upfront
    share = billed - insurer
    account = min(share, chance.randint(0, 20_000))
    nothing = ("cvlserv_pay", "hifes_pay", "hifmi_pay", "hifob_pay", "hifdm_pay", "maf_pay", "oth_pay")
    return {
        "medfee_sumamt": billed,
        "fulamt_ownpay_amt": excluded,
        "overlmt_selfpay": 0,
        "preselfpay_amt": upfront,
        "inscp_scp_amt": allowed,
        "act_pay_dedc": deductible,
        "hifp_pay": insurer,
        **dict.fromkeys(nothing, 0),
        "fund_pay_sumamt": insurer,
        "hosp_part_amt": 0,
        "psn_part_amt": share,
        "acct_pay": account,
        "acct_mulaid_pay": 0,
        "psn_cash_pay": share - account,
    }
