"""What `settlement doctor --chain` finds: a day that was changed, and a history rewritten together with its chain."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from builders import KEYS, City, SteeredClock, a_2304, a_2305, facts, reverse, settle
from database import Databases, as_owner, ops_engine, rows_of
from sealing import ANOTHER, SIGNER, VERIFIER
from settlement.db.audit import snapshot
from settlement.db.books import find_day, stream_seals
from settlement.db.embedded import DatabaseUrls
from settlement.domain.books import Seal
from settlement.services.audit.examine import examine
from settlement.services.audit.examine_seals import ChainAsked
from settlement.services.books import seal_books_days
from settlement.services.books.close_books_day import close_books_day
from settlement.services.books.export_seals import (
    SealMissing,
    Witness,
    WitnessUnusable,
    export_seal,
    export_seals,
    read_witness,
)
from settlement.services.books.hash_day import hash_day
from settlement.services.books.seal_books_days import seal_closed_days
from settlement.services.books.seal_keys import Signer
from settlement.services.resources import Resources

OF_SEALS = {"seals_form_a_chain", "seals_are_signed", "sealed_days_unchanged", "seals_as_witnessed"}


@dataclass(frozen=True, slots=True)
class History:
    """Three sealed days, and what the witness was handed after each."""

    city: City
    urls: DatabaseUrls
    superuser: str
    lines: tuple[str, ...]

    @property
    def witness(self) -> Witness:
        return read_witness(self.lines)

    def day(self, number: int) -> str:
        return f"{self.city.fund_id} day {number}"

    def as_superuser(self, *statements: str) -> None:
        """Change history as nobody can be kept from who owns the machine: no guard, no foreign key, no policy."""
        with psycopg.connect(self.superuser, autocommit=True) as hand:
            hand.execute("SET session_replication_role = replica")
            for statement in statements:
                hand.execute(statement.encode())


@pytest.fixture
async def history(
    resources: Resources, city: City, database: DatabaseUrls, databases: Databases, clock: SteeredClock
) -> History:
    outputs = [a_2304(member) for member in city.members]
    first = await settle(resources, city, outputs[0])
    held = await settle(resources, city, outputs[1], facts(city, discharged_on=None))
    assert held.answer["mutual_aid"]["status"] == "held"
    async with ops_engine(database) as ops:
        for number in (1, 2, 3):
            if number == 2:
                await reverse(resources, city, first, a_2305(outputs[0]))
                await settle(resources, city, outputs[1])
            await settle(resources, city, a_2304(city.members[2]))
            await close_books_day(resources, city.fund_id)
            await seal_closed_days(resources, ops, SIGNER)
            clock.forward(days=1)
    url = make_url(databases.server.superuser_url).set(database=make_url(database.owner).database)
    lines = [json.dumps(seal.to_json()) async for seal in export_seals(resources, city.fund_id)]
    return History(city, database, url.render_as_string(hide_password=False), tuple(lines))


async def found(history: History, witness: Witness | None = None) -> dict[str, tuple[str, ...]]:
    """Return which laws of the seals are broken, and by which days."""
    async with ops_engine(history.urls) as ops:
        examination = await examine(ops, KEYS, verifier=VERIFIER, chain=ChainAsked(witness))
    return {finding.invariant.name: finding.ids for finding in examination.broken if finding.invariant.name in OF_SEALS}


async def rewrite_the_chain(history: History, signer: Signer) -> None:
    """Hash every sealed day anew and chain and sign all seals again, as one who knows this service's own code."""
    async with ops_engine(history.urls) as ops, snapshot(ops) as connection:
        seals = [seal async for seal in stream_seals(connection)]
        previous: Seal | None = None
        statements = []
        for seal in seals:
            day = await find_day(connection, seal.statement.fund_id, seal.statement.books_day)
            assert day is not None
            stated = replace(
                seal.statement,
                content=await hash_day(connection, day, seal.statement.format),
                previous_hash=previous.seal_hash if previous else None,
                key_id=signer.key_id,
            )
            previous = signer.sign(stated)
            statements.append(_set(previous))
    history.as_superuser(*statements)


def _set(seal: Seal) -> str:
    stated, sums = seal.statement, seal.statement.content.sums
    before = f"'{stated.previous_hash}'" if stated.previous_hash else "NULL"
    columns = {
        "counts": f"'{json.dumps(stated.content.counts)}'",
        **{f"{field.name}_fen": str(int(getattr(sums, field.name))) for field in fields(sums)},
        "record_hash": f"'{stated.content.record_hash}'",
        "previous_hash": before,
        "seal_hash": f"'{seal.seal_hash}'",
        "key_id": f"'{stated.key_id}'",
        "signature": f"'{seal.signature}'",
    }
    changes = ", ".join(f"{name} = {value}" for name, value in columns.items())
    return f"UPDATE seal SET {changes} WHERE books_day = {stated.books_day}"


async def test_a_day_that_was_sealed_in_the_first_format_stays_whole_beside_newer_ones(
    resources: Resources, city: City, database: DatabaseUrls, clock: SteeredClock, monkeypatch: pytest.MonkeyPatch
):
    async with ops_engine(database) as ops:
        for format_ in (1, 2):
            await settle(resources, city, a_2304(city.member))
            await close_books_day(resources, city.fund_id)
            with monkeypatch.context() as older:
                older.setattr(seal_books_days, "FORMAT", format_)
                await seal_books_days.seal_closed_days(resources, ops, SIGNER)
            clock.forward(days=1)
        examination = await examine(ops, KEYS, verifier=VERIFIER, chain=ChainAsked(None))
    assert rows_of(database, "SELECT format FROM seal ORDER BY books_day") == [(1,), (2,)]
    assert [finding.invariant.name for finding in examination.broken] == []


async def test_an_honest_history_is_whole_with_and_without_a_witness(history: History):
    assert await found(history) == {}
    assert await found(history, history.witness) == {}


CHANGES = {
    "a member's settlement": "UPDATE settlement SET actor = 'x' WHERE books_day = 1",
    "the hospital that is owed": "UPDATE bill SET hospital_code = 'H37160000009'",
    "the insurer's bill": "UPDATE bill SET insurer_settlement_id = insurer_settlement_id || '9'",
    "the visit": "UPDATE bill SET encounter_id = 'x'",
    "the order of records": "UPDATE settlement SET number = number + 1000000 WHERE books_day = 1",
    "a place": "UPDATE consumption SET place_bill_id = gen_random_uuid()",
    "a receipt's hash": "UPDATE settlement SET receipt_hash = 'x' WHERE books_day = 1",
    "a day of two settlements": "UPDATE settlement SET books_day = 1 WHERE books_day = 2",
    "a reversal": "UPDATE reversal SET reason = 'other'",
    "a reversal that is gone": "DELETE FROM reversal",
    "a posting": "UPDATE posting SET debit = 'payer:oth' WHERE books_day = 1 AND line = 1",
    "a posting of a reversal": "UPDATE posting SET fen = fen + 1 WHERE record = 'reversal'",
    "a posting too many": "INSERT INTO posting SELECT fund_id, bill_id, revision, record, 99, debit, credit, fen, "
    "books_day FROM posting WHERE line = 1 AND books_day = 1",
    "room": "UPDATE consumption SET days = days + 1",
    "room that is gone": "DELETE FROM consumption",
    "an event": "UPDATE event SET payload = '{}' WHERE type = 'settlement.reversed.v1'",
    "an event before the settlement": "UPDATE event SET actor = 'x' WHERE type = 'settlement.held.v1'",
    "an event that is gone": "DELETE FROM event WHERE type = 'settlement.settled.v1'",
    "the day's own times": "UPDATE books_day SET opened_at = opened_at - interval '1 second'",
    "the day's close": "UPDATE books_day SET closed_at = closed_at + interval '1 second' WHERE books_day = 2",
    "the day that is gone": "DELETE FROM books_day WHERE books_day = 2",
    "the seal's sums": "UPDATE seal SET aid_to_card_fen = 1",
}


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES.keys())
async def test_whatever_is_changed_in_a_sealed_day_is_found(history: History, statement: str):
    history.as_superuser(statement)
    assert (await found(history))["sealed_days_unchanged"]


async def test_a_change_is_found_in_its_own_day_and_the_others_are_not_accused(history: History):
    history.as_superuser("UPDATE settlement SET service_date = service_date + 1 WHERE books_day = 2")
    assert await found(history) == {"sealed_days_unchanged": (history.day(2),)}


REWRITE = """UPDATE settlement SET aid_on_bill_fen = aid_on_bill_fen + 100, cash_due_fen = cash_due_fen - 100
    WHERE books_day = 2"""


async def test_history_rewritten_with_its_chain_but_without_the_key_fails_by_its_signatures(history: History):
    history.as_superuser(REWRITE)
    await rewrite_the_chain(history, ANOTHER)
    every_day = tuple(history.day(number) for number in (1, 2, 3))
    assert await found(history) == {"seals_are_signed": every_day}


async def test_a_forger_who_keeps_the_old_signatures_or_the_keys_name_is_found_too(history: History):
    history.as_superuser(REWRITE)
    kept = dict(rows_of(history.urls, "SELECT books_day, signature FROM seal"))
    await rewrite_the_chain(history, ANOTHER)
    history.as_superuser(
        *(
            f"UPDATE seal SET signature = '{signature}', key_id = '{SIGNER.key_id}' WHERE books_day = {day}"
            for day, signature in kept.items()
        )
    )
    assert (await found(history))["seals_are_signed"] == (history.day(2), history.day(3))


async def test_history_rewritten_with_its_chain_and_the_stolen_key_is_found_by_the_witness_alone(history: History):
    history.as_superuser(REWRITE)
    await rewrite_the_chain(history, SIGNER)
    assert await found(history) == {}
    assert await found(history, history.witness) == {"seals_as_witnessed": (history.day(2), history.day(3))}


async def test_a_witness_of_one_day_finds_that_anything_before_it_was_rewritten(history: History):
    history.as_superuser(REWRITE)
    await rewrite_the_chain(history, SIGNER)
    assert await found(history, read_witness(history.lines[2:])) == {"seals_as_witnessed": (history.day(3),)}
    assert await found(history, read_witness(history.lines[:1])) == {}


async def test_seals_that_are_gone_are_missed_by_the_witness_and_counted_as_days_without_a_seal(history: History):
    history.as_superuser("DELETE FROM seal WHERE books_day > 1")
    assert await found(history, history.witness) == {"seals_as_witnessed": (history.day(2), history.day(3))}
    async with ops_engine(history.urls) as ops:
        examination = await examine(ops, KEYS, verifier=VERIFIER)
    assert {f.invariant.name: f.not_examined for f in examination.findings if f.not_examined} == {
        "seals_form_a_chain": 2
    }


async def test_a_seal_taken_out_of_the_chain_breaks_it(history: History):
    history.as_superuser("DELETE FROM seal WHERE books_day = 2")
    assert await found(history) == {"seals_form_a_chain": (history.day(3),)}


def test_the_database_itself_keeps_the_chain_whole(history: History):
    for statement in (
        "DELETE FROM seal WHERE books_day = 2",
        "UPDATE seal SET seal_hash = repeat('0', 64) WHERE books_day = 1",
        "UPDATE seal SET previous_hash = repeat('0', 64) WHERE books_day = 3",
    ):
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            as_owner(history.urls, statement)
    with pytest.raises(psycopg.errors.CheckViolation, match="seal_chain_begins"):
        as_owner(history.urls, "UPDATE seal SET previous_hash = NULL WHERE books_day = 3")


async def test_without_a_public_key_signatures_are_passed_over_and_the_finding_says_so(history: History):
    async with ops_engine(history.urls) as ops:
        examination = await examine(ops, KEYS, chain=ChainAsked())
    passed = {finding.invariant.name: finding.why for finding in examination.findings if finding.not_examined}
    assert list(passed) == ["seals_are_signed"]
    assert "SETTLEMENT_SEAL_PUBLIC_KEYS" in passed["seals_are_signed"]


async def test_seals_are_exported_from_a_day_on_or_one_by_one(history: History, resources: Resources):
    fund_id = history.city.fund_id
    since = [seal.statement.books_day async for seal in export_seals(resources, fund_id, 2)]
    assert since == [2, 3]
    assert json.dumps((await export_seal(resources, fund_id, 2)).to_json()) == history.lines[1]
    with pytest.raises(SealMissing):
        await export_seal(resources, fund_id, 4)


def changed(line: str, **changes: Any) -> str:
    return json.dumps({**json.loads(line), **changes})


async def test_a_witness_file_that_was_changed_is_refused(history: History):
    first, second, _ = history.lines
    assert len(read_witness([first, "\n", first, second])) == 2
    for lines in (
        [],
        ["not json"],
        ["[]"],
        [first, '{"books_day": 2}'],
        [changed(first, aid_to_card="1.00")],
        [changed(first, seal_hash="0" * 64)],
        [changed(first, more=1)],
        [changed(first, counts=None)],
    ):
        with pytest.raises(WitnessUnusable):
            read_witness(lines)


async def test_a_witness_file_with_two_seals_of_one_day_is_two_histories_and_refused(
    history: History, resources: Resources
):
    await rewrite_the_chain(history, ANOTHER)
    rewritten = json.dumps((await export_seal(resources, history.city.fund_id, 1)).to_json())
    with pytest.raises(WitnessUnusable) as refused:
        read_witness([history.lines[0], rewritten])
    assert refused.value.figures["why"] == "line 2 is another seal of a day that an earlier line has"
