"""The life of a plan version: a draft, what was done with it by whom, and a version that only an approved draft makes.

Versions published before there were accounts keep their place: each gets a draft and its steps by two accounts that
are named after this migration and cannot sign in.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SQL = """
CREATE TABLE plan_draft (
    fund_id uuid NOT NULL CONSTRAINT plan_draft_fund_fk REFERENCES fund,
    draft_id uuid NOT NULL,
    plan_code text NOT NULL,
    version text NOT NULL,
    effective_from date NOT NULL,
    corrects text,
    document text NOT NULL,
    digest text NOT NULL,
    source text NOT NULL,
    author_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT plan_draft_pk PRIMARY KEY (fund_id, draft_id),
    CONSTRAINT plan_draft_author_fk FOREIGN KEY (fund_id, author_id) REFERENCES staff,
    CONSTRAINT plan_draft_digest CHECK (digest = encode(sha256(convert_to(document, 'UTF8')), 'hex')),
    CONSTRAINT plan_draft_corrects_another CHECK (corrects <> version),
    CONSTRAINT plan_draft_of_author UNIQUE (fund_id, draft_id, author_id, digest),
    CONSTRAINT plan_draft_of_version UNIQUE (fund_id, draft_id, plan_code, version, effective_from, digest)
);
CREATE INDEX plan_draft_by_version ON plan_draft (fund_id, plan_code, version);

CREATE TABLE plan_step (
    fund_id uuid NOT NULL,
    draft_id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT plan_step_kind_known
        CHECK (kind IN ('faulty', 'checked', 'approved', 'rejected', 'withdrawn', 'published')),
    rests_on text,
    author_id uuid NOT NULL,
    digest text NOT NULL,
    actor_id uuid NOT NULL,
    errors integer NOT NULL,
    findings jsonb NOT NULL,
    remark text,
    at timestamptz NOT NULL,
    CONSTRAINT plan_step_pk PRIMARY KEY (fund_id, draft_id, kind),
    CONSTRAINT plan_step_draft_fk FOREIGN KEY (fund_id, draft_id, author_id, digest)
        REFERENCES plan_draft (fund_id, draft_id, author_id, digest),
    CONSTRAINT plan_step_actor_fk FOREIGN KEY (fund_id, actor_id) REFERENCES staff,
    CONSTRAINT plan_step_of_digest UNIQUE (fund_id, draft_id, kind, digest),
    CONSTRAINT plan_step_two_people CHECK (kind <> 'approved' OR actor_id <> author_id),
    CONSTRAINT plan_step_author_withdraws CHECK (kind <> 'withdrawn' OR actor_id = author_id),
    CONSTRAINT plan_step_checked_is_sound CHECK ((kind = 'faulty') = (errors > 0) AND errors >= 0),
    CONSTRAINT plan_step_order CHECK (
        rests_on IS NOT DISTINCT FROM
            CASE kind WHEN 'approved' THEN 'checked' WHEN 'published' THEN 'approved' END),
    CONSTRAINT plan_step_rests_fk FOREIGN KEY (fund_id, draft_id, rests_on) REFERENCES plan_step
);
CREATE UNIQUE INDEX plan_step_one_check ON plan_step (fund_id, draft_id) WHERE kind IN ('faulty', 'checked');
CREATE UNIQUE INDEX plan_step_one_verdict ON plan_step (fund_id, draft_id) WHERE kind IN ('approved', 'rejected');
CREATE UNIQUE INDEX plan_step_one_end ON plan_step (fund_id, draft_id)
    WHERE kind IN ('rejected', 'withdrawn', 'published');

ALTER TABLE plan_version ADD COLUMN corrects text, ADD COLUMN draft_id uuid, ADD COLUMN step text;
"""

BACKFILL = """
CREATE FUNCTION pg_temp.uuid_of(instant timestamptz) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM instant) * 1000)::bigint), 12, '0') || '7'
            || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid
$$;

INSERT INTO staff (fund_id, staff_id, login, roles, created_at, disabled_at)
SELECT fund_id, pg_temp.uuid_of(now()), login, '{}', now(), now()
FROM (SELECT DISTINCT fund_id FROM plan_version) AS publishing,
     (VALUES ('migration-0007-author'), ('migration-0007-approver')) AS account (login);

INSERT INTO plan_draft (fund_id, draft_id, plan_code, version, effective_from, document, digest, source, author_id,
                        created_at)
SELECT plan_version.fund_id, pg_temp.uuid_of(published_at), plan_code, version, effective_from, document, digest,
       document, staff_id, published_at
FROM plan_version
JOIN staff ON staff.fund_id = plan_version.fund_id AND login = 'migration-0007-author';

INSERT INTO plan_step (fund_id, draft_id, kind, rests_on, author_id, digest, actor_id, errors, findings, remark, at)
SELECT plan_draft.fund_id, draft_id, kind, rests_on, author_id, digest,
       CASE WHEN kind = 'approved' THEN approver.staff_id ELSE author_id END, 0, '[]',
       'published before there were staff accounts', plan_draft.created_at
FROM plan_draft
JOIN staff AS approver ON approver.fund_id = plan_draft.fund_id AND approver.login = 'migration-0007-approver'
CROSS JOIN (VALUES ('checked', NULL), ('approved', 'checked'), ('published', 'approved')) AS step (kind, rests_on);

UPDATE plan_version SET step = 'published', draft_id = plan_draft.draft_id
FROM plan_draft
WHERE plan_draft.fund_id = plan_version.fund_id AND plan_draft.plan_code = plan_version.plan_code
  AND plan_draft.version = plan_version.version;

DROP FUNCTION pg_temp.uuid_of(timestamptz);
"""

ENFORCE = """
ALTER TABLE plan_version
    ALTER COLUMN draft_id SET NOT NULL,
    ALTER COLUMN step SET NOT NULL,
    ADD CONSTRAINT plan_version_is_published CHECK (step = 'published'),
    ADD CONSTRAINT plan_version_step_fk FOREIGN KEY (fund_id, draft_id, step, digest)
        REFERENCES plan_step (fund_id, draft_id, kind, digest),
    ADD CONSTRAINT plan_version_draft_fk FOREIGN KEY (fund_id, draft_id, plan_code, version, effective_from, digest)
        REFERENCES plan_draft (fund_id, draft_id, plan_code, version, effective_from, digest),
    ADD CONSTRAINT plan_version_draft_once UNIQUE (fund_id, draft_id),
    ADD CONSTRAINT plan_version_of_start UNIQUE (fund_id, plan_code, version, effective_from),
    ADD CONSTRAINT plan_version_corrects_fk FOREIGN KEY (fund_id, plan_code, corrects, effective_from)
        REFERENCES plan_version (fund_id, plan_code, version, effective_from),
    ADD CONSTRAINT plan_version_corrected_once UNIQUE (fund_id, plan_code, corrects),
    ADD CONSTRAINT plan_version_corrects_another CHECK (corrects <> version),
    DROP CONSTRAINT plan_version_start_once;
CREATE UNIQUE INDEX plan_version_start_once ON plan_version (fund_id, plan_code, effective_from)
    WHERE corrects IS NULL;
CREATE INDEX settlement_by_service_date ON settlement (fund_id, service_date, bill_id);
"""
TABLES = ("plan_draft", "plan_step")
THIS_FUND = "(SELECT NULLIF(current_setting('app.fund', true), '')::uuid)"


def upgrade() -> None:
    """Make the tables, fill in what older versions lack, and only then require it."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
    op.execute(BACKFILL)
    op.execute(ENFORCE)
    for table in TABLES:
        op.execute(f"REVOKE ALL ON {table} FROM PUBLIC, settlement_app, settlement_ops")
        op.execute(f"GRANT SELECT ON {table} TO settlement_app, settlement_ops")
        op.execute(f"GRANT INSERT ON {table} TO settlement_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_of_this_fund ON {table} TO settlement_app "
            f"USING (fund_id = {THIS_FUND}) WITH CHECK (fund_id = {THIS_FUND})"
        )
        op.execute(f"CREATE POLICY {table}_for_ops ON {table} FOR SELECT TO settlement_ops USING (true)")
