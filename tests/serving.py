"""The service as its callers meet it: the real application on a real port, in this process or in one of its own."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from builders import KEYS, City
from settlement.app import build_api, open_installation
from settlement.config import Settings, read_settings
from settlement.db.embedded import DatabaseUrls
from settlement.services.access.add_client import NewClient, add_client
from settlement.services.access.add_staff import add_staff
from settlement.services.resources import Resources

TOKEN_KEY = "a-token-key-of-the-tests-with-enough-characters"
START_SECONDS = 120


def write_keys(folder: Path) -> Path:
    """Write the tests' keys as the key file that a process reads."""
    file = folder / "keys.json"
    sealing = {name: base64.b64encode(key).decode() for name, key in KEYS.sealing.items()}
    index = base64.b64encode(KEYS.index).decode()
    file.write_text(json.dumps({"active": KEYS.active, "sealing": sealing, "index": index}))
    return file


def settings_of(urls: DatabaseUrls, folder: Path, **given: Any) -> Settings:
    """Return the settings of a process that works on a test's database."""
    return read_settings(
        database_url=urls.app,
        database_owner_url=urls.owner,
        database_ops_url=urls.ops,
        settlement_key_file=write_keys(folder),
        settlement_token_key=TOKEN_KEY,
        settlement_data_dir=folder,
        **given,
    )


@contextmanager
def served_app(app: FastAPI) -> Iterator[str]:
    """Serve an application on a port of its own from a thread; yield its URL."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", access_log=False, timeout_graceful_shutdown=2, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < deadline, "the server did not start in time"
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextmanager
def served(urls: DatabaseUrls, **given: Any) -> Iterator[str]:
    """Serve the API on a test's database from a thread; yield its URL."""
    with tempfile.TemporaryDirectory() as folder:
        app = build_api(open_installation(settings_of(urls, Path(folder), **given)))
        with served_app(app) as url:
            yield url


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    """`settlement serve` as a process of its own, with what it wrote to its log."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()


def started(command: list[str], urls: DatabaseUrls, folder: Path, log: Path, **given: str) -> subprocess.Popen[bytes]:
    """Start a command of `settlement` as a process of its own on a test's database, with its output in a file."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SETTLEMENT", "DATABASE"))}
    environment |= {
        "DATABASE_URL": urls.app,
        "DATABASE_OPS_URL": urls.ops,
        "SETTLEMENT_KEY_FILE": str(write_keys(folder)),
        "SETTLEMENT_TOKEN_KEY": TOKEN_KEY,
        **given,
    }
    with log.open("ab") as written:
        program = [sys.executable, "-c", "from settlement.cli import app; app()", *command]
        return subprocess.Popen(program, env=environment, stdout=written, stderr=written)


@contextmanager
def worker_process(urls: DatabaseUrls, folder: Path, profiles: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `settlement worker` on a test's database; it is killed at the end if it still runs."""
    process = started(["worker"], urls, folder, folder / "worker.log", SETTLEMENT_PROFILES=str(profiles))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def service_process(urls: DatabaseUrls, folder: Path, name: str = "serve", **settings: str) -> Iterator[ServiceProcess]:
    """Run `settlement serve` on a test's database; it is killed at the end if it still runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / f"{name}.log"
    given = {"SETTLEMENT_PORT": str(port), "SETTLEMENT_LOG_LEVEL": "debug" if name == "canary" else "info"}
    process = started(["serve"], urls, folder, log, **given, **settings)
    service = ServiceProcess(f"http://127.0.0.1:{port}", process, log)
    try:
        _wait_until_ready(service)
        yield service
    finally:
        if process.poll() is None:
            service.kill()


def _wait_until_ready(service: ServiceProcess) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert service.process.poll() is None, service.log.read_text()
        assert time.monotonic() < deadline, "the service did not become ready in time"
        try:
            if httpx.get(f"{service.url}/readyz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.02)


async def registered_clients(resources: Resources, city: City) -> dict[str, NewClient]:
    """Register a client of each role: two hospitals, the platform and staff."""
    roles: Mapping[str, tuple[str, tuple[str, ...]]] = {
        "hospital": ("hospital", (city.hospitals[3],)),
        "other hospital": ("hospital", (city.hospitals[2],)),
        "platform": ("platform", ()),
        "staff": ("staff", ()),
    }
    return {
        name: await add_client(
            resources, city.fund_id, name=name.replace(" ", "-"), role=role, hospital_codes=hospital_codes
        )
        for name, (role, hospital_codes) in roles.items()
    }


async def registered_people(resources: Resources, city: City) -> dict[str, tuple[str, str]]:
    """Return user name and password of a person of each role: the office's two, an auditor and an operator."""
    office = city.office
    logins = {"clerk": office.clerk, "approver": office.head}
    people = {role: (f"{city.fund_id}.{person.account.login}", person.password) for role, person in logins.items()}
    for role in ("auditor", "operator"):
        password = f"of the {role[:4]}s desk"
        account = await add_staff(resources, city.fund_id, login=f"the-{role}", roles=(role,), password=password)
        people[role] = (f"{city.fund_id}.{account.login}", password)
    return people
