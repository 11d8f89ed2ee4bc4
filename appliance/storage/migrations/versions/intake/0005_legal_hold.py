"""people under a legal hold"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('held',
    sa.Column('person_id', sa.String(length=40), nullable=False),
    sa.PrimaryKeyConstraint('person_id')
    )


def downgrade() -> None:
    raise NotImplementedError("an older version is reached by a backup")
