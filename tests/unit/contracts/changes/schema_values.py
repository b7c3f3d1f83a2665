"""Changes of schemas of single values and of arrays."""

from changes.row import in_each_direction as change

_INT, _STR, _NULL = {"type": "integer"}, {"type": "string"}, {"type": "null"}
_NUMBER = {"type": "number"}


def _array(**said):
    return {"type": "array", **said}


def _list_of(items):
    return {"type": "array", "items": items}


SCALARS = (
    change("integer -> number", _INT, {"type": "number"}, "widened", 1, 1.5),
    change("number -> integer", {"type": "number"}, _INT, "narrowed", 1, 1.5),
    change("integer -> string", _INT, _STR, "others", 1, "x"),
    change("may be null", _STR, {"type": ["string", "null"]}, "widened", "x", None),
    change("is never null", {"type": ["string", "null"]}, _STR, "narrowed", "x", None),
    change("types in another order", {"type": ["string", "null"]}, {"type": ["null", "string"]}, "same", "x", None),
    change("number holds integers anyway", {"type": ["integer", "number"]}, {"type": "number"}, "spelled", 1, 1.5),
    change("anything at all -> a string", {}, _STR, "narrowed", "x", 1),
    change("a minimum", _INT, {"type": "integer", "minimum": 0}, "narrowed", 1, -1),
    change("no minimum any more", {"type": "integer", "minimum": 0}, _INT, "widened", 1, -1),
    change("a lower maximum", {"maximum": 10, **_INT}, {"maximum": 5, **_INT}, "narrowed", 5, 7),
    change("a higher maximum", {"maximum": 5, **_INT}, {"maximum": 10, **_INT}, "widened", 5, 7),
    change("the bound itself is out", {"minimum": 0, **_INT}, {"exclusiveMinimum": 0, **_INT}, "narrowed", 1, 0),
    change(
        "bounds of integers said in two ways", {"minimum": 1, **_INT}, {"exclusiveMinimum": 0, **_INT}, "spelled", 1, 2
    ),
    change(
        "bounds move", {"minimum": 0, "maximum": 5, **_INT}, {"minimum": 3, "maximum": 9, **_INT}, "others", 1, 4, 8
    ),
    change("a multiple", _INT, {"multipleOf": 5, **_INT}, "narrowed", 10, 3),
    change("a finer multiple", {"multipleOf": 10, **_INT}, {"multipleOf": 5, **_INT}, "widened", 10, 5),
    change("a longest length", _STR, {"maxLength": 3, **_STR}, "narrowed", "abc", "abcd"),
    change("a shorter shortest length", {"minLength": 3, **_STR}, {"minLength": 1, **_STR}, "widened", "abc", "a"),
    change("a shortest length of nothing", _STR, {"minLength": 0, **_STR}, "spelled", "", "a"),
    change("a pattern", _STR, {"pattern": "^[a-z]+$", **_STR}, "narrowed", "abc", "A1"),
    change("no pattern any more", {"pattern": "^[a-z]+$", **_STR}, _STR, "widened", "abc", "A1"),
    change("another pattern", {"pattern": "^a", **_STR}, {"pattern": "^b", **_STR}, "others", "a", "b"),
    change("a format", _STR, {"format": "date", **_STR}, "narrowed", "2026-01-31", "someday"),
    change(
        "another format", {"format": "date", **_STR}, {"format": "ipv4", **_STR}, "others", "2026-01-31", "127.0.0.1"
    ),
)

CHOICES = (
    change("one more value", {"enum": ["a", "b"]}, {"enum": ["a", "b", "c"]}, "widened", "a", "b", "c"),
    change("one value fewer", {"enum": ["a", "b"]}, {"enum": ["a"]}, "narrowed", "a", "b"),
    change("values in another order", {"enum": ["a", "b"]}, {"enum": ["b", "a"]}, "same", "a", "b"),
    change("one value for another", {"enum": ["a", "b"]}, {"enum": ["a", "c"]}, "others", "a", "b", "c"),
    change("any string", {"enum": ["a"]}, _STR, "widened", "a", "b"),
    change("only some strings", _STR, {"enum": ["a", "b"]}, "narrowed", "a", "c"),
    change("a constant is an only value", {"const": "a"}, {"enum": ["a"]}, "spelled", "a"),
    change("another constant", {"const": 1}, {"const": 2}, "others", 1, 2),
    change("the type of values is said", {"enum": ["a", "b"]}, {"enum": ["a", "b"], **_STR}, "spelled", "a", "b"),
    change("one more branch", {"anyOf": [_INT, _STR]}, {"anyOf": [_INT, _STR, _NULL]}, "widened", 1, "x", None),
    change("one branch fewer", {"anyOf": [_INT, _STR]}, {"anyOf": [_INT]}, "narrowed", 1, "x"),
    change("branches in another order", {"anyOf": [_INT, _STR]}, {"anyOf": [_STR, _INT]}, "same", 1, "x"),
    change("branches that are types", {"anyOf": [_INT, _STR]}, {"type": ["integer", "string"]}, "spelled", 1, "x"),
    change("one of branches that never meet", {"anyOf": [_INT, _STR]}, {"oneOf": [_INT, _STR]}, "spelled", 1, "x"),
    change(
        "one of branches that meet",
        {"anyOf": [_INT, {"type": "number"}]},
        {"oneOf": [_INT, {"type": "number"}]},
        "narrowed",
        1.5,
        1,
    ),
    change(
        "a branch inside takes more",
        {"anyOf": [_INT, _NULL]},
        {"anyOf": [{"type": "number"}, _NULL]},
        "widened",
        1,
        None,
        1.5,
    ),
    change("everything has to hold", {"allOf": [_INT]}, {"allOf": [_INT, {"minimum": 0}]}, "narrowed", 1, -1),
    change("what has to hold is said at once", {"allOf": [_INT, {"minimum": 0}]}, {"minimum": 0, **_INT}, "spelled", 1),
    change("not that one", _STR, {"not": {"const": "x"}, **_STR}, "narrowed", "a", "x"),
    change("a condition", _INT, {"if": {"minimum": 10}, "then": {"multipleOf": 10}, **_INT}, "narrowed", 3, 20, 11),
)

ARRAYS = (
    change("items of more types", _array(items=_INT), _array(items={"type": "number"}), "widened", [1], [1.5], []),
    change("items of another type", _array(items=_INT), _array(items=_STR), "others", [], [1], ["x"]),
    change("items of some type", _array(), _array(items=_INT), "narrowed", [1], ["x"]),
    change(
        "one more value in a list",
        _array(items={"enum": ["a"]}),
        _array(items={"enum": ["a", "b"]}),
        "widened",
        ["a"],
        ["b"],
    ),
    change("fewer items", _array(maxItems=3), _array(maxItems=2), "narrowed", [1, 2], [1, 2, 3]),
    change("may be empty", _array(minItems=1), _array(minItems=0), "widened", [1], []),
    change("each only once", _array(items=_INT), _array(items=_INT, uniqueItems=True), "narrowed", [1, 2], [1, 1]),
    change("one of a kind in it", _array(), _array(contains=_INT), "narrowed", [1], ["x"]),
    change(
        "a tuple has one more item",
        _array(prefixItems=[_INT], items=False, minItems=1),
        _array(prefixItems=[_INT, _STR], items=False, minItems=2),
        "others",
        [1],
        [1, "x"],
    ),
    change(
        "a tuple may have one more item",
        _array(prefixItems=[_INT], items=False, minItems=1),
        _array(prefixItems=[_INT, _STR], items=False, minItems=1),
        "widened",
        [1],
        [1, "x"],
    ),
    change(
        "items of a tuple change places",
        _array(prefixItems=[_INT, _STR], items=False, minItems=2),
        _array(prefixItems=[_STR, _INT], items=False, minItems=2),
        "others",
        [1, "x"],
        ["x", 1],
    ),
    change(
        "an item of a tuple is narrower",
        _array(prefixItems=[{"type": "number"}], items=False),
        _array(prefixItems=[_INT], items=False),
        "narrowed",
        [1],
        [1.5],
    ),
    change(
        "the first item is like the rest",
        _array(prefixItems=[_STR], items=_NUMBER),
        _array(items=_NUMBER),
        "others",
        [],
        ["x", 1],
        [2, 1],
    ),
    change(
        "the first item has members like those of the rest",
        _array(prefixItems=[_list_of(_STR)], items=_list_of(_INT)),
        _array(items=_list_of(_INT)),
        "others",
        [[], [1]],
        [["x"], [1]],
        [[1]],
    ),
    change(
        "what is said of the second item is said of the third",
        {"allOf": [_array(prefixItems=[True], items=_STR), {"prefixItems": [True, True], "items": {"minLength": 1}}]},
        {"allOf": [_array(prefixItems=[True], items={"minLength": 1}), {"prefixItems": [True, True], "items": _STR}]},
        "others",
        [0, "x", "y"],
        [0, ""],
        [0, 1],
    ),
    change(
        "items after the third are all of one type",
        _array(prefixItems=[True] * 3, items={"type": ["integer", "string"]}),
        {"anyOf": [_array(prefixItems=[True] * 3, items=part) for part in (_INT, _STR)]},
        "narrowed",
        [1, "x", 1, 2],
        [1, 1, 1, 2, "x"],
    ),
    change(
        "a tuple is closed",
        _array(prefixItems=[_INT]),
        _array(prefixItems=[_INT], items=False),
        "narrowed",
        [1],
        [1, 2],
    ),
)

_LOW, _HIGH = {"maximum": 5, **_INT}, {"minimum": 3, **_INT}
TOGETHER = (
    change("branches that cover everything", {"anyOf": [_LOW, _HIGH]}, _INT, "spelled", 1, 4, 9),
    change(
        "branches that leave a gap",
        _INT,
        {"anyOf": [{"maximum": 3, **_INT}, {"minimum": 5, **_INT}]},
        "narrowed",
        1,
        4,
        9,
    ),
    change("any of branches that meet", {"oneOf": [_LOW, _HIGH]}, {"anyOf": [_LOW, _HIGH]}, "widened", 1, 4, 9),
    change("some integers, one by one", {"enum": [1, 2, 3]}, {"minimum": 1, "maximum": 3, **_INT}, "spelled", 1, 3),
    change("one integer", {"const": 1}, {"minimum": 1, "maximum": 1, **_INT}, "spelled", 1),
    change("true or false", {"type": "boolean"}, {"enum": [True, False]}, "spelled", True, False),
    change("not what is not so", {"not": {"not": _STR}}, _STR, "spelled", "x"),
    change(
        "a multiple of two numbers",
        {"multipleOf": 6, **_INT},
        {"allOf": [{"multipleOf": 2}, {"multipleOf": 3}], **_INT},
        "spelled",
        6,
        12,
    ),
    change(
        "the bound of numbers is out", {"minimum": 0, **_NUMBER}, {"exclusiveMinimum": 0, **_NUMBER}, "narrowed", 0, 0.5
    ),
    change(
        "two of a kind in it", _array(contains=_INT), _array(contains=_INT, minContains=2), "narrowed", [1, 2], [1, "x"]
    ),
    change(
        "not too many of a kind in it",
        _array(contains=_INT),
        _array(contains=_INT, maxContains=1),
        "narrowed",
        [1, "x"],
        [1, 2],
    ),
    change(
        "the rest of a tuple is of more types",
        _array(prefixItems=[_STR], items=_INT),
        _array(prefixItems=[_STR], items=_NUMBER),
        "widened",
        ["x", 1],
        ["x", 1.5],
    ),
    change(
        "more rules than the reference",
        {"$ref": "#/$defs/A", "$defs": {"A": _INT}},
        {"$ref": "#/$defs/A", "minimum": 0, "$defs": {"A": _INT}},
        "narrowed",
        1,
        -1,
    ),
    change(
        "values of several types", {"enum": [1, "a", None]}, {"enum": [1, "a", None, True]}, "widened", 1, "a", True
    ),
    change(
        "a whole document as a value",
        {"enum": [{"a": 1}]},
        {"enum": [{"a": 1}, {"a": 2}]},
        "widened",
        {"a": 1},
        {"a": 2},
    ),
    change(
        "the other case of a condition",
        {"if": {"minimum": 10}, "then": {"multipleOf": 10}, **_INT},
        {"if": {"minimum": 10}, "then": {"multipleOf": 10}, "else": {"minimum": 0}, **_INT},
        "narrowed",
        3,
        20,
        -1,
    ),
)

ROWS = tuple(row for rows in (*SCALARS, *CHOICES, *ARRAYS, *TOGETHER) for row in rows)
