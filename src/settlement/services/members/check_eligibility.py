"""Say whether a person is covered on a date, by which plan version, and what is left of the term."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from settlement.db.engine import fund_transaction
from settlement.db.people import certificate_index, find_cover, find_member, number_index
from settlement.db.settling import Wanted, read_known
from settlement.domain.benefits import UsedRoom
from settlement.domain.certificates import is_masked, normalised
from settlement.domain.money import ZERO
from settlement.domain.time import CHINA, china_date
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
    """Return `covered`, `not_covered`, or `unknown` for a masked number or an insured person number not learnt yet."""
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
        cover = await find_cover(connection, fund_id, member_id, rules.fund.plan_code, day)
        version = rules.version_on(day)
        if cover is None or version is None:
            return answer | {"status": "not_covered"}
        wanted = Wanted(fund_id, member_id, None, "", None, "", rules.fund.plan_code, day, None)
        seen = await read_known(connection, wanted)
    plan = version.plan
    return answer | {
        "status": "covered",
        "plan": {"code": plan.plan_code, "version": plan.version, "digest": plan.digest},
        "cover": {
            "first_day": cover.first_day.isoformat(),
            "last_day": cover.last_day.isoformat(),
            "unit_code": cover.unit_code,
            "person_category": cover.person_category,
        },
        "limits": [_limit(version, code, day, dict(seen.used)) for code in plan.limits],
    }


def _limit(version: VersionInForce, benefit: str, day: date, used: dict[tuple[str, str], UsedRoom]) -> dict[str, str]:
    term, limit = version.plan.terms(day)[benefit], version.plan.limits[benefit]
    paid = used.get((benefit, term.code), UsedRoom()).paid
    return {
        "benefit": benefit,
        "term": term.code,
        "limit": limit.yuan(),
        "paid": paid.yuan(),
        "remaining": max(ZERO, limit - paid).yuan(),
    }
