"""Walking a planned day over real HTTP: every identity holds, and the day is reproducible."""

from datetime import date
from pathlib import Path

from lab.builders import check_identities
from lab.running import City, insurer_on_thread
from settlement.lab.his import open_client, plan_day
from settlement.lab.his.bills import CancelledBill, SettledBill
from settlement.lab.his.city import list_hospitals, list_persons, open_hospitals, tell_members, walk_day

DAY = date(2026, 11, 23)


async def walk(folder: Path, concurrency: int, bills: int = 80) -> tuple[list[str], bytes]:
    """Walk a day in a new city; returns the bureau's file, and the raw log."""
    with insurer_on_thread(folder) as server:
        async with open_client() as http:
            city = await City(server.url, http).load()
            persons = await list_persons(http, server.url)
            await tell_members(http, server.url, persons)
            plan = plan_day(3, persons, await list_hospitals(http, server.url), DAY, bills)
            seen: list[SettledBill | CancelledBill] = []

            async def keep(bill: SettledBill | CancelledBill) -> None:
                seen.append(bill)

            done = await walk_day(plan, open_hospitals(city.entries, city.gateway), concurrency, keep)
            assert len(done.settled) == bills
            assert len(done.cancelled) == sum(visit.cancel_at is not None for visit in plan) > 0
            assert len(seen) == len(done.settled) + len(done.cancelled)
            for bill in seen:
                check_identities(bill.output)
            lines = [str(line) for line in await city.file(DAY.isoformat())]
            assert len(lines) == len(seen)
    return lines, (folder / "raw.jsonl").read_bytes()


async def test_a_walked_day_is_reproducible_to_the_byte(tmp_path: Path) -> None:
    first = await walk(tmp_path / "a", concurrency=1)
    assert first == await walk(tmp_path / "b", concurrency=1)


async def test_the_amounts_do_not_depend_on_concurrency(tmp_path: Path) -> None:
    one = await _amounts(tmp_path / "a", 1)
    many = await _amounts(tmp_path / "b", 16)
    assert one == many


async def _amounts(folder: Path, concurrency: int) -> list[tuple[object, ...]]:
    with insurer_on_thread(folder) as server:
        async with open_client() as http:
            city = await City(server.url, http).load()
            plan = plan_day(4, city.persons, city.entries, DAY, 80)
            done = await walk_day(plan, open_hospitals(city.entries, city.gateway), concurrency)
    names = ("psn_no", "setl_time", "medfee_sumamt", "fund_pay_sumamt", "acct_pay", "psn_cash_pay", "balc")
    return sorted(tuple(bill.setlinfo[name] for name in names) for bill in done.settled)
