"""requests to correct the follow-up record"""

import sqlalchemy as sa
from alembic import op

import appliance.storage.types

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('correction',
    sa.Column('key', sa.String(length=32), nullable=False),
    sa.Column('reference', sa.String(length=64), nullable=False),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('handle', sa.String(length=32), nullable=False),
    sa.Column('ground', sa.String(length=16), nullable=False),
    sa.Column('asked_by', sa.String(length=32), nullable=False),
    sa.Column('asked_at', appliance.storage.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('decision', sa.String(length=8), nullable=True),
    sa.Column('decided_by', sa.String(length=32), nullable=True),
    sa.Column('decided_at', appliance.storage.types.UtcDateTime(timezone=True), nullable=True),
    sa.CheckConstraint("decision IS NULL OR decision IN ('made', 'kept')", name='correction_decision'),
    sa.CheckConstraint("ground IN ('not_there', 'not_listed', 'other_person', 'wrong_call')", name='correction_ground'),
    sa.CheckConstraint('(decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)', name='correction_decided_whole'),
    sa.CheckConstraint('decided_by IS NULL OR decided_by != asked_by', name='correction_not_ones_own'),
    sa.PrimaryKeyConstraint('key')
    )
    with op.batch_alter_table('correction', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_correction_asked_by'), ['asked_by'], unique=False)
        batch_op.create_index(batch_op.f('ix_correction_reference'), ['reference'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("an older version is reached by a backup")
