"""Changes of tables. Who implements them holds exactly what is declared, so every change breaks implementers."""

from changes.row import SqlRow

_PARENT = "CREATE TABLE author (id INTEGER PRIMARY KEY);\n"
_READ = "SELECT id FROM recipe"


def _change(name, old, new, uses, *before, arrives=None, implements="breaking", head=""):
    """Make a row of one table; what stands between its parentheses is given."""
    tables = (f"{head}CREATE TABLE recipe ({columns});" for columns in (old, new))
    return SqlRow(name, *tables, uses, implements, before or (_READ,), arrives)


def _same(name, old, new, *before, head=""):
    return _change(name, old, new, "none", *before, implements="none", head=head)


def _texts(name, old, new, uses, implements, *before, arrives=None):
    return SqlRow(name, old, new, uses, implements, before, arrives)


_KEY = "id INTEGER PRIMARY KEY"
_INSERT = "INSERT INTO recipe (id) VALUES (1)"
_SELECT = "SELECT x FROM recipe"


def _put(value):
    return f"INSERT INTO recipe (id, x) VALUES (1, {value})"


def _wider(name, old, new, value, kept):
    """Make a row of a type that holds more values; a reader does not expect those."""
    return _change(
        f"type: {name}", f"{_KEY}, x {old}", f"{_KEY}, x {new}", "breaking", _put(kept), _SELECT, arrives=_put(value)
    )


def _narrower(name, old, new, value):
    """Make a row of a type that holds fewer values; a writer's value is refused."""
    return _change(f"type: {name}", f"{_KEY}, x {old}", f"{_KEY}, x {new}", "breaking", _put(value), _SELECT)


TYPES = (
    _wider("INTEGER -> BIGINT", "INTEGER", "BIGINT", 5_000_000_000, 1),
    _narrower("BIGINT -> INTEGER", "BIGINT", "INTEGER", 5_000_000_000),
    _wider("SMALLINT -> INTEGER", "SMALLINT", "INTEGER", 100_000, 1),
    _narrower("INTEGER -> SMALLINT", "INTEGER", "SMALLINT", 100_000),
    _wider("a longer VARCHAR", "VARCHAR(3)", "VARCHAR(5)", "'abcd'", "'abc'"),
    _narrower("a shorter VARCHAR", "VARCHAR(5)", "VARCHAR(3)", "'abcd'"),
    _wider("VARCHAR -> TEXT", "VARCHAR(3)", "TEXT", "'abcd'", "'abc'"),
    _narrower("TEXT -> VARCHAR", "TEXT", "VARCHAR(3)", "'abcd'"),
    _wider("BOOLEAN -> INTEGER", "BOOLEAN", "INTEGER", 2, 1),
    _narrower("INTEGER -> BOOLEAN", "INTEGER", "BOOLEAN", 2),
    _wider("more digits before the point", "NUMERIC(4, 2)", "NUMERIC(6, 2)", "1234.5", "12.5"),
    _narrower("fewer digits before the point", "NUMERIC(6, 2)", "NUMERIC(4, 2)", "1234.5"),
    _wider("more digits after the point", "NUMERIC(6, 1)", "NUMERIC(7, 2)", "1.25", "1.5"),
    _narrower("text -> a number", "TEXT", "INTEGER", "'x'"),
    _narrower("a number -> text", "INTEGER", "TEXT", "1"),
    _narrower("a date -> a time", "DATE", "TIMESTAMP", "'2026-01-31'"),
    _same("type: INT is INTEGER", f"{_KEY}, x INT", f"{_KEY}, x INTEGER", _put(1), _SELECT),
    _same("type: CHARACTER VARYING is VARCHAR", "x CHARACTER VARYING(3)", "x VARCHAR(3)", _SELECT),
    _same("type: DECIMAL is NUMERIC", "x DECIMAL(4, 2)", "x NUMERIC(4, 2)", _SELECT),
    _same("type: BOOL is BOOLEAN", "x BOOL", "x BOOLEAN", _SELECT),
)

_GREEN = f"{_KEY}, x TEXT DEFAULT 'green'"
COLUMNS = (
    _change("a column that may be null is added", _KEY, f"{_KEY}, x TEXT", "compatible", _INSERT, _READ),
    _change("a column that must be given is added", _KEY, f"{_KEY}, x TEXT NOT NULL", "breaking", _INSERT),
    _change(
        "a column with a default is added",
        _KEY,
        f"{_KEY}, x TEXT NOT NULL DEFAULT 'green'",
        "compatible",
        _INSERT,
        _READ,
    ),
    _change("a column is gone", f"{_KEY}, x TEXT", _KEY, "breaking", _SELECT),
    _change("a column has another name", f"{_KEY}, x TEXT", f"{_KEY}, y TEXT", "breaking", _SELECT),
    _same(
        "columns stand in another order", f"{_KEY}, x TEXT", f"x TEXT, {_KEY}", _put("'a'"), "SELECT id, x FROM recipe"
    ),
    _change("a column must be given", f"{_KEY}, x TEXT", f"{_KEY}, x TEXT NOT NULL", "breaking", _INSERT),
    _change(
        "a column may be null",
        f"{_KEY}, x TEXT NOT NULL",
        f"{_KEY}, x TEXT",
        "breaking",
        _put("'a'"),
        arrives=_put("NULL"),
    ),
    _same("may be null, said and not said", f"{_KEY}, x TEXT", f"{_KEY}, x TEXT NULL", _put("NULL"), _SELECT),
    _same("a key is never null, said and not said", _KEY, "id INTEGER NOT NULL PRIMARY KEY", _INSERT, _READ),
    _change("a default instead of null", f"{_KEY}, x TEXT", _GREEN, "breaking", _INSERT, _SELECT),
    _change("null instead of a default", _GREEN, f"{_KEY}, x TEXT", "breaking", _INSERT, _SELECT),
    _change("another default", _GREEN, f"{_KEY}, x TEXT DEFAULT 'red'", "breaking", _INSERT, _SELECT),
    _same("null by default, said and not said", f"{_KEY}, x TEXT", f"{_KEY}, x TEXT DEFAULT NULL", _INSERT, _SELECT),
    _change(
        "what had to be given gets a default",
        f"{_KEY}, x TEXT NOT NULL",
        f"{_KEY}, x TEXT NOT NULL DEFAULT 'green'",
        "compatible",
        _put("'a'"),
        _SELECT,
    ),
    _change(
        "what had a default has to be given",
        f"{_KEY}, x TEXT NOT NULL DEFAULT 'green'",
        f"{_KEY}, x TEXT NOT NULL",
        "breaking",
        _INSERT,
    ),
    _change(
        "a computed column is added",
        f"{_KEY}, x INTEGER",
        f"{_KEY}, x INTEGER, y INTEGER GENERATED ALWAYS AS (x * 2) STORED",
        "compatible",
        _put(1),
        _SELECT,
    ),
    _change(
        "a column is computed now",
        f"{_KEY}, x INTEGER",
        f"{_KEY}, x INTEGER GENERATED ALWAYS AS (id * 2) STORED",
        "breaking",
        _put(1),
    ),
    _change(
        "a column is no longer computed",
        f"{_KEY}, x INTEGER GENERATED ALWAYS AS (id * 2) STORED",
        f"{_KEY}, x INTEGER",
        "breaking",
        _INSERT,
        _SELECT,
    ),
    _change(
        "a column is computed in another way",
        f"{_KEY}, x INTEGER GENERATED ALWAYS AS (id * 2) STORED",
        f"{_KEY}, x INTEGER GENERATED ALWAYS AS (id * 3) STORED",
        "breaking",
        _INSERT,
        _SELECT,
    ),
)

_DUPLICATE = ("INSERT INTO recipe (id, x) VALUES (1, 'a')", "INSERT INTO recipe (id, x) VALUES (2, 'a')")
_TWICE = "INSERT INTO recipe (id, x) VALUES (1, 'a'), (2, 'a')"
_PAIR = "INSERT INTO recipe (a, b) VALUES (1, 1), (1, 2)"
_ORPHAN = "INSERT INTO recipe (id, author) VALUES (1, 7)"
_WRITTEN = ("INSERT INTO author (id) VALUES (7)", _ORPHAN)
_CHECKED = f"{_KEY}, x INTEGER CHECK (x > 0)"
RULES = (
    _change("a column is unique", f"{_KEY}, x TEXT", f"{_KEY}, x TEXT UNIQUE", "breaking", *_DUPLICATE),
    _change(
        "a column is no longer unique",
        f"{_KEY}, x TEXT UNIQUE",
        f"{_KEY}, x TEXT",
        "breaking",
        _DUPLICATE[0],
        arrives=_TWICE,
    ),
    _change(
        "two columns together are unique",
        "a INTEGER, b INTEGER, UNIQUE (a, b)",
        "a INTEGER UNIQUE, b INTEGER",
        "breaking",
        _PAIR,
    ),
    _same("unique beside a column and below", f"{_KEY}, x TEXT UNIQUE", f"{_KEY}, x TEXT, UNIQUE (x)", *_DUPLICATE[:1]),
    _change(
        "a key is declared",
        "id INTEGER, x TEXT",
        f"{_KEY}, x TEXT",
        "breaking",
        _INSERT,
        "INSERT INTO recipe (id) VALUES (1)",
    ),
    _change(
        "a key is gone",
        f"{_KEY}, x TEXT",
        "id INTEGER NOT NULL, x TEXT",
        "breaking",
        _INSERT,
        arrives="INSERT INTO recipe (id) VALUES (1), (1)",
    ),
    _same("a key beside a column and below", f"{_KEY}, x TEXT", "id INTEGER, x TEXT, PRIMARY KEY (id)", _INSERT, _READ),
    _change(
        "a key of two columns becomes one of one",
        "a INTEGER NOT NULL, b INTEGER NOT NULL, PRIMARY KEY (a, b)",
        "a INTEGER NOT NULL PRIMARY KEY, b INTEGER NOT NULL",
        "breaking",
        _PAIR,
    ),
    _change(
        "a reference is declared",
        f"{_KEY}, author INTEGER",
        f"{_KEY}, author INTEGER REFERENCES author (id)",
        "breaking",
        _ORPHAN,
        head=_PARENT,
    ),
    _change(
        "a reference is gone",
        f"{_KEY}, author INTEGER REFERENCES author (id)",
        f"{_KEY}, author INTEGER",
        "breaking",
        *_WRITTEN,
        arrives=_ORPHAN,
        head=_PARENT,
    ),
    _change(
        "what refers goes too",
        f"{_KEY}, author INTEGER REFERENCES author (id)",
        f"{_KEY}, author INTEGER REFERENCES author (id) ON DELETE CASCADE",
        "breaking",
        *_WRITTEN,
        "-- refused\nDELETE FROM author",
        _READ,
        head=_PARENT,
    ),
    _same(
        "a reference beside a column and below",
        f"{_KEY}, author INTEGER REFERENCES author (id)",
        f"{_KEY}, author INTEGER, FOREIGN KEY (author) REFERENCES author (id)",
        *_WRITTEN,
        head=_PARENT,
    ),
    _change("a rule is added", f"{_KEY}, x INTEGER", _CHECKED, "breaking", _put(0)),
    _change("a rule is gone", _CHECKED, f"{_KEY}, x INTEGER", "breaking", _put(1), arrives=_put(0)),
    _change("a rule allows more", _CHECKED, f"{_KEY}, x INTEGER CHECK (x >= 0)", "breaking", _put(1), arrives=_put(0)),
    _same("a rule beside a column and below", _CHECKED, f"{_KEY}, x INTEGER, CHECK (x > 0)", _put(1)),
)

_TABLE = f"CREATE TABLE recipe ({_KEY}, x TEXT, y TEXT);\n"
_TAG = "CREATE TABLE tag (id INTEGER PRIMARY KEY);\n"
TABLES = (
    _texts("a table is added", _TABLE, _TABLE + _TAG, "compatible", "breaking", _INSERT, _READ),
    _texts("a table is gone", _TABLE + _TAG, _TABLE, "breaking", "breaking", "SELECT id FROM tag"),
    _texts(
        "a table has another name", _TAG, _TAG.replace("tag", "label"), "breaking", "breaking", "SELECT id FROM tag"
    ),
    _texts("tables stand in another order", _TABLE + _TAG, _TAG + _TABLE, "none", "none", _READ, "SELECT id FROM tag"),
    _texts(
        "an index is added",
        _TABLE,
        _TABLE + "CREATE INDEX i ON recipe (x);",
        "compatible",
        "breaking",
        _INSERT,
        _SELECT,
    ),
    _texts(
        "an index is gone", _TABLE + "CREATE INDEX i ON recipe (x);", _TABLE, "compatible", "breaking", _INSERT, _SELECT
    ),
    _texts(
        "an index is of another column",
        _TABLE + "CREATE INDEX i ON recipe (x);",
        _TABLE + "CREATE INDEX i ON recipe (y);",
        "compatible",
        "breaking",
        _INSERT,
        _SELECT,
    ),
    _texts(
        "an index is of one more column",
        _TABLE + "CREATE INDEX i ON recipe (x);",
        _TABLE + "CREATE INDEX i ON recipe (x, y);",
        "compatible",
        "breaking",
        _INSERT,
        _SELECT,
    ),
    _texts(
        "an index becomes unique",
        _TABLE + "CREATE INDEX i ON recipe (x);",
        _TABLE + "CREATE UNIQUE INDEX i ON recipe (x);",
        "breaking",
        "breaking",
        *_DUPLICATE,
    ),
    _texts(
        "an index is no longer unique",
        _TABLE + "CREATE UNIQUE INDEX i ON recipe (x);",
        _TABLE + "CREATE INDEX i ON recipe (x);",
        "breaking",
        "breaking",
        _DUPLICATE[0],
        arrives=_TWICE,
    ),
    _texts(
        "a column and an index are added",
        _TABLE,
        f"CREATE TABLE recipe ({_KEY}, x TEXT, y TEXT, z TEXT);\nCREATE INDEX i ON recipe (z);",
        "compatible",
        "breaking",
        _INSERT,
        _SELECT,
    ),
    _texts(
        "names that are not quoted fold case",
        _TABLE,
        _TABLE.replace("recipe", "Recipe").replace(" x ", " X "),
        "none",
        "none",
        _INSERT,
        _SELECT,
    ),
    _texts(
        "a quoted name in small letters is the same",
        _TABLE,
        _TABLE.replace("recipe", '"recipe"'),
        "none",
        "none",
        _INSERT,
        _SELECT,
    ),
    _texts(
        "words in small letters",
        _TABLE,
        _TABLE.replace("CREATE TABLE", "create table").replace("TEXT", "text"),
        "none",
        "none",
        _INSERT,
        _SELECT,
    ),
    _texts(
        "comments and line breaks",
        _TABLE,
        "-- What we cook.\n" + _TABLE.replace(", ", ",\n    "),
        "none",
        "none",
        _INSERT,
        _SELECT,
    ),
)

_KINDS = f"{_KEY}, x TEXT CHECK (x IN ('a', 'b'))"
_TWO = "CREATE TABLE author (a INTEGER, b INTEGER, PRIMARY KEY (a, b));\n"
HARD = (
    _change(
        "a rule allows one more value",
        _KINDS,
        _KINDS.replace("'b'", "'b', 'c'"),
        "breaking",
        _put("'a'"),
        arrives=_put("'c'"),
    ),
    _change("a rule allows one value fewer", _KINDS, _KINDS.replace(", 'b'", ""), "breaking", _put("'b'")),
    _same("a rule with other spaces", _CHECKED, _CHECKED.replace("x > 0", "x>0"), _put(1)),
    _same(
        "a default in parentheses", f"{_KEY}, x INTEGER DEFAULT 0", f"{_KEY}, x INTEGER DEFAULT (0)", _INSERT, _SELECT
    ),
    _change(
        "another number by default",
        f"{_KEY}, x INTEGER DEFAULT 0",
        f"{_KEY}, x INTEGER DEFAULT 1",
        "breaking",
        _INSERT,
        _SELECT,
    ),
    _change("must be given and holds more", f"{_KEY}, x INTEGER", f"{_KEY}, x BIGINT NOT NULL", "breaking", _INSERT),
    _change(
        "one column wider, one narrower",
        f"{_KEY}, x INTEGER, y BIGINT",
        f"{_KEY}, x BIGINT, y INTEGER",
        "breaking",
        "INSERT INTO recipe (id, y) VALUES (1, 5000000000)",
        arrives=_put(5_000_000_000),
    ),
    _change(
        "a reference of two columns",
        f"{_KEY}, a INTEGER, b INTEGER",
        f"{_KEY}, a INTEGER, b INTEGER, FOREIGN KEY (a, b) REFERENCES author (a, b)",
        "breaking",
        "INSERT INTO recipe (id, a, b) VALUES (1, 7, 8)",
        head=_TWO,
    ),
    _change(
        "a unique pair must be given",
        "a INTEGER, b INTEGER, UNIQUE (a, b)",
        "a INTEGER NOT NULL, b INTEGER, UNIQUE (a, b)",
        "breaking",
        "INSERT INTO recipe (b) VALUES (1)",
    ),
    _texts(
        "made only if it is not there",
        _TABLE,
        _TABLE.replace("TABLE", "TABLE IF NOT EXISTS"),
        "none",
        "none",
        _INSERT,
        _SELECT,
    ),
    _change(
        "two columns are added, and what one has by default fails its rule",
        f"{_KEY}, x INTEGER CHECK (x % 2 = 0)",
        f"{_KEY}, x INTEGER CHECK (x % 2 = 0), y TEXT CHECK (y <> 'a'), z INTEGER DEFAULT 2 CHECK (z IN (0, 1))",
        "breaking",
        _INSERT,
    ),
    _change(
        "two columns are added, and what they have by default passes their rules",
        f"{_KEY}, x INTEGER CHECK (x % 2 = 0)",
        f"{_KEY}, x INTEGER CHECK (x % 2 = 0), y INTEGER CHECK (y < x), z INTEGER DEFAULT 1 CHECK (z > 0 OR x > 9)",
        "compatible",
        _INSERT,
        "INSERT INTO recipe (id, x) VALUES (2, 4)",
    ),
    _change(
        "a computed column that takes no NULL is added",
        f"{_KEY}, x TEXT",
        f"{_KEY}, x TEXT, y TEXT NOT NULL GENERATED ALWAYS AS (x || 'a')",
        "breaking",
        _INSERT,
    ),
    _change(
        "a computed column that never is NULL is added",
        f"{_KEY}, x INTEGER NOT NULL, z INTEGER",
        f"{_KEY}, x INTEGER NOT NULL, z INTEGER, y INTEGER NOT NULL GENERATED ALWAYS AS (x + coalesce(x, 1))",
        "compatible",
        _put(4),
    ),
    _change(
        "a computed column with a rule is added",
        f"{_KEY}, x INTEGER",
        f"{_KEY}, x INTEGER, y INTEGER GENERATED ALWAYS AS (x + 1) CHECK (y > 0)",
        "breaking",
        _put(-4),
    ),
    _change(
        "a row takes the place of one alike",
        f"{_KEY}, x TEXT UNIQUE",
        f"{_KEY}, x TEXT UNIQUE ON CONFLICT REPLACE",
        "breaking",
        _put("'a'"),
        arrives="INSERT INTO recipe (id, x) VALUES (1, 'a'), (2, 'a')",
    ),
    _change(
        "a computed column is gone",
        f"{_KEY}, x INTEGER GENERATED ALWAYS AS (id * 2) STORED, y TEXT",
        f"{_KEY}, y TEXT",
        "breaking",
        _SELECT,
    ),
)

ROWS = (*TYPES, *COLUMNS, *RULES, *TABLES, *HARD)
