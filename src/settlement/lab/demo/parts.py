"""Starting the parts of the demo as processes of their own, and stopping all of them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

LONGEST_START_SECONDS = 30
LONGEST_STOP_SECONDS = 15


class PartFailed(RuntimeError):
    """A part of the demo ended or did not become ready; its log says why."""


@contextmanager
def running(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a Python module as a process, its messages in a log file; end it in an orderly way.

    In a session of its own, so that Ctrl-C reaches the demo alone, which then ends the parts in their order.
    """
    with log.open("w") as messages:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=messages,
            text=True,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(LONGEST_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def start_insurer(stack: ExitStack, folder: Path, seed: int, persons: int, clock: str) -> str:
    """Start the simulated insurer; return its URL."""
    options = ["--folder", str(folder), "--seed", str(seed), "--persons", str(persons), "--clock", clock, "--port", "0"]
    log = folder.parent / "insurer.log"
    process = stack.enter_context(running(["settlement.lab.insurer", *options], {}, log))
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise PartFailed(f"the simulated insurer did not start; see {log}")
    return str(json.loads(line)["url"])


def start_api(stack: ExitStack, environment: Mapping[str, str], port: int, log: Path) -> str:
    """Start the API and wait until it can settle; return its URL."""
    process = stack.enter_context(running(["settlement", "serve", "--port", str(port)], environment, log))
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + LONGEST_START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz", trust_env=False).status_code == httpx.codes.OK:
                return url
        except httpx.TransportError:
            time.sleep(0.05)
    raise PartFailed(f"the API did not become ready; see {log}")


def start_worker(stack: ExitStack, environment: Mapping[str, str], log: Path) -> None:
    """Start the worker."""
    stack.enter_context(running(["settlement", "worker"], environment, log))


def free_port(wanted: int) -> int:
    """Return the wanted port if nobody has it, else one that the system chooses."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise PartFailed("no port is free")
