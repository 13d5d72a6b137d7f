"""A fund's rules as a process keeps them: its gateway profile and its compiled plan versions.

They change rarely and are checked in every settlement: the reading statement says which plan version is in force,
and a process that does not know it reads the shelf anew.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from settlement.db.engine import fund_transaction
from settlement.db.registry import Fund, PublishedVersion, find_fund, list_plan_versions
from settlement.domain.benefits import PlanFacts
from settlement.domain.errors import SettlementError
from settlement.domain.ids import FundId, PlanVersionId
from settlement.domain.scope import PersonCategory, ScopeRules
from settlement.gateway.profile import GatewayProfile, load_profile
from settlement.plans.compile import CompiledPlan, compile_version
from settlement.plans.model import PlanVersion


class FundUnknown(SettlementError):
    """There is no such fund for this caller."""

    code = "fund_unknown"


@dataclass(frozen=True, slots=True)
class VersionInForce:
    """A published plan version, compiled."""

    plan_version_id: PlanVersionId
    effective_from: date
    digest: str
    """As the database keeps it: what a reading says is compared with this."""
    plan: CompiledPlan
    scope: ScopeRules


@dataclass(frozen=True, slots=True)
class FundRules:
    """A fund with its gateway profile and its plan's versions, by first day and then by publication."""

    fund: Fund
    profile: GatewayProfile
    versions: tuple[VersionInForce, ...]

    def version_on(self, day: date) -> VersionInForce | None:
        """Return the version in force on a service date: of those that began last, on that day or before, the newest.

        Several begin on one day where a later one corrects an earlier one.
        """
        at = bisect_right(self.versions, day, key=lambda version: version.effective_from)
        return self.versions[at - 1] if at else None

    def version_by_digest(self, digest: str) -> VersionInForce | None:
        """Return the version with this hash, if this process knows it."""
        return next((version for version in self.versions if version.digest == digest), None)

    def service_date(self, facts: PlanFacts) -> date | None:
        """Return the date that picks plan version and term; `None` when the fact for it is missing."""
        return self.versions[-1].plan.service_date(facts) if self.versions else facts.settled_on


class RulesShelf:
    """The rules of the funds that this process has served."""

    def __init__(self, engine: AsyncEngine, own_profiles: Path | None) -> None:
        self._engine = engine
        self._own_profiles = own_profiles
        self._known: dict[FundId, FundRules] = {}

    async def of(self, fund_id: FundId) -> FundRules:
        """Return a fund's rules. Raises `FundUnknown`, or `ProfileError` when its profile cannot be used."""
        return await self.knowing(fund_id)

    async def knowing(self, fund_id: FundId, *digests: str | None, within: AsyncConnection | None = None) -> FundRules:
        """Return a fund's rules, read anew if a plan version with one of these hashes was published elsewhere.

        Who is in a transaction of the fund's says so: waiting for a second connection, it would hold up the first.
        """
        rules = self._known.get(fund_id)
        if rules is not None and all(digest is None or rules.version_by_digest(digest) for digest in digests):
            return rules
        return await (self._read(within, fund_id) if within is not None else self.read_anew(fund_id))

    async def read_anew(self, fund_id: FundId) -> FundRules:
        """Read a fund's rules from the database, whatever was known of them."""
        async with fund_transaction(self._engine, fund_id) as connection:
            return await self._read(connection, fund_id)

    async def _read(self, connection: AsyncConnection, fund_id: FundId) -> FundRules:
        fund = await find_fund(connection, fund_id)
        if fund is None:
            raise FundUnknown
        published = await list_plan_versions(connection, fund_id, fund.plan_code)
        profile = self.load_profile(fund.gateway_profile)
        versions = tuple(
            _in_force(version, PlanVersion.from_canonical(version.document), profile) for version in published
        )
        rules = FundRules(fund, profile, versions)
        self._known[fund_id] = rules
        return rules

    def load_profile(self, name: str) -> GatewayProfile:
        """Load a gateway profile by name: the operator's own file, else a shipped one. Raises `ProfileError`."""
        own = self._own_profiles / f"{name}.toml" if self._own_profiles else None
        return load_profile(own if own is not None and own.exists() else name)


def _in_force(published: PublishedVersion, version: PlanVersion, profile: GatewayProfile) -> VersionInForce:
    scope = profile.scope_rules(
        insurance_types=[str(value) for value in version.header.covered("insurance_type") or ()],
        person_categories=[PersonCategory(str(value)) for value in version.header.covered("person_category") or ()],
    )
    plan = compile_version(version)
    return VersionInForce(published.plan_version_id, published.effective_from, published.digest, plan, scope)
