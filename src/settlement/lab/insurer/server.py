"""Running the simulator: one process, one port, one folder."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from settlement.lab.insurer.app import InsurerApp
from settlement.lab.insurer.dropping import DroppingProtocol
from settlement.lab.insurer.options import InsurerOptions
from settlement.lab.insurer.platform import Platform
from settlement.lab.insurer.transactions import TRANSACTIONS

_KEEP_ALIVE_SECONDS = 120


class InsurerServer(uvicorn.Server):
    """A uvicorn server on a listening socket whose address is known before it serves."""

    def __init__(self, options: InsurerOptions) -> None:
        self.platform = Platform(options, TRANSACTIONS)
        self.socket = _listen(options.host, options.port)
        super().__init__(
            uvicorn.Config(
                InsurerApp(self.platform),
                http=DroppingProtocol,
                ws="none",
                lifespan="off",
                log_level="critical",
                access_log=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=1,
            )
        )
        host, port = self.socket.getsockname()[:2]
        self.url = f"http://{host}:{port}"

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM; unlike uvicorn, do not send the signal again afterwards: stopping is success."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def serve_until_stopped(self) -> None:
        """Serve until a signal or `should_exit`, then close the folder's files."""
        try:
            await self.serve(sockets=[self.socket])
        finally:
            self.socket.close()
            self.platform.close()


def run(options: InsurerOptions) -> None:
    """Run a simulated insurer until SIGINT or SIGTERM; prints one line with its URL when it listens."""
    server = InsurerServer(options)
    sys.stdout.write(json.dumps({"url": server.url}) + "\n")
    sys.stdout.flush()
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(server.serve_until_stopped())


def _listen(host: str, port: int) -> socket.socket:
    """Open the listening socket.

    It must name TCP: asyncio turns Nagle's delay off only for sockets that do, and every answer is two writes.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(2048)
    return listener
