"""A promise stands while the insurer is asked what became of a message of its visit, even beyond its own time."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

SQL = """
ALTER TABLE hold
    ADD COLUMN asked_until timestamptz,
    ADD COLUMN stands_until timestamptz NOT NULL GENERATED ALWAYS AS (GREATEST(expires_at, asked_until)) STORED;
COMMENT ON COLUMN hold.asked_until IS
    'the deadline of the question about a message of its visit, or when that question ended; null: none was asked';
CREATE INDEX hold_open_by_visit ON hold (fund_id, hospital_code, encounter_id) WHERE state = 'open';
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
    op.execute("GRANT UPDATE (asked_until) ON hold TO settlement_app")
