"""Publish the versions of a checked plan file for a fund: from then on they are in force on their dates."""

from __future__ import annotations

from settlement.db.engine import fund_transaction
from settlement.db.registry import PublishedVersion, add_plan_version, list_plan_versions
from settlement.domain.errors import SettlementError
from settlement.domain.ids import FundId, PlanVersionId
from settlement.plans.checks.run import refuse_unsound
from settlement.plans.model import Plan, PlanVersion
from settlement.services.resources import Resources


class VersionChanged(SettlementError):
    """A version that was published already says something else now; versions are immutable, make a new one."""

    code = "plan_version_changed"


class PlanOfAnotherFund(SettlementError):
    """The fund pays by another plan."""

    code = "plan_of_another_fund"


class StayDateChanged(SettlementError):
    """A plan's versions must agree on the date of a stay that picks the version; another choice is another plan."""

    code = "plan_stay_date_changed"


async def publish_plan(resources: Resources, fund_id: FundId, plan: Plan) -> list[PublishedVersion]:
    """Publish each version that is not published yet, as its canonical text; return the new ones.

    Raises `VersionChanged`, `PlanOfAnotherFund`, and `PlanRefused` for a version that does not pass the check.
    """
    rules = await resources.rules.of(fund_id)
    if plan.header.code != rules.fund.plan_code:
        raise PlanOfAnotherFund(plan_code=plan.header.code, expected=rules.fund.plan_code)
    new = []
    async with fund_transaction(resources.engine, fund_id) as connection:
        published = {known.version: known for known in await list_plan_versions(connection, fund_id, plan.header.code)}
        stay_dates = {PlanVersion.from_canonical(known.document).header.stay_date for known in published.values()}
        if stay_dates - {plan.header.stay_date}:
            raise StayDateChanged(stay_date=plan.header.stay_date)
        for version in plan.versions:
            refuse_unsound(version)
            known = published.get(version.version)
            if known is not None and known.digest != version.digest:
                raise VersionChanged(version=version.version)
            if known is None:
                row = PublishedVersion(
                    PlanVersionId(resources.ids.new()),
                    version.plan_code,
                    version.version,
                    version.effective_from,
                    version.canonical(),
                    version.digest,
                )
                await add_plan_version(connection, fund_id, row, resources.clock())
                new.append(row)
    await resources.rules.read_anew(fund_id)
    return new
