"""Alembic runs here: always on a connection that the caller brings, in the caller's transaction."""

from alembic import context

from hub.store.tables import truth

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=truth,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
