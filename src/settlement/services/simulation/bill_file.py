"""Reads a file of bills row by row: CSV in UTF-8 or GB18030, or Parquet. What a row means is said by `columns.py`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from settlement.plans.simulation.columns import BadHeader, Columns
from settlement.plans.simulation.grouping import Row
from settlement.services.text_files import encoding_of


class BillsUnreadable(Exception):
    """A file of bills that cannot be read at all; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class BillFile:
    """An open file of bills: its columns, its rows, and how far the reading is, in bytes of `size`."""

    columns: Columns
    rows: Iterator[Row]
    size: int
    position: Any


@contextmanager
def open_bill_file(path: Path) -> Iterator[BillFile]:
    """Open Parquet, by its ending, or CSV. Raises `BillsUnreadable`, also while rows are read."""
    try:
        with _open_parquet(path) if path.suffix == ".parquet" else _open_csv(path) as opened:
            yield opened
    except BadHeader as bad:
        raise BillsUnreadable(f"{path}: {bad}; docs/simulation.md lists the columns") from None
    except UnicodeDecodeError:
        raise BillsUnreadable(f"{path} is neither UTF-8 nor GB18030: save it as one of them") from None
    except csv.Error as error:
        raise BillsUnreadable(f"{path} is not a CSV file that can be read: {error}") from None


@contextmanager
def _open_csv(path: Path) -> Iterator[BillFile]:
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding=encoding_of(path), newline="") as text:
        rows = csv.reader(text, strict=True)
        header = next(rows, None)
        if header is None:
            raise BillsUnreadable(f"{path} is empty")
        numbered = ((number, cells) for number, cells in enumerate(rows, 2) if cells)
        yield BillFile(Columns.of(header), numbered, path.stat().st_size, raw.tell)


@contextmanager
def _open_parquet(path: Path) -> Iterator[BillFile]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise BillsUnreadable("Parquet needs the Spark extra: install settlement[spark], or bring a CSV file") from None
    try:
        with parquet.ParquetFile(path) as table:
            columns = Columns.of(table.schema_arrow.names)
            done = 0

            def rows() -> Iterator[Row]:
                nonlocal done
                for batch in table.iter_batches():
                    lists = [column.to_pylist() for column in batch.columns]
                    for cells in zip(*lists, strict=True):
                        done += 1
                        yield done + 1, ["" if cell is None else str(cell) for cell in cells]

            rows_in_file = max(1, table.metadata.num_rows)
            size = path.stat().st_size
            yield BillFile(columns, rows(), size, lambda: size * done // rows_in_file)
    except ArrowException as error:
        raise BillsUnreadable(f"{path} is not a Parquet file that can be read: {error}") from None
