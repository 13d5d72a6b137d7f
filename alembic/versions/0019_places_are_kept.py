"""A bill whose cancellation was undone may be corrected again; so it may have had more than one successor."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SQL = """
DROP INDEX bill_replaces_once;
CREATE INDEX bill_by_place ON bill (fund_id, place_bill_id) WHERE place_bill_id IS NOT NULL;
CREATE INDEX rerating_by_member ON rerating (fund_id, member_id, rerating_id);
CREATE INDEX worklist_item_of_rerating ON worklist_item (fund_id, (figures ->> 'rerating'))
    WHERE kind = 'rerating_proposed';
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
