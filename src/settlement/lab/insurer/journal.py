"""A file of lines that only grows: the form of both the state's journal and the raw log.

A line is handed to the operating system before the call returns, so killing the process loses nothing that was
written; a line torn by the kill is cut off when the file is opened again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


class LineFile:
    """One append-only file of UTF-8 lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.line_count = _cut_torn_line(path)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def append(self, line: str) -> None:
        """Write one line, without a newline of its own, in one system call."""
        data = f"{line}\n".encode()
        written = os.write(self._descriptor, data)
        while written < len(data):
            data = data[written:]
            written = os.write(self._descriptor, data)
        self.line_count += 1

    def lines(self) -> Iterator[str]:
        """Read all lines from the start."""
        with self.path.open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                yield line.rstrip("\n")

    def close(self) -> None:
        """Close the file; appending afterwards is an error."""
        os.close(self._descriptor)


def _cut_torn_line(path: Path) -> int:
    """Truncate the file after its last newline and return how many whole lines it has."""
    if not path.exists():
        return 0
    count, end, position = 0, 0, 0
    with path.open("r+b") as file:
        while chunk := file.read(1 << 20):
            count += chunk.count(b"\n")
            last = chunk.rfind(b"\n")
            if last >= 0:
                end = position + last + 1
            position += len(chunk)
        if end < position:
            file.truncate(end)
    return count
