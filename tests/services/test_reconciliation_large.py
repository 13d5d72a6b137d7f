"""A day of 100,000 bills with 0.1 % breaks of every kind, by the command that people use, in a process of its own.

`uv run pytest -m large -s tests/services/test_reconciliation_large.py`; its output is kept in
`docs/evidence/reconciliation.md`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from builders import City, Node, a_2304, a_2305, bill_id_of, settle
from database import rows_of
from services.reconciling import DAY, bureau_line, cancelling_line, hospital_csv, hospital_row
from serving import TOKEN_KEY, write_keys
from settlement.db.embedded import DatabaseUrls
from settlement.db.tables import metadata
from settlement.services.resources import Resources

BILLS, OF_EACH = 100_000, 100
NEXT_DAY = date(2025, 3, 12)
TEMPLATES = 8
ID = "T0000000000000"
MOST_MEGABYTES = 300
SAMPLED_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Template:
    """A bill that was settled by the use case, of which copies are made under other ids, and its lines in lists."""

    bill_id: str
    answer: dict[str, Any]
    line: str
    other_amount: str
    other_payer: str
    other_day: str
    cancellation: str
    row: dict[str, Any]
    cash_before_aid: str


@dataclass(slots=True)
class Day:
    """What stands where, and which breaks must be found: (source, kind, settlement id)."""

    here: list[tuple[str, str]] = field(default_factory=list)
    reversed_here: list[str] = field(default_factory=list)
    bureau: list[str] = field(default_factory=list)
    next_bureau: list[str] = field(default_factory=list)
    hospital: list[dict[str, Any]] = field(default_factory=list)
    next_hospital: list[dict[str, Any]] = field(default_factory=list)
    expected: set[tuple[str, str, str]] = field(default_factory=set)


@pytest.mark.large
async def test_a_large_day_finds_every_break_and_none_besides_in_little_memory(
    resources: Resources, city: City, database: DatabaseUrls, tmp_path: Path
):
    templates = [await a_template(resources, city, number) for number in range(TEMPLATES)]
    day = a_day(templates)
    copy_records(database, day)
    files = written(tmp_path, day)

    reconciled(database, tmp_path, NEXT_DAY, files["next_bureau"], files["next_hospital"])
    first = reconciled(database, tmp_path, DAY, files["bureau"], files["hospital"])
    again = reconciled(database, tmp_path, DAY, files["bureau"], files["hospital"])
    found = {
        tuple(row)
        for row in rows_of(
            database, "SELECT source, kind, insurer_settlement_id FROM reconciliation_break WHERE status = 'open'"
        )
    }

    kinds = Counter(f"{source} {kind}" for source, kind, _ in day.expected)
    shown = {
        "bills": first.told["recorded"],
        "bureau_lines": first.told["bureau"],
        "hospital_lines": first.told["hospital"],
        "bureau_megabytes": files["bureau"].stat().st_size // 10**6,
        "planted": dict(sorted(kinds.items())),
        "missed": len(day.expected - found),
        "invented": len(found - day.expected),
        "confirmed": first.told["confirmed"],
        "first_run": first.figures(),
        "second_run_same_files": again.figures(),
        "opened_by_second_run": again.told["opened"],
    }
    sys.stdout.write(f"\n{json.dumps(shown, indent=1)}\n")
    assert first.told["recorded"] == BILLS
    assert found == day.expected
    assert set(kinds.values()) == {OF_EACH}
    assert (again.told["opened"], again.told["resolved"]) == (0, 0)
    assert max(first.megabytes, again.megabytes) < MOST_MEGABYTES


async def a_template(resources: Resources, city: City, number: int) -> Template:
    """Settle one bill; the lines say `ID` where a copy's id stands."""
    member = city.members[number % len(city.members)]
    amounts = {"allowed": f"{3000 + number}.{10 + number}", "excluded": "100.00", "hifp": "1200.00", "account": "50.00"}
    output = a_2304(member, f"{ID}{number}", absorbed="7.07", **amounts)
    settled = await settle(resources, city, output)
    assert Decimal(settled.answer["mutual_aid"]["on_bill"]) > 0
    assert Decimal(settled.answer["cash_due"]) % Decimal("0.1") != 0
    hifp = float(output["setlinfo"]["hifp_pay"])
    lines = {
        "line": bureau_line(city, output),
        "other_amount": bureau_line(city, _changed(output, acct_pay=51.0, psn_cash_pay=_less(output, 1))),
        "other_payer": bureau_line(city, _changed(output, hifp_pay=hifp - 10, hifob_pay=10.0)),
        "other_day": bureau_line(city, _changed(output, setl_time=f"{NEXT_DAY} 00:00:03")),
        "cancellation": cancelling_line(city, a_2305(output), output),
    }
    return Template(
        bill_id=str(bill_id_of(settled)),
        answer=settled.answer,
        **{name: line.replace(f"{ID}{number}", ID) for name, line in lines.items()},
        row=hospital_row(city, output, settled.answer),
        cash_before_aid=str(output["setlinfo"]["psn_cash_pay"]),
    )


def _changed(output: Node, **changes: object) -> Node:
    names = {"psn_cash_pay": ("psn_cash_pay", "cashPayamt")}
    given = {name: value for key, value in changes.items() for name in names.get(key, (key,))}
    return {**output, "setlinfo": {**output["setlinfo"], **given}}


def _less(output: Node, yuan: int) -> float:
    return float(output["setlinfo"]["psn_cash_pay"]) - yuan


def a_day(templates: list[Template]) -> Day:
    """Lay out 100,000 bills of ours: a hundred of each break, a hundred of each likeness of one, the rest agreeing."""
    day, numbers = Day(), iter(range(10 * BILLS))

    def some(count: int = OF_EACH) -> Iterator[tuple[str, Template]]:
        for _ in range(count):
            number = next(numbers)
            yield f"R{number:09d}", templates[number % len(templates)]

    def here(setl_id: str, template: Template) -> None:
        day.here.append((setl_id, template.bill_id))

    def listed(setl_id: str, line: str) -> None:
        day.bureau.append(line.replace(ID, setl_id))

    def at_hospital(setl_id: str, template: Template, **changes: object) -> None:
        day.hospital.append(template.row | {"settlement_id": setl_id} | changes)

    def usual(setl_id: str, template: Template) -> None:
        here(setl_id, template)
        listed(setl_id, template.line)
        at_hospital(setl_id, template)

    def expect(source: str, kind: str, setl_id: str) -> None:
        day.expected.add((source, kind, setl_id))

    for setl_id, template in some():
        listed(setl_id, template.line)
        expect("bureau", "missing_here", setl_id)
    for setl_id, template in some():
        here(setl_id, template)
        at_hospital(setl_id, template)
        expect("bureau", "missing_there", setl_id)
    for kind, line in (("amount", "other_amount"), ("payer", "other_payer"), ("wrong_day", "other_day")):
        for setl_id, template in some():
            here(setl_id, template)
            at_hospital(setl_id, template)
            listed(setl_id, getattr(template, line))
            expect("bureau", kind, setl_id)
    for setl_id, template in some(OF_EACH // 2):
        usual(setl_id, template)
        listed(setl_id, template.cancellation)
        expect("bureau", "cancelled_on_one_side", setl_id)
    for setl_id, template in some(OF_EACH // 2):
        here(setl_id, template)
        day.reversed_here.append(setl_id)
        listed(setl_id, template.line)
        at_hospital(setl_id, template, state="cancelled")
        expect("bureau", "cancelled_on_one_side", setl_id)
    for setl_id, template in some():
        usual(setl_id, template)
        listed(setl_id, template.line)
        expect("bureau", "duplicated", setl_id)
    for setl_id, template in some():
        here(setl_id, template)
        listed(setl_id, template.line)
        expect("hospital", "hospital_missing", setl_id)
    for setl_id, template in some():
        here(setl_id, template)
        listed(setl_id, template.line)
        at_hospital(setl_id, template, state="cancelled")
        expect("hospital", "cancelled_on_one_side", setl_id)
    for setl_id, template in some():
        here(setl_id, template)
        listed(setl_id, template.line)
        day.next_hospital.append(template.row | {"settlement_id": setl_id})
        expect("hospital", "wrong_day", setl_id)
    for setl_id, template in some():
        usual(setl_id, template)
        at_hospital(setl_id, template)
        expect("hospital", "duplicated", setl_id)
    for setl_id, template in some():
        here(setl_id, template)
        listed(setl_id, template.line)
        at_hospital(setl_id, template, cash_collected=template.cash_before_aid)
        expect("hospital", "aid_not_passed_on", setl_id)
    for setl_id, template in some():
        at_hospital(setl_id, template)
        expect("hospital", "aid_to_unknown", setl_id)

    # What looks like a break and is none.
    for setl_id, template in some():
        usual(setl_id, template)
        day.reversed_here.append(setl_id)
        day.hospital[-1]["state"] = "cancelled"
        listed(setl_id, template.cancellation)
    for setl_id, template in some():
        here(setl_id, template)
        at_hospital(setl_id, template)
        day.next_bureau.append(template.line.replace(ID, setl_id))
    for setl_id, template in some():
        here(setl_id, template)
        listed(setl_id, template.line)
        rounded = Decimal(template.answer["cash_due"]).quantize(Decimal("0.1"))
        at_hospital(setl_id, template, cash_collected=f"{rounded}0")
    for setl_id, template in some():
        at_hospital(setl_id, template, aid_given="0.00")
    for setl_id, template in some():
        listed(setl_id, template.line)
        listed(setl_id, template.cancellation)
    for setl_id, template in some(BILLS - len(day.here)):
        usual(setl_id, template)
    return day


def _copied(table: str, **instead: str) -> str:
    """Return the statement that copies the templates' rows of a table, other values in some columns."""
    columns = [column.name for column in metadata.tables[table].columns]
    values = ", ".join({"bill_id": "wanted.bill_id", **instead}.get(name, f"old.{name}") for name in columns)
    return f"""INSERT INTO {table} ({", ".join(columns)})
        SELECT {values} FROM wanted JOIN {table} AS old ON old.bill_id = of"""


UNDONE = """FROM bill JOIN undone ON undone.setl_id = insurer_settlement_id"""
COPY = [
    _copied("bill", insurer_settlement_id="setl_id", settlement_no="setl_id"),
    _copied("settlement"),
    _copied("posting"),
    _copied("consumption"),
    _copied("event", event_id="gen_random_uuid()"),
    f"""INSERT INTO reversal SELECT fund_id, bill_id, 1, gen_random_uuid(), 'insurer_cancelled', 'brought', NULL,
        business_date, 1, 'copy', now() {UNDONE}""",
    f"""INSERT INTO posting SELECT fund_id, bill_id, bill.revision, 'reversal', line, credit, debit, fen, books_day
        {UNDONE} JOIN posting USING (fund_id, bill_id)""",
    f"""INSERT INTO event SELECT fund_id, bill_id, 2, gen_random_uuid(), 'settlement.reversed.v1', '{{}}', 'copy', now()
        {UNDONE}""",
    "UPDATE bill SET state = 'reversed', event_count = 2 FROM undone WHERE undone.setl_id = insurer_settlement_id",
    "DELETE FROM message_body",
    "DELETE FROM idempotency",
    *(
        f"DELETE FROM {table} WHERE bill_id IN (SELECT of FROM wanted)"
        for table in ("event", "consumption", "posting", "settlement", "bill")
    ),
    "ANALYZE",
]


def copy_records(urls: DatabaseUrls, day: Day) -> None:
    """Write the day's bills with all their records as the owner: copies of bills that the use case settled."""
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE wanted (setl_id text, of uuid, bill_id uuid DEFAULT gen_random_uuid())")
        connection.execute("CREATE TEMP TABLE undone (setl_id text)")
        with connection.cursor() as cursor:
            with cursor.copy("COPY wanted (setl_id, of) FROM STDIN") as copy:
                for row in day.here:
                    copy.write_row(row)
            with cursor.copy("COPY undone FROM STDIN") as copy:
                for setl_id in day.reversed_here:
                    copy.write_row((setl_id,))
        for statement in COPY:
            connection.execute(statement.encode())


def written(folder: Path, day: Day) -> dict[str, Path]:
    """Write the four lists."""
    files = {}
    for name in ("bureau", "next_bureau"):
        files[name] = folder / f"{name}.jsonl"
        files[name].write_text("".join(f"{line}\n" for line in getattr(day, name)), encoding="utf-8")
    for name in ("hospital", "next_hospital"):
        files[name] = folder / f"{name}.csv"
        files[name].write_text(hospital_csv(getattr(day, name)), encoding="utf-8")
    return files


@dataclass(frozen=True, slots=True)
class Measured:
    """What the command said, how long it took, and the most memory that its process had."""

    told: dict[str, Any]
    seconds: float
    megabytes: float

    def figures(self) -> dict[str, float]:
        return {"seconds": round(self.seconds, 1), "peak_rss_megabytes": round(self.megabytes, 1)}


def reconciled(urls: DatabaseUrls, folder: Path, day: date, bureau: Path, hospital: Path) -> Measured:
    """Run `settlement reconcile day` and measure its process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SETTLEMENT", "DATABASE"))}
    environment |= {
        "DATABASE_URL": urls.app,
        "DATABASE_OPS_URL": urls.ops,
        "SETTLEMENT_KEY_FILE": str(write_keys(folder)),
        "SETTLEMENT_TOKEN_KEY": TOKEN_KEY,
    }
    command = [sys.executable, "-m", "settlement", "reconcile", "day", "--fund", "hz", "--date", str(day)]
    command += ["--bureau", str(bureau), "--hospital", str(hospital), "--json"]
    with ExitStack() as stack:
        out, error = (stack.enter_context((folder / name).open("w+")) for name in ("out", "error"))
        begun, peak = time.perf_counter(), 0.0
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=error)
        while process.poll() is None:
            peak = max(peak, peak_megabytes(process.pid))
            time.sleep(SAMPLED_SECONDS)
        seconds = time.perf_counter() - begun
        out.seek(0)
        error.seek(0)
        assert process.returncode in (0, 1), error.read()
        told = json.loads(out.read().splitlines()[-1])
    return Measured(told, seconds, peak)


def peak_megabytes(pid: int) -> float:
    """Return the most memory that a process has had so far, as the kernel keeps it (VmHWM); 0 once it has ended.

    Not `ru_maxrss`: that counts the memory of the test's own process, from before the new program was loaded.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0
