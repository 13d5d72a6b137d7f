"""The records as the model looks at them: read after every commit, by a connection that sees all and locks nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import psycopg

from settlement.lab.chaos.facts import CLOCKS_APART_SECONDS, Asked, Hold, Line, Look, Moment, Rating, Row, Seen
from settlement.lab.chaos.model import Model
from settlement.lab.chaos.steering import COMMAND, Steering

_ROWS = """
SELECT bill.insurer_settlement_id, bill.bill_id::text, bill.state,
       (SELECT count(*) FROM settlement WHERE (fund_id, bill_id) = (bill.fund_id, bill.bill_id)),
       (SELECT count(*) FROM reversal WHERE (fund_id, bill_id) = (bill.fund_id, bill.bill_id)),
       COALESCE(newest.aid_on_bill_fen, 0), COALESCE(newest.aid_to_card_fen, 0), COALESCE(newest.cash_due_fen, 0),
       COALESCE(plan_version.version::int, 0), COALESCE(newest.service_date::text, ''),
       COALESCE(bill.place_bill_id, bill.bill_id)::text, corrected.insurer_settlement_id,
       correcting.insurer_settlement_id, bill.resettles, undone.reason,
       COALESCE((SELECT string_agg(DISTINCT kind, ' ' ORDER BY kind) FROM worklist_item AS item
                 WHERE item.bill_id = bill.bill_id), ''),
       (SELECT COALESCE(sum(amount_fen), 0)::int FROM later_payer WHERE later_payer.bill_id = bill.bill_id),
       newest.books_day, reversal.books_day
FROM bill
LEFT JOIN settlement AS newest USING (fund_id, bill_id, revision)
LEFT JOIN plan_version USING (fund_id, plan_version_id)
LEFT JOIN reversal USING (fund_id, bill_id, revision)
LEFT JOIN reversal AS undone ON undone.bill_id = bill.bill_id AND undone.revision = bill.revision - 1
LEFT JOIN bill AS corrected ON corrected.bill_id = bill.replaces_bill_id
LEFT JOIN bill AS correcting ON correcting.bill_id = bill.replaced_by_bill_id
ORDER BY bill.insurer_settlement_id
"""
_OTHERS = """
SELECT (SELECT count(*) FROM plan_version), (SELECT max(books_day) FROM books_day WHERE closed_at IS NULL),
       (SELECT count(*) FROM membership), (SELECT count(*) FROM rerating), (SELECT count(*) FROM rerating_look),
       (SELECT count(*) FROM rerating WHERE state = 'proposed')
"""
_RATINGS = """
SELECT rerating_id::text, bill.insurer_settlement_id, rerating.state, net_fen,
       (SELECT jsonb_agg(jsonb_build_array(of_line.insurer_settlement_id, line->'revision', line->'aid_recorded_fen',
                                           line->'aid_now_fen') ORDER BY place)
        FROM jsonb_array_elements(lines) WITH ORDINALITY AS each (line, place)
        JOIN bill AS of_line ON of_line.bill_id = CAST(line->>'bill_id' AS uuid))
FROM rerating JOIN bill ON bill.bill_id = of_bill_id
ORDER BY rerating_id
"""
_LOOKS = """
SELECT looked.kind || ' ' || cause_id || ' ' || term, bill.insurer_settlement_id, rerating_id::text
FROM rerating_look AS looked JOIN bill USING (fund_id, bill_id) ORDER BY 1
"""
_HOLDS = """
SELECT hold.hold_id::text, hold.kind,
       hold.hospital_code || '/' || hold.encounter_id || '/' || hold.charge_batch_no, hold.state,
       hold.service_date::text, plan_version.version::int, hold.aid_on_bill_fen, hold.aid_to_card_fen,
       hold.cash_due_fen, EXTRACT(EPOCH FROM hold.stands_until - %s)::float8,
       to_char(hold.expires_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS'),
       corrected.insurer_settlement_id, bill.insurer_settlement_id
FROM hold JOIN plan_version USING (fund_id, plan_version_id) LEFT JOIN bill USING (fund_id, bill_id)
LEFT JOIN bill AS corrected ON corrected.bill_id = hold.of_bill_id
ORDER BY hold.hold_id
"""
_ASKED = """
SELECT DISTINCT ON (question.bill_id) bill.insurer_settlement_id, question.asks, question.outcome,
       EXISTS (SELECT FROM worklist_item AS item WHERE item.bill_id = bill.bill_id AND item.closed_at IS NULL)
FROM pending_question AS question JOIN bill USING (fund_id, bill_id)
ORDER BY question.bill_id, question.closed_at IS NULL DESC, question.opened_at DESC
"""
_LEFT_BEHIND = """
SELECT (SELECT count(*) FROM event WHERE NOT EXISTS (
            SELECT FROM event_position WHERE event_position.event_id = event.event_id)),
       (SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'),
       (SELECT count(*) FROM bill WHERE state = 'held'),
       (SELECT count(*) FROM pending_question WHERE closed_at IS NULL),
       (SELECT count(*) FROM books_day WHERE closed_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM seal WHERE seal.books_day = books_day.books_day)),
       (SELECT count(*) FROM reconciliation_break WHERE status = 'open'),
       (SELECT count(*) FROM reversal JOIN bill USING (fund_id, bill_id)
        WHERE reason NOT IN ('not_shown', 'answer_lost', 'clearing_disputed', 'rerated')
          AND NOT EXISTS (SELECT FROM rerating_look WHERE cause_id = reversal_id))
"""


_LEFT = (
    "events without a position",
    "transactions left open",
    "bills held",
    "questions still asked",
    "closed books days without a seal",
    "breaks that nobody explained",
    "reversals after which nobody looked at the bills before",
)
_CHINA = timezone(timedelta(hours=8))


@dataclass(slots=True)
class Records:
    """Shows the model what was committed, and writes what is new into the trace."""

    monitor: psycopg.Connection
    model: Model
    steering: Steering
    begins_at: datetime
    commits: int = 0
    changes: Sequence[int] = ()
    ratings: Sequence[Rating] = ()
    looks: Sequence[Look] = ()

    @property
    def moment(self) -> Moment:
        """Now."""
        return Moment(self.commits, self.steering.loop.now)

    def committed(self, began: Moment) -> None:
        """Look at everything after a commit of a transaction that began at another moment."""
        self.commits += 1
        rows = [Row(*row) for row in self.monitor.execute(_ROWS).fetchall()]
        holds = [Hold(*row) for row in self.monitor.execute(_HOLDS, [self.begins_at]).fetchall()]
        versions, open_day, memberships, *changes = self.monitor.execute(_OTHERS).fetchall()[0]
        if changes != self.changes:
            self.changes = changes
            self.ratings = [
                Rating(rating_id, setl_id, state, net_fen, tuple(Line(*line) for line in lines))
                for rating_id, setl_id, state, net_fen, lines in self.monitor.execute(_RATINGS).fetchall()
            ]
            self.looks = [Look(*row) for row in self.monitor.execute(_LOOKS).fetchall()]
        seen = Seen(rows, holds, versions, open_day, self._todays(), memberships, self.ratings, self.looks)
        for news in self.model.recorded(seen, began, self.moment, COMMAND.get()):
            self.steering.note(f"recorded {news}")

    def _todays(self) -> frozenset[str]:
        """Return the days in China that the clocks of the processes may show."""
        now = self.begins_at + timedelta(seconds=self.steering.loop.now)
        clocks = (now + timedelta(seconds=apart) for apart in (-CLOCKS_APART_SECONDS, CLOCKS_APART_SECONDS))
        return frozenset(f"{clock.astimezone(_CHINA):%Y-%m-%d}" for clock in clocks)

    def asked(self) -> list[Asked]:
        """Return how the newest question about each bill and message ended."""
        return [Asked(*row) for row in self.monitor.execute(_ASKED).fetchall()]

    def still_asked(self) -> bool:
        """Say whether any question is open."""
        return self.monitor.execute("SELECT FROM pending_question WHERE closed_at IS NULL").fetchone() is not None

    def left_behind(self) -> list[str]:
        """Return what still waits although nothing is under way."""
        counts = self.monitor.execute(_LEFT_BEHIND).fetchall()[0]
        return [f"{count} {what}" for count, what in zip(counts, _LEFT, strict=True) if count]
