"""Changes of views, which users read and do not write."""

from changes.row import SqlRow as Row

_TABLE = "CREATE TABLE recipe (id INTEGER PRIMARY KEY);\n"
_WRITTEN = "INSERT INTO recipe (id) VALUES (1), (2)"
_OF_TWO = f"{_TABLE}CREATE VIEW later AS SELECT {{}}.id FROM recipe AS x JOIN recipe AS y ON x.id < y.id;".format
ROWS = (
    Row(
        "a view has one more column",
        f"{_TABLE}CREATE VIEW named AS SELECT id FROM recipe;",
        f"{_TABLE}CREATE VIEW named AS SELECT id, id + 1 AS next FROM recipe;",
        "compatible",
        "breaking",
        (_WRITTEN, "SELECT id FROM named"),
    ),
    Row(
        "a view has one column fewer",
        f"{_TABLE}CREATE VIEW named AS SELECT id, id + 1 AS next FROM recipe;",
        f"{_TABLE}CREATE VIEW named AS SELECT id FROM recipe;",
        "breaking",
        "breaking",
        (_WRITTEN, "SELECT next FROM named"),
    ),
    Row(
        "a view counts what it has",
        f"{_TABLE}CREATE VIEW named AS SELECT 1 AS one FROM recipe;",
        f"{_TABLE}CREATE VIEW named AS SELECT 1 AS one, count(*) AS many FROM recipe;",
        "breaking",
        "breaking",
        (_WRITTEN, "SELECT one FROM named"),
    ),
    Row(
        "a view takes a column from another of its tables",
        _OF_TWO("x"),
        _OF_TWO("y"),
        "breaking",
        "breaking",
        (_WRITTEN, "SELECT id FROM later"),
    ),
)
