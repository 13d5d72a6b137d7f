"""`settlement rerate` as a shell calls it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from builders import City, SteeredClock, a_2304, a_2305, open_test_resources, reverse, settle
from cities import city_template
from database import Databases, rows_of
from serving import TOKEN_KEY, write_keys
from settlement.cli import app
from settlement.db.embedded import DatabaseUrls

WHOLE = {"hifp": "0.00", "absorbed": "0.00", "account": "0.00", "excluded": "0.00", "allowed": "60000.00"}


@pytest.fixture
def of_city(databases: Databases) -> Iterator[tuple[DatabaseUrls, City]]:
    with city_template(databases) as (name, city), databases.copy(name) as urls:
        yield urls, city


@pytest.fixture
def run(of_city: tuple[DatabaseUrls, City], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("DATABASE_URL", of_city[0].app)
    monkeypatch.setenv("DATABASE_OPS_URL", of_city[0].ops)
    monkeypatch.setenv("SETTLEMENT_KEY_FILE", str(write_keys(tmp_path)))
    monkeypatch.setenv("SETTLEMENT_TOKEN_KEY", TOKEN_KEY)
    assert "SETTLEMENT_SEAL_KEY_FILE" not in os.environ
    return lambda *words: CliRunner().invoke(app, ["rerate", "--fund", "hz", *words])


def told(result: Result) -> Any:
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout.splitlines()[-1])


def a_poor_bill(urls: DatabaseUrls, city: City) -> str:
    """A bill that got nothing while another, reversed since, had the whole limit; its number."""

    async def work() -> str:
        async with open_test_resources(urls, SteeredClock()) as resources:
            whole = a_2304(city.member, mdtrt_id="V00000001", **WHOLE)
            first = await settle(resources, city, whole)
            poor = await settle(resources, city, a_2304(city.member, mdtrt_id="V00000002"))
            await reverse(resources, city, first, a_2305(whole))
            return str(poor.answer["settlement_no"])

    return asyncio.run(work())


def test_a_term_is_shown_old_against_new_and_proposed_when_that_is_asked(
    run: Callable[..., Result], of_city: tuple[DatabaseUrls, City]
):
    number = a_poor_bill(*of_city)
    shown = told(run("--bill", number, "--json"))
    assert (shown["net"], shown["owes"], shown["proposed"]) == ("389.83", "fund", None)
    assert [(line["aid_recorded"], line["aid_now"]) for line in shown["lines"]] == [("0.00", "389.83")]
    assert rows_of(of_city[0], "SELECT count(*) FROM rerating") == [(0,)]
    proposed = told(run("--bill", number, "--propose", "--json"))["proposed"]
    assert (proposed["state"], proposed["net"], proposed["proposed_by"]) == ("proposed", "389.83", "rerate")
    said = run("--bill", number).output
    assert f"{number} (revision 1): 0.00 recorded, 389.83 now" in said
    assert "the fund owes the member" in said


def test_a_bill_that_is_not_there_is_refused_with_a_sentence(run: Callable[..., Result]):
    refused = run("--bill", "nothing")
    assert refused.exit_code == 3
    assert "has no bill 'nothing'" in refused.output
