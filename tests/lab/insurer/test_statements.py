"""Reconciliation of a hospital's books with the platform's: 3201, 9101, 3202, 9102."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import Any

import pytest

from lab.builders import ADMITTED, MORNING, a_stay_bill, a_visit_bill, fen
from lab.running import City
from settlement.lab.his import CancelledBill, Refused, SettledBill
from settlement.lab.his.hospital import Hospital
from settlement.lab.his.wire import yuan

DAY = {"stmt_begndate": "2026-11-23", "stmt_enddate": "2026-11-23"}

Bill = SettledBill | CancelledBill


async def compare(hospital: Hospital, bills: list[Bill], **changes: str) -> str:
    """Send 3201 for the outpatient bills of a hospital's employees and return stmt_rslt."""
    data = {"insutype": "310", "clr_type": "11", "setl_optins": hospital.area, **DAY, **_sums(bills), **changes}
    answer = await hospital.send("3201", {"data": data}, at=MORNING)
    assert set(answer.output["stmtinfo"]) == {"setl_optins", "stmt_rslt", "stmt_rslt_dscr"}
    return str(answer.output["stmtinfo"]["stmt_rslt"])


async def upload(hospital: Hospital, in_: object) -> str:
    """Send 9101 and return the query number."""
    node = {"in": in_, "filename": "a.txt.zip", "fixmedins_code": hospital.code}
    answer = await hospital.send("9101", {"fsUploadIn": node}, at=MORNING)
    assert set(answer.output) == {"file_qury_no", "filename", "dld_endtime", "fixmedins_code"}
    return str(answer.output["file_qury_no"])


async def differences(hospital: Hospital, bills: list[Bill], in_: object) -> list[list[str]]:
    """Send 9101, 3202 and 9102, and return the rows of the result."""
    data = {"setl_optins": hospital.area, "file_qury_no": await upload(hospital, in_), **DAY, **_sums(bills)}
    answer = await hospital.send("3202", {"data": data}, at=MORNING)
    fetched = hospital.message("9102", {"fsDownloadIn": answer.output["fileinfo"]}, at=MORNING)
    with zipfile.ZipFile(io.BytesIO(await hospital.gateway.fetch(fetched))) as archive:
        assert archive.namelist() == ["result.txt"]
        return [line.split("\t") for line in archive.read("result.txt").decode().splitlines()]


def listing(bills: list[Bill]) -> bytes:
    """Write the hospital's list, zipped."""
    text = "".join("\t".join(_row(bill)) + "\n" for bill in bills)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("list.txt", text)
    return buffer.getvalue()


async def test_totals_are_compared_with_refunds_and_without(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    first = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    second = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    await hospital.stay(person, a_stay_bill(), ADMITTED, MORNING)
    cancelled = await hospital.cancel(first, MORNING)
    bills: list[Bill] = [first, second, cancelled]
    assert await compare(hospital, bills) == "0"
    assert await compare(hospital, [second], refd_setl_flag="0") == "0"
    assert await compare(hospital, bills[:2]) == "1"
    assert await compare(hospital, [*bills, second]) == "2"
    assert await compare(hospital, bills, acct_pay="0.01") == "3"
    assert await compare(hospital, [], insutype="390") == "0"
    assert await compare(city.hospital(1), []) == "0"


async def test_a_voided_settlement_is_in_no_statement(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    await hospital.reverse(person, bill.msgid, "2207", MORNING)
    assert await compare(hospital, []) == "0"


@pytest.mark.parametrize("encoding", ["base64", "octets", "signed octets"])
async def test_details_list_only_what_differs(city: City, encoding: str) -> None:
    hospital, person = city.hospital(), city.person()
    same = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    ours_only = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    changed = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    cancelled = await hospital.cancel(changed, MORNING)
    mine: list[Bill] = [same, changed, cancelled]
    data = listing(mine)
    wrong = data if encoding == "base64" else listing([*mine, ours_only])
    found = await differences(hospital, mine, _encoded(wrong, encoding))
    expected = [[ours_only.psn_no, ours_only.mdtrt_id, ours_only.setl_id, ours_only.msgid, "1"]]
    assert [row[:5] for row in found] == (expected if encoding == "base64" else [])


async def test_rows_of_the_hospital_alone_and_other_amounts_are_listed(city: City) -> None:
    hospital, person = city.hospital(), city.person()
    bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    rows = [_row(bill), ["999", bill.mdtrt_id, bill.psn_no, "1.00", "0.00", "0.00", "0"]]
    rows[0][3] = "1286.51"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("list.txt", "\n".join("\t".join(row) for row in rows))
    found = await differences(hospital, [bill], base64.b64encode(buffer.getvalue()).decode())
    assert [(row[2], row[4], row[7]) for row in found] == [(bill.setl_id, "3", "1286.50"), ("999", "2", "1.00")]
    assert found[0][3] == bill.msgid


async def test_a_file_that_does_not_exist_or_is_no_list_is_refused(city: City) -> None:
    hospital = city.hospital()
    node = {"file_qury_no": "fsi/plc/x", "filename": "plc", "fixmedins_code": hospital.code}
    with pytest.raises(Refused, match="文件不存在"):
        await hospital.send("9102", {"fsDownloadIn": node}, at=MORNING)
    with pytest.raises(Refused, match="文件数据格式错误"):
        await upload(hospital, "***")
    number = await upload(hospital, base64.b64encode(b"no zip").decode())
    with pytest.raises(Refused, match="对账文件格式错误"):
        await hospital.send("3202", {"data": {"file_qury_no": number, "setl_optins": "1", **DAY}}, at=MORNING)


def _sums(bills: list[Bill]) -> dict[str, str]:
    names = ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")
    sums = {name: yuan(sum(fen(bill.setlinfo, name) for bill in bills)) for name in names}
    return {**sums, "cash_payamt": "0.00", "fixmedins_setl_cnt": str(len(bills))}


def _row(bill: Bill) -> list[str]:
    amounts = [yuan(fen(bill.setlinfo, name)) for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")]
    return [bill.setl_id, bill.mdtrt_id, bill.psn_no, *amounts, "0" if isinstance(bill, SettledBill) else "1"]


def _encoded(data: bytes, encoding: str) -> Any:
    if encoding == "base64":
        return base64.b64encode(data).decode()
    return [octet - 256 if encoding == "signed octets" and octet > 127 else octet for octet in data]
