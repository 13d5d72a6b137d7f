"""Hand seals to witnesses: one JSON line each, which a later `settlement doctor --chain --witness` compares."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping

from settlement.db.books import list_seals
from settlement.db.engine import fund_transaction
from settlement.domain.books import Seal, seal_from_json
from settlement.domain.errors import SettlementError
from settlement.domain.ids import FundId
from settlement.services.resources import Resources

AT_ONCE = 200

Witness = Mapping[tuple[FundId, int], str]
"""The seal hashes that a witness holds, by fund and books day."""


class SealMissing(SettlementError):
    """This books day has no seal: it is open, or closed and not sealed yet; `settlement doctor` says which."""

    code = "seal_missing"


class WitnessUnusable(SettlementError):
    """The witness file cannot be used; `why` names the line and what is wrong with it."""

    code = "witness_unusable"


async def export_seals(resources: Resources, fund_id: FundId, since: int = 1) -> AsyncIterator[Seal]:
    """Yield a fund's seals from a books day on, in order."""
    after = since - 1
    while True:
        async with fund_transaction(resources.engine, fund_id) as connection:
            found = await list_seals(connection, fund_id, after, AT_ONCE)
        for seal in found:
            yield seal
        if len(found) < AT_ONCE:
            return
        after = found[-1].statement.books_day


async def export_seal(resources: Resources, fund_id: FundId, number: int) -> Seal:
    """Return the seal of one books day. Raises `SealMissing`."""
    async with fund_transaction(resources.engine, fund_id) as connection:
        found = await list_seals(connection, fund_id, number - 1, 1)
    if not found or found[0].statement.books_day != number:
        raise SealMissing(books_day=number)
    return found[0]


def read_witness(lines: Iterable[str]) -> Witness:
    """Read what was exported to a witness. Raises `WitnessUnusable` for a line that is no seal, or was changed.

    A day that the file names twice must have one hash in it: two are two histories, and the file is refused.
    """
    witness: dict[tuple[FundId, int], str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            seal = seal_from_json(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise WitnessUnusable(why=f"line {number} is not a seal as it was exported") from None
        key = (seal.statement.fund_id, seal.statement.books_day)
        if witness.setdefault(key, seal.seal_hash) != seal.seal_hash:
            raise WitnessUnusable(why=f"line {number} is another seal of a day that an earlier line has")
    if not witness:
        raise WitnessUnusable(why="the witness file holds no seal")
    return witness
