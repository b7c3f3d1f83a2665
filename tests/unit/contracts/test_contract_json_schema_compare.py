"""What a new schema means for who sends documents and for who receives them."""

import json

import pytest
from changes.every import SCHEMAS
from jsonschema import Draft202012Validator, FormatChecker

from blackboard.contracts.language import Contract
from blackboard.spec.effects import UNDECIDED

TEXT, WHOLE, NUMBER, YES_NO = ({"type": kind} for kind in ("string", "integer", "number", "boolean"))
BOTH = ("uses", "implements")
FORMATS = FormatChecker(("date", "email", "ipv4", "ipv6", "uuid"))

SAME, MORE, FEWER, OTHER, FINE = "same", "more", "fewer", "other", "fine"
BY_SIDE = {  # (uses, implements) of a request; a response is the other way round
    SAME: ("none", "none"),
    FINE: ("compatible", "compatible"),
    MORE: ("compatible", "breaking"),
    FEWER: ("breaking", "compatible"),
    OTHER: ("breaking", "breaking"),
}


def an(properties, /, *required, **more):
    return {"type": "object", "properties": properties, "required": list(required), **more}


def node(value, name="Node"):
    reference = {"$ref": f"#/$defs/{name}"}
    return {**reference, "$defs": {name: an({"value": value, "next": reference})}}


def tagged(**kinds):
    return {"oneOf": [an({"kind": {"const": kind}, name: of}, "kind") for kind, (name, of) in kinds.items()]}


CHANGES = [
    # Of a property that is there in both.
    (MORE, an({"a": WHOLE}), an({"a": NUMBER})),
    (FEWER, an({"a": NUMBER}), an({"a": WHOLE})),
    (OTHER, an({"a": WHOLE}), an({"a": TEXT})),
    (FEWER, an({"a": WHOLE}), an({"a": WHOLE}, "a")),
    (MORE, an({"a": WHOLE}, "a"), an({"a": WHOLE})),
    (SAME, an({"a": {"anyOf": [TEXT, WHOLE]}}), an({"a": {"type": ["integer", "string"]}})),
    (MORE, an({"a": {"enum": ["x", "y"]}}), an({"a": {"enum": ["z", "y", "x"]}})),
    (OTHER, an({"a": {"enum": ["x", "y"]}}), an({"a": {"enum": ["x", "z"]}})),
    (SAME, an({"a": {"const": 1}}), an({"a": {"enum": [1.0]}})),
    (FINE, an({"a": {"type": "integer", "default": 1}}), an({"a": {"type": "integer", "default": 2}})),
    # Bounds.
    (SAME, {"type": "integer", "minimum": 1}, {"type": "integer", "exclusiveMinimum": 0}),
    (FEWER, {"type": "number", "minimum": 1}, {"type": "number", "exclusiveMinimum": 1}),
    (FEWER, {"type": "number", "multipleOf": 0.5}, {"type": "number", "multipleOf": 1.5}),
    (OTHER, {"type": "integer", "multipleOf": 2}, {"type": "integer", "multipleOf": 3}),
    (SAME, {"type": "integer", "minimum": 1, "maximum": 3}, {"enum": [1, 2, 3]}),
    (MORE, {"type": "string", "maxLength": 3}, {"type": "string", "maxLength": 4}),
    (MORE, {"type": "string", "pattern": "^[a-z]+$"}, {"type": "string", "pattern": "^[a-z]*$"}),
    (SAME, {"type": "string", "pattern": r"^\d{2}$"}, {"type": "string", "pattern": "^[0-9][0-9]$"}),
    (SAME, {"type": "string", "pattern": "^a{2,3}$"}, {"enum": ["aa", "aaa"]}),
    (OTHER, {"type": "string", "pattern": "^a"}, {"type": "string", "pattern": "b$"}),
    (FEWER, {"type": "string"}, {"type": "string", "format": "date"}),
    # Names, in an open object: an undeclared one is never sent.
    (FINE, an({"a": WHOLE}), an({"a": WHOLE, "b": TEXT})),
    (FINE, an({"a": WHOLE, "b": TEXT}), an({"a": WHOLE})),
    (FEWER, an({"a": WHOLE}), an({"a": WHOLE, "b": TEXT}, "b")),
    (MORE, an({"a": WHOLE, "b": TEXT}, "b"), an({"a": WHOLE})),
    (FINE, an({"a": WHOLE}), an({"a": WHOLE}, additionalProperties=False)),
    # In a closed object the sets of documents decide.
    (MORE, an({"a": WHOLE}, additionalProperties=False), an({"a": WHOLE, "b": TEXT}, additionalProperties=False)),
    (MORE, an({"a": WHOLE}, unevaluatedProperties=False), an({"a": WHOLE, "b": TEXT}, unevaluatedProperties=False)),
    (FEWER, an({"a": WHOLE, "b": TEXT}, additionalProperties=False), an({"a": WHOLE}, additionalProperties=False)),
    (OTHER, an({"a": WHOLE}, additionalProperties=False), an({"b": WHOLE}, "b", additionalProperties=False)),
    (MORE, an({}, additionalProperties=WHOLE), an({}, additionalProperties=NUMBER)),
    (OTHER, an({}, patternProperties={"^x-": TEXT}), an({}, patternProperties={"^x-": WHOLE})),
    (FEWER, {"type": "object", "minProperties": 1}, {"type": "object", "minProperties": 2}),
    # Within others.
    (MORE, an({"a": an({"b": WHOLE})}), an({"a": an({"b": NUMBER})})),
    (MORE, node(WHOLE), node(NUMBER)),
    (FINE, node(WHOLE), node(WHOLE, "Other")),
    (MORE, tagged(a=("x", WHOLE)), tagged(a=("x", WHOLE), b=("y", TEXT))),
    (SAME, tagged(a=("x", WHOLE), b=("y", TEXT)), {"anyOf": tagged(a=("x", WHOLE), b=("y", TEXT))["oneOf"]}),
    # Lists.
    (FEWER, {"type": "array", "minItems": 1}, {"type": "array", "minItems": 2}),
    (MORE, {"type": "array", "items": WHOLE}, {"type": "array", "items": NUMBER}),
    (FEWER, {"type": "array", "items": WHOLE}, {"type": "array", "items": WHOLE, "uniqueItems": True}),
    (OTHER, {"type": "array", "prefixItems": [WHOLE, TEXT]}, {"type": "array", "prefixItems": [TEXT, WHOLE]}),
    (FEWER, {"type": "array", "items": WHOLE}, {"type": "array", "items": WHOLE, "contains": {"const": 3}}),
    (MORE, {"type": "array", "prefixItems": [TEXT], "items": False}, {"type": "array", "prefixItems": [TEXT]}),
    # Conditions.
    (MORE, an({"a": WHOLE, "b": TEXT}, dependentRequired={"a": ["b"]}), an({"a": WHOLE, "b": TEXT})),
    (FEWER, an({"a": WHOLE}), an({"a": WHOLE}, **{"not": {"required": ["a"]}})),
    (
        FEWER,
        an({"a": YES_NO, "b": TEXT}),
        {"if": {"properties": {"a": {"const": True}}}, "then": {"required": ["b"]}, **an({"a": YES_NO, "b": TEXT})},
    ),
]


def compared(old, new, direction="both"):
    return Contract.json_schema(old, direction=direction).compare(Contract.json_schema(new, direction=direction))


def document_of(proof):
    """Return the document of a proof, which follows what it shows."""
    return json.loads(proof.partition(": ")[2])


def is_valid(document, schema):
    return Draft202012Validator(schema, format_checker=FORMATS).is_valid(document)


@pytest.mark.parametrize(("meaning", "old", "new"), CHANGES, ids=range(len(CHANGES)))
def test_a_change_means_this_by_side(meaning, old, new):
    found = {side: [compared(old, new, way).effect(side) for way in ("request", "response", "both")] for side in BOTH}
    uses, implements = BY_SIDE[meaning]
    worse = "breaking" if "breaking" in (uses, implements) else uses

    assert found == {"uses": [uses, implements, worse], "implements": [implements, uses, worse]}


@pytest.mark.parametrize(("meaning", "old", "new"), CHANGES, ids=range(len(CHANGES)))
def test_each_breaking_change_has_a_document_that_is_valid_by_one_of_both_alone(meaning, old, new):
    for change in compared(old, new).effects.values():
        assert change.reason
        assert "\n" not in change.reason
        if "breaking" in (change.uses, change.implements):
            document = document_of(change.proof)
            before, after = is_valid(document, old), is_valid(document, new)
            assert before is not after
            assert before or meaning != FEWER
            assert after or meaning != MORE
        else:
            assert change.proof == ""


@pytest.mark.parametrize(
    ("old", "new", "facet", "reason"),
    [
        (an({"a": WHOLE}), an({"a": WHOLE}, "a"), "a", "optional -> required"),
        (an({"a": WHOLE}), an({"a": TEXT}), "a", "type integer -> string"),
        (an({"a": TEXT}), an({"a": {"type": ["string", "null"]}}), "a", "type string -> null or string"),
        ({"enum": ["y"]}, {"enum": ["x", "y"]}, "$", "enum: x added"),
        ({"maximum": 10, "minLength": 1}, {"maximum": 5}, "$", "maximum 10 -> 5; minLength 1 removed"),
        (an({}), an({}, additionalProperties=False), "$", "additionalProperties: open -> closed"),
        (an({}), an({"a": WHOLE}, "a"), "a", "added, required"),
        ({"anyOf": [TEXT, WHOLE]}, {"anyOf": [TEXT]}, "$", "anyOf: integer removed"),
        (
            {"$defs": {"A": an({"a": an({"b": {"maximum": 1}})})}},
            {"$defs": {"A": an({"a": an({"b": {"maximum": 2}}, "b")}, x=1)}},
            "$defs.A",
            "x 1 added; a.b: optional -> required; a.b: maximum 1 -> 2",
        ),
        ({"$defs": {"A": an({})}}, {"$defs": {"A": an({"a": TEXT}, "a")}}, "$defs.A", "a: added, required"),
        (node(WHOLE), node(TEXT), "next", "Node.value: type integer -> string"),
    ],
)
def test_a_reason_is_in_the_words_of_the_schema(old, new, facet, reason):
    assert compared(old, new).effects[facet].reason == reason


def test_a_reason_of_many_differences_is_a_short_line():
    old, new = ({"$defs": {"A": an({f"p{n}": kind for n in range(50)})}} for kind in (WHOLE, TEXT))
    reason = compared(old, new).effects["$defs.A"].reason

    assert reason.startswith("p0: type integer -> string; p1: type integer -> string; ")
    assert reason.endswith("; …")
    assert len(reason) <= 160


@pytest.mark.parametrize(
    ("direction", "forward", "backward"),
    [
        ("request", "a request that was accepted and is refused: {}", "a request that is accepted and was refused: {}"),
        ("response", "a response that was sent and is no longer: {}", "a response that is sent and never was: {}"),
        ("both", "a document that was valid and is not: {}", "a document that is valid and was not: {}"),
    ],
)
def test_a_proof_says_what_worked_and_what_does_not(direction, forward, backward):
    old, new = an({"a": WHOLE}), an({"a": WHOLE}, "a")

    assert compared(old, new, direction).effects["a"].proof == forward
    assert compared(new, old, direction).effects["a"].proof == backward


def test_only_what_breaks_is_said_to_break():
    old = an({"a": WHOLE, "b": an({"c": TEXT}), "d": TEXT}, minProperties=1)
    new = an({"a": NUMBER, "b": an({"c": TEXT, "e": TEXT}, "e"), "d": TEXT})
    effects = compared(old, new, "request").effects

    assert {name: (change.uses, change.implements) for name, change in effects.items()} == {
        "$": ("compatible", "breaking"),
        "a": ("compatible", "breaking"),
        "b.e": ("breaking", "compatible"),
        "": ("breaking", "compatible"),
    }
    assert "e" not in document_of(effects["b.e"].proof)["b"]


def test_another_direction_breaks_both_and_has_no_document():
    old, new = Contract.json_schema({}, direction="request"), Contract.json_schema({}, direction="response")
    change = old.compare(new).effects["$"]

    assert (change.uses, change.implements, change.proof) == ("breaking", "breaking", UNDECIDED)
    assert change.reason == "direction request -> response"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "uri"}),
        ({"type": "string", "pattern": r"^(a)\1$"}, {"type": "string", "pattern": "^(a)a$"}),
    ],
)
def test_what_nobody_can_decide_is_breaking_and_says_so(old, new):
    change = compared(old, new).effects["$"]

    assert (change.uses, change.implements, change.proof) == ("breaking", "breaking", UNDECIDED)


def test_a_definition_breaks_by_itself():
    old, new = ({"$defs": {"A": an({"a": kind}), "B": TEXT}} for kind in (WHOLE, TEXT))
    del new["$defs"]["B"]
    effects = compared(old, new).effects

    assert document_of(effects["$defs.A"].proof) == {"a": 0}
    assert effects["$defs.B"].uses == effects["$defs.B"].implements == "compatible"


def test_each_break_in_the_table_of_changes_has_a_document():
    for row in SCHEMAS:
        old, new = row.contracts()
        assert UNDECIDED not in {change.proof for change in old.compare(new).effects.values()}, row.name
