"""receipts say how a file was read, and how many of its times stay open"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('receipt', schema=None) as batch_op:
        batch_op.add_column(sa.Column('flagged_times', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('chosen', sa.JSON(), server_default='[]', nullable=False))


def downgrade() -> None:
    raise NotImplementedError("an older version is reached by a backup")
