"""Who may do what: the two logins' rights, and row-level security that shows a connection one fund."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = [
    "fund",
    "unit",
    "hospital",
    "hospital_code",
    "hospital_level",
    "plan_version",
    "client",
    "person",
    "person_number",
    "member",
    "membership",
    "books_day",
    "bill",
    "settlement",
    "reversal",
    "posting",
    "consumption",
    "message_body",
    "event",
    "event_position",
    "idempotency",
    "worklist_item",
    "uncovered",
]
APP_INSERTS = [table for table in TABLES if table != "event_position"]
APP_UPDATES = {
    "client": "revoked_at",
    "books_day": "closed_at",
    "worklist_item": "closed_at",
    "bill": (
        "state, revision, member_id, hospital_code, encounter_id, charge_batch_no, visit_no, receipt_no, operator, "
        "message_id, settled_at, business_date, figures_digest, question, confirmed_at, confirmed_by, "
        "cancelling_settlement_id, event_count"
    ),
}
THIS_FUND = "(SELECT NULLIF(current_setting('app.fund', true), '')::uuid)"


def upgrade() -> None:
    """Grant by table; what is not granted is refused, so a record can be neither changed nor removed.

    Locking a member's row (`FOR NO KEY UPDATE`) asks for the right to update a column of it: `created_at`, which
    no rule reads.
    """
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, settlement_app, settlement_ops")
    op.execute("GRANT USAGE ON SCHEMA public TO settlement_app, settlement_ops")
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO settlement_app, settlement_ops")
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_of_this_fund ON {table} TO settlement_app "
            f"USING (fund_id = {THIS_FUND}) WITH CHECK (fund_id = {THIS_FUND})"
        )
        op.execute(f"CREATE POLICY {table}_for_ops ON {table} FOR SELECT TO settlement_ops USING (true)")
    for table in APP_INSERTS:
        op.execute(f"GRANT INSERT ON {table} TO settlement_app")
    for table, columns in APP_UPDATES.items():
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO settlement_app")
    op.execute("GRANT UPDATE (created_at) ON member TO settlement_app")
    op.execute("GRANT INSERT ON event_position TO settlement_ops")
    op.execute("CREATE POLICY event_position_by_ops ON event_position FOR INSERT TO settlement_ops WITH CHECK (true)")
    op.execute("GRANT DELETE ON message_body TO settlement_ops")
    op.execute(
        "CREATE POLICY message_body_expiry ON message_body FOR DELETE TO settlement_ops USING (expires_at < now())"
    )
