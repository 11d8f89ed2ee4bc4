"""people under a legal hold"""

import sqlalchemy as sa
from alembic import op

import appliance.storage.types

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('legal_hold',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('handle', sa.String(length=32), nullable=False),
    sa.Column('matter', sa.String(length=20), nullable=False),
    sa.Column('salt', sa.String(length=64), nullable=False),
    sa.Column('proposed_by', sa.String(length=32), nullable=False),
    sa.Column('proposed_at', appliance.storage.types.UtcDateTime(), nullable=False),
    sa.Column('placed_by', sa.String(length=32), nullable=False),
    sa.Column('placed_at', appliance.storage.types.UtcDateTime(), nullable=True),
    sa.Column('reviewed_at', appliance.storage.types.UtcDateTime(), nullable=True),
    sa.Column('lift_proposed_by', sa.String(length=32), nullable=False),
    sa.Column('lifted_by', sa.String(length=32), nullable=False),
    sa.Column('lifted_at', appliance.storage.types.UtcDateTime(), nullable=True),
    sa.CheckConstraint("(lifted_at is null) = (lifted_by = '')", name='hold_lifted_whole'),
    sa.CheckConstraint("(placed_at is null) = (placed_by = '')", name='hold_placed_whole'),
    sa.CheckConstraint("lift_proposed_by <> lifted_by or lifted_by = ''", name='lift_two_people'),
    sa.CheckConstraint('proposed_by <> placed_by', name='hold_two_people'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('legal_hold', schema=None) as batch_op:
        batch_op.create_index(
            'ix_legal_hold_open',
            ['handle', 'matter'],
            unique=True,
            sqlite_where=sa.text('lifted_at is null'),
            postgresql_where=sa.text('lifted_at is null'),
        )


def downgrade() -> None:
    raise NotImplementedError("an older version is reached by a backup")
