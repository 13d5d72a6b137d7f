"""What is said around a bill: raw messages (sealed), events, stored answers, the worklist, uncovered tallies."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SQL = """
CREATE TABLE message_body (
    fund_id uuid NOT NULL,
    message_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT message_body_kind_known CHECK (kind IN ('settlement', 'cancellation')),
    key_id text NOT NULL,
    envelope bytea NOT NULL,
    received_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT message_body_pk PRIMARY KEY (fund_id, message_id),
    CONSTRAINT message_body_bill_fk FOREIGN KEY (fund_id, bill_id) REFERENCES bill
);
CREATE INDEX message_body_by_bill ON message_body (fund_id, bill_id);
CREATE INDEX message_body_by_expiry ON message_body (expires_at);

CREATE TABLE event (
    fund_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    sequence integer NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL,
    payload jsonb NOT NULL,
    actor text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT event_pk PRIMARY KEY (fund_id, bill_id, sequence),
    CONSTRAINT event_id_once UNIQUE (fund_id, event_id),
    CONSTRAINT event_bill_fk FOREIGN KEY (fund_id, bill_id) REFERENCES bill
);

CREATE TABLE event_position (
    fund_id uuid NOT NULL,
    position bigint NOT NULL,
    event_id uuid NOT NULL,
    CONSTRAINT event_position_pk PRIMARY KEY (fund_id, position),
    CONSTRAINT event_position_once UNIQUE (fund_id, event_id),
    CONSTRAINT event_position_event_fk FOREIGN KEY (fund_id, event_id) REFERENCES event (fund_id, event_id)
);

CREATE TABLE idempotency (
    fund_id uuid NOT NULL CONSTRAINT idempotency_fund_fk REFERENCES fund,
    client_id text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    status smallint NOT NULL,
    body json NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT idempotency_pk PRIMARY KEY (fund_id, client_id, key)
);

CREATE TABLE worklist_item (
    fund_id uuid NOT NULL,
    item_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    kind text NOT NULL,
    figures jsonb NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    CONSTRAINT worklist_item_pk PRIMARY KEY (fund_id, item_id),
    CONSTRAINT worklist_item_bill_fk FOREIGN KEY (fund_id, bill_id) REFERENCES bill
);
CREATE UNIQUE INDEX worklist_item_open_once ON worklist_item (fund_id, bill_id, kind) WHERE closed_at IS NULL;

CREATE TABLE uncovered (
    fund_id uuid NOT NULL CONSTRAINT uncovered_fund_fk REFERENCES fund,
    tally_id uuid NOT NULL,
    business_date date NOT NULL,
    door text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT uncovered_pk PRIMARY KEY (fund_id, tally_id)
);
CREATE INDEX uncovered_by_day ON uncovered (fund_id, business_date, reason);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
