"""The records as the model looks at them: read after every commit, by a connection that sees all and locks nothing."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from settlement.lab.chaos.model import Model, Row
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
_LEFT_BEHIND = """
SELECT (SELECT count(*) FROM event WHERE NOT EXISTS (
            SELECT FROM event_position WHERE event_position.event_id = event.event_id)),
       (SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'),
       (SELECT count(*) FROM bill WHERE state NOT IN ('live', 'reversed', 'cancelled_unseen'))
"""


@dataclass(slots=True)
class Records:
    """Shows the model what was committed, and writes what is new into the trace."""

    monitor: psycopg.Connection
    model: Model
    steering: Steering
    commits: int = 0

    def committed(self, began_at: int) -> None:
        """Look at everything after a commit of a transaction that began after so many commits."""
        self.commits += 1
        rows = [Row(*row) for row in self.monitor.execute(_ROWS).fetchall()]
        versions, open_day = self.monitor.execute(_OTHERS).fetchall()[0]
        for news in self.model.recorded(rows, versions, open_day, began_at, self.commits, COMMAND.get()):
            self.steering.note(f"recorded {news}")

    def left_behind(self) -> list[str]:
        """Return what still waits although nothing is under way."""
        events, idle, unsettled = self.monitor.execute(_LEFT_BEHIND).fetchall()[0]
        kinds = ((events, "events without a position"), (idle, "transactions left open"), (unsettled, "bills pending"))
        return [f"{count} {what}" for count, what in kinds if count]
