"""Questions about what the platform holds: visits, settlements, fee lines, accumulators (5201, 5203, 5204, 5206)."""

from __future__ import annotations

from settlement.lab.insurer.envelope import Message, Refused, as_text, required
from settlement.lab.insurer.fees import line_classification
from settlement.lab.insurer.people import age_of, shown_certno
from settlement.lab.insurer.platform import Platform, Reply
from settlement.lab.insurer.records import Settlement, Visit
from settlement.lab.insurer.setlinfo import entry_of, settlement_output
from settlement.lab.insurer.visits import get_visit
from settlement.lab.insurer.wire import ZERO_DOUBLE, Number, yuan

_NO_RECORD = "未查询到任何有效相关的记录"


def query_visits(platform: Platform, message: Message) -> Reply:
    """5201: a person's visits that begin within a span; finds a visit whose registration was not answered."""
    data = message.node()
    psn_no, begin, end = required(data, "psn_no", "begntime", "endtime")
    med_type, mdtrt_id = as_text(data.get("med_type")), as_text(data.get("mdtrt_id"))
    platform.get_person(psn_no)
    visits = [platform.state.visits[key] for key in platform.state.visits_of[psn_no]]
    rows = [
        _visit_row(platform, visit)
        for visit in visits
        if visit.state != "cancelled"
        and begin <= visit.begntime <= end
        and med_type in ("", visit.med_type)
        and mdtrt_id in ("", visit.mdtrt_id)
    ]
    return Reply({"mdtrtinfo": rows})


def query_settlement(platform: Platform, message: Message) -> Reply:
    """5203: one settlement, or one refund, by its setl_id; a cancelled one says so in refd_setl_flag."""
    setl_id, mdtrt_id, psn_no = required(message.node(), "setl_id", "mdtrt_id", "psn_no")
    refund = platform.state.refunds.get(setl_id)
    if refund is not None and (refund.state == "voided" or refund.setl_id != setl_id):
        raise Refused(_NO_RECORD)
    settlement = platform.state.settlements.get(refund.init_setl_id if refund else setl_id)
    if settlement is None or settlement.state == "voided":
        raise Refused(_NO_RECORD)
    if (settlement.mdtrt_id, settlement.psn_no) != (mdtrt_id, psn_no):
        raise Refused(_NO_RECORD)
    return Reply(settlement_output(platform, "5203", entry_of(platform, settlement, refund)))


def query_fee_lines(platform: Platform, message: Message) -> Reply:
    """5204: the fee lines of a visit, each with the setl_id of the live settlement that covers it.

    So together with 5201 it shows whether a settlement that was never answered took place.
    """
    data = message.node()
    visit = get_visit(platform, data)
    wanted = as_text(data.get("setl_id"))
    rows = [
        row
        for row in _fee_rows(platform, visit, platform.state.live_settlements(visit.mdtrt_id))
        if wanted in ("", row["setl_id"])
    ]
    return Reply({"feedetail": rows})


def query_totals(platform: Platform, message: Message) -> Reply:
    """5206: what the person has used of the insurance in a year; mutual aid is none of it."""
    data = message.node()
    (psn_no,) = required(data, "psn_no")
    month = as_text(data.get("cum_ym")) or message.now.seconds_stamp[:6]
    person = platform.get_person(psn_no)
    totals = platform.year_totals(psn_no, month[:4])
    values = {
        "STAYS": Number(f"{totals.stays}.0"),
        "OP_DEDC": yuan(totals.outpatient_deductible, ZERO_DOUBLE),
        "OP_HIFP": yuan(totals.outpatient_pool, ZERO_DOUBLE),
        "HIFP": yuan(totals.pool, ZERO_DOUBLE),
        "HIFOB": yuan(totals.large, ZERO_DOUBLE),
        "OWN_INSCP": yuan(totals.own_in_policy, ZERO_DOUBLE),
    }
    rows = [
        {"insutype": person.insutype, "year": month[:4], "cum_ym": month, "cum_type_code": code, "cum": value}
        for code, value in values.items()
    ]
    return Reply({"cuminfo": rows})


def _visit_row(platform: Platform, visit: Visit) -> dict[str, object]:
    person = platform.get_person(visit.psn_no)
    hospital = platform.get_hospital(visit.fixmedins_code)
    return {
        "mdtrt_id": visit.mdtrt_id,
        "psn_no": visit.psn_no,
        "psn_cert_type": person.psn_cert_type,
        "certno": shown_certno(platform, person),
        "psn_name": person.psn_name,
        "gend": person.gend,
        "naty": person.naty,
        "brdy": person.brdy,
        "age": age_of(person.brdy, visit.begntime[:10]),
        "insutype": visit.insutype,
        "psn_type": person.psn_type,
        "cvlserv_flag": person.cvlserv_flag,
        "begntime": visit.begntime,
        "endtime": visit.endtime or None,
        "mdtrt_cert_type": visit.mdtrt_cert_type,
        "med_type": visit.med_type,
        "ipt_otp_no": visit.ipt_otp_no,
        "fixmedins_code": hospital.fixmedins_code,
        "fixmedins_name": hospital.fixmedins_name,
        "dept_name": visit.dept_name or None,
        "insuplc_admdvs": visit.insuplc_admdvs,
        "exp_content": None,
    }


def _fee_rows(platform: Platform, visit: Visit, settlements: list[Settlement]) -> list[dict[str, object]]:
    covered_by = {sn: settlement.setl_id for settlement in settlements for sn in settlement.line_sns}
    return [
        line_classification(line)
        | line.given
        | {
            "mdtrt_id": visit.mdtrt_id,
            "psn_no": visit.psn_no,
            "chrg_bchno": line.chrg_bchno or None,
            "med_list_codg": line.med_list_codg,
            "setl_id": covered_by.get(line.feedetl_sn),
            "med_type": visit.med_type,
            "fixmedins_code": visit.fixmedins_code,
        }
        for line in platform.state.lines[visit.mdtrt_id].values()
    ]
