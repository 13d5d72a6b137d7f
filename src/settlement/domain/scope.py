"""The scope table: which bills are the plan's, which are not and why, which wait; `docs/scope.md` has it in words.

Every combination of codes is decided. A code that nobody listed is not ours and is reported, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from settlement.domain.bills import Care


class PersonCategory(StrEnum):
    """What the insurer's person types come down to for a plan."""

    ACTIVE = "active"
    RETIRED = "retired"
    RETIRED_CADRE = "retired_cadre"
    MINOR_RESIDENT = "minor_resident"
    ADULT_RESIDENT = "adult_resident"
    ELDERLY_RESIDENT = "elderly_resident"
    UNKNOWN = "unknown"


class LiabilityPolicy(StrEnum):
    """What the plan does with an injury for which somebody else may be liable."""

    PAY = "pay"
    HOLD = "hold"
    EXCLUDE = "exclude"


class ScopeReason(StrEnum):
    """Why a bill is not ours. The codes are stable: answers, slips and counters show them."""

    INSURED_ELSEWHERE = "insured_elsewhere"
    WORK_INJURY = "work_injury"
    RETIRED_CADRE = "retired_cadre"
    NEWBORN = "newborn"
    COMPANION_INSURANCE = "companion_insurance"
    DISABLED_SOLDIER_INSURANCE = "disabled_soldier_insurance"
    RED_ARMY_VETERAN_INSURANCE = "red_army_veteran_insurance"
    RURAL_INSURANCE = "rural_insurance"
    RESIDENT_INSURANCE = "resident_insurance"
    SPECIAL_GROUP_INSURANCE = "special_group_insurance"
    LONG_TERM_CARE = "long_term_care"
    MATERNITY = "maternity"
    EMPLOYEE_INSURANCE = "employee_insurance"
    UNKNOWN_INSURANCE_TYPE = "unknown_insurance_type"
    ACTIVE_PERSON = "active_person"
    RETIRED_PERSON = "retired_person"
    MINOR_RESIDENT = "minor_resident"
    ADULT_RESIDENT = "adult_resident"
    ELDERLY_RESIDENT = "elderly_resident"
    UNKNOWN_PERSON_TYPE = "unknown_person_type"
    REGISTRATION_FEE = "registration_fee"
    PHARMACY = "pharmacy"
    HOME_BED = "home_bed"
    OTHER_CARE = "other_care"
    UNKNOWN_CARE_TYPE = "unknown_care_type"
    UNKNOWN_PLACE_OF_PAYMENT = "unknown_place_of_payment"
    LIABILITY_EXCLUDED = "liability_excluded"


REPORTED: Final = frozenset(
    {
        ScopeReason.UNKNOWN_INSURANCE_TYPE,
        ScopeReason.UNKNOWN_PERSON_TYPE,
        ScopeReason.UNKNOWN_CARE_TYPE,
        ScopeReason.UNKNOWN_PLACE_OF_PAYMENT,
        ScopeReason.OTHER_CARE,
    }
)
"""Reasons that somebody must look at: a local code may hide bills that are ours."""


@dataclass(frozen=True, slots=True)
class ScopeCodes:
    """What the table looks at, in the insurer's codes; `None` is not known.

    `area` is where the care was given. It changes no verdict: care away from home is ours as well, and a hospital
    that brings a bill stands at its own counter wherever it is.
    """

    insurance_type: str | None
    care_type: str | None
    person_type: str | None
    insured_area: str | None
    system_code: str | None
    place_of_payment: str | None
    area: str | None


@dataclass(frozen=True, slots=True)
class ScopeRules:
    """What the city (areas, special systems, liability) and the plan (insurance types, categories) say.

    `insured_areas` are area codes or beginnings of them; `system_codes` maps a special receiver system to its reason.
    """

    insured_areas: Collection[str]
    system_codes: Mapping[str, ScopeReason]
    insurance_types: Collection[str]
    person_categories: Collection[PersonCategory]
    liability: LiabilityPolicy


@dataclass(frozen=True, slots=True)
class Ours:
    """The plan looks at this bill. `at_counter` is false where nobody stands at a counter: the aid goes to the card."""

    care: Care
    at_counter: bool


@dataclass(frozen=True, slots=True)
class NotOurs:
    """The plan has nothing to do with this bill; `reported` asks a person to look at a code nobody knows."""

    reason: ScopeReason

    @property
    def reported(self) -> bool:
        """Whether the bill is put on the list of codes to look at."""
        return self.reason in REPORTED


@dataclass(frozen=True, slots=True)
class HeldForLiability:
    """An injury that waits for the declaration that nobody else is liable."""

    care: Care

    @property
    def code(self) -> str:
        """The stable code of the one question."""
        return "liability_declaration"


@dataclass(frozen=True, slots=True)
class FactMissing:
    """The table cannot decide without this fact, named as the field of `ScopeCodes`."""

    fact: str

    @property
    def code(self) -> str:
        """The stable code of the one question."""
        return f"{self.fact}_missing"


Verdict = Ours | NotOurs | HeldForLiability | FactMissing

_NEWBORN = "1401"

_COMPANIONS = frozenset({"320", "330", "370", "392"})
"""Insurances that pay within the bill of another one; they have no bills of their own."""

_INSURANCES: Final[Mapping[str, ScopeReason]] = {
    "310": ScopeReason.EMPLOYEE_INSURANCE,
    "340": ScopeReason.RETIRED_CADRE,
    "350": ScopeReason.DISABLED_SOLDIER_INSURANCE,
    "360": ScopeReason.RED_ARMY_VETERAN_INSURANCE,
    "380": ScopeReason.RURAL_INSURANCE,
    "390": ScopeReason.RESIDENT_INSURANCE,
    "391": ScopeReason.RESIDENT_INSURANCE,
    "399": ScopeReason.SPECIAL_GROUP_INSURANCE,
    "410": ScopeReason.LONG_TERM_CARE,
    "510": ScopeReason.MATERNITY,
}

_CATEGORIES: Final[Mapping[str, PersonCategory]] = {
    "11": PersonCategory.ACTIVE,
    "12": PersonCategory.RETIRED,
    "13": PersonCategory.RETIRED_CADRE,
    "14": PersonCategory.MINOR_RESIDENT,
    "15": PersonCategory.ADULT_RESIDENT,
    "16": PersonCategory.ELDERLY_RESIDENT,
}

_UNCOVERED: Final[Mapping[PersonCategory, ScopeReason]] = {
    PersonCategory.ACTIVE: ScopeReason.ACTIVE_PERSON,
    PersonCategory.RETIRED: ScopeReason.RETIRED_PERSON,
    PersonCategory.RETIRED_CADRE: ScopeReason.RETIRED_CADRE,
    PersonCategory.MINOR_RESIDENT: ScopeReason.MINOR_RESIDENT,
    PersonCategory.ADULT_RESIDENT: ScopeReason.ADULT_RESIDENT,
    PersonCategory.ELDERLY_RESIDENT: ScopeReason.ELDERLY_RESIDENT,
    PersonCategory.UNKNOWN: ScopeReason.UNKNOWN_PERSON_TYPE,
}

_CARES: Final[Mapping[str, Care]] = {
    **dict.fromkeys(("11", "13", "14", "15", "16", "19"), Care.OUTPATIENT),
    **dict.fromkeys(("21", "22", "23", "24", "28"), Care.INPATIENT),
}

_SETTINGS: Final[Mapping[str, str]] = {
    "13": "emergency",
    "14": "special_outpatient",
    **dict.fromkeys(("21", "22", "23", "24"), "inpatient"),
    "28": "day_surgery",
}

_CARES_NOT_OURS: Final[Mapping[str, ScopeReason]] = {
    "12": ScopeReason.REGISTRATION_FEE,
    "41": ScopeReason.PHARMACY,
    "51": ScopeReason.MATERNITY,
    "52": ScopeReason.MATERNITY,
    "53": ScopeReason.MATERNITY,
    "71": ScopeReason.HOME_BED,
    "99": ScopeReason.OTHER_CARE,
}

_INJURIES = frozenset({"19", "22"})
_AT_THE_COUNTER = "2"
_PLACES = frozenset({"1", _AT_THE_COUNTER, "3", "4"})
_LOCAL_FORM = re.compile(r"\d{2}|\d{4}|\d{6}", re.ASCII)
"""National codes have two or four digits, local extensions (Jiangsu, Shanghai) six; the first two carry the meaning."""


def decide_scope(codes: ScopeCodes, rules: ScopeRules) -> Verdict:
    """Decide whether a bill is ours, not ours, held for liability, or short of a fact.

    What is known speaks first, in this order: insured area, receiver system, insurance, person, care, place of
    payment, liability that the plan excludes. Only a bill that nothing excludes is asked for a missing fact, so that
    nobody has to answer a question about a bill that is not ours anyway; a declaration is asked for last.
    """
    for reason_in in _REASONS:
        reason = reason_in(codes, rules)
        if reason is not None:
            return NotOurs(reason)
    if codes.insured_area is None:
        return FactMissing("insured_area")
    if codes.system_code is None and rules.system_codes:
        return FactMissing("system_code")
    if codes.insurance_type is None:
        return FactMissing("insurance_type")
    if codes.person_type is None:
        return FactMissing("person_type")
    if codes.care_type is None:
        return FactMissing("care_type")
    kind = codes.care_type[:2]
    if kind in _INJURIES and rules.liability is LiabilityPolicy.HOLD:
        return HeldForLiability(_CARES[kind])
    return Ours(_CARES[kind], at_counter=codes.place_of_payment in (None, _AT_THE_COUNTER))


def care_of(care_type: str | None) -> Care | None:
    """Return what a care type comes down to; `None` for one that is not ours or not known."""
    if care_type is None or not _LOCAL_FORM.fullmatch(care_type):
        return None
    return _CARES.get(care_type[:2])


def setting_of(care_type: str | None) -> str:
    """Return the setting that a care type of ours stands for, in the words of a plan file."""
    return _SETTINGS.get((care_type or "")[:2], "outpatient")


def is_injury(care_type: str | None) -> bool:
    """Say whether a care type stands for an injury."""
    return (care_type or "")[:2] in _INJURIES


def person_category(person_type: str | None) -> PersonCategory:
    """Return the category of a person type; the first two digits carry it (`1101`, `116032` and `11` are active)."""
    if person_type is None or not _LOCAL_FORM.fullmatch(person_type):
        return PersonCategory.UNKNOWN
    return _CATEGORIES.get(person_type[:2], PersonCategory.UNKNOWN)


def _of_area(codes: ScopeCodes, rules: ScopeRules) -> ScopeReason | None:
    if codes.insured_area is None or codes.insured_area.startswith(tuple(rules.insured_areas)):
        return None
    return ScopeReason.INSURED_ELSEWHERE


def _of_system(codes: ScopeCodes, rules: ScopeRules) -> ScopeReason | None:
    """A code that is not listed is the ordinary system: each region agrees on a string of its own for it."""
    return None if codes.system_code is None else rules.system_codes.get(codes.system_code)


def _of_insurance(codes: ScopeCodes, rules: ScopeRules) -> ScopeReason | None:
    code = codes.insurance_type
    if code is None:
        return None
    if code in _COMPANIONS:
        return ScopeReason.COMPANION_INSURANCE
    return None if code in rules.insurance_types else _INSURANCES.get(code, ScopeReason.UNKNOWN_INSURANCE_TYPE)


def _of_newborn(codes: ScopeCodes, rules: ScopeRules) -> ScopeReason | None:
    """A newborn on the mother's record is told apart from other children, whose bill it would seem to be."""
    if codes.person_type == _NEWBORN and PersonCategory.MINOR_RESIDENT not in rules.person_categories:
        return ScopeReason.NEWBORN
    return None


def _of_person(codes: ScopeCodes, rules: ScopeRules) -> ScopeReason | None:
    if codes.person_type is None:
        return None
    category = person_category(codes.person_type)
    known = category is not PersonCategory.UNKNOWN
    return None if known and category in rules.person_categories else _UNCOVERED[category]


def _of_care(codes: ScopeCodes, rules: ScopeRules) -> ScopeReason | None:
    code = codes.care_type
    if code is None:
        return None
    if not _LOCAL_FORM.fullmatch(code):
        return ScopeReason.UNKNOWN_CARE_TYPE
    kind = code[:2]
    return None if kind in _CARES else _CARES_NOT_OURS.get(kind, ScopeReason.UNKNOWN_CARE_TYPE)


def _of_place(codes: ScopeCodes, rules: ScopeRules) -> ScopeReason | None:
    known = codes.place_of_payment is None or codes.place_of_payment in _PLACES
    return None if known else ScopeReason.UNKNOWN_PLACE_OF_PAYMENT


def _of_liability(codes: ScopeCodes, rules: ScopeRules) -> ScopeReason | None:
    injury = codes.care_type is not None and codes.care_type[:2] in _INJURIES
    return ScopeReason.LIABILITY_EXCLUDED if injury and rules.liability is LiabilityPolicy.EXCLUDE else None


_REASONS: Final[tuple[Callable[[ScopeCodes, ScopeRules], ScopeReason | None], ...]] = (
    _of_area,
    _of_system,
    _of_newborn,
    _of_insurance,
    _of_person,
    _of_care,
    _of_place,
    _of_liability,
)
