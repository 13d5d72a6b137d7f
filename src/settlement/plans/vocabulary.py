"""The names a plan file may use: amounts of a bill, facts about it, the words that a fact may take, who delivers it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from settlement.domain.bills import BillFigures, Care, InsurerFunds
from settlement.domain.scope import PersonCategory

FUNDS = tuple(field.name for field in fields(InsurerFunds))
OTHER_PAID = "other_paid"
AID = "aid."
"""`aid.<benefit>` names what a benefit earlier in the file pays for this bill; it may be taken off a base."""

AMOUNTS = (*(field.name for field in fields(BillFigures) if field.name != "funds"), "insurer_paid", *FUNDS, OTHER_PAID)
"""Amounts of one bill that a base or a burden may be made of, besides those that the plan lets hospitals state."""


class FactKind(StrEnum):
    """What values a fact takes."""

    WORD = "word"
    CODE = "code"
    NUMBER = "number"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that a rule may ask for. `read` is how the compiled plan reads it from `PlanFacts`, here called `facts`.

    `needs` are the fields that must be known for it; `source` says in words who delivers it, `None` is nobody yet.
    """

    kind: FactKind
    needs: tuple[str, ...]
    read: str
    source: str | None
    words: frozenset[str | int] = frozenset()
    counted: bool = False
    """Whether a modifier may count its units."""


def _field(kind: FactKind, name: str, source: str | None, words: Iterable[str | int] = ()) -> Fact:
    return Fact(kind, (name,), f"facts.{name}", source, frozenset(words))


class Setting(StrEnum):
    """Where care was given, more exactly than inpatient and outpatient."""

    OUTPATIENT = "outpatient"
    EMERGENCY = "emergency"
    SPECIAL_OUTPATIENT = "special_outpatient"
    INPATIENT = "inpatient"
    DAY_SURGERY = "day_surgery"
    OBSERVATION = "observation"
    HOME_BED = "home_bed"


FACTS: Mapping[str, Fact] = {
    "care": _field(FactKind.WORD, "care", "the bill", (care.value for care in Care)),
    "setting": _field(FactKind.WORD, "setting", "the bill", (setting.value for setting in Setting)),
    "place": _field(FactKind.WORD, "place", "the bill", ("local", "elsewhere")),
    "insurance_type": _field(FactKind.CODE, "insurance_type", "the bill"),
    "insured": _field(FactKind.FLAG, "insured", "the bill"),
    "accident": _field(FactKind.FLAG, "accident", "the bill"),
    "hospital_level": _field(FactKind.NUMBER, "hospital_level", "the fund's registry", (1, 2, 3)),
    "hospital_category": _field(FactKind.CODE, "hospital_category", "stated by the hospital"),
    "diagnosis": _field(FactKind.CODE, "diagnosis", "stated by the hospital"),
    "event": _field(FactKind.CODE, "event", "stated with a claim"),
    "severity": _field(FactKind.CODE, "severity", "stated with a claim"),
    "person_category": _field(
        FactKind.WORD,
        "person_category",
        "the roster",
        {category.value for category in PersonCategory} - {PersonCategory.UNKNOWN.value},
    ),
    "age": _field(FactKind.NUMBER, "age", "the certificate"),
    "sex": _field(FactKind.WORD, "sex", "the certificate", ("female", "male")),
    "region": _field(FactKind.CODE, "region", "the unit"),
    "unit_class": _field(FactKind.CODE, "unit_class", "the unit"),
    "union_member": _field(FactKind.FLAG, "union_member", "the roster"),
    "days_covered": Fact(FactKind.NUMBER, ("covered_since",), "days_covered(facts)", "the roster", counted=True),
    "consecutive_terms": Fact(
        FactKind.NUMBER, ("consecutive_terms",), "facts.consecutive_terms", "the roster", counted=True
    ),
    "returned": _field(FactKind.FLAG, "returned", "the roster"),
    "stay_ordinal": Fact(FactKind.NUMBER, ("stay_ordinal",), "facts.stay_ordinal", "the records", counted=True),
    "stay_days": Fact(
        FactKind.NUMBER, ("counted_from", "discharged_on"), "stay_days(facts)", "the records", counted=True
    ),
    "referral": _field(FactKind.FLAG, "referral", None),
    "income_class": _field(FactKind.CODE, "income_class", None),
    "service_months": _field(FactKind.NUMBER, "service_months", None),
}
"""Facts that a condition may ask for. One whose source is `None` is known to the field, and no door delivers it yet."""

UNDELIVERED_AMOUNTS = frozenset({"commercial_paid_later", "drug_cost", "material_cost", "bed_cost", "nursing_cost"})
"""Amounts that plans of the field speak of and that no door delivers; a hospital can state one that a plan declares."""


def nearest(word: str | int, known: Iterable[str | int]) -> str:
    """Return the known word that looks most like a mistaken one, or a handful of those nearest where none does."""
    words = sorted(str(each) for each in known)
    close = difflib.get_close_matches(str(word), words, n=1)
    return close[0] if close else ", ".join(sorted(difflib.get_close_matches(str(word), words, n=5, cutoff=0)))
