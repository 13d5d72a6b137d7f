"""The raw log: every exchange with the platform, written before its answer leaves."""

from __future__ import annotations

from json.encoder import encode_basestring
from pathlib import Path

from settlement.lab.insurer.journal import LineFile


class RawLog:
    """`raw.jsonl`: one line per exchange, the request and the answer exactly as they travelled.

    `response` is null when none was made; `delivered` is false when the answer was made but never left.
    """

    def __init__(self, path: Path) -> None:
        self._file = LineFile(path)

    @property
    def exchange_count(self) -> int:
        """How many exchanges the log holds, also of earlier runs."""
        return self._file.line_count

    def add(self, at: str, infno: str, request: bytes, response: str | None, delivered: bool = True) -> None:
        """Write one exchange. Line breaks between the members of a request become spaces, nothing else changes."""
        text = request.decode(errors="replace").replace("\r", " ").replace("\n", " ")
        lost = "" if delivered else ',"delivered":false'
        self._file.append(
            f'{{"at":"{at}","infno":{encode_basestring(infno)},"request":{text or "null"},'
            f'"response":{response or "null"}{lost}}}'
        )

    def close(self) -> None:
        """Close the log."""
        self._file.close()
