"""Run by Alembic: migrate over the connection that `upgrade` opened, inside its transaction."""

from alembic import context

from engine_alpha.journals import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
