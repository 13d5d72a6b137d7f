"""The checks of what the database itself refuses: rights of the logins, row-level security, and constraints."""

from __future__ import annotations

from settlement.db.invariants import SqlCheck
from settlement.domain.audit import Invariant

_TABLES = """
    SELECT pg_class.oid, relname, relrowsecurity, relowner
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'alembic_version'
"""
_SERVICE_LOGINS = "(VALUES ('settlement_app'), ('settlement_ops')) AS login (name)"

RECORDS_UNCHANGEABLE = SqlCheck(
    Invariant(
        "records_cannot_be_changed",
        "Neither login of the service may update, delete or truncate a record, nor change what names a bill; "
        "only message bodies and the lines of lists may be deleted, by the worker's login.",
    ),
    f"SELECT count(*) FROM ({_TABLES}) AS examined",
    f"""
    WITH kept AS ({_TABLES}), record (name) AS (VALUES
        ('plan_version'), ('plan_draft'), ('plan_step'), ('membership'), ('unit_renewal'), ('person'),
        ('person_number'), ('settlement'), ('reversal'), ('posting'), ('consumption'), ('hold_room'), ('message_body'),
        ('event'), ('event_position'), ('idempotency'), ('uncovered'), ('seal'),
        ('worklist_action'), ('examination_request'), ('examination'), ('reconciliation_line'),
        ('reconciliation_import'), ('reconciliation_run'), ('reconciliation_found'), ('reconciliation_step'),
        ('later_payer'), ('rerating_look'))
    SELECT login.name || ' may ' || lower(privilege) || ' ' || relname
    FROM kept, {_SERVICE_LOGINS}, (VALUES ('DELETE'), ('TRUNCATE')) AS forbidden (privilege)
    WHERE has_table_privilege(login.name, kept.oid, privilege)
      AND NOT (login.name = 'settlement_ops' AND privilege = 'DELETE'
               AND relname IN ('message_body', 'reconciliation_line'))
    UNION ALL
    SELECT login.name || ' may update ' || relname
    FROM kept JOIN record ON record.name = relname, {_SERVICE_LOGINS}
    WHERE has_any_column_privilege(login.name, kept.oid, 'UPDATE')
    UNION ALL
    SELECT login.name || ' may update staff.' || attname
    FROM kept JOIN pg_attribute ON attrelid = kept.oid, {_SERVICE_LOGINS}
    WHERE relname = 'staff' AND has_column_privilege(login.name, kept.oid, attname::text, 'UPDATE')
      AND attname IN ('fund_id', 'staff_id', 'login', 'roles', 'created_at')
    UNION ALL
    SELECT 'settlement_ops may update ' || relname
    FROM kept WHERE has_any_column_privilege('settlement_ops', oid, 'UPDATE')
    UNION ALL
    SELECT login.name || ' may update fund.' || attname
    FROM kept JOIN pg_attribute ON attrelid = kept.oid, {_SERVICE_LOGINS}
    WHERE relname = 'fund' AND has_column_privilege(login.name, kept.oid, attname::text, 'UPDATE')
      AND attnum > 0 AND attname <> 'stay_hold_days'
    UNION ALL
    SELECT login.name || ' may update hold.' || attname
    FROM kept JOIN pg_attribute ON attrelid = kept.oid, {_SERVICE_LOGINS}
    WHERE relname = 'hold' AND has_column_privilege(login.name, kept.oid, attname::text, 'UPDATE')
      AND attnum > 0 AND attname NOT IN ('state', 'ended_at', 'bill_id', 'asked_until')
    UNION ALL
    SELECT login.name || ' may update rerating.' || attname
    FROM kept JOIN pg_attribute ON attrelid = kept.oid, {_SERVICE_LOGINS}
    WHERE relname = 'rerating' AND has_column_privilege(login.name, kept.oid, attname::text, 'UPDATE')
      AND attnum > 0 AND attname NOT IN ('state', 'decided_by', 'decided_at')
    UNION ALL
    SELECT login.name || ' may update bill.' || attname
    FROM kept JOIN pg_attribute ON attrelid = kept.oid, {_SERVICE_LOGINS}
    WHERE relname = 'bill' AND has_column_privilege(login.name, kept.oid, attname::text, 'UPDATE')
      AND attname IN ('fund_id', 'bill_id', 'settlement_no', 'area', 'insurer_settlement_id', 'door', 'created_at')
    """,
)

ROW_SECURITY = SqlCheck(
    Invariant(
        "funds_do_not_see_each_other",
        "Row-level security is on for every table, and whatever opens a table to the service's login opens it to one "
        "fund; every table but the migrations' own begins with the fund.",
    ),
    f"SELECT count(*) FROM ({_TABLES}) AS examined",
    f"""
    WITH kept AS ({_TABLES}), opening AS (
        SELECT polrelid, polname,
               COALESCE(pg_get_expr(polqual, polrelid) LIKE '%fund_id = %app.fund%', true)
                   AND COALESCE(pg_get_expr(polwithcheck, polrelid) LIKE '%fund_id = %app.fund%', true)
                   AND COALESCE(polqual, polwithcheck) IS NOT NULL AS to_one_fund
        FROM pg_policy
        WHERE polpermissive AND (0::oid = ANY (polroles) OR 'settlement_app'::regrole = ANY (polroles))
    )
    SELECT relname || ' has no row-level security' FROM kept WHERE NOT relrowsecurity
    UNION ALL
    SELECT relname || ' has no policy of its fund' FROM kept
    WHERE NOT EXISTS (SELECT FROM opening WHERE polrelid = kept.oid AND to_one_fund)
    UNION ALL
    SELECT relname || ' is opened by ' || polname FROM kept JOIN opening ON polrelid = kept.oid AND NOT to_one_fund
    UNION ALL
    SELECT relname || ' has no fund' FROM kept
    WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = kept.oid AND attname = 'fund_id' AND NOT attisdropped)
    """,
)

PLAIN_LOGINS = SqlCheck(
    Invariant(
        "logins_are_plain",
        "None of the three logins is a superuser or walks around row-level security, and the service's two own "
        "nothing and are nobody else.",
    ),
    "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'settlement\\_%'",
    f"""
    SELECT rolname || ' is a superuser or bypasses row-level security'
    FROM pg_roles
    WHERE rolname IN ('settlement_owner', 'settlement_app', 'settlement_ops') AND (rolsuper OR rolbypassrls)
    UNION ALL
    SELECT login.name || ' owns ' || relname
    FROM ({_TABLES}) AS kept, {_SERVICE_LOGINS}
    WHERE pg_has_role(login.name, relowner, 'MEMBER')
    UNION ALL
    SELECT login.name || ' is a member of ' || rolname
    FROM pg_roles, {_SERVICE_LOGINS}
    WHERE rolname <> login.name AND pg_has_role(login.name, pg_roles.oid, 'MEMBER')
    """,
)

VITAL_CONSTRAINTS = (
    "bill_pk",
    "bill_once",
    "bill_number_once",
    "bill_member_fk",
    "bill_held_has_question",
    "bill_live_has_record",
    "settlement_pk",
    "settlement_bill_fk",
    "settlement_member_fk",
    "settlement_plan_version_fk",
    "settlement_books_day_fk",
    "settlement_equation",
    "settlement_cash_split",
    "settlement_composition",
    "settlement_patient_share",
    "settlement_aid_has_plan",
    "settlement_aid_on_bill_not_negative",
    "settlement_aid_to_card_not_negative",
    "settlement_other_not_negative",
    "settlement_cash_due_not_negative",
    "reversal_pk",
    "reversal_settlement_fk",
    "reversal_books_day_fk",
    "posting_pk",
    "posting_settlement_fk",
    "posting_fen_positive",
    "posting_two_accounts",
    "consumption_pk",
    "consumption_settlement_fk",
    "hold_pk",
    "hold_cash_split",
    "hold_ends_once",
    "hold_end_is_numbered",
    "hold_of_its_bill",
    "hold_promises",
    "hold_one_open",
    "hold_of_cancelled_bill",
    "hold_taken_is_kept_room",
    "bill_replaced_by_another",
    "hold_room_hold_fk",
    "settlement_keeps_promise",
    "event_pk",
    "event_once",
    "event_bill_fk",
    "event_position_pk",
    "event_position_once",
    "event_position_event_fk",
    "idempotency_pk",
    "message_body_bill_fk",
    "plan_version_digest",
    "plan_version_once",
    "plan_version_is_published",
    "plan_version_step_fk",
    "plan_version_draft_fk",
    "plan_version_draft_once",
    "plan_version_corrects_fk",
    "plan_version_corrected_once",
    "plan_draft_pk",
    "plan_draft_digest",
    "plan_draft_author_fk",
    "plan_draft_of_author",
    "plan_step_pk",
    "plan_step_draft_fk",
    "plan_step_actor_fk",
    "plan_step_two_people",
    "plan_step_checked_is_sound",
    "plan_step_order",
    "plan_step_rests_fk",
    "staff_login_once",
    "staff_password_argon2id",
    "person_certificate_once",
    "person_number_pk",
    "member_person_fk",
    "membership_member_fk",
    "books_day_pk",
    "seal_pk",
    "seal_books_day_fk",
    "seal_chain_fk",
    "seal_chain_begins",
    "seal_previous_day",
    "worklist_action_pk",
    "worklist_action_item_fk",
    "worklist_action_staff_fk",
    "worklist_action_closed_says_why",
    "rerating_look_pk",
    "reconciliation_step_pk",
    "reconciliation_step_break_fk",
    "reconciliation_break_says_how",
)
VITAL_INDEXES = (
    "books_day_one_open",
    "event_of_fund_once",
    "worklist_item_open_once",
    "settlement_promise_once",
    "reconciliation_break_open_once",
    "hold_one_successor",
    "plan_version_start_once",
    "plan_step_one_check",
    "plan_step_one_verdict",
    "plan_step_one_end",
    "worklist_action_one_close",
)

VITAL_TRIGGERS = (
    "settlement_in_open_day",
    "reversal_in_open_day",
    "posting_in_open_day",
    "consumption_in_open_day",
    "books_day_stays_closed",
    "hold_end_numbered",
)

GUARDS = SqlCheck(
    Invariant("guards_in_place", "The constraints that refuse a wrong record are there and hold for every row."),
    f"SELECT {len(VITAL_CONSTRAINTS) + len(VITAL_INDEXES) + len(VITAL_TRIGGERS)}",
    f"""
    SELECT name FROM unnest(CAST(ARRAY[{", ".join(map(repr, VITAL_CONSTRAINTS))}] AS text[])) AS vital (name)
    WHERE NOT EXISTS (
        SELECT FROM pg_constraint
        WHERE conname = name AND connamespace = 'public'::regnamespace AND convalidated)
    UNION ALL
    SELECT name FROM unnest(CAST(ARRAY[{", ".join(map(repr, VITAL_INDEXES))}] AS text[])) AS vital (name)
    WHERE NOT EXISTS (
        SELECT FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE relname = name AND relnamespace = 'public'::regnamespace AND indisunique AND indisvalid)
    UNION ALL
    SELECT name FROM unnest(CAST(ARRAY[{", ".join(map(repr, VITAL_TRIGGERS))}] AS text[])) AS vital (name)
    WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = name AND tgenabled IN ('O', 'A'))
    """,
)

CATALOG_CHECKS = (RECORDS_UNCHANGEABLE, ROW_SECURITY, PLAIN_LOGINS, GUARDS)
"""The checks of what is granted and enforced; they read no row of the record."""
