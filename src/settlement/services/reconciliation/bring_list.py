"""Bring a list and run its day, once under a key: what a door does with an upload."""

from __future__ import annotations

from typing import Any

from settlement.db.commands import insert_answer
from settlement.db.engine import fund_transaction
from settlement.db.parts import write_together
from settlement.db.reconciliation import ListImport
from settlement.db.settling import StoredAnswer
from settlement.services.bills.commands import CREATED, Caller, Once, Outcome
from settlement.services.bills.settle_bill import answered_before
from settlement.services.reconciliation.import_list import ListFile, import_list
from settlement.services.reconciliation.run_day import DayRun, run_day
from settlement.services.resources import Resources
from settlement.services.transactions import run


async def bring_list(resources: Resources, caller: Caller, given: ListFile, once: Once) -> Outcome:
    """Import a list, run its day and answer what came out; a caller bound to hospitals is told of the list only.

    Killed at any point, the same command does the rest: the list that counts is not staged again, and a run changes
    only what is not as it should be. Raises `ListRefused`, `KeyReused`, and what `run` raises.
    """
    async with fund_transaction(resources.engine, caller.fund_id) as connection:
        if (answered := await answered_before(connection, caller.fund_id, once)) is not None:
            return answered
    imported = await import_list(resources, caller, given)
    ran = await run_day(resources, caller, given.day)
    answer = _answer(imported, None if caller.hospital_codes else ran)

    async def transaction() -> Outcome:
        async with fund_transaction(resources.engine, caller.fund_id) as connection:
            if (answered := await answered_before(connection, caller.fund_id, once)) is not None:
                return answered
            stored = StoredAnswer(once.fingerprint, CREATED, answer)
            await write_together(connection, [insert_answer(caller.fund_id, once.command, stored, resources.clock())])
        return Outcome(answer, created=True)

    return await run(transaction)


def _answer(imported: ListImport, ran: DayRun | None) -> dict[str, Any]:
    compared = ran.compared if ran else None
    return {
        "list": {
            "id": str(imported.import_id),
            "source": imported.source.value,
            "business_date": imported.business_date.isoformat(),
            "hospital_codes": list(imported.hospital_codes),
            "line_count": imported.line_count,
            "refused_count": imported.refused_count,
            "refused": [dict(line) for line in imported.refused],
        },
        "found": {source: dict(kinds) for source, kinds in compared.found.items()} if compared else None,
        "opened_count": compared.opened_count if compared else None,
        "resolved_count": compared.resolved_count if compared else None,
        "confirmed_count": ran.confirmed_count if ran else None,
    }
