"""Promises: what a quote reserved for a charge batch, and the settlement that kept it to the fen."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SQL = """
ALTER TABLE fund ADD COLUMN stay_hold_days smallint
    CONSTRAINT fund_stay_hold_days_range CHECK (stay_hold_days BETWEEN 1 AND 366);

CREATE TABLE hold (
    fund_id uuid NOT NULL CONSTRAINT hold_fund_fk REFERENCES fund,
    hold_id uuid NOT NULL,
    member_id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT hold_kind_known CHECK (kind IN ('counter', 'stay')),
    state text NOT NULL CONSTRAINT hold_state_known
        CHECK (state IN ('open', 'kept', 'overtaken', 'replaced', 'released')),
    hospital_code text NOT NULL,
    encounter_id text NOT NULL,
    charge_batch_no text NOT NULL,
    figures_digest text NOT NULL,
    plan_version_id uuid NOT NULL,
    plan_code text NOT NULL,
    service_date date NOT NULL,
    cash_before_aid_fen bigint NOT NULL,
    aid_on_bill_fen bigint NOT NULL CONSTRAINT hold_aid_on_bill_not_negative CHECK (aid_on_bill_fen >= 0),
    aid_to_card_fen bigint NOT NULL CONSTRAINT hold_aid_to_card_not_negative CHECK (aid_to_card_fen >= 0),
    other_on_bill_fen bigint NOT NULL CONSTRAINT hold_other_not_negative CHECK (other_on_bill_fen >= 0),
    cash_due_fen bigint NOT NULL CONSTRAINT hold_cash_due_not_negative CHECK (cash_due_fen >= 0),
    receipt jsonb NOT NULL,
    receipt_hash text NOT NULL,
    actor text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    bill_id uuid,
    CONSTRAINT hold_pk PRIMARY KEY (fund_id, hold_id),
    CONSTRAINT hold_member_fk FOREIGN KEY (fund_id, member_id) REFERENCES member,
    CONSTRAINT hold_plan_version_fk FOREIGN KEY (fund_id, plan_version_id) REFERENCES plan_version,
    CONSTRAINT hold_bill_fk FOREIGN KEY (fund_id, bill_id) REFERENCES bill,
    CONSTRAINT hold_cash_split CHECK (cash_before_aid_fen = aid_on_bill_fen + other_on_bill_fen + cash_due_fen),
    CONSTRAINT hold_expires_later CHECK (expires_at > created_at),
    CONSTRAINT hold_ends_once CHECK ((state = 'open') = (ended_at IS NULL)),
    CONSTRAINT hold_of_its_bill CHECK ((state IN ('kept', 'overtaken')) = (bill_id IS NOT NULL)),
    CONSTRAINT hold_promises UNIQUE (fund_id, hold_id, aid_on_bill_fen, aid_to_card_fen, other_on_bill_fen,
                                     cash_due_fen, receipt_hash),
    CONSTRAINT hold_one_open EXCLUDE USING btree (fund_id WITH =, member_id WITH =, hospital_code WITH =,
                                                  encounter_id WITH =, charge_batch_no WITH =)
        WHERE (state = 'open') DEFERRABLE
);
COMMENT ON CONSTRAINT hold_one_open ON hold IS
    'looked at when the statement ends: one statement ends the older hold and makes the newer, in no certain order';
CREATE INDEX hold_by_bill ON hold (fund_id, bill_id) WHERE bill_id IS NOT NULL;

CREATE TABLE hold_room (
    fund_id uuid NOT NULL,
    hold_id uuid NOT NULL,
    benefit text NOT NULL,
    term text NOT NULL,
    base_fen bigint NOT NULL,
    burden_fen bigint NOT NULL,
    paid_fen bigint NOT NULL,
    days integer NOT NULL,
    times integer NOT NULL,
    deductible_fen bigint NOT NULL,
    unit text,
    visit text,
    care_from date,
    care_to date,
    hospital_code text,
    diagnosis text,
    CONSTRAINT hold_room_pk PRIMARY KEY (fund_id, hold_id, benefit, term),
    CONSTRAINT hold_room_hold_fk FOREIGN KEY (fund_id, hold_id) REFERENCES hold,
    CONSTRAINT hold_room_care_span CHECK (care_from <= care_to)
);

ALTER TABLE settlement
    ADD COLUMN hold_id uuid,
    ADD CONSTRAINT settlement_keeps_promise FOREIGN KEY (fund_id, hold_id, aid_on_bill_fen, aid_to_card_fen,
        other_on_bill_fen, cash_due_fen, receipt_hash)
        REFERENCES hold (fund_id, hold_id, aid_on_bill_fen, aid_to_card_fen, other_on_bill_fen, cash_due_fen,
                         receipt_hash);
CREATE UNIQUE INDEX settlement_promise_once ON settlement (fund_id, hold_id) WHERE hold_id IS NOT NULL;
"""
THIS_FUND = "(SELECT NULLIF(current_setting('app.fund', true), '')::uuid)"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
    for table in ("hold", "hold_room"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_of_this_fund ON {table} TO settlement_app "
            f"USING (fund_id = {THIS_FUND}) WITH CHECK (fund_id = {THIS_FUND})"
        )
        op.execute(f"CREATE POLICY {table}_for_ops ON {table} FOR SELECT TO settlement_ops USING (true)")
        op.execute(f"GRANT SELECT, INSERT ON {table} TO settlement_app")
        op.execute(f"GRANT SELECT ON {table} TO settlement_ops")
    op.execute("GRANT UPDATE (state, ended_at, bill_id) ON hold TO settlement_app")
    op.execute("GRANT UPDATE (stay_hold_days) ON fund TO settlement_app")
