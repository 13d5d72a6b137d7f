"""The tables as the queries name them. The migrations make them; a test holds the two equal."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

metadata = MetaData()

fund = Table(
    "fund",
    metadata,
    Column("fund_id", Uuid),
    Column("code", Text),
    Column("name", Text),
    Column("gateway_profile", Text),
    Column("plan_code", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("stay_hold_days", SmallInteger),
)

unit = Table(
    "unit",
    metadata,
    Column("fund_id", Uuid),
    Column("unit_id", Uuid),
    Column("code", Text),
    Column("name", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("class", Text),
    Column("region", Text),
)

unit_renewal = Table(
    "unit_renewal",
    metadata,
    Column("fund_id", Uuid),
    Column("unit_id", Uuid),
    Column("plan_code", Text),
    Column("first_day", Date),
    Column("announced_at", DateTime(timezone=True)),
)

hospital = Table(
    "hospital",
    metadata,
    Column("fund_id", Uuid),
    Column("hospital_id", Uuid),
    Column("name", Text),
    Column("created_at", DateTime(timezone=True)),
)

hospital_code = Table(
    "hospital_code",
    metadata,
    Column("fund_id", Uuid),
    Column("code", Text),
    Column("hospital_id", Uuid),
)

hospital_level = Table(
    "hospital_level",
    metadata,
    Column("fund_id", Uuid),
    Column("hospital_id", Uuid),
    Column("effective_from", Date),
    Column("level", SmallInteger),
)

plan_version = Table(
    "plan_version",
    metadata,
    Column("fund_id", Uuid),
    Column("plan_version_id", Uuid),
    Column("plan_code", Text),
    Column("version", Text),
    Column("effective_from", Date),
    Column("document", Text),
    Column("digest", Text),
    Column("published_at", DateTime(timezone=True)),
    Column("corrects", Text),
    Column("draft_id", Uuid),
    Column("step", Text),
)

plan_draft = Table(
    "plan_draft",
    metadata,
    Column("fund_id", Uuid),
    Column("draft_id", Uuid),
    Column("plan_code", Text),
    Column("version", Text),
    Column("effective_from", Date),
    Column("corrects", Text),
    Column("document", Text),
    Column("digest", Text),
    Column("source", Text),
    Column("author_id", Uuid),
    Column("created_at", DateTime(timezone=True)),
)

plan_step = Table(
    "plan_step",
    metadata,
    Column("fund_id", Uuid),
    Column("draft_id", Uuid),
    Column("kind", Text),
    Column("rests_on", Text),
    Column("author_id", Uuid),
    Column("digest", Text),
    Column("actor_id", Uuid),
    Column("errors", Integer),
    Column("findings", JSONB(none_as_null=True)),
    Column("remark", Text),
    Column("at", DateTime(timezone=True)),
)

staff = Table(
    "staff",
    metadata,
    Column("fund_id", Uuid),
    Column("staff_id", Uuid),
    Column("login", Text),
    Column("roles", ARRAY(Text)),
    Column("password_hash", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("disabled_at", DateTime(timezone=True)),
)

sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    Column("fund_id", Uuid),
    Column("bucket", Integer),
    Column("failures", Integer),
    Column("since", DateTime(timezone=True)),
)

client = Table(
    "client",
    metadata,
    Column("fund_id", Uuid),
    Column("client_id", Text),
    Column("name", Text),
    Column("secret_hash", Text),
    Column("scopes", ARRAY(Text)),
    Column("hospital_codes", ARRAY(Text)),
    Column("created_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
)

person = Table(
    "person",
    metadata,
    Column("fund_id", Uuid),
    Column("person_id", Uuid),
    Column("key_id", Text),
    Column("envelope", LargeBinary),
    Column("certificate_index", LargeBinary),
    Column("created_at", DateTime(timezone=True)),
)

person_number = Table(
    "person_number",
    metadata,
    Column("fund_id", Uuid),
    Column("number_index", LargeBinary),
    Column("person_id", Uuid),
    Column("key_id", Text),
    Column("envelope", LargeBinary),
    Column("area", Text),
    Column("evidence", Text),
    Column("learnt_at", DateTime(timezone=True)),
)

member = Table(
    "member",
    metadata,
    Column("fund_id", Uuid),
    Column("member_id", Uuid),
    Column("created_at", DateTime(timezone=True)),
)

membership = Table(
    "membership",
    metadata,
    Column("fund_id", Uuid),
    Column("membership_id", Uuid),
    Column("member_id", Uuid),
    Column("unit_id", Uuid),
    Column("plan_code", Text),
    Column("person_category", Text),
    Column("first_day", Date),
    Column("last_day", Date),
    Column("recorded_at", DateTime(timezone=True)),
    Column("shares", JSONB(none_as_null=True)),
    Column("union_member", Boolean),
)

books_day = Table(
    "books_day",
    metadata,
    Column("fund_id", Uuid),
    Column("books_day", Integer),
    Column("opened_at", DateTime(timezone=True)),
    Column("closed_at", DateTime(timezone=True)),
)

bill = Table(
    "bill",
    metadata,
    Column("fund_id", Uuid),
    Column("bill_id", Uuid),
    Column("area", Text),
    Column("insurer_settlement_id", Text),
    Column("state", Text),
    Column("revision", Integer),
    Column("settlement_no", Text),
    Column("member_id", Uuid),
    Column("hospital_code", Text),
    Column("encounter_id", Text),
    Column("charge_batch_no", Text),
    Column("visit_no", Text),
    Column("receipt_no", Text),
    Column("operator", Text),
    Column("message_id", Text),
    Column("door", Text),
    Column("settled_at", DateTime(timezone=True)),
    Column("business_date", Date),
    Column("figures_digest", Text),
    Column("question", JSONB(none_as_null=True)),
    Column("confirmed_at", DateTime(timezone=True)),
    Column("confirmed_by", Text),
    Column("cancelling_settlement_id", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("event_count", Integer),
    Column("resettles", Text),
    Column("replaces_bill_id", Uuid),
    Column("replaced_by_bill_id", Uuid),
    Column("place_bill_id", Uuid),
)

settlement = Table(
    "settlement",
    metadata,
    Column("fund_id", Uuid),
    Column("bill_id", Uuid),
    Column("revision", Integer),
    Column("member_id", Uuid),
    Column("plan_version_id", Uuid),
    Column("service_date", Date),
    Column("business_date", Date),
    Column("books_day", Integer),
    Column("billed_fen", BigInteger),
    Column("excluded_fen", BigInteger),
    Column("over_limit_fen", BigInteger),
    Column("upfront_share_fen", BigInteger),
    Column("allowed_fen", BigInteger),
    Column("insurer_deductible_fen", BigInteger),
    Column("hifp_fen", BigInteger),
    Column("cvlserv_fen", BigInteger),
    Column("hifes_fen", BigInteger),
    Column("hifmi_fen", BigInteger),
    Column("hifob_fen", BigInteger),
    Column("hifdm_fen", BigInteger),
    Column("maf_fen", BigInteger),
    Column("oth_fen", BigInteger),
    Column("unnamed_fen", BigInteger),
    Column("provider_absorbed_fen", BigInteger),
    Column("patient_share_fen", BigInteger),
    Column("account_paid_fen", BigInteger),
    Column("family_account_paid_fen", BigInteger),
    Column("cash_before_aid_fen", BigInteger),
    Column("aid_on_bill_fen", BigInteger),
    Column("aid_to_card_fen", BigInteger),
    Column("other_on_bill_fen", BigInteger),
    Column("cash_due_fen", BigInteger),
    Column("engine_version", Text),
    Column("receipt_hash", Text),
    Column("receipt", JSONB(none_as_null=True)),
    Column("actor", Text),
    Column("recorded_at", DateTime(timezone=True)),
    Column("hold_id", Uuid),
)

reversal = Table(
    "reversal",
    metadata,
    Column("fund_id", Uuid),
    Column("bill_id", Uuid),
    Column("revision", Integer),
    Column("reversal_id", Uuid),
    Column("reason", Text),
    Column("seen_by", Text),
    Column("cancelling_settlement_id", Text),
    Column("business_date", Date),
    Column("books_day", Integer),
    Column("actor", Text),
    Column("recorded_at", DateTime(timezone=True)),
)

posting = Table(
    "posting",
    metadata,
    Column("fund_id", Uuid),
    Column("bill_id", Uuid),
    Column("revision", Integer),
    Column("record", Text),
    Column("line", SmallInteger),
    Column("debit", Text),
    Column("credit", Text),
    Column("fen", BigInteger),
    Column("books_day", Integer),
)

consumption = Table(
    "consumption",
    metadata,
    Column("fund_id", Uuid),
    Column("member_id", Uuid),
    Column("plan_code", Text),
    Column("benefit", Text),
    Column("term", Text),
    Column("bill_id", Uuid),
    Column("revision", Integer),
    Column("base_fen", BigInteger),
    Column("burden_fen", BigInteger),
    Column("paid_fen", BigInteger),
    Column("days", Integer),
    Column("times", Integer),
    Column("deductible_fen", BigInteger),
    Column("unit", Text),
    Column("visit", Text),
    Column("care_from", Date),
    Column("care_to", Date),
    Column("hospital_code", Text),
    Column("diagnosis", Text),
    Column("place_bill_id", Uuid),
)

hold = Table(
    "hold",
    metadata,
    Column("fund_id", Uuid),
    Column("hold_id", Uuid),
    Column("member_id", Uuid),
    Column("kind", Text),
    Column("state", Text),
    Column("hospital_code", Text),
    Column("encounter_id", Text),
    Column("charge_batch_no", Text),
    Column("figures_digest", Text),
    Column("plan_version_id", Uuid),
    Column("plan_code", Text),
    Column("service_date", Date),
    Column("cash_before_aid_fen", BigInteger),
    Column("aid_on_bill_fen", BigInteger),
    Column("aid_to_card_fen", BigInteger),
    Column("other_on_bill_fen", BigInteger),
    Column("cash_due_fen", BigInteger),
    Column("receipt", JSONB(none_as_null=True)),
    Column("receipt_hash", Text),
    Column("actor", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("bill_id", Uuid),
    Column("of_bill_id", Uuid),
    Column("place_bill_id", Uuid),
)

hold_room = Table(
    "hold_room",
    metadata,
    Column("fund_id", Uuid),
    Column("hold_id", Uuid),
    Column("benefit", Text),
    Column("term", Text),
    Column("base_fen", BigInteger),
    Column("burden_fen", BigInteger),
    Column("paid_fen", BigInteger),
    Column("days", Integer),
    Column("times", Integer),
    Column("deductible_fen", BigInteger),
    Column("unit", Text),
    Column("visit", Text),
    Column("care_from", Date),
    Column("care_to", Date),
    Column("hospital_code", Text),
    Column("diagnosis", Text),
)

rerating = Table(
    "rerating",
    metadata,
    Column("fund_id", Uuid),
    Column("rerating_id", Uuid),
    Column("member_id", Uuid),
    Column("of_bill_id", Uuid),
    Column("plan_code", Text),
    Column("term", Text),
    Column("lines", JSONB(none_as_null=True)),
    Column("net_fen", BigInteger),
    Column("state", Text),
    Column("actor", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
)

later_payer = Table(
    "later_payer",
    metadata,
    Column("fund_id", Uuid),
    Column("bill_id", Uuid),
    Column("payer_id", Uuid),
    Column("name", Text),
    Column("amount_fen", BigInteger),
    Column("reference", Text),
    Column("actor", Text),
    Column("recorded_at", DateTime(timezone=True)),
)

message_body = Table(
    "message_body",
    metadata,
    Column("fund_id", Uuid),
    Column("message_id", Uuid),
    Column("bill_id", Uuid),
    Column("kind", Text),
    Column("key_id", Text),
    Column("envelope", LargeBinary),
    Column("received_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True)),
)

event = Table(
    "event",
    metadata,
    Column("fund_id", Uuid),
    Column("bill_id", Uuid),
    Column("sequence", Integer),
    Column("event_id", Uuid),
    Column("type", Text),
    Column("payload", JSONB(none_as_null=True)),
    Column("actor", Text),
    Column("recorded_at", DateTime(timezone=True)),
)

event_position = Table(
    "event_position",
    metadata,
    Column("fund_id", Uuid),
    Column("position", BigInteger),
    Column("event_id", Uuid),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("fund_id", Uuid),
    Column("client_id", Text),
    Column("key", Text),
    Column("fingerprint", Text),
    Column("status", SmallInteger),
    Column("body", JSON),
    Column("recorded_at", DateTime(timezone=True)),
)

worklist_item = Table(
    "worklist_item",
    metadata,
    Column("fund_id", Uuid),
    Column("item_id", Uuid),
    Column("bill_id", Uuid),
    Column("kind", Text),
    Column("figures", JSONB(none_as_null=True)),
    Column("opened_at", DateTime(timezone=True)),
    Column("closed_at", DateTime(timezone=True)),
)

uncovered = Table(
    "uncovered",
    metadata,
    Column("fund_id", Uuid),
    Column("tally_id", Uuid),
    Column("business_date", Date),
    Column("door", Text),
    Column("reason", Text),
)
