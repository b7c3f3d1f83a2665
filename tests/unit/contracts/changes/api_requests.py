"""Changes of operations, their parameters and what is sent to them."""

from changes.row import ApiRow, Ask

_INT, _STR, _NUM = {"type": "integer"}, {"type": "string"}, {"type": "number"}
_OK = {"204": {"description": "Done."}}


def _document(paths, **more):
    return {"openapi": "3.1.0", "info": {"title": "Recipes", "version": "1"}, "paths": paths, **more}


def _get(*parameters, **more):
    """Return a document with `GET /r` and its parameters."""
    return _document({"/r": {"get": {"parameters": list(parameters), "responses": _OK, **more}}})


def _parameter(name, schema, *, required=False, place="query"):
    return {"name": name, "in": place, "schema": schema, "required": required}


def _post(schema, *, required=True, media=("application/json",)):
    """Return a document with `POST /r` and what is sent to it."""
    body = {"required": required, "content": {one: {"schema": schema} for one in media}}
    return _document({"/r": {"post": {"requestBody": body, "responses": _OK}}})


def _object(*required, closed=False, **properties):
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return schema | ({"additionalProperties": False} if closed else {})


def _row(name, old, new, uses, implements, *messages):
    return ApiRow(f"request: {name}", old, new, uses, implements, messages)


_PLAIN = {"get": {"responses": _OK}}
_ASK = Ask("GET /r")
OPERATIONS = (
    _row(
        "an operation is added",
        _document({"/r": _PLAIN}),
        _document({"/r": _PLAIN | {"delete": {"responses": _OK}}}),
        "compatible",
        "breaking",
        _ASK,
        Ask("DELETE /r"),
    ),
    _row(
        "an operation is gone",
        _document({"/r": _PLAIN | {"delete": {"responses": _OK}}}),
        _document({"/r": _PLAIN}),
        "breaking",
        "compatible",
        _ASK,
        Ask("DELETE /r"),
    ),
    _row(
        "a path is added",
        _document({"/r": _PLAIN}),
        _document({"/r": _PLAIN, "/s": _PLAIN}),
        "compatible",
        "breaking",
        _ASK,
        Ask("GET /s"),
    ),
    _row(
        "a path has another name",
        _document({"/r": _PLAIN}),
        _document({"/s": _PLAIN}),
        "breaking",
        "breaking",
        _ASK,
        Ask("GET /s"),
    ),
    _row(
        "another method",
        _document({"/r": {"put": {"responses": _OK}}}),
        _document({"/r": {"patch": {"responses": _OK}}}),
        "breaking",
        "breaking",
        Ask("PUT /r"),
        Ask("PATCH /r"),
    ),
    _row(
        "paths stand in another order",
        _document({"/r": _PLAIN, "/s": _PLAIN}),
        _document({"/s": _PLAIN, "/r": _PLAIN}),
        "none",
        "none",
        _ASK,
        Ask("GET /s"),
    ),
    _row(
        "an operation is documented",
        _get(),
        _get(summary="List", description="All.", tags=["recipes"]),
        "documentation",
        "documentation",
        _ASK,
    ),
    _row(
        "who asks has to be known",
        _get(),
        _get(security=[{"key": []}])
        | {"components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}}},
        "breaking",
        "compatible",
        _ASK,
        Ask("GET /r", headers={"authorization": "Bearer x"}),
    ),
    _row(
        "who asks need not be known",
        _get(security=[{"key": []}])
        | {"components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}}},
        _get(),
        "compatible",
        "breaking",
        _ASK,
        Ask("GET /r", headers={"authorization": "Bearer x"}),
    ),
)


def _at(path, name, schema):
    return _document(
        {path: {"get": {"parameters": [_parameter(name, schema, required=True, place="path")], "responses": _OK}}}
    )


_N, _Q = _parameter("n", _INT), _parameter("q", _STR)
_TAGS = _parameter("k", {"enum": ["a", "b"]})
PARAMETERS = (
    _row("a parameter is added", _get(_N), _get(_N, _Q), "compatible", "breaking", _ASK, Ask("GET /r?q=x")),
    _row(
        "a parameter is added that must be given",
        _get(_N),
        _get(_N, _parameter("q", _STR, required=True)),
        "breaking",
        "breaking",
        _ASK,
        Ask("GET /r?q=x"),
    ),
    _row("a parameter is gone", _get(_N, _Q), _get(_N), "breaking", "compatible", _ASK, Ask("GET /r?q=x")),
    _row(
        "a parameter must be given",
        _get(_N),
        _get(_parameter("n", _INT, required=True)),
        "breaking",
        "compatible",
        _ASK,
        Ask("GET /r?n=1"),
    ),
    _row(
        "a parameter need not be given",
        _get(_parameter("n", _INT, required=True)),
        _get(_N),
        "compatible",
        "breaking",
        _ASK,
        Ask("GET /r?n=1"),
    ),
    _row(
        "a parameter has another name",
        _get(_N),
        _get(_parameter("m", _INT)),
        "breaking",
        "breaking",
        Ask("GET /r?n=1"),
        Ask("GET /r?m=1"),
    ),
    _row(
        "a parameter is of more types",
        _get(_N),
        _get(_parameter("n", _NUM)),
        "compatible",
        "breaking",
        Ask("GET /r?n=1"),
        Ask("GET /r?n=1.5"),
    ),
    _row(
        "a parameter is of fewer types",
        _get(_parameter("n", _NUM)),
        _get(_N),
        "breaking",
        "compatible",
        Ask("GET /r?n=1"),
        Ask("GET /r?n=1.5"),
    ),
    _row(
        "a parameter has a bound",
        _get(_N),
        _get(_parameter("n", _INT | {"maximum": 100})),
        "breaking",
        "compatible",
        Ask("GET /r?n=1"),
        Ask("GET /r?n=500"),
    ),
    _row(
        "a parameter has one more value",
        _get(_TAGS),
        _get(_parameter("k", {"enum": ["a", "b", "c"]})),
        "compatible",
        "breaking",
        Ask("GET /r?k=a"),
        Ask("GET /r?k=c"),
    ),
    _row(
        "a parameter has one value fewer",
        _get(_TAGS),
        _get(_parameter("k", {"enum": ["a"]})),
        "breaking",
        "compatible",
        Ask("GET /r?k=a"),
        Ask("GET /r?k=b"),
    ),
    _row(
        "a parameter moves into a header",
        _get(_Q),
        _get(_parameter("q", _STR, place="header")),
        "breaking",
        "breaking",
        Ask("GET /r?q=x"),
        Ask("GET /r", headers={"q": "x"}),
    ),
    _row(
        "a header is added",
        _get(_N),
        _get(_N, _parameter("q", _STR, place="header")),
        "compatible",
        "breaking",
        _ASK,
        Ask("GET /r", headers={"q": "x"}),
    ),
    _row("parameters stand in another order", _get(_N, _Q), _get(_Q, _N), "none", "none", Ask("GET /r?n=1&q=x")),
    _row(
        "a parameter is documented",
        _get(_N),
        _get(_N | {"description": "How many."}),
        "documentation",
        "documentation",
        Ask("GET /r?n=1"),
    ),
    _row(
        "a parameter for all operations of the path",
        _get(_N),
        _document({"/r": {"parameters": [_N], "get": {"responses": _OK}}}),
        "none|compatible",
        "none|compatible",
        Ask("GET /r?n=1"),
    ),
    _row(
        "a parameter by reference",
        _get(_N),
        _get({"$ref": "#/components/parameters/N"}) | {"components": {"parameters": {"N": _N}}},
        "none|compatible",
        "none|compatible",
        Ask("GET /r?n=1"),
    ),
    _row(
        "a part of the path is any text",
        _at("/r/{id}", "id", {"enum": ["a"]}),
        _at("/r/{id}", "id", _STR),
        "compatible",
        "breaking",
        Ask("GET /r/a"),
        Ask("GET /r/b"),
    ),
    _row(
        "a part of the path has another name",
        _at("/r/{id}", "id", _STR),
        _at("/r/{key}", "key", _STR),
        "none|compatible",
        "none|compatible",
        Ask("GET /r/a"),
    ),
    _row(
        "a part of the path is narrower",
        _at("/r/{id}", "id", _STR),
        _at("/r/{id}", "id", _STR | {"pattern": "^[a-z]+$"}),
        "breaking",
        "compatible",
        Ask("GET /r/a"),
        Ask("GET /r/A1"),
    ),
)

_A, _AB = {"a": 1}, {"a": 1, "b": "x"}
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
BODIES = (
    _row(
        "open body: a property is added",
        _post(_object("a", a=_INT)),
        _post(_object("a", a=_INT, b=_STR)),
        "compatible",
        "compatible",
        Ask("POST /r", _A),
        Ask("POST /r", _AB),
    ),
    _row(
        "open body: a property is added that must be there",
        _post(_object("a", a=_INT)),
        _post(_object("a", "b", a=_INT, b=_STR)),
        "breaking",
        "compatible",
        Ask("POST /r", _A),
        Ask("POST /r", _AB),
    ),
    _row(
        "open body: a property that must be there is gone",
        _post(_object("a", "b", a=_INT, b=_STR)),
        _post(_object("a", a=_INT)),
        "compatible",
        "breaking",
        Ask("POST /r", _A),
        Ask("POST /r", _AB),
    ),
    _row(
        "closed body: a property is added",
        _post(_object("a", closed=True, a=_INT)),
        _post(_object("a", closed=True, a=_INT, b=_STR)),
        "compatible",
        "breaking",
        Ask("POST /r", _A),
        Ask("POST /r", _AB),
    ),
    _row(
        "closed body: a property is gone",
        _post(_object("a", closed=True, a=_INT, b=_STR)),
        _post(_object("a", closed=True, a=_INT)),
        "breaking",
        "compatible",
        Ask("POST /r", _A),
        Ask("POST /r", _AB),
    ),
    _row(
        "a property is of more types",
        _post(_object("a", a=_INT)),
        _post(_object("a", a=_NUM)),
        "compatible",
        "breaking",
        Ask("POST /r", _A),
        Ask("POST /r", {"a": 1.5}),
    ),
    _row(
        "a property is of fewer types",
        _post(_object("a", a=_NUM)),
        _post(_object("a", a=_INT)),
        "breaking",
        "compatible",
        Ask("POST /r", _A),
        Ask("POST /r", {"a": 1.5}),
    ),
    _row(
        "a body must be sent",
        _post(_object(a=_INT), required=False),
        _post(_object(a=_INT)),
        "breaking",
        "compatible",
        Ask("POST /r"),
        Ask("POST /r", _A),
    ),
    _row(
        "a body need not be sent",
        _post(_object(a=_INT)),
        _post(_object(a=_INT), required=False),
        "compatible",
        "breaking",
        Ask("POST /r"),
        Ask("POST /r", _A),
    ),
    _row(
        "a body may be sent",
        _document({"/r": {"post": {"responses": _OK}}}),
        _post(_object(a=_INT), required=False),
        "compatible",
        "breaking",
        Ask("POST /r"),
        Ask("POST /r", _A),
    ),
    _row(
        "a body is no longer taken",
        _post(_object(a=_INT), required=False),
        _document({"/r": {"post": {"responses": _OK}}}),
        "breaking",
        "compatible",
        Ask("POST /r"),
        Ask("POST /r", _A),
    ),
    _row(
        "one more media type is taken",
        _post(_object(a=_INT)),
        _post(_object(a=_INT), media=(_JSON, _FORM)),
        "compatible",
        "breaking",
        Ask("POST /r", _A),
        Ask("POST /r", _A, media=_FORM),
    ),
    _row(
        "one media type fewer is taken",
        _post(_object(a=_INT), media=(_JSON, _FORM)),
        _post(_object(a=_INT)),
        "breaking",
        "compatible",
        Ask("POST /r", _A),
        Ask("POST /r", _A, media=_FORM),
    ),
    _row(
        "another media type is taken",
        _post(_object(a=_INT)),
        _post(_object(a=_INT), media=(_FORM,)),
        "breaking",
        "breaking",
        Ask("POST /r", _A),
        Ask("POST /r", _A, media=_FORM),
    ),
)

ROWS = (*OPERATIONS, *PARAMETERS, *BODIES)
