"""What was answered survives `kill -9`, a torn line does not hurt, and stopping is clean."""

import json
import signal
from pathlib import Path

import pytest

from lab.builders import ADMITTED, MORNING, a_stay_bill, a_visit_bill
from lab.running import City, insurer_process
from settlement.lab.his import Refused
from settlement.lab.his.gateway import Gateway, open_client
from settlement.lab.insurer.journal import LineFile


async def test_killing_the_process_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    async with open_client() as http:
        with insurer_process(tmp_path) as (url, process):
            city = await City(url, http).load()
            hospital, person = city.hospital(), city.person()
            await city.members(person)
            await city.switch(lifo="visit")
            bill = await hospital.outpatient(person, a_visit_bill(), at=MORNING)
            stay = await hospital.stay(person, a_stay_bill(), ADMITTED, MORNING)
            cancelled = await hospital.cancel(bill, MORNING)
            open_visit = await hospital.begin_outpatient(person, a_visit_bill(), at=MORNING)
            before = [await city.get(what) for what in ("settlements", "persons", "switches")]
            file_before = await city.file("2026-11-23")
            process.send_signal(signal.SIGKILL)
            process.wait()
        with insurer_process(tmp_path) as (url, _):
            city.url, city.gateway = url, Gateway(url, http)
            hospital.gateway = city.gateway
            assert [await city.get(what) for what in ("settlements", "persons", "switches")] == before
            assert await city.file("2026-11-23") == file_before
            with pytest.raises(Refused, match="已撤销"):
                await hospital.cancel(bill, MORNING)
            await hospital.reverse(person, cancelled.msgid, "2208", MORNING)
            await hospital.reverse(person, stay.msgid, "2304", MORNING)
            later = await hospital.settle(open_visit)
            assert int(later.setl_id) > int(cancelled.setl_id)


async def test_the_raw_log_holds_every_exchange_of_both_runs_with_ids_of_its_own(tmp_path: Path) -> None:
    async with open_client() as http:
        for _ in range(2):
            with insurer_process(tmp_path) as (url, _process):
                city = await City(url, http).load()
                await city.hospital().outpatient(city.person(), a_visit_bill(), at=MORNING)
    lines = [json.loads(line) for line in (tmp_path / "raw.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["infno"] for line in lines] == ["2201", "2203A", "2204", "2206", "2207"] * 2
    assert all(line["request"]["infno"] == line["infno"] for line in lines)
    assert len({line["response"]["inf_refmsgid"] for line in lines}) == len(lines)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_stopping_is_success(tmp_path: Path, number: signal.Signals) -> None:
    with insurer_process(tmp_path, "--persons", "10") as (url, process):
        async with open_client() as http:
            assert (await http.get(f"{url}/admin/stats")).json()["persons"] == 10
        process.send_signal(number)
        assert process.wait(timeout=10) == 0


def test_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes('["一"]\n["torn'.encode())
    lines = LineFile(path)
    lines.append('["next"]')
    assert lines.line_count == 2
    assert list(lines.lines()) == ['["一"]', '["next"]']
    lines.close()
