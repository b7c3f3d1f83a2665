"""Two changes of one text become one text where they touch different facets, and meet by name where they do not."""

import json

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import given

from blackboard.contracts.language import Contract
from blackboard.contracts.merging import Overlap, merge

STUB = '''"""Recipes."""

from dataclasses import dataclass


@dataclass
class Recipe:
    # made by the store
    id: int
    title: str


class Store:
    """Keeps recipes."""

    def add(self, recipe: Recipe) -> int: ...
    @property
    def size(self) -> int: ...


def load(path: str) -> Store: ...
'''


def stub(*changes):
    """Return the stub with some of its text replaced: pairs of old and new."""
    text = STUB
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return Contract.python(text)


def wanted(base, ours, theirs):
    """Return the facets of the base with what each changed, counted by hand."""
    found = dict(base.digests)
    for one in (ours, theirs):
        for name in {*base.digests, *one.digests}:
            if base.digests.get(name) != one.digests.get(name):
                found.pop(name, None)
                if name in one.digests:
                    found[name] = one.digests[name]
    return found


def merges(base, ours, theirs):
    made = merge(base, ours, theirs)
    assert isinstance(made, Contract), made
    assert dict(made.digests) == wanted(base, ours, theirs)
    other = merge(base, theirs, ours)
    assert isinstance(other, Contract)
    assert other.digest == made.digest
    return made


ADD = (
    "    def add(self, recipe: Recipe) -> int: ...\n",
    "    def add(self, recipe: Recipe, again: bool) -> int: ...\n",
)
MEMBER = ("    def size(self) -> int: ...\n", "    def size(self) -> int: ...\n    def clear(self) -> None: ...\n")
FIRST = (
    '    """Keeps recipes."""\n',
    '    """Keeps recipes."""\n\n    # opened once\n    def open(self) -> None: ...\n',
)
LOAD = ("def load(path: str) -> Store: ...", "def load(path: str, *, strict: bool = False) -> Store: ...")
GONE = ("def load(path: str) -> Store: ...\n", "")
SAVE = ("def load(", "def save(store: Store, path: str) -> None: ...\n\n\ndef load(")
IMPORT = ("from dataclasses import dataclass\n", "from dataclasses import dataclass\nfrom datetime import date\n")
DOCS = ('"""Keeps recipes."""', '"""Keeps recipes, all of them."""')


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([ADD], [LOAD]),
        ([ADD], [MEMBER]),
        ([ADD], [GONE]),
        ([SAVE], [ADD]),
        ([MEMBER], [FIRST, ADD]),
        ([MEMBER], [IMPORT, SAVE]),
        ([DOCS], [ADD]),
        ([ADD, LOAD], [LOAD, MEMBER]),
    ],
)
def test_stubs_that_change_different_declarations_become_one(ours, theirs):
    made = merges(stub(), stub(*ours), stub(*theirs))
    assert "# made by the store" in made.text


@pytest.mark.parametrize(
    ("ours", "theirs", "facets"),
    [
        ([ADD], [("add(self, recipe: Recipe) -> int", "add(self, recipe: Recipe) -> str")], ("Store.add",)),
        ([GONE], [LOAD], ("load",)),
        ([("id: int", "id: str")], [("id: int", "id: bytes"), LOAD], ("Recipe.id",)),
    ],
)
def test_stubs_that_change_one_declaration_meet_on_it(ours, theirs, facets):
    for one, other in ((ours, theirs), (theirs, ours)):
        met = merge(stub(), stub(*one), stub(*other))
        assert isinstance(met, Overlap)
        assert met.facets == facets
        assert met.why == f"both change {', '.join(facets)}"


def test_two_fields_added_to_a_dataclass_meet_since_their_order_matters():
    base, title = stub(), "    title: str\n"
    met = merge(base, stub((title, f"{title}    note: str\n")), stub((title, f"{title}    author: str\n")))
    assert isinstance(met, Overlap)
    assert "Recipe" in met.facets


def test_values_merge_by_path_and_keep_the_layout_of_the_first():
    base = Contract("value", '{\n "limits": {"page": 20, "size": 5},\n "ids": "int"\n}')
    ours = Contract("value", '{\n "limits": {"page": 50, "size": 5},\n "ids": "int"\n}')
    theirs = Contract.value({"limits": {"page": 20}, "ids": "int", "sort": ["title"]})
    made = merges(base, ours, theirs)
    assert made.text == '{\n  "limits": {\n    "page": 50\n  },\n  "ids": "int",\n  "sort": [\n    "title"\n  ]\n}'


def test_one_and_true_are_two_values():
    met = merge(Contract.value({"a": 0}), Contract.value({"a": 1}), Contract.value({"a": True}))
    assert isinstance(met, Overlap)


def test_what_empties_an_object_meets_what_adds_to_it():
    base = Contract.value({"a": {"x": 1}})
    met = merge(base, Contract.value({"a": {}}), Contract.value({"a": {"x": 1, "y": 2}}))
    assert isinstance(met, Overlap)
    assert met.facets


def test_tasks_merge_by_field():
    def task(**fields):
        return Contract.task(**{"summary": "store", "implements": ["api/store"], "files": ["a.py"], **fields})

    merges(task(), task(files=["a.py", "b.py"]), task(checks=["unit"]))
    met = merge(task(), task(files=["a.py", "b.py"]), task(files=["c.py"]))
    assert isinstance(met, Overlap)
    assert met.facets == ("files",)


def test_schemas_merge_by_property():
    def schema(**properties):
        return Contract.json_schema(
            {"type": "object", "properties": {"id": {"type": "integer"}, **properties}, "required": ["id", *properties]}
        )

    made = merges(schema(), schema(title={"type": "string"}), schema(size={"type": "number"}))
    assert made.digest == schema(title={"type": "string"}, size={"type": "number"}).digest


def test_a_member_added_to_what_the_other_removed_is_a_meeting_of_the_two():
    met = merge(
        Contract.python("class C: ...\n"),
        Contract.python("class C:\n    def f(self) -> int: ...\n"),
        Contract.python("def g() -> int: ...\n"),
    )
    assert isinstance(met, Overlap)
    assert met.facets == ("C", "C.f")


DDL = """-- what is kept
CREATE TABLE recipe (
  id INTEGER PRIMARY KEY, -- made by the store
  title TEXT NOT NULL,
  CHECK (title <> 'é;,')
);
CREATE INDEX by_title ON recipe (title);
"""
COLUMN = ("  title TEXT NOT NULL,", "  title TEXT NOT NULL,\n  note TEXT, -- any")
OTHER_COLUMN = ("  id INTEGER PRIMARY KEY,", "  id INTEGER PRIMARY KEY, size INTEGER,")
RETYPED = ("title TEXT NOT NULL", "title VARCHAR(80) NOT NULL")
NULLABLE = ("title TEXT NOT NULL", "title TEXT")
TABLE = ("CREATE INDEX", "CREATE TABLE author (id INTEGER, name TEXT);\nCREATE INDEX")
NO_INDEX = ("CREATE INDEX by_title ON recipe (title);", "")
LONGER = ("  CHECK (title", "  CHECK (id > 0),\n  CHECK (title")


def ddl(*changes):
    text = DDL
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return Contract("sql", text)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([COLUMN], [TABLE]),
        ([COLUMN], [RETYPED]),
        ([TABLE], [NO_INDEX]),
        ([NO_INDEX], [RETYPED, TABLE]),
        ([COLUMN], [("CREATE INDEX by_title", "CREATE UNIQUE INDEX by_title")]),
        ([LONGER], [COLUMN, NO_INDEX]),
    ],
)
def test_ddl_merges_by_statement_and_by_column(ours, theirs):
    assert "é;," in merges(ddl(), ddl(*ours), ddl(*theirs)).text


@pytest.mark.parametrize(
    ("ours", "theirs", "facet"),
    [
        ([RETYPED], [NULLABLE], "recipe.title"),
        ([NO_INDEX], [("CREATE INDEX by_title", "CREATE UNIQUE INDEX by_title")], "index by_title"),
    ],
)
def test_ddl_that_changes_one_thing_meets_on_it(ours, theirs, facet):
    met = merge(ddl(), ddl(*ours), ddl(*theirs))
    assert isinstance(met, Overlap)
    assert facet in met.facets


API = """\
openapi: 3.1.0
info: {title: Recipes, version: "1"}
paths:
  # all of them
  /recipes:
    get:
      parameters:
        # how many
        - {name: n, in: query, schema: {type: integer}}
      responses:
        "200":
          description: |
            Them.
            # no comment
          content:
            application/json:
              schema: {type: array}

  # one of them
  /recipes/{id}:
    delete:
      parameters: [{name: id, in: path, required: true}]
      responses:
        "204": {description: Gone.}
components:
  schemas:
    Recipe:
      type: object
      properties:
        id: {type: integer}
        title: {type: string}
"""
NUMBER = "        - {name: n, in: query, schema: {type: integer}}\n"
PARAMETER = (NUMBER, f"{NUMBER}        - {{name: sort, in: query}}\n")
OTHER_PARAMETER = (NUMBER, f"        # where to begin\n        - name: after\n          in: query\n{NUMBER}")
WIDER = ("n, in: query, schema: {type: integer}", "n, in: query, schema: {type: number}")
ANSWER = ("schema: {type: array}", "schema: {type: array, minItems: 1}")
PUT = ("    delete:\n", "    put: {responses: {}}\n    delete:\n")
RECIPE = ("id: {type: integer}", "id: {type: string}")
SCHEMA = ("  schemas:\n", "  schemas:\n    Tag: {type: string}\n")
NO_DELETE = (API[API.index("  # one of them") : API.index("components:")], "")
SAID = ("Them.", "All of them.")


def api(*changes):
    text = API
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return Contract("openapi", text)


def in_json(contract):
    return Contract("openapi", json.dumps(contract.body.document.root, indent=1))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([PARAMETER], [ANSWER]),
        ([PARAMETER], [OTHER_PARAMETER]),
        ([PARAMETER, PUT], [OTHER_PARAMETER, RECIPE]),
        ([SCHEMA], [RECIPE]),
        ([NO_DELETE], [ANSWER, SCHEMA]),
        ([SAID, PUT], [WIDER, SCHEMA]),
    ],
)
def test_documents_of_a_server_merge_by_member_and_by_item(ours, theirs):
    made = merges(api(), api(*ours), api(*theirs))
    assert all(said in made.text for said in ("# all of them\n", "# how many\n", "# no comment\n"))
    assert all(line in made.text for _, new in (*ours, *theirs) for line in new.splitlines())
    merges(*(in_json(one) for one in (api(), api(*ours), api(*theirs))))


@pytest.mark.parametrize(
    ("ours", "theirs", "facets"),
    [
        ([WIDER], [("n, in: query, schema: {type: integer}", "n, in: query")], {"GET /recipes query n"}),
        ([RECIPE], [("id: {type: integer}", "id: {type: number}")], {"schemas Recipe"}),
        ([NO_DELETE], [("204", "410")], {"DELETE /recipes/{} 204"}),
        (
            [NO_DELETE],
            [("[{name: id,", "[{name: tag, in: query}, {name: id,")],
            {"DELETE /recipes/{}", "DELETE /recipes/{} query tag"},
        ),
    ],
)
def test_documents_of_a_server_that_change_one_part_meet_on_it(ours, theirs, facets):
    for one, other in ((ours, theirs), (theirs, ours)):
        for written in (lambda contract: contract, in_json):
            met = merge(*map(written, (api(), api(*one), api(*other))))
            assert isinstance(met, Overlap)
            assert facets <= {*met.facets}


FLOW = "[{name: id, in: path, required: true}]"
FLOW_PARAMETER = (FLOW, f"[{{name: tag, in: query}}, {FLOW[1:]}")
BLOCK_PARAMETER = (FLOW, f"\n        - {FLOW[1:-1]}\n        - {{name: by, in: query}}")


def test_what_is_not_written_in_lines_alike_is_a_meeting_and_no_wrong_text():
    deeper = (f"        # how many\n{NUMBER}", f"  {NUMBER}          - {{name: m, in: query}}\n")
    for ours, theirs in ((FLOW_PARAMETER, BLOCK_PARAMETER), (PARAMETER, deeper)):
        for one, other in ((ours, theirs), (theirs, ours)):
            met = merge(api(), api(one), api(other))
            assert isinstance(met, Overlap)
            assert met.facets


def test_a_constraint_is_not_put_together():
    texts = ("a.x > 1", "a.x > 2", "a.x > 3")
    assert isinstance(merge(*map(Contract.constraint, texts)), Overlap)


def test_prose_is_one_facet():
    met = merge(Contract.text("a"), Contract.text("b"), Contract.text("c"))
    assert isinstance(met, Overlap)
    assert met.facets == ("text",)


def test_texts_of_two_languages_do_not_go_together():
    met = merge(Contract.value(1), Contract.value(1), Contract.text("1"))
    assert isinstance(met, Overlap)


def test_what_a_line_based_text_cannot_tell_apart_is_a_meeting_and_no_wrong_text():
    base = Contract.python("def a() -> int: ...\nclass C:\n    x: int; y: int\n")
    ours = Contract.python("def a() -> int: ...\nclass C:\n    x: str; y: int\n")
    theirs = Contract.python("def a() -> int: ...\nclass C:\n    x: int; y: str\n")
    met = merge(base, ours, theirs)
    assert isinstance(met, Overlap)
    assert met.facets == ("C.x", "C.y")


# --- any two changes -------------------------------------------------------------------------------------------------

leaves = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text("ab", max_size=2), st.lists(st.integers(0, 2)))
values = st.recursive(leaves, lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=4), max_leaves=12)


@given(values, values, values)
def test_any_two_values_merge_to_both_changes_or_meet_by_name(base, ours, theirs):
    contracts = [Contract.value(one) for one in (base, ours, theirs)]
    made = merge(*contracts)
    if isinstance(made, Contract):
        assert dict(made.digests) == wanted(*contracts)
    else:
        assert made.facets


types = st.sampled_from(["int", "str", "bytes"])
functions = st.dictionaries(st.sampled_from("fghij"), types, max_size=4)
classes = st.dictionaries(st.sampled_from("ABC"), functions, max_size=3)


def spelled(of_module, of_classes):
    lines = [f"def {name}() -> {kind}: ...\n" for name, kind in of_module.items()]
    for name, members in of_classes.items():
        lines.append(f"class {name}:\n")
        lines += [f"    def {member}(self) -> {kind}: ...\n" for member, kind in members.items()] or ["    ...\n"]
    return Contract.python("".join(lines))


@given(st.tuples(functions, classes), st.tuples(functions, classes), st.tuples(functions, classes))
def test_any_two_stubs_merge_to_both_changes_or_meet_by_name(base, ours, theirs):
    contracts = [spelled(*one) for one in (base, ours, theirs)]
    made = merge(*contracts)
    if isinstance(made, Contract):
        assert dict(made.digests) == wanted(*contracts)
    else:
        assert made.facets


statuses = st.dictionaries(st.sampled_from(["200", "404", "default"]), st.sampled_from("xy"), max_size=3)
operations = st.dictionaries(st.sampled_from(["get", "put"]), st.tuples(st.sets(st.sampled_from("nmk")), statuses))
paths = st.dictionaries(st.sampled_from(["/a", "/a/b", "/c"]), operations, max_size=3)


def served(said):
    """Return a document in YAML: path -> method -> (parameters, status -> description)."""

    def operation(queries, answers):
        parameters = [{"name": name, "in": "query"} for name in sorted(queries)]
        return {"parameters": parameters, "responses": {name: {"description": text} for name, text in answers.items()}}

    item = {path: {method: operation(*one) for method, one in methods.items()} for path, methods in said.items()}
    return Contract("openapi", yaml.safe_dump({"openapi": "3.1.0", "paths": item}, sort_keys=False))


@given(paths, paths, paths)
def test_any_two_documents_of_a_server_merge_to_both_changes_or_meet_by_name(base, ours, theirs):
    contracts = [served(one) for one in (base, ours, theirs)]
    made = merge(*contracts)
    if isinstance(made, Contract):
        assert dict(made.digests) == wanted(*contracts)
    else:
        assert made.facets


def test_what_both_add_to_the_public_names_and_take_from_them_goes_together():
    names = ["['a', 'b', 'c']", "['a', 'b', 'x']", "['y', 'a', 'b', 'c']"]
    made = merge(*(Contract.python(f"__all__ = {one}\na: int\nb: int") for one in names))
    assert isinstance(made, Contract)
    assert made.facets["__all__"] == ["a", "b", "x", "y"]


def test_what_both_import_from_one_module_goes_together():
    stubs = [f"from .other import {names}\n" for names in ("A as A", "A as A, B as B", "A as A, C as C")]
    made = merge(*map(Contract.python, stubs))
    assert isinstance(made, Contract)
    assert sorted(made.facets) == ["A", "B", "C"]
