"""Staff: named accounts that sign in with a password, and the count of failed sign-ins that bounds guessing."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SQL = """
CREATE TABLE staff (
    fund_id uuid NOT NULL CONSTRAINT staff_fund_fk REFERENCES fund,
    staff_id uuid NOT NULL,
    login text NOT NULL CONSTRAINT staff_login_shape CHECK (login ~ '^[a-z][a-z0-9-]{1,40}$'),
    roles text[] NOT NULL CONSTRAINT staff_roles_known
        CHECK (roles <@ ARRAY['clerk', 'approver', 'auditor', 'operator'] AND array_position(roles, NULL) IS NULL),
    password_hash text CONSTRAINT staff_password_argon2id CHECK (password_hash LIKE '$argon2id$%'),
    created_at timestamptz NOT NULL,
    disabled_at timestamptz,
    CONSTRAINT staff_pk PRIMARY KEY (fund_id, staff_id),
    CONSTRAINT staff_login_once UNIQUE (fund_id, login),
    CONSTRAINT staff_signs_in_by_password CHECK (password_hash IS NOT NULL OR disabled_at IS NOT NULL)
);

CREATE TABLE sign_in_failure (
    fund_id uuid NOT NULL CONSTRAINT sign_in_failure_fund_fk REFERENCES fund,
    bucket integer NOT NULL,
    failures integer NOT NULL CONSTRAINT sign_in_failure_not_negative CHECK (failures >= 0),
    since timestamptz NOT NULL,
    CONSTRAINT sign_in_failure_pk PRIMARY KEY (fund_id, bucket)
);
"""
TABLES = ("staff", "sign_in_failure")
APP_UPDATES = {"staff": "password_hash, disabled_at", "sign_in_failure": "failures, since"}
THIS_FUND = "(SELECT NULLIF(current_setting('app.fund', true), '')::uuid)"


def upgrade() -> None:
    """Make the tables with the rights and policies that every table has. `roles` and `login` never change."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
    for table in TABLES:
        op.execute(f"REVOKE ALL ON {table} FROM PUBLIC, settlement_app, settlement_ops")
        op.execute(f"GRANT SELECT ON {table} TO settlement_app, settlement_ops")
        op.execute(f"GRANT INSERT, UPDATE ({APP_UPDATES[table]}) ON {table} TO settlement_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_of_this_fund ON {table} TO settlement_app "
            f"USING (fund_id = {THIS_FUND}) WITH CHECK (fund_id = {THIS_FUND})"
        )
        op.execute(f"CREATE POLICY {table}_for_ops ON {table} FOR SELECT TO settlement_ops USING (true)")
