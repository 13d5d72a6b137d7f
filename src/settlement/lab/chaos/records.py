"""The records as the model looks at them: read after every commit, by a connection that sees all and locks nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import psycopg

from settlement.lab.chaos.model import Asked, Hold, Model, Moment, Row, Seen
from settlement.lab.chaos.steering import COMMAND, Steering

_ROWS = """
SELECT bill.insurer_settlement_id, bill.state,
       (SELECT count(*) FROM settlement WHERE (fund_id, bill_id) = (bill.fund_id, bill.bill_id)),
       (SELECT count(*) FROM reversal WHERE (fund_id, bill_id) = (bill.fund_id, bill.bill_id)),
       COALESCE(newest.aid_on_bill_fen, 0), COALESCE(newest.aid_to_card_fen, 0), COALESCE(newest.cash_due_fen, 0),
       newest.books_day, reversal.books_day
FROM bill
LEFT JOIN settlement AS newest USING (fund_id, bill_id, revision)
LEFT JOIN reversal USING (fund_id, bill_id, revision)
ORDER BY bill.insurer_settlement_id
"""
_OTHERS = """
SELECT (SELECT count(*) FROM plan_version), (SELECT max(books_day) FROM books_day WHERE closed_at IS NULL)
"""
_HOLDS = """
SELECT hold.hold_id::text, hold.hospital_code || '/' || hold.encounter_id || '/' || hold.charge_batch_no, hold.state,
       hold.service_date::text, hold.aid_on_bill_fen, hold.aid_to_card_fen, hold.cash_due_fen,
       EXTRACT(EPOCH FROM hold.expires_at - %s)::float8, bill.insurer_settlement_id
FROM hold LEFT JOIN bill USING (fund_id, bill_id)
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
       (SELECT count(*) FROM reconciliation_break WHERE status = 'open')
"""


_LEFT = (
    "events without a position",
    "transactions left open",
    "bills held",
    "questions still asked",
    "closed books days without a seal",
    "breaks that nobody explained",
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

    @property
    def moment(self) -> Moment:
        """Now."""
        return Moment(self.commits, self.steering.loop.now)

    def committed(self, began: Moment) -> None:
        """Look at everything after a commit of a transaction that began at another moment."""
        self.commits += 1
        rows = [Row(*row) for row in self.monitor.execute(_ROWS).fetchall()]
        holds = [Hold(*row) for row in self.monitor.execute(_HOLDS, [self.begins_at]).fetchall()]
        versions, open_day = self.monitor.execute(_OTHERS).fetchall()[0]
        today = (self.begins_at + timedelta(seconds=self.steering.loop.now)).astimezone(_CHINA)
        seen = Seen(rows, holds, versions, open_day, f"{today:%Y-%m-%d}")
        for news in self.model.recorded(seen, began, self.moment, COMMAND.get()):
            self.steering.note(f"recorded {news}")

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
