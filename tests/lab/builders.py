"""Valid things by default for tests of the simulated insurer and the scripted hospital."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from settlement.lab.his.bills import FeeLine
from settlement.lab.his.clock import CHINA
from settlement.lab.his.wire import fen_of

MORNING = datetime(2026, 11, 23, 9, 30, 15, tzinfo=CHINA)
ADMITTED = datetime(2026, 11, 12, 8, 5, 0, tzinfo=CHINA)

DRUG = "XC09CAS003"
OWN_PAID = "C0404010040400"
BED = "001109000010000"
SURGERY = "003305000010000"


def a_visit_bill() -> list[FeeLine]:
    """Fee lines of an outpatient visit of 1,286.50: one free of own share, one with 5 %, one wholly own-paid."""
    return [
        FeeLine("XA01AAA001", "阿莫西林胶囊", 30_000, 2),
        FeeLine(DRUG, "缬沙坦胶囊", 60_000),
        FeeLine("XB05BAN006", "营养注射液", 8_650),
    ]


def a_stay_bill(surgery_fen: int = 2_400_000) -> list[FeeLine]:
    """Fee lines of a stay: a bed above its ceiling, surgery, drugs, own-paid material."""
    return [
        FeeLine(BED, "普通床位费", 6_500, 11),
        FeeLine(SURGERY, "腹腔镜手术", surgery_fen),
        FeeLine(DRUG, "缬沙坦胶囊", 12_345, 10),
        FeeLine(OWN_PAID, "进口特殊耗材", 150_050),
    ]


def fen(info: dict[str, Any], *names: str) -> int:
    """Return the first of some amounts that is not null, in fen; null in all is an error."""
    value = next(info[name] for name in names if info.get(name) is not None)
    return fen_of(value)


FUNDS = ("hifp_pay", "cvlserv_pay", "hifes_pay", "hifmi_pay", "hifob_pay", "hifdm_pay", "maf_pay", "oth_pay")


def check_identities(output: dict[str, Any]) -> None:
    """Assert identities A, B, C, D and E' of the national interface on a settlement output, to the fen."""
    info = output["setlinfo"]
    total, funds = fen(info, "medfee_sumamt"), fen(info, "fund_pay_sumamt")
    parts = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
    assert total == sum(fen(info, name) for name in parts)
    account = fen(info, "acct_pay")
    cash = fen(info, "psn_cash_pay", "cash_payamt")
    share = fen(info, "psn_part_amt", "psn_pay") if {"psn_pay", "psn_part_amt"} & _present(info) else account + cash
    hospital_names = {"hosp_part_amt", "ownpay_hosp_part"} & _present(info)
    hospital = fen(info, "hosp_part_amt", "ownpay_hosp_part") if hospital_names else total - funds - share
    assert total == funds + share + hospital
    assert share == account + cash
    assert funds == sum(fen(info, name) for name in FUNDS if info.get(name) is not None)
    detail = sum(fen(row, "fund_payamt") for row in output["setldetail"])
    assert detail == funds + hospital + account


def _present(info: dict[str, Any]) -> set[str]:
    return {name for name, value in info.items() if value is not None}
