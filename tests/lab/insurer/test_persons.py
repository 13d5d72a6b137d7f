"""The simulated city's persons and hospitals."""

from collections import Counter

import pytest

from settlement.lab.insurer.hospitals import make_hospitals
from settlement.lab.insurer.persons import check_digit, make_persons, second_area

AREA = "371600"


def test_the_check_digit_is_that_of_the_standard_example() -> None:
    assert check_digit("11010519491231002") == "X"


def test_the_same_seed_makes_the_same_persons_and_another_seed_others() -> None:
    assert make_persons(7, 500, AREA) == make_persons(7, 500, AREA)
    assert make_persons(7, 500, AREA)[:100] == make_persons(7, 100, AREA)
    assert make_persons(7, 100, AREA) != make_persons(8, 100, AREA)


def test_every_certificate_is_well_formed_and_unique() -> None:
    persons = make_persons(1, 3000, AREA)
    for person in persons:
        assert person.certno[17] == check_digit(person.certno[:17])
        assert person.certno[6:14] == person.brdy.replace("-", "")
        assert int(person.certno[16]) % 2 == int(person.gend) % 2
    assert len({person.certno for person in persons}) == len(persons)
    assert len({person.psn_no for person in persons}) == len(persons)
    assert len({person.card_no for person in persons}) == len(persons)


def test_the_city_is_mostly_active_employees() -> None:
    persons = make_persons(1, 6000, AREA)
    kinds = Counter(person.psn_type[:2] for person in persons)
    assert kinds["11"] / len(persons) == pytest.approx(0.80, abs=0.02)
    assert kinds["12"] / len(persons) == pytest.approx(0.12, abs=0.02)
    assert (kinds["14"] + kinds["15"]) / len(persons) == pytest.approx(0.07, abs=0.02)
    assert {person.insutype for person in persons} == {"310", "390", "340"}
    strangers = [person for person in persons if person.insuplc_admdvs == second_area(AREA)]
    assert 0 < len(strangers) < 200
    very_ill = [person for person in persons if person.pool_fen]
    assert 20 < len(very_ill) < 150
    assert {person.insutype for person in very_ill} == {"310"}


def test_there_are_twenty_hospitals_of_all_levels() -> None:
    hospitals = make_hospitals(AREA)
    assert len(hospitals) == 20
    assert {hospital.level for hospital in hospitals} == {1, 2, 3}
    assert all(len(hospital.fixmedins_code) == 12 for hospital in hospitals)
    assert len({hospital.fixmedins_code for hospital in hospitals}) == 20
