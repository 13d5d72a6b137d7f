"""Say whether a person is covered on a date, by which plan version, and what is left of the term."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from settlement.db.engine import fund_transaction
from settlement.db.people import certificate_index, find_member, number_index
from settlement.db.settling import Wanted, read_known
from settlement.domain.benefits import PlanFacts, Taking, Term
from settlement.domain.bills import Care
from settlement.domain.certificates import is_masked, normalised
from settlement.domain.cover import CoverOnDay
from settlement.domain.money import ZERO, total
from settlement.domain.time import CHINA, china_date
from settlement.plans.compile import NamedLimit
from settlement.plans.covering import cover_for
from settlement.services.bills.commands import Caller
from settlement.services.funds.rules import VersionInForce
from settlement.services.resources import Resources

ANSWER_HOLDS = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class CheckEligibility:
    """Ask by certificate or by insured person number; the day is today in China unless given."""

    caller: Caller
    certificate_type: str | None
    certificate_number: str | None
    insured_person_no: str | None
    on: date | None


async def check_eligibility(resources: Resources, asked: CheckEligibility) -> dict[str, Any]:
    """Return `covered`, `provisional`, `not_covered`, or `unknown`: a masked or a not yet learnt number."""
    fund_id, keys, now = asked.caller.fund_id, resources.keys, resources.clock()
    day = asked.on or china_date(now)
    rules = await resources.rules.read_anew(fund_id)
    answer: dict[str, Any] = {
        "status": "unknown",
        "on": day.isoformat(),
        "answer_holds_until": (now + ANSWER_HOLDS).astimezone(CHINA).isoformat(timespec="seconds"),
    }
    number, by_certificate = asked.certificate_number, None
    if number and not is_masked(number):
        by_certificate = certificate_index(keys, fund_id, normalised(asked.certificate_type, number))
    by_number = None
    if asked.insured_person_no and by_certificate is None:
        by_number = number_index(keys, fund_id, asked.insured_person_no)
    async with fund_transaction(resources.engine, fund_id) as connection:
        member_id = await find_member(connection, fund_id, by_certificate, by_number)
        if member_id is None:
            return answer | {"status": "not_covered" if by_certificate else "unknown"}
        wanted = Wanted(
            fund_id=fund_id,
            member_id=member_id,
            number_index=None,
            area="",
            insurer_settlement_id=None,
            hospital_code="",
            encounter_id=None,
            charge_batch_no=None,
            visit_no=None,
            resettles=None,
            plan_code=rules.fund.plan_code,
            service_date=day,
            at=now,
            command=None,
        )
        seen = await read_known(connection, wanted)
    version = rules.version_on(day)
    cover = cover_for(seen.covers, version.plan.header, day) if version else None
    if cover is None or version is None:
        return answer | {"status": "not_covered"}
    return answer | _covered(version, cover, day, seen.takings)


def _covered(version: VersionInForce, cover: CoverOnDay, day: date, takings: Sequence[Taking]) -> dict[str, Any]:
    plan, span = version.plan, cover.span
    terms = plan.terms(day, _facts_of_cover(cover, day))
    return {
        "status": "provisional" if cover.provisional else "covered",
        "plan": {"code": plan.plan_code, "version": plan.version, "digest": plan.digest},
        "cover": {
            "first_day": span.first_day.isoformat(),
            "last_day": span.last_day.isoformat(),
            "unit_code": span.unit_code,
            "person_category": span.person_category,
        },
        "limits": [_limit(limit, terms[limit.benefits[0]], takings) for limit in plan.term_limits],
    }


def _facts_of_cover(cover: CoverOnDay, day: date) -> PlanFacts:
    """Return the facts by which a term that is the member's own cover is found."""
    return PlanFacts(
        care=Care.OUTPATIENT,
        settled_on=day,
        admitted_on=None,
        discharged_on=None,
        hospital_level=None,
        insurance_type=None,
        person_category=cover.span.person_category,
        cover_first_day=cover.span.first_day,
        cover_last_day=cover.span.last_day,
    )


def _limit(limit: NamedLimit, term: Term, takings: Sequence[Taking]) -> dict[str, str]:
    paid = total(taking.room.paid for taking in takings if taking.code in limit.benefits and taking.term == term.code)
    return {
        "benefit": limit.name,
        "name": limit.title,
        "term": term.code,
        "limit": limit.amount.yuan(),
        "paid": paid.yuan(),
        "remaining": max(ZERO, limit.amount - paid).yuan(),
    }
