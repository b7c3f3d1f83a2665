"""What one change says and the other takes away the ground of: they meet, and no text comes out that names nothing."""

import pytest

from blackboard.contracts.language import Contract
from blackboard.contracts.merging import Overlap, merge

SCHEMA_OF = """
CREATE TABLE a (id INTEGER PRIMARY KEY, t TEXT, u INTEGER);
CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER);
CREATE VIEW v AS SELECT id FROM a;
"""
WITHOUT_T, WITHOUT_A = SCHEMA_OF.replace(" t TEXT,", ""), SCHEMA_OF[SCHEMA_OF.index("CREATE TABLE b") :]


@pytest.mark.parametrize(
    ("said", "facet", "without", "gone"),
    [
        ("CREATE INDEX i ON a (u, t)", "index i", WITHOUT_T, "a.t"),
        ("CREATE INDEX i ON a (lower(t))", "index i", WITHOUT_T, "a.t"),
        ("CREATE INDEX i ON a (u) WHERE T IS NOT NULL", "index i", WITHOUT_T, "a.t"),
        ("ALTER TABLE a ADD CONSTRAINT k CHECK (t <> 'x' AND u > 0)", "a", WITHOUT_T, "a.t"),
        ("ALTER TABLE a ADD COLUMN g TEXT GENERATED ALWAYS AS (t || 'x')", "a.g", WITHOUT_T, "a.t"),
        ("CREATE TABLE c (t TEXT REFERENCES a (t))", "c", WITHOUT_T, "a.t"),
        ("CREATE VIEW w AS SELECT x.t FROM a AS x", "w", WITHOUT_T, "a.t"),
        (
            "CREATE TABLE c (a INTEGER REFERENCES b (id))",
            "c",
            SCHEMA_OF.replace("CREATE TABLE b", "CREATE TABLE d"),
            "b",
        ),
        ("CREATE VIEW w AS SELECT * FROM v", "w", SCHEMA_OF[: SCHEMA_OF.index("CREATE VIEW")], "v"),
    ],
)
def test_ddl_that_names_what_the_other_change_drops_meets_it(said, facet, without, gone):
    base, ours, theirs = (Contract("sql", text) for text in (SCHEMA_OF, f"{SCHEMA_OF}{said};", without))
    for one, other in ((ours, theirs), (theirs, ours)):
        met = merge(base, one, other)
        assert isinstance(met, Overlap)
        assert {facet, gone} <= {*met.facets}
        assert f"{facet} names {gone}, which the other one takes away" in met.why
    assert isinstance(merge(base, ours, Contract("sql", f"{SCHEMA_OF}CREATE TABLE d (id INTEGER);")), Contract)


NAMES = """\
class A:
    class Part: ...
class Missing(Exception): ...
def f() -> int: ...
"""


@pytest.mark.parametrize(
    ("said", "facet", "gone"),
    [
        ("def h() -> A: ...", "h", "A"),
        ("def h(given: 'list[A] | None' = None) -> int: ...", "h", "A"),
        ("class C(A): ...", "C", "A"),
        ("class C:\n    many: list[A]", "C.many", "A"),
        ("class C:\n    class D:\n        def m(self, x: A) -> int: ...", "C.D.m", "A"),
        ("Alias = A | None", "Alias", "A"),
        ("def h(part: A.Part) -> int: ...", "h", "A.Part"),
        ('def h() -> int:\n    """Do.\n\n    Raises:\n        Missing: No.\n    """', "h", "Missing"),
    ],
)
def test_a_stub_that_names_what_the_other_change_removes_meets_it(said, facet, gone):
    lines = {"A": "class A:\n    class Part: ...\n", "A.Part": "    class Part: ...\n"}
    line = lines.get(gone, "class Missing(Exception): ...\n")
    left = "    ...\n" if gone == "A.Part" else ""
    texts = NAMES, f"{NAMES}{said}\n", NAMES.replace(line, left)
    base, ours, theirs = map(Contract.python, texts)
    for one, other in ((ours, theirs), (theirs, ours)):
        met = merge(base, one, other)
        assert isinstance(met, Overlap)
        assert {facet, gone} <= {*met.facets}
        assert f"{facet} names {gone}, which the other one takes away" in met.why
    assert isinstance(merge(base, ours, Contract.python(NAMES.replace("def f() -> int", "def f() -> str"))), Contract)


def test_what_named_nothing_that_was_there_goes_on_naming_it():
    base = Contract.python("def f(x: Elsewhere) -> int: ...\ndef g() -> int: ...\n")
    ours = Contract.python("def f(x: Elsewhere, y: Other) -> int: ...\ndef g() -> int: ...\n")
    assert isinstance(merge(base, ours, Contract.python("def f(x: Elsewhere) -> int: ...\n")), Contract)
