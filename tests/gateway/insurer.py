"""A small insurer for tests that ask questions: a real HTTP server that signs in, and says 5203 as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

from gateway import shapes
from settlement.gateway.messages import decode
from settlement.services.funds.lines import Lines
from settlement.services.funds.rules import RulesShelf
from settlement.services.resources import Resources


class Insurer:
    """What the server knows and was asked; a test steers it from outside."""

    def __init__(self) -> None:
        self.url = ""
        self._settlements: dict[str, dict[str, Any]] = {}
        self._requests: list[dict[str, Any]] = []
        self._manner = "answers"
        self._on_the_way: Callable[[], object] | None = None

    def says_5203(self, of: dict[str, Any], **changes: object) -> None:
        """Know a settlement, with the node of its 5203 changed as given."""
        told = shapes.as_5203(of, **({"fixmedins_code": None, "ownpay_hosp_part": None} | changes))
        self._settlements[of["setlinfo"]["setl_id"]] = json.loads(json.dumps(told, default=float))

    def behaves(self, manner: str) -> None:
        """Say whether it `answers`, `refuses`, `fails` (infcode -1) or `hangs up` after 9001."""
        self._manner = manner

    def while_answering(self, meanwhile: Callable[[], object]) -> None:
        """Let something happen once between the next 5203's reading and its answer's arrival."""
        self._on_the_way = meanwhile

    def asked(self, infno: str) -> list[dict[str, Any]]:
        """Return the input nodes of one transaction, in order."""
        return [request["input"]["data"] for request in self._requests if request["infno"] == infno]

    @property
    def sign_ins(self) -> int:
        """How many times somebody signed in."""
        return sum(request["infno"] == "9001" for request in self._requests)

    def profile(self) -> str:
        """Return Chongqing's gateway profile with what is needed to ask this insurer."""
        shipped = (files("settlement.gateway") / "profiles" / "chongqing.toml").read_text()
        asking = {
            "url": self.url,
            "opter": "settlement",
            "opter_name": "职工互助结算",
            "fixmedins_code": "H50019900001",
            "fixmedins_name": "职工医疗互助结算服务",
        }
        lines = "".join(f'{key} = "{value}"\n' for key, value in asking.items())
        return f"{lines}answer_timeout_seconds = 2\n{shipped}"

    def answer(self, request: dict[str, Any]) -> str | None:
        """Return the text of an answer; `None` hangs up."""
        self._requests.append(request)
        if request["infno"] == "9001":
            return shapes.envelope({"signinoutb": {"sign_no": "900001", "sign_time": "2025-03-11 08:00:00"}})
        if self._manner == "refuses":
            return shapes.envelope(None, -2, "未查询到结算信息")
        if self._manner == "fails":
            return shapes.envelope(None, -1, "系统繁忙")
        if self._manner == "hangs up":
            return None
        known = self._settlements.get(request["input"]["data"]["setl_id"])
        meanwhile, self._on_the_way = self._on_the_way, None
        if meanwhile is not None:
            meanwhile()
        return shapes.envelope(known) if known else shapes.envelope(None, -2, "未查询到结算信息")


@contextmanager
def insurer_on_thread() -> Iterator[Insurer]:
    """Serve one insurer on a real port."""
    insurer = Insurer()

    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told = insurer.answer(decode(body))
            if told is None:
                self.connection.close()
                return
            self.send_response(200)
            sent = told.encode()
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    insurer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield insurer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@asynccontextmanager
async def asking(resources: Resources, insurer: Insurer, folder: Path) -> AsyncIterator[tuple[Resources, Lines]]:
    """Work with a profile of the operator's own that asks the given insurer."""
    (folder / "chongqing.toml").write_text(insurer.profile())
    lines = Lines({}, resources.clock)
    try:
        yield replace(resources, rules=RulesShelf(resources.engine, folder)), lines
    finally:
        await lines.close()
