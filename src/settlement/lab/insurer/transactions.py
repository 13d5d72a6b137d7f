"""The table of transactions: which function does which number, and the service path that some cities give it."""

from __future__ import annotations

from settlement.lab.insurer import cancelling, fees, people, queries, reversal, settling, signing, statements, transfer
from settlement.lab.insurer import visits as visit_transactions
from settlement.lab.insurer.platform import Handler

TRANSACTIONS: dict[str, Handler] = {
    "9001": signing.sign_in,
    "9002": signing.sign_out,
    "9101": transfer.upload,
    "9102": transfer.download,
    "1101": people.query_person,
    "2201": visit_transactions.register_visit,
    "2202": visit_transactions.cancel_registration,
    "2203": visit_transactions.upload_visit_information,
    "2203A": visit_transactions.upload_visit_information,
    "2204": fees.upload_visit_fees,
    "2205": fees.delete_visit_fees,
    "2206": settling.trial_visit,
    "2207": settling.settle_visit,
    "2208": cancelling.cancel_visit_settlement,
    "2301": fees.upload_stay_fees,
    "2302": fees.delete_stay_fees,
    "2303": settling.trial_stay,
    "2304": settling.settle_stay,
    "2305": cancelling.cancel_stay_settlement,
    "2401": visit_transactions.admit,
    "2402": visit_transactions.discharge,
    "2404": visit_transactions.undo_admission,
    "2405": visit_transactions.undo_discharge,
    "2601": reversal.reverse,
    "3201": statements.compare_totals,
    "3202": statements.compare_details,
    "5201": queries.query_visits,
    "5203": queries.query_settlement,
    "5204": queries.query_fee_lines,
    "5206": queries.query_totals,
}

_FSI = "fsi/api"

# The spelling is the platform's own.
SERVICE_PATHS: dict[str, str] = {
    f"{_FSI}/signInSignOutService/signIn": "9001",
    f"{_FSI}/signInSignOutService/signOut": "9002",
    f"{_FSI}/fileupload/upload": "9101",
    f"{_FSI}/fileupload/download": "9102",
    f"{_FSI}/fsiPsnInfoService/queryPsnInfo": "1101",
    f"{_FSI}/outpatientDocInfoService/outpatientRregistration": "2201",
    f"{_FSI}/outpatientDocInfoService/outpatientRegistrationCancel": "2202",
    f"{_FSI}/outpatientDocInfoService/outpatientMdtrtinfoUp": "2203",
    f"{_FSI}/outpatientDocInfoService/outpatientMdtrtinfoUpA": "2203A",
    f"{_FSI}/outpatientDocInfoService/outpatientFeeListUp": "2204",
    f"{_FSI}/outpatientDocInfoService/outpatientFeeListUpCancel": "2205",
    f"{_FSI}/outpatientSettleService/preSettletment": "2206",
    f"{_FSI}/outpatientSettleService/saveSettletmentV2": "2207",
    f"{_FSI}/outpatientSettleService/cancleSettletment": "2208",
    f"{_FSI}/hospFeeDtlService/feeDtlUp": "2301",
    f"{_FSI}/hospFeeDtlService/feeDtlCl": "2302",
    f"{_FSI}/hospSettService/preSett": "2303",
    f"{_FSI}/hospSettService/settV2": "2304",
    f"{_FSI}/hospSettService/settCl": "2305",
    f"{_FSI}/hospitalRegisterService/hospitalRegisterSave": "2401",
    f"{_FSI}/dscgService/dischargeProcess": "2402",
    f"{_FSI}/hospitalRegisterService/hospitalRegisterCancel": "2404",
    f"{_FSI}/dscgService/dischargeUndo": "2405",
    f"{_FSI}/reverseService/revsMethod": "2601",
    f"{_FSI}/ybSettlementStmtService/stmtTotal": "3201",
    f"{_FSI}/ybSettlementStmtService/stmtDetail": "3202",
    f"{_FSI}/fsiIntegratedQueryService/querySetlInfo": "5203",
    f"{_FSI}/fsiIntegratedQueryService/queryFeeList": "5204",
    f"{_FSI}/fsiIntegratedQueryService/queryFixmedinsPracPsnSum": "5206",
}


def infno_of_path(path: str) -> str | None:
    """Return the transaction that a URL path names, by the service table or its last segment, or None."""
    segments = path.strip("/").split("/")
    if "fsi" in segments:
        service = "/".join(segments[segments.index("fsi") :])
        if service in SERVICE_PATHS:
            return SERVICE_PATHS[service]
    last = segments[-1].rpartition("-")[2]
    return last if last[:4].isdigit() and len(last) in (4, 5) else None
