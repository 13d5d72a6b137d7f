"""The worker looks at bills that were found not to be covered, too, once for each membership of their person."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

SQL = """
ALTER TABLE rerating_look DROP CONSTRAINT rerating_look_kind_known;
ALTER TABLE rerating_look ADD CONSTRAINT rerating_look_kind_known
    CHECK (kind IN ('reversed', 'revised', 'later_payer', 'roster', 'covered'));
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
