"""Books days that stay closed, and seals over them: the guards of closed days, the chain of seals, events of a fund.

An event belongs to a bill or, where it names none, to its fund; those of a fund are numbered on their own.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SQL = """
CREATE TABLE seal (
    fund_id uuid NOT NULL,
    books_day integer NOT NULL,
    previous_day integer NOT NULL CONSTRAINT seal_previous_day CHECK (previous_day = books_day - 1),
    format smallint NOT NULL,
    closed_at timestamptz NOT NULL,
    counts jsonb NOT NULL,
    aid_on_bill_fen bigint NOT NULL,
    aid_to_card_fen bigint NOT NULL,
    reversed_on_bill_fen bigint NOT NULL,
    reversed_to_card_fen bigint NOT NULL,
    record_hash text NOT NULL,
    previous_hash text,
    seal_hash text NOT NULL,
    key_id text NOT NULL,
    signature text NOT NULL,
    sealed_at timestamptz NOT NULL,
    CONSTRAINT seal_pk PRIMARY KEY (fund_id, books_day),
    CONSTRAINT seal_of_day UNIQUE (fund_id, books_day, seal_hash),
    CONSTRAINT seal_books_day_fk FOREIGN KEY (fund_id, books_day) REFERENCES books_day,
    CONSTRAINT seal_chain_fk FOREIGN KEY (fund_id, previous_day, previous_hash)
        REFERENCES seal (fund_id, books_day, seal_hash),
    CONSTRAINT seal_chain_begins CHECK ((books_day = 1) = (previous_hash IS NULL)),
    CONSTRAINT seal_hashes CHECK (record_hash ~ '^[0-9a-f]{64}$' AND seal_hash ~ '^[0-9a-f]{64}$')
);

CREATE INDEX settlement_by_books_day ON settlement (fund_id, books_day, bill_id);
CREATE INDEX reversal_by_books_day ON reversal (fund_id, books_day, bill_id);

ALTER TABLE event_position DROP CONSTRAINT event_position_event_fk;
ALTER TABLE event DROP CONSTRAINT event_pk, DROP CONSTRAINT event_id_once;
ALTER TABLE event
    ALTER COLUMN bill_id DROP NOT NULL,
    ADD CONSTRAINT event_pk PRIMARY KEY (fund_id, event_id),
    ADD CONSTRAINT event_once UNIQUE (fund_id, bill_id, sequence);
CREATE UNIQUE INDEX event_of_fund_once ON event (fund_id, sequence) WHERE bill_id IS NULL;
ALTER TABLE event_position ADD CONSTRAINT event_position_event_fk
    FOREIGN KEY (fund_id, event_id) REFERENCES event (fund_id, event_id);
"""

GUARDS = r"""
CREATE FUNCTION books_lock(fund_id uuid) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ('x' || encode(substring(sha256('\x626f6f6b731f'::bytea || uuid_send(fund_id)) FROM 1 FOR 8), 'hex'))
           ::bit(64)::bigint
$$;

CREATE FUNCTION refuse_closed_books_day() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    refused integer;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(public.books_lock(named.fund_id))
    FROM (SELECT DISTINCT fund_id FROM added) AS named;
    SELECT day.books_day INTO refused
    FROM added JOIN public.books_day AS day ON day.fund_id = added.fund_id AND day.books_day = added.books_day
    WHERE day.closed_at IS NOT NULL
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'books day % is closed', refused
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION refuse_consumption_of_closed_books_day() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    refused integer;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(public.books_lock(named.fund_id))
    FROM (SELECT DISTINCT fund_id FROM added) AS named;
    SELECT day.books_day INTO refused
    FROM added
    JOIN public.settlement AS taking
        ON taking.fund_id = added.fund_id AND taking.bill_id = added.bill_id AND taking.revision = added.revision
    JOIN public.books_day AS day ON day.fund_id = taking.fund_id AND day.books_day = taking.books_day
    WHERE day.closed_at IS NOT NULL
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'books day % is closed', refused
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION refuse_reopening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'books day % is closed and stays as it is', OLD.books_day
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
END
$$;

CREATE TRIGGER settlement_in_open_day AFTER INSERT ON settlement
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_closed_books_day();
CREATE TRIGGER reversal_in_open_day AFTER INSERT ON reversal
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_closed_books_day();
CREATE TRIGGER posting_in_open_day AFTER INSERT ON posting
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_closed_books_day();
CREATE TRIGGER consumption_in_open_day AFTER INSERT ON consumption
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_consumption_of_closed_books_day();
CREATE TRIGGER books_day_stays_closed BEFORE UPDATE ON books_day
    FOR EACH ROW WHEN (OLD.closed_at IS NOT NULL AND OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION refuse_reopening();
"""
THIS_FUND = "(SELECT NULLIF(current_setting('app.fund', true), '')::uuid)"


def upgrade() -> None:
    """Make the seals, append-only, and the guards.

    A guard takes the books day's lock shared, which whoever records holds already, and looks after that: so a record
    is in an open day at its commit, whatever the code before it did. It runs within the statement that writes.
    """
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
    op.execute(GUARDS)
    op.execute("REVOKE ALL ON seal FROM PUBLIC, settlement_app, settlement_ops")
    op.execute("GRANT SELECT, INSERT ON seal TO settlement_app")
    op.execute("GRANT SELECT ON seal TO settlement_ops")
    op.execute("ALTER TABLE seal ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY seal_of_this_fund ON seal TO settlement_app "
        f"USING (fund_id = {THIS_FUND}) WITH CHECK (fund_id = {THIS_FUND})"
    )
    op.execute("CREATE POLICY seal_for_ops ON seal FOR SELECT TO settlement_ops USING (true)")
