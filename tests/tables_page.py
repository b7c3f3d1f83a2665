"""Makes docs/tables.md from the comments of the tables: `python tests/tables_page.py`."""

import sys
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from blackboard.store.schema import CONTROL, metadata
from blackboard.store.views import VIEWS

PAGE = Path(__file__).parents[1] / "docs" / "tables.md"
_HEAD = """# Tables

Every table and column of a board, made from `blackboard/store/schema.py` and `control.py` by
`python tests/tables_page.py`. In PostgreSQL they are the comments of the tables and columns. Store times are seconds
since the Unix epoch. Every board also has the views
"""
_SPEC = "Spec: these tables have revisions."
_CONTROL = "Control: these tables have no revisions."


def tables_page() -> str:
    """Return the page."""
    names = sorted(metadata.tables)
    views = ", ".join(f"`{name}`" for name in VIEWS)
    parts = [f"{_HEAD}{views}."]
    for title, chosen in ((_SPEC, False), (_CONTROL, True)):
        parts.append(f"## {title.split(':')[0]}\n\n{title.split(': ')[1].capitalize()}")
        parts += ["\n".join(_table(metadata.tables[name])) for name in names if (name in CONTROL) is chosen]
    return "\n\n".join(parts) + "\n"


def _table(table: sa.Table) -> Iterator[str]:
    yield f"### {table.name}\n\n{table.comment}\n"
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column in table.columns:
        kind = str(column.type.compile()).lower().replace("blob", "bytes")
        notes = [kind, *(["primary key"] if column.primary_key else []), *(["may be NULL"] if column.nullable else [])]
        notes += [f"→ `{one.target_fullname}`" for one in column.foreign_keys]
        yield f"| `{column.name}` | {', '.join(notes)} | {str(column.comment).replace('|', '/')} |"


if __name__ == "__main__":
    PAGE.write_text(tables_page(), "utf-8")
    sys.stdout.write(f"{PAGE}\n")
