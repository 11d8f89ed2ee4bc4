"""which version of each vault is the newest, as the access log commits to it"""

import sqlalchemy as sa
from alembic import op

import appliance.storage.types

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('vault_version',
    sa.Column('handle', sa.String(length=32), nullable=False),
    sa.Column('leaf_index', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('salt', sa.String(length=64), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('proof', sa.JSON(), nullable=False),
    sa.Column('root', sa.String(length=64), nullable=False),
    sa.Column('made_at', appliance.storage.types.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('handle', 'leaf_index')
    )


def downgrade() -> None:
    raise NotImplementedError("an older version is reached by a backup")
