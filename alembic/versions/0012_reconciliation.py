"""Reconciliation: lists as they came, what each run of a day found, and breaks with their history."""

from alembic import op

revision = "0012"
down_revision = "0008"
branch_labels = None
depends_on = None

SQL = """
CREATE TABLE reconciliation_line (
    fund_id uuid NOT NULL CONSTRAINT reconciliation_line_fund_fk REFERENCES fund,
    import_id uuid NOT NULL,
    line integer NOT NULL,
    entry text NOT NULL CONSTRAINT reconciliation_line_entry_known CHECK (entry IN ('settlement', 'cancellation')),
    area text NOT NULL,
    insurer_settlement_id text NOT NULL,
    hospital_code text,
    business_date date,
    closes boolean NOT NULL,
    figures_digest text,
    billed_fen bigint,
    excluded_fen bigint,
    over_limit_fen bigint,
    upfront_share_fen bigint,
    allowed_fen bigint,
    insurer_paid_fen bigint,
    hifp_fen bigint,
    cvlserv_fen bigint,
    hifes_fen bigint,
    hifmi_fen bigint,
    hifob_fen bigint,
    hifdm_fen bigint,
    maf_fen bigint,
    oth_fen bigint,
    provider_absorbed_fen bigint,
    patient_share_fen bigint,
    account_paid_fen bigint,
    family_account_paid_fen bigint,
    cash_before_aid_fen bigint,
    cash_collected_fen bigint,
    aid_given_fen bigint,
    key_id text,
    envelope bytea,
    expires_at timestamptz NOT NULL,
    CONSTRAINT reconciliation_line_pk PRIMARY KEY (fund_id, import_id, line),
    CONSTRAINT reconciliation_line_sealed_whole CHECK ((key_id IS NULL) = (envelope IS NULL))
);
CREATE INDEX reconciliation_line_by_bill ON reconciliation_line (fund_id, insurer_settlement_id, area);
CREATE INDEX reconciliation_line_expiry ON reconciliation_line (expires_at);

CREATE TABLE reconciliation_import (
    fund_id uuid NOT NULL CONSTRAINT reconciliation_import_fund_fk REFERENCES fund,
    import_id uuid NOT NULL,
    source text NOT NULL CONSTRAINT reconciliation_import_source_known CHECK (source IN ('bureau', 'hospital')),
    business_date date NOT NULL,
    hospital_codes text[] NOT NULL,
    digest text NOT NULL,
    line_count integer NOT NULL,
    refused_count integer NOT NULL,
    refused jsonb NOT NULL,
    actor text NOT NULL,
    imported_at timestamptz NOT NULL,
    CONSTRAINT reconciliation_import_pk PRIMARY KEY (fund_id, import_id),
    CONSTRAINT reconciliation_import_covers CHECK ((source = 'hospital') = (cardinality(hospital_codes) > 0))
);
CREATE INDEX reconciliation_import_by_day ON reconciliation_import (fund_id, business_date, source);

CREATE TABLE reconciliation_run (
    fund_id uuid NOT NULL CONSTRAINT reconciliation_run_fund_fk REFERENCES fund,
    run_id uuid NOT NULL,
    business_date date NOT NULL,
    bureau_import_id uuid,
    hospital_codes text[] NOT NULL,
    recorded_count integer NOT NULL,
    bureau_count integer NOT NULL,
    hospital_count integer NOT NULL,
    found jsonb NOT NULL,
    opened_count integer NOT NULL,
    resolved_count integer NOT NULL,
    actor text NOT NULL,
    run_at timestamptz NOT NULL,
    CONSTRAINT reconciliation_run_pk PRIMARY KEY (fund_id, run_id),
    CONSTRAINT reconciliation_run_import_fk FOREIGN KEY (fund_id, bureau_import_id) REFERENCES reconciliation_import
);
CREATE INDEX reconciliation_run_by_day ON reconciliation_run (fund_id, business_date, run_id);

CREATE TABLE reconciliation_found (
    fund_id uuid NOT NULL CONSTRAINT reconciliation_found_fund_fk REFERENCES fund,
    run_id uuid NOT NULL,
    source text NOT NULL,
    kind text NOT NULL,
    area text NOT NULL,
    insurer_settlement_id text NOT NULL,
    business_date date NOT NULL,
    bill_id uuid,
    hospital_code text,
    figures jsonb NOT NULL,
    import_id uuid,
    line integer,
    CONSTRAINT reconciliation_found_pk PRIMARY KEY (fund_id, run_id, source, kind, area, insurer_settlement_id)
);

CREATE TABLE reconciliation_break (
    fund_id uuid NOT NULL CONSTRAINT reconciliation_break_fund_fk REFERENCES fund,
    break_id uuid NOT NULL,
    source text NOT NULL CONSTRAINT reconciliation_break_source_known CHECK (source IN ('bureau', 'hospital')),
    kind text NOT NULL CONSTRAINT reconciliation_break_kind_known CHECK (kind IN (
        'missing_here', 'missing_there', 'hospital_missing', 'amount', 'payer', 'cancelled_on_one_side', 'wrong_day',
        'duplicated', 'aid_not_passed_on', 'aid_to_unknown')),
    area text NOT NULL,
    insurer_settlement_id text NOT NULL,
    business_date date NOT NULL,
    bill_id uuid,
    hospital_code text,
    figures jsonb NOT NULL,
    import_id uuid,
    line integer,
    opened_at timestamptz NOT NULL,
    owner text,
    status text NOT NULL CONSTRAINT reconciliation_break_status_known CHECK (status IN ('open', 'resolved')),
    resolution text,
    resolved_by text,
    resolved_at timestamptz,
    step_count integer NOT NULL,
    CONSTRAINT reconciliation_break_pk PRIMARY KEY (fund_id, break_id),
    CONSTRAINT reconciliation_break_bill_fk FOREIGN KEY (fund_id, bill_id) REFERENCES bill,
    CONSTRAINT reconciliation_break_says_how CHECK (
        (status = 'resolved') = (resolution IS NOT NULL AND resolved_by IS NOT NULL AND resolved_at IS NOT NULL))
);
CREATE UNIQUE INDEX reconciliation_break_open_once
    ON reconciliation_break (fund_id, source, kind, area, insurer_settlement_id) WHERE status = 'open';
CREATE INDEX reconciliation_break_by_bill ON reconciliation_break (fund_id, insurer_settlement_id);
CREATE INDEX reconciliation_break_by_day ON reconciliation_break (fund_id, business_date, break_id);

CREATE TABLE reconciliation_step (
    fund_id uuid NOT NULL,
    break_id uuid NOT NULL,
    step integer NOT NULL,
    kind text NOT NULL CONSTRAINT reconciliation_step_kind_known
        CHECK (kind IN ('opened', 'changed', 'assigned', 'resolved')),
    details jsonb NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT reconciliation_step_pk PRIMARY KEY (fund_id, break_id, step),
    CONSTRAINT reconciliation_step_break_fk FOREIGN KEY (fund_id, break_id) REFERENCES reconciliation_break
);

CREATE INDEX reversal_by_business_date ON reversal (fund_id, business_date);
"""
TABLES = (
    "reconciliation_line",
    "reconciliation_import",
    "reconciliation_run",
    "reconciliation_found",
    "reconciliation_break",
    "reconciliation_step",
)
BREAK_UPDATES = "bill_id, figures, import_id, line, owner, status, resolution, resolved_by, resolved_at, step_count"
THIS_FUND = "(SELECT NULLIF(current_setting('app.fund', true), '')::uuid)"


def upgrade() -> None:
    """Make the tables; lists are only dropped when their time is over, and by the login of the worker."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
    for table in TABLES:
        op.execute(f"REVOKE ALL ON {table} FROM PUBLIC, settlement_app, settlement_ops")
        op.execute(f"GRANT SELECT ON {table} TO settlement_app, settlement_ops")
        op.execute(f"GRANT INSERT ON {table} TO settlement_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_of_this_fund ON {table} TO settlement_app "
            f"USING (fund_id = {THIS_FUND}) WITH CHECK (fund_id = {THIS_FUND})"
        )
        op.execute(f"CREATE POLICY {table}_for_ops ON {table} FOR SELECT TO settlement_ops USING (true)")
    op.execute(f"GRANT UPDATE ({BREAK_UPDATES}) ON reconciliation_break TO settlement_app")
    op.execute("GRANT DELETE ON reconciliation_line TO settlement_ops")
    op.execute(
        "CREATE POLICY reconciliation_line_expiry ON reconciliation_line FOR DELETE TO settlement_ops "
        "USING (expires_at < now())"
    )
