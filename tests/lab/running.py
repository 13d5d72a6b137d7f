"""Real simulated insurers for tests: on a thread of this process, or as a process of its own that can be killed."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from settlement.lab.his.gateway import Gateway
from settlement.lab.his.hospital import Hospital
from settlement.lab.his.people import HospitalEntry, Person
from settlement.lab.insurer import InsurerOptions, InsurerServer

_SERIALS = itertools.count(1, step=40)


def start_insurer(folder: Path, **options: Any) -> tuple[InsurerServer, threading.Thread]:
    """Serve one insurer on a real port from a thread; `message` clock and 300 persons unless told otherwise."""
    server = InsurerServer(InsurerOptions(folder=folder, **{"clock": "message", "persons": 300, **options}))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve_until_stopped()))
    thread.start()
    return server, thread


@contextmanager
def insurer_on_thread(folder: Path, **options: Any) -> Iterator[InsurerServer]:
    """Serve one insurer from a thread, which has ended and closed its files when the block is left."""
    server, thread = start_insurer(folder, **options)
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def insurer_process(folder: Path, *flags: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run one insurer as a process; yields its URL and the process, which is killed at the end if it still runs."""
    command = [sys.executable, "-m", "settlement.lab.insurer", "--folder", str(folder), "--clock", "message"]
    process = subprocess.Popen([*command, "--persons", "300", *flags], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as output:
        try:
            yield json.loads(output.readline())["url"], process
        finally:
            process.kill()
            process.wait()


class City:
    """One insurer's city as a test sees it: the operator's endpoints, persons, and hospitals on a line to it."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self.url = url
        self.http = http
        self.gateway = Gateway(url, http)
        self.persons: list[Person] = []
        self.entries: list[HospitalEntry] = []

    async def load(self) -> City:
        """Read who lives here."""
        self.persons = [Person.from_row(row) for row in (await self.get("persons"))["persons"]]
        self.entries = [HospitalEntry.from_row(row) for row in (await self.get("hospitals"))["hospitals"]]
        return self

    def hospital(self, level: int = 3, **options: Any) -> Hospital:
        """Open the billing system of a hospital of a level; each call uses serial numbers of its own."""
        entry = next(entry for entry in self.entries if entry.level == level)
        return Hospital(
            entry.code,
            entry.name,
            level,
            entry.area,
            self.gateway,
            **{"identifies": False, "first_serial": next(_SERIALS), **options},
        )

    def person(self, psn_type: str = "1101", nth: int = 0) -> Person:
        """Return the nth local person of a category who has some account money, if the category has any."""
        area = self.entries[0].area
        found = [p for p in self.persons if p.psn_type == psn_type and p.insuplc_admdvs == area]
        return sorted(found, key=lambda person: -person.balance_fen)[nth]

    async def get(self, what: str, **params: Any) -> Any:
        """Ask an operator's endpoint."""
        return (await self.http.get(f"{self.url}/admin/{what}", params=params)).raise_for_status().json()

    async def fault(self, kind: str, **fields: Any) -> None:
        """Set a fault."""
        response = await self.http.post(f"{self.url}/admin/faults", json={"kind": kind, **fields})
        response.raise_for_status()

    async def switch(self, **values: Any) -> None:
        """Set switches."""
        (await self.http.put(f"{self.url}/admin/switches", json=values)).raise_for_status()

    async def members(self, *persons: Person) -> None:
        """Tell the bureau its members."""
        rows = [{"psn_cert_type": person.psn_cert_type, "certno": person.certno} for person in persons]
        (await self.http.put(f"{self.url}/admin/members", json=rows)).raise_for_status()

    async def file(self, day: str) -> list[dict[str, Any]]:
        """Fetch the bureau's file of a day."""
        response = await self.http.get(f"{self.url}/admin/file", params={"date": day})
        return [json.loads(line) for line in response.raise_for_status().text.splitlines()]
