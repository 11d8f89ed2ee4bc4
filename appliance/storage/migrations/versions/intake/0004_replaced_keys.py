"""from when on a replacement of a mailbox key is sealed to"""

import sqlalchemy as sa
from alembic import op

import appliance.storage.types

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('mailbox_key', sa.Column('since', appliance.storage.types.UtcSeconds(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("an older version is reached by a backup")
