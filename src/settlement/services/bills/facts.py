"""What a plan may ask about a bill, put together from the bill, the registry, the roster and the certificate. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from settlement.domain.benefits import PlanFacts
from settlement.domain.bills import Care, Visit
from settlement.domain.certificates import age_on, birth_date, sex
from settlement.domain.cover import CoverOnDay
from settlement.domain.money import Money
from settlement.domain.scope import care_of, is_injury, setting_of
from settlement.domain.time import china_date
from settlement.plans.covering import day_of_age, of_span, with_cover
from settlement.services.bills.known import Known, Reading
from settlement.services.funds.rules import VersionInForce

_ELSEWHERE = frozenset({"3", "4"})
"""Places of payment (`pay_loc`) that are not the insured place's own."""


def dated_facts(bill: Reading, visit: Visit, today: date) -> PlanFacts:
    """Return what the bill alone says; its dates pick the plan version. `today` (in China) dates a pre-settlement.

    A care type that is not ours counts as a visit here: the scope table refuses its bill.
    """
    care = care_of(bill.care_type) or Care.OUTPATIENT
    return PlanFacts(
        care=care,
        settled_on=china_date(bill.settled_at) if bill.settled_at else today,
        admitted_on=visit.admitted_on,
        discharged_on=visit.discharged_on,
        hospital_level=None,
        insurance_type=bill.insured.insurance_type,
        person_category=None,
        setting=setting_of(bill.care_type),
        accident=is_injury(bill.care_type),
        counted_from=visit.admitted_on if care is Care.INPATIENT else None,
    )


def complete_facts(
    dated: PlanFacts, visit: Visit, known: Known, version: VersionInForce, cover: CoverOnDay, other: Money
) -> PlanFacts:
    """Return the facts with what registry, roster, certificate and hospital say on the service date.

    `cover` is the member's on that date. What the plan does not ask a hospital for is left out, so that no record
    holds it.
    """
    plan = version.plan
    certificate = known.identity.certificate if known.identity else None
    born = birth_date(certificate) if certificate else None
    local = visit.area.startswith(tuple(version.scope.insured_areas)) and visit.place_of_payment not in _ELSEWHERE
    facts = replace(
        of_span(dated, cover.span),
        hospital_level=known.hospital_level,
        place="local" if local else "elsewhere",
        hospital_category=visit.hospital_category if "hospital_category" in plan.needed_facts else None,
        diagnosis=visit.diagnosis if plan.asks_for_diagnosis else None,
        sex=sex(certificate) if certificate else None,
        other_paid=other,
        stated={code: amount for code, amount in visit.stated.items() if code in plan.stated},
    )
    facts = with_cover(plan, facts, cover, known.covers)
    return replace(facts, age=age_on(born, day_of_age(plan, facts)) if born else None)
