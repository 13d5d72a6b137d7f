"""Fee lines: upload with classification, and deletion (2204, 2205, 2301, 2302)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from settlement.lab.insurer.catalogue import CatalogueItem, classify, find_item
from settlement.lab.insurer.envelope import Message, Refused, as_text, required
from settlement.lab.insurer.platform import Platform, Reply
from settlement.lab.insurer.records import FeeLine, Visit
from settlement.lab.insurer.visits import get_visit
from settlement.lab.insurer.wire import NO_CEILING, ZERO, ZERO_DOUBLE, Number, double, read_decimal, read_fen, yuan

ALL_LINES = "0000"
_KEPT = (
    "rxno",
    "rx_circ_flag",
    "fee_ocur_time",
    "medins_list_codg",
    "bilg_dept_codg",
    "bilg_dept_name",
    "bilg_dr_codg",
    "bilg_dr_name",
    "hosp_appr_flag",
)


def upload_visit_fees(platform: Platform, message: Message) -> Reply:
    """2204: take the fee lines of a visit and answer how each is classified."""
    lines, visit = _read_lines(platform, message, inpatient=False)
    rows: list[dict[str, object]] = [_outpatient_row(line) for line in lines]
    return Reply({"result": rows}, [("lines", visit.mdtrt_id, lines)])


def upload_stay_fees(platform: Platform, message: Message) -> Reply:
    """2301: take fee lines of a stay, as often as the hospital likes, and answer how each is classified."""
    lines, visit = _read_lines(platform, message, inpatient=True)
    rows: list[dict[str, object]] = [line_classification(line) for line in lines]
    return Reply({"result": rows}, [("lines", visit.mdtrt_id, lines)])


def delete_visit_fees(platform: Platform, message: Message) -> Reply:
    """2205: delete the unsettled lines of one charge batch, or of all with 0000."""
    data = message.node()
    visit = get_visit(platform, data, inpatient=False)
    (batch,) = required(data, "chrg_bchno")
    lines = platform.state.unsettled_lines(visit.mdtrt_id)
    return _deletion(visit, [line for line in lines if batch in (ALL_LINES, line.chrg_bchno)])


def delete_stay_fees(platform: Platform, message: Message) -> Reply:
    """2302: delete unsettled lines of a stay by their numbers, or all with 0000; after discharge not any more."""
    rows = message.rows("data")
    if not rows:
        raise Refused("费用明细List不能为空")
    visit = get_visit(platform, rows[0], inpatient=True)
    if visit.state == "discharged":
        raise Refused("该就诊已办理出院，请先撤销出院")
    wanted = {as_text(row.get("feedetl_sn")) for row in rows}
    lines = platform.state.unsettled_lines(visit.mdtrt_id)
    return _deletion(visit, [line for line in lines if ALL_LINES in wanted or line.feedetl_sn in wanted])


def line_classification(line: FeeLine) -> dict[str, object]:
    """Write one line as 2301 answers it: what was sent, and how the catalogue divides it."""
    item = find_item(line.med_list_codg)
    return {
        "bas_medn_flag": "0",
        "med_chrgitm_type": item.med_chrgitm_type,
        "det_item_fee_sumamt": yuan(line.det_item_fee_sumamt, ZERO_DOUBLE),
        "hi_nego_drug_flag": "0",
        "fulamt_ownpay_amt": yuan(line.fulamt_ownpay_amt, ZERO),
        "cnt": double(Decimal(line.cnt)),
        "pric": double(Decimal(line.pric)),
        "feedetl_sn": line.feedetl_sn,
        "inscp_scp_amt": yuan(line.inscp_scp_amt, ZERO_DOUBLE),
        "drt_reim_flag": "0",
        "overlmt_amt": yuan(line.overlmt_amt, ZERO_DOUBLE),
        "pric_uplmt_amt": Number(NO_CEILING) if item.ceiling_fen is None else yuan(item.ceiling_fen),
        "selfpay_prop": _selfpay_prop(item),
        "preselfpay_amt": yuan(line.preselfpay_amt, ZERO_DOUBLE),
        "lmt_used_flag": "0",
        "chrgitm_lv": item.chrgitm_lv,
    }


def _outpatient_row(line: FeeLine) -> dict[str, object]:
    return line_classification(line) | {
        "exp_content": None,
        "memo": None,
        "list_sp_item_flag": None,
        "chld_medc_flag": None,
    }


def _selfpay_prop(item: CatalogueItem) -> Number:
    return Number("1") if item.selfpay_bp == 10_000 else double(Decimal(item.selfpay_bp).scaleb(-4))


def _read_lines(platform: Platform, message: Message, inpatient: bool) -> tuple[list[FeeLine], Visit]:
    rows = message.rows("feedetail")
    if not rows:
        raise Refused("费用明细List不能为空")
    visit = get_visit(platform, rows[0], inpatient)
    if visit.state == "discharged":
        raise Refused("该就诊已办理出院")
    known = set(platform.state.lines[visit.mdtrt_id])
    lines = []
    for row in rows:
        if as_text(row.get("mdtrt_id")) != visit.mdtrt_id or as_text(row.get("psn_no")) != visit.psn_no:
            raise Refused("同一报文的费用明细必须属于同一次就诊")
        line = _read_line(row, inpatient)
        if line.feedetl_sn in known:
            raise Refused(f"费用明细流水号重复:{line.feedetl_sn}")
        known.add(line.feedetl_sn)
        lines.append(line)
    return lines, visit


def _read_line(row: dict[str, Any], inpatient: bool) -> FeeLine:
    line_sn, code, _ = required(row, "feedetl_sn", "med_list_codg", "det_item_fee_sumamt")
    batch = "" if inpatient else required(row, "chrg_bchno")[0]
    total = read_fen(row["det_item_fee_sumamt"])
    count, price = read_decimal(row.get("cnt")), read_decimal(row.get("pric"))
    shares = classify(find_item(code), total, count)
    given = {name: as_text(row.get(name)) for name in _KEPT}
    return FeeLine(line_sn, batch, code, total, str(count), str(price), *shares, given=given)


def _deletion(visit: Visit, lines: list[FeeLine]) -> Reply:
    if not lines:
        raise Refused("未查询到任何有效相关的记录")
    return Reply({}, [("lines_removed", visit.mdtrt_id, [line.feedetl_sn for line in lines])])
