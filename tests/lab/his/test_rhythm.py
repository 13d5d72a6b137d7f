"""The planned day of a city: the same from the same seed, and shaped like real demand."""

from collections import Counter
from datetime import date
from statistics import median

import pytest

from settlement.lab.his import HospitalEntry, Person, Visit, plan_day
from settlement.lab.insurer.catalogue import CATALOGUE
from settlement.lab.insurer.hospitals import make_hospitals
from settlement.lab.insurer.persons import make_persons

DAY = date(2026, 11, 23)
AREA = "371600"


@pytest.fixture(scope="module")
def persons() -> list[Person]:
    return [Person.from_row(person._asdict()) for person in make_persons(1, 4000, AREA)]


@pytest.fixture(scope="module")
def hospitals() -> list[HospitalEntry]:
    return [HospitalEntry.from_row({**hospital._asdict(), "area": AREA}) for hospital in make_hospitals(AREA)]


@pytest.fixture(scope="module")
def visits(persons: list[Person], hospitals: list[HospitalEntry]) -> list[Visit]:
    return plan_day(5, persons, hospitals, DAY, 4000)


def test_the_same_seed_plans_the_same_day(persons: list[Person], hospitals: list[HospitalEntry]) -> None:
    assert plan_day(5, persons, hospitals, DAY, 200) == plan_day(5, persons, hospitals, DAY, 200)
    assert plan_day(5, persons, hospitals, DAY, 200) != plan_day(6, persons, hospitals, DAY, 200)
    assert plan_day(5, persons, hospitals, DAY, 200) != plan_day(5, persons, hospitals, date(2026, 11, 24), 200)


def test_all_is_settled_and_cancelled_on_the_day_in_order(visits: list[Visit]) -> None:
    assert len(visits) == 4000
    assert [visit.at for visit in visits] == sorted(visit.at for visit in visits)
    assert {visit.at.date() for visit in visits} == {DAY}
    for visit in visits:
        if visit.cancel_at:
            assert visit.at <= visit.cancel_at
            assert visit.cancel_at.date() == DAY
        if visit.stay:
            assert visit.admitted_at is not None
            assert visit.admitted_at.date() < DAY


def test_the_mix_is_that_of_a_city(visits: list[Visit]) -> None:
    stays = [visit for visit in visits if visit.stay]
    assert len(stays) / len(visits) == pytest.approx(0.15, abs=0.02)
    assert sum(visit.cancel_at is not None for visit in visits) / len(visits) == pytest.approx(0.03, abs=0.01)
    per_person = Counter(visit.person.psn_no for visit in visits)
    assert 0.01 < sum(count >= 3 for count in per_person.values()) / len(per_person) < 0.5
    hours = Counter(visit.at.hour for visit in visits)
    assert hours[9] > hours[12] > hours[3]
    assert hours[14] > hours[12]


def test_costs_are_skewed_with_a_heavy_tail(visits: list[Visit]) -> None:
    outpatient = sorted(visit.total_fen for visit in visits if not visit.stay)
    stays = sorted(visit.total_fen for visit in visits if visit.stay)
    assert 20_000 < median(outpatient) < 80_000
    assert sum(outpatient) / len(outpatient) > 1.5 * median(outpatient)
    assert 500_000 < median(stays) < 1_500_000
    assert sum(total > 6_000_000 for total in stays) >= 10
    assert min(outpatient) >= 500


def test_fee_lines_are_positive_and_in_the_catalogue(visits: list[Visit]) -> None:
    for visit in visits:
        assert visit.fee_lines
        for line in visit.fee_lines:
            assert line.amount_fen > 0
            assert line.code in CATALOGUE
