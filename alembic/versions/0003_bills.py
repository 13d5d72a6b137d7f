"""Bills and their records: head, settlement, reversal, posting, consumption, and the books day they fall in."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SQL = """
CREATE TABLE books_day (
    fund_id uuid NOT NULL CONSTRAINT books_day_fund_fk REFERENCES fund,
    books_day integer NOT NULL CONSTRAINT books_day_positive CHECK (books_day > 0),
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    CONSTRAINT books_day_pk PRIMARY KEY (fund_id, books_day)
);
CREATE UNIQUE INDEX books_day_one_open ON books_day (fund_id) WHERE closed_at IS NULL;

CREATE TABLE bill (
    fund_id uuid NOT NULL CONSTRAINT bill_fund_fk REFERENCES fund,
    bill_id uuid NOT NULL,
    area text NOT NULL,
    insurer_settlement_id text NOT NULL,
    state text NOT NULL CONSTRAINT bill_state_known
        CHECK (state IN ('live', 'reversed', 'replaced', 'held', 'pending', 'cancelled_unseen')),
    revision integer NOT NULL,
    settlement_no text NOT NULL,
    member_id uuid,
    hospital_code text,
    encounter_id text,
    charge_batch_no text,
    visit_no text,
    receipt_no text,
    operator text,
    message_id text,
    door text NOT NULL CONSTRAINT bill_door_known CHECK (door IN ('api', 'facade', 'exchange', 'catch_up', 'claims')),
    settled_at timestamptz,
    business_date date,
    figures_digest text,
    question jsonb,
    confirmed_at timestamptz,
    confirmed_by text,
    cancelling_settlement_id text,
    created_at timestamptz NOT NULL,
    event_count integer NOT NULL,
    CONSTRAINT bill_pk PRIMARY KEY (fund_id, bill_id),
    CONSTRAINT bill_once UNIQUE (fund_id, area, insurer_settlement_id),
    CONSTRAINT bill_number_once UNIQUE (fund_id, settlement_no),
    CONSTRAINT bill_member_fk FOREIGN KEY (fund_id, member_id) REFERENCES member,
    CONSTRAINT bill_held_has_question CHECK ((state = 'held') = (question IS NOT NULL)),
    CONSTRAINT bill_live_has_record CHECK (state NOT IN ('live', 'reversed', 'replaced') OR revision > 0)
);
CREATE UNIQUE INDEX bill_once_per_hospital ON bill (fund_id, insurer_settlement_id, hospital_code)
    WHERE hospital_code IS NOT NULL;
CREATE UNIQUE INDEX bill_cancelled_once ON bill (fund_id, area, cancelling_settlement_id)
    WHERE cancelling_settlement_id IS NOT NULL;
CREATE INDEX bill_by_encounter ON bill (fund_id, encounter_id);
CREATE INDEX bill_by_visit_no ON bill (fund_id, visit_no) WHERE visit_no IS NOT NULL;
CREATE INDEX bill_by_hospital ON bill (fund_id, hospital_code, bill_id);
CREATE INDEX bill_held ON bill (fund_id, created_at) WHERE state = 'held';
CREATE INDEX bill_by_business_date ON bill (fund_id, business_date, bill_id);
CREATE INDEX bill_by_receipt ON bill (fund_id, receipt_no) WHERE receipt_no IS NOT NULL;

CREATE TABLE settlement (
    fund_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    revision integer NOT NULL CONSTRAINT settlement_revision_positive CHECK (revision > 0),
    member_id uuid,
    plan_version_id uuid,
    service_date date NOT NULL,
    business_date date NOT NULL,
    books_day integer NOT NULL,
    billed_fen bigint NOT NULL,
    excluded_fen bigint NOT NULL,
    over_limit_fen bigint NOT NULL,
    upfront_share_fen bigint NOT NULL,
    allowed_fen bigint NOT NULL,
    insurer_deductible_fen bigint NOT NULL,
    hifp_fen bigint NOT NULL,
    cvlserv_fen bigint NOT NULL,
    hifes_fen bigint NOT NULL,
    hifmi_fen bigint NOT NULL,
    hifob_fen bigint NOT NULL,
    hifdm_fen bigint NOT NULL,
    maf_fen bigint NOT NULL,
    oth_fen bigint NOT NULL,
    unnamed_fen bigint NOT NULL,
    provider_absorbed_fen bigint NOT NULL,
    patient_share_fen bigint NOT NULL,
    account_paid_fen bigint NOT NULL,
    family_account_paid_fen bigint NOT NULL,
    cash_before_aid_fen bigint NOT NULL,
    aid_on_bill_fen bigint NOT NULL CONSTRAINT settlement_aid_on_bill_not_negative CHECK (aid_on_bill_fen >= 0),
    aid_to_card_fen bigint NOT NULL CONSTRAINT settlement_aid_to_card_not_negative CHECK (aid_to_card_fen >= 0),
    other_on_bill_fen bigint NOT NULL CONSTRAINT settlement_other_not_negative CHECK (other_on_bill_fen >= 0),
    cash_due_fen bigint NOT NULL CONSTRAINT settlement_cash_due_not_negative CHECK (cash_due_fen >= 0),
    engine_version text NOT NULL,
    receipt_hash text NOT NULL,
    receipt jsonb NOT NULL,
    actor text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT settlement_pk PRIMARY KEY (fund_id, bill_id, revision),
    CONSTRAINT settlement_bill_fk FOREIGN KEY (fund_id, bill_id) REFERENCES bill,
    CONSTRAINT settlement_member_fk FOREIGN KEY (fund_id, member_id) REFERENCES member,
    CONSTRAINT settlement_plan_version_fk FOREIGN KEY (fund_id, plan_version_id) REFERENCES plan_version,
    CONSTRAINT settlement_aid_has_plan CHECK (plan_version_id IS NOT NULL OR aid_on_bill_fen + aid_to_card_fen = 0),
    CONSTRAINT settlement_books_day_fk FOREIGN KEY (fund_id, books_day) REFERENCES books_day,
    CONSTRAINT settlement_equation CHECK (
        billed_fen = hifp_fen + cvlserv_fen + hifes_fen + hifmi_fen + hifob_fen + hifdm_fen + maf_fen + oth_fen
            + unnamed_fen + provider_absorbed_fen + account_paid_fen
            + aid_on_bill_fen + other_on_bill_fen + cash_due_fen),
    CONSTRAINT settlement_cash_split CHECK (cash_before_aid_fen = aid_on_bill_fen + other_on_bill_fen + cash_due_fen),
    CONSTRAINT settlement_composition CHECK (
        billed_fen = excluded_fen + over_limit_fen + upfront_share_fen + allowed_fen),
    CONSTRAINT settlement_patient_share CHECK (patient_share_fen = account_paid_fen + cash_before_aid_fen)
);

CREATE TABLE reversal (
    fund_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    revision integer NOT NULL,
    reversal_id uuid NOT NULL,
    reason text NOT NULL,
    seen_by text NOT NULL,
    cancelling_settlement_id text,
    business_date date NOT NULL,
    books_day integer NOT NULL,
    actor text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT reversal_pk PRIMARY KEY (fund_id, bill_id, revision),
    CONSTRAINT reversal_id_once UNIQUE (fund_id, reversal_id),
    CONSTRAINT reversal_settlement_fk FOREIGN KEY (fund_id, bill_id, revision) REFERENCES settlement,
    CONSTRAINT reversal_books_day_fk FOREIGN KEY (fund_id, books_day) REFERENCES books_day
);

CREATE TABLE posting (
    fund_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    revision integer NOT NULL,
    record text NOT NULL CONSTRAINT posting_record_known CHECK (record IN ('settlement', 'reversal')),
    line smallint NOT NULL,
    debit text NOT NULL,
    credit text NOT NULL,
    fen bigint NOT NULL CONSTRAINT posting_fen_positive CHECK (fen > 0),
    books_day integer NOT NULL,
    CONSTRAINT posting_pk PRIMARY KEY (fund_id, bill_id, revision, record, line),
    CONSTRAINT posting_settlement_fk FOREIGN KEY (fund_id, bill_id, revision) REFERENCES settlement,
    CONSTRAINT posting_two_accounts CHECK (debit <> credit)
);

CREATE TABLE consumption (
    fund_id uuid NOT NULL,
    member_id uuid NOT NULL,
    plan_code text NOT NULL,
    benefit text NOT NULL,
    term text NOT NULL,
    bill_id uuid NOT NULL,
    revision integer NOT NULL,
    base_fen bigint NOT NULL,
    burden_fen bigint NOT NULL,
    paid_fen bigint NOT NULL,
    days integer NOT NULL,
    times integer NOT NULL,
    CONSTRAINT consumption_pk PRIMARY KEY (fund_id, member_id, plan_code, benefit, term, bill_id, revision),
    CONSTRAINT consumption_settlement_fk FOREIGN KEY (fund_id, bill_id, revision) REFERENCES settlement
);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
