"""The rows of the platform's state: plain tuples, so that a row is written to the journal and read back as it stands.

Amounts carry the insurer's own names and are whole fen everywhere.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Visit(NamedTuple):
    """One registered visit or stay. `state` is one of registered, admitted, discharged, cancelled."""

    mdtrt_id: str
    psn_no: str
    inpatient: bool
    state: str
    insutype: str
    med_type: str
    fixmedins_code: str
    mdtrtarea_admvs: str
    insuplc_admdvs: str
    ipt_otp_no: str
    begntime: str
    endtime: str
    dept_name: str
    mdtrt_cert_type: str
    mdtrt_cert_no: str
    dise_codg: str
    dise_name: str


class FeeLine(NamedTuple):
    """One fee line with its classification; `chrg_bchno` is empty for a stay. `given` are the other fields as sent."""

    feedetl_sn: str
    chrg_bchno: str
    med_list_codg: str
    det_item_fee_sumamt: int
    cnt: str
    pric: str
    fulamt_ownpay_amt: int
    overlmt_amt: int
    preselfpay_amt: int
    inscp_scp_amt: int
    given: dict[str, Any]


class Amounts(NamedTuple):
    """Every amount of one settlement in fen; the identities of the interface hold on it by construction."""

    fulamt_ownpay_amt: int
    overlmt_selfpay: int
    preselfpay_amt: int
    inscp_scp_amt: int
    act_pay_dedc: int
    hifp_pay: int
    cvlserv_pay: int
    hifmi_pay: int
    hifob_pay: int
    maf_pay: int
    oth_pay: int
    hosp_part_amt: int
    acct_pay: int
    acct_mulaid_pay: int
    pool_bp: int

    @property
    def medfee_sumamt(self) -> int:
        """Identity A: the total is its four parts."""
        return self.fulamt_ownpay_amt + self.overlmt_selfpay + self.preselfpay_amt + self.inscp_scp_amt

    @property
    def fund_pay_sumamt(self) -> int:
        """Identity D: all funds, without the personal account."""
        return self.hifp_pay + self.cvlserv_pay + self.hifmi_pay + self.hifob_pay + self.maf_pay + self.oth_pay

    @property
    def psn_part_amt(self) -> int:
        """Identity B: what neither the funds nor the hospital bear."""
        return self.medfee_sumamt - self.fund_pay_sumamt - self.hosp_part_amt

    @property
    def psn_cash_pay(self) -> int:
        """Identity C: what the account does not pay."""
        return self.psn_part_amt - self.acct_pay

    def negated(self) -> Amounts:
        """Identity H: a cancellation is the exact negation; the ratio is not an amount and is not repeated."""
        return Amounts(*(-fen for fen in self))._replace(pool_bp=0)


class YearTotals(NamedTuple):
    """What one person has used in one calendar year, in fen and in times."""

    stays: int = 0
    outpatient_deductible: int = 0
    outpatient_pool: int = 0
    pool: int = 0
    large: int = 0
    own_in_policy: int = 0


class Settlement(NamedTuple):
    """One settlement. `state` is live, cancelled (by a refund) or voided (by the reversal of its message).

    `serial` orders all settlements and refunds of the platform; `balc` is the account balance after it, in fen.
    For a stay `chrg_bchno` is the ordinal of the settlement; the dates are the visit's day, or the stay's.
    """

    setl_id: str
    serial: int
    infno: str
    state: str
    mdtrt_id: str
    psn_no: str
    msgid: str
    setl_time: str
    chrg_bchno: str
    line_sns: list[str]
    amounts: Amounts
    used: YearTotals
    balc: int
    recer_sys_code: str
    invono: str
    opter: str
    opter_name: str
    psn_setlway: str
    med_type: str
    begndate: str
    enddate: str


class Refund(NamedTuple):
    """The cancellation of one settlement: its mirror. `state` is live or voided (the cancellation was reversed)."""

    refund_key: str
    setl_id: str
    init_setl_id: str
    serial: int
    infno: str
    state: str
    msgid: str
    setl_time: str
    balc: int
    recer_sys_code: str
    opter: str
    opter_name: str


class Effect(NamedTuple):
    """What one message did, kept under its msgid: `subject` is the setl_id, refund key or mdtrt_id it made."""

    infno: str
    psn_no: str
    subject: str
    reversed: bool


def settlement_from(row: list[Any]) -> Settlement:
    """Rebuild a settlement from its journal row, nested amounts included."""
    settlement = Settlement(*row)
    return settlement._replace(amounts=Amounts(*settlement.amounts), used=YearTotals(*settlement.used))
