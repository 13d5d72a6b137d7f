"""People: the only tables that hold an identity (sealed), and who is a member when."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQL = """
CREATE TABLE person (
    fund_id uuid NOT NULL CONSTRAINT person_fund_fk REFERENCES fund,
    person_id uuid NOT NULL,
    key_id text NOT NULL,
    envelope bytea NOT NULL,
    certificate_index bytea NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT person_pk PRIMARY KEY (fund_id, person_id),
    CONSTRAINT person_certificate_once UNIQUE (fund_id, certificate_index)
);

CREATE TABLE person_number (
    fund_id uuid NOT NULL,
    number_index bytea NOT NULL,
    person_id uuid NOT NULL,
    key_id text NOT NULL,
    envelope bytea NOT NULL,
    area text NOT NULL,
    evidence text NOT NULL,
    learnt_at timestamptz NOT NULL,
    CONSTRAINT person_number_pk PRIMARY KEY (fund_id, number_index),
    CONSTRAINT person_number_person_fk FOREIGN KEY (fund_id, person_id) REFERENCES person
);

CREATE TABLE member (
    fund_id uuid NOT NULL,
    member_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT member_pk PRIMARY KEY (fund_id, member_id),
    CONSTRAINT member_person_fk FOREIGN KEY (fund_id, member_id) REFERENCES person (fund_id, person_id)
);

CREATE TABLE membership (
    fund_id uuid NOT NULL,
    membership_id uuid NOT NULL,
    member_id uuid NOT NULL,
    unit_id uuid NOT NULL,
    plan_code text NOT NULL,
    person_category text NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT membership_pk PRIMARY KEY (fund_id, membership_id),
    CONSTRAINT membership_once UNIQUE (fund_id, member_id, plan_code, first_day),
    CONSTRAINT membership_member_fk FOREIGN KEY (fund_id, member_id) REFERENCES member,
    CONSTRAINT membership_unit_fk FOREIGN KEY (fund_id, unit_id) REFERENCES unit,
    CONSTRAINT membership_span CHECK (first_day <= last_day)
);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
