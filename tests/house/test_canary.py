"""No name, identity number or insured person number lies in clear in the product's own files.

Before it looks for members' data the search finds a mark that it planted: in every form, in a log, a page and a WAL
file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from builders import City, Person, a_2304, a_2305, a_city, facts, open_test_resources
from calling import Callers
from database import Databases, as_owner, ops_engine, rows_of
from house.traces import forms_of, found_in, plant
from serving import ServiceProcess, registered_clients, service_process
from settlement.db.embedded import DatabaseUrls
from settlement.domain.bills import Certificate
from settlement.domain.scope import PersonCategory
from settlement.services.events.number_events import number_all_events
from settlement.services.members.add_member import NewMember, add_members

MARK = "金丝雀-CANARY-7Q2M9D-4C8K1X"
MEMBER = Person("欧阳金丝雀甲", Certificate("01", "99010119850707001X"), "ZG7300000000000417")
STRANGER = Person("司徒过路人乙", Certificate("01", "990101198608080023"), "ZG7300000000000529")


@dataclass(frozen=True, slots=True)
class Day:
    """What was left behind after bills of every fate went through a service of its own."""

    service: ServiceProcess
    database: DatabaseUrls
    metrics: str
    answers: str
    files: tuple[Path, ...]


@pytest.fixture(scope="module")
def day(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("canary")
    with databases.copy() as urls:
        before = _wal(urls)
        with service_process(urls, folder, "canary") as service:
            metrics, answers = asyncio.run(_live(service, urls))
            as_owner(urls, f"CREATE TABLE planted (mark text); INSERT INTO planted VALUES ('{MARK}')")
            (folder / "metrics.txt").write_text(metrics)
            (folder / "rows.txt").write_text("\n".join(_all_rows(urls)))
            with psycopg.connect(databases.server.superuser_url, autocommit=True) as connection:
                with pytest.raises(psycopg.errors.UndefinedTable):
                    connection.execute(f"SELECT '{MARK}' FROM nowhere".encode())
                connection.execute("CHECKPOINT")
            pages = list((_pgdata(urls) / "base" / _oid(urls)).iterdir())
            wal = [file for file, written in _wal(urls).items() if before.get(file) != written]
            written = (service.log, folder / "metrics.txt", folder / "rows.txt", *_server_logs(urls), *pages, *wal)
            yield Day(service, urls, metrics, answers, written)


def _pgdata(urls: DatabaseUrls) -> Path:
    return Path(str(make_url(urls.app).query["host"]))


def _oid(urls: DatabaseUrls) -> str:
    return str(rows_of(urls, "SELECT oid FROM pg_database WHERE datname = current_database()")[0][0])


def _wal(urls: DatabaseUrls) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in (_pgdata(urls) / "pg_wal").iterdir() if file.is_file()}


def _server_logs(urls: DatabaseUrls) -> list[Path]:
    return [file for file in _pgdata(urls).rglob("*log*") if file.is_file() and file.suffix in ("", ".log")]


def _all_rows(urls: DatabaseUrls) -> list[str]:
    """Return every row as text: values that lie compressed in their pages are read here."""
    tables = rows_of(urls, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return [str(row) for (table,) in tables for (row,) in rows_of(urls, f"SELECT {table}::text FROM {table}")]


async def _live(service: ServiceProcess, urls: DatabaseUrls) -> tuple[str, str]:
    """Send bills of every fate, ask about persons, and send what cannot be read; return metrics and answers."""
    async with open_test_resources(urls) as resources:
        city = await a_city(resources, members=0)
        term = (date(2025, 1, 1), date(2026, 12, 31))
        line = NewMember(MEMBER.name, MEMBER.certificate, "u1", PersonCategory.ACTIVE, *term)
        await add_members(resources, city.fund_id, [line])
        clients = await registered_clients(resources, city)
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        callers = Callers(service.url, http, clients)
        answers = [answer.text for answer in await _send_everything(callers, city, urls)]
        metrics = (await callers.get(None, "/metrics")).text
    async with ops_engine(urls) as ops:
        await number_all_events(ops)
    return metrics, "\n".join(answers)


async def _send_everything(callers: Callers, city: City, urls: DatabaseUrls) -> list[httpx.Response]:
    answers: list[httpx.Response] = []

    async def send(path: str, body: object, role: str = "hospital") -> httpx.Response:
        answers.append(await callers.call(role, "POST", path, body, key=f"canary-{len(answers):04d}"))
        return answers[-1]

    whole, lacking = facts(city), facts(city, discharged_on=None)
    output = a_2304(MEMBER)
    settled = await send("/v1/settlements", {"output": output, "visit": whole})
    await send("/v1/quotes", {"output": output, "visit": whole})
    await send("/v1/gateway/bills", {"bills": [{"output": output, "facts": whole}]}, "platform")
    changed = a_2304(MEMBER, output["setlinfo"]["setl_id"], allowed="8100.00")
    await send("/v1/gateway/bills", {"bills": [{"output": changed, "facts": whole}]}, "platform")
    await send("/v1/settlements", {"output": a_2304(STRANGER), "visit": whole})
    held = await send("/v1/settlements", {"output": a_2304(MEMBER), "visit": lacking})
    await send(f"/v1/settlements/{held.json()['id']}/answers", {"facts": {"discharged_on": "2025-03-11"}})
    masked = await send("/v1/settlements", {"output": a_2304(MEMBER, certno="990101********001X"), "visit": whole})
    certificate = {"type": "01", "number": MEMBER.certificate.number}
    await send(f"/v1/settlements/{masked.json()['id']}/answers", {"answers": {"certificate": certificate}})
    await send("/v1/settlements", {"output": a_2304(MEMBER, psn_name=STRANGER.name), "visit": whole})
    await send("/v1/settlements", {"output": a_2304(MEMBER, certno=STRANGER.certificate.number), "visit": whole})
    await send("/v1/settlements", {"output": a_2304(MEMBER, medfee_sumamt=MEMBER.name), "visit": whole})
    await send("/v1/settlements", {"output": MEMBER.name, "visit": whole, "psn_nmae": MEMBER.certificate.number})
    await send("/v1/settlements", f'{{"psn_name": "{MEMBER.name}"'.encode())
    reversal = {"reason": "refund", "cancellation": a_2305(output)}
    await send(f"/v1/settlements/{settled.json()['id']}/reversals", reversal)
    as_owner(urls, "UPDATE person SET key_id = 'lost'")
    fault = await send("/v1/settlements", {"output": a_2304(MEMBER), "visit": whole})
    assert fault.json()["mutual_aid"]["question"]["code"] == "our_fault"
    as_owner(urls, "UPDATE person SET key_id = 'k1'", "ALTER TABLE uncovered RENAME TO uncovered_elsewhere")
    broken = await send("/v1/settlements", {"output": a_2304(STRANGER), "visit": whole})
    assert broken.status_code == 500
    as_owner(urls, "ALTER TABLE uncovered_elsewhere RENAME TO uncovered")
    by_person = ({"certificate_number": MEMBER.certificate.number}, {"insured_person_no": MEMBER.insured_person_no})
    answers += [await callers.get("hospital", "/v1/eligibility", **asked) for asked in by_person]
    for person in (MEMBER, STRANGER):
        await callers.call("hospital", "GET", f"/v1/{person.certificate.number}")
    return answers


def wanted() -> dict[str, str]:
    """Return what must not be found, by a label that may be printed."""
    of = {"member": MEMBER, "stranger": STRANGER}
    names = {f"name of the {who}": person.name for who, person in of.items()}
    numbers = {f"certificate of the {who}": person.certificate.number for who, person in of.items()}
    return names | numbers | {f"psn_no of the {who}": person.insured_person_no for who, person in of.items()}


def test_the_search_finds_a_mark_in_every_form(tmp_path: Path):
    files = plant(tmp_path, MARK)
    assert {name for name, _, _ in found_in(files, {"mark": MARK})} == {file.name for file in files}
    assert len(files) == len(forms_of(MARK)) + 4


def test_the_search_finds_a_mark_in_a_log_a_page_and_a_wal_file(day: Day, tmp_path: Path):
    log = tmp_path / "service.log"
    log.write_bytes(day.service.log.read_bytes() + f'{{"event": "planted", "name": "{MARK}"}}\n'.encode())
    assert found_in([log], {"mark": MARK})
    found = {file for file, _, _ in found_in(day.files, {"mark": MARK})}
    in_database = {file.name for file in day.files if file.parent.name == _oid(day.database)}
    in_wal = {file.name for file in day.files if file.parent.name == "pg_wal"}
    in_server_log = {file.name for file in _server_logs(day.database)}
    assert found & in_database, "the mark is in no page"
    assert found & in_wal, "the mark is in no WAL file"
    assert found & in_server_log, "the mark is in no log of the server"


def test_the_day_left_something_to_search(day: Day):
    text = day.service.log.read_text()
    assert "settlement.our_fault" in text
    assert "request.our_bug" in text
    assert 'route="/v1/settlements"' in day.metrics
    assert rows_of(day.database, "SELECT count(*) FROM settlement") > [(2,)]
    assert rows_of(day.database, "SELECT count(*) FROM uncovered") == [(1,)]
    assert rows_of(day.database, "SELECT count(*) FROM person_number") == [(1,)]


def test_nobodys_data_lies_in_clear_in_any_file(day: Day):
    assert found_in(day.files, wanted()) == set()


def test_nobodys_data_is_in_an_answer(day: Day):
    assert [label for label, text in wanted().items() if text in day.answers] == []
