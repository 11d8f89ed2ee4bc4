"""calls and involvement in whole seconds, involvement found by month and person, calls open and merged"""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

import appliance.storage.types

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

_GROUP = 5_000
_SAME_CALL = ('id', 'feed', 'number', 'stamp', 'revision', 'type', 'noticed')
_SAME_INVOLVEMENT = ('call_id', 'person_id', 'unit', 'role')
# `appliance.intake.models.month_of`, as it was when this was written.
_MONTH = 2_629_746


def _copy(table: str, columns: Sequence[Any], old: sa.Select[Any], change: Callable[[Any], dict[str, Any]]) -> None:
    """Rows of `old` into the new `table`, some at a time."""
    connection = op.get_bind()
    new = sa.table(table, *columns)
    found = connection.execute(old)
    while rows := found.fetchmany(_GROUP):
        connection.execute(sa.insert(new), [change(row) for row in rows])


def upgrade() -> None:
    old, seconds = appliance.storage.types.UtcDateTime(), appliance.storage.types.UtcSeconds
    with op.batch_alter_table('call', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_call_received'))
    with op.batch_alter_table('involvement', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_involvement_person_id'))
    op.rename_table('involvement', 'old_involvement')
    op.rename_table('call', 'old_call')

    op.create_table('call',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('feed', sa.String(length=64), nullable=False),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('stamp', sa.String(length=40), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('received', seconds(), nullable=False),
    sa.Column('type', sa.String(length=40), nullable=False),
    sa.Column('noticed', sa.Boolean(), nullable=False),
    sa.Column('open', sa.Boolean(), nullable=False),
    sa.Column('merged_into', sa.String(length=40), nullable=False),
    sa.CheckConstraint('revision >= 1', name='revision_from_one'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('feed', 'number')
    )
    op.create_table('involvement',
    sa.Column('call_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.String(length=40), nullable=False),
    sa.Column('month', sa.Integer(), nullable=False),
    sa.Column('unit', sa.String(length=20), nullable=False),
    sa.Column('role', sa.String(length=12), nullable=False),
    sa.Column('start', seconds(), nullable=False),
    sa.Column('end', seconds(), nullable=True),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('call_id', 'person_id'),
    sqlite_with_rowid=False,
    )
    calls = sa.table(
        'old_call',
        *map(sa.column, _SAME_CALL),
        sa.column('received', old),
    )
    _copy(
        'call',
        [*map(sa.column, (*_SAME_CALL, 'digest', 'open', 'merged_into')), sa.column('received', seconds())],
        sa.select(calls),
        # What a version said is digested otherwise by now: the next one counts as an update.
        lambda row: {**row._mapping, 'digest': b'', 'open': True, 'merged_into': ''},
    )
    people = sa.table(
        'old_involvement',
        *map(sa.column, _SAME_INVOLVEMENT),
        sa.column('start', old),
        sa.column('end', old),
    )
    _copy(
        'involvement',
        [*map(sa.column, (*_SAME_INVOLVEMENT, 'month')), sa.column('start', seconds()), sa.column('end', seconds())],
        sa.select(people, calls.c.received).join(calls, calls.c.id == people.c.call_id),
        lambda row: {
            **{name: value for name, value in row._mapping.items() if name != 'received'},
            'month': int(row.received.timestamp()) // _MONTH,
        },
    )
    op.drop_table('old_involvement')
    op.drop_table('old_call')
    with op.batch_alter_table('call', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_call_received'), ['received'], unique=False)
        batch_op.create_index(
            'ix_call_open', ['received'], unique=False, sqlite_where=sa.text('open = 1'), postgresql_where=sa.text('open')
        )
        batch_op.create_index(
            'ix_call_merged',
            ['feed', 'merged_into'],
            unique=False,
            sqlite_where=sa.text("merged_into != ''"),
            postgresql_where=sa.text("merged_into != ''"),
        )
    with op.batch_alter_table('involvement', schema=None) as batch_op:
        batch_op.create_index('ix_involvement_month_person', ['month', 'person_id'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("an older version is reached by a backup")
