"""The fixed day of the demo: its bills settled, every invariant checked, the sums told."""

from __future__ import annotations

import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from settlement.app import open_ops
from settlement.lab.demo.bringing import DoorA
from settlement.lab.demo.day import Day, push_day
from settlement.lab.demo.stage import Stage, set_stage
from settlement.lab.his.city import walk_day
from settlement.lab.his.rhythm import plan_day
from settlement.services.audit.examine import examine

THE_DAY = date(2026, 3, 10)
_PAGE = 500


async def run_once(data_directory: Path, seed: int, bills: int) -> dict[str, Any]:
    """Settle the fixed day and return the summary: counts by final state, sums in yuan over the live settlements."""
    began = time.monotonic()
    async with set_stage(data_directory, seed=seed, clock="message", year=THE_DAY.year, port=0) as stage:
        day = Day(seed, stage.doors, frozenset(person.psn_no for person in stage.city.members))
        visits = plan_day(seed, stage.persons, stage.entries, THE_DAY, bills)
        await walk_day(visits, stage.hospitals, seen=day.bring)
        token = await stage.door_of(stage.city.platform_client).token()
        await push_day(stage.http, stage.insurer_url, stage.api_url, token, THE_DAY.isoformat())
        summary = await _summary(stage, day)
        async with open_ops(stage.installation) as ops:
            examination = await examine(ops, stage.installation.keys)
    broken = [finding.invariant.name for finding in examination.broken]
    return summary | {"invariants_broken": len(broken), "broken": broken, "seconds": round(time.monotonic() - began, 1)}


async def _summary(stage: Stage, day: Day) -> dict[str, Any]:
    staff = stage.door_of(stage.city.staff_client)
    states = Counter(row["state"] for row in await _recorded(staff))
    recorded = sum(states.values())
    not_covered = sum(answer is not None and answer.get("id") is None for answer in day.answers.values())
    figures = await staff.get("/v1/ops/summary", business_date=THE_DAY.isoformat())
    return {
        "bills": len(day.answers),
        "settled": states["live"],
        "not_covered": not_covered,
        "reversed": states["reversed"] + states["cancelled_unseen"],
        "held": states["held"],
        "promises": day.promises,
        "promises_kept": day.promises_kept,
        "unaccounted": len(day.answers) - recorded - not_covered,
        **figures["amounts"],
    }


async def _recorded(staff: DoorA) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    query: dict[str, Any] = {"business_date": THE_DAY.isoformat(), "limit": _PAGE}
    while True:
        page = await staff.get("/v1/settlements", **query)
        rows += page["settlements"]
        if page["next_cursor"] is None:
            return rows
        query["cursor"] = page["next_cursor"]
