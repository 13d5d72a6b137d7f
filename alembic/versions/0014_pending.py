"""What is not certain and is asked about: one open question per bill, leased to one asker at a time."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SQL = """
ALTER TABLE bill
    DROP CONSTRAINT bill_state_known,
    ADD CONSTRAINT bill_state_known
        CHECK (state IN ('live', 'reversed', 'replaced', 'held', 'pending', 'resolved', 'cancelled_unseen')),
    ADD CONSTRAINT bill_pending_has_message
        CHECK (state NOT IN ('pending', 'resolved') OR (message_id IS NOT NULL AND revision = 0));
CREATE INDEX bill_unconfirmed ON bill (fund_id, bill_id) WHERE confirmed_at IS NULL AND state IN ('live', 'held');

ALTER TABLE message_body
    DROP CONSTRAINT message_body_kind_known,
    ADD CONSTRAINT message_body_kind_known CHECK (kind IN ('settlement', 'cancellation', 'undoing', 'unanswered'));

CREATE TABLE pending_question (
    fund_id uuid NOT NULL,
    question_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    asks text NOT NULL CONSTRAINT pending_question_asks_known CHECK (asks IN ('bill', 'settlement', 'cancellation')),
    message_id text,
    opened_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL,
    tries integer NOT NULL CONSTRAINT pending_question_tries_not_negative CHECK (tries >= 0),
    said text,
    asker_id uuid,
    leased_until timestamptz,
    outcome text CONSTRAINT pending_question_outcome_known
        CHECK (outcome IN ('confirmed', 'settled', 'cancelled', 'never_happened', 'unresolved')),
    closed_at timestamptz,
    CONSTRAINT pending_question_pk PRIMARY KEY (fund_id, question_id),
    CONSTRAINT pending_question_bill_fk FOREIGN KEY (fund_id, bill_id) REFERENCES bill,
    CONSTRAINT pending_question_closed_has_outcome CHECK ((closed_at IS NULL) = (outcome IS NULL)),
    CONSTRAINT pending_question_lease_whole CHECK ((asker_id IS NULL) = (leased_until IS NULL))
);
CREATE UNIQUE INDEX pending_question_open_once ON pending_question (fund_id, bill_id) WHERE closed_at IS NULL;
CREATE INDEX pending_question_by_bill ON pending_question (fund_id, bill_id);
CREATE INDEX pending_question_due ON pending_question (fund_id, due_at) WHERE closed_at IS NULL;
CREATE INDEX pending_question_unresolved ON pending_question (fund_id, bill_id) WHERE outcome = 'unresolved';
"""
APP_UPDATES = (
    "asks, message_id, opened_at, due_at, deadline_at, tries, said, asker_id, leased_until, outcome, closed_at"
)
THIS_FUND = "(SELECT NULLIF(current_setting('app.fund', true), '')::uuid)"


def upgrade() -> None:
    """Make the queue with the rights and policies that every table has; it is no record, so its rows may change."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
    op.execute("REVOKE ALL ON pending_question FROM PUBLIC, settlement_app, settlement_ops")
    op.execute("GRANT SELECT ON pending_question TO settlement_app, settlement_ops")
    op.execute(f"GRANT INSERT, UPDATE ({APP_UPDATES}) ON pending_question TO settlement_app")
    op.execute("ALTER TABLE pending_question ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY pending_question_of_this_fund ON pending_question TO settlement_app "
        f"USING (fund_id = {THIS_FUND}) WITH CHECK (fund_id = {THIS_FUND})"
    )
    op.execute("CREATE POLICY pending_question_for_ops ON pending_question FOR SELECT TO settlement_ops USING (true)")
