"""The settlement output, `setlinfo` and `setldetail`, in the dialects of the real messages.

Outpatient answers follow Hebei, inpatient answers follow Chongqing with its extra fields and nulls; 5203 has its own
names. The orders of the keys are those of the real messages.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from settlement.lab.insurer.people import age_of, shown_certno
from settlement.lab.insurer.persons import Person
from settlement.lab.insurer.platform import Platform
from settlement.lab.insurer.records import Amounts, Refund, Settlement, Visit
from settlement.lab.insurer.wire import ZERO, ZERO_DOUBLE, Number, double, yuan


def _names(text: str) -> list[str]:
    return text.split()


_SETTLED = _names(
    """
    setl_time cvlserv_pay cvlserv_flag med_type brdy naty psn_cash_pay certno hifmi_pay psn_no act_pay_dedc
    mdtrt_cert_type balc medins_setl_id psn_cert_type acct_mulaid_pay clr_way hifob_pay oth_pay medfee_sumamt
    hifes_pay gend mdtrt_id acct_pay fund_pay_sumamt fulamt_ownpay_amt hosp_part_amt setl_id inscp_scp_amt
    insutype maf_pay psn_name psn_part_amt clr_optins pool_prop_selfpay psn_type hifp_pay overlmt_selfpay
    preselfpay_amt age clr_type
    """
)
_STAY_TRIAL = _names(
    """
    othfund_pay cvlserv_pay hifdm_pay insu_admdvs med_type psn_pay cvlserv_flag mdtrt_cert_no brdy naty
    psn_cash_pay certno hifmi_pay psn_no act_pay_dedc mdtrt_cert_type balc medins_setl_id psn_cert_type
    acct_mulaid_pay hifob_pay oth_pay ownpay_hosp_part inscp_amt medfee_sumamt hifes_pay cashPayamt gend
    mdtrt_id acct_pay fund_pay_sumamt fulamt_ownpay_amt dedc_std hosp_part_amt crt_dedc inscp_scp_amt insutype
    maf_pay psn_name psn_part_amt psn_insu_rlts_id pool_prop_selfpay psn_type hifp_pay overlmt_selfpay
    preselfpay_amt age clr_type
    """
)
_STAY_CANCELLED = _names(
    """
    othfund_pay setl_time cvlserv_pay hifdm_pay insu_admdvs psn_pay mdtrt_cert_no exp_content psn_cash_pay
    begndate hifmi_pay act_pay_dedc balc medins_setl_id acct_mulaid_pay hifob_pay oth_pay ownpay_hosp_part
    inscp_amt medfee_sumamt hifes_pay cashPayamt mdtrt_id acct_pay fund_pay_sumamt fulamt_ownpay_amt dedc_std
    hosp_part_amt setl_id setl_type crt_dedc inscp_scp_amt maf_pay invono psn_insu_rlts_id psn_part_amt enddate
    clr_optins pool_prop_selfpay hifp_pay overlmt_selfpay preselfpay_amt
    """
)
_QUERIED = _names(
    """
    setl_id mdtrt_id psn_no psn_name psn_cert_type certno gend naty brdy age insutype psn_type cvlserv_flag
    flxempe_flag nwb_flag insu_optins emp_name pay_loc fixmedins_code fixmedins_name hosp_lv fixmedins_poolarea
    lmtpric_hosp_lv dedc_hosp_lv begndate enddate setl_time mdtrt_cert_type med_type clr_type clr_way clr_optins
    medfee_sumamt fulamt_ownpay_amt overlmt_selfpay preselfpay_amt inscp_scp_amt act_pay_dedc hifp_pay
    pool_prop_selfpay cvlserv_pay hifes_pay hifmi_pay hifob_pay maf_pay oth_pay fund_pay_sumamt psn_pay acct_pay
    cash_payamt balc acct_mulaid_pay medins_setl_id refd_setl_flag year dise_codg dise_name invono opter_id
    opter_name opt_time
    """
)
_KEYS = {
    "2206": _SETTLED,
    "2207": _SETTLED,
    "2208": _SETTLED,
    "2303": _STAY_TRIAL,
    "2304": _SETTLED,
    "2305": _STAY_CANCELLED,
    "5203": _QUERIED,
}
_NULL = {
    "2206": ("setl_time", "setl_id", "clr_way", "clr_optins"),
    "2208": ("psn_part_amt", "hosp_part_amt", "acct_mulaid_pay"),
    "2305": ("psn_part_amt", "hosp_part_amt", "acct_mulaid_pay", "invono"),
}


class Entry(NamedTuple):
    """One entry of a person's settlement record, as any of the transactions shows it.

    `amounts` are fen, already negated for a cancellation; `refunded` marks a cancelled settlement and its refund.
    """

    person: Person
    visit: Visit
    amounts: Amounts
    setl_id: str
    setl_time: str
    msgid: str
    balc: int
    refunded: bool
    med_type: str
    begndate: str
    enddate: str
    invono: str
    opter: str
    opter_name: str


def entry_of(platform: Platform, settlement: Settlement, refund: Refund | None = None) -> Entry:
    """Return the entry of a settlement, or of the refund that cancelled it."""
    visit = platform.state.visits[settlement.mdtrt_id]
    entry = Entry(
        person=platform.get_person(settlement.psn_no),
        visit=visit,
        amounts=settlement.amounts,
        setl_id=settlement.setl_id,
        setl_time=settlement.setl_time,
        msgid=settlement.msgid,
        balc=settlement.balc,
        refunded=settlement.state == "cancelled",
        med_type=settlement.med_type,
        begndate=settlement.begndate,
        enddate=settlement.enddate,
        invono=settlement.invono,
        opter=settlement.opter,
        opter_name=settlement.opter_name,
    )
    if refund is None:
        return entry
    return entry._replace(
        amounts=settlement.amounts.negated(),
        setl_id=refund.setl_id,
        setl_time=refund.setl_time,
        msgid=refund.msgid,
        balc=refund.balc,
        refunded=True,
        opter=refund.opter,
        opter_name=refund.opter_name,
    )


def settlement_output(platform: Platform, infno: str, entry: Entry) -> dict[str, object]:
    """Write the output of a settling, trial, cancelling or querying transaction for one entry."""
    cancelled = infno in ("2208", "2305")
    zero = ZERO_DOUBLE if cancelled else ZERO
    values = _amount_values(entry, zero) | _person_values(platform, entry) | _visit_values(entry)
    if infno == "5203":
        values |= _query_values(platform, entry)
    elif entry.visit.inpatient:
        values |= _stay_values(infno, entry, zero)
    values |= dict.fromkeys(_NULL.get(infno, ()))
    output: dict[str, object] = {
        "setlinfo": {key: values[key] for key in _KEYS[infno]},
        "setldetail": _details(infno, entry, zero),
    }
    if infno in ("2206", "2207", "2208"):
        output["expContent"] = None
    return output


def pay_loc(visit: Visit) -> str:
    """Return where a bill was paid: 2 at a local institution, 3 elsewhere in the province, 4 in another province."""
    if visit.mdtrtarea_admvs[:4] == visit.insuplc_admdvs[:4]:
        return "2"
    return "3" if visit.mdtrtarea_admvs[:2] == visit.insuplc_admdvs[:2] else "4"


def _amount_values(entry: Entry, zero: Number) -> dict[str, object]:
    amounts = entry.amounts
    return {
        "medfee_sumamt": yuan(amounts.medfee_sumamt, zero),
        "fulamt_ownpay_amt": yuan(amounts.fulamt_ownpay_amt, zero),
        "overlmt_selfpay": yuan(amounts.overlmt_selfpay, zero),
        "preselfpay_amt": yuan(amounts.preselfpay_amt, zero),
        "inscp_scp_amt": yuan(amounts.inscp_scp_amt, zero),
        "act_pay_dedc": yuan(amounts.act_pay_dedc, zero),
        "hifp_pay": yuan(amounts.hifp_pay, zero),
        "pool_prop_selfpay": double(Decimal(amounts.pool_bp).scaleb(-4)) if amounts.pool_bp else ZERO_DOUBLE,
        "cvlserv_pay": yuan(amounts.cvlserv_pay, zero),
        "hifes_pay": zero,
        "hifmi_pay": yuan(amounts.hifmi_pay, zero),
        "hifob_pay": yuan(amounts.hifob_pay, zero),
        "maf_pay": yuan(amounts.maf_pay, zero),
        "oth_pay": yuan(amounts.oth_pay, zero),
        "fund_pay_sumamt": yuan(amounts.fund_pay_sumamt, zero),
        "hosp_part_amt": yuan(amounts.hosp_part_amt, zero),
        "psn_part_amt": yuan(amounts.psn_part_amt, zero),
        "acct_pay": yuan(amounts.acct_pay, zero),
        "psn_cash_pay": yuan(amounts.psn_cash_pay, zero),
        "acct_mulaid_pay": yuan(amounts.acct_mulaid_pay, zero),
        "balc": yuan(entry.balc, ZERO_DOUBLE if entry.visit.inpatient else zero),
    }


def _person_values(platform: Platform, entry: Entry) -> dict[str, object]:
    person = entry.person
    return {
        "psn_no": person.psn_no,
        "psn_name": person.psn_name,
        "psn_cert_type": person.psn_cert_type,
        "certno": shown_certno(platform, person),
        "gend": person.gend,
        "naty": person.naty,
        "brdy": person.brdy,
        "age": age_of(person.brdy, entry.setl_time[:10]),
        "psn_type": person.psn_type,
        "cvlserv_flag": person.cvlserv_flag,
    }


def _visit_values(entry: Entry) -> dict[str, object]:
    visit = entry.visit
    return {
        "mdtrt_id": visit.mdtrt_id,
        "setl_id": entry.setl_id,
        "setl_time": entry.setl_time,
        "medins_setl_id": entry.msgid,
        "insutype": visit.insutype,
        "mdtrt_cert_type": visit.mdtrt_cert_type,
        "med_type": entry.med_type,
        "clr_way": "3" if visit.inpatient else "1",
        "clr_type": "21" if visit.inpatient else "11",
        "clr_optins": visit.insuplc_admdvs,
    }


def _stay_values(infno: str, entry: Entry, zero: Number) -> dict[str, object]:
    """Write Chongqing's extra fields; in a cancellation they carry what the national names leave null."""
    amounts = entry.amounts
    cash = yuan(amounts.psn_cash_pay, zero)
    return {
        "othfund_pay": ZERO_DOUBLE,
        "hifdm_pay": zero,
        "oth_pay": yuan(amounts.oth_pay, ZERO_DOUBLE),
        "insu_admdvs": entry.visit.insuplc_admdvs,
        "mdtrt_cert_no": entry.visit.mdtrt_cert_no,
        "psn_pay": yuan(amounts.psn_part_amt, zero),
        "cashPayamt": cash,
        "ownpay_hosp_part": yuan(amounts.hosp_part_amt, zero) if infno == "2305" else zero,
        "inscp_amt": yuan(amounts.inscp_scp_amt, zero),
        "dedc_std": yuan(amounts.act_pay_dedc, zero),
        "crt_dedc": yuan(amounts.act_pay_dedc, zero),
        "psn_insu_rlts_id": f"{entry.person.psn_no}{entry.visit.insutype}",
        "exp_content": None,
        "begndate": entry.begndate,
        "enddate": entry.enddate,
        "setl_type": "2",
    }


def _query_values(platform: Platform, entry: Entry) -> dict[str, object]:
    """Write what 5203 knows besides, under its own names; its dates are times, as real answers have them."""
    visit = entry.visit
    hospital = platform.get_hospital(visit.fixmedins_code)
    return {
        "brdy": f"{entry.person.brdy} 00:00:00",
        "flxempe_flag": "1" if entry.person.psn_type == "1103" else "0",
        "nwb_flag": "0",
        "insu_optins": visit.insuplc_admdvs,
        "emp_name": entry.person.emp_name,
        "pay_loc": pay_loc(visit),
        "fixmedins_code": hospital.fixmedins_code,
        "fixmedins_name": hospital.fixmedins_name,
        "hosp_lv": hospital.hosp_lv,
        "fixmedins_poolarea": platform.options.area,
        "lmtpric_hosp_lv": str(hospital.level),
        "dedc_hosp_lv": str(hospital.level),
        "begndate": f"{entry.begndate} 00:00:00",
        "enddate": f"{entry.enddate} 00:00:00",
        "psn_pay": yuan(entry.amounts.psn_part_amt),
        "cash_payamt": yuan(entry.amounts.psn_cash_pay),
        "refd_setl_flag": "1" if entry.refunded else "0",
        "year": entry.setl_time[:4],
        "dise_codg": visit.dise_codg or None,
        "dise_name": visit.dise_name or None,
        "invono": entry.invono or None,
        "opter_id": entry.opter,
        "opter_name": entry.opter_name,
        "opt_time": entry.setl_time,
    }


def _details(infno: str, entry: Entry, zero: Number) -> list[dict[str, object]]:
    """Write the fund rows; together they are the funds, the hospital's part and the account (identity E')."""
    scope = yuan(entry.amounts.inscp_scp_amt, zero)
    rows = []
    for code, name, fen in _fund_rows(infno, entry):
        if not fen:
            continue
        row: dict[str, object] = {"fund_pay_type": code, "fund_payamt": yuan(fen)}
        if infno in ("2303", "2304"):
            row["inscp_scp_amt"] = scope
        else:
            row |= {"setl_proc_info": None, "crt_payb_lmt_amt": None, "inscp_scp_amt": scope}
            row["fund_pay_type_name"] = None if infno == "2305" else name
        rows.append(row)
    return rows


def _fund_rows(infno: str, entry: Entry) -> list[tuple[str, str, int]]:
    amounts = entry.amounts
    local = infno in ("2303", "2304")
    pool = (
        ("390100", "城乡居民基本医疗保险基金")
        if entry.visit.insutype == "390"
        else ("310100", "城镇职工基本医疗保险统筹基金")
    )
    return [
        (*pool, amounts.hifp_pay),
        ("320100", "公务员医疗补助基金", amounts.cvlserv_pay),
        ("330101" if local else "330100", "大额医疗费用补助基金", amounts.hifob_pay),
        ("340100", "离休人员医疗保障基金", amounts.oth_pay),
        ("390200", "城乡居民大病医疗保险资金", amounts.hifmi_pay),
        ("610100", "医疗救助基金", amounts.maf_pay),
        ("999997" if infno == "2305" else "999996", "医院负担", amounts.hosp_part_amt),
        ("310201" if local else "310200", "城镇职工基本医疗保险个人账户基金", amounts.acct_pay),
    ]
