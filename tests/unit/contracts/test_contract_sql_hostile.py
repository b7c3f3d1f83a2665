"""Whatever a text is, reading it as `sql` and comparing it ends soon, within bounds, in a typed error or a contract."""

import resource
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools import untraced

from blackboard.contracts.language import Contract
from blackboard.errors import Invalid, InvalidContract

VAST = 1_000_000
MANY = 3_600
TABLE = (
    "CREATE TABLE t{} (a INT PRIMARY KEY, b VARCHAR(9) NOT NULL DEFAULT 'x', c INT REFERENCES t0 (a), CHECK (c > 0));\n"
)


def checked(expression: str) -> str:
    return f"CREATE TABLE t (a INT CHECK ({expression}))"


def columns(declared: str, count: int) -> str:
    return f"CREATE TABLE t (a INT PRIMARY KEY, {', '.join(f'c{number} {declared}' for number in range(count))})"


def named(declared: str, count: int) -> str:
    return columns("INT NOT NULL CHECK (c > 1)", count).replace("(c >", "(a >").replace("INT NOT NULL", declared)


HOSTILE = [
    *("".join(TABLE.format(number) for number in range(count)) for count in (190, 8_000)),
    *(checked("(" * depth + "1" + ")" * depth) for depth in (10, 11, 10_000)),
    *(
        checked(word * MANY + "1")
        for word in ("NOT ", "- ", "~ ", "INTERVAL ", "a -> ", "DATE ", "EXISTS ", "CASE WHEN ")
    ),
    *(checked(word.join(["a"] * MANY)) for word in (" AND ", " OR ", "+", "||", ".", " LIKE ", " IS NOT ", ",")),
    *(checked("a" + word * 2_000) for word in ("::INT", "[1]", " ? a", ":b", " COLLATE x", " IS NULL")),
    *(
        f"CREATE TABLE t (a INT{word * 2_000})"
        for word in (" NOT NULL", " DEFAULT 1", " CONSTRAINT x", "[]", " UNIQUE")
    ),
    *(f"CREATE TABLE t (a {word * 2_000}INT{'>' * 2_000})" for word in ("ARRAY<", "STRUCT<a ")),
    *(f"CREATE VIEW v AS {text}" for text in ("SELECT " * MANY, " UNION ".join(["SELECT 1"] * 2_000), "WITH " * MANY)),
    *(f"CREATE VIEW v AS SELECT 1 FROM {word.join(['a'] * MANY)}" for word in (",", " JOIN ", " NATURAL JOIN ")),
    *(
        text * (VAST // len(text))
        for text in ("(", "/*", "'", "';'", '"', "1a", "$$", "{{", "\0", "\\", "CREATE ", "é", "-- \n")
    ),
    *(f"CREATE TABLE t (a TEXT DEFAULT '{'x' * size}')" for size in (250_000, VAST)),
    *(
        text * (36_000 // len(text))
        for text in ("'\\", "{{", "$$", "1e", "/* ", ";", "ALTER TABLE t ADD ", "CREATE TABLE ")
    ),
    columns("INT", 2_500),
    columns("INT UNIQUE CHECK (a > 0)", 700),
    f"CREATE TABLE {'x' * 1_000} ({', '.join(f'c{number} INT' for number in range(2_500))})",
]

CHANGED = [
    (columns("DECIMAL(100000000, 2)", 9), columns("DECIMAL(100000001, 2)", 9)),
    (columns(f"VARCHAR({'9' * 5_000})", 1), columns(f"VARCHAR({'9' * 5_001})", 1)),
    *((checked(f"a > {number}"), checked(f"a < {number}")) for number in ("9" * 5_000, "1e400", "1.5e999999999")),
    (columns("INT", 1_500), columns("INT NOT NULL", 1_500)),
    (columns("INT NOT NULL", 1_500), columns("TEXT NOT NULL", 1_500)),
    (columns("INT UNIQUE", 1_500), columns("INT", 1_500)),
    (named("INT NOT NULL", 500), named("TEXT", 500)),
    (columns("INT NOT NULL", 600), columns("INT NOT NULL REFERENCES t (a)", 600)),
    (
        checked(" OR ".join(f"a = {number}" for number in range(1_800))),
        checked(" OR ".join(f"a = {n}" for n in range(1_801))),
    ),
    (
        checked(" AND ".join(f"a <> {number}" for number in range(1_500))),
        checked(" AND ".join(f"a <> {number}" for number in range(1_499))),
    ),
    (columns("INT CHECK (a > 1 AND a < 0)", 300), columns("TEXT CHECK (a > 2 AND a < 0)", 300)),
]

PROGRAM = """
import sys, time
from blackboard.contracts.language import Contract
from blackboard.errors import Invalid
texts, pairs = eval(sys.stdin.read())
slowest = (0, "")
for number, work in enumerate([*texts, *pairs]):
    begun = time.process_time()
    try:
        if isinstance(work, str):
            Contract("sql", work).digest
        else:
            old, new = (Contract("sql", text) for text in work)
            begun = time.process_time()
            assert old.compare(new).effects
    except Invalid:
        pass
    slowest = max(slowest, (time.process_time() - begun, str(work)[:60]))
print(*slowest)
"""


def test_hostile_texts_end_within_a_second_each_and_200_megabytes(length):
    limit, every = 200 * 2**20, length(6, 1)

    def limited():
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        input=repr((HOSTILE[::every], CHANGED[::every])),
        text=True,
        capture_output=True,
        preexec_fn=limited,
        check=False,
        env=untraced(),
    )
    assert done.stderr == ""
    seconds, what = done.stdout.split(" ", 1)
    assert float(seconds) < 1, what


@pytest.mark.parametrize("text", [checked("(" * 13 + "1" + ")" * 13), "x " * 9_000, "-" * 300_000])
def test_what_is_too_much_is_refused_before_it_is_read(text):
    with pytest.raises(InvalidContract):
        Contract("sql", text)


WORDS = """CREATE TABLE INDEX VIEW UNIQUE PRIMARY KEY ( ) , ; a b t 1 'x' "q" INT TEXT VARCHAR(3) NOT NULL DEFAULT CHECK
> = IN AS SELECT FROM ON REFERENCES FOREIGN CONSTRAINT ALTER ADD COLUMN GENERATED ALWAYS IDENTITY CASE WHEN END - . ::
[ ] STORED DESC WHERE COLLATE ENUM('a','b') EXCLUDE LIKE SET SERIAL"""
PLACES = [
    "{}",
    "CREATE TABLE t (a INT {})",
    "CREATE TABLE t (a INT, {})",
    "CREATE TABLE t (a INT CHECK ({}))",
    "CREATE TABLE t (a INT) {}",
    "CREATE TABLE t (a INT); CREATE INDEX i ON t {}",
    "CREATE VIEW v AS {}",
    "CREATE TABLE t (a INT); ALTER TABLE t ADD {}",
]


@given(st.lists(st.sampled_from(WORDS.split()), max_size=12), st.sampled_from(PLACES))
def test_any_words_are_a_contract_or_refused(words, place):
    try:
        contract = Contract("sql", place.format(" ".join(words)))
    except Invalid:
        return
    assert contract.compare(Contract("sql", contract.text + ";")).effects == {}
    for other in ("CREATE TABLE t (a INT UNIQUE)", "CREATE TABLE t (a TEXT NOT NULL, b INT)"):
        there = Contract("sql", other)
        assert bool(contract.compare(there).effects) == (contract.digest != there.digest)
        assert bool(there.compare(contract).effects) == (contract.digest != there.digest)
