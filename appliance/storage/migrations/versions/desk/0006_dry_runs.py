"""receipts of dry runs, and what an unmapped call type may mean"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('receipt', schema=None) as batch_op:
        batch_op.add_column(sa.Column('dry_run', sa.Boolean(), server_default='0', nullable=False))
    with op.batch_alter_table('receipt_unmapped', schema=None) as batch_op:
        batch_op.add_column(sa.Column('nearest', sa.JSON(), server_default='[]', nullable=False))


def downgrade() -> None:
    raise NotImplementedError("an older version is reached by a backup")
