"""The bureau's file: the settled bills of members on one day, and pushing them to the mutual-aid service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from settlement.lab.insurer.persons import Person
from settlement.lab.insurer.platform import Platform
from settlement.lab.insurer.records import Refund, Settlement
from settlement.lab.insurer.setlinfo import entry_of, pay_loc, settlement_output
from settlement.lab.insurer.wire import encode

BATCH = 50
PUSH_PATH = "/v1/gateway/bills"


def certificate_key(kind: str, number: str) -> str:
    """Return the key under which a member's certificate is kept: type of two digits and number in capitals."""
    return f"{kind.strip().zfill(2)}:{number.strip().upper()}"


def day_lines(platform: Platform, day: str) -> list[str]:
    """Return the bills and cancellations of members on a day (yyyy-MM-dd), in the order of settlement.

    A settlement that was voided by the reversal of its message is not there, nor is a cancellation that was reversed.
    """
    entries = sorted(_entries(platform, day), key=lambda entry: (entry[0], entry[1]))
    return [encode(line) for _, _, line in entries]


def write_day_file(platform: Platform, day: str) -> tuple[Path, str]:
    """Write the day's file under `files/` and return its path and text, JSON lines."""
    folder = platform.folder / "files"
    folder.mkdir(exist_ok=True)
    text = "".join(f"{line}\n" for line in day_lines(platform, day))
    path = folder / f"bills-{day}.jsonl"
    unfinished = path.with_suffix(".part")
    unfinished.write_text(text, encoding="utf-8", newline="\n")
    unfinished.replace(path)
    return path, text


async def push_day(platform: Platform, day: str, url: str, token: str) -> dict[str, Any]:
    """Post a day's bills in batches of 50 with a bearer token and record what was answered to each.

    `url` is the service's root, or the full address of its bills. Raises `httpx.HTTPError` when nobody answers.
    """
    lines = day_lines(platform, day)
    target = url if url.rstrip("/").endswith(PUSH_PATH) else url.rstrip("/") + PUSH_PATH
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    batches: list[dict[str, Any]] = []
    async with httpx.AsyncClient(headers=headers, timeout=60, trust_env=False) as client:
        for start in range(0, len(lines), BATCH):
            batch = lines[start : start + BATCH]
            response = await client.post(target, content=f'{{"bills":[{",".join(batch)}]}}'.encode())
            batches.append({"count": len(batch), "status": response.status_code, "body": _body_of(response)})
    record = {"date": day, "url": target, "sent": len(lines), "batches": batches, "results": _results(batches)}
    _write_record(platform, day, record)
    return record


def _entries(platform: Platform, day: str) -> Iterator[tuple[str, int, dict[str, object]]]:
    state = platform.state
    members = platform.members
    for settlement in state.settlements.values():
        settled = settlement.state != "voided" and settlement.setl_time.startswith(day)
        if settled and _is_member(platform.get_person(settlement.psn_no), members):
            yield settlement.setl_time, settlement.serial, _line(platform, settlement, None)
    for refund in state.refunds.values():
        settlement = state.settlements[refund.init_setl_id]
        cancelled = refund.state == "live" and refund.setl_time.startswith(day)
        if cancelled and _is_member(platform.get_person(settlement.psn_no), members):
            yield refund.setl_time, refund.serial, _line(platform, settlement, refund)


def _is_member(person: Person, members: set[str]) -> bool:
    return certificate_key(person.psn_cert_type, person.certno) in members


def _line(platform: Platform, settlement: Settlement, refund: Refund | None) -> dict[str, object]:
    infno = refund.infno if refund else settlement.infno
    output = settlement_output(platform, infno, entry_of(platform, settlement, refund))
    return {"infno": infno, "output": output, "facts": _facts(platform, settlement, refund)}


def _facts(platform: Platform, settlement: Settlement, refund: Refund | None) -> dict[str, object]:
    visit = platform.state.visits[settlement.mdtrt_id]
    made_by = refund or settlement
    return {
        "mdtrtarea_admvs": visit.mdtrtarea_admvs,
        "fixmedins_code": visit.fixmedins_code,
        "chrg_bchno": settlement.chrg_bchno or None,
        "insuplc_admdvs": visit.insuplc_admdvs,
        "recer_sys_code": made_by.recer_sys_code or None,
        "msgid": made_by.msgid,
        "ipt_otp_no": visit.ipt_otp_no,
        "receipt_no": settlement.invono or None,
        "opter": made_by.opter or None,
        "pay_loc": pay_loc(visit),
        "admitted_on": settlement.begndate if visit.inpatient else None,
        "discharged_on": settlement.enddate if visit.inpatient else None,
        "init_setl_id": refund.init_setl_id if refund else None,
    }


def _body_of(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return response.text


def _results(batches: list[dict[str, Any]]) -> list[Any]:
    """Collect the per-bill results of all batches, whatever the list is called in the answer."""
    bodies = [batch["body"] for batch in batches if isinstance(batch["body"], dict)]
    lists = [[value for value in body.values() if isinstance(value, list)] for body in bodies]
    return [result for found in lists if found for result in found[0]]


def _write_record(platform: Platform, day: str, record: dict[str, Any]) -> None:
    folder = platform.folder / "files"
    folder.mkdir(exist_ok=True)
    (folder / f"push-{day}.json").write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")
