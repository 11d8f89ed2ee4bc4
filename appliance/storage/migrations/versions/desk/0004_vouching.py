"""codes with which two people open the time before to a private space that was started over"""

import sqlalchemy as sa
from alembic import op

import appliance.storage.types

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('vouching_code',
    sa.Column('handle', sa.String(length=32), nullable=False),
    sa.Column('issuer', sa.String(length=32), nullable=False),
    sa.Column('code_hash', sa.LargeBinary(), nullable=False),
    sa.Column('expires_at', appliance.storage.types.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('handle', 'issuer'),
    sa.UniqueConstraint('code_hash')
    )


def downgrade() -> None:
    raise NotImplementedError("an older version is reached by a backup")
