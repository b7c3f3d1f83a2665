"""Runs the migrations on the connection that `store.upgrade` lends, inside the transaction that it opened."""

from alembic import context

from blackboard.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
