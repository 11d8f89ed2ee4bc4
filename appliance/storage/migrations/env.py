"""Alembic's environment for every compartment: one env, one versions folder per compartment, batch mode."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=context.config.attributes["metadata"],
    render_as_batch=True,
    compare_type=True,
    # The appliance's own types come back as themselves in generated migrations.
    user_module_prefix="appliance.storage.types.",
)
with context.begin_transaction():
    context.run_migrations()
