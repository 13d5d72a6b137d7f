"""The simulator's answers have the keys and the kinds of values of the real messages.

The tables in `shapes` are always checked; the real messages themselves when SETTLEMENT_SAMPLES names their folder.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lab.builders import ADMITTED, MORNING, a_stay_bill, a_visit_bill
from lab.insurer.shapes import (
    BASEINFO,
    INSUINFO,
    LINES,
    SETLDETAIL,
    SETLINFO,
    TOP_LEVEL,
    fits,
    shape_of,
)
from lab.running import City
from settlement.lab.his import OpenVisit, Person
from settlement.lab.his.hospital import Hospital
from settlement.lab.his.inputs import identification, stay_fees, visit_fees
from settlement.lab.his.wire import read_json

SAMPLES = os.environ.get("SETTLEMENT_SAMPLES")
_FOLDER = Path(SAMPLES or "") / "gateway_samples"


@pytest.fixture
async def outputs(shared_city: City) -> dict[str, dict[str, Any]]:
    """The output of every transaction whose real answer is known."""
    hospital, person = shared_city.hospital(), shared_city.person(nth=20)
    bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
    stay = await hospital.stay(person, a_stay_bill(), ADMITTED, MORNING)
    return {
        "1101": (await hospital.send("1101", identification(person), at=MORNING)).output,
        "2204": await _fees(hospital, person, inpatient=False),
        "2301": await _fees(hospital, person, inpatient=True),
        "2206": bill.trial,
        "2207": bill.output,
        "2208": (await hospital.cancel(bill, MORNING)).output,
        "2303": stay.trial,
        "2304": stay.output,
        "2305": (await hospital.cancel(stay, MORNING)).output,
    }


async def _fees(hospital: Hospital, person: Person, inpatient: bool) -> dict[str, Any]:
    visit: OpenVisit
    if inpatient:
        visit = await hospital.admit(person, a_stay_bill(), ADMITTED)
    else:
        visit = await hospital.begin_outpatient(person, a_visit_bill(), at=MORNING)
    await hospital.delete_fees(visit)
    if inpatient:
        return (await hospital.send("2301", stay_fees(visit, 0, 100), person, MORNING)).output
    return (await hospital.send("2204", visit_fees(visit), person, MORNING)).output


async def test_answers_have_the_known_shapes(outputs: dict[str, dict[str, Any]]) -> None:
    for infno, names in TOP_LEVEL.items():
        assert set(outputs[infno]) == names, infno
    for infno, expected in SETLINFO.items():
        assert shape_of(outputs[infno]["setlinfo"]) == expected, infno
        assert outputs[infno]["setldetail"], infno
        for row in outputs[infno]["setldetail"]:
            assert shape_of(row) == SETLDETAIL[infno], infno
    for infno, expected in LINES.items():
        for row in outputs[infno]["result"]:
            assert shape_of(row) == expected, infno
    assert shape_of(outputs["1101"]["baseinfo"]) == BASEINFO
    assert all(fits(shape_of(row), INSUINFO) for row in outputs["1101"]["insuinfo"])


async def test_ids_are_numeric_texts_and_the_message_id_comes_back(outputs: dict[str, dict[str, Any]]) -> None:
    info = outputs["2207"]["setlinfo"]
    assert info["setl_id"].isdigit()
    assert info["mdtrt_id"].isdigit()
    assert len(info["medins_setl_id"]) == 30


@pytest.mark.skipif(not SAMPLES, reason="SETTLEMENT_SAMPLES names no folder of real messages")
async def test_answers_have_the_shapes_of_the_real_messages(outputs: dict[str, dict[str, Any]]) -> None:
    for infno in SETLINFO:
        real = _sample(infno)
        assert set(outputs[infno]) == set(real), infno
        assert list(outputs[infno]["setlinfo"]) == list(real["setlinfo"]), infno
        assert shape_of(outputs[infno]["setlinfo"]) == shape_of(real["setlinfo"]), infno
        for row in outputs[infno]["setldetail"]:
            assert shape_of(row) == shape_of(real["setldetail"][0]), infno
    for infno in LINES:
        real_row = shape_of(_sample(infno)["result"][0])
        assert all(shape_of(row) == real_row for row in outputs[infno]["result"]), infno
    real = _sample("1101")
    assert set(outputs["1101"]) == set(real)
    assert shape_of(outputs["1101"]["baseinfo"]) == shape_of(real["baseinfo"])
    assert {*map(frozenset, outputs["1101"]["insuinfo"])} == {frozenset(row) for row in real["insuinfo"]}


@pytest.mark.skipif(not SAMPLES, reason="SETTLEMENT_SAMPLES names no folder of real messages")
def test_the_tables_are_those_of_the_real_messages() -> None:
    for infno, expected in SETLINFO.items():
        assert shape_of(_sample(infno)["setlinfo"]) == expected, infno
        assert all(shape_of(row) == SETLDETAIL[infno] for row in _sample(infno)["setldetail"]), infno
    for infno, expected in LINES.items():
        assert all(shape_of(row) == expected for row in _sample(infno)["result"]), infno


@pytest.mark.skipif(not SAMPLES, reason="SETTLEMENT_SAMPLES names no folder of real messages")
async def test_answers_have_the_frame_of_the_real_messages(shared_city: City) -> None:
    message = shared_city.hospital().message("1101", identification(shared_city.person()), at=MORNING)
    answer = (await shared_city.http.post(shared_city.url, json=message)).json()
    real = json.loads((_FOLDER / "openhis_1101_resp_1.json").read_text(encoding="utf-8"))
    del answer["output"], real["output"]
    assert shape_of(answer) == shape_of(real)


def _sample(infno: str) -> dict[str, Any]:
    text = (_FOLDER / f"openhis_{infno}_resp_1.json").read_text(encoding="utf-8")
    output: dict[str, Any] = read_json(text)["output"]
    return output
