"""Spark gives the same fen as one process. Run by hand with the extra and Java 17:

`uv run --extra spark pytest -m large tests/plans/test_simulation_spark.py`
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from simulation_builders import a_shape, hangzhou

from settlement.lab.bench.year import write_year
from settlement.plans.model import PlanVersion
from settlement.plans.simulation.columns import Columns
from settlement.plans.simulation.grouping import Period, bills_of, by_member
from settlement.plans.simulation.simulate import Plans, simulator
from settlement.plans.simulation.tally import Tally
from settlement.services.simulation.run_simulation import Request, simulate_file

pytestmark = [pytest.mark.large, pytest.mark.filterwarnings("default")]
VERSIONS = {"hangzhou": hangzhou(), "stays": a_shape("stays_split_merged_and_counted")}


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    from settlement.plans.simulation.spark import open_session

    session = open_session("local[2]")
    session.conf.set("spark.sql.shuffle.partitions", "4")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spark") / "year.csv"
    write_year(path, 11, 1_500, 2025, hangzhou())
    with path.open("a", encoding="utf-8") as file:
        file.write(path.read_text(encoding="utf-8").splitlines()[1].replace("M0000000", "").replace("310", "") + "\n")
    return path


def priced_by_hand(path: Path, plans: Plans) -> dict[int, tuple[int | None, int, dict[str, int]]]:
    """Return what each row is paid, in this process and without anything but the simulator."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    columns, tally, found = Columns.of(header), Tally(), {}
    for member in by_member(enumerate(rows, 2), columns, tally):
        for one in simulator(plans).member(bills_of(member, columns, Period(), tally), tally):
            before = None if one.before is None else sum(one.before.values())
            found[one.bill.number] = before, sum(one.after.values()), dict(one.after)
    return found


@pytest.mark.parametrize("version", list(VERSIONS.values()), ids=list(VERSIONS))
def test_spark_pays_every_bill_the_same_fen(session: Any, year: Path, version: PlanVersion):
    from settlement.plans.simulation.spark import priced_bills

    plans = Plans(version.canonical(), hangzhou().canonical())
    frame = session.read.csv(str(year), header=True, inferSchema=False)
    rows = priced_bills(frame, plans).collect()
    spark = {row["row"]: (row["before"], row["after"], row["benefits"]) for row in rows}
    assert spark == priced_by_hand(year, plans)
    assert len(spark) > 5_000
    assert sum(after for _, after, _ in spark.values()) > 0


def test_spark_adds_up_to_the_same_result(session: Any, year: Path):
    from settlement.plans.simulation.spark import totals

    plans = Plans(hangzhou().canonical())
    period = Period(first_day=Period().first_day.replace(year=2025, month=3))
    here = simulate_file(year, Request(plans, period, 1), lambda what, done, of: None).tally
    assert totals(session.read.csv(str(year), header=True, inferSchema=False), plans, period) == here


def test_parquet_is_read_by_both_as_the_csv_is(session: Any, year: Path, tmp_path: Path):
    import pyarrow.csv
    import pyarrow.parquet

    from settlement.plans.simulation.spark import totals

    names = year.read_text(encoding="utf-8").splitlines()[0].split(",")
    types = {name: pyarrow.string() for name in names}
    options = pyarrow.csv.ConvertOptions(column_types=types)
    parquet = tmp_path / "year.parquet"
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(str(year), convert_options=options), str(parquet))
    plans = Plans(hangzhou().canonical())
    request = Request(plans, Period(), 1)
    from_csv = simulate_file(year, request, lambda what, done, of: None).tally
    assert simulate_file(parquet, request, lambda what, done, of: None).tally == from_csv
    assert totals(session.read.parquet(str(parquet)), plans).whole == from_csv.whole
