"""Examine the seals: the chain, the signatures, the records under them, and what witnesses hold."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.books import DAY_LINES, find_day, list_unsealed_days, stream_seals
from settlement.domain.audit import Finding, Invariant, Tally, findings_of
from settlement.domain.books import Seal
from settlement.services.books.export_seals import Witness
from settlement.services.books.hash_day import hash_day
from settlement.services.books.seal_keys import Verifier

CHAINED = Invariant(
    "seals_form_a_chain",
    "A fund's seals are of its books days from the first on without a gap; each holds its own hash, and that of the "
    "seal before.",
)
SIGNED = Invariant("seals_are_signed", "Each seal was signed with a key that the settings name.")
UNCHANGED = Invariant(
    "sealed_days_unchanged", "The records of each sealed day are those that were sealed, to the last letter."
)
WITNESSED = Invariant("seals_as_witnessed", "Each seal that a witness holds is the one that is kept here.")

NOT_SEALED = "books days are closed and not sealed: is SETTLEMENT_SEAL_KEY_FILE set, and the worker running?"
NO_KEYS = "no key to verify with: set SETTLEMENT_SEAL_PUBLIC_KEYS"


@dataclass(frozen=True, slots=True)
class ChainAsked:
    """That the records under the seals are hashed anew, and what a witness holds, if one was asked."""

    witness: Witness | None = None


@dataclass(frozen=True, slots=True)
class _Tallies:
    chained: Tally = field(default_factory=lambda: Tally(CHAINED))
    signed: Tally = field(default_factory=lambda: Tally(SIGNED))
    unchanged: Tally = field(default_factory=lambda: Tally(UNCHANGED))
    witnessed: Tally = field(default_factory=lambda: Tally(WITNESSED))


async def examine_seals(
    connection: AsyncConnection, verifier: Verifier | None, chain: ChainAsked | None
) -> list[Finding]:
    """Check chain and signatures of every seal; with `chain` the records of each sealed day too, one day at a time.

    Who can write the tables can rewrite a day and every seal since. Without the signing key the signatures fail;
    with it a witness still holds the seals that were there before.
    """
    tallies, previous, seen = _Tallies(), None, dict[tuple[object, int], str]()
    async for seal in stream_seals(connection):
        stated = seal.statement
        if previous is not None and previous.statement.fund_id != stated.fund_id:
            previous = None
        tallies.chained.note(seal.follows(previous), seal.name)
        _examine_signature(seal, verifier, tallies.signed)
        if chain is not None:
            tallies.unchanged.note(await _is_unchanged(connection, seal), seal.name)
        if chain is not None and chain.witness is not None:
            seen[stated.fund_id, stated.books_day] = seal.seal_hash
        previous = seal
    for _ in await list_unsealed_days(connection):
        tallies.chained.pass_over(NOT_SEALED)
    found = [tallies.chained, tallies.signed]
    if chain is not None:
        found.append(tallies.unchanged)
    if chain is not None and chain.witness is not None:
        for (fund_id, day), held in chain.witness.items():
            tallies.witnessed.note(seen.get((fund_id, day)) == held, f"{fund_id} day {day}")
        found.append(tallies.witnessed)
    return findings_of(found)


def _examine_signature(seal: Seal, verifier: Verifier | None, signed: Tally) -> None:
    if verifier is None:
        signed.pass_over(NO_KEYS)
    else:
        signed.note(verifier.verifies(seal), seal.name)


async def _is_unchanged(connection: AsyncConnection, seal: Seal) -> bool:
    """Hash the day's records anew and compare; a day that is gone, open again, or of an unknown format is changed."""
    stated = seal.statement
    day = await find_day(connection, stated.fund_id, stated.books_day)
    if day is None or day.closed_at != stated.closed_at or stated.format not in DAY_LINES:
        return False
    return await hash_day(connection, day, stated.format) == stated.content
