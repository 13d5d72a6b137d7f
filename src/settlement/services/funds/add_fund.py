"""Register what a fund works with: the fund itself, its units, its hospitals."""

from __future__ import annotations

from datetime import date

from settlement.db import registry
from settlement.db.engine import fund_transaction
from settlement.domain.errors import SettlementError
from settlement.domain.ids import FundId, HospitalId, UnitId
from settlement.services.resources import Resources


class LevelUnknown(SettlementError):
    """A hospital's level is not 1, 2 or 3."""

    code = "level_unknown"


async def add_fund(
    resources: Resources, *, code: str, name: str, gateway_profile: str, plan_code: str
) -> registry.Fund:
    """Register a fund with its gateway profile (shipped, or a file of the operator's) and the plan it pays by.

    Raises `AlreadyRegistered`, or `ProfileError` when the profile cannot be used.
    """
    resources.rules.load_profile(gateway_profile)
    fund = registry.Fund(FundId(resources.ids.new()), code, name, gateway_profile, plan_code)
    async with fund_transaction(resources.engine, fund.fund_id) as connection:
        await registry.add_fund(connection, fund, resources.clock())
    return fund


async def add_unit(
    resources: Resources,
    fund_id: FundId,
    *,
    code: str,
    name: str,
    unit_class: str | None = None,
    region: str | None = None,
) -> registry.Unit:
    """Register a unit, with its class and region where the plan asks for them. Raises `AlreadyRegistered`."""
    unit = registry.Unit(UnitId(resources.ids.new()), code, name, unit_class, region)
    async with fund_transaction(resources.engine, fund_id) as connection:
        await registry.add_unit(connection, fund_id, unit, resources.clock())
    return unit


async def add_hospital(
    resources: Resources, fund_id: FundId, *, name: str, codes: tuple[str, ...], level: int, since: date
) -> registry.Hospital:
    """Register a hospital with its institution codes and its level (1 to 3) from a date on.

    Raises `AlreadyRegistered` when a code is another hospital's, `LevelUnknown`.
    """
    if level not in (1, 2, 3):
        raise LevelUnknown(level=level)
    hospital = registry.Hospital(HospitalId(resources.ids.new()), name, codes, ((since, level),))
    async with fund_transaction(resources.engine, fund_id) as connection:
        await registry.add_hospital(connection, fund_id, hospital, resources.clock())
    return hospital
