"""The registry: funds, units, hospitals with their codes and dated levels, and plan versions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from psycopg.errors import UniqueViolation
from sqlalchemy import Insert, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.tables import (
    books_day,
    fund,
    hospital,
    hospital_code,
    hospital_level,
    plan_version,
    unit,
    unit_renewal,
)
from settlement.domain.errors import SettlementError
from settlement.domain.ids import FundId, HospitalId, PlanVersionId, UnitId


class AlreadyRegistered(SettlementError):
    """Something with this code is registered already."""

    code = "already_registered"


@dataclass(frozen=True, slots=True)
class Fund:
    """A city's fund: its gateway profile by name, and the plan that it pays by."""

    fund_id: FundId
    code: str
    name: str
    gateway_profile: str
    plan_code: str
    stay_hold_days: int | None = None
    """For how many days the fund guarantees a stay's aid to a hospital; `None`: it does not."""


@dataclass(frozen=True, slots=True)
class Unit:
    """An employer's union through which members are enrolled."""

    unit_id: UnitId
    code: str
    name: str
    unit_class: str | None = None
    """The plan's word for the kind of employer, for example `public`."""
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Hospital:
    """A hospital with its institution codes and its level (1 to 3) from each date on."""

    hospital_id: HospitalId
    name: str
    codes: tuple[str, ...]
    levels: tuple[tuple[date, int], ...]


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """One version of a fund's plan as it was published: its canonical text and the text's hash."""

    plan_version_id: PlanVersionId
    plan_code: str
    version: str
    effective_from: date
    document: str
    digest: str
    published_at: datetime
    corrects: str | None = None
    """The version that it takes the place of, from the same first day."""


async def add_fund(connection: AsyncConnection, new: Fund, at: datetime) -> None:
    """Insert a fund and open its first books day. Raises `AlreadyRegistered` when the code is taken."""
    values = {
        "fund_id": new.fund_id,
        "code": new.code,
        "name": new.name,
        "gateway_profile": new.gateway_profile,
        "plan_code": new.plan_code,
        "created_at": at,
    }
    await insert_once(connection, insert(fund).values(values), f"fund {new.code}")
    await connection.execute(insert(books_day).values(fund_id=new.fund_id, books_day=1, opened_at=at))


_FUND = (
    fund.c.fund_id,
    fund.c.code,
    fund.c.name,
    fund.c.gateway_profile,
    fund.c.plan_code,
    fund.c.stay_hold_days,
)


async def find_fund(connection: AsyncConnection, fund_id: FundId) -> Fund | None:
    """Return the fund by its id, if this connection may see it."""
    statement = select(*_FUND)
    row = (await connection.execute(statement.where(fund.c.fund_id == fund_id))).one_or_none()
    return Fund(*row) if row else None


async def set_stay_hold_days(connection: AsyncConnection, fund_id: FundId, days: int | None) -> None:
    """Set for how many days the fund guarantees a stay."""
    await connection.execute(update(fund).where(fund.c.fund_id == fund_id).values(stay_hold_days=days))


async def list_funds(connection: AsyncConnection) -> list[Fund]:
    """Return every fund that this connection may see, by code."""
    statement = select(*_FUND)
    return [Fund(*row) for row in await connection.execute(statement.order_by(fund.c.code))]


async def add_unit(connection: AsyncConnection, fund_id: FundId, new: Unit, at: datetime) -> None:
    """Insert a unit. Raises `AlreadyRegistered` when the code is taken."""
    values = {
        "fund_id": fund_id,
        "unit_id": new.unit_id,
        "code": new.code,
        "name": new.name,
        "class": new.unit_class,
        "region": new.region,
        "created_at": at,
    }
    await insert_once(connection, insert(unit).values(values), f"unit {new.code}")


async def list_units(connection: AsyncConnection, fund_id: FundId) -> list[Unit]:
    """Return a fund's units by code."""
    columns = (unit.c.unit_id, unit.c.code, unit.c.name, unit.c["class"], unit.c.region)
    statement = select(*columns).where(unit.c.fund_id == fund_id)
    return [Unit(*row) for row in await connection.execute(statement.order_by(unit.c.code))]


async def add_renewal(
    connection: AsyncConnection, fund_id: FundId, unit_code: str, plan_code: str, first_day: date, at: datetime
) -> bool:
    """Insert that a unit has announced its next term; return whether there is such a unit.

    Raises `AlreadyRegistered` when it has announced this term before.
    """
    of_unit = select(unit.c.unit_id).where(unit.c.fund_id == fund_id, unit.c.code == unit_code)
    unit_id = (await connection.execute(of_unit)).scalar_one_or_none()
    if unit_id is None:
        return False
    values = {
        "fund_id": fund_id,
        "unit_id": unit_id,
        "plan_code": plan_code,
        "first_day": first_day,
        "announced_at": at,
    }
    await insert_once(connection, insert(unit_renewal).values(values), f"the renewal of {unit_code} from {first_day}")
    return True


async def add_hospital(connection: AsyncConnection, fund_id: FundId, new: Hospital, at: datetime) -> None:
    """Insert a hospital with its codes and levels. Raises `AlreadyRegistered` when a code is another's."""
    values = {"fund_id": fund_id, "hospital_id": new.hospital_id, "name": new.name, "created_at": at}
    await connection.execute(insert(hospital).values(values))
    codes = [{"fund_id": fund_id, "hospital_id": new.hospital_id, "code": code} for code in new.codes]
    await insert_once(connection, insert(hospital_code).values(codes), f"hospital code {', '.join(new.codes)}")
    for effective_from, level in new.levels:
        await add_hospital_level(connection, fund_id, new.hospital_id, effective_from, level)


async def add_hospital_level(
    connection: AsyncConnection, fund_id: FundId, hospital_id: HospitalId, effective_from: date, level: int
) -> None:
    """Insert the level (1 to 3) that a hospital has from a date on; earlier stays keep the level they had."""
    values = {"fund_id": fund_id, "hospital_id": hospital_id, "effective_from": effective_from, "level": level}
    await insert_once(connection, insert(hospital_level).values(values), f"a level from {effective_from}")


async def list_hospitals(connection: AsyncConnection, fund_id: FundId) -> list[Hospital]:
    """Return a fund's hospitals by name."""
    codes = (
        select(func.array_agg(hospital_code.c.code))
        .where(hospital_code.c.fund_id == fund_id, hospital_code.c.hospital_id == hospital.c.hospital_id)
        .scalar_subquery()
    )
    rows = await connection.execute(
        select(hospital.c.hospital_id, hospital.c.name, codes.label("codes"))
        .where(hospital.c.fund_id == fund_id)
        .order_by(hospital.c.name)
    )
    levels = await connection.execute(
        select(hospital_level.c.hospital_id, hospital_level.c.effective_from, hospital_level.c.level)
        .where(hospital_level.c.fund_id == fund_id)
        .order_by(hospital_level.c.effective_from)
    )
    by_hospital: dict[HospitalId, list[tuple[date, int]]] = {}
    for hospital_id, effective_from, level in levels:
        by_hospital.setdefault(hospital_id, []).append((effective_from, level))
    return [
        Hospital(row.hospital_id, row.name, tuple(row.codes or ()), tuple(by_hospital.get(row.hospital_id, ())))
        for row in rows
    ]


async def list_plan_versions(
    connection: AsyncConnection, fund_id: FundId, plan_code: str | None = None
) -> list[PublishedVersion]:
    """Return a fund's plan versions (of one plan) in the order in which they take each other's place.

    By first day, and among those of one day by publication: the last that began on a date or before is in force on it.
    """
    statement = select(
        plan_version.c.plan_version_id,
        plan_version.c.plan_code,
        plan_version.c.version,
        plan_version.c.effective_from,
        plan_version.c.document,
        plan_version.c.digest,
        plan_version.c.published_at,
        plan_version.c.corrects,
    ).where(plan_version.c.fund_id == fund_id)
    if plan_code is not None:
        statement = statement.where(plan_version.c.plan_code == plan_code)
    order = (plan_version.c.plan_code, plan_version.c.effective_from, plan_version.c.published_at)
    rows = await connection.execute(statement.order_by(*order))
    return [PublishedVersion(*row) for row in rows]


async def insert_once(connection: AsyncConnection, statement: Insert, what: str) -> None:
    """Insert what is registered once. Raises `AlreadyRegistered` for a code that is taken."""
    try:
        await connection.execute(statement)
    except IntegrityError as refused:
        if isinstance(refused.orig, UniqueViolation):
            raise AlreadyRegistered(f"{what} is registered already", registered=what) from refused
        raise
