"""Examine what is sealed: every envelope opens under the key ring, belongs to its row, and is found by its index."""

from __future__ import annotations

import json
from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.audit import StoredEnvelope, stream_envelopes
from settlement.db.people import certificate_index, number_index, open_identity
from settlement.db.secrets import KeyRing, KeysUnusable
from settlement.domain.audit import Finding, Invariant, Tally
from settlement.domain.ids import MemberId

PERSONS = Invariant(
    "persons_are_sealed",
    "A person's envelope opens under the key ring for that row alone, and the certificate in it has the row's index.",
)
NUMBERS = Invariant(
    "numbers_are_sealed",
    "An insured person number's envelope opens for its person alone, and the number in it has the row's index.",
)
MESSAGES = Invariant("messages_are_sealed", "A raw message opens under the key ring for its row alone.")

NO_KEYS = "no keys were given, so nothing sealed was opened"


async def examine_identities(connection: AsyncConnection, keys: KeyRing | None) -> list[Finding]:
    """Open every sealed value; without keys, say of each that it was not examined."""
    return [
        await _examine(connection, keys, Tally(PERSONS), "person", _person_fits),
        await _examine(connection, keys, Tally(NUMBERS), "person_number", _number_fits),
        await _examine(connection, keys, Tally(MESSAGES), "message_body", _message_fits),
    ]


async def _examine(
    connection: AsyncConnection,
    keys: KeyRing | None,
    tally: Tally,
    table: str,
    fits: Callable[[KeyRing, StoredEnvelope], bool],
) -> Finding:
    async for stored in stream_envelopes(connection, table):
        if keys is None:
            tally.pass_over(NO_KEYS)
        else:
            tally.note(_opens(keys, stored, fits), stored.bound_to)
    return tally.finding()


def _opens(keys: KeyRing, stored: StoredEnvelope, fits: Callable[[KeyRing, StoredEnvelope], bool]) -> bool:
    try:
        return fits(keys, stored)
    except (KeysUnusable, ValueError, KeyError, TypeError):
        return False


def _person_fits(keys: KeyRing, stored: StoredEnvelope) -> bool:
    identity = open_identity(keys, stored.fund_id, MemberId(stored.bound_to), stored.sealed)
    return certificate_index(keys, stored.fund_id, identity.certificate) == stored.index


def _number_fits(keys: KeyRing, stored: StoredEnvelope) -> bool:
    number = keys.open(stored.sealed, stored.fund_id.bytes + stored.bound_to.bytes).decode()
    return number_index(keys, stored.fund_id, number) == stored.index


def _message_fits(keys: KeyRing, stored: StoredEnvelope) -> bool:
    of_bill = stored.bill_id.bytes if stored.bill_id else b""
    content = json.loads(keys.open(stored.sealed, stored.fund_id.bytes + of_bill + stored.bound_to.bytes))
    return bool({"output", "input", "psn_no"} & content.keys())
