"""Each kind of break has an id, and the page of rules names them all."""

from pathlib import Path

import pytest
from changes.every import EVERY

from blackboard.contracts.language import Contract
from blackboard.contracts.rules import RULES

PAGE = Path(__file__).parents[3] / "docs" / "rules.md"


def rules(old, new):
    return {name: one.rules for name, one in old.compare(new).effects.items() if name and one.rules}


def test_the_page_names_each_rule_with_what_it_says():
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert rows == [f"| `{rule}` | {RULES[rule]} |" for rule in sorted(RULES)]


@pytest.mark.parametrize("row", EVERY[::7], ids=[row.name for row in EVERY[::7]])
def test_what_breaks_somebody_has_a_rule_of_the_page_and_nothing_else_has_one(row):
    old, new = row.contracts()
    for change in old.compare(new).effects.values():
        assert bool(change.rules) == ("breaking" in (change.uses, change.implements)), change
        assert {*change.rules} <= RULES.keys()


PYTHON = [
    ("def f(a: int): ...", "def f(a: int, b: int): ...", "parameter-required"),
    ("def f(a: int, b: int = 1): ...", "def f(a: int, b: int): ...", "parameter-required"),
    ("def f(a: int, b: int = 1): ...", "def f(a: int): ...", "parameter-removed"),
    ("def f(a: int): ...", "def f(a: str): ...", "parameter-type"),
    ("def f(a: int = 1): ...", "def f(a: int = 2): ...", "default-changed"),
    ("def f() -> int: ...", "def f() -> str: ...", "return-type"),
    ("def f(): ...", "class f: ...", "kind-changed"),
    ("x: int", "x: str", "type-changed"),
    ("def f(): ...\ndef g(): ...", "def f(): ...", "name-removed"),
    ("def f(): ...", "def f(): ...\ndef g(): ...", "name-added"),
]


@pytest.mark.parametrize(("old", "new", "rule"), PYTHON)
def test_rules_of_stubs(old, new, rule):
    assert list(rules(Contract.python(old), Contract.python(new)).values()) == [(f"python.{rule}",)]


def test_rules_of_members():
    enum = "class E(Enum):\n  A = 1\n"
    assert rules(Contract.python(enum), Contract.python(f"{enum}  B = 2"))["E.B"] == ("python.enum-value-added",)
    keyed = "class T(TypedDict):\n  a: int\n"
    assert rules(Contract.python(f"{keyed}  b: int"), Contract.python(keyed))["T.b"] == ("python.key-removed",)


def test_rules_of_other_languages():
    one, two = "create table t(a int not null);", "create table t(a int not null, b text not null);"
    assert rules(Contract("sql", two), Contract("sql", one))["t.b"] == ("sql.column-dropped",)
    assert rules(Contract("sql", one), Contract("sql", one.replace("int", "text")))["t.a"] == ("sql.column-type",)
    schemas = [{"type": "object", "properties": {"a": {}}, **more} for more in ({}, {"required": ["a"]})]
    old, new = (Contract.json_schema(schema) for schema in schemas)
    assert rules(old, new)["a"] == ("json-schema.property-required",)
    assert rules(Contract.value({"a": 1}), Contract.value({"a": 2})) == {"a": ("value.member-changed",)}
    assert set(rules(Contract.value(1), Contract.text("one")).values()) == {("language-changed",)}


@pytest.mark.parametrize("count", [30, 200])
def test_what_a_long_reason_leaves_out_has_its_rule_too(count):
    """The reason names so many differences and no more; an accepted rule must not cover what it does not name."""
    old = ", ".join(f"a_rather_long_name_of_a_parameter_{number}: int" for number in range(count))
    stubs = [f"def f({old}) -> int: ...", f"def f({old.replace('int', 'str')}) -> str: ..."]
    assert set(rules(*map(Contract.python, stubs))["f"]) == {"python.parameter-type", "python.return-type"}
    members = "".join(f"    x{number}: int\n" for number in range(count))
    classes = [f"class A(Protocol):\n{members}", f"class A(B, Protocol):\n{members}    y: int\n"]
    both = rules(*(Contract.python(f"class B: ...\n{one}") for one in classes))
    assert "python.members-changed" in both["A"]


def test_a_facet_that_breaks_in_two_ways_has_both_rules():
    stubs = Contract.python("def f(a: int) -> int: ..."), Contract.python("def f(a: bytes, *, b: int) -> str: ...")
    assert set(rules(*stubs)["f"]) == {
        "python.parameter-required",
        "python.parameter-type",
        "python.return-type",
    }
    column = "create table t(a int not null);"
    changed = rules(Contract("sql", column), Contract("sql", "create table t(a text);"))["t.a"]
    assert set(changed) == {"sql.column-type", "sql.column-nullable"}
