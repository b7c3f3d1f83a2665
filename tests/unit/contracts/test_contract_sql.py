"""What a change of a DDL text means for both sides; what is said to break is shown on databases that hold to it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from changes.every import SQL
from sql_databases import differs

from blackboard.contracts.language import Contract
from blackboard.errors import InvalidContract
from blackboard.spec.effects import UNDECIDED

NOTE = "CREATE TABLE note (id INTEGER PRIMARY KEY, title VARCHAR(10) NOT NULL, stars INT{}){}"
PLAIN = NOTE.format("", "")
TAG = "; CREATE TABLE tag (id INT PRIMARY KEY, note INT NOT NULL{})"


def note(columns: str = "", after: str = "") -> str:
    return NOTE.format(columns, after)


def tag(reference: str = "") -> str:
    return PLAIN + TAG.format(reference)


PAIRS = (
    "CREATE TABLE a (x INT, y INT, PRIMARY KEY ({})); CREATE TABLE b (p INT, q INT, FOREIGN KEY ({}) REFERENCES a{})"
)

SAME = {
    "case and formatting": (PLAIN, PLAIN.upper().replace(",", " ,\n")),
    "comments": (PLAIN, "-- a note\n" + PLAIN.replace("(id", "(/* its */ id")),
    "order of columns": (PLAIN, "CREATE TABLE note (stars INT, title VARCHAR(10) NOT NULL, id INTEGER PRIMARY KEY)"),
    "order of tables": (
        "CREATE TABLE a (x INT); CREATE TABLE b (x INT)",
        "CREATE TABLE b (x INT); CREATE TABLE a (x INT)",
    ),
    "spelling of types": (
        "CREATE TABLE t (a INT, b VARCHAR(9), c DECIMAL(5), d BOOL, e VARCHAR, f INT8, g INT(11))",
        "CREATE TABLE t (a INTEGER, b CHARACTER VARYING(9), c NUMERIC(5, 0), d BOOLEAN, e TEXT, f BIGINT, g INT4)",
    ),
    "a key of one column": (PLAIN, PLAIN.replace(" PRIMARY KEY", "").replace("INT)", "INT, PRIMARY KEY (id))")),
    "names of constraints": (note(", CHECK (stars > 0)"), note(", CONSTRAINT c CHECK (stars > 0)")),
    "a check turned round": (note(" CHECK (stars BETWEEN 1 AND 5)"), note(", CHECK (1 <= stars), CHECK (5 >= stars)")),
    "members of IN": (note(" CHECK (stars IN (1, 2))"), note(" CHECK (stars IN (2, 1))")),
    "quoted names": (PLAIN, PLAIN.replace("note", '"note"').replace("title", "`title`")),
    "spelling of defaults": (
        "CREATE TABLE t (a TEXT DEFAULT 'a', b INT DEFAULT 1, c TIMESTAMP DEFAULT CURRENT_TIMESTAMP)",
        "CREATE TABLE t (a TEXT DEFAULT 'a'::text, b INT DEFAULT (1), c TIMESTAMP DEFAULT now())",
    ),
    "default NULL": (PLAIN, note(" DEFAULT NULL")),
    "where a reference stands": (
        tag(" REFERENCES note"),
        tag(", FOREIGN KEY (note) REFERENCES note (id) ON DELETE NO ACTION"),
    ),
    "where a computed column is kept": (note(", g INT AS (id) STORED"), note(", g INT AS (id) VIRTUAL")),
    "declared later": (note(", x INT DEFAULT 1"), PLAIN + "; ALTER TABLE note ADD COLUMN x INT DEFAULT 1"),
    "order of a key's columns": (
        PAIRS.format("x, y", "p, q", ""),
        PAIRS.format("y, x", "q, p", " (y, x)"),
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_what_no_row_shows_is_no_facet(name):
    old, new = SAME[name]
    assert Contract("sql", old).compare(Contract("sql", new)).effects == {}
    assert Contract("sql", old).digest == Contract("sql", new).digest


COMPATIBLE = {
    "a column that may be NULL": (PLAIN, note(", x INT")),
    "a column with a default": (PLAIN, note(", x INT NOT NULL DEFAULT 3")),
    "a computed column": (PLAIN, note(", x INT GENERATED ALWAYS AS (id + 1) STORED NOT NULL")),
    "a column with its own check": (PLAIN, note(", x INT CHECK (x > 3)")),
    "a column with its own check that its default passes": (PLAIN, note(", x INT DEFAULT 4 CHECK (x > 3)")),
    "a column that is unique where it is written": (PLAIN, note(", x INT UNIQUE")),
    "a column that names another row": (PLAIN, note(", x INT REFERENCES note (id)")),
    "a default where a row had to say it": (note(" NOT NULL"), note(" NOT NULL DEFAULT 3")),
    "numbers where a row had to say them": (PLAIN, PLAIN.replace("PRIMARY KEY", "PRIMARY KEY AUTOINCREMENT")),
    "a table": (PLAIN, tag(" REFERENCES note")),
    "a view": (PLAIN, note("", "; CREATE VIEW starred AS SELECT id FROM note WHERE stars > 0")),
    "an index": (PLAIN, note("", "; CREATE INDEX by_stars ON note (stars)")),
    "an index less": (note("", "; CREATE INDEX by_stars ON note (stars)"), PLAIN),
    "a larger key beside a smaller one": (note(" UNIQUE"), note(" UNIQUE, UNIQUE (title, stars)")),
}

BREAKING = {
    "a column that every row needs": (PLAIN, note(", x INT NOT NULL")),
    "a column less": (PLAIN, PLAIN.replace(", stars INT", "")),
    "a column renamed": (PLAIN, PLAIN.replace("stars", "points")),
    "a table less": (tag(), PLAIN),
    "a table renamed": (PLAIN, PLAIN.replace("note", "memo")),
    "a view less": (note("", "; CREATE VIEW starred AS SELECT id FROM note"), PLAIN),
    "wider text": (PLAIN, PLAIN.replace("10", "20")),
    "narrower text": (PLAIN, PLAIN.replace("10", "5")),
    "any text": (PLAIN, PLAIN.replace("VARCHAR(10)", "TEXT")),
    "wider numbers": (PLAIN, PLAIN.replace("stars INT", "stars BIGINT")),
    "narrower numbers": (PLAIN, PLAIN.replace("stars INT", "stars SMALLINT")),
    "text for a number": (PLAIN, PLAIN.replace("stars INT", "stars TEXT")),
    "a fraction for a number": (PLAIN, PLAIN.replace("stars INT", "stars DECIMAL(4, 1)")),
    "no more NULL": (PLAIN, note(" NOT NULL")),
    "NULL too": (note(" NOT NULL"), PLAIN),
    "a default": (PLAIN, note(" DEFAULT 3")),
    "another default": (note(" DEFAULT 2"), note(" DEFAULT 3")),
    "no more default": (note(" DEFAULT 2"), PLAIN),
    "no more default where NULL is not taken": (note(" NOT NULL DEFAULT 2"), note(" NOT NULL")),
    "computed": (note(", x INT"), note(", x INT AS (id + 1) STORED")),
    "no more computed": (note(", x INT AS (id + 1) STORED"), note(", x INT")),
    "computed otherwise": (note(", x INT AS (id + 1) STORED"), note(", x INT AS (id + 2) STORED")),
    "no more numbered": (PLAIN.replace("PRIMARY KEY", "PRIMARY KEY AUTOINCREMENT"), PLAIN),
    "another collation": (PLAIN, PLAIN.replace("NOT NULL", "NOT NULL COLLATE NOCASE")),
    "unique": (PLAIN, note(" UNIQUE")),
    "no more unique": (note(" UNIQUE"), PLAIN),
    "unique by an index": (PLAIN, note("", "; CREATE UNIQUE INDEX one ON note (stars)")),
    "no more unique by an index": (note("", "; CREATE UNIQUE INDEX one ON note (stars)"), PLAIN),
    "unique together": (PLAIN, note(", UNIQUE (title, stars)")),
    "unique alone": (note(", UNIQUE (title, stars)"), note(" UNIQUE")),
    "a key less beside a smaller one": (note(" UNIQUE, UNIQUE (title, stars)"), note(" UNIQUE")),
    "a default that is unique": (PLAIN, note(", x INT DEFAULT 1 UNIQUE")),
    "a key": ("CREATE TABLE t (a INT NOT NULL, b INT)", "CREATE TABLE t (a INT NOT NULL, b INT, PRIMARY KEY (a))"),
    "a key less": ("CREATE TABLE t (a INT NOT NULL, b INT, PRIMARY KEY (a))", "CREATE TABLE t (a INT NOT NULL, b INT)"),
    "a check": (PLAIN, note(" CHECK (stars BETWEEN 1 AND 5)")),
    "a check less": (note(" CHECK (stars BETWEEN 1 AND 5)"), PLAIN),
    "a narrower check": (note(" CHECK (stars IN (1, 2, 3))"), note(" CHECK (stars IN (1, 2))")),
    "a wider check": (note(" CHECK (stars IN (1, 2))"), note(" CHECK (stars IN (1, 2, 3))")),
    "a check on a length": (PLAIN, note(" CHECK (length(title) > 3 OR stars IS NOT NULL)")),
    "a check over old and new": (PLAIN, note(", x INT DEFAULT 5 CHECK (x > stars)")),
    "a reference": (tag(), tag(" REFERENCES note")),
    "a reference less": (tag(" REFERENCES note"), tag()),
    "another action": (tag(" REFERENCES note"), tag(" REFERENCES note ON DELETE CASCADE")),
    "an action less": (tag(" REFERENCES note ON DELETE CASCADE"), tag(" REFERENCES note")),
    "another action on update": (tag(" REFERENCES note"), tag(" REFERENCES note ON UPDATE CASCADE")),
    "a reference to a row of its own": (note(", x INT"), note(", x INT REFERENCES note (id)")),
    "two columns less": (note(", x INT CHECK (x > 1), y INT UNIQUE"), PLAIN),
    "quoted names": ('CREATE TABLE "My Notes" ("aB" INT)', 'CREATE TABLE "My Notes" ("aB" INT NOT NULL)'),
    "names in capitals": ('CREATE TABLE "Notes" ("Id" INT)', 'CREATE TABLE "Notes" ("Id" INT NOT NULL)'),
    "a default beside a check": (
        "CREATE TABLE t (a INT, b TEXT DEFAULT '' CHECK (length(b) > 0))",
        "CREATE TABLE t (a INT NOT NULL, b TEXT DEFAULT '' CHECK (length(b) > 0))",
    ),
    "reserved names": ('CREATE TABLE "order" ("group" INT)', 'CREATE TABLE "order" ("group" INT NOT NULL)'),
}


@pytest.mark.parametrize("name", COMPATIBLE)
def test_what_breaks_only_who_implements(name):
    looked_at(*COMPATIBLE[name], uses="compatible")


@pytest.mark.parametrize("name", BREAKING)
def test_what_breaks_both_sides(name):
    looked_at(*BREAKING[name], uses="breaking")


def looked_at(old: str, new: str, *, uses: str) -> None:
    found = Contract("sql", old).compare(Contract("sql", new))
    assert (found.effect("uses"), found.effect("implements")) == (uses, "breaking")
    for facet, change in found.effects.items():
        assert change.implements == "breaking", facet
        assert change.proof != UNDECIDED, (facet, change)
        assert differs(old, new, change.proof), (facet, change)


@pytest.mark.parametrize("row", SQL, ids=[row.name for row in SQL])
def test_the_independent_table_agrees(row):
    old, new = row.contracts()
    found = old.compare(new)
    for side in ("uses", "implements"):
        assert found.effect(side) in row.expects(side), found.effects
    for facet, change in found.effects.items():
        assert change.proof == UNDECIDED or differs(row.old, row.new, change.proof), (facet, change)


UNKNOWN = {
    "a view with another query": ("CREATE VIEW v AS SELECT 1", "CREATE VIEW v AS SELECT 2"),
    "a check nobody here evaluates": (PLAIN, note(" CHECK (sqrt(stars) > 2)")),
    "a type nobody here knows": ("CREATE TABLE t (a GEOMETRY)", "CREATE TABLE t (a RASTER)"),
    "unique among some rows": (PLAIN, note("", "; CREATE UNIQUE INDEX one ON note (stars) WHERE stars > 0")),
    "what a table is kept in": (PLAIN, note("", " ENGINE=InnoDB")),
    "a rule nobody here knows": (PLAIN, note(", EXCLUDE USING gist (title WITH &&)")),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_breaks_undecided(name):
    old, new = UNKNOWN[name]
    for one, other in ((old, new), (new, old)):
        found = Contract("sql", one).compare(Contract("sql", other))
        assert (found.effect("uses"), found.effect("implements")) == ("breaking", "breaking")
        assert UNDECIDED in {change.proof for change in found.effects.values()}


def test_contracts_are_read_in_several_threads():
    texts = [note(f", x{number} INT DEFAULT {number}") for number in range(60)]
    with ThreadPoolExecutor(8) as pool:
        for number, contract in enumerate(pool.map(lambda text: Contract("sql", text), texts)):
            assert contract.facets[f"note.x{number}"] == {"type": "integer", "nullable": True, "default": f"{number}"}


def test_a_column_has_its_type_for_others_to_compare():
    facets = Contract("sql", tag(" REFERENCES note ON DELETE CASCADE") + "; CREATE INDEX i ON tag (note DESC)").facets
    assert facets == {
        "note": {"primary_key": ["id"]},
        "note.id": {"type": "integer", "nullable": False},
        "note.title": {"type": "varchar(10)", "nullable": False},
        "note.stars": {"type": "integer", "nullable": True},
        "tag": {"primary_key": ["id"], "foreign_keys": ["(note) REFERENCES note(id) ON DELETE CASCADE"]},
        "tag.id": {"type": "integer", "nullable": False},
        "tag.note": {"type": "integer", "nullable": False},
        "index i": {"table": "tag", "parts": ["note DESC"]},
    }


def test_a_computed_column_that_gets_a_default_is_shown_by_what_may_be_written_now():
    table = "CREATE TABLE t (id INTEGER PRIMARY KEY, c INTEGER NOT NULL, g BIGINT {})"
    # A row of 1 would read 2 on both sides.
    old, new = (table.format(how) for how in ("GENERATED ALWAYS AS (c * 2) STORED", "DEFAULT 2"))
    change = Contract("sql", old).compare(Contract("sql", new)).effects["t.g"]
    assert change.reason == "computed as c * 2 -> nothing"
    assert differs(old, new, change.proof)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("CREATE TABLE t (\n  a INT,\n  b INT b INT)", 3, 9),
        ("CREATE TABLE t (a INT,, b INT)", 1, 23),
        ("CREATE TABLE t (a INT", 1, 19),
        ("CREATE TABLE t (a INT);\nSELECT a FROM t", 2, 1),
        ("CREATE TABLE t (a INT);\n DROP TABLE t", 2, 2),
        ("INSERT INTO t (a) VALUES (1)", 1, 1),
        ("CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END", 1, 1),
        ("CREATE TABLE t (a INT,\n  A TEXT)", 2, 3),
        ("CREATE TABLE t (a INT);\nCREATE TABLE T (b INT)", 2, 14),
        ("CREATE TABLE t (a INT);\nCREATE VIEW t AS SELECT 1", 2, 13),
        ("CREATE TABLE t (a INT);CREATE INDEX i ON t (a);\nCREATE INDEX i ON t (a)", 2, 14),
        ("CREATE TABLE t (a INT PRIMARY KEY,\n PRIMARY KEY (a))", 2, 15),
        ("CREATE TABLE t (a INT,\n UNIQUE (b))", 2, 10),
        ("CREATE INDEX i ON t (a)", 1, 19),
        ("CREATE TABLE t (a INT);\nALTER TABLE t DROP COLUMN a", 2, 13),
        ("ALTER TABLE t ADD COLUMN a INT", 1, 13),
        ("CREATE TABLE t AS SELECT 1", 1, 14),
        ("CREATE TABLE t ()", 1, 14),
        ("CREATE TABLE t (a TEXT DEFAULT 'x", 1, 34),
        ("CREATE TABLE t (a INT, KEY k (a))", 1, 24),
        ("CREATE TEMP TABLE t (a INT)", 1, 1),
        ("nonsense", 1, 1),
    ],
)
def test_what_declares_nothing_is_refused_with_its_place(text, line, column):
    with pytest.raises(InvalidContract) as caught:
        Contract("sql", text)
    assert (caught.value.line, caught.value.column) == (line, column), caught.value
