"""Release a hold: the patient does not pay after all, so its room is free for others at once.

Only the place of a cancelled bill that it had taken over is kept on for the next successor.
"""

from __future__ import annotations

from dataclasses import replace

from settlement.db import holds
from settlement.db.engine import fund_transaction
from settlement.db.parts import write_together
from settlement.db.settling import lock_member
from settlement.domain.answers import Answer, hold_answer
from settlement.domain.errors import SettlementError
from settlement.domain.ids import HoldId
from settlement.domain.promises import HoldState
from settlement.services.bills.chains import keep_place_on
from settlement.services.bills.commands import Caller
from settlement.services.bills.work import Work
from settlement.services.resources import Resources
from settlement.services.transactions import run


class HoldNotFound(SettlementError):
    """There is no such hold for this caller."""

    code = "hold_not_found"


async def release_hold(resources: Resources, caller: Caller, hold_id: HoldId) -> Answer:
    """Release an open hold; one that has ended is answered as it is. Raises `HoldNotFound`, and what `run` raises."""

    async def transaction() -> Answer:
        async with fund_transaction(resources.engine, caller.fund_id) as connection:
            found = await holds.find_hold(connection, caller.fund_id, hold_id)
            if found is None or not caller.may_act_for(found.hospital_code):
                raise HoldNotFound(id=str(hold_id))
            await lock_member(connection, caller.fund_id, f"hold\x1f{hold_id}", member_id=found.member_id)
            promise = await holds.find_hold(connection, caller.fund_id, hold_id) or found
            if promise.state is HoldState.OPEN:
                work = Work(resources, caller, None, resources.clock())
                work.parts.append(holds.end_holds(caller.fund_id, [hold_id], HoldState.RELEASED, work.at))
                await keep_place_on(connection, work, promise)
                await write_together(connection, work.parts)
                promise = replace(promise, state=HoldState.RELEASED)
            return hold_answer(promise)

    return await run(transaction)
