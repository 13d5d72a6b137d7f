"""Corrections: chains of bills, and what a cancelled bill gave back kept for its successor."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SQL = """
ALTER TABLE bill
    ADD COLUMN resettles text,
    ADD COLUMN replaces_bill_id uuid,
    ADD COLUMN replaced_by_bill_id uuid,
    ADD COLUMN place_bill_id uuid,
    ADD CONSTRAINT bill_replaces_fk FOREIGN KEY (fund_id, replaces_bill_id) REFERENCES bill,
    ADD CONSTRAINT bill_replaced_by_fk FOREIGN KEY (fund_id, replaced_by_bill_id) REFERENCES bill,
    ADD CONSTRAINT bill_place_fk FOREIGN KEY (fund_id, place_bill_id) REFERENCES bill,
    ADD CONSTRAINT bill_replaced_by_another CHECK ((state = 'replaced') = (replaced_by_bill_id IS NOT NULL)),
    ADD CONSTRAINT bill_place_of_chain CHECK ((replaces_bill_id IS NULL) = (place_bill_id IS NULL));
COMMENT ON COLUMN bill.place_bill_id IS 'the first bill of its chain: whose place in the order of recording it has';
CREATE UNIQUE INDEX bill_replaces_once ON bill (fund_id, replaces_bill_id) WHERE replaces_bill_id IS NOT NULL;
CREATE INDEX bill_by_member ON bill (fund_id, member_id, bill_id) WHERE member_id IS NOT NULL;

ALTER TABLE consumption ADD COLUMN place_bill_id uuid;

ALTER TABLE hold
    ADD COLUMN of_bill_id uuid,
    ADD COLUMN place_bill_id uuid,
    DROP CONSTRAINT hold_kind_known,
    DROP CONSTRAINT hold_state_known,
    DROP CONSTRAINT hold_of_its_bill,
    DROP CONSTRAINT hold_one_open,
    ADD CONSTRAINT hold_kind_known CHECK (kind IN ('counter', 'stay', 'successor')),
    ADD CONSTRAINT hold_state_known
        CHECK (state IN ('open', 'kept', 'overtaken', 'replaced', 'released', 'taken')),
    ADD CONSTRAINT hold_of_its_bill CHECK ((state IN ('kept', 'overtaken', 'taken')) = (bill_id IS NOT NULL)),
    ADD CONSTRAINT hold_taken_is_kept_room CHECK (state <> 'taken' OR kind = 'successor'),
    ADD CONSTRAINT hold_of_cancelled_bill CHECK (kind <> 'successor' OR of_bill_id IS NOT NULL),
    ADD CONSTRAINT hold_place_of_chain CHECK ((of_bill_id IS NULL) = (place_bill_id IS NULL)),
    ADD CONSTRAINT hold_of_bill_fk FOREIGN KEY (fund_id, of_bill_id) REFERENCES bill,
    ADD CONSTRAINT hold_one_open EXCLUDE USING btree (fund_id WITH =, member_id WITH =, hospital_code WITH =,
                                                      encounter_id WITH =, charge_batch_no WITH =)
        WHERE (state = 'open' AND kind <> 'successor') DEFERRABLE;
COMMENT ON CONSTRAINT hold_one_open ON hold IS
    'looked at when the statement ends: one statement ends the older hold and makes the newer, in no certain order';
CREATE UNIQUE INDEX hold_one_successor ON hold (fund_id, of_bill_id) WHERE state = 'open' AND kind = 'successor';
CREATE INDEX hold_open_by_member ON hold (fund_id, member_id) WHERE state = 'open';

CREATE TABLE rerating (
    fund_id uuid NOT NULL CONSTRAINT rerating_fund_fk REFERENCES fund,
    rerating_id uuid NOT NULL,
    member_id uuid NOT NULL,
    of_bill_id uuid NOT NULL,
    plan_code text NOT NULL,
    term text NOT NULL,
    lines jsonb NOT NULL,
    net_fen bigint NOT NULL,
    state text NOT NULL CONSTRAINT rerating_state_known CHECK (state IN ('proposed', 'applied', 'lapsed')),
    actor text NOT NULL,
    created_at timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz,
    CONSTRAINT rerating_pk PRIMARY KEY (fund_id, rerating_id),
    CONSTRAINT rerating_member_fk FOREIGN KEY (fund_id, member_id) REFERENCES member,
    CONSTRAINT rerating_bill_fk FOREIGN KEY (fund_id, of_bill_id) REFERENCES bill,
    CONSTRAINT rerating_decided_once CHECK (
        (state = 'proposed') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL))
);
CREATE UNIQUE INDEX rerating_one_proposed ON rerating (fund_id, member_id, plan_code, term) WHERE state = 'proposed';

CREATE TABLE later_payer (
    fund_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    payer_id uuid NOT NULL,
    name text NOT NULL,
    amount_fen bigint NOT NULL CONSTRAINT later_payer_amount_positive CHECK (amount_fen > 0),
    reference text NOT NULL,
    actor text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT later_payer_pk PRIMARY KEY (fund_id, payer_id),
    CONSTRAINT later_payer_once UNIQUE (fund_id, bill_id, name, reference),
    CONSTRAINT later_payer_bill_fk FOREIGN KEY (fund_id, bill_id) REFERENCES bill
);

ALTER TABLE message_body
    DROP CONSTRAINT message_body_kind_known,
    ADD CONSTRAINT message_body_kind_known CHECK (kind IN ('settlement', 'cancellation', 'undoing'));
"""
THIS_FUND = "(SELECT NULLIF(current_setting('app.fund', true), '')::uuid)"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
    op.execute(
        "GRANT UPDATE (resettles, replaces_bill_id, replaced_by_bill_id, place_bill_id) ON bill TO settlement_app"
    )
    for table in ("rerating", "later_payer"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_of_this_fund ON {table} TO settlement_app "
            f"USING (fund_id = {THIS_FUND}) WITH CHECK (fund_id = {THIS_FUND})"
        )
        op.execute(f"CREATE POLICY {table}_for_ops ON {table} FOR SELECT TO settlement_ops USING (true)")
        op.execute(f"GRANT SELECT, INSERT ON {table} TO settlement_app")
        op.execute(f"GRANT SELECT ON {table} TO settlement_ops")
    op.execute("GRANT UPDATE (state, decided_by, decided_at) ON rerating TO settlement_app")
