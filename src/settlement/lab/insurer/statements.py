"""Comparing a hospital's books with the platform's: totals (3201) and details (3202)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

from settlement.lab.insurer.envelope import Message, Refused, as_text, required
from settlement.lab.insurer.platform import Platform, Reply
from settlement.lab.insurer.transfer import read_upload, store_download
from settlement.lab.insurer.wire import Malformed, read_fen

EQUAL, PLATFORM_MORE, HOSPITAL_MORE, DIFFERENT = "0", "1", "2", "3"
_WORDS = {EQUAL: "平", PLATFORM_MORE: "中心多", HOSPITAL_MORE: "医药机构多", DIFFERENT: "数据不一致"}


class StatementRow(NamedTuple):
    """One settlement or refund as reconciliation sees it; amounts in fen, a refund negative with flag 1."""

    setl_id: str
    mdtrt_id: str
    psn_no: str
    medfee_sumamt: int
    fund_pay_sumamt: int
    acct_pay: int
    refd_setl_flag: str
    msgid: str
    insutype: str
    clr_type: str
    clr_optins: str


def compare_totals(platform: Platform, message: Message) -> Reply:
    """3201: compare the hospital's sums for one insurance, clearing type and office with the platform's.

    The infcode is 0 even when they differ; the difference is in stmt_rslt. With refd_setl_flag 0 cancelled
    settlements and their refunds are left out on both sides.
    """
    data = message.node()
    insutype, clr_type, begin, end = required(data, "insutype", "clr_type", "stmt_begndate", "stmt_enddate")
    office = as_text(data.get("setl_optins")) or required(data, "clr_optins")[0]
    flag = as_text(data.get("refd_setl_flag") or data.get("REFD_SETL_FLAG"))
    rows = [
        row
        for row in statement_rows(platform, message.text("fixmedins_code"), begin, end, with_refunds=flag != "0")
        if (row.insutype, row.clr_type, row.clr_optins) == (insutype, clr_type, office)
    ]
    own = (sum(r.medfee_sumamt for r in rows), sum(r.fund_pay_sumamt for r in rows), sum(r.acct_pay for r in rows))
    theirs = tuple(read_fen(data.get(name)) for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay"))
    result = _compare(len(rows), own, _count(data.get("fixmedins_setl_cnt")), theirs)
    stmtinfo = {"setl_optins": office, "stmt_rslt": result, "stmt_rslt_dscr": _WORDS[result]}
    return Reply({"stmtinfo": stmtinfo})


def compare_details(platform: Platform, message: Message) -> Reply:
    """3202: compare an uploaded list row by row and make a file of the rows that differ, for 9102 to fetch."""
    data = message.node()
    number, begin, end = required(data, "file_qury_no", "stmt_begndate", "stmt_enddate")
    clr_type = as_text(data.get("clr_type"))
    own = {
        (row.setl_id, row.refd_setl_flag): row
        for row in statement_rows(platform, message.text("fixmedins_code"), begin, end)
        if clr_type in ("", row.clr_type)
    }
    theirs = {(row.setl_id, row.refd_setl_flag): row for row in _read_list(read_upload(platform, number))}
    lines = [line for key in sorted(own.keys() | theirs.keys()) if (line := _difference(own.get(key), theirs.get(key)))]
    stored = store_download(platform, message, _zip("result.txt", "\n".join(lines)))
    return Reply({"fileinfo": stored.shown}, stored.changes)


def statement_rows(
    platform: Platform, code: str, begin: str, end: str, with_refunds: bool = True
) -> Iterator[StatementRow]:
    """Yield a hospital's settlements and refunds of a span of days, both ends included."""
    state = platform.state
    for settlement in state.settlements.values():
        hidden = settlement.state == "voided" or (settlement.state == "cancelled" and not with_refunds)
        if not hidden and begin <= settlement.setl_time[:10] <= end:
            yield from _row_of(platform, code, settlement.setl_id, settlement.setl_id, settlement.msgid, 1)
    for refund in state.refunds.values():
        if with_refunds and refund.state == "live" and begin <= refund.setl_time[:10] <= end:
            yield from _row_of(platform, code, refund.init_setl_id, refund.setl_id, refund.msgid, -1)


def _row_of(platform: Platform, code: str, source: str, setl_id: str, msgid: str, sign: int) -> Iterator[StatementRow]:
    settlement = platform.state.settlements[source]
    visit = platform.state.visits[settlement.mdtrt_id]
    if visit.fixmedins_code != code:
        return
    amounts = settlement.amounts
    yield StatementRow(
        setl_id=setl_id,
        mdtrt_id=settlement.mdtrt_id,
        psn_no=settlement.psn_no,
        medfee_sumamt=sign * amounts.medfee_sumamt,
        fund_pay_sumamt=sign * amounts.fund_pay_sumamt,
        acct_pay=sign * amounts.acct_pay,
        refd_setl_flag="0" if sign > 0 else "1",
        msgid=msgid,
        insutype=visit.insutype,
        clr_type="21" if visit.inpatient else "11",
        clr_optins=visit.insuplc_admdvs,
    )


def _compare(own_count: int, own: tuple[int, ...], their_count: int, theirs: tuple[int, ...]) -> str:
    if own_count == their_count:
        return EQUAL if own == theirs else DIFFERENT
    return PLATFORM_MORE if own_count > their_count else HOSPITAL_MORE


def _count(value: object) -> int:
    text = as_text(value)
    if not text.isdigit():
        raise Malformed(f"not a count: {value!r}")
    return int(text)


def _read_list(data: bytes) -> list[StatementRow]:
    """Read the hospital's list: tab-separated lines without a header, in a ZIP."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            text = archive.read(archive.namelist()[0]).decode()
    except (zipfile.BadZipFile, IndexError, UnicodeDecodeError) as error:
        raise Refused("对账文件格式错误") from error
    return [_read_row(line) for line in text.splitlines() if line]


def _read_row(line: str) -> StatementRow:
    fields = line.split("\t")
    if len(fields) < 7:
        raise Refused("对账文件格式错误")
    setl_id, mdtrt_id, psn_no, total, fund, account, flag = fields[:7]
    amounts = read_fen(total), read_fen(fund), read_fen(account)
    return StatementRow(setl_id, mdtrt_id, psn_no, *amounts, flag, "null", "", "", "")


def _difference(own: StatementRow | None, theirs: StatementRow | None) -> str:
    """Write one line of the result, empty when both sides agree."""
    if own and theirs:
        if own[:7] == theirs[:7]:
            return ""
        return _result_line(own, DIFFERENT)
    if own:
        return _result_line(own, PLATFORM_MORE)
    return _result_line(theirs, HOSPITAL_MORE) if theirs else ""


def _result_line(row: StatementRow, result: str) -> str:
    amounts = (f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}" for fen in row[3:6])
    fields = (row.psn_no, row.mdtrt_id, row.setl_id, row.msgid, result, row.refd_setl_flag, _WORDS[result], *amounts)
    return "\t".join(fields)


def _zip(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), text.encode())
    return buffer.getvalue()
