"""Rows set aside by member in files of a size that one process can hold, so that a large source needs no sorting.

The files are in a folder that only this user can read; it is removed when the simulation ends.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

from settlement.plans.simulation.grouping import Row

BYTES_AT_ONCE = 8_000_000
FEWEST, MOST = 16, 256
"""Parts: enough for every core and for a bar that moves, few enough to have all files open."""


class Spool:
    """Parts of a source. All rows of a member are in one of them, in the order in which they came."""

    def __init__(self, folder: Path, parts: int, stack: ExitStack) -> None:
        self.paths = [folder / f"{number:03d}.csv" for number in range(parts)]
        files = [
            stack.enter_context(path.open("w", encoding="utf-8", newline="", buffering=1 << 16)) for path in self.paths
        ]
        self._write: list[Any] = [csv.writer(file).writerow for file in files]

    def add(self, number: int, member: str, cells: Sequence[str]) -> None:
        """Set a row aside with its member's others."""
        self._write[crc32(member.encode("utf-8", "surrogatepass")) % len(self._write)]((number, *cells))


@contextmanager
def spooled(size: int) -> Iterator[tuple[Spool, ExitStack]]:
    """Open a spool for a source of about so many bytes; closing the stack ends the writing and lets parts be read."""
    parts = min(MOST, max(FEWEST, size // BYTES_AT_ONCE))
    with tempfile.TemporaryDirectory(prefix="settlement-simulation-") as folder, ExitStack() as writing:
        yield Spool(Path(folder), parts, writing), writing


def rows_of(part: Path) -> Iterator[Row]:
    """Yield the rows of a part."""
    csv.field_size_limit(1 << 24)
    with part.open(encoding="utf-8", newline="") as file:
        for number, *cells in csv.reader(file):
            yield int(number), cells
