"""Changes of statuses, of what is answered, and of schemas that several messages share."""

from changes.row import Answer, ApiRow, Ask

_INT, _STR, _NUM = {"type": "integer"}, {"type": "string"}, {"type": "number"}
_JSON, _TEXT = "application/json", "text/plain"


def _answer(schema, *media):
    """Return a response with a body."""
    return {"description": "It.", "content": {one: {"schema": schema} for one in media or (_JSON,)}}


def _document(responses, *, body=None, **components):
    """Return a document with one operation, and schemas beside it."""
    operation = {"responses": responses}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": body}}}
    paths = {"/r": {"post": operation}}
    info = {"title": "Recipes", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": {"schemas": components}}


def _object(*required, closed=False, **properties):
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return schema | ({"additionalProperties": False} if closed else {})


def _row(name, old, new, uses, implements, *messages):
    return ApiRow(f"response: {name}", old, new, uses, implements, messages)


def _sent(name, old, new, uses, implements, *bodies):
    """Make a row of what is answered with 200."""
    documents = (_document({"200": _answer(schema)}) for schema in (old, new))
    return _row(name, *documents, uses, implements, *(Answer("POST /r", 200, body) for body in bodies))


_EMPTY = {"description": "Nothing."}
_200, _404 = Answer("POST /r", 200, 1), Answer("POST /r", 404, media=None)
_ONE = {"200": _answer(_INT)}
STATUSES = (
    _row("a status is added", _document(_ONE), _document(_ONE | {"404": _EMPTY}), "breaking", "compatible", _200, _404),
    _row("a status is gone", _document(_ONE | {"404": _EMPTY}), _document(_ONE), "compatible", "breaking", _200, _404),
    _row(
        "another status",
        _document(_ONE),
        _document({"201": _answer(_INT)}),
        "breaking",
        "breaking",
        _200,
        Answer("POST /r", 201, 1),
    ),
    _row(
        "any status of a class",
        _document(_ONE | {"404": _EMPTY}),
        _document(_ONE | {"4XX": _EMPTY}),
        "breaking",
        "compatible",
        _404,
        Answer("POST /r", 410, media=None),
    ),
    _row(
        "only one status of a class",
        _document(_ONE | {"4XX": _EMPTY}),
        _document(_ONE | {"404": _EMPTY}),
        "compatible",
        "breaking",
        _404,
        Answer("POST /r", 410, media=None),
    ),
    _row(
        "any other status", _document(_ONE), _document(_ONE | {"default": _EMPTY}), "breaking", "compatible", _200, _404
    ),
    _row(
        "no other status", _document(_ONE | {"default": _EMPTY}), _document(_ONE), "compatible", "breaking", _200, _404
    ),
    _row(
        "statuses stand in another order",
        _document(_ONE | {"404": _EMPTY}),
        _document({"404": _EMPTY} | _ONE),
        "none",
        "none",
        _200,
        _404,
    ),
    _row(
        "a status is documented",
        _document(_ONE | {"404": _EMPTY}),
        _document(_ONE | {"404": {"description": "Gone."}}),
        "documentation",
        "documentation",
        _200,
        _404,
    ),
    _row(
        "an error has something to say",
        _document({"404": _EMPTY}),
        _document({"404": _answer(_STR)}),
        "breaking",
        "breaking",
        _404,
        Answer("POST /r", 404, "gone"),
    ),
    _row(
        "one more media type is answered",
        _document(_ONE),
        _document({"200": _answer(_INT, _JSON, _TEXT)}),
        "breaking",
        "compatible",
        _200,
        Answer("POST /r", 200, 1, _TEXT),
    ),
    _row(
        "one media type fewer is answered",
        _document({"200": _answer(_INT, _JSON, _TEXT)}),
        _document(_ONE),
        "compatible",
        "breaking",
        _200,
        Answer("POST /r", 200, 1, _TEXT),
    ),
    _row(
        "another media type is answered",
        _document(_ONE),
        _document({"200": _answer(_INT, _TEXT)}),
        "breaking",
        "breaking",
        _200,
        Answer("POST /r", 200, 1, _TEXT),
    ),
    _row(
        "a response by reference",
        _document(_ONE),
        _document({"200": {"$ref": "#/components/responses/It"}})
        | {"components": {"responses": {"It": _answer(_INT)}}},
        "none|compatible",
        "none|compatible",
        _200,
    ),
)

_A = _object("a", a=_INT)
ANSWERS = (
    _sent(
        "a property is added",
        _A,
        _object("a", a=_INT, b=_STR),
        "compatible",
        "compatible",
        {"a": 1},
        {"a": 1, "b": "x"},
    ),
    _sent("a property is always there", _object(a=_INT), _A, "compatible", "breaking", {"a": 1}, {}),
    _sent("a property may be absent", _A, _object(a=_INT), "breaking", "compatible", {"a": 1}, {}),
    _sent("a property is of more types", _A, _object("a", a=_NUM), "breaking", "compatible", {"a": 1}, {"a": 1.5}),
    _sent("a property is of fewer types", _object("a", a=_NUM), _A, "compatible", "breaking", {"a": 1}, {"a": 1.5}),
    _sent("a property is of another type", _A, _object("a", a=_STR), "breaking", "breaking", {"a": 1}, {"a": "x"}),
    _sent(
        "a property may be null",
        _A,
        _object("a", a={"type": ["integer", "null"]}),
        "breaking",
        "compatible",
        {"a": 1},
        {"a": None},
    ),
    _sent(
        "closed: a property is added",
        _object("a", closed=True, a=_INT),
        _object("a", closed=True, a=_INT, b=_STR),
        "breaking",
        "compatible",
        {"a": 1},
        {"a": 1, "b": "x"},
    ),
    _sent("one more value", {"enum": ["a"]}, {"enum": ["a", "b"]}, "breaking", "compatible", "a", "b"),
    _sent("one value fewer", {"enum": ["a", "b"]}, {"enum": ["a"]}, "compatible", "breaking", "a", "b"),
    _sent(
        "one more value in a list in an object",
        _object("k", k={"type": "array", "items": {"enum": ["a"]}}),
        _object("k", k={"type": "array", "items": {"enum": ["a", "b"]}}),
        "breaking",
        "compatible",
        {"k": ["a"]},
        {"k": ["b"]},
    ),
    _sent(
        "one more branch",
        {"anyOf": [_INT, _STR]},
        {"anyOf": [_INT, _STR, {"type": "null"}]},
        "breaking",
        "compatible",
        1,
        "x",
        None,
    ),
    _sent(
        "types in another order", {"type": ["integer", "null"]}, {"type": ["null", "integer"]}, "none", "none", 1, None
    ),
)

_REF = {"$ref": "#/components/schemas/R"}


def _shared(name, old, new, uses, implements, *bodies, asked=True, answered=True):
    """Make a row of a schema that stands beside the operations."""
    documents = (
        _document({"200": _answer(_REF if answered else _INT)}, body=_REF if asked else None, R=schema)
        for schema in (old, new)
    )
    messages = [Ask("POST /r", body) for body in bodies if asked]
    messages += [Answer("POST /r", 200, body) for body in bodies if answered]
    return ApiRow(f"schema: {name}", *documents, uses, implements, tuple(messages))


def _tree(of):
    return _object("v", v=of, c={"type": "array", "items": _REF})


SHARED = (
    _shared("of more types, sent and answered", _A, _object("a", a=_NUM), "breaking", "breaking", {"a": 1}, {"a": 1.5}),
    _shared(
        "of more types, sent", _A, _object("a", a=_NUM), "compatible", "breaking", {"a": 1}, {"a": 1.5}, answered=False
    ),
    _shared(
        "of more types, answered", _A, _object("a", a=_NUM), "breaking", "compatible", {"a": 1}, {"a": 1.5}, asked=False
    ),
    _shared(
        "of fewer types, sent", _object("a", a=_NUM), _A, "breaking", "compatible", {"a": 1}, {"a": 1.5}, answered=False
    ),
    _shared(
        "a property is added, sent and answered",
        _A,
        _object("a", a=_INT, b=_STR),
        "compatible",
        "compatible",
        {"a": 1},
        {"a": 1, "b": "x"},
    ),
    _shared("a property must be there, sent and answered", _object(a=_INT), _A, "breaking", "breaking", {"a": 1}, {}),
    _shared(
        "a property must be there, answered", _object(a=_INT), _A, "compatible", "breaking", {"a": 1}, {}, asked=False
    ),
    _shared(
        "recursive, of more types, answered",
        _tree(_INT),
        _tree(_NUM),
        "breaking",
        "compatible",
        {"v": 1, "c": [{"v": 2}]},
        {"v": 1, "c": [{"v": 2.5}]},
        asked=False,
    ),
    _shared("documented", _A, _A | {"description": "What it is."}, "documentation", "documentation", {"a": 1}),
    ApiRow(
        "schema: written out where it is used",
        _document({"200": _answer(_REF)}, R=_A),
        _document({"200": _answer(_A)}),
        "none|compatible",
        "none|compatible",
        (Answer("POST /r", 200, {"a": 1}),),
    ),
    ApiRow(
        "schema: through another one",
        _document({"200": _answer(_REF)}, R=_object("s", s={"$ref": "#/components/schemas/S"}), S=_INT),
        _document({"200": _answer(_REF)}, R=_object("s", s={"$ref": "#/components/schemas/S"}), S=_NUM),
        "breaking",
        "compatible",
        (Answer("POST /r", 200, {"s": 1}), Answer("POST /r", 200, {"s": 1.5})),
    ),
)

ROWS = (*STATUSES, *ANSWERS, *SHARED)
