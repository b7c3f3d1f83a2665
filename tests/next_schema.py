"""A library with one migration more, by which boards of this library are of an older schema: for tests of upgrades."""

import contextlib
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from blackboard.store import upgrade
from blackboard.store.schema import SCHEMA

NEXT = f"{int(SCHEMA) + 1:04}"
"""The name of its schema."""

CHANGES = """
op.execute("CREATE TABLE added (id INTEGER PRIMARY KEY)")
op.execute("UPDATE activation SET reason = 'migrated'")
"""
"""What its migration does, unless something else is given."""


@contextlib.contextmanager
def next_schema(changes: str = CHANGES) -> Iterator[None]:
    """Let this process have that library."""
    here = upgrade.migrations()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "versions").mkdir()
        for path in (here / "env.py", *(here / "versions").glob("*.py")):
            (folder / path.relative_to(here)).write_text(path.read_text())
        head = (
            f'revision = "{NEXT}"\ndown_revision = "{SCHEMA}"\n\nfrom alembic import op\n\n\ndef upgrade() -> None:\n'
        )
        (folder / "versions" / f"{NEXT}_next.py").write_text(head + textwrap.indent(changes.strip(), "    ") + "\n")
        with patch.object(upgrade, "migrations", lambda: folder), patch.object(upgrade, "SCHEMA", NEXT):
            yield


def is_upgraded(raw) -> bool | None:
    """Say whether a database went through `CHANGES`; None where it did so by half."""
    [(added,)] = map(tuple, raw.execute("SELECT count(*) FROM sqlite_master WHERE name = 'added'"))
    moved = [*map(tuple, raw.execute("SELECT DISTINCT reason FROM activation"))] == [("migrated",)]
    named = [*map(tuple, raw.execute("SELECT version_num FROM alembic_version"))] == [(NEXT,)]
    return moved if bool(added) is moved is named else None
