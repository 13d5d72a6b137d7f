"""Visits and stays: registration, admission, discharge, and the undoing of each (2201 to 2203, 2401 to 2405)."""

from __future__ import annotations

from typing import Any

from settlement.lab.insurer.envelope import Message, Refused, as_text, required
from settlement.lab.insurer.platform import Platform, Reply
from settlement.lab.insurer.records import Visit

_FIRST_VISIT = 300_000_000


def register_visit(platform: Platform, message: Message) -> Reply:
    """2201: register an outpatient visit; answers its mdtrt_id."""
    data = message.node()
    psn_no, ipt_otp_no = required(data, "psn_no", "ipt_otp_no")
    visit, counter = _new_visit(platform, message, data, ipt_otp_no, inpatient=False)
    output: dict[str, object] = {
        "data": {"psn_no": psn_no, "mdtrt_id": visit.mdtrt_id, "exp_content": None, "ipt_otp_no": ipt_otp_no}
    }
    return Reply(output, [("counters", "mdtrt_id", counter), ("visits", visit.mdtrt_id, visit)])


def cancel_registration(platform: Platform, message: Message) -> Reply:
    """2202: take back a registration that has no fees left on it."""
    visit = get_visit(platform, message.node(), inpatient=False)
    _refuse_if_used(platform, visit)
    return Reply({}, [("visits", visit.mdtrt_id, visit._replace(state="cancelled"))])


def upload_visit_information(platform: Platform, message: Message) -> Reply:
    """2203 and 2203A: what kind of care and which diagnoses; answers without any output."""
    data = message.node("mdtrtinfo")
    visit = get_visit(platform, data, inpatient=False)
    (med_type,) = required(data, "med_type")
    message.rows("diseinfo")
    changed = visit._replace(
        med_type=med_type,
        dise_codg=as_text(data.get("dise_codg")),
        dise_name=as_text(data.get("dise_name")),
    )
    return Reply(None, [("visits", visit.mdtrt_id, changed)])


def admit(platform: Platform, message: Message) -> Reply:
    """2401: begin a stay; answers its mdtrt_id. Reversible by 2601."""
    data = message.node("mdtrtinfo")
    psn_no, ipt_no, _ = required(data, "psn_no", "ipt_no", "med_type")
    visit, counter = _new_visit(platform, message, data, ipt_no, inpatient=True)
    return Reply(
        {"result": {"mdtrt_id": visit.mdtrt_id}},
        [("counters", "mdtrt_id", counter), ("visits", visit.mdtrt_id, visit)],
        subject=visit.mdtrt_id,
        psn_no=psn_no,
    )


def discharge(platform: Platform, message: Message) -> Reply:
    """2402: end a stay."""
    data = message.node("dscginfo")
    visit = get_visit(platform, data, inpatient=True)
    (endtime,) = required(data, "endtime")
    if visit.state != "admitted":
        raise Refused("该就诊不在院")
    changed = visit._replace(state="discharged", endtime=endtime)
    return Reply({}, [("visits", visit.mdtrt_id, changed)])


def undo_discharge(platform: Platform, message: Message) -> Reply:
    """2405: take a discharge back, once its settlement is cancelled."""
    visit = get_visit(platform, message.node(), inpatient=True)
    if visit.state != "discharged":
        raise Refused("该就诊未办理出院")
    if platform.state.live_settlements(visit.mdtrt_id):
        raise Refused("存在有效结算，请先撤销结算")
    return Reply({}, [("visits", visit.mdtrt_id, visit._replace(state="admitted", endtime=""))])


def undo_admission(platform: Platform, message: Message) -> Reply:
    """2404: take an admission back, once discharge and fees are taken back."""
    visit = get_visit(platform, message.node(), inpatient=True)
    return Reply({}, [cancelled_admission(platform, visit)])


def cancelled_admission(platform: Platform, visit: Visit) -> tuple[str, str, Visit]:
    """Return the change that deletes a stay. Refuses while anything still rests on it."""
    if visit.state != "admitted":
        raise Refused("该就诊不在院")
    _refuse_if_used(platform, visit)
    return ("visits", visit.mdtrt_id, visit._replace(state="cancelled"))


def get_visit(platform: Platform, data: dict[str, Any], inpatient: bool | None = None) -> Visit:
    """Return the visit that an input names by mdtrt_id and psn_no. Refuses when there is none such."""
    mdtrt_id, psn_no = required(data, "mdtrt_id", "psn_no")
    visit = platform.state.visits.get(mdtrt_id)
    if visit is None or visit.psn_no != psn_no or visit.state == "cancelled":
        raise Refused("未查询到就诊信息")
    if inpatient is not None and visit.inpatient != inpatient:
        raise Refused("就诊类别与交易不符")
    return visit


def _new_visit(
    platform: Platform, message: Message, data: dict[str, Any], number: str, inpatient: bool
) -> tuple[Visit, int]:
    psn_no, insutype, begntime, cert_type, cert_no = required(
        data, "psn_no", "insutype", "begntime", "mdtrt_cert_type", "mdtrt_cert_no"
    )
    person = platform.get_person(psn_no)
    hospital = platform.get_hospital(message.text("fixmedins_code"))
    if insutype != person.insutype:
        raise Refused("该参保人未参加此险种")
    counter = platform.state.next_number("mdtrt_id")
    visit = Visit(
        mdtrt_id=str(_FIRST_VISIT + counter),
        psn_no=psn_no,
        inpatient=inpatient,
        state="admitted" if inpatient else "registered",
        insutype=insutype,
        med_type=as_text(data.get("med_type")) or "11",
        fixmedins_code=hospital.fixmedins_code,
        mdtrtarea_admvs=message.text("mdtrtarea_admvs"),
        insuplc_admdvs=person.insuplc_admdvs,
        ipt_otp_no=number,
        begntime=begntime,
        endtime="",
        dept_name=as_text(data.get("adm_dept_name" if inpatient else "dept_name")),
        mdtrt_cert_type=cert_type,
        mdtrt_cert_no=cert_no,
        dise_codg=as_text(data.get("dise_codg")),
        dise_name=as_text(data.get("dise_name")),
    )
    return visit, counter


def _refuse_if_used(platform: Platform, visit: Visit) -> None:
    if platform.state.live_settlements(visit.mdtrt_id):
        raise Refused("存在有效结算，请先撤销结算")
    if platform.state.lines[visit.mdtrt_id]:
        raise Refused("存在未撤销的费用明细")
