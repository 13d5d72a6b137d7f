"""The demo that goes on: the city's hospitals treat people at a steady pace until somebody stops it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from settlement.app import DASHBOARD, utc_now
from settlement.domain.time import CHINA
from settlement.lab.demo.day import Day
from settlement.lab.demo.picture import bill_picture
from settlement.lab.demo.stage import DATABASE, Stage, set_stage
from settlement.lab.his.bills import SettledBill
from settlement.lab.his.city import settle_visit
from settlement.lab.his.rhythm import Visit, plan_day

BILLS_A_SECOND = 4.0
_PLANNED_AT_ONCE = 2000
_TOLD_EVERY = 40


async def run_live(data_directory: Path, seed: int, port: int, console: Console, stop: asyncio.Event) -> None:
    """Run the demo until `stop` is set; show the first bill that gets aid on the spot, then a line now and then."""
    year = utc_now().astimezone(CHINA).year
    async with AsyncExitStack() as stack:
        with console.status("Starting the database, the insurer and the service; seeding the city …"):
            setting = set_stage(data_directory, seed=seed, clock="system", year=year, port=port)
            stage = await stack.enter_async_context(setting)
        console.print(
            f"{len(stage.persons)} people, {len(stage.city.members)} members, {len(stage.entries)} hospitals."
        )
        await _treat(stage, seed, console, stop)
    console.print("Stopped: API, worker, simulated insurer, database.")


async def _treat(stage: Stage, seed: int, console: Console, stop: asyncio.Event) -> None:
    brought: list[tuple[SettledBill, dict[str, Any]]] = []
    members = frozenset(person.psn_no for person in stage.city.members)
    day = Day(seed, stage.doors, members, lambda bill, answer: brought.append((bill, answer)))
    counted: Counter[str] = Counter()
    pictured = False
    for visit in _visits(stage, seed):
        if stop.is_set():
            return
        await day.bring(await settle_visit(visit, stage.hospitals[visit.hospital_code]))
        for bill, answer in brought:
            counted[answer["mutual_aid"]["status"]] += 1
            if not pictured and _is_worth_a_picture(answer):
                pictured = True
                await _picture(stage, console, bill, answer)
                _where_to_look(stage, console)
        brought.clear()
        total = counted.total()
        if pictured and total and total % _TOLD_EVERY == 0:
            console.print(f"[dim]{total} bills brought: {_told(counted)}[/dim]")
        await _wait(stop, 1 / BILLS_A_SECOND if pictured else 0)


def _visits(stage: Stage, seed: int) -> Iterator[Visit]:
    """Plan day after day, each visit settled now: the insurer's clock is the real one."""
    today = utc_now().astimezone(CHINA)
    for number in range(10**6):
        for visit in plan_day(seed + number, stage.persons, stage.entries, today.date(), _PLANNED_AT_ONCE):
            yield _now(visit)


def _now(visit: Visit) -> Visit:
    now = utc_now().astimezone(CHINA).replace(microsecond=0)
    admitted = now - (visit.at - visit.admitted_at) if visit.admitted_at else None
    return replace(visit, at=now, admitted_at=admitted, cancel_at=None)


async def _picture(stage: Stage, console: Console, bill: SettledBill, answer: dict[str, Any]) -> None:
    staff = stage.door_of(stage.city.staff_client)
    explanation = await staff.get(f"/v1/settlements/{answer['id']}/explanation")
    hospital = stage.hospitals[str(bill.facts["fixmedins_code"])].name
    console.print(bill_picture(bill.person.psn_name, hospital, answer, explanation))


def _where_to_look(stage: Stage, console: Console) -> None:
    client = next(iter(stage.city.hospital_clients.values()))
    office = stage.city.staff_client
    clerk, head = stage.city.office.clerk, stage.city.office.head
    console.print(
        f"\nWhere to look next (Ctrl-C stops all of it)\n"
        f"  the office's dashboard      {stage.api_url}{DASHBOARD}/sign-in?fund={stage.city.fund.code}\n"
        f"    fund, name, password      {stage.city.fund.code} · {clerk.account.login} · {clerk.password}\n"
        f"    who approves              {stage.city.fund.code} · {head.account.login} · {head.password}\n"
        f"  the API, to try out         {stage.api_url}/docs\n"
        f"  metrics                     {stage.api_url}/metrics\n"
        f"  the simulated insurer       {stage.insurer_url}/admin/stats\n"
        f"  its raw log                 {stage.folder}/insurer/raw.jsonl\n"
        f"  this database, every law    SETTLEMENT_DATABASE_NAME={DATABASE} settlement doctor   (its fund: binzhou)\n"
        f"  a hospital's client         {client.client.client_id}\n"
        f"    its secret                {client.secret}\n"
        f"  the office's client         {office.client.client_id}\n"
        f"    its secret                {office.secret}\n"
        f"  who drafts plans            {stage.city.fund.fund_id}.{clerk.account.login}\n"
        f"    the password              {clerk.password}\n"
        f"  who approves them           {stage.city.fund.fund_id}.{head.account.login}\n"
        f"    the password              {head.password}\n",
        highlight=False,
        soft_wrap=True,
    )


def _is_worth_a_picture(answer: dict[str, Any]) -> bool:
    """Say whether a bill shows all that there is to see: the insurer paid, and aid is on the bill."""
    return bool(answer["mutual_aid"]["status"] == "on_bill" and answer["bill"]["insurer_paid"] != "0.00")


def _told(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {status}" for status, count in sorted(counted.items()))


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
