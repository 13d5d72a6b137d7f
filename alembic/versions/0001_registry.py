"""The registry: funds, their units, hospitals, plan versions and the clients that may call."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = """
CREATE TABLE fund (
    fund_id uuid CONSTRAINT fund_pk PRIMARY KEY,
    code text NOT NULL CONSTRAINT fund_code_once UNIQUE
        CONSTRAINT fund_code_shape CHECK (code ~ '^[a-z][a-z0-9-]{1,31}$'),
    name text NOT NULL,
    gateway_profile text NOT NULL,
    plan_code text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE unit (
    fund_id uuid NOT NULL CONSTRAINT unit_fund_fk REFERENCES fund,
    unit_id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT unit_pk PRIMARY KEY (fund_id, unit_id),
    CONSTRAINT unit_code_once UNIQUE (fund_id, code)
);

CREATE TABLE hospital (
    fund_id uuid NOT NULL CONSTRAINT hospital_fund_fk REFERENCES fund,
    hospital_id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT hospital_pk PRIMARY KEY (fund_id, hospital_id)
);

CREATE TABLE hospital_code (
    fund_id uuid NOT NULL,
    code text NOT NULL,
    hospital_id uuid NOT NULL,
    CONSTRAINT hospital_code_pk PRIMARY KEY (fund_id, code),
    CONSTRAINT hospital_code_hospital_fk FOREIGN KEY (fund_id, hospital_id) REFERENCES hospital
);

CREATE TABLE hospital_level (
    fund_id uuid NOT NULL,
    hospital_id uuid NOT NULL,
    effective_from date NOT NULL,
    level smallint NOT NULL CONSTRAINT hospital_level_range CHECK (level BETWEEN 1 AND 3),
    CONSTRAINT hospital_level_pk PRIMARY KEY (fund_id, hospital_id, effective_from),
    CONSTRAINT hospital_level_hospital_fk FOREIGN KEY (fund_id, hospital_id) REFERENCES hospital
);

CREATE TABLE plan_version (
    fund_id uuid NOT NULL CONSTRAINT plan_version_fund_fk REFERENCES fund,
    plan_version_id uuid NOT NULL,
    plan_code text NOT NULL,
    version text NOT NULL,
    effective_from date NOT NULL,
    document text NOT NULL,
    digest text NOT NULL,
    published_at timestamptz NOT NULL,
    CONSTRAINT plan_version_pk PRIMARY KEY (fund_id, plan_version_id),
    CONSTRAINT plan_version_once UNIQUE (fund_id, plan_code, version),
    CONSTRAINT plan_version_start_once UNIQUE (fund_id, plan_code, effective_from),
    CONSTRAINT plan_version_digest CHECK (digest = encode(sha256(convert_to(document, 'UTF8')), 'hex'))
);

CREATE TABLE client (
    fund_id uuid NOT NULL CONSTRAINT client_fund_fk REFERENCES fund,
    client_id text NOT NULL,
    name text NOT NULL,
    secret_hash text NOT NULL,
    scopes text[] NOT NULL,
    hospital_codes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT client_pk PRIMARY KEY (fund_id, client_id),
    CONSTRAINT client_hospital_bound CHECK (NOT 'bills:settle' = ANY (scopes) OR cardinality(hospital_codes) > 0),
    CONSTRAINT client_id_names_fund CHECK (client_id LIKE fund_id::text || '.%')
);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
