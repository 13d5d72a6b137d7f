"""A city of hospitals driven over HTTP: who is there, who are members, and walking a planned day."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

import httpx

from settlement.lab.his.bills import CancelledBill, SettledBill
from settlement.lab.his.gateway import Gateway
from settlement.lab.his.hospital import Hospital
from settlement.lab.his.people import HospitalEntry, Person
from settlement.lab.his.rhythm import Visit

BillSeen = Callable[[SettledBill | CancelledBill], Awaitable[None]]


@dataclass(slots=True)
class DayDone:
    """What came of a walked day: the bills in the order in which their answers came."""

    settled: list[SettledBill] = field(default_factory=list)
    cancelled: list[CancelledBill] = field(default_factory=list)


async def list_persons(http: httpx.AsyncClient, insurer_url: str, limit: int = 1_000_000) -> list[Person]:
    """Read the insurer's persons from its operator's endpoint."""
    response = await http.get(f"{insurer_url}/admin/persons", params={"limit": limit})
    response.raise_for_status()
    return [Person.from_row(row) for row in response.json()["persons"]]


async def list_hospitals(http: httpx.AsyncClient, insurer_url: str) -> list[HospitalEntry]:
    """Read the insurer's hospitals from its operator's endpoint."""
    response = await http.get(f"{insurer_url}/admin/hospitals")
    response.raise_for_status()
    return [HospitalEntry.from_row(row) for row in response.json()["hospitals"]]


async def tell_members(http: httpx.AsyncClient, insurer_url: str, members: Iterable[Person]) -> None:
    """Tell the bureau whose bills it is to hand over."""
    rows = [{"psn_cert_type": person.psn_cert_type, "certno": person.certno} for person in members]
    (await http.put(f"{insurer_url}/admin/members", json={"members": rows})).raise_for_status()


def open_hospitals(entries: Iterable[HospitalEntry], gateway: Gateway, first_serial: int = 1) -> dict[str, Hospital]:
    """Open the billing systems of all hospitals on one line, by their codes."""
    return {
        entry.code: Hospital(entry.code, entry.name, entry.level, entry.area, gateway, first_serial=first_serial)
        for entry in entries
    }


async def walk_day(
    visits: Sequence[Visit],
    hospitals: dict[str, Hospital],
    concurrency: int = 8,
    seen: BillSeen | None = None,
) -> DayDone:
    """Walk a planned day through the insurer; `seen` is awaited for every bill and cancellation as it comes.

    One person's messages keep their order whatever the concurrency, so the amounts depend on the plan alone; with a
    concurrency of 1 so do all the ids. Raises `Refused` and `Unanswered` of the first visit that fails.
    """
    done = DayDone()
    queues = _by_person(visits)
    waiting = iter(queues)

    async def walk() -> None:
        for queue in waiting:
            await _walk_person(queue, hospitals, done, seen)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(concurrency, len(queues))):
            group.create_task(walk())
    return done


def _by_person(visits: Sequence[Visit]) -> list[list[Visit]]:
    queues: dict[str, list[Visit]] = {}
    for visit in visits:
        queues.setdefault(visit.person.psn_no, []).append(visit)
    return list(queues.values())


async def _walk_person(
    visits: list[Visit], hospitals: dict[str, Hospital], done: DayDone, seen: BillSeen | None
) -> None:
    """Walk one person's visits and cancellations in the order of their times."""
    steps = [(visit.at, 0, number) for number, visit in enumerate(visits)]
    steps += [(visit.cancel_at, 1, number) for number, visit in enumerate(visits) if visit.cancel_at]
    bills: dict[int, SettledBill] = {}
    for at, cancels, number in sorted(steps):
        hospital = hospitals[visits[number].hospital_code]
        if cancels:
            cancelled = await hospital.cancel(bills[number], at)
            done.cancelled.append(cancelled)
            await _show(seen, cancelled)
        else:
            bills[number] = await settle_visit(visits[number], hospital)
            done.settled.append(bills[number])
            await _show(seen, bills[number])


async def settle_visit(visit: Visit, hospital: Hospital) -> SettledBill:
    """Walk one planned visit or stay to its settlement."""
    if visit.admitted_at is None:
        return await hospital.outpatient(visit.person, visit.fee_lines, visit.med_type, visit.use_account, visit.at)
    return await hospital.stay(
        visit.person, visit.fee_lines, visit.admitted_at, visit.at, visit.med_type, visit.use_account
    )


async def _show(seen: BillSeen | None, bill: SettledBill | CancelledBill) -> None:
    if seen is not None:
        await seen(bill)
