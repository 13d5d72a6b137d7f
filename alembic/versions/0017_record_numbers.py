"""What a member's room depends on is numbered as it is written under the member's lock: clocks give no order."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

SQL = """
CREATE SEQUENCE record_number;
ALTER TABLE settlement ADD COLUMN number bigint;
ALTER TABLE reversal ADD COLUMN number bigint;
ALTER TABLE hold ADD COLUMN number bigint, ADD COLUMN end_number bigint;

CREATE TEMPORARY TABLE numbered ON COMMIT DROP AS
SELECT *, nextval('record_number') AS number
FROM (
    SELECT 'reversal' AS record, fund_id, bill_id AS id, revision, recorded_at AS at FROM reversal
    UNION ALL SELECT 'hold end', fund_id, hold_id, 1, ended_at FROM hold WHERE state <> 'open'
    UNION ALL SELECT 'hold', fund_id, hold_id, 1, created_at FROM hold
    UNION ALL SELECT 'settlement', fund_id, bill_id, revision, recorded_at FROM settlement
    ORDER BY at, id, revision
) AS in_order;
UPDATE settlement AS it SET number = numbered.number FROM numbered
WHERE record = 'settlement' AND (numbered.fund_id, id, numbered.revision) = (it.fund_id, it.bill_id, it.revision);
UPDATE reversal AS it SET number = numbered.number FROM numbered
WHERE record = 'reversal' AND (numbered.fund_id, id, numbered.revision) = (it.fund_id, it.bill_id, it.revision);
UPDATE hold AS it SET number = numbered.number FROM numbered
WHERE record = 'hold' AND (numbered.fund_id, id) = (it.fund_id, it.hold_id);
UPDATE hold AS it SET end_number = numbered.number FROM numbered
WHERE record = 'hold end' AND (numbered.fund_id, id) = (it.fund_id, it.hold_id);

ALTER TABLE settlement ALTER COLUMN number SET DEFAULT nextval('record_number'), ALTER COLUMN number SET NOT NULL;
ALTER TABLE reversal ALTER COLUMN number SET DEFAULT nextval('record_number'), ALTER COLUMN number SET NOT NULL;
ALTER TABLE hold ALTER COLUMN number SET DEFAULT nextval('record_number'), ALTER COLUMN number SET NOT NULL,
    ADD CONSTRAINT hold_end_is_numbered CHECK ((state = 'open') = (end_number IS NULL));
CREATE INDEX hold_of_cancelled ON hold (fund_id, of_bill_id) WHERE of_bill_id IS NOT NULL;

CREATE INDEX bill_cancelled_unseen ON bill (fund_id) WHERE state = 'cancelled_unseen';

-- By a trigger, so that a process of the release before can still end a hold while it is being replaced.
CREATE FUNCTION number_hold_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.end_number := nextval('public.record_number');
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_end_numbered BEFORE UPDATE ON hold
    FOR EACH ROW WHEN (OLD.state = 'open' AND NEW.state <> 'open') EXECUTE FUNCTION number_hold_end();
COMMENT ON SEQUENCE record_number IS
    'orders what one member was given and what was taken back: drawn under the member''s lock, whatever the clocks say';
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
    op.execute("GRANT USAGE ON SEQUENCE record_number TO settlement_app")
