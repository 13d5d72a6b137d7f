"""Corruptions that only the owner login can plant, one per law at least, each with what must then be found.

A corruption names the check it is for, the ids that check must name, and every other check that fires because it
must: changed figures, for example, differ from the receipt as well. A constraint in the way is dropped first, and then
`guards_in_place` finds that, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from builders import HANGZHOU_FILE
from database import as_owner, rows_of
from services.eventful import Eventful
from settlement.db.embedded import DatabaseUrls
from settlement.plans.canonical import canonical_json, sha256_hex
from settlement.plans.model import PlanVersion, read_plan

ANOTHER_ID = "01900000-0000-7000-8000-000000000001"
GUARDS = "guards_in_place"


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the eventful city, open to the owner."""

    urls: DatabaseUrls
    eventful: Eventful

    def do(self, *statements: str) -> None:
        """Run statements as the owner."""
        as_owner(self.urls, *statements)

    def drop(self, table: str, *constraints: str) -> None:
        """Take constraints away that stand in the way."""
        self.do(*(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}" for constraint in constraints))

    def unguard(self, *tables: str) -> None:
        """Take the guards of closed books days from tables."""
        self.do(*(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables))

    def one(self, query: str) -> Any:
        """Return the first column of the first row."""
        return rows_of(self.urls, query)[0][0]

    def ids(self, query: str) -> list[object]:
        """Return the first column of every row."""
        return [row[0] for row in rows_of(self.urls, query)]

    def bill(self, name: str) -> str:
        """Return a condition that finds one bill's rows."""
        return f"bill_id = '{self.eventful[name]}'"

    def publish(self, version: PlanVersion, published_at: str, corrects: str | None = None) -> None:
        """Put a version in force by hand, with the draft and the steps that it needs."""
        fund_id, draft_id = self.eventful.city.fund_id, f"{ANOTHER_ID[:-4]}d{version.digest[:3]}"
        document = version.canonical().replace("'", "''")
        named = f"'hangzhou', '{version.version}', '{version.effective_from}'"
        corrected = f"'{corrects}'" if corrects else "NULL"
        office = self.eventful.city.office
        author, approver = office.clerk.account.staff_id, office.head.account.staff_id
        steps = (("checked", "NULL", author), ("approved", "'checked'", approver), ("published", "'approved'", author))
        self.do(
            f"""INSERT INTO plan_draft VALUES ('{fund_id}', '{draft_id}', {named}, {corrected}, '{document}',
                '{version.digest}', '', '{author}', '{published_at}')""",
            *(
                f"""INSERT INTO plan_step VALUES ('{fund_id}', '{draft_id}', '{kind}', {rests_on}, '{author}',
                    '{version.digest}', '{actor}', 0, '[]', NULL, '{published_at}')"""
                for kind, rests_on, actor in steps
            ),
            f"""INSERT INTO plan_version VALUES ('{fund_id}', '{ANOTHER_ID[:-4]}f{version.digest[:3]}', {named},
                '{document}', '{version.digest}', '{published_at}', {corrected}, '{draft_id}', 'published')""",
        )


@dataclass(frozen=True, slots=True)
class Corruption:
    """What is planted: `plant` returns the ids that `check` must name; `also` fires because it must."""

    check: str
    plant: Callable[[Copy], Iterable[object]]
    also: frozenset[str]

    @property
    def name(self) -> str:
        """The name under which the test runs."""
        return f"{self.check}-{self.plant.__name__}"


CORRUPTIONS: list[Corruption] = []


def corruption(check: str, *also: str) -> Callable[[Callable[[Copy], Iterable[object]]], None]:
    """Register a corruption for a check."""

    def register(plant: Callable[[Copy], Iterable[object]]) -> None:
        CORRUPTIONS.append(Corruption(check, plant, frozenset(also)))

    return register


FIGURES = ("receipt_says_what_is_recorded", GUARDS)


@corruption("equation", "balances", *FIGURES)
def billed_is_a_fen_more(copy: Copy) -> Iterable[object]:
    copy.drop("settlement", "settlement_equation", "settlement_composition")
    copy.do(f"UPDATE settlement SET billed_fen = billed_fen + 1 WHERE {copy.bill('live')}")
    return [copy.eventful["live"]]


@corruption("equation", *FIGURES)
def the_kinds_of_cost_are_not_the_bill(copy: Copy) -> Iterable[object]:
    copy.drop("settlement", "settlement_composition")
    copy.do(f"UPDATE settlement SET excluded_fen = excluded_fen - 1 WHERE {copy.bill('live')}")
    return [copy.eventful["live"]]


@corruption("equation", *FIGURES)
def the_patients_share_is_not_account_and_cash(copy: Copy) -> Iterable[object]:
    copy.drop("settlement", "settlement_patient_share")
    copy.do(f"UPDATE settlement SET patient_share_fen = patient_share_fen + 1 WHERE {copy.bill('live')}")
    return [copy.eventful["live"]]


@corruption("equation", *FIGURES)
def cash_is_not_what_is_left_after_aid(copy: Copy) -> Iterable[object]:
    copy.drop("settlement", "settlement_cash_split", "settlement_patient_share")
    copy.do(f"UPDATE settlement SET cash_before_aid_fen = cash_before_aid_fen + 1 WHERE {copy.bill('live')}")
    return [copy.eventful["live"]]


@corruption("not_negative", "postings_match_settlement", GUARDS)
def a_patient_owes_less_than_nothing(copy: Copy) -> Iterable[object]:
    copy.drop("settlement", "settlement_cash_due_not_negative")
    copy.do(
        f"""UPDATE settlement SET other_on_bill_fen = other_on_bill_fen + cash_due_fen + 1, cash_due_fen = -1
            WHERE {copy.bill("live")}"""
    )
    return [copy.eventful["live"]]


@corruption("aid_split", "postings_match_settlement", "balances")
def a_fen_goes_to_the_card_while_cash_is_due(copy: Copy) -> Iterable[object]:
    copy.do(
        f"""UPDATE settlement SET aid_on_bill_fen = aid_on_bill_fen - 1, aid_to_card_fen = aid_to_card_fen + 1,
            cash_due_fen = cash_due_fen + 1 WHERE {copy.bill("live")}"""
    )
    return [copy.eventful["live"]]


@corruption("head_matches_records")
def a_live_bill_says_reversed(copy: Copy) -> Iterable[object]:
    copy.do(f"UPDATE bill SET state = 'reversed' WHERE {copy.bill('live')}")
    return [copy.eventful["live"]]


@corruption("head_matches_records")
def a_reversed_bill_says_live(copy: Copy) -> Iterable[object]:
    copy.do(f"UPDATE bill SET state = 'live' WHERE {copy.bill('reversed')}")
    return [copy.eventful["reversed"]]


@corruption("head_matches_records")
def a_live_bill_says_held(copy: Copy) -> Iterable[object]:
    copy.do(f"""UPDATE bill SET state = 'held', question = '{{"code": "x", "figures": {{}}}}'
                WHERE {copy.bill("live")}""")
    return [copy.eventful["live"]]


@corruption("head_matches_records", GUARDS)
def a_held_bill_asks_nothing(copy: Copy) -> Iterable[object]:
    copy.drop("bill", "bill_held_has_question")
    copy.do(f"UPDATE bill SET question = NULL WHERE {copy.bill('held')}")
    return [copy.eventful["held"]]


@corruption("head_matches_records")
def a_bill_cancelled_unseen_is_of_a_settlement(copy: Copy) -> Iterable[object]:
    copy.do(f"UPDATE bill SET state = 'cancelled_unseen' WHERE {copy.bill('live')}")
    return [copy.eventful["live"]]


@corruption("head_matches_records")
def a_head_names_a_revision_that_is_not_there(copy: Copy) -> Iterable[object]:
    copy.do(f"UPDATE bill SET revision = 2 WHERE {copy.bill('live')}")
    return [copy.eventful["live"]]


@corruption("one_bill_per_insurer_settlement", GUARDS)
def the_same_insurer_settlement_twice(copy: Copy) -> Iterable[object]:
    copy.drop("bill", "bill_once")
    copy.do(
        f"""INSERT INTO bill (fund_id, bill_id, area, insurer_settlement_id, state, revision, settlement_no, door,
                              created_at, event_count)
            SELECT fund_id, '{ANOTHER_ID}', area, insurer_settlement_id, 'cancelled_unseen', 0, 'HZ-2', door,
                   created_at, 1 FROM bill WHERE {copy.bill("live")}""",
        f"""INSERT INTO event (fund_id, bill_id, sequence, event_id, type, payload, actor, recorded_at)
            SELECT fund_id, '{ANOTHER_ID}', 1, gen_random_uuid(), 'settlement.cancelled_unseen.v1', '{{}}', actor,
                   now() FROM event WHERE {copy.bill("live")}""",
    )
    return [copy.eventful["live"], ANOTHER_ID]


@corruption("one_bill_per_number", GUARDS)
def one_number_for_two_bills(copy: Copy) -> Iterable[object]:
    copy.drop("bill", "bill_number_once")
    number = copy.one(f"SELECT settlement_no FROM bill WHERE {copy.bill('live')}")
    copy.do(f"UPDATE bill SET settlement_no = '{number}' WHERE {copy.bill('cancelled_unseen')}")
    return [copy.eventful["live"], copy.eventful["cancelled_unseen"]]


@corruption("one_reversal_per_revision", GUARDS, "used_room_is_the_sum")
def a_revision_is_reversed_twice(copy: Copy) -> Iterable[object]:
    copy.drop("reversal", "reversal_pk")
    copy.unguard("reversal")
    copy.do(
        f"""INSERT INTO reversal SELECT fund_id, bill_id, revision, '{ANOTHER_ID}', reason, seen_by,
            cancelling_settlement_id, business_date, books_day, actor, recorded_at FROM reversal"""
    )
    return [copy.eventful["reversed"]]


@corruption("postings_match_settlement")
def a_posting_is_of_another_account(copy: Copy) -> Iterable[object]:
    copy.do(f"UPDATE posting SET debit = 'payer:oth' WHERE debit = 'payer:hifp' AND {copy.bill('live')}")
    return [copy.eventful["live"]]


@corruption("reversal_postings_swapped")
def a_reversal_undoes_another_account(copy: Copy) -> Iterable[object]:
    copy.do("UPDATE posting SET credit = 'payer:oth' WHERE credit = 'payer:hifp' AND record = 'reversal'")
    return [copy.eventful["reversed"]]


@corruption("reversal_postings_swapped", "balances", "records_in_their_books_day", GUARDS)
def a_bill_that_is_not_reversed_has_postings_that_undo_it(copy: Copy) -> Iterable[object]:
    copy.unguard("posting")
    copy.do(
        f"""INSERT INTO posting SELECT fund_id, bill_id, revision, 'reversal', line, credit, debit, fen, books_day
            FROM posting WHERE {copy.bill("live")}"""
    )
    return [copy.eventful["live"]]


@corruption("consumption_is_the_aid", "room_taken_as_computed")
def room_for_a_fen_more_than_the_aid(copy: Copy) -> Iterable[object]:
    copy.do(f"UPDATE consumption SET paid_fen = paid_fen + 1 WHERE {copy.bill('with_other')}")
    return [copy.eventful["with_other"]]


@corruption("consumption_is_the_aid", GUARDS)
def room_without_a_settlement(copy: Copy) -> Iterable[object]:
    copy.drop("consumption", "consumption_settlement_fk")
    copy.do(
        f"""INSERT INTO consumption SELECT fund_id, member_id, plan_code, benefit, '1999', '{ANOTHER_ID}', 1,
            1, 1, 1, 0, 0 FROM consumption WHERE {copy.bill("with_other")}"""
    )
    return [ANOTHER_ID]


@corruption("room_taken_as_computed")
def a_base_that_the_plan_does_not_compute(copy: Copy) -> Iterable[object]:
    copy.do(f"UPDATE consumption SET base_fen = base_fen + 1 WHERE {copy.bill('with_other')}")
    return [copy.eventful["with_other"]]


@corruption("limits", "consumption_is_the_aid", "room_taken_as_computed")
def a_member_was_paid_a_fen_beyond_the_limit(copy: Copy) -> Iterable[object]:
    copy.do(f"UPDATE consumption SET paid_fen = 3020001 WHERE {copy.bill('with_other')}")
    return [copy.eventful.city.members[2].member_id]


@corruption("limits", "room_taken_as_computed")
def a_bill_took_less_than_nothing(copy: Copy) -> Iterable[object]:
    copy.do(f"UPDATE consumption SET base_fen = -1 WHERE {copy.bill('with_other')}")
    return [copy.eventful.city.members[2].member_id]


@corruption("receipt_hash")
def another_hash(copy: Copy) -> Iterable[object]:
    copy.do(f"UPDATE settlement SET receipt_hash = repeat('0', 64) WHERE {copy.bill('pushed')}")
    return [copy.eventful["pushed"]]


@corruption("receipt_hash", "settlement_replays")
def another_clause(copy: Copy) -> Iterable[object]:
    copy.do(
        f"""UPDATE settlement SET receipt = jsonb_set(receipt, '{{result,0,steps,0,clause}}', '"别的条款"')
            WHERE {copy.bill("pushed")}"""
    )
    return [copy.eventful["pushed"]]


def _rewrite_receipt(copy: Copy, bill: str, change: Callable[[dict[str, Any]], None]) -> Iterable[object]:
    """Change a receipt and its hash together, as somebody would who knows how they are made."""
    receipt = copy.one(f"SELECT receipt FROM settlement WHERE {copy.bill(bill)}")
    change(receipt)
    text, digest = json.dumps(receipt).replace("'", "''"), sha256_hex(canonical_json(receipt))
    copy.do(f"UPDATE settlement SET receipt = '{text}', receipt_hash = '{digest}' WHERE {copy.bill(bill)}")
    return [copy.eventful[bill]]


@corruption("settlement_replays")
def another_clause_with_its_hash(copy: Copy) -> Iterable[object]:
    return _rewrite_receipt(
        copy, "pushed", lambda receipt: receipt["result"][0]["steps"][0].update(clause="another clause")
    )


@corruption("settlement_replays", "receipt_says_what_is_recorded", "room_taken_as_computed", "used_room_is_the_sum")
def a_receipt_that_cannot_be_read(copy: Copy) -> Iterable[object]:
    def emptied(receipt: dict[str, Any]) -> None:
        receipt.update(inputs=[], used_before=7)

    return _rewrite_receipt(copy, "pushed", emptied)


@corruption("receipt_says_what_is_recorded")
def a_receipt_of_another_engine(copy: Copy) -> Iterable[object]:
    return _rewrite_receipt(copy, "pushed", lambda receipt: receipt.update(engine_version="0"))


@corruption("used_room_is_the_sum")
def a_receipt_found_something_used_that_was_not(copy: Copy) -> Iterable[object]:
    return _rewrite_receipt(copy, "pushed", lambda receipt: receipt["used_before"]["inpatient"].update(times=1))


@corruption("events_without_gap")
def an_event_has_the_wrong_number(copy: Copy) -> Iterable[object]:
    copy.do(f"UPDATE event SET sequence = 2 WHERE {copy.bill('not_numbered')}")
    return [copy.eventful["not_numbered"]]


@corruption("events_without_gap", "events_tell_every_record")
def an_event_is_gone(copy: Copy) -> Iterable[object]:
    copy.do(f"DELETE FROM event WHERE {copy.bill('not_numbered')}")
    return [copy.eventful["not_numbered"]]


@corruption("positions_without_gap")
def a_gap_between_positions(copy: Copy) -> Iterable[object]:
    last = f"fund_id = '{copy.eventful.city.fund_id}' ORDER BY position DESC LIMIT 1"
    event_id = copy.one(f"SELECT event_id FROM event_position WHERE {last}")
    copy.do(f"UPDATE event_position SET position = position + 1 WHERE event_id = '{event_id}'")
    return [event_id]


@corruption("positions_without_gap", GUARDS)
def a_position_of_no_event(copy: Copy) -> Iterable[object]:
    copy.drop("event_position", "event_position_event_fk")
    last = f"fund_id = '{copy.eventful.city.fund_id}' ORDER BY position DESC LIMIT 1"
    event_id = copy.one(f"SELECT event_id FROM event_position WHERE {last}")
    copy.do(f"UPDATE event_position SET event_id = '{ANOTHER_ID}' WHERE event_id = '{event_id}'")
    return [ANOTHER_ID]


@corruption("positions_without_gap")
def an_event_that_the_numbering_passed_by(copy: Copy) -> Iterable[object]:
    last = f"fund_id = '{copy.eventful.city.fund_id}' ORDER BY position DESC LIMIT 1"
    event_id = copy.one(f"SELECT event_id FROM event_position WHERE {last}")
    copy.do(
        f"DELETE FROM event_position WHERE event_id = '{event_id}'",
        f"UPDATE event SET recorded_at = recorded_at - interval '3 days' WHERE event_id = '{event_id}'",
    )
    return [event_id]


@corruption("positions_without_gap")
def a_reversal_is_told_before_its_settlement(copy: Copy) -> Iterable[object]:
    settled, undone = (
        copy.one(f"SELECT event_id FROM event WHERE sequence = {sequence} AND {copy.bill('reversed')}")
        for sequence in (1, 2)
    )
    first, second = (
        copy.one(f"SELECT position FROM event_position WHERE event_id = '{event_id}'") for event_id in (settled, undone)
    )
    copy.do(
        f"UPDATE event_position SET position = 1000 WHERE event_id = '{settled}'",
        f"UPDATE event_position SET position = {first} WHERE event_id = '{undone}'",
        f"UPDATE event_position SET position = {second} WHERE event_id = '{settled}'",
    )
    return [undone]


@corruption("events_tell_every_record")
def a_settlement_that_no_event_told(copy: Copy) -> Iterable[object]:
    copy.do(f"UPDATE event SET type = 'settlement.confirmed.v1' WHERE {copy.bill('live')}")
    return [copy.eventful["live"]]


def _answer_to(copy: Copy, bill: str) -> tuple[str, Iterable[object]]:
    condition = f"body ->> 'id' = '{copy.eventful[bill]}'"
    return condition, [copy.one(f"SELECT client_id || ' ' || key FROM idempotency WHERE {condition}")]


@corruption("answers_name_their_bills")
def an_answer_names_no_bill_of_ours(copy: Copy) -> Iterable[object]:
    condition, ids = _answer_to(copy, "live")
    copy.do(f"""UPDATE idempotency SET body = jsonb_set(body::jsonb, '{{id}}', '"{ANOTHER_ID}"') WHERE {condition}""")
    return ids


@corruption("answers_name_their_bills")
def an_answer_about_nothing_created_something(copy: Copy) -> Iterable[object]:
    nothing = "body ->> 'id' IS NULL"
    copy.do(f"UPDATE idempotency SET status = 201 WHERE {nothing}")
    return [row[0] for row in rows_of(copy.urls, f"SELECT client_id || ' ' || key FROM idempotency WHERE {nothing}")]


@corruption("answers_name_their_bills")
def two_answers_created_one_bill(copy: Copy) -> Iterable[object]:
    condition, (answer,) = _answer_to(copy, "live")
    copy.do(
        f"""INSERT INTO idempotency SELECT fund_id, client_id, 'again', fingerprint, status, body, recorded_at
            FROM idempotency WHERE {condition}"""
    )
    return [answer, f"{str(answer).split()[0]} again"]


@corruption("answers_name_their_bills")
def an_answer_about_a_draft_that_is_not(copy: Copy) -> Iterable[object]:
    copy.do(
        f"""INSERT INTO idempotency VALUES ('{copy.eventful.city.fund_id}', 'someone', 'plan', 'x', 201,
            '{{"draft_id": "{ANOTHER_ID}", "state": "checked"}}', now())"""
    )
    return ["someone plan"]


@corruption("answers_name_their_bills")
def an_answer_about_a_list_that_is_not(copy: Copy) -> Iterable[object]:
    copy.do(
        f"""INSERT INTO idempotency VALUES ('{copy.eventful.city.fund_id}', 'someone', 'list', 'x', 201,
            '{{"list": {{"id": "{ANOTHER_ID}"}}}}', now())"""
    )
    return ["someone list"]


@corruption("one_open_books_day")
def no_day_is_open(copy: Copy) -> Iterable[object]:
    fund_id = copy.eventful.city.fund_id
    copy.do(f"UPDATE books_day SET closed_at = now() WHERE closed_at IS NULL AND fund_id = '{fund_id}'")
    return [fund_id]


@corruption("one_open_books_day", GUARDS)
def two_days_are_open(copy: Copy) -> Iterable[object]:
    copy.unguard("books_day")
    copy.do("DROP INDEX books_day_one_open", "UPDATE books_day SET closed_at = NULL")
    return [copy.eventful.city.fund_id]


@corruption("records_in_their_books_day", GUARDS)
def a_record_in_a_day_that_never_was(copy: Copy) -> Iterable[object]:
    copy.drop("settlement", "settlement_books_day_fk")
    copy.do(f"UPDATE settlement SET books_day = 99 WHERE {copy.bill('live')}")
    return [copy.eventful["live"]]


@corruption("records_in_their_books_day")
def a_reversal_in_an_earlier_day_than_its_settlement(copy: Copy) -> Iterable[object]:
    reversed_bill = copy.bill("reversed")
    copy.do(
        f"UPDATE settlement SET books_day = 2 WHERE {reversed_bill}",
        f"UPDATE posting SET books_day = 2 WHERE record = 'settlement' AND {reversed_bill}",
    )
    return [copy.eventful["reversed"]]


@corruption("chains_are_whole")
def a_bill_replaces_one_that_does_not_know_it(copy: Copy) -> Iterable[object]:
    first = copy.eventful["reversed"]
    copy.do(f"UPDATE bill SET replaces_bill_id = '{first}', place_bill_id = '{first}' WHERE {copy.bill('live')}")
    return [copy.eventful["live"]]


@corruption("plan_versions_unchanged", GUARDS)
def a_published_text_is_another(copy: Copy) -> Iterable[object]:
    copy.drop("plan_version", "plan_version_digest")
    fund_id = copy.eventful.city.fund_id
    copy.do(f"UPDATE plan_version SET document = document || ' ' WHERE fund_id = '{fund_id}'")
    return [copy.one(f"SELECT plan_version_id FROM plan_version WHERE fund_id = '{fund_id}'")]


@corruption(
    "plan_versions_unchanged", "receipt_says_what_is_recorded", "settlement_replays", "room_taken_as_computed", GUARDS
)
def a_published_text_is_no_plan(copy: Copy) -> Iterable[object]:
    copy.drop("plan_version", "plan_version_digest")
    fund_id = copy.eventful.city.fund_id
    copy.do(f"UPDATE plan_version SET document = '{{}}' WHERE fund_id = '{fund_id}'")
    return [copy.one(f"SELECT plan_version_id FROM plan_version WHERE fund_id = '{fund_id}'")]


@corruption("version_was_in_force")
def another_version_was_in_force(copy: Copy) -> Iterable[object]:
    published = read_plan(HANGZHOU_FILE).versions[0]
    body = published.body.model_copy(update={"version": "2019", "effective_from": date(2019, 1, 1)})
    later = PlanVersion(format=1, header=published.header, body=body)
    fund_id = copy.eventful.city.fund_id
    copy.publish(later, "2019-01-01")
    under_a_plan = f"plan_version_id IS NOT NULL AND fund_id = '{fund_id}'"
    return [row[0] for row in rows_of(copy.urls, f"SELECT bill_id FROM settlement WHERE {under_a_plan}")]


@corruption("version_was_in_force")
def another_version_of_the_same_day_was_in_force(copy: Copy) -> Iterable[object]:
    copy.do("UPDATE plan_version SET published_at = '2024-01-01' WHERE version = '2018'")
    copy.publish(a_correction(), "2025-01-01", corrects="2018")
    under_a_plan = f"plan_version_id IS NOT NULL AND fund_id = '{copy.eventful.city.fund_id}'"
    return [row[0] for row in rows_of(copy.urls, f"SELECT bill_id FROM settlement WHERE {under_a_plan}")]


def a_correction() -> PlanVersion:
    """Return a version that begins on the day of the published one, under another name."""
    published = read_plan(HANGZHOU_FILE).versions[0]
    body = published.body.model_copy(update={"version": "2018b"})
    return PlanVersion(format=1, header=published.header, body=body)


def version_id(copy: Copy, version: str) -> object:
    fund_id = copy.eventful.city.fund_id
    return copy.one(f"SELECT plan_version_id FROM plan_version WHERE fund_id = '{fund_id}' AND version = '{version}'")


@corruption("versions_were_approved", GUARDS)
def a_version_was_approved_by_its_author(copy: Copy) -> Iterable[object]:
    copy.drop("plan_step", "plan_step_two_people")
    copy.do(
        f"""UPDATE plan_step SET actor_id = author_id
            WHERE kind = 'approved' AND fund_id = '{copy.eventful.city.fund_id}'"""
    )
    return [version_id(copy, "2018")]


@corruption("versions_were_approved", GUARDS)
def a_version_nobody_approved(copy: Copy) -> Iterable[object]:
    copy.drop("plan_step", "plan_step_rests_fk")
    copy.do(f"DELETE FROM plan_step WHERE kind = 'approved' AND fund_id = '{copy.eventful.city.fund_id}'")
    return [version_id(copy, "2018")]


@corruption("versions_were_approved", GUARDS)
def a_version_that_was_rejected(copy: Copy) -> Iterable[object]:
    copy.do("DROP INDEX plan_step_one_verdict", "DROP INDEX plan_step_one_end")
    copy.do(
        f"""INSERT INTO plan_step
            SELECT fund_id, draft_id, 'rejected', NULL, author_id, digest, actor_id, 0, '[]', 'x', at
            FROM plan_step WHERE kind = 'approved' AND fund_id = '{copy.eventful.city.fund_id}'"""
    )
    return [version_id(copy, "2018")]


@corruption("versions_were_approved")
def a_correction_from_before_what_it_corrects(copy: Copy) -> Iterable[object]:
    copy.publish(a_correction(), "2020-01-01", corrects="2018")
    copy.do("UPDATE plan_version SET published_at = '2030-01-01' WHERE version = '2018'")
    return [version_id(copy, "2018b")]


@corruption("one_version_is_in_force", GUARDS)
def two_versions_begin_on_one_day(copy: Copy) -> Iterable[object]:
    copy.do("DROP INDEX plan_version_start_once")
    copy.publish(a_correction(), "2030-01-01")
    return [version_id(copy, "2018"), version_id(copy, "2018b")]


@corruption("persons_are_sealed")
def an_envelope_of_another_person(copy: Copy) -> Iterable[object]:
    first, second = (member.member_id for member in copy.eventful.city.members[:2])
    copy.do(
        f"""UPDATE person SET envelope = (SELECT envelope FROM person WHERE person_id = '{second}')
            WHERE person_id = '{first}'"""
    )
    return [first]


@corruption("persons_are_sealed")
def an_index_of_another_certificate(copy: Copy) -> Iterable[object]:
    first = copy.eventful.city.member.member_id
    copy.do(f"UPDATE person SET certificate_index = sha256('x') WHERE person_id = '{first}'")
    return [first]


@corruption("numbers_are_sealed")
def a_number_in_the_clear(copy: Copy) -> Iterable[object]:
    first = copy.eventful.city.member
    number = first.insured_person_no
    copy.do(f"UPDATE person_number SET envelope = '{number}'::bytea WHERE person_id = '{first.member_id}'")
    return [first.member_id]


@corruption("messages_are_sealed")
def a_message_under_an_unknown_key(copy: Copy) -> Iterable[object]:
    copy.do(f"UPDATE message_body SET key_id = 'lost' WHERE {copy.bill('live')}")
    return [copy.one(f"SELECT message_id FROM message_body WHERE {copy.bill('live')}")]


@corruption("messages_are_sealed")
def two_bills_messages_are_swapped(copy: Copy) -> Iterable[object]:
    of_bill = {copy.eventful[name]: copy.eventful[other] for name, other in (("live", "split"), ("split", "live"))}
    messages = {
        bill_id: copy.one(f"SELECT message_id FROM message_body WHERE bill_id = '{bill_id}'") for bill_id in of_bill
    }
    copy.do(
        *(
            f"UPDATE message_body SET bill_id = '{other}' WHERE message_id = '{messages[bill_id]}'"
            for bill_id, other in of_bill.items()
        )
    )
    return messages.values()


@corruption("members_are_persons", GUARDS)
def a_member_who_is_nobody(copy: Copy) -> Iterable[object]:
    copy.drop("member", "member_person_fk")
    copy.do(f"INSERT INTO member VALUES ('{copy.eventful.city.fund_id}', '{ANOTHER_ID}', now())")
    return [ANOTHER_ID]


@corruption("records_cannot_be_changed")
def the_service_may_update_settlements(copy: Copy) -> Iterable[object]:
    copy.do("GRANT UPDATE ON settlement TO settlement_app")
    return ["settlement_app may update settlement"]


@corruption("records_cannot_be_changed")
def everybody_may_delete_postings(copy: Copy) -> Iterable[object]:
    copy.do("GRANT DELETE ON posting TO PUBLIC")
    return ["settlement_app may delete posting", "settlement_ops may delete posting"]


@corruption("records_cannot_be_changed")
def the_worker_may_truncate_events(copy: Copy) -> Iterable[object]:
    copy.do("GRANT TRUNCATE ON event TO settlement_ops")
    return ["settlement_ops may truncate event"]


@corruption("records_cannot_be_changed")
def the_service_may_rename_a_bill(copy: Copy) -> Iterable[object]:
    copy.do("GRANT UPDATE (area) ON bill TO settlement_app")
    return ["settlement_app may update bill.area"]


@corruption("funds_do_not_see_each_other")
def row_level_security_is_off(copy: Copy) -> Iterable[object]:
    copy.do("ALTER TABLE bill DISABLE ROW LEVEL SECURITY")
    return ["bill has no row-level security"]


@corruption("funds_do_not_see_each_other")
def a_policy_opens_a_table_to_all_funds(copy: Copy) -> Iterable[object]:
    copy.do("CREATE POLICY wide_open ON bill USING (true)")
    return ["bill is opened by wide_open"]


@corruption("funds_do_not_see_each_other")
def a_table_without_a_policy(copy: Copy) -> Iterable[object]:
    copy.do("DROP POLICY bill_of_this_fund ON bill")
    return ["bill has no policy of its fund"]


@corruption("funds_do_not_see_each_other")
def a_table_without_a_fund(copy: Copy) -> Iterable[object]:
    copy.do("CREATE TABLE loose (id uuid)")
    return ["loose has no row-level security", "loose has no policy of its fund", "loose has no fund"]


@corruption("member_was_covered")
def a_cover_that_ended_before_the_stay(copy: Copy) -> Iterable[object]:
    third = copy.eventful.city.members[2].member_id
    copy.do(f"UPDATE membership SET last_day = first_day WHERE member_id = '{third}'")
    return [copy.eventful["with_other"]]


@corruption("balances", "postings_match_settlement", GUARDS)
def an_aid_posting_too_much(copy: Copy) -> Iterable[object]:
    copy.unguard("posting")
    copy.do(
        f"""INSERT INTO posting SELECT fund_id, bill_id, revision, record, 99, 'aid', 'payable:member', 1, books_day
            FROM posting WHERE line = 1 AND {copy.bill("live")}"""
    )
    fund_id = copy.eventful.city.fund_id
    return [f"{fund_id} aid", f"{fund_id} payable:member"]


@corruption("pending_is_watched")
def a_pending_message_that_nobody_asks_about(copy: Copy) -> Iterable[object]:
    copy.do("DELETE FROM pending_question")
    return [copy.eventful["pending"]]


@corruption("pending_is_watched")
def a_message_is_resolved_without_an_answer(copy: Copy) -> Iterable[object]:
    copy.do(f"UPDATE bill SET state = 'resolved' WHERE {copy.bill('pending')}")
    return [copy.eventful["pending"]]


@corruption("nothing_hangs_loose")
def a_matter_of_no_bill(copy: Copy) -> Iterable[object]:
    copy.drop("worklist_item", "worklist_item_bill_fk")
    copy.do(f"UPDATE worklist_item SET bill_id = '{ANOTHER_ID}'")
    return [ANOTHER_ID]


@corruption("nothing_hangs_loose", GUARDS)
def a_bill_of_no_member(copy: Copy) -> Iterable[object]:
    copy.drop("bill", "bill_member_fk")
    copy.do(f"UPDATE bill SET member_id = '{ANOTHER_ID}' WHERE {copy.bill('held')}")
    return [copy.eventful["held"]]


@corruption("seals_form_a_chain", "seals_are_signed")
def a_seal_that_says_more(copy: Copy) -> Iterable[object]:
    copy.do("UPDATE seal SET aid_on_bill_fen = aid_on_bill_fen + 1")
    return [f"{copy.eventful.city.fund_id} day 1"]


@corruption("seals_are_signed")
def a_signature_of_something_else(copy: Copy) -> Iterable[object]:
    copy.do("UPDATE seal SET signature = 'bm90aGluZw=='")
    return [f"{copy.eventful.city.fund_id} day 1"]


@corruption("events_without_gap")
def an_event_of_the_fund_that_came_second_and_alone(copy: Copy) -> Iterable[object]:
    copy.do("UPDATE event SET sequence = 2 WHERE bill_id IS NULL")
    return [copy.eventful.city.fund_id]


@corruption(GUARDS)
def a_guard_of_closed_days_is_off(copy: Copy) -> Iterable[object]:
    copy.do("ALTER TABLE settlement DISABLE TRIGGER settlement_in_open_day")
    return ["settlement_in_open_day"]


@corruption(GUARDS)
def a_constraint_is_gone(copy: Copy) -> Iterable[object]:
    copy.drop("posting", "posting_two_accounts")
    return ["posting_two_accounts"]


@corruption(GUARDS)
def a_constraint_is_not_of_every_row(copy: Copy) -> Iterable[object]:
    copy.drop("posting", "posting_fen_positive")
    copy.do("ALTER TABLE posting ADD CONSTRAINT posting_fen_positive CHECK (fen > 0) NOT VALID")
    return ["posting_fen_positive"]


@corruption("promises_kept", GUARDS)
def a_kept_promise_had_promised_more(copy: Copy) -> Iterable[object]:
    copy.drop("settlement", "settlement_keeps_promise")
    copy.do(
        f"""UPDATE hold SET aid_on_bill_fen = aid_on_bill_fen + 1, cash_due_fen = cash_due_fen - 1
            WHERE {copy.bill("kept_promise")}"""
    )
    return copy.ids("SELECT hold_id FROM hold WHERE state = 'kept'")


@corruption("promises_kept", "used_room_is_the_sum")
def a_kept_promise_has_no_settlement(copy: Copy) -> Iterable[object]:
    copy.do("UPDATE settlement SET hold_id = NULL WHERE hold_id IS NOT NULL")
    return copy.ids("SELECT hold_id FROM hold WHERE state = 'kept'")


@corruption("promises_kept", GUARDS, "used_room_is_the_sum")
def two_holds_of_one_batch_are_open(copy: Copy) -> Iterable[object]:
    copy.drop("hold", "hold_one_open")
    copy.do("UPDATE hold SET state = 'open', ended_at = NULL, end_number = NULL WHERE state = 'replaced'")
    return copy.ids("SELECT hold_id FROM hold WHERE state = 'open' AND kind = 'counter'")


@corruption("used_room_is_the_sum")
def a_kept_place_holds_more_than_its_bill_gave_back(copy: Copy) -> Iterable[object]:
    copy.do(
        """UPDATE hold_room SET base_fen = base_fen + 1, burden_fen = burden_fen + 1 FROM hold
           WHERE hold.hold_id = hold_room.hold_id AND hold.kind = 'successor' AND benefit <> '_stay'"""
    )
    later = "each.number > kept.number AND each.number < COALESCE(kept.end_number, each.number + 1)"
    return copy.ids(
        f"""SELECT hold_id FROM hold WHERE kind = 'successor'
            UNION SELECT each.bill_id FROM settlement AS each JOIN hold AS kept USING (fund_id, member_id)
            WHERE kept.kind = 'successor' AND {later}
            UNION SELECT each.hold_id FROM hold AS each JOIN hold AS kept USING (fund_id, member_id)
            WHERE kept.kind = 'successor' AND {later}"""
    )


@corruption("promises_kept", "used_room_is_the_sum")
def an_open_hold_takes_less_room_than_its_aid(copy: Copy) -> Iterable[object]:
    copy.do(
        """UPDATE hold_room SET paid_fen = paid_fen - 1 FROM hold
           WHERE hold.hold_id = hold_room.hold_id AND hold.state = 'open' AND benefit <> '_stay'"""
    )
    return copy.ids("SELECT hold_id FROM hold WHERE state = 'open'")
