"""The laws of the record that one query can check, each by a name, as the login that reads every fund.

Each query is written from the law and trusts no constraint: a constraint may be missing in the database at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.domain.audit import MOST_IDS, Finding, Invariant

CLOCKS_APART = "interval '1 hour'"
"""What two machines' clocks, and a transaction between reading its clock and committing, are at most apart."""


@dataclass(frozen=True, slots=True)
class SqlCheck:
    """An invariant with two queries: `examined` counts what is looked at, `offending` yields ids that break it."""

    invariant: Invariant
    examined: str
    offending: str


async def run_check(connection: AsyncConnection, check: SqlCheck, values: Mapping[str, Any] | None = None) -> Finding:
    """Run one check; the first offending ids in their order, and the count of all."""
    examined = (await connection.execute(text(check.examined))).scalar_one()
    statement = f"""
        SELECT id, count(*) OVER () AS broken
        FROM (SELECT DISTINCT id::text AS id FROM ({check.offending}) AS offending (id)) AS offender
        ORDER BY id LIMIT {MOST_IDS}
    """
    rows = (await connection.execute(text(statement), dict(values or {}))).all()
    broken = rows[0].broken if rows else 0
    return Finding(check.invariant, examined, broken, tuple(row.id for row in rows))


EQUATION = SqlCheck(
    Invariant(
        "equation",
        "Billed is what the insurer's funds, the hospital, the account, mutual aid, others and the patient pay, "
        "and the sum of its kinds of cost; the patient's share is account and cash, and aid comes out of that cash.",
    ),
    "SELECT count(*) FROM settlement",
    """
    SELECT bill_id FROM settlement
    WHERE billed_fen IS DISTINCT FROM hifp_fen + cvlserv_fen + hifes_fen + hifmi_fen + hifob_fen + hifdm_fen + maf_fen
              + oth_fen + unnamed_fen + provider_absorbed_fen + account_paid_fen
              + aid_on_bill_fen + other_on_bill_fen + cash_due_fen
       OR billed_fen IS DISTINCT FROM excluded_fen + over_limit_fen + upfront_share_fen + allowed_fen
       OR patient_share_fen IS DISTINCT FROM account_paid_fen + cash_before_aid_fen
       OR cash_before_aid_fen IS DISTINCT FROM aid_on_bill_fen + other_on_bill_fen + cash_due_fen
    """,
)

NOT_NEGATIVE = SqlCheck(
    Invariant(
        "not_negative", "No patient owes less than nothing, and neither aid nor another payer's part is negative."
    ),
    "SELECT count(*) FROM settlement",
    """
    SELECT bill_id FROM settlement
    WHERE (LEAST(aid_on_bill_fen, aid_to_card_fen, other_on_bill_fen, cash_due_fen) >= 0) IS NOT TRUE
    """,
)

AID_SPLIT = SqlCheck(
    Invariant(
        "aid_split",
        "Aid stands on the bill as far as there is cash to pay and only what exceeds it goes to the card, "
        "or all of it goes to the card; what a later revision gives more than the patient was shown goes to the card. "
        "A settlement without a plan version has no aid.",
    ),
    "SELECT count(*) FROM settlement",
    """
    SELECT bill_id FROM settlement
    WHERE (revision = 1 AND aid_on_bill_fen > 0 AND aid_to_card_fen > 0 AND cash_due_fen > 0)
       OR (plan_version_id IS NULL AND aid_on_bill_fen + aid_to_card_fen <> 0)
    """,
)

HEAD = SqlCheck(
    Invariant(
        "head_matches_records",
        "A bill's head says what its records say: live has a settlement of its revision and no reversal of it, "
        "reversed has both, held has a question and nothing live, cancelled before it came has nothing; revisions "
        "count from 1 and all but the last are reversed; the business date is the first revision's, the member the "
        "shown one's.",
    ),
    "SELECT count(*) FROM bill",
    """
    WITH record AS (
        SELECT s.fund_id, s.bill_id, count(*) AS revisions, max(s.revision) AS newest,
               count(*) FILTER (WHERE undone IS NULL) AS live,
               max(s.revision) FILTER (WHERE undone IS NULL) AS live_revision
        FROM settlement AS s
        LEFT JOIN (SELECT DISTINCT fund_id, bill_id, revision, true AS undone FROM reversal) AS r
            USING (fund_id, bill_id, revision)
        GROUP BY s.fund_id, s.bill_id
    )
    SELECT bill.bill_id
    FROM bill
    LEFT JOIN record USING (fund_id, bill_id)
    LEFT JOIN settlement AS shown
        ON shown.fund_id = bill.fund_id AND shown.bill_id = bill.bill_id AND shown.revision = bill.revision
    LEFT JOIN settlement AS first
        ON first.fund_id = bill.fund_id AND first.bill_id = bill.bill_id AND first.revision = 1
    WHERE bill.revision IS DISTINCT FROM COALESCE(newest, 0)
       OR COALESCE(revisions, 0) <> COALESCE(newest, 0)
       OR (state = 'live' AND (live IS DISTINCT FROM 1 OR live_revision IS DISTINCT FROM bill.revision))
       OR (state IN ('reversed', 'replaced') AND revisions IS NULL)
       OR (state IN ('cancelled_unseen', 'pending', 'resolved') AND revisions IS NOT NULL)
       OR (state <> 'live' AND live > 0)
       OR (state = 'replaced') <> (bill.replaced_by_bill_id IS NOT NULL)
       OR (state = 'held') <> (question IS NOT NULL)
       OR bill.business_date <> first.business_date
       OR (shown.plan_version_id IS NOT NULL AND bill.member_id IS DISTINCT FROM shown.member_id)
    """,
)

ONE_BILL = SqlCheck(
    Invariant("one_bill_per_insurer_settlement", "A settlement of the insurer (area and id) has one bill with us."),
    "SELECT count(*) FROM bill",
    """
    SELECT unnest(array_agg(bill_id)) FROM bill
    GROUP BY fund_id, area, insurer_settlement_id HAVING count(*) > 1
    """,
)

ONE_NUMBER = SqlCheck(
    Invariant("one_bill_per_number", "The settlement number that people read aloud names one bill."),
    "SELECT count(*) FROM bill",
    "SELECT unnest(array_agg(bill_id)) FROM bill GROUP BY fund_id, settlement_no HAVING count(*) > 1",
)

ONE_REVERSAL = SqlCheck(
    Invariant("one_reversal_per_revision", "A revision of a settlement is reversed once at most."),
    "SELECT count(*) FROM reversal",
    "SELECT bill_id FROM reversal GROUP BY fund_id, bill_id, revision HAVING count(*) > 1",
)

REVERSAL_POSTINGS = SqlCheck(
    Invariant(
        "reversal_postings_swapped",
        "A reversal's postings are its settlement's, line by line, with the sides swapped; "
        "what is not reversed has none.",
    ),
    "SELECT count(*) FROM reversal",
    """
    SELECT COALESCE(original.bill_id, undone.bill_id)
    FROM (SELECT posting.* FROM posting JOIN reversal USING (fund_id, bill_id, revision)
          WHERE record = 'settlement') AS original
    FULL JOIN (SELECT * FROM posting WHERE record = 'reversal') AS undone USING (fund_id, bill_id, revision, line)
    WHERE original.debit IS DISTINCT FROM undone.credit
       OR original.credit IS DISTINCT FROM undone.debit
       OR original.fen IS DISTINCT FROM undone.fen
    """,
)

CONSUMPTION = SqlCheck(
    Invariant(
        "consumption_is_the_aid",
        "What a settlement took of its benefits' room is its aid on the bill and to the card; "
        "the room is its member's under its plan, and nothing takes room without a settlement.",
    ),
    "SELECT count(*) FROM settlement",
    """
    SELECT COALESCE(settlement.bill_id, taken.bill_id)
    FROM settlement
    FULL JOIN (SELECT fund_id, bill_id, revision, sum(paid_fen) AS paid
               FROM consumption GROUP BY fund_id, bill_id, revision) AS taken USING (fund_id, bill_id, revision)
    WHERE settlement.bill_id IS NULL OR COALESCE(taken.paid, 0) <> aid_on_bill_fen + aid_to_card_fen
    UNION ALL
    SELECT bill_id
    FROM consumption
    JOIN settlement USING (fund_id, bill_id, revision)
    LEFT JOIN plan_version USING (fund_id, plan_version_id)
    WHERE consumption.member_id IS DISTINCT FROM settlement.member_id
       OR consumption.plan_code IS DISTINCT FROM plan_version.plan_code
    """,
)

LIMITS = SqlCheck(
    Invariant(
        "limits",
        "What a member's live bills were paid and open holds promise of a benefit, or of benefits with a limit "
        "together, in a term is at most the limit (the highest, where they were paid under several versions), and no "
        "bill took less than nothing.",
    ),
    "SELECT count(*) FROM (SELECT DISTINCT fund_id, member_id, plan_code, benefit, term FROM consumption) AS room",
    """
    WITH limits AS (
        SELECT * FROM unnest(CAST(:versions AS uuid[]), CAST(:names AS text[]), CAST(:benefits AS text[]),
                             CAST(:limits AS bigint[])) AS given (plan_version_id, name, benefit, fen)
    ), taken AS (
        SELECT consumption.fund_id, consumption.member_id, plan_code, plan_version_id, benefit, term, paid_fen
        FROM consumption
        JOIN settlement USING (fund_id, bill_id, revision)
        WHERE NOT EXISTS (
            SELECT FROM reversal AS r
            WHERE r.fund_id = consumption.fund_id AND r.bill_id = consumption.bill_id
              AND r.revision = consumption.revision)
        UNION ALL
        SELECT fund_id, member_id, plan_code, plan_version_id, benefit, term, paid_fen
        FROM hold JOIN hold_room USING (fund_id, hold_id)
        WHERE state = 'open' AND stands_until > now()
    ), room AS (
        SELECT member_id, sum(paid_fen) AS paid, max(limits.fen) FILTER (WHERE paid_fen > 0) AS most,
               bool_and(limits.fen IS NOT NULL) FILTER (WHERE paid_fen > 0) AS limited
        FROM taken
        LEFT JOIN limits USING (plan_version_id, benefit)
        WHERE benefit <> '_stay'
        GROUP BY fund_id, member_id, plan_code, COALESCE(name, benefit), term
    )
    SELECT member_id FROM room WHERE limited AND paid > most
    UNION ALL
    SELECT member_id FROM consumption WHERE LEAST(base_fen, paid_fen, days, times, deductible_fen) < 0
    """,
)

PROMISES = SqlCheck(
    Invariant(
        "promises_kept",
        "A hold that was kept has one settlement, which pays exactly what was promised and explains it by the same "
        "receipt; another has none; what a hold takes of its benefits' room is its aid; and a member's charge batch "
        "has one open hold at most.",
    ),
    "SELECT count(*) FROM hold",
    """
    SELECT hold_id
    FROM hold LEFT JOIN settlement AS s USING (fund_id, hold_id)
    WHERE (state = 'kept') IS DISTINCT FROM (s.bill_id IS NOT NULL)
       OR (state = 'kept' AND (s.bill_id, s.member_id, s.aid_on_bill_fen, s.aid_to_card_fen, s.other_on_bill_fen,
                               s.cash_due_fen, s.receipt_hash, s.plan_version_id, s.service_date)
              IS DISTINCT FROM (hold.bill_id, hold.member_id, hold.aid_on_bill_fen, hold.aid_to_card_fen,
                                hold.other_on_bill_fen, hold.cash_due_fen, hold.receipt_hash, hold.plan_version_id,
                                hold.service_date))
    UNION ALL
    SELECT hold_id FROM settlement LEFT JOIN hold USING (fund_id, hold_id)
    WHERE settlement.hold_id IS NOT NULL AND hold.state IS NULL
    UNION ALL
    SELECT unnest(array_agg(hold_id)) FROM settlement WHERE hold_id IS NOT NULL
    GROUP BY fund_id, hold_id HAVING count(*) > 1
    UNION ALL
    SELECT hold_id
    FROM hold
    LEFT JOIN (SELECT fund_id, hold_id, sum(paid_fen) AS paid FROM hold_room GROUP BY fund_id, hold_id) AS room
        USING (fund_id, hold_id)
    WHERE COALESCE(paid, 0) <> aid_on_bill_fen + aid_to_card_fen
    UNION ALL
    SELECT unnest(array_agg(hold_id)) FROM hold WHERE state = 'open' AND kind <> 'successor'
    GROUP BY fund_id, member_id, hospital_code, encounter_id, charge_batch_no HAVING count(*) > 1
    """,
)

EVENT_NUMBERS = SqlCheck(
    Invariant(
        "events_without_gap",
        "A bill's events are numbered from 1 without a gap, as many as its head says; so are those of a fund.",
    ),
    "SELECT count(*) FROM event",
    """
    SELECT bill_id
    FROM bill
    FULL JOIN (SELECT fund_id, bill_id, count(*) AS events, min(sequence) AS first, max(sequence) AS last
               FROM event WHERE bill_id IS NOT NULL GROUP BY fund_id, bill_id) AS told USING (fund_id, bill_id)
    WHERE events IS DISTINCT FROM event_count::bigint OR first <> 1 OR last <> event_count
    UNION ALL
    SELECT fund_id FROM event WHERE bill_id IS NULL
    GROUP BY fund_id HAVING min(sequence) <> 1 OR max(sequence) <> count(*)
    """,
)

EVENT_POSITIONS = SqlCheck(
    Invariant(
        "positions_without_gap",
        "Positions in a fund's stream of events count from 1 without a gap, each is one event's, a bill's events "
        "stand in their order, none before an earlier one, and none waits that is a day older than a numbered one.",
    ),
    "SELECT count(*) FROM event_position",
    """
    SELECT event_id
    FROM (SELECT event_id, position, lag(position, 1, 0::bigint) OVER (PARTITION BY fund_id ORDER BY position) AS before
          FROM event_position) AS numbered
    WHERE position <> before + 1
    UNION ALL
    SELECT event_id FROM event_position LEFT JOIN event USING (fund_id, event_id) WHERE event.event_id IS NULL
    UNION ALL
    SELECT event_id FROM event_position GROUP BY fund_id, event_id HAVING count(*) > 1
    UNION ALL
    SELECT event_id
    FROM (SELECT event_id, sequence, position, lag(position) OVER bill_order AS before,
                 lag(sequence) OVER bill_order AS sequence_before
          FROM event LEFT JOIN event_position USING (fund_id, event_id)
          WINDOW bill_order AS (PARTITION BY fund_id, bill_id ORDER BY sequence)) AS told
    WHERE position IS NOT NULL AND sequence_before IS NOT NULL AND (before IS NULL OR before > position)
    UNION ALL
    SELECT event_id
    FROM event
    LEFT JOIN event_position USING (fund_id, event_id)
    JOIN (SELECT fund_id, LEAST(max(recorded_at), now()) AS at
          FROM event JOIN event_position USING (fund_id, event_id) GROUP BY fund_id) AS numbered USING (fund_id)
    WHERE position IS NULL AND recorded_at < numbered.at - interval '1 day'
    """,
)

EVENTS_TELL = SqlCheck(
    Invariant(
        "events_tell_every_record",
        "Each first settlement was told by one event, each later revision by one that says which it takes the place "
        "of; each reversal by one of the insurer's cancellation or by the revision's; and no other was told.",
    ),
    "SELECT count(*) FROM event "
    "WHERE type IN ('settlement.settled.v1', 'settlement.reversed.v1', 'settlement.revised.v1')",
    """
    SELECT COALESCE(settlement.bill_id, told.bill_id)
    FROM settlement
    FULL JOIN (SELECT fund_id, bill_id, payload ->> 'revision' AS revision, count(*) AS times, min(type) AS type,
                      min(payload ->> 'replaces') AS replaces
               FROM event WHERE type IN ('settlement.settled.v1', 'settlement.revised.v1')
               GROUP BY fund_id, bill_id, payload ->> 'revision') AS told
        ON told.fund_id = settlement.fund_id AND told.bill_id = settlement.bill_id
       AND told.revision = settlement.revision::text
    WHERE settlement.bill_id IS NULL OR times IS DISTINCT FROM 1
       OR (settlement.revision = 1) <> (told.type = 'settlement.settled.v1')
       OR replaces IS DISTINCT FROM NULLIF(settlement.revision - 1, 0)::text
    UNION ALL
    SELECT bill_id
    FROM (SELECT fund_id, bill_id, count(DISTINCT revision) AS reversals
          FROM reversal GROUP BY fund_id, bill_id) AS undone
    FULL JOIN (SELECT fund_id, bill_id, count(*) AS times FROM event
               WHERE type = 'settlement.reversed.v1'
                  OR (type = 'settlement.revised.v1' AND payload ->> 'reason' <> 'reinstated')
               GROUP BY fund_id, bill_id) AS told USING (fund_id, bill_id)
    WHERE reversals IS DISTINCT FROM times
    """,
)

ANSWERS = SqlCheck(
    Invariant(
        "answers_name_their_bills",
        "A stored answer is 200 or 201 and names a bill of its fund by id and number, with a receipt and a reversal "
        "that exist, or a draft of the fund's plan in a state it reached, or a list that was imported; only an answer "
        "about a bill that is not ours "
        "names none, and one answer at most created a record.",
    ),
    "SELECT count(*) FROM idempotency",
    """
    WITH about_a_plan AS (
        SELECT fund_id, client_id || ' ' || key AS id, status, body ->> 'draft_id' AS draft, body ->> 'state' AS state,
               count(*) OVER (PARTITION BY fund_id, body ->> 'draft_id', body ->> 'state') AS times
        FROM idempotency WHERE body ->> 'draft_id' IS NOT NULL
    ), answer AS (
        SELECT fund_id, client_id || ' ' || key AS id, status,
               body ->> 'id' AS bill, body ->> 'settlement_no' AS number,
               body ->> 'state' AS state, body ->> 'revision' AS revision, body ->> 'receipt_hash' AS receipt_hash,
               count(*) FILTER (WHERE status = 201)
                   OVER (PARTITION BY fund_id, body ->> 'id', body ->> 'state', body ->> 'revision') AS creations
        FROM idempotency WHERE body ->> 'draft_id' IS NULL AND body -> 'list' IS NULL
    )
    SELECT about_a_plan.id
    FROM about_a_plan
    LEFT JOIN plan_step AS reached
        ON reached.fund_id = about_a_plan.fund_id AND reached.draft_id::text = draft AND kind = state
    WHERE status <> 201 OR reached.kind IS NULL OR times > 1
    UNION ALL
    SELECT idempotency.client_id || ' ' || key
    FROM idempotency
    LEFT JOIN reconciliation_import AS imported
        ON imported.fund_id = idempotency.fund_id AND imported.import_id::text = body -> 'list' ->> 'id'
    WHERE body -> 'list' IS NOT NULL AND (status <> 201 OR imported.import_id IS NULL)
    UNION ALL
    SELECT answer.id
    FROM answer
    LEFT JOIN bill ON bill.fund_id = answer.fund_id AND bill.bill_id::text = answer.bill
    LEFT JOIN settlement
        ON settlement.fund_id = bill.fund_id AND settlement.bill_id = bill.bill_id
       AND settlement.revision::text = answer.revision
    LEFT JOIN reversal
        ON reversal.fund_id = bill.fund_id AND reversal.bill_id = bill.bill_id
       AND reversal.revision::text = answer.revision
    WHERE status NOT IN (200, 201)
       OR (answer.bill IS NULL AND status = 201)
       OR (answer.bill IS NOT NULL AND answer.number IS DISTINCT FROM bill.settlement_no)
       OR (answer.state IN ('live', 'reversed') AND answer.receipt_hash IS DISTINCT FROM settlement.receipt_hash)
       OR (answer.state = 'reversed' AND reversal.bill_id IS NULL)
       OR (status = 201 AND creations > 1)
    """,
)

OPEN_DAY = SqlCheck(
    Invariant("one_open_books_day", "A fund has one open books day, the newest; its days count from 1 without a gap."),
    "SELECT count(*) FROM fund",
    """
    SELECT fund_id
    FROM fund LEFT JOIN books_day USING (fund_id)
    GROUP BY fund_id
    HAVING count(books_day) FILTER (WHERE closed_at IS NULL) <> 1
        OR max(books_day) FILTER (WHERE closed_at IS NULL) IS DISTINCT FROM max(books_day)
        OR count(books_day) <> max(books_day) OR min(books_day) <> 1
    """,
)

BOOKS_DAYS = SqlCheck(
    Invariant(
        "records_in_their_books_day",
        "Every record falls in a books day of its fund, its postings in the same, and a reversal in no earlier one.",
    ),
    "SELECT (SELECT count(*) FROM settlement) + (SELECT count(*) FROM reversal)",
    """
    WITH record AS (
        SELECT fund_id, bill_id, revision, 'settlement' AS record, books_day FROM settlement
        UNION ALL
        SELECT fund_id, bill_id, revision, 'reversal', books_day FROM reversal
    )
    SELECT bill_id
    FROM record
    LEFT JOIN books_day USING (fund_id, books_day)
    WHERE books_day.fund_id IS NULL
    UNION ALL
    SELECT bill_id
    FROM posting
    LEFT JOIN record USING (fund_id, bill_id, revision, record)
    WHERE posting.books_day IS DISTINCT FROM record.books_day
    UNION ALL
    SELECT bill_id
    FROM reversal
    JOIN settlement USING (fund_id, bill_id, revision)
    WHERE reversal.books_day < settlement.books_day
    """,
)

IN_FORCE = SqlCheck(
    Invariant(
        "version_was_in_force",
        "The plan version of a settlement had begun on its service date, and none that began later on or before that "
        "date, or corrects it, had been published (an hour before the recording at the latest: two clocks may differ "
        "by that). What was promised counts as recorded when it was promised, a revision or a corrected bill when "
        "the first was.",
    ),
    "SELECT count(*) FROM settlement WHERE plan_version_id IS NOT NULL",
    f"""
    SELECT settlement.bill_id
    FROM settlement
    JOIN bill USING (fund_id, bill_id)
    JOIN settlement AS first ON first.fund_id = settlement.fund_id AND first.revision = 1
        AND first.bill_id = COALESCE(bill.place_bill_id, bill.bill_id)
    LEFT JOIN hold ON hold.fund_id = first.fund_id AND hold.hold_id = first.hold_id
    JOIN plan_version AS used ON used.fund_id = settlement.fund_id
        AND used.plan_version_id = settlement.plan_version_id
    WHERE used.effective_from > settlement.service_date
       OR EXISTS (
           SELECT FROM plan_version AS later
           WHERE later.fund_id = used.fund_id AND later.plan_code = used.plan_code
             AND (later.effective_from, later.published_at) > (used.effective_from, used.published_at)
             AND later.effective_from <= settlement.service_date
             AND later.published_at < COALESCE(hold.created_at, first.recorded_at) - {CLOCKS_APART})
    """,
)

APPROVED = SqlCheck(
    Invariant(
        "versions_were_approved",
        "Every plan version says what its draft says, whose check found no error, which a second person approved and "
        "nobody rejected or withdrew, before it was published; a correction corrects, later, one that began that day.",
    ),
    "SELECT count(*) FROM plan_version",
    """
    SELECT version.plan_version_id
    FROM plan_version AS version
    LEFT JOIN plan_draft AS draft USING (fund_id, draft_id)
    LEFT JOIN plan_step AS checked ON checked.fund_id = version.fund_id AND checked.draft_id = version.draft_id
        AND checked.kind = 'checked'
    LEFT JOIN plan_step AS approved ON approved.fund_id = version.fund_id AND approved.draft_id = version.draft_id
        AND approved.kind = 'approved'
    LEFT JOIN plan_step AS published ON published.fund_id = version.fund_id AND published.draft_id = version.draft_id
        AND published.kind = 'published'
    LEFT JOIN plan_version AS corrected ON corrected.fund_id = version.fund_id
        AND corrected.plan_code = version.plan_code AND corrected.version = version.corrects
    WHERE (draft.plan_code, draft.version, draft.effective_from, draft.digest)
              IS DISTINCT FROM (version.plan_code, version.version, version.effective_from, version.digest)
       OR draft.corrects IS DISTINCT FROM version.corrects
       OR checked.errors IS DISTINCT FROM 0
       OR approved.actor_id IS NOT DISTINCT FROM draft.author_id
       OR (approved.kind, published.kind) IS DISTINCT FROM ('approved', 'published')
       OR (version.corrects IS NOT NULL
           AND (corrected.effective_from IS DISTINCT FROM version.effective_from
                OR corrected.published_at >= version.published_at))
       OR EXISTS (
           SELECT FROM plan_step AS ended
           WHERE ended.fund_id = version.fund_id AND ended.draft_id = version.draft_id
             AND ended.kind IN ('faulty', 'rejected', 'withdrawn'))
    """,
)

VERSION_STARTS = SqlCheck(
    Invariant(
        "one_version_is_in_force",
        "Of the versions of a plan that begin on one day one corrects none, and each is corrected once at most: on "
        "every date one version is in force.",
    ),
    "SELECT count(*) FROM plan_version",
    """
    SELECT unnest(array_agg(plan_version_id)) FROM plan_version WHERE corrects IS NULL
    GROUP BY fund_id, plan_code, effective_from HAVING count(*) > 1
    UNION ALL
    SELECT unnest(array_agg(plan_version_id)) FROM plan_version WHERE corrects IS NOT NULL
    GROUP BY fund_id, plan_code, corrects HAVING count(*) > 1
    """,
)

PEOPLE = SqlCheck(
    Invariant("members_are_persons", "Every member is a sealed person, and every person has the row that is locked."),
    "SELECT count(*) FROM member",
    """
    SELECT COALESCE(member_id, person_id)
    FROM member FULL JOIN person ON person.fund_id = member.fund_id AND person_id = member_id
    WHERE member_id IS NULL OR person_id IS NULL
    """,
)

COVERED = SqlCheck(
    Invariant(
        "member_was_covered",
        "The service date of every settlement under a plan lies in a cover of its member under that plan, which was "
        "on the roster when it was recorded (an hour more is allowed for two clocks); of a stay that was split "
        "over two terms any day of a part does.",
    ),
    "SELECT count(*) FROM settlement WHERE plan_version_id IS NOT NULL",
    f"""
    SELECT bill_id
    FROM settlement
    JOIN plan_version USING (fund_id, plan_version_id)
    WHERE NOT EXISTS (
        SELECT FROM membership
        WHERE membership.fund_id = settlement.fund_id AND membership.member_id = settlement.member_id
          AND membership.plan_code = plan_version.plan_code
          AND (service_date BETWEEN first_day AND last_day OR EXISTS (
              SELECT FROM jsonb_array_elements(receipt -> 'result') AS part
              WHERE CAST(part #>> '{{term,last_day}}' AS date) < service_date
                AND first_day <= CAST(part #>> '{{term,last_day}}' AS date)
                AND last_day >= CAST(receipt #>> '{{inputs,facts,admitted_on}}' AS date)))
          AND membership.recorded_at <= settlement.recorded_at + {CLOCKS_APART})
      AND NOT EXISTS (
        SELECT FROM membership JOIN unit_renewal USING (fund_id, unit_id, plan_code)
        WHERE membership.fund_id = settlement.fund_id AND membership.member_id = settlement.member_id
          AND plan_code = plan_version.plan_code
          AND last_day < unit_renewal.first_day AND unit_renewal.first_day <= service_date
          AND announced_at <= settlement.recorded_at + {CLOCKS_APART})
    """,
)

BALANCES = SqlCheck(
    Invariant(
        "balances",
        "A fund's accounts, added up over all postings, stand at what its unreversed settlements say: "
        "care at what was billed, the payables at the aid to hospitals and to members, aid at both together.",
    ),
    "SELECT count(*) FROM fund",
    """
    WITH side AS (
        SELECT fund_id, credit AS account, fen FROM posting
        UNION ALL
        SELECT fund_id, debit, -fen FROM posting
    ), standing AS (
        SELECT fund_id, CASE WHEN account LIKE 'aid:%' THEN 'aid' ELSE account END AS account, sum(fen) AS fen
        FROM side
        WHERE account IN ('care', 'aid', 'payable:hospital', 'payable:member') OR account LIKE 'aid:%'
        GROUP BY 1, 2
    ), unreversed AS (
        SELECT * FROM settlement
        WHERE NOT EXISTS (
            SELECT FROM reversal AS r
            WHERE r.fund_id = settlement.fund_id AND r.bill_id = settlement.bill_id
              AND r.revision = settlement.revision)
    ), expected AS (
        SELECT unreversed.fund_id, account, sum(amount) AS fen
        FROM unreversed
        CROSS JOIN LATERAL (VALUES
            ('care', billed_fen),
            ('payable:hospital', aid_on_bill_fen),
            ('payable:member', aid_to_card_fen),
            ('aid', -aid_on_bill_fen - aid_to_card_fen)) AS stated (account, amount)
        GROUP BY unreversed.fund_id, account
    )
    SELECT fund_id || ' ' || account
    FROM standing FULL JOIN expected USING (fund_id, account)
    WHERE COALESCE(standing.fen, 0) <> COALESCE(expected.fen, 0)
    """,
)

CHAINS = SqlCheck(
    Invariant(
        "chains_are_whole",
        "The bills of a correction chain are of one member and hospital and stand in the place of its first; a bill "
        "that was replaced has nothing live, and names one that corrects it; of a chain one lives, but for those whose "
        "cancellation was undone; and what was kept for a successor was taken by one of the chain.",
    ),
    "SELECT count(*) FROM bill",
    """
    SELECT new.bill_id
    FROM bill AS new
    LEFT JOIN bill AS old ON old.fund_id = new.fund_id AND old.bill_id = new.replaces_bill_id
    WHERE new.replaces_bill_id IS NOT NULL
      AND (old.member_id, old.hospital_code, COALESCE(old.place_bill_id, old.bill_id))
          IS DISTINCT FROM (new.member_id, new.hospital_code, new.place_bill_id)
    UNION ALL
    SELECT old.bill_id
    FROM bill AS old
    LEFT JOIN bill AS new ON new.fund_id = old.fund_id AND new.bill_id = old.replaced_by_bill_id
    WHERE old.replaced_by_bill_id IS NOT NULL
      AND (old.state <> 'replaced' OR new.place_bill_id IS DISTINCT FROM COALESCE(old.place_bill_id, old.bill_id))
    UNION ALL
    SELECT unnest(array_agg(bill.bill_id))
    FROM bill
    WHERE state = 'live' AND NOT EXISTS (
        SELECT FROM event
        WHERE event.fund_id = bill.fund_id AND event.bill_id = bill.bill_id
          AND event.type = 'settlement.revised.v1' AND event.payload ->> 'reason' = 'reinstated')
    GROUP BY fund_id, COALESCE(place_bill_id, bill_id)
    HAVING count(*) > 1
    UNION ALL
    SELECT hold.of_bill_id
    FROM hold
    JOIN bill AS old ON old.fund_id = hold.fund_id AND old.bill_id = hold.of_bill_id
    LEFT JOIN bill AS taker ON taker.fund_id = hold.fund_id AND taker.bill_id = hold.bill_id
    WHERE hold.state = 'taken'
      AND COALESCE(taker.place_bill_id, taker.bill_id) IS DISTINCT FROM COALESCE(old.place_bill_id, old.bill_id)
    UNION ALL
    SELECT consumption.bill_id
    FROM consumption JOIN bill USING (fund_id, bill_id)
    WHERE consumption.place_bill_id IS NOT NULL AND consumption.place_bill_id IS DISTINCT FROM bill.place_bill_id
    """,
)

NO_ORPHANS = SqlCheck(
    Invariant(
        "nothing_hangs_loose", "Every record hangs on the bill, settlement, member or plan version that it names."
    ),
    "SELECT count(*) FROM bill",
    """
    SELECT bill_id FROM settlement LEFT JOIN bill USING (fund_id, bill_id) WHERE bill.state IS NULL
    UNION ALL
    SELECT bill_id FROM reversal LEFT JOIN settlement USING (fund_id, bill_id, revision) WHERE receipt_hash IS NULL
    UNION ALL
    SELECT bill_id FROM posting LEFT JOIN settlement USING (fund_id, bill_id, revision) WHERE receipt_hash IS NULL
    UNION ALL
    SELECT bill_id FROM message_body LEFT JOIN bill USING (fund_id, bill_id) WHERE bill.state IS NULL
    UNION ALL
    SELECT bill_id FROM worklist_item LEFT JOIN bill USING (fund_id, bill_id) WHERE bill.state IS NULL
    UNION ALL
    SELECT bill_id FROM bill LEFT JOIN member USING (fund_id, member_id)
    WHERE bill.member_id IS NOT NULL AND member.created_at IS NULL
    UNION ALL
    SELECT bill_id FROM settlement LEFT JOIN member USING (fund_id, member_id)
    WHERE settlement.member_id IS NOT NULL AND member.created_at IS NULL
    UNION ALL
    SELECT bill_id FROM settlement LEFT JOIN plan_version USING (fund_id, plan_version_id)
    WHERE settlement.plan_version_id IS NOT NULL AND plan_version.digest IS NULL
    """,
)

PENDING = SqlCheck(
    Invariant(
        "pending_is_watched",
        "A message that is pending is being asked about, or nobody could tell and it was put on the worklist; one that "
        "is resolved has the answer that resolved it.",
    ),
    "SELECT count(*) FROM bill WHERE state IN ('pending', 'resolved')",
    """
    SELECT bill_id FROM bill
    WHERE state = 'pending' AND NOT EXISTS (
        SELECT FROM pending_question AS asked
        WHERE asked.fund_id = bill.fund_id AND asked.bill_id = bill.bill_id
          AND (asked.closed_at IS NULL OR asked.outcome = 'unresolved' AND EXISTS (
              SELECT FROM worklist_item AS item
              WHERE item.fund_id = bill.fund_id AND item.bill_id = bill.bill_id)))
    UNION ALL
    SELECT bill_id FROM bill
    WHERE state = 'resolved' AND NOT EXISTS (
        SELECT FROM pending_question AS asked
        WHERE asked.fund_id = bill.fund_id AND asked.bill_id = bill.bill_id
          AND asked.outcome IN ('settled', 'cancelled', 'never_happened'))
    """,
)

RECORD_CHECKS = (
    EQUATION,
    NOT_NEGATIVE,
    AID_SPLIT,
    HEAD,
    ONE_BILL,
    ONE_NUMBER,
    ONE_REVERSAL,
    REVERSAL_POSTINGS,
    CONSUMPTION,
    PROMISES,
    EVENT_NUMBERS,
    EVENT_POSITIONS,
    EVENTS_TELL,
    ANSWERS,
    OPEN_DAY,
    BOOKS_DAYS,
    IN_FORCE,
    APPROVED,
    VERSION_STARTS,
    PEOPLE,
    COVERED,
    BALANCES,
    CHAINS,
    NO_ORPHANS,
    PENDING,
)
"""The checks that need nothing but the database; `LIMITS` is run with the plans' limits."""
