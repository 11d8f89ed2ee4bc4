"""who was on which unit: the unit log, and the units at calls that it speaks of"""

import sqlalchemy as sa
from alembic import op

import appliance.storage.types

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('unit_shift',
    sa.Column('unit', sa.String(length=20), nullable=False),
    sa.Column('start', appliance.storage.types.UtcSeconds(), nullable=False),
    sa.Column('end', appliance.storage.types.UtcSeconds(), nullable=False),
    sa.Column('person_id', sa.String(length=40), nullable=False),
    sa.Column('stamp', sa.String(length=40), nullable=False),
    sa.Column('replaced', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('unit', 'start', 'end', 'person_id'),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('unit_shift', schema=None) as batch_op:
        batch_op.create_index('ix_unit_shift_person', ['person_id', 'start'], unique=False)
        batch_op.create_index('ix_unit_shift_start', ['start'], unique=False)

    op.create_table('part',
    sa.Column('call_id', sa.Integer(), nullable=False),
    sa.Column('unit', sa.String(length=20), nullable=False),
    sa.Column('person_id', sa.String(length=40), nullable=False),
    sa.Column('role', sa.String(length=12), nullable=False),
    sa.Column('start', appliance.storage.types.UtcSeconds(), nullable=False),
    sa.Column('end', appliance.storage.types.UtcSeconds(), nullable=True),
    sa.Column('lead', sa.String(length=40), nullable=False),
    sa.Column('roster', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('call_id', 'unit', 'person_id'),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('part', schema=None) as batch_op:
        batch_op.create_index('ix_part_unit_start', ['unit', 'start'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("an older version is reached by a backup")
