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

ALTER TABLE message_body
    DROP CONSTRAINT message_body_kind_known,
    ADD CONSTRAINT message_body_kind_known CHECK (kind IN ('settlement', 'cancellation', 'undoing'));
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
    op.execute(
        "GRANT UPDATE (resettles, replaces_bill_id, replaced_by_bill_id, place_bill_id) ON bill TO settlement_app"
    )
