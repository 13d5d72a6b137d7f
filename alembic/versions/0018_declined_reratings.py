"""A proposed re-rating may be declined by a person: closing its worklist item does."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

SQL = """
ALTER TABLE rerating
    DROP CONSTRAINT rerating_state_known,
    ADD CONSTRAINT rerating_state_known CHECK (state IN ('proposed', 'applied', 'lapsed', 'declined'));
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SQL)
