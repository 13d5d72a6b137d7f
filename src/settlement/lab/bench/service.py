"""The measured service: `settlement serve` as a process of its own, with everything on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from settlement.lab.bench.outcome import BenchFailed
from settlement.lab.bench.scene import DATABASE, Scene
from settlement.lab.demo.parts import LONGEST_START_SECONDS, free_port, running


@dataclass(frozen=True, slots=True)
class Service:
    """A running API."""

    url: str
    pid: int


@contextmanager
def serving(scene: Scene) -> Iterator[Service]:
    """Serve the API on the benchmark's database, as an installation with the embedded server would."""
    settings = scene.installation.settings
    environment = {
        "SETTLEMENT_DATA_DIR": str(settings.settlement_data_dir),
        "SETTLEMENT_DATABASE_NAME": DATABASE,
        "SETTLEMENT_LOG_LEVEL": settings.settlement_log_level,
    }
    with _serving(environment, scene.folder / "api.log") as service:
        yield service


@contextmanager
def serving_through(scene: Scene, socket_directory: Path) -> Iterator[Service]:
    """Serve the API over one connection to whatever listens in a directory in the place of the server."""
    settings = scene.installation.settings
    key_file = settings.settlement_key_file or settings.settlement_data_dir / "keys.json"
    environment = {
        "DATABASE_URL": f"postgresql://settlement_app@/{DATABASE}?host={socket_directory}",
        "DATABASE_POOL_SIZE": "1",
        "SETTLEMENT_KEY_FILE": str(key_file),
        "SETTLEMENT_TOKEN_KEY": scene.installation.token_key,
        "SETTLEMENT_LOG_LEVEL": settings.settlement_log_level,
    }
    with _serving(environment, scene.folder / "api-counted.log") as service:
        yield service


@contextmanager
def _serving(environment: Mapping[str, str], log: Path) -> Iterator[Service]:
    port = free_port(0)
    with running(["settlement", "serve", "--host", "127.0.0.1", "--port", str(port)], environment, log) as process:
        service = Service(f"http://127.0.0.1:{port}", process.pid)
        deadline = time.monotonic() + LONGEST_START_SECONDS
        while not _is_ready(service.url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise BenchFailed(f"the API did not become ready; see {log}")
            time.sleep(0.05)
        yield service


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
