"""Setting the demo's stage: a fresh database, the simulated insurer, a seeded city, the API and the worker."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import httpx
from httpx_aiohttp import AiohttpTransport

from settlement.app import Installation, open_installation, open_resources
from settlement.config import Settings, read_settings
from settlement.db.embedded import start_embedded
from settlement.lab.demo.bringing import DoorA
from settlement.lab.demo.parts import PartFailed, free_port, start_api, start_insurer, start_worker
from settlement.lab.demo.seed import SeededCity, seed_city
from settlement.lab.his.city import list_hospitals, list_persons, open_hospitals, tell_members
from settlement.lab.his.gateway import Gateway
from settlement.lab.his.hospital import Hospital
from settlement.lab.his.people import HospitalEntry, Person
from settlement.services.access.add_client import NewClient

DATABASE = "settlement_demo"
PERSONS = 6400
MEMBERS = 5000
_PROFILE = "demo"
_LONG_LINE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs, and who is in the city."""

    installation: Installation
    folder: Path
    insurer_url: str
    api_url: str
    http: httpx.AsyncClient
    city: SeededCity
    persons: tuple[Person, ...]
    entries: tuple[HospitalEntry, ...]
    hospitals: dict[str, Hospital]
    doors: dict[str, DoorA]

    def door_of(self, client: NewClient) -> DoorA:
        """Return a line to the service for a client."""
        return DoorA(self.http, self.api_url, client)


@asynccontextmanager
async def set_stage(data_directory: Path, *, seed: int, clock: str, year: int, port: int) -> AsyncIterator[Stage]:
    """Start all parts, seed the city, and stop all of it at the end.

    What an earlier demo left (database, the insurer's folder) goes first. Raises `PartFailed` while another demo runs.
    """
    folder = data_directory / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        _only_one(stack, folder / "demo.lock")
        shutil.rmtree(folder / "insurer", ignore_errors=True)
        (folder / "insurer").mkdir()
        insurer_url = start_insurer(stack, folder / "insurer", seed, PERSONS, clock)
        installation = _fresh_installation(data_directory, folder, insurer_url, asks=clock == "system")
        transport = AiohttpTransport(trust_env=False)
        async with httpx.AsyncClient(transport=transport, timeout=_LONG_LINE_SECONDS, trust_env=False) as http:
            persons = tuple(await list_persons(http, insurer_url))
            entries = tuple(await list_hospitals(http, insurer_url))
            city = await _seed(installation, persons, entries, year)
            await tell_members(http, insurer_url, city.members)
            environment = _environment(installation.settings)
            api_url = start_api(stack, environment, free_port(port), folder / "api.log")
            start_worker(stack, environment, folder / "worker.log")
            hospitals = open_hospitals(entries, Gateway(insurer_url, http))
            doors = {code: DoorA(http, api_url, client) for code, client in city.hospital_clients.items()}
            yield Stage(installation, folder, insurer_url, api_url, http, city, persons, entries, hospitals, doors)


def plan_file() -> Path:
    """Return the plan that the demo pays by: beside the code in a checkout, inside the package once installed."""
    installed = Path(str(resources.files("settlement"))) / "_plans" / "hangzhou.yaml"
    return installed if installed.exists() else Path(__file__).parents[4] / "plans" / "hangzhou.yaml"


def _only_one(stack: ExitStack, lock: Path) -> None:
    file = stack.enter_context(lock.open("w"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise PartFailed(
            "another demo is running on this data directory; stop it, or set SETTLEMENT_DATA_DIR"
        ) from None


def _fresh_installation(data_directory: Path, folder: Path, insurer_url: str, *, asks: bool) -> Installation:
    """Make the installation. On a fixed day nothing pending is asked: when that is, the machine's load would decide."""
    profiles = folder / "profiles"
    profiles.mkdir(exist_ok=True)
    shipped = (resources.files("settlement.gateway") / "profiles" / "simulator.toml").read_text()
    if not asks:
        shipped = shipped.replace("pending_first_pause_seconds = 2\n", "pending_first_pause_seconds = 86400\n")
    (profiles / f"{_PROFILE}.toml").write_text(f'{shipped}\nurl = "{insurer_url}"\n')
    settings = read_settings(
        database_url=None,
        settlement_data_dir=data_directory,
        settlement_database_name=DATABASE,
        settlement_profiles=profiles,
        settlement_log_level="warning",
    )
    start_embedded(data_directory).recreate_database(DATABASE)
    return open_installation(settings)


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "SETTLEMENT_DATA_DIR": str(settings.settlement_data_dir),
        "SETTLEMENT_DATABASE_NAME": settings.settlement_database_name,
        "SETTLEMENT_PROFILES": str(settings.settlement_profiles),
        "SETTLEMENT_LOG_LEVEL": settings.settlement_log_level,
    }


async def _seed(
    installation: Installation, persons: tuple[Person, ...], entries: tuple[HospitalEntry, ...], year: int
) -> SeededCity:
    async with open_resources(installation) as opened:
        return await seed_city(
            opened,
            profile=_PROFILE,
            plan_file=plan_file(),
            persons=persons,
            hospitals=entries,
            member_count=MEMBERS,
            year=year,
        )
