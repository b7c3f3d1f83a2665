"""The language `constraint`: what an expression may hold, what it is worth, and that nothing of it ever runs."""

import resource
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools import untraced

from blackboard.contracts.constraint import MAX_DEPTH
from blackboard.contracts.language import Contract
from blackboard.contracts.lookup import finder
from blackboard.errors import InvalidContract, TooLarge
from blackboard.spec.expressions import judge, keys_of

NOTES = Contract.python(
    "from enum import Enum\n"
    "LIMIT: int = 3\n"
    "class Note:\n    id: int\n    title: str | None = None\n    def at(self, x: int) -> str: ...\n"
    "class Colour(Enum):\n    RED = 1\n"
)
NOTE_SCHEMA = Contract.json_schema(
    {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"id": {"type": "integer"}, "title": {"type": ["string", "null"]}},
    }
)
DECIDED = {
    "session": Contract.value({"ttl": 60, "name": "s", "on": True, "none": None, "list": [1, "a"], "odd name": 1.5}),
    "auth": Contract.value({"ttl": 30, "small": 0.1, "sum": 0.3}),
    "limit": Contract.value(7),
    "tone": Contract.text("friendly"),
    "api/notes": NOTES,
    "db/notes": NOTE_SCHEMA,
}


def truth(text):
    return judge(Contract.constraint(text).body.expression, finder(DECIDED.get))


@pytest.mark.parametrize(
    "text",
    [
        "session.ttl >= auth.ttl",
        "session.ttl == auth.ttl * 2",
        "30 < session.ttl - 5 <= 55",
        "auth.small + 0.2 == auth.sum",
        "limit == 7 and limit == 7.0",
        'session.name == "s" and session.name != "t"',
        "session.on and not session.on == False",
        "session.none == None and session.ttl != None",
        '"a" in session.list and limit not in session.list',
        "session.ttl in [30, 60]",
        'value("session", "\\"odd name\\"") == 1.5',
        'value("limit") == 7',
        'value("tone") == "friendly"',
        "session.list == [1, 'a']",
        "-session.ttl == -60",
        'facet("api/notes", "Note.id") == "int"',
        'facet("api/notes", "Note.id") == "integer"',
        'facet("api/notes", "LIMIT") == "int = 3"',
        'facet("api/notes", "Note.id") != facet("api/notes", "LIMIT")',
        'facet("auth", "ttl") == 30',
        "session.gone == 1 or limit == 7",
        "not open.x or True",
    ],
)
def test_what_is_true(text):
    assert truth(text).value is True


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("session.ttl < auth.ttl", ""),
        ("session.name == 1", "compared"),
        ("session.name != 1", "compared"),
        ("session.ttl == True", "compared"),
        ("session.name < 'z'", "for numbers"),
        ("session.ttl + session.name == 1", "for numbers"),
        ("session.gone == 1", "session.gone does not exist"),
        ("not session.gone == 1", "session.gone does not exist"),
        ("limit.x == 1", "limit.x does not exist"),
        ('value("api/notes") == 1', "python"),
        ('facet("api/notes", "Note.gone") == "int"', "no facet Note.gone"),
        ('facet("api/notes", "Note.id") == 1', "a facet"),
        ("session", "neither true nor false"),
        ("1 in session.ttl", "looks into lists"),
        ("limit == 8 and open.x", ""),
        ("session.gone == 1 and open.x", "session.gone does not exist"),
        ("session.name >= open.x", "for numbers"),
    ],
)
def test_what_is_false_and_why(text, why):
    found = truth(text)
    assert found.value is False
    assert why in found.why
    assert bool(why) is bool(found.why)


@pytest.mark.parametrize("text", ["open.x == 1", "not open", "open.x or limit == 8", "session.gone == 1 or open.x"])
def test_what_is_undecided_names_the_key_that_is_not_decided(text):
    found = truth(text)
    assert (found.value, found.why) == (None, "open is not decided")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("int", "INTEGER", True),
        ("int", "text", False),
        ("int | None = None", "bigint", True),
        ("str", "varchar(20)", True),
        ("str", "character varying(20)", True),
        ("float", "double precision", True),
        ("datetime.datetime", "timestamp", True),
        ("UUID", "uuid", True),
        ("list[int]", "integer", False),
        ("int | str", "integer", False),
        ("(self) -> int", "integer", False),
        ("Money", "Money", True),
    ],
)
def test_a_type_of_python_and_a_column_of_that_type_are_the_same(one, other, same):
    lookup = finder({"api/x": FakeContract("python", one), "db/x": FakeContract("sql", {"type": other})}.get)
    text = 'facet("api/x", "id") == facet("db/x", "id")'
    assert judge(Contract.constraint(text).body.expression, lookup).value is same


class FakeContract:
    """A contract with one facet."""

    def __init__(self, language, value):
        self.language, self.facets = language, {"id": value}


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 0, 0),
        ("(a.b ==)", 1, 8),
        ("a.b == 1 == f(2)", 1, 13),
        ("(a.b ==\n  c ** 2)", 2, 3),
        ("'é' == a/b", 1, 8),
        ("a if b else c", 1, 1),
        ("[x for x in y]", 1, 1),
        ("a is b", 1, 1),
        ("a.b * c.d == 1", 1, 1),
        ("__import__('os').system('true')", 1, 1),
        ("a.b()", 1, 1),
        ("value('a', 'b..c') == 1", 1, 1),
        ("value('../a') == 1", 1, 1),
        ("value(a) == 1", 1, 1),
        ("1e999 == a", 1, 1),
        ("b'x' == a", 1, 1),
        ("a == 'x' 'y' f'{b}'", 1, 6),
        ("a\0", 0, 0),
    ],
)
def test_what_no_constraint_may_hold_is_refused_with_its_place(text, line, column):
    with pytest.raises(InvalidContract) as caught:
        Contract.constraint(text)
    assert caught.value.language == "constraint"
    if line:
        assert (caught.value.line, caught.value.column) == (line, column)


def test_the_facets_are_the_expression_however_it_is_laid_out_and_the_keys_that_it_names():
    text = '(session.ttl\n   >= value( "api/auth","ttl"))  # seconds'
    contract = Contract.constraint(text)
    assert contract.text == text
    assert set(contract.facets) == {"expression", "names:session", "names:api/auth"}
    assert contract.digest == Contract.constraint('session.ttl >= value("api/auth", "ttl")').digest


def test_any_change_is_breaking():
    found = Contract.constraint("a.b == 1").compare(Contract.constraint("a.b == 2"))
    assert set(found.effects) == {"expression"}
    assert {str(found.effect("uses")), str(found.effect("implements"))} == {"breaking"}


def test_what_is_nested_as_deep_as_allowed_is_read_and_judged():
    assert truth("not " * (MAX_DEPTH - 2) + "limit == 7").value is True


HOSTILE = [
    "a == " + "1" * 100_000,
    "(" * 50_000 + ")" * 50_000,
    "not " * 25_000 + "a",
    "-" * 9_990 + "a",
    "(" * 4_990 + "a" + ")" * 4_990,
    "not " * 2_400 + "a",
    "a" + ".b" * 4_900,
    "a" + "[0]" * 3_000,
    "[" * 4_990 + "]" * 4_990,
    "a" + "+a" * 4_900,
    "a == " + "9" * 9_990,
    "a" + "<a" * 4_900,
    "value('a','" + '"' * 9_900 + "')",
    "value('a','" + "\\\\" * 4_900 + "')",
    "value('a','" + "b." * 4_900 + "')",
    "f(" * 3_000 + ")" * 3_000,
    "lambda: " * 1_200 + "a",
    "a" * 9_999,
]


def test_hostile_expressions_end_soon_in_a_typed_error_or_a_contract_and_within_200_megabytes():
    program = (
        "import sys\n"
        "from blackboard.contracts.language import Contract\n"
        "from blackboard.errors import Invalid\n"
        f"for text in {HOSTILE!r}:\n"
        "    try:\n        Contract.constraint(text)\n    except Invalid:\n        pass\n"
        "print('done')\n"
    )
    limit = 200 * 2**20

    def limited():
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(
        [sys.executable, "-W", "error", "-"],
        input=program,
        text=True,
        capture_output=True,
        preexec_fn=limited,
        check=False,
        env=untraced(),
    )
    assert done.stdout == "done\n", done.stderr[-2000:]
    # The sum of all of them: each has a second of its own.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < len(HOSTILE)


@given(st.text(alphabet="ab.()[]\"' ,=<>!+-*/0123456789notandrivluefc\n\\#", max_size=60))
def test_any_text_is_a_contract_or_refused(text):
    start = time.process_time()
    try:
        body = Contract.constraint(text).body
    except (InvalidContract, TooLarge):
        return
    assert judge(body.expression, finder(DECIDED.get)).value in (True, False, None)
    assert keys_of(body.expression) is not None
    assert time.process_time() - start < 1
