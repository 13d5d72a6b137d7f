"""What the wider plan language asks of the records: units of bills, stays, shares, unit classes, announced renewals."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SQL = """
ALTER TABLE consumption
    ADD COLUMN deductible_fen bigint NOT NULL DEFAULT 0,
    ADD COLUMN unit text,
    ADD COLUMN visit text,
    ADD COLUMN care_from date,
    ADD COLUMN care_to date,
    ADD COLUMN hospital_code text,
    ADD COLUMN diagnosis text,
    ADD CONSTRAINT consumption_care_span CHECK (care_from <= care_to);

ALTER TABLE membership
    ADD COLUMN shares jsonb,
    ADD COLUMN union_member boolean;

ALTER TABLE unit
    ADD COLUMN class text,
    ADD COLUMN region text;

CREATE TABLE unit_renewal (
    fund_id uuid NOT NULL,
    unit_id uuid NOT NULL,
    plan_code text NOT NULL,
    first_day date NOT NULL,
    announced_at timestamptz NOT NULL,
    CONSTRAINT unit_renewal_pk PRIMARY KEY (fund_id, unit_id, plan_code, first_day),
    CONSTRAINT unit_renewal_unit_fk FOREIGN KEY (fund_id, unit_id) REFERENCES unit
);
"""
THIS_FUND = "(SELECT NULLIF(current_setting('app.fund', true), '')::uuid)"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
    op.execute("ALTER TABLE unit_renewal ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY unit_renewal_of_this_fund ON unit_renewal TO settlement_app "
        f"USING (fund_id = {THIS_FUND}) WITH CHECK (fund_id = {THIS_FUND})"
    )
    op.execute("CREATE POLICY unit_renewal_for_ops ON unit_renewal FOR SELECT TO settlement_ops USING (true)")
    op.execute("GRANT SELECT, INSERT ON unit_renewal TO settlement_app")
    op.execute("GRANT SELECT ON unit_renewal TO settlement_ops")
