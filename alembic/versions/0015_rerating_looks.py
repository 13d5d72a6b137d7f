"""What has been looked at, once, because it may change what earlier bills of a member's term would get."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SQL = """
CREATE TABLE rerating_look (
    fund_id uuid NOT NULL CONSTRAINT rerating_look_fund_fk REFERENCES fund,
    kind text NOT NULL CONSTRAINT rerating_look_kind_known
        CHECK (kind IN ('reversed', 'revised', 'later_payer', 'roster')),
    cause_id uuid NOT NULL,
    term text NOT NULL,
    bill_id uuid NOT NULL,
    rerating_id uuid,
    looked_at timestamptz NOT NULL,
    CONSTRAINT rerating_look_pk PRIMARY KEY (fund_id, kind, cause_id, term),
    CONSTRAINT rerating_look_bill_fk FOREIGN KEY (fund_id, bill_id) REFERENCES bill,
    CONSTRAINT rerating_look_rerating_fk FOREIGN KEY (fund_id, rerating_id) REFERENCES rerating
);
COMMENT ON COLUMN rerating_look.cause_id IS 'the reversal, the later payer, or the membership';
CREATE INDEX reversal_by_time ON reversal (fund_id, recorded_at);
CREATE INDEX later_payer_by_time ON later_payer (fund_id, recorded_at);
CREATE INDEX membership_by_time ON membership (fund_id, recorded_at);
"""
THIS_FUND = "(SELECT NULLIF(current_setting('app.fund', true), '')::uuid)"


def upgrade() -> None:
    """Make the table of marks, whose rows are only added."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
    op.execute("REVOKE ALL ON rerating_look FROM PUBLIC, settlement_app, settlement_ops")
    op.execute("GRANT SELECT, INSERT ON rerating_look TO settlement_app")
    op.execute("GRANT SELECT ON rerating_look TO settlement_ops")
    op.execute("ALTER TABLE rerating_look ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY rerating_look_of_this_fund ON rerating_look TO settlement_app "
        f"USING (fund_id = {THIS_FUND}) WITH CHECK (fund_id = {THIS_FUND})"
    )
    op.execute("CREATE POLICY rerating_look_for_ops ON rerating_look FOR SELECT TO settlement_ops USING (true)")
