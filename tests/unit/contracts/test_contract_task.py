"""The language `task`."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blackboard.contracts.language import Contract
from blackboard.errors import InvalidContract

TOML = """
summary = "store things"
checks = ["unit", "lint"]
files = ["store.py", "store/rows.py"]
uses = ["db/*"]

[implements]
"api/store" = ["Store.get", "Store.put"]
"api/errors" = []
"""


def test_a_task_is_read_from_toml_and_json_alike_and_kept_canonical():
    from_toml = Contract("task", TOML)
    made = Contract.task(
        summary="store things",
        implements={"api/errors": [], "api/store": ["Store.put", "Store.get"]},
        uses=["db/*"],
        checks=["lint", "unit", "lint"],
        files=["store/rows.py", "store.py"],
    )

    assert from_toml == made
    assert json.loads(made.text) == made.facets
    assert made.facets == {
        "summary": "store things",
        "implements": {"api/errors": [], "api/store": ["Store.get", "Store.put"]},
        "uses": {"db/*": []},
        "checks": ["lint", "unit"],
        "files": ["store.py", "store/rows.py"],
    }
    assert made.body.implements == {"api/errors": (), "api/store": ("Store.get", "Store.put")}


def test_a_summary_is_all_that_a_task_needs():
    assert Contract.task(summary="x").facets == {
        "summary": "x",
        "implements": {},
        "uses": {},
        "checks": [],
        "files": [],
    }


def test_an_entry_point_keeps_the_order_of_its_arguments_and_is_probed_by_help_unless_stated():
    task = Contract.task(summary="x", command=["python", "-m", "notes"]).body

    assert task.command == ("python", "-m", "notes")
    assert task.probed == ("python", "-m", "notes", "--help")
    assert Contract.task(summary="x", command=["notes"], probe=["-V"]).body.probed == ("notes", "-V")
    assert Contract.task(summary="x").body.probed == ()


@pytest.mark.parametrize(
    "fields", [{"probe": ["-V"]}, {"command": [""]}, {"command": ["a\0b"]}, {"command": "python -m notes"}]
)
def test_an_entry_point_that_cannot_be_started_is_refused(fields):
    with pytest.raises(InvalidContract):
        Contract.task(summary="x", **fields)


def test_a_change_of_one_field_changes_exactly_that_facet():
    old = Contract.task(summary="x", uses=["a"], files=["a.py"])

    assert list(old.compare(Contract.task(summary="x", uses={"a": ["f"]}, files=["a.py"])).effects) == ["uses"]
    assert list(old.compare(Contract.task(summary="y", uses=["a"], files=["a.py"])).effects) == ["summary"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"summary": ""},
        {"summary": " \n"},
        {"summary": 3},
        {"summary": "x", "sumary": "y"},
        {"summary": "x", "uses": "api/a"},
        {"summary": "x", "uses": 3},
        {"summary": "x", "uses": ["a/../b"]},
        {"summary": "x", "uses": [3]},
        {"summary": "x", "uses": {"a": "b"}},
        {"summary": "x", "uses": {"a": [""]}},
        {"summary": "x", "uses": {"a": [1]}},
        {"summary": "x", "uses": {"a": ["f" * 2000]}},
        {"summary": "x", "implements": {"": []}},
        {"summary": "x", "implements": {"role/coder": []}},
        {"summary": "x", "implements": ["choreography/team"]},
        {"summary": "x", "uses": ["member/*"]},
        {"summary": "x", "uses": ["source/planner"]},
        {"summary": "x", "checks": ["a/b"]},
        {"summary": "x", "checks": ["*"]},
        {"summary": "x", "checks": {}},
        {"summary": "x", "files": ["/etc/passwd"]},
        {"summary": "x", "files": ["a/../../b"]},
        {"summary": "x", "files": ["a//b"]},
        {"summary": "x", "files": [""]},
        {"summary": "x", "files": ["a\nb"]},
        {"summary": "x", "files": ["C:\\a"]},
        {"summary": "x", "files": ["x" * 600]},
    ],
)
def test_a_task_with_a_wrong_field_or_key_is_refused(fields):
    with pytest.raises(InvalidContract) as caught:
        Contract("task", json.dumps(fields))

    assert caught.value.language == "task"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('summary = "x"\nchecks = ["un', 2, 14),
        ("summary =", 1, 10),
        ('summary = "x"\nsummary = "y"', 2, 14),
        ('{"summary": "x",}', 1, 17),
        ("x = " + "[" * 10_000, 0, 0),
        ("a" * 70_000, 0, 0),
        ("a." * 20_000 + "b = 1", 0, 0),
        ('summary = "x"\nuses = 1979-05-27', 0, 0),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text, line, column):
    with pytest.raises(InvalidContract) as caught:
        Contract("task", text)

    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    "given_fields",
    [
        {"summary": "\ud800"},
        {"summary": "x", "files": ["\ud800"]},
        {"summary": "x", "uses": {"a": ["\ud800"]}},
        {"summary": "x", "uses": {"\ud800": ["a"]}},
    ],
)
def test_lone_surrogates_are_refused_by_the_constructor_too(given_fields):
    with pytest.raises(InvalidContract):
        Contract.task(**given_fields)


KEYS = st.from_regex(r"[a-z]{1,4}(/[a-z]{1,4}|/\*){0,2}", fullmatch=True)
WORDS = st.lists(st.from_regex(r"[a-z]{1,5}", fullmatch=True), max_size=4)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(KEYS, WORDS, max_size=4), WORDS, WORDS, st.randoms(use_true_random=False))
def test_no_list_of_a_task_has_an_order(uses, checks, files, random):
    def shuffled(items):
        return random.sample(items, len(items))

    one = Contract.task(summary="x", uses=uses, checks=checks, files=files)
    other = Contract.task(
        summary="x",
        uses={key: shuffled(uses[key]) for key in shuffled(sorted(uses))},
        checks=shuffled(checks) + checks,
        files=shuffled(files),
    )

    assert one == other
