"""What `settlement plan publish` does with the database."""

from __future__ import annotations

from settlement.cli.shell import with_fund
from settlement.db.registry import Fund, PublishedVersion
from settlement.plans.model import Plan
from settlement.services.plans.publish_plan import publish_plan
from settlement.services.resources import Resources


def publish_for_fund(fund_code: str, plan: Plan) -> list[PublishedVersion]:
    """Publish a plan's versions for the fund with a code; return the new ones."""

    async def use(resources: Resources, of: Fund) -> list[PublishedVersion]:
        return await publish_plan(resources, of.fund_id, plan)

    return with_fund(fund_code, use)
