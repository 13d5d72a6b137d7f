"""Examine the whole record: every invariant, with the ids of what breaks it, at one instant; nothing is changed."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.db.audit import snapshot
from settlement.db.invariants import LIMITS, RECORD_CHECKS, run_check
from settlement.db.privileges import CATALOG_CHECKS
from settlement.db.secrets import KeyRing
from settlement.domain.audit import Examination, Finding
from settlement.services.audit.examine_identities import examine_identities
from settlement.services.audit.examine_plans import examine_plans, limits_of
from settlement.services.audit.examine_rooms import examine_rooms
from settlement.services.audit.examine_seals import ChainAsked, examine_seals
from settlement.services.audit.examine_settlements import examine_settlements
from settlement.services.books.seal_keys import Verifier

Told = Callable[[int, int], None]
STEPS = len(CATALOG_CHECKS) + len(RECORD_CHECKS) + 6


async def examine(
    engine: AsyncEngine,
    keys: KeyRing | None,
    told: Told = lambda done, of: None,
    *,
    verifier: Verifier | None = None,
    chain: ChainAsked | None = None,
) -> Examination:
    """Check every invariant at one instant and return a finding for each, broken or not.

    `engine` connects as the login `settlement_ops`, which reads every fund. Without keys nothing sealed is opened, and
    without a verifier no signature is looked at; the findings say so. With `chain` the records of every sealed day are
    hashed anew. A service that runs meanwhile causes no false alarm: all queries see one snapshot, and each of
    its commits is whole. `told` hears of each step done, of how many.
    """
    findings: list[Finding] = []
    done = 0

    def finished(*found: Finding) -> None:
        nonlocal done
        done += 1
        findings.extend(found)
        told(done, STEPS)

    async with snapshot(engine) as connection:
        for check in (*CATALOG_CHECKS, *RECORD_CHECKS):
            finished(await run_check(connection, check))
        finding, plans = await examine_plans(connection)
        finished(finding)
        finished(await run_check(connection, LIMITS, limits_of(plans)))
        finished(await examine_rooms(connection))
        finished(*await examine_settlements(connection, plans))
        finished(*await examine_identities(connection, keys))
        finished(*await examine_seals(connection, verifier, chain))
    return Examination(tuple(findings))
