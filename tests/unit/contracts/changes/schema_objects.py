"""Changes of schemas of objects: open, closed, nested, recursive."""

from changes.row import in_each_direction as change

_INT, _STR, _NUM = {"type": "integer"}, {"type": "string"}, {"type": "number"}


def _object(*required, closed=False, said=None, **properties):
    schema = {"type": "object", "properties": properties, "required": list(required), **(said or {})}
    return schema | ({"additionalProperties": False} if closed else {})


def _tree(of, *, closed=False, **more):
    """Make a schema of a tree whose leaves are of a type."""
    children = {"type": "array", "items": {"$ref": "#/$defs/Node"}}
    node = _object("value", closed=closed, value=of, children=children, **more)
    return {"$ref": "#/$defs/Node", "$defs": {"Node": node}}


_PLAIN = _object("a", a=_INT)
OPEN = (
    change("open: a property is added", _PLAIN, _object("a", a=_INT, b=_STR), "harmless", {"a": 1}, {"a": 1, "b": "x"}),
    change("open: a property is gone", _object("a", a=_INT, b=_STR), _PLAIN, "harmless", {"a": 1}, {"a": 1, "b": "x"}),
    change(
        "open: a property is added that must be there",
        _PLAIN,
        _object("a", "b", a=_INT, b=_STR),
        "narrowed",
        {"a": 1},
        {"a": 1, "b": "x"},
    ),
    change(
        "open: a property that must be there is gone",
        _object("a", "b", a=_INT, b=_STR),
        _PLAIN,
        "widened",
        {"a": 1},
        {"a": 1, "b": "x"},
    ),
    change("open: a property must be there", _object(a=_INT), _PLAIN, "narrowed", {"a": 1}, {}),
    change("open: a property need not be there", _PLAIN, _object(a=_INT), "widened", {"a": 1}, {}),
    change("open: a property has another name", _PLAIN, _object("b", b=_INT), "others", {"a": 1}, {"b": 1}),
    change("open: a property is of more types", _PLAIN, _object("a", a=_NUM), "widened", {"a": 1}, {"a": 1.5}),
    change("open: a property is of fewer types", _object("a", a=_NUM), _PLAIN, "narrowed", {"a": 1}, {"a": 1.5}),
    change("open: a property is of another type", _PLAIN, _object("a", a=_STR), "others", {"a": 1}, {"a": "x"}),
    change(
        "open: one property wider, one narrower",
        _object(a=_INT, b=_NUM),
        _object(a=_NUM, b=_INT),
        "others",
        {"a": 1},
        {"a": 1.5},
        {"b": 1.5},
    ),
    change(
        "open: a property may be null",
        _PLAIN,
        _object("a", a={"type": ["integer", "null"]}),
        "widened",
        {"a": 1},
        {"a": None},
    ),
    change(
        "open: said to be open", _PLAIN, _object("a", a=_INT, said={"additionalProperties": True}), "spelled", {"a": 1}
    ),
    change(
        "open: properties in another order",
        _object("a", "b", a=_INT, b=_STR),
        _object("b", "a", b=_STR, a=_INT),
        "same",
        {"a": 1, "b": "x"},
    ),
    change(
        "open: documented",
        _PLAIN,
        {
            "title": "A",
            "description": "It holds a.",
            "$comment": "yes",
            "examples": [1],
            **_object("a", a={"type": "integer", "description": "How many."}),
        },
        "documented",
        {"a": 1},
    ),
)

_SHUT = _object("a", closed=True, a=_INT)
CLOSED = (
    change("an open object is closed: nobody sent more", _PLAIN, _SHUT, "harmless", {"a": 1}),
    change("a closed object is opened: nobody sends more", _SHUT, _PLAIN, "harmless", {"a": 1}),
    change(
        "a closed object is opened and has one more property",
        _SHUT,
        _object("a", a=_INT, b=_STR),
        "widened",
        {"a": 1},
        {"a": 1, "b": "x"},
    ),
    change(
        "closed: a property is added",
        _SHUT,
        _object("a", closed=True, a=_INT, b=_STR),
        "widened",
        {"a": 1},
        {"a": 1, "b": "x"},
    ),
    change(
        "closed: a property is gone",
        _object("a", closed=True, a=_INT, b=_STR),
        _SHUT,
        "narrowed",
        {"a": 1},
        {"a": 1, "b": "x"},
    ),
    change(
        "closed: a property is added that must be there",
        _SHUT,
        _object("a", "b", closed=True, a=_INT, b=_STR),
        "others",
        {"a": 1},
        {"a": 1, "b": "x"},
    ),
    change("closed: a property must be there", _object(closed=True, a=_INT), _SHUT, "narrowed", {"a": 1}, {}),
    change(
        "closed: a property is of more types", _SHUT, _object("a", closed=True, a=_NUM), "widened", {"a": 1}, {"a": 1.5}
    ),
    change("closed: a never allowed property", _SHUT, _object("a", closed=True, a=_INT, b=False), "spelled", {"a": 1}),
    change(
        "closed: other names are strings",
        _SHUT,
        _object("a", a=_INT, said={"additionalProperties": _STR}),
        "widened",
        {"a": 1},
        {"a": 1, "z": "x"},
    ),
    change(
        "map: values of more types",
        {"type": "object", "additionalProperties": _INT},
        {"type": "object", "additionalProperties": _NUM},
        "widened",
        {"x": 1},
        {"x": 1.5},
        {},
    ),
    change(
        "map: names must look so",
        {"type": "object", "additionalProperties": _INT},
        {"type": "object", "additionalProperties": _INT, "propertyNames": {"pattern": "^[a-z]+$"}},
        "narrowed",
        {"x": 1},
        {"X1": 1},
    ),
    change(
        "map: not empty",
        {"type": "object", "additionalProperties": _INT},
        {"type": "object", "additionalProperties": _INT, "minProperties": 1},
        "narrowed",
        {"x": 1},
        {},
    ),
    change(
        "map: values by their name",
        {"type": "object", "patternProperties": {"^n": _INT}, "additionalProperties": False},
        {"type": "object", "patternProperties": {"^n": _NUM}, "additionalProperties": False},
        "widened",
        {"n1": 1},
        {"n1": 1.5},
    ),
    change(
        "closed: one asks for another",
        _object(closed=True, a=_INT, b=_INT),
        _object(closed=True, a=_INT, b=_INT, said={"dependentRequired": {"a": ["b"]}}),
        "narrowed",
        {"b": 1},
        {"a": 1, "b": 1},
        {"a": 1},
    ),
)

_DEEP = _object("o", o=_object("a", a=_INT))
NESTED = (
    change(
        "nested: a property is added",
        _DEEP,
        _object("o", o=_object("a", a=_INT, b=_STR)),
        "harmless",
        {"o": {"a": 1}},
        {"o": {"a": 1, "b": "x"}},
    ),
    change(
        "nested: a property must be there",
        _object("o", o=_object(a=_INT)),
        _DEEP,
        "narrowed",
        {"o": {"a": 1}},
        {"o": {}},
    ),
    change(
        "nested: one more value in a list in an object",
        _object("l", l={"type": "array", "items": _object("k", k={"enum": ["x"]})}),
        _object("l", l={"type": "array", "items": _object("k", k={"enum": ["x", "y"]})}),
        "widened",
        {"l": [{"k": "x"}]},
        {"l": [{"k": "y"}]},
    ),
    change(
        "nested: in a branch",
        {"anyOf": [{"type": "null"}, _PLAIN]},
        {"anyOf": [{"type": "null"}, _object("a", a=_NUM)]},
        "widened",
        None,
        {"a": 1},
        {"a": 1.5},
    ),
    change(
        "nested: through a reference",
        {**_object("a", a={"$ref": "#/$defs/A"}), "$defs": {"A": _INT}},
        {**_object("a", a={"$ref": "#/$defs/A"}), "$defs": {"A": _NUM}},
        "widened",
        {"a": 1},
        {"a": 1.5},
    ),
    change(
        "nested: through two references",
        {**_object("a", a={"$ref": "#/$defs/A"}), "$defs": {"A": {"$ref": "#/$defs/B"}, "B": _NUM}},
        {**_object("a", a={"$ref": "#/$defs/A"}), "$defs": {"A": {"$ref": "#/$defs/B"}, "B": _INT}},
        "narrowed",
        {"a": 1},
        {"a": 1.5},
    ),
    change(
        "nested: a reference is written out",
        {**_object("a", a={"$ref": "#/$defs/A"}), "$defs": {"A": _INT}},
        _PLAIN,
        "spelled",
        {"a": 1},
    ),
    change(
        "nested: a definition has another name",
        {**_object("a", a={"$ref": "#/$defs/A"}), "$defs": {"A": _INT}},
        {**_object("a", a={"$ref": "#/$defs/B"}), "$defs": {"B": _INT}},
        "spelled",
        {"a": 1},
    ),
    change(
        "recursive: leaves of more types",
        _tree(_INT),
        _tree(_NUM),
        "widened",
        {"value": 1, "children": [{"value": 2}]},
        {"value": 1, "children": [{"value": 2.5}]},
    ),
    change(
        "recursive: leaves of fewer types",
        _tree(_NUM),
        _tree(_INT),
        "narrowed",
        {"value": 1, "children": [{"value": 2}]},
        {"value": 1, "children": [{"value": 2.5}]},
    ),
    change(
        "recursive: a property is added",
        _tree(_INT),
        _tree(_INT, more=_STR),
        "harmless",
        {"value": 1, "children": [{"value": 2}]},
        {"value": 1, "children": [{"value": 2, "more": "x"}]},
    ),
    change(
        "recursive, closed: a property is added",
        _tree(_INT, closed=True),
        _tree(_INT, closed=True, more=_STR),
        "widened",
        {"value": 1, "children": [{"value": 2}]},
        {"value": 1, "children": [{"value": 2, "more": "x"}]},
    ),
    change(
        "recursive: unrolled once",
        _tree(_INT),
        {**_tree(_INT), **_tree(_INT)["$defs"]["Node"]} | {"$ref": "#/$defs/Node"},
        "spelled",
        {"value": 1, "children": [{"value": 2}]},
    ),
    change(
        "together: a property is added in a part",
        {"allOf": [_PLAIN, _object(b=_STR)]},
        {"allOf": [_PLAIN, _object(b=_STR, c=_STR)]},
        "harmless",
        {"a": 1, "b": "x"},
        {"a": 1, "c": "x"},
    ),
    change(
        "together: a part must be there",
        {"allOf": [_PLAIN, _object(b=_STR)]},
        {"allOf": [_PLAIN, _object("b", b=_STR)]},
        "narrowed",
        {"a": 1, "b": "x"},
        {"a": 1},
    ),
    change(
        "kinds told apart: one more kind",
        {"oneOf": [_object("k", "a", k={"const": "a"}, a=_INT), _object("k", "b", k={"const": "b"}, b=_INT)]},
        {
            "oneOf": [
                _object("k", "a", k={"const": "a"}, a=_INT),
                _object("k", "b", k={"const": "b"}, b=_INT),
                _object("k", k={"const": "c"}),
            ]
        },
        "widened",
        {"k": "a", "a": 1},
        {"k": "b", "b": 1},
        {"k": "c"},
    ),
)

_ROPE = {"$defs": {"A": _object("v", v=_INT, b={"$ref": "#/$defs/B"}), "B": _object(a={"$ref": "#/$defs/A"}, w=_INT)}}
_LOOSE = {"$defs": {"A": _object("v", v=_INT, b={"$ref": "#/$defs/B"}), "B": _object(a={"$ref": "#/$defs/A"}, w=_NUM)}}
_EITHER = {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
HARD = (
    change(
        "two that hold one another: one of more types",
        {"$ref": "#/$defs/A", **_ROPE},
        {"$ref": "#/$defs/A", **_LOOSE},
        "widened",
        {"v": 1, "b": {"a": {"v": 1, "b": {"w": 1}}}},
        {"v": 1, "b": {"a": {"v": 1, "b": {"w": 1.5}}}},
    ),
    change(
        "closed together: a property is added in a part",
        {"allOf": [_PLAIN, _object(b=_STR)], "unevaluatedProperties": False},
        {"allOf": [_PLAIN, _object(b=_STR, c=_STR)], "unevaluatedProperties": False},
        "widened",
        {"a": 1, "b": "x"},
        {"a": 1, "c": "x"},
    ),
    change(
        "one of two must be there",
        _object(a=_INT, b=_INT),
        _object(a=_INT, b=_INT, said=_EITHER),
        "narrowed",
        {"a": 1},
        {"b": 1},
        {},
    ),
    change(
        "not one of two but this one",
        _object(a=_INT, b=_INT, said=_EITHER),
        _object("a", a=_INT, b=_INT),
        "narrowed",
        {"a": 1},
        {"b": 1},
    ),
    change(
        "one thing asks for another to be so",
        _object(a=_INT, b=_INT),
        _object(a=_INT, b=_INT, said={"dependentSchemas": {"a": {"required": ["b"]}}}),
        "narrowed",
        {"b": 1},
        {"a": 1, "b": 1},
        {"a": 1},
    ),
    change(
        "not empty where something must be there",
        _PLAIN,
        _object("a", a=_INT, said={"minProperties": 1}),
        "spelled",
        {"a": 1},
    ),
    change(
        "map: one more value",
        {"type": "object", "additionalProperties": {"enum": ["a"]}},
        {"type": "object", "additionalProperties": {"enum": ["a", "b"]}},
        "widened",
        {"x": "a"},
        {"x": "b"},
    ),
    change(
        "a map becomes a closed object",
        {"type": "object", "additionalProperties": _INT, "propertyNames": {"pattern": "^[a-z]+$"}},
        _object(closed=True, a=_INT, b=_INT),
        "narrowed",
        {"a": 1},
        {"x": 1},
    ),
    change(
        "members that are all of one type",
        {"type": "object", "additionalProperties": {"type": ["integer", "string"]}},
        {"anyOf": [{"type": "object", "additionalProperties": part} for part in (_INT, _STR)]},
        "narrowed",
        {"a": 1, "b": 2},
        {"a": 1, "b": "x"},
    ),
    change(
        "members whose names match are all of one type",
        {"type": "object", "additionalProperties": {"type": ["integer", "string"]}},
        {"type": "object", "anyOf": [{"patternProperties": {"^x": part}} for part in (_INT, _STR)]},
        "others",
        {"x": 1, "y": "x"},
        {"x": 1, "xy": "x"},
        {"y": None},
    ),
    change(
        "names are limited besides those that nobody may send",
        {"type": "object", "patternProperties": {"^a": False}},
        {"type": "object", "patternProperties": {"^a": False}, "propertyNames": {"pattern": "^.?$"}},
        "narrowed",
        {"b": 1},
        {"bb": 1},
    ),
    change(
        "a property is added to one branch while another one is closed",
        {"oneOf": [_object(b=_STR), _object(closed=True)]},
        {"oneOf": [_object(b=_STR, a=_INT), _object(closed=True)]},
        "narrowed",
        {"b": "x"},
        {"a": "x"},
    ),
    change("a property is never there", _object(a=_INT), _object(a=False), "narrowed", {"a": 1}, {}),
)

ROWS = tuple(row for rows in (*OPEN, *CLOSED, *NESTED, *HARD) for row in rows)
