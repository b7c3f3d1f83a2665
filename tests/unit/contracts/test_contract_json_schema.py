"""The language `json-schema`."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blackboard.contracts.language import Contract
from blackboard.errors import InvalidContract, TooLarge

DIALECT = "https://json-schema.org/draft/2020-12/schema"

RECIPE = {
    "$schema": DIALECT,
    "$id": "https://example.org/recipe",
    "title": "Recipe",
    "type": "object",
    "required": ["title", "elsewhere"],
    "additionalProperties": False,
    "properties": {
        "title": {"type": "string", "description": "what it is called"},
        "author": {"$ref": "#/$defs/Person", "description": "who wrote it"},
        "tags": {"type": ["null", "array"], "items": {"enum": ["b", "a"]}},
        "editor": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/Person"}]},
        "cook": {
            "allOf": [
                {"$ref": "#/$defs/Person"},
                {"properties": {"age": {"minimum": 1.0}}, "required": ["age", "name"]},
            ]
        },
        "a b": True,
        "never": False,
    },
    "$defs": {"Person": {"type": "object", "properties": {"name": {"type": "string"}}}},
}


def facets(schema):
    return dict(Contract.json_schema(schema).facets)


def changed(old, new):
    return set(Contract.json_schema(old).compare(Contract.json_schema(new)).effects)


def test_every_property_path_and_definition_is_a_facet():
    person = {"properties": {"name": {"type": "string"}}, "type": "object"}

    assert facets(RECIPE) == {
        "$": {"schema": {"type": "object", "additionalProperties": False, "required": ["elsewhere"]}},
        "title": {"schema": {"type": "string"}, "required": True},
        "author": {"schema": {"type": "object"}, "required": False},
        "author.name": {"schema": {"type": "string"}, "required": False},
        "tags": {"schema": {"type": ["array", "null"]}, "required": False},
        "tags[]": {"schema": {"enum": ["a", "b"]}},
        "editor": {
            "schema": {"anyOf": [{"$ref": "#/$defs/Person"}, {"type": "null"}]},
            "required": False,
            "refs": {"#/$defs/Person": person},
        },
        "cook": {"schema": {"type": "object"}, "required": False},
        "cook.name": {"schema": {"type": "string"}, "required": True},
        "cook.age": {"schema": {"minimum": 1}, "required": True},
        '"a b"': {"schema": True, "required": False},
        "never": {"schema": {"not": True}, "required": False},
        "$defs.Person": {"schema": person},
    }


def test_order_and_docs_are_no_facets():
    def reversed_everywhere(value, name=""):
        if isinstance(value, dict):
            return {key: reversed_everywhere(value[key], key) for key in reversed(value)} | (
                {"title": "t", "description": "d", "$comment": "c", "examples": [1]} if "type" in value else {}
            )
        if isinstance(value, list) and name != "prefixItems":
            return [reversed_everywhere(item) for item in reversed(value)]
        return value

    assert facets(RECIPE) == facets(reversed_everywhere(RECIPE))
    assert facets({"type": ["string"], "required": []}) == facets({"type": "string"})
    assert facets({"anyOf": [{"type": "null"}, {"type": "null", "title": "none"}]}) == facets(
        {"anyOf": [{"type": "null"}]}
    )
    assert facets({"oneOf": [{}, {}]}) != facets({"oneOf": [{}]})
    assert facets({"prefixItems": [{"type": "null"}, {}]}) != facets({"prefixItems": [{}, {"type": "null"}]})
    assert facets({"x": {"$defs": {"a": 1}, "$ref": "#"}}) == {"$": {"schema": {"x": {"$defs": {"a": 1}, "$ref": "#"}}}}


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda schema: schema["properties"]["title"].update(type="integer"), {"title"}),
        (lambda schema: schema["required"].append("author"), {"author"}),
        (lambda schema: schema.update(required=[]), {"$", "title"}),
        (lambda schema: schema["properties"]["tags"]["items"]["enum"].append("c"), {"tags[]"}),
        (lambda schema: schema.update(additionalProperties=True), {"$"}),
        (lambda schema: schema["properties"].pop("title"), {"$", "title", ""}),
        (lambda schema: schema["properties"].update(more={"type": "null"}), {"more", ""}),
        (
            lambda schema: schema["$defs"]["Person"]["properties"]["name"].update(maxLength=9),
            {"author.name", "cook.name", "editor", "$defs.Person"},
        ),
        (
            lambda schema: schema["$defs"]["Person"].update(minProperties=1),
            {"author", "cook", "editor", "$defs.Person"},
        ),
        (lambda schema: schema["$defs"].update(More={}), {"$defs.More", ""}),
    ],
)
def test_a_change_is_in_exactly_the_facets_that_it_touches(change, names):
    schema = json.loads(json.dumps(RECIPE))
    change(schema)

    assert changed(RECIPE, schema) == names


def test_a_property_behind_a_reference_is_the_same_as_one_written_in_place():
    person = RECIPE["$defs"]["Person"]
    behind = facets({"properties": {"a": {"$ref": "#/$defs/P"}}, "$defs": {"P": person}})
    in_place = facets({"properties": {"a": person}})

    assert {name: value for name, value in behind.items() if not name.startswith("$defs")} == in_place


def test_a_closed_schema_beside_another_says_which_names_it_closes():
    schema = {"allOf": [{"additionalProperties": False, "properties": {"a": {}}}, {"properties": {"b": {}}}]}
    described = {"$ref": "#/$defs/X", "description": "d", "$defs": {"X": {"additionalProperties": False}}}

    assert facets(schema)["$"]["schema"] == {"additionalProperties": False, "properties": {"a": True}}
    assert facets(described)["$"]["schema"] == {"additionalProperties": False}


def test_a_schema_that_leads_back_to_itself_ends_in_a_reference_with_what_it_names():
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}, "value": {"type": "integer"}}}
    schema = {"properties": {"head": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": node}}

    assert facets(schema)["head.value"] == {"schema": {"type": "integer"}, "required": False}
    assert facets(schema)["head.next"] == {
        "schema": {"$ref": "#/$defs/Node"},
        "required": False,
        "refs": {"#/$defs/Node": node},
    }
    assert facets(schema)["$defs.Node"] == {"schema": node}
    assert set(facets({"properties": {"self": {"$ref": "#"}}})) == {"$", "self"}


def test_references_by_anchor_and_by_escaped_pointer_are_followed():
    schema = {
        "properties": {"a": {"$ref": "#here"}, "b": {"$ref": "#/$defs/x~1y%20z~0"}, "c": {"$ref": "#/properties/a"}},
        "$defs": {"P": {"$anchor": "here", "type": "integer"}, "x/y z~": {"type": "null"}},
    }

    found = facets(schema)

    assert found["a"] == found["c"] == {"schema": {"type": "integer"}, "required": False}
    assert found["b"] == {"schema": {"type": "null"}, "required": False}
    assert '$defs."x/y z~"' in found


def test_the_direction_is_kept_in_the_text_and_touches_every_facet():
    both = Contract.json_schema({"properties": {"a": {}}})
    request = Contract.json_schema({"properties": {"a": {}}}, direction="request")

    assert json.loads(request.text)["x-direction"] == "request"
    assert request.body.direction == "request"
    assert request.facets["a"] == {"schema": True, "required": False, "direction": "request"}
    assert set(both.compare(request).effects) == {"$", "a"}
    assert Contract.json_schema({"x-direction": "both"}).digest == Contract.json_schema({}).digest
    assert Contract.json_schema(request.text) == Contract.json_schema(request.text, direction="request") == request


def test_a_text_that_needs_no_direction_stays_as_it_was_written():
    text = '{ "type" : "object" }'

    assert Contract.json_schema(text).text == text
    assert json.loads(Contract.json_schema(text, direction="response").text) == {
        "type": "object",
        "x-direction": "response",
    }


@pytest.mark.parametrize(
    ("schema", "direction"),
    [
        ({"x-direction": "request"}, "response"),
        ({"x-direction": "up"}, "both"),
        ({"x-direction": 3}, "both"),
        ("true", "request"),
        ({}, "up"),
        ({"const": float("nan")}, "both"),
    ],
)
def test_a_direction_that_is_none_or_another_is_refused(schema, direction):
    with pytest.raises(InvalidContract):
        Contract.json_schema(schema, direction=direction)


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "strng"}, '"strng"'),
        ({"properties": {"a": {"minLength": -1}}}, "-1"),
        ({"properties": {"a, ]": {"x": [1, "}"], "type": 3}}}, "3"),
        ({"properties": 3}, "3"),
        ({"allOf": [{}, {"enum": 4}]}, "4"),
        ({"pattern": "("}, '"("'),
        ({"$ref": "http://example.org/other.json"}, '"http'),
        ({"$ref": "other.json#/a"}, '"other'),
        ({"properties": {"a": {"$ref": "#/$defs/None"}}}, '"#/$defs/None"'),
        ({"$ref": "#nowhere"}, '"#nowhere"'),
        ({"$ref": "#/x", "x": {}}, '"#/x"'),
        ({"$ref": 3}, "3"),
        ({"$ref": ""}, '""'),
        ({"$dynamicRef": "#a"}, '"#a"'),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, '"http'),
        ({"properties": {"a": {"$id": "other"}}}, '"other"'),
        ({"$defs": {"a": {"$anchor": "x"}, "b": {"$anchor": "x"}}}, '"x"'),
        ({"required": [{"a": 1}, {"a": 2}]}, "[{"),
        ({"type": [{"a": 1}]}, "[{"),
        ({"dependentRequired": {"a": [3]}}, '{"a": [3]}'),
        ({"x-direction": "up"}, '"up"'),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_what_is_no_schema_is_refused_with_its_place(schema, place, indent):
    text = json.dumps(schema, indent=indent)
    with pytest.raises(InvalidContract) as caught:
        Contract("json-schema", text)

    assert caught.value.language == "json-schema"
    rest = text.split("\n")[caught.value.line - 1][caught.value.column - 1 :]
    assert rest.startswith(place if indent is None else place[0])


@pytest.mark.parametrize(
    "text", ["", "{", "3", "[]", '"x"', "null", '{"a": 1, "a": 2}', '{"const": NaN}', "[" * 100_000]
)
def test_what_is_no_object_or_boolean_is_refused(text):
    with pytest.raises(InvalidContract):
        Contract("json-schema", text)


def test_a_boolean_is_a_schema():
    assert Contract("json-schema", "true").facets == {"$": {"schema": True}}
    assert Contract("json-schema", "false").facets == {"$": {"schema": {"not": True}}}
    assert Contract("json-schema", "true").skeleton() == "null"


def definitions(count, make):
    named = {f"D{index}": make({"$ref": f"#/$defs/D{index + 1}"}) for index in range(count)}
    return {"$ref": "#/$defs/D0", "$defs": {**named, f"D{count}": {"type": "string"}}}


def nested(depth, make):
    schema = {"type": "string"}
    for _ in range(depth):
        schema = make(schema)
    return schema


@pytest.mark.parametrize(
    "schema",
    {
        "properties doubled 30 times": definitions(30, lambda ref: {"properties": {"a": ref, "b": ref}}),
        "allOf doubled 30 times": definitions(30, lambda ref: {"allOf": [ref, ref]}),
        "every definition with all after it": definitions(2500, lambda ref: {"not": ref}),
        "nested properties": nested(50, lambda inner: {"properties": {"a": inner}}),
        "nested negations": nested(90, lambda inner: {"not": inner}),
        "very many": {"allOf": [{}] * 30_000},
        "a deep pattern": {"pattern": "(" * 5000},
        "a long repetition": {"pattern": "a{99999999999999}"},
        "a large definition in many places": {
            "properties": {f"p{index}": {"not": {"$ref": "#/$defs/big"}} for index in range(2000)},
            "$defs": {"big": {"enum": list(range(5000))}},
        },
        "items that are compared each with each": {"required": [{"a": index} for index in range(30_000)]},
    }.values(),
)
def test_hostile_schemas_are_refused(schema):
    with pytest.raises(InvalidContract):
        Contract("json-schema", json.dumps(schema))


def test_a_path_that_grows_without_end_is_too_large():
    with pytest.raises(TooLarge):
        Contract.json_schema(definitions(600, lambda ref: {"items": ref}))


def test_long_and_circular_references_are_read():
    assert len(Contract.json_schema(definitions(300, lambda ref: ref)).facets) == 302
    assert len(Contract.json_schema(definitions(300, lambda ref: {"items": ref})).facets) == 602
    circle = Contract.json_schema(
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}
    )
    assert circle.facets["$"]["schema"] == {"$ref": "#/$defs/a"}


def test_a_skeleton_is_a_document_of_the_shape():
    schema = {
        "properties": {
            "id": {"type": "integer", "minimum": 1},
            "name": {"type": "string"},
            "kind": {"enum": ["a", "b"]},
            "fixed": {"const": 7},
            "usual": {"default": "x"},
            "ratio": {"type": ["number", "null"]},
            "on": {"type": "boolean"},
            "either": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "list": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
            "empty": {"type": "array"},
            "both": {"allOf": [{"properties": {"a": {"type": "null"}}}, {"properties": {"b": {"type": "object"}}}]},
        },
        "$defs": {"Node": {"properties": {"next": {"$ref": "#/$defs/Node"}}}},
    }

    assert json.loads(Contract.json_schema(schema).skeleton()) == {
        "id": 1,
        "name": "",
        "kind": "a",
        "fixed": 7,
        "usual": "x",
        "ratio": 0,
        "on": False,
        "either": "",
        "list": [{"next": None}],
        "empty": [],
        "both": {"a": None, "b": {}},
    }


def test_the_library_for_schemas_is_loaded_only_when_a_schema_is_read():
    code = (
        "import sys\nfrom blackboard.contracts.language import Contract\nassert 'jsonschema' not in sys.modules\n"
        "Contract('json-schema', 'true')\nassert 'jsonschema' in sys.modules\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


NAMES = st.sampled_from(["id", "title", "a b", "tags", "$ref", "properties", ""])
DOCS = st.dictionaries(st.sampled_from(["title", "description", "$comment"]), st.just("words"))
LEAVES = st.sampled_from(
    [{"type": "string"}, {"type": ["integer", "null"]}, {"enum": [2, "a", None]}, {"minLength": 1}]
)


def objects(inner):
    return st.dictionaries(NAMES, inner, min_size=1, max_size=3).flatmap(
        lambda members: st.lists(st.sampled_from(sorted(members)), unique=True).map(
            lambda required: {"type": "object", "properties": members, "required": required}
        )
    )


SCHEMAS = objects(
    st.recursive(
        LEAVES, lambda inner: objects(inner) | inner.map(lambda s: {"type": "array", "items": s}), max_leaves=6
    )
)


def disordered(data, schema):
    """Return the same schema with every order that means nothing changed, and with docs."""
    members = {}
    for keyword in data.draw(st.permutations(sorted(schema))):
        value = schema[keyword]
        if keyword == "properties":
            value = {name: disordered(data, value[name]) for name in data.draw(st.permutations(sorted(value)))}
        elif keyword == "items":
            value = disordered(data, value)
        elif isinstance(value, list):
            value = data.draw(st.permutations(value))
        members[keyword] = value
    return members | data.draw(DOCS)


@settings(max_examples=30, deadline=None)
@given(SCHEMAS, st.data())
def test_any_other_order_and_docs_give_the_same_values(schema, data):
    assert Contract.json_schema(schema).facets == Contract.json_schema(disordered(data, schema)).facets


@settings(max_examples=30, deadline=None)
@given(SCHEMAS, st.data())
def test_a_change_of_one_property_changes_exactly_one_facet(schema, data):
    before = Contract.json_schema(schema)
    schema = json.loads(json.dumps(schema))
    place = schema
    while place is schema or ("properties" in place and data.draw(st.booleans())):
        place = place["properties"][data.draw(st.sampled_from(sorted(place["properties"])))]
    place["maxLength"] = 77

    effects = before.compare(Contract.json_schema(schema)).effects

    assert len(effects) == 1
    assert set(effects) <= set(before.facets) - {"$"}
