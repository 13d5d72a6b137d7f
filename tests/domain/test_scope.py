"""The scope table: the whole product of the code lists is decided, and the rows that people ask about by name."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from settlement.domain.bills import Care
from settlement.domain.scope import (
    REPORTED,
    FactMissing,
    HeldForLiability,
    LiabilityPolicy,
    NotOurs,
    Ours,
    PersonCategory,
    ScopeCodes,
    ScopeReason,
    ScopeRules,
    care_of,
    decide_scope,
    is_injury,
    person_category,
    setting_of,
)
from settlement.domain.sentences import SENTENCES

INSURANCES = [
    "310",
    "320",
    "330",
    "340",
    "350",
    "360",
    "370",
    "380",
    "390",
    "391",
    "392",
    "399",
    "410",
    "510",
    "39999",
    "777",
]
CARES = [
    "11",
    "12",
    "13",
    "14",
    "15",
    "16",
    "19",
    "21",
    "22",
    "23",
    "24",
    "28",
    "41",
    "51",
    "52",
    "53",
    "71",
    "99",
    "9902",
    "110104",
    "140101",
    "2101",
    "1301",
    "17",
    "18",
    "25",
    "31",
    "8",
    "210",
]
PERSONS = [
    "11",
    "1101",
    "1102",
    "1103",
    "1160",
    "12",
    "1201",
    "1202",
    "1203",
    "1260",
    "13",
    "1300",
    "1360",
    "14",
    "1401",
    "1402",
    "1405",
    "1460",
    "15",
    "1501",
    "1560",
    "16",
    "116032",
    "17",
    "x",
]
AREAS = ["371602", "110105"]
SYSTEMS = ["YBXT", "GSXT", "LXXT", "SY"]
PLACES = ["1", "2", "3", "4", "9"]

RULES = ScopeRules(
    insured_areas=("3716",),
    system_codes={"GSXT": ScopeReason.WORK_INJURY, "LXXT": ScopeReason.RETIRED_CADRE},
    insurance_types=frozenset({"310"}),
    person_categories=frozenset({PersonCategory.ACTIVE}),
    liability=LiabilityPolicy.HOLD,
)
OURS = ScopeCodes(
    insurance_type="310",
    care_type="11",
    person_type="1101",
    insured_area="371602",
    system_code="YBXT",
    place_of_payment="2",
    area="371600",
)


def known(codes: list[str]) -> list[str | None]:
    return [*codes, None]


def test_every_combination_of_the_code_lists_is_decided():
    verdicts = (Ours, NotOurs, HeldForLiability, FactMissing)
    decided = 0
    for insurance, care, person, insured, system, place in product(
        known(INSURANCES), known(CARES), known(PERSONS), known(AREAS), known(SYSTEMS), known(PLACES)
    ):
        codes = ScopeCodes(insurance, care, person, insured, system, place, "371600")
        verdict = decide_scope(codes, RULES)
        decided += type(verdict) in verdicts
        if type(verdict) is Ours:
            assert insurance == "310"
            assert insured == "371602"
            assert person is not None
            assert person.startswith("11")
            assert system in {"YBXT", "SY"}
            assert verdict.at_counter == (place in {None, "2"})
    assert decided == 17 * 30 * 26 * 3 * 5 * 6


@pytest.mark.parametrize("policy", list(LiabilityPolicy))
def test_the_liability_policy_decides_injuries_and_nothing_else(policy):
    rules = replace(RULES, liability=policy)
    for insurance, care, person in product(known(INSURANCES), known(CARES), known(PERSONS)):
        codes = replace(OURS, insurance_type=insurance, care_type=care, person_type=person)
        if care not in {"19", "22"}:
            assert decide_scope(codes, rules) == decide_scope(codes, RULES)


@pytest.mark.parametrize("area", ["371600", "110000", None])
def test_where_care_was_given_changes_no_verdict(area):
    for insurance, care, place in product(known(INSURANCES), known(CARES), known(PLACES)):
        codes = replace(OURS, insurance_type=insurance, care_type=care, place_of_payment=place)
        assert decide_scope(replace(codes, area=area), RULES) == decide_scope(codes, RULES)


@pytest.mark.parametrize(
    ("change", "care"),
    [
        ({}, Care.OUTPATIENT),
        ({"care_type": "13"}, Care.OUTPATIENT),
        ({"care_type": "110104"}, Care.OUTPATIENT),
        ({"care_type": "140101"}, Care.OUTPATIENT),
        ({"care_type": "2101"}, Care.INPATIENT),
        ({"care_type": "28"}, Care.INPATIENT),
        ({"person_type": "116032"}, Care.OUTPATIENT),
        ({"person_type": "11"}, Care.OUTPATIENT),
        ({"system_code": "SY"}, Care.OUTPATIENT),
    ],
)
def test_bills_that_are_ours(change, care):
    assert decide_scope(replace(OURS, **change), RULES) == Ours(care, at_counter=True)


@pytest.mark.parametrize(("place", "at_counter"), [(None, True), ("2", True), ("1", False), ("3", False), ("4", False)])
def test_aid_goes_to_the_card_where_nobody_stands_at_a_counter(place, at_counter):
    assert decide_scope(replace(OURS, place_of_payment=place), RULES) == Ours(Care.OUTPATIENT, at_counter)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"insured_area": "110105"}, "insured_elsewhere"),
        ({"system_code": "GSXT"}, "work_injury"),
        ({"system_code": "LXXT"}, "retired_cadre"),
        ({"insurance_type": "340"}, "retired_cadre"),
        ({"person_type": "1300"}, "retired_cadre"),
        ({"insurance_type": "390", "person_type": "1401"}, "newborn"),
        ({"insurance_type": "320"}, "companion_insurance"),
        ({"insurance_type": "330"}, "companion_insurance"),
        ({"insurance_type": "390"}, "resident_insurance"),
        ({"insurance_type": "391"}, "resident_insurance"),
        ({"insurance_type": "350"}, "disabled_soldier_insurance"),
        ({"insurance_type": "360"}, "red_army_veteran_insurance"),
        ({"insurance_type": "380"}, "rural_insurance"),
        ({"insurance_type": "399"}, "special_group_insurance"),
        ({"insurance_type": "410"}, "long_term_care"),
        ({"insurance_type": "510"}, "maternity"),
        ({"care_type": "51"}, "maternity"),
        ({"care_type": "52"}, "maternity"),
        ({"care_type": "53"}, "maternity"),
        ({"person_type": "12"}, "retired_person"),
        ({"person_type": "1402"}, "minor_resident"),
        ({"person_type": "1501"}, "adult_resident"),
        ({"person_type": "16"}, "elderly_resident"),
        ({"care_type": "12"}, "registration_fee"),
        ({"care_type": "41"}, "pharmacy"),
        ({"care_type": "71"}, "home_bed"),
    ],
)
def test_bills_that_are_not_ours_say_why(change, reason):
    verdict = decide_scope(replace(OURS, **change), RULES)
    assert verdict == NotOurs(ScopeReason(reason))
    assert isinstance(verdict, NotOurs)
    assert not verdict.reported


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"insurance_type": "39999"}, "unknown_insurance_type"),
        ({"person_type": "1"}, "unknown_person_type"),
        ({"person_type": "17"}, "unknown_person_type"),
        ({"care_type": "31"}, "unknown_care_type"),
        ({"care_type": "210"}, "unknown_care_type"),
        ({"care_type": "9902"}, "other_care"),
        ({"place_of_payment": "9"}, "unknown_place_of_payment"),
    ],
)
def test_codes_that_nobody_listed_are_not_ours_and_reported(change, reason):
    verdict = decide_scope(replace(OURS, **change), RULES)
    assert verdict == NotOurs(ScopeReason(reason))
    assert isinstance(verdict, NotOurs)
    assert verdict.reported


def test_reasons_come_in_the_stated_order():
    """Each step takes the first reason away; the next one speaks."""
    excluded = replace(RULES, liability=LiabilityPolicy.EXCLUDE)
    codes = ScopeCodes("390", "12", "1401", "110105", "GSXT", "9", None)
    steps: list[tuple[dict[str, str], str]] = [
        ({}, "insured_elsewhere"),
        ({"insured_area": "371602"}, "work_injury"),
        ({"system_code": "YBXT"}, "newborn"),
        ({"person_type": "12"}, "resident_insurance"),
        ({"insurance_type": "310"}, "retired_person"),
        ({"person_type": "11"}, "registration_fee"),
        ({"care_type": "19"}, "unknown_place_of_payment"),
        ({"place_of_payment": "2"}, "liability_excluded"),
    ]
    for change, reason in steps:
        codes = replace(codes, **change)
        assert decide_scope(codes, excluded) == NotOurs(ScopeReason(reason))


@pytest.mark.parametrize("fact", ["insured_area", "system_code", "insurance_type", "person_type", "care_type"])
def test_a_missing_fact_is_asked_for_by_its_name(fact):
    assert decide_scope(replace(OURS, **{fact: None}), RULES) == FactMissing(fact)


def test_a_bill_that_is_not_ours_anyway_is_asked_for_nothing():
    codes = ScopeCodes("390", None, None, None, None, None, None)
    assert decide_scope(codes, RULES) == NotOurs(ScopeReason.RESIDENT_INSURANCE)


def test_the_system_code_is_needed_only_where_special_systems_are_listed():
    rules = replace(RULES, system_codes={})
    assert decide_scope(replace(OURS, system_code=None), rules) == Ours(Care.OUTPATIENT, at_counter=True)


@pytest.mark.parametrize(
    ("care_type", "care"),
    [("19", Care.OUTPATIENT), ("1901", Care.OUTPATIENT), ("22", Care.INPATIENT), ("220104", Care.INPATIENT)],
)
def test_injuries_are_paid_held_or_excluded(care_type, care):
    codes = replace(OURS, care_type=care_type)
    assert decide_scope(codes, replace(RULES, liability=LiabilityPolicy.PAY)) == Ours(care, at_counter=True)
    assert decide_scope(codes, RULES) == HeldForLiability(care)
    assert decide_scope(codes, replace(RULES, liability=LiabilityPolicy.EXCLUDE)) == NotOurs(
        ScopeReason.LIABILITY_EXCLUDED
    )


def test_a_missing_fact_is_asked_for_before_a_declaration():
    assert decide_scope(replace(OURS, care_type="22", insured_area=None), RULES) == FactMissing("insured_area")


@pytest.mark.parametrize("care_type", known([*CARES, "", "11x", "x11"]))
def test_a_care_type_comes_down_to_the_same_care_as_in_the_verdict(care_type):
    if care_type is None:
        assert care_of(care_type) is None
        return
    verdict = decide_scope(replace(OURS, care_type=care_type), RULES)
    assert care_of(care_type) == (None if isinstance(verdict, NotOurs) else verdict.care)


@pytest.mark.parametrize(
    ("person_type", "category"),
    [
        ("11", PersonCategory.ACTIVE),
        ("116032", PersonCategory.ACTIVE),
        ("1260", PersonCategory.RETIRED),
        ("1300", PersonCategory.RETIRED_CADRE),
        ("1401", PersonCategory.MINOR_RESIDENT),
        ("15", PersonCategory.ADULT_RESIDENT),
        ("1601", PersonCategory.ELDERLY_RESIDENT),
        ("17", PersonCategory.UNKNOWN),
        ("110", PersonCategory.UNKNOWN),
        ("11x", PersonCategory.UNKNOWN),
        (None, PersonCategory.UNKNOWN),
    ],
)
def test_the_first_two_digits_of_a_person_type_carry_the_category(person_type, category):
    assert person_category(person_type) is category


def test_a_plan_may_cover_more():
    wide = replace(
        RULES, insurance_types={"310", "390"}, person_categories={PersonCategory.RETIRED, PersonCategory.MINOR_RESIDENT}
    )
    assert decide_scope(replace(OURS, person_type="1201"), wide) == Ours(Care.OUTPATIENT, at_counter=True)
    newborn = replace(OURS, person_type="1401", insurance_type="390")
    assert decide_scope(newborn, wide) == Ours(Care.OUTPATIENT, at_counter=True)
    assert decide_scope(OURS, wide) == NotOurs(ScopeReason.ACTIVE_PERSON)


def test_a_plan_without_employee_insurance_says_so():
    rules = replace(RULES, insurance_types={"390"})
    assert decide_scope(OURS, rules) == NotOurs(ScopeReason.EMPLOYEE_INSURANCE)


def test_companions_are_never_bills_whatever_the_plan_lists():
    rules = replace(RULES, insurance_types={"310", "320", "330"})
    assert decide_scope(replace(OURS, insurance_type="330"), rules) == NotOurs(ScopeReason.COMPANION_INSURANCE)


@pytest.mark.parametrize(
    ("person_type", "category"),
    [
        ("1101", "active"),
        ("116032", "active"),
        ("12", "retired"),
        ("1360", "retired_cadre"),
        ("1404", "minor_resident"),
        ("1560", "adult_resident"),
        ("16", "elderly_resident"),
        ("17", "unknown"),
        ("110", "unknown"),
        ("１１", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_person_types_come_down_to_categories(person_type, category):
    assert person_category(person_type) is PersonCategory(category)


def test_every_verdict_has_a_sentence():
    facts = ("insured_area", "system_code", "insurance_type", "person_type", "care_type")
    codes = {*ScopeReason, *(FactMissing(fact).code for fact in facts), HeldForLiability(Care.INPATIENT).code}
    assert codes <= SENTENCES.keys()
    assert set(ScopeReason) >= REPORTED


@pytest.mark.parametrize(
    ("care_type", "setting", "injury"),
    [
        (None, "outpatient", False),
        ("", "outpatient", False),
        ("11", "outpatient", False),
        ("1301", "emergency", False),
        ("140101", "special_outpatient", False),
        ("19", "outpatient", True),
        ("2101", "inpatient", False),
        ("2201", "inpatient", True),
        ("23", "inpatient", False),
        ("24", "inpatient", False),
        ("28", "day_surgery", False),
    ],
)
def test_a_care_type_says_where_care_was_given_and_whether_for_an_injury(care_type, setting, injury):
    assert (setting_of(care_type), is_injury(care_type)) == (setting, injury)
