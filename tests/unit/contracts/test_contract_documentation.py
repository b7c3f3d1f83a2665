"""The sentences that document facets are agreed, and change nothing but what is looked at again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackboard.contracts.language import Contract
from blackboard.errors import InvalidContract

STUB = '''"""Counts words.

module: words
"""
from dataclasses import dataclass


@dataclass
class Counts:
    """What was counted."""

    total: int
    """All words."""
    longest: str

    @property
    def share(self) -> float:
        """Between 0 and 1."""
    @share.setter
    def share(self, value: float) -> None:
        """In percent."""


LIMIT: int
"""In characters."""


def count(text: str) -> Counts:
    """Count the words; a word is a maximal run of letters.

    Raises:
        ValueError: The text is empty.
    """
'''

SCHEMA = {
    "title": "Recipe",
    "description": "A recipe.",
    "$comment": "nothing",
    "type": "object",
    "properties": {
        "minutes": {"type": "integer", "description": "Cooking time,\n  in minutes."},
        "author": {"$ref": "#/$defs/Person", "description": "Who wrote it."},
        "either": {"anyOf": [{"type": "string", "description": "Its name."}, {"$ref": "#/$defs/Person"}]},
        "tags": {"type": "array", "items": {"type": "string", "description": "A word."}},
    },
    "$defs": {"Person": {"type": "object", "title": "Person", "properties": {"id": {"description": "Of the client."}}}},
}

API = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/recipes/{id}": {
            "get": {
                "summary": "Return a recipe.",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "description": "By rank.", "schema": True},
                ],
                "responses": {
                    "200": {
                        "description": "It is there.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Recipe"}}},
                    }
                },
            }
        }
    },
    "components": {"schemas": {"Recipe": {"properties": {"minutes": {"description": "In minutes."}}}}},
}

DDL = """
CREATE TABLE recipe (
  id integer PRIMARY KEY,
  minutes integer COMMENT 'Cooking   time',
  rank integer -- nobody's
) COMMENT='All recipes';
CREATE INDEX by_rank ON recipe (rank);
COMMENT ON COLUMN recipe.rank IS 'Best
  first';
COMMENT ON INDEX by_rank IS 'For lists';
"""


def test_docstrings_belong_to_the_facets_that_they_describe():
    assert Contract.python(STUB).docs == {
        "Counts": "What was counted.",
        "Counts.total": "All words.",
        "Counts.share": "Between 0 and 1. In percent.",
        "LIMIT": "In characters.",
        "__module__": "Counts words.",
        "count": ("Count the words; a word is a maximal run of letters. Raises: ValueError: The text is empty."),
    }


def test_descriptions_belong_to_the_places_and_definitions_that_they_describe():
    assert Contract.json_schema(SCHEMA).docs == {
        "$": "Recipe: A recipe.",
        "minutes": "Cooking time, in minutes.",
        "author": "Person Who wrote it.",
        "author.id": "Of the client.",
        "either": "Person: Person id: Of the client. anyOf: Its name.",
        "tags[]": "A word.",
        "$defs.Person": "Person id: Of the client.",
    }


def test_descriptions_of_operations_parameters_answers_and_schemas():
    assert Contract("openapi", json.dumps(API)).docs == {
        "GET /recipes/{}": "Return a recipe.",
        "GET /recipes/{} path 1": "By rank.",
        "GET /recipes/{} 200": "It is there.",
        "GET /recipes/{} 200 application/json": "minutes: In minutes.",
        "schemas Recipe": "minutes: In minutes.",
    }


def test_comments_that_sql_keeps_are_documentation():
    assert Contract("sql", DDL).docs == {
        "recipe": "All recipes",
        "recipe.minutes": "Cooking time",
        "recipe.rank": "Best first",
        "index by_rank": "For lists",
    }
    assert Contract("sql", DDL + "COMMENT ON COLUMN recipe.rank IS NULL;").docs.keys() == {
        "recipe",
        "recipe.minutes",
        "index by_rank",
    }


def test_a_comment_on_what_is_not_declared_is_refused_at_its_place():
    with pytest.raises(InvalidContract) as refused:
        Contract("sql", DDL + "COMMENT ON COLUMN recipe.gone IS 'x';")
    assert (refused.value.line, refused.value.column) == (11, 19)


@pytest.mark.parametrize(
    "contract",
    [
        Contract.value({"description": "x"}),
        Contract.text("x"),
        Contract.task(summary="x"),
        Contract.constraint("1 == 1"),
    ],
    ids=lambda one: one.language,
)
def test_other_languages_document_nothing(contract):
    assert contract.docs == {}


CHANGES = {
    "a function": (Contract.python(STUB), "count", "maximal run of letters", "run of letters and digits"),
    "a field": (Contract.python(STUB), "Counts.total", "All words.", "All but the last."),
    "the stub": (Contract.python(STUB), "__module__", "Counts words.", "Counts characters."),
    "a property": (Contract.json_schema(SCHEMA), "minutes", "in minutes.", "in hours."),
    "an answer": (Contract("openapi", json.dumps(API)), "GET /recipes/{} 200", "It is there.", "It was there."),
    "a column": (Contract("sql", DDL), "recipe.rank", "Best", "Worst"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_other_sentences_are_a_version_with_the_effect_documentation(name):
    old, facet, was, now = CHANGES[name]
    new = Contract(old.language, old.text.replace(was, now))

    changes = old.compare(new).effects
    assert changes.keys() == {one for one in old.digests if old.digests[one] != new.digests[one]} == {facet}
    assert (changes[facet].uses, changes[facet].implements, changes[facet].proof) == ("documentation",) * 2 + ("",)
    assert was.split()[0] in changes[facet].reason.partition(" -> ")[0]
    assert now.split()[0] in changes[facet].reason.partition(" -> ")[2]
    assert old.facets == new.facets
    assert old.digest != new.digest


def test_a_changed_value_counts_and_its_reason_mentions_the_sentences():
    old = Contract.python('def f(a: int) -> int:\n    """In metres."""')
    new = Contract.python('def f(a: str) -> int:\n    """In miles."""')
    change = old.compare(new).effects["f"]
    assert change.uses == change.implements == "breaking"
    assert change.reason.endswith('; documentation: "In metres." -> "In miles."')


def test_a_compatible_value_stays_compatible_and_one_in_other_words_becomes_documentation():
    old = Contract.python('def f(a: int) -> int:\n    """In metres."""')
    wider = Contract.python('def f(a: int, b: int = 1) -> int:\n    """In miles."""')
    same = Contract.python('from typing import Optional\ndef f(a: "int") -> int:\n    """In miles."""')
    assert old.compare(wider).effect("uses") == "compatible"
    assert old.compare(same).effect("uses") == old.compare(same).effect("implements") == "documentation"


def test_a_docstring_of_the_stub_that_comes_or_goes_is_documentation():
    bare, said = Contract.python("x: int"), Contract.python('"""All of it."""\nx: int')
    for old, new in ((bare, said), (said, bare)):
        change = old.compare(new)
        assert change.effects.keys() == {"", "__module__"}
        assert change.effect("uses") == change.effect("implements") == "documentation"
    assert said.facets["__module__"] is None


def test_a_long_text_is_cut_to_where_it_differs():
    old, new = (f'def f() -> int:\n    """{"word " * 100}{end} {"tail " * 50}"""' for end in ("metres", "miles"))
    reason = Contract.python(old).compare(Contract.python(new)).effects["f"].reason
    before, after = reason.split(" -> ")
    assert "metres" in before
    assert "miles" in after
    assert len(reason) < 300


def test_repeated_descriptions_are_bounded():
    properties = {f"p{number}": {"$ref": "#/$defs/long"} for number in range(100)}
    schema = {"properties": properties, "$defs": {"long": {"description": "x" * 200_000}}}
    with pytest.raises(InvalidContract, match="characters of its descriptions"):
        Contract.json_schema(schema)


WORDS = st.lists(st.sampled_from(["metres", "bytes", "a", "word", "is", "none,"]), min_size=1, max_size=6)
SPACES = st.lists(st.sampled_from([" ", "\n    ", "\n\n    ", "  "]), min_size=6, max_size=6)


def _stub(words, spaces, comment=""):
    said = "".join(word + space for word, space in zip(words, spaces, strict=False)).rstrip()
    return Contract.python(f'def f(a: int) -> int: {comment}\n    """{said}\n    """\n    ...\n')


def _schema(words, spaces, comment=""):
    said = "".join(word + space for word, space in zip(words, spaces, strict=False))
    return Contract.json_schema({"properties": {"f": {"description": said, "$comment": comment}}})


def _ddl(words, spaces, comment=""):
    said = "".join(word + space for word, space in zip(words, spaces, strict=False))
    return Contract("sql", f"CREATE TABLE t (f int); -- {comment}\nCOMMENT ON COLUMN t.f IS '{said}';")


@pytest.mark.parametrize("made", [_stub, _schema, _ddl])
@given(words=WORDS, others=WORDS, spaces=st.tuples(SPACES, SPACES))
def test_layout_is_nothing_and_other_words_are_exactly_documentation(made, words, others, spaces):
    one, laid_out, other = made(words, spaces[0]), made(words, spaces[1], "# else"), made(others, spaces[0])
    assert one.digests == laid_out.digests
    assert not one.compare(laid_out).effects
    effects = one.compare(other).effects
    expected = set() if words == others else {"documentation"}
    assert {effect for change in effects.values() for effect in change[:2]} == expected
    assert (one.digest == other.digest) is (words == others)


def test_a_schema_that_refers_to_itself_is_described_by_its_own_sentences():
    tree = {"description": "A tree.", "properties": {"children": {"items": {"$ref": "#"}}}}
    docs = Contract.json_schema(tree).docs

    assert docs == {"$": "A tree.", "children[]": "#: A tree."}
