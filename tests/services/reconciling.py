"""Lists for tests: the bureau's lines as its file has them, hospital lists, and running a day on them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from builders import City, Node, facts
from settlement.db.engine import fund_transaction
from settlement.db.reconciliation import BreakSearch, list_breaks
from settlement.domain.reconciliation import Break, BreakStatus, Source
from settlement.services.reconciliation.import_list import ListFile, import_list
from settlement.services.reconciliation.run_day import DayRun, run_day
from settlement.services.resources import Resources

DAY = date(2025, 3, 11)


def bureau_line(city: City, output: Node, **changes: object) -> str:
    """Return one line of the bureau's file about an output, a settlement's or a cancellation's."""
    return json.dumps({"infno": "2304", "output": output, "facts": facts(city, **changes)}, default=float)


def cancelling_line(city: City, output: Node, of: Node) -> str:
    """Return the line of a cancellation, which has an id of its own."""
    return bureau_line(city, output, init_setl_id=of["setlinfo"]["setl_id"])


def bureau_csv(city: City, outputs: Sequence[Node], encoding: str = "utf-8") -> bytes:
    """Return the same as CSV, under the same names."""
    rows = [{**output["setlinfo"], **facts(city)} for output in outputs]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def hospital_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Return a hospital's list."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(
        text, ["settlement_id", "area", "hospital_code", "cash_collected", "aid_given", "state"], restval=""
    )
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def hospital_row(city: City, output: Node, answer: dict[str, Any], **changes: object) -> dict[str, Any]:
    """Return what a hospital that passed all aid on lists about a settlement."""
    return {
        "settlement_id": output["setlinfo"]["setl_id"],
        "area": city.area,
        "hospital_code": city.hospitals[3],
        "cash_collected": answer["cash_due"],
        "aid_given": answer["mutual_aid"]["on_bill"],
        "state": "settled",
        **changes,
    }


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a test reconciles: a city's records and a folder for lists."""

    resources: Resources
    city: City
    folder: Path

    async def bureau(self, *lines: str, day: date = DAY) -> DayRun:
        """Import the bureau's list of a day and run the day."""
        path = self.folder / f"bills-{day}.jsonl"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return await self.run(ListFile(Source.BUREAU, day, path))

    async def hospital(self, *rows: dict[str, Any], day: date = DAY, level: int = 3) -> DayRun:
        """Import a hospital's list of a day and run the day."""
        path = self.folder / f"list-{day}.csv"
        path.write_text(hospital_csv(rows), encoding="utf-8")
        return await self.run(ListFile(Source.HOSPITAL, day, path, (self.city.hospitals[level],)))

    async def run(self, given: ListFile) -> DayRun:
        """Import a list and run its day."""
        await import_list(self.resources, self.city.caller, given)
        return await run_day(self.resources, self.city.caller, given.day)

    async def breaks(self, status: BreakStatus | None = BreakStatus.OPEN) -> list[Break]:
        """Return breaks."""
        async with fund_transaction(self.resources.engine, self.city.fund_id) as connection:
            return await list_breaks(connection, self.city.fund_id, BreakSearch(status=status), None, 1000)

    async def open(self) -> list[tuple[str, str]]:
        """Return source and kind of the open breaks."""
        return sorted((found.source.value, found.kind.value) for found in await self.breaks())
