"""Holds: what was promised for a charge batch, the room it takes, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.parts import Part, insert_part, json
from settlement.db.rooms import ROOM_COLUMNS, room_values, rows_of_room
from settlement.domain.benefits import Taking
from settlement.domain.ids import BillId, FundId, HoldId, MemberId, PlanVersionId
from settlement.domain.money import Money
from settlement.domain.promises import HoldKind, HoldState, Promise
from settlement.domain.settlements import Split

_SPLIT = ("aid_on_bill", "aid_to_card", "other_on_bill", "cash_due")
_PLAIN = (
    "hospital_code",
    "encounter_id",
    "charge_batch_no",
    "figures_digest",
    "plan_code",
    "receipt",
    "receipt_hash",
    "actor",
)


def promise_from_mapping(row: Mapping[str, Any]) -> Promise:
    """Return a promise from a row with its plan version's name and digest, or from the row as JSON."""
    return Promise(
        hold_id=HoldId(UUID(str(row["hold_id"]))),
        kind=HoldKind(row["kind"]),
        state=HoldState(row["state"]),
        member_id=MemberId(UUID(str(row["member_id"]))),
        plan_version_id=PlanVersionId(UUID(str(row["plan_version_id"]))),
        plan_version=row["plan_version"],
        plan_digest=row["plan_digest"],
        service_date=date.fromisoformat(str(row["service_date"])),
        split=Split(**{name: Money(row[f"{name}_fen"]) for name in _SPLIT}),
        created_at=datetime.fromisoformat(str(row["created_at"])),
        expires_at=datetime.fromisoformat(str(row["expires_at"])),
        of_bill_id=BillId(UUID(str(row["of_bill_id"]))) if row["of_bill_id"] else None,
        place_bill_id=BillId(UUID(str(row["place_bill_id"]))) if row["place_bill_id"] else None,
        asked_until=datetime.fromisoformat(str(row["asked_until"])) if row["asked_until"] else None,
        **{name: row[name] for name in _PLAIN},
    )


def insert_hold(fund_id: FundId, promise: Promise) -> Part:
    """Part of a write: a new promise. Put `end_holds` of the batch's earlier ones into an earlier part."""
    split = promise.split
    values = {
        "fund_id": fund_id,
        "hold_id": promise.hold_id,
        "member_id": promise.member_id,
        "kind": promise.kind.value,
        "state": promise.state.value,
        "plan_version_id": promise.plan_version_id,
        "service_date": promise.service_date,
        "cash_before_aid_fen": int(split.aid_on_bill + split.other_on_bill + split.cash_due),
        **{f"{name}_fen": int(getattr(split, name)) for name in _SPLIT},
        "created_at": promise.created_at,
        "expires_at": promise.expires_at,
        "of_bill_id": promise.of_bill_id,
        "place_bill_id": promise.place_bill_id,
        **{name: getattr(promise, name) for name in _PLAIN if name != "receipt"},
        "receipt": json(promise.receipt),
    }
    return insert_part("hold", values)


def insert_hold_room(fund_id: FundId, hold_id: HoldId, taken: Sequence[Taking]) -> Part:
    """Part of a write: the room that a promise takes until it ends."""
    values = {
        "fund_id": fund_id,
        "hold_id": hold_id,
        **room_values(taken),
    }
    return Part(_INSERT_ROOM, {f"room_{name}": value for name, value in values.items()})


def end_holds(
    fund_id: FundId, hold_ids: Sequence[HoldId], state: HoldState, at: datetime, bill_id: BillId | None = None
) -> Part:
    """Part of a write: how open holds ended, and by which bill. One write ends some as one state, once each."""
    values = {"fund_id": fund_id, "hold_ids": list(hold_ids), "bill_id": bill_id, "at": at}
    return Part(_end(state), {f"{state.value}_{name}": value for name, value in values.items()})


def insert_room_of_bill(fund_id: FundId, hold_id: HoldId, bill_id: BillId, revision: int) -> Part:
    """Part of a write: a hold takes the room that a revision of a bill, undone in the same write, gives back."""
    values = {"fund_id": fund_id, "hold_id": hold_id, "bill_id": bill_id, "revision": revision}
    return Part(_KEEP_ROOM, {f"kept_room_{name}": value for name, value in values.items()})


def insert_room_of_hold(fund_id: FundId, hold_id: HoldId, released_id: HoldId) -> Part:
    """Part of a write: a hold takes the room of another one, which is released in the same write."""
    values = {"fund_id": fund_id, "hold_id": hold_id, "released_id": released_id}
    return Part(_KEEP_ROOM_ON, {f"kept_on_{name}": value for name, value in values.items()})


def insert_consumption_of_hold(
    fund_id: FundId, bill_id: BillId, revision: int, promise: Promise, place_bill_id: BillId | None
) -> Part:
    """Part of a write: the settlement that keeps a promise takes the room that the promise held."""
    values = {
        "fund_id": fund_id,
        "bill_id": bill_id,
        "revision": revision,
        "member_id": promise.member_id,
        "plan_code": promise.plan_code,
        "hold_id": promise.hold_id,
        "place_bill_id": place_bill_id,
    }
    return Part(_CONSUME, {f"promised_{name}": value for name, value in values.items()})


def prolong_holds(
    fund_id: FundId, hospital_code: str, encounter_id: str, charge_batch_no: str | None, at: datetime, until: datetime
) -> Part:
    """Part of a write: the promises of a visit that stand stay standing while it is asked what became of a message.

    Those of other batches are left alone where the message's batch is known. The member's lock must be held.
    """
    values = {
        "fund_id": fund_id,
        "hospital_code": hospital_code,
        "encounter_id": encounter_id,
        "charge_batch_no": charge_batch_no,
        "at": at,
        "until": until,
    }
    return Part(_PROLONG, {f"prolong_{name}": value for name, value in values.items()})


def end_prolonging(fund_id: FundId, bill_id: BillId, hospital_code: str, encounter_id: str, at: datetime) -> Part:
    """Part of a write: the question about a pending head ends, and with it what it prolonged.

    Nothing changes while another question about the visit is open.
    """
    values = {
        "fund_id": fund_id,
        "bill_id": bill_id,
        "hospital_code": hospital_code,
        "encounter_id": encounter_id,
        "at": at,
    }
    return Part(_END_PROLONGING, {f"prolonged_{name}": value for name, value in values.items()})


@cache
def _end(state: HoldState) -> str:
    return f"""
        UPDATE hold SET state = '{state.value}', bill_id = :{state.value}_bill_id, ended_at = :{state.value}_at
        WHERE fund_id = :{state.value}_fund_id AND hold_id = ANY(CAST(:{state.value}_hold_ids AS uuid[]))
          AND state = 'open'
    """


_INSERT_ROOM = f"""
INSERT INTO hold_room (fund_id, hold_id, {ROOM_COLUMNS})
SELECT CAST(:room_fund_id AS uuid), CAST(:room_hold_id AS uuid), given.*
FROM {rows_of_room("room")} AS given
"""
_KEEP_ROOM = f"""
INSERT INTO hold_room (fund_id, hold_id, {ROOM_COLUMNS})
SELECT fund_id, CAST(:kept_room_hold_id AS uuid), {ROOM_COLUMNS}
FROM consumption
WHERE fund_id = :kept_room_fund_id AND bill_id = :kept_room_bill_id AND revision = :kept_room_revision
"""
_KEEP_ROOM_ON = f"""
INSERT INTO hold_room (fund_id, hold_id, {ROOM_COLUMNS})
SELECT fund_id, CAST(:kept_on_hold_id AS uuid), {ROOM_COLUMNS}
FROM hold_room WHERE fund_id = :kept_on_fund_id AND hold_id = :kept_on_released_id
"""
_CONSUME = f"""
INSERT INTO consumption (fund_id, bill_id, member_id, plan_code, revision, place_bill_id, {ROOM_COLUMNS})
SELECT CAST(:promised_fund_id AS uuid), CAST(:promised_bill_id AS uuid), CAST(:promised_member_id AS uuid),
       CAST(:promised_plan_code AS text), CAST(:promised_revision AS integer),
       CAST(:promised_place_bill_id AS uuid), {ROOM_COLUMNS}
FROM hold_room WHERE fund_id = :promised_fund_id AND hold_id = :promised_hold_id
"""


_PROLONG = """
UPDATE hold SET asked_until = GREATEST(asked_until, CAST(:prolong_until AS timestamptz))
WHERE fund_id = :prolong_fund_id AND hospital_code = :prolong_hospital_code AND encounter_id = :prolong_encounter_id
  AND state = 'open' AND stands_until > :prolong_at
  AND (kind = 'stay' OR (kind = 'counter'
       AND charge_batch_no = COALESCE(CAST(:prolong_charge_batch_no AS text), charge_batch_no)))
"""
_END_PROLONGING = """
UPDATE hold SET asked_until = :prolonged_at
WHERE fund_id = :prolonged_fund_id AND hospital_code = :prolonged_hospital_code
  AND encounter_id = :prolonged_encounter_id AND state = 'open' AND asked_until > :prolonged_at
  AND NOT EXISTS (
      SELECT FROM pending_question AS other JOIN bill USING (fund_id, bill_id)
      WHERE fund_id = :prolonged_fund_id AND bill.encounter_id = hold.encounter_id AND other.asks = 'settlement'
        AND bill.hospital_code = hold.hospital_code AND other.closed_at IS NULL AND bill_id <> :prolonged_bill_id)
"""


async def find_member_of_visit(
    connection: AsyncConnection, fund_id: FundId, hospital_code: str, encounter_id: str, at: datetime
) -> MemberId | None:
    """Return the member to whom something is promised for a visit, if anything is."""
    values = {"fund_id": fund_id, "hospital_code": hospital_code, "encounter_id": encounter_id, "at": at}
    found = (await connection.execute(_MEMBER, values)).scalar_one_or_none()
    return MemberId(found) if found else None


_MEMBER = text("""
SELECT member_id FROM hold
WHERE fund_id = :fund_id AND hospital_code = :hospital_code AND encounter_id = :encounter_id AND state = 'open'
  AND stands_until > :at
ORDER BY hold_id DESC LIMIT 1
""")


async def list_kept_rooms(connection: AsyncConnection, fund_id: FundId, bill_ids: Sequence[BillId]) -> list[Promise]:
    """Return what is kept for successors of cancelled bills, as long as nobody has taken or ended it."""
    rows = await connection.execute(_KEPT, {"fund_id": fund_id, "bill_ids": list(bill_ids)})
    return [promise_from_mapping(dict(row)) for row in rows.mappings()]


async def find_last_kept_place(connection: AsyncConnection, fund_id: FundId, bill_id: BillId) -> Promise | None:
    """Return the newest place that was kept of a bill that is still cancelled, whatever became of the place."""
    row = (await connection.execute(_LAST_KEPT, {"fund_id": fund_id, "bill_id": bill_id})).mappings().one_or_none()
    return promise_from_mapping(dict(row)) if row else None


async def find_hold(connection: AsyncConnection, fund_id: FundId, hold_id: HoldId) -> Promise | None:
    """Return one hold by its id, whatever became of it."""
    row = (await connection.execute(_ONE, {"fund_id": fund_id, "hold_id": hold_id})).mappings().one_or_none()
    return promise_from_mapping(dict(row)) if row else None


_ONE = text("""
SELECT hold.*, plan_version.version AS plan_version, plan_version.digest AS plan_digest
FROM hold JOIN plan_version USING (fund_id, plan_version_id)
WHERE fund_id = :fund_id AND hold_id = :hold_id
""")

_KEPT = text("""
SELECT hold.*, plan_version.version AS plan_version, plan_version.digest AS plan_digest
FROM hold JOIN plan_version USING (fund_id, plan_version_id)
WHERE fund_id = :fund_id AND of_bill_id = ANY(CAST(:bill_ids AS uuid[])) AND state = 'open'
ORDER BY hold.number
""")

_LAST_KEPT = text("""
SELECT hold.*, plan_version.version AS plan_version, plan_version.digest AS plan_digest
FROM hold JOIN plan_version USING (fund_id, plan_version_id)
WHERE fund_id = :fund_id AND of_bill_id = :bill_id AND kind = 'successor'
  AND EXISTS (SELECT FROM bill WHERE bill.fund_id = :fund_id AND bill.bill_id = :bill_id AND bill.state = 'reversed')
ORDER BY hold.number DESC LIMIT 1
""")
