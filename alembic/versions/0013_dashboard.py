"""The dashboard: sessions of staff, what people did with the worklist, and examinations asked for and made."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SQL = """
CREATE TABLE staff_session (
    fund_id uuid NOT NULL,
    token_hash text NOT NULL CONSTRAINT staff_session_sha256 CHECK (token_hash ~ '^[0-9a-f]{64}$'),
    staff_id uuid NOT NULL,
    opened_at timestamptz NOT NULL,
    used_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT staff_session_pk PRIMARY KEY (fund_id, token_hash),
    CONSTRAINT staff_session_staff_fk FOREIGN KEY (fund_id, staff_id) REFERENCES staff,
    CONSTRAINT staff_session_in_order CHECK (used_at >= opened_at)
);
CREATE INDEX staff_session_open ON staff_session (fund_id, staff_id) WHERE ended_at IS NULL;

CREATE TABLE worklist_action (
    fund_id uuid NOT NULL,
    item_id uuid NOT NULL,
    sequence integer NOT NULL CONSTRAINT worklist_action_sequence_positive CHECK (sequence > 0),
    action text NOT NULL CONSTRAINT worklist_action_known
        CHECK (action IN ('taken', 'given_back', 'remarked', 'closed')),
    staff_id uuid NOT NULL,
    reason text,
    remark text CONSTRAINT worklist_action_remark_length CHECK (length(remark) BETWEEN 1 AND 500),
    at timestamptz NOT NULL,
    CONSTRAINT worklist_action_pk PRIMARY KEY (fund_id, item_id, sequence),
    CONSTRAINT worklist_action_item_fk FOREIGN KEY (fund_id, item_id) REFERENCES worklist_item,
    CONSTRAINT worklist_action_staff_fk FOREIGN KEY (fund_id, staff_id) REFERENCES staff,
    CONSTRAINT worklist_action_closed_says_why CHECK ((action = 'closed') = (reason IS NOT NULL)),
    CONSTRAINT worklist_action_remark_says_it CHECK (action <> 'remarked' OR remark IS NOT NULL)
);
CREATE UNIQUE INDEX worklist_action_one_close ON worklist_action (fund_id, item_id) WHERE action = 'closed';
CREATE INDEX worklist_item_by_age ON worklist_item (fund_id, opened_at, item_id) WHERE closed_at IS NULL;

CREATE TABLE examination_request (
    fund_id uuid NOT NULL,
    request_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT examination_request_pk PRIMARY KEY (fund_id, request_id),
    CONSTRAINT examination_request_staff_fk FOREIGN KEY (fund_id, staff_id) REFERENCES staff
);

CREATE TABLE examination (
    fund_id uuid NOT NULL CONSTRAINT examination_fund_fk REFERENCES fund,
    examination_id uuid NOT NULL,
    at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    examined integer NOT NULL,
    broken integer NOT NULL,
    findings jsonb NOT NULL,
    CONSTRAINT examination_pk PRIMARY KEY (fund_id, examination_id),
    CONSTRAINT examination_counts CHECK (broken BETWEEN 0 AND examined),
    CONSTRAINT examination_in_order CHECK (ended_at >= at)
);
CREATE INDEX examination_by_age ON examination (fund_id, at);

CREATE FUNCTION fund_of_code(wanted text) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$ SELECT fund_id FROM public.fund WHERE code = wanted $$;
REVOKE ALL ON FUNCTION fund_of_code(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fund_of_code(text) TO settlement_app;
"""
TABLES = ("staff_session", "worklist_action", "examination_request", "examination")
APP_INSERTS = ("staff_session", "worklist_action", "examination_request")
THIS_FUND = "(SELECT NULLIF(current_setting('app.fund', true), '')::uuid)"


def upgrade() -> None:
    """Make the tables with the rights and policies that every table has.

    A person signs in with a fund's short code before the transaction can be bound to a fund: the function tells the id
    of one code that is known, and nothing else. An examination sees every fund, so the worker's login keeps it.
    """
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
    for table in TABLES:
        op.execute(f"REVOKE ALL ON {table} FROM PUBLIC, settlement_app, settlement_ops")
        op.execute(f"GRANT SELECT ON {table} TO settlement_app, settlement_ops")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_of_this_fund ON {table} TO settlement_app "
            f"USING (fund_id = {THIS_FUND}) WITH CHECK (fund_id = {THIS_FUND})"
        )
        op.execute(f"CREATE POLICY {table}_for_ops ON {table} FOR SELECT TO settlement_ops USING (true)")
    for table in APP_INSERTS:
        op.execute(f"GRANT INSERT ON {table} TO settlement_app")
    op.execute("GRANT UPDATE (used_at, ended_at) ON staff_session TO settlement_app")
    op.execute("GRANT INSERT ON examination TO settlement_ops")
    op.execute("CREATE POLICY examination_by_ops ON examination FOR INSERT TO settlement_ops WITH CHECK (true)")
