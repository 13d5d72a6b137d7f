"""The same simulation on Spark, for a province: a thin adapter that brings each member's rows to one place.

Spark moves rows; it computes nothing. Cells travel as texts, so that no amount is ever a float, and `columns.py` reads
them and `simulate.py` prices them, as they do for a file in one process. Needs the extra `spark` and Java 17.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from settlement.plans.simulation.bills import BadRow
from settlement.plans.simulation.columns import Columns
from settlement.plans.simulation.grouping import Period, Row, bills_of
from settlement.plans.simulation.simulate import Plans, simulator
from settlement.plans.simulation.tally import Priced, Tally

ROW = "_row"
"""The number of a row in its file, where the frame has one; else the order in which Spark read the rows."""
_PRICED = "row bigint, before bigint, after bigint, benefits map<string, bigint>"


def simulate_on_spark(path: Path, plans: Plans, period: Period, master: str) -> tuple[Tally, Columns]:
    """Simulate a file of bills (CSV in UTF-8, or Parquet) on a Spark master; return the sums and the file's columns."""
    session = open_session(master)
    try:
        if path.suffix == ".parquet":
            frame = session.read.parquet(str(path))
        else:
            frame = session.read.csv(str(path), header=True, inferSchema=False, escape='"', multiLine=True)
        return totals(frame, plans, period), Columns.of(frame.columns)
    finally:
        session.stop()


def open_session(master: str) -> SparkSession:
    """Open a session whose workers run this Python."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName("settlement plan simulate")
    return builder.config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false").getOrCreate()


def totals(frame: DataFrame, plans: Plans, period: Period | None = None) -> Tally:
    """Simulate the bills of a frame and add everything up."""
    columns, days = Columns.of(frame.columns), period or Period()

    def summed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        tally = Tally()
        for priced in _priced(batches, columns, plans, days, tally):
            tally.add_member(priced)
        yield pa.RecordBatch.from_pydict({"tally": [pickle.dumps(tally)]})

    whole = Tally()
    for part in _by_member(frame).mapInArrow(summed, "tally binary").toLocalIterator():
        whole.merge(pickle.loads(bytes(part["tally"])))
    return whole


def priced_bills(frame: DataFrame, plans: Plans, period: Period | None = None) -> DataFrame:
    """Return what each bill of a frame is paid, in fen: `before` (unknown is null), `after`, and by benefit."""
    columns, days = Columns.of(frame.columns), period or Period()

    def priced(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for member in _priced(batches, columns, plans, days, Tally()):
            rows = [(one.bill.number, one.before and sum(one.before.values()), one.after) for one in member]
            yield pa.RecordBatch.from_arrays(
                [
                    pa.array([number for number, _, _ in rows], pa.int64()),
                    pa.array([before for _, before, _ in rows], pa.int64()),
                    pa.array([sum(after.values()) for _, _, after in rows], pa.int64()),
                    pa.array([list(after.items()) for _, _, after in rows], pa.map_(pa.string(), pa.int64())),
                ],
                names=["row", "before", "after", "benefits"],
            )

    return _by_member(frame).mapInArrow(priced, _PRICED)


def _by_member(frame: DataFrame) -> DataFrame:
    """Bring the rows of each member together, in order; each partition has the members of its own."""
    member = frame.columns[Columns.of(frame.columns).at["member"]]
    numbered = frame if ROW in frame.columns else frame.withColumn(ROW, f.monotonically_increasing_id() + 2)
    cells = f.array(*[f.coalesce(f.col(f"`{name}`").cast("string"), f.lit("")) for name in frame.columns])
    rows = numbered.select(
        f.trim(f"`{member}`").alias("member"), f.col(ROW).cast("long").alias("row"), cells.alias("cells")
    )
    return rows.repartition("member").sortWithinPartitions("member", "row")


def _priced(
    batches: Iterable[pa.RecordBatch], columns: Columns, plans: Plans, period: Period, tally: Tally
) -> Iterator[list[Priced]]:
    """Yield each member's priced bills; a member whose rows lie in two batches is one member."""
    each = simulator(plans)
    for _, rows in groupby(_rows(batches), key=itemgetter(0)):
        yield each.member(bills_of(_readable(rows, columns, tally), columns, period, tally), tally)


def _rows(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Any, int, list[str]]]:
    for batch in batches:
        yield from zip(*(batch.column(name).to_pylist() for name in ("member", "row", "cells")), strict=True)


def _readable(rows: Iterable[tuple[Any, int, list[str]]], columns: Columns, tally: Tally) -> Iterator[Row]:
    for _, number, cells in rows:
        try:
            columns.member(cells)
        except BadRow as bad:
            tally.refuse(number, str(bad))
        else:
            yield number, cells
