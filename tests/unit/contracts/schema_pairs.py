"""Pairs of schemas drawn by lot, one a change of the other, and documents for them."""

import copy
import random

NAMES = ("a", "b", "c", "x-d")
TEXTS = ("", "a", "b", "ab", "abc", "x-d", "2000-01-01")
NUMBERS = (-1, 0, 1, 2, 3, 4, 0.5, 1.5, 10)
PATTERNS = ("^a", "b$", "^[a-c]*$", "^ab?$", "^x-", "c")
KINDS = ("string", "integer", "number", "boolean", "null", "array", "object")
MOST_DEEP = 3
CLOSED = "additionalProperties"


def drawn_pair(lot: random.Random):
    """Return a schema and what it became."""
    old = _root(lot)
    new = copy.deepcopy(old)
    for _ in range(lot.choice((1, 1, 1, 2, 3))):
        new = _changed(lot, new)
    for schema in [*_inner(old, []), *_inner(new, [])]:
        if schema.get(CLOSED) == {}:
            schema[CLOSED] = True  # which is the same: any name is allowed, and none declared
    return old, new


def _root(lot):
    schema = _object(lot, 0) if lot.random() < 0.7 else _schema(lot, 0)
    if lot.random() < 0.3:
        schema["$defs"] = {"D": _object(lot, 1), "E": _schema(lot, 2)}
        if "properties" in schema:
            schema["properties"]["b"] = {"$ref": "#/$defs/D"}
            schema["$defs"]["D"].setdefault("properties", {})["c"] = {"$ref": lot.choice(("#/$defs/D", "#/$defs/E"))}
    return schema


def _schema(lot, depth):
    draw = lot.random()
    if depth < MOST_DEEP and draw < 0.25:
        return _in_place(lot, depth)
    if draw < 0.33:
        return {"enum": lot.sample([*TEXTS[:4], 1, 2, 0.5, None, True, [], {"a": 1}], lot.choice((1, 2, 3)))}
    if draw < 0.36:
        return {}
    kind = lot.choice(KINDS if depth < MOST_DEEP else KINDS[:5])
    if kind == "object":
        return _object(lot, depth)
    schema = {"type": kind}
    if lot.random() < 0.15:
        schema["type"] = sorted({kind, lot.choice(KINDS[:5])})
    return schema | {word: value for word, value in _words(lot, kind, depth).items() if lot.random() < 0.4}


def _in_place(lot, depth):
    word = lot.choice(("anyOf", "anyOf", "oneOf", "allOf", "not", "if"))
    if word == "not":
        return {"not": _schema(lot, depth + 1)}
    if word == "if":
        return {"if": _schema(lot, depth + 1), lot.choice(("then", "else")): _schema(lot, depth + 1)}
    return {word: [_schema(lot, depth + 1) for _ in range(lot.choice((1, 2, 2, 3)))]}


def _in_place(lot, depth):
    word = lot.choice(("anyOf", "anyOf", "oneOf", "allOf", "not", "if"))
    if word == "not":
        return {"not": _schema(lot, depth + 1)}
    if word == "if":
        return {"if": _schema(lot, depth + 1), lot.choice(("then", "else")): _schema(lot, depth + 1)}
    return {word: [_schema(lot, depth + 1) for _ in range(lot.choice((1, 2, 2, 3)))]}


def _words(lot, kind, depth):
    """Return a value for each keyword that is about a kind."""
    if kind in ("integer", "number"):
        bounds = {word: lot.choice((0, 1, 2, 3)) for word in ("minimum", "exclusiveMaximum", "exclusiveMinimum")}
        return {**bounds, "maximum": lot.choice((3, 4, 10)), "multipleOf": lot.choice((1, 2, 3, 0.5))}
    if kind == "string":
        return {"minLength": lot.choice((0, 1, 2)), "maxLength": lot.choice((2, 3)), "pattern": lot.choice(PATTERNS)}
    if kind == "array":
        parts = [_schema(lot, depth + 1) for _ in range(lot.choice((1, 2)))]
        inner = {"items": _schema(lot, depth + 1), "contains": _schema(lot, MOST_DEEP), "prefixItems": parts}
        return {**inner, "minItems": lot.choice((0, 1, 2)), "maxItems": lot.choice((1, 2, 3)), "uniqueItems": True}
    return {}


def _object(lot, depth):
    names = lot.sample(NAMES, lot.choice((0, 1, 2, 2, 3)))
    schema = {"type": "object", "properties": {name: _schema(lot, depth + 1) for name in names}}
    more = {
        "required": names[:1],
        "additionalProperties": False,
        "patternProperties": {lot.choice(PATTERNS): _schema(lot, depth + 1)},
        "minProperties": lot.choice((1, 2)),
        "maxProperties": lot.choice((1, 2, 3)),
        "dependentRequired": {lot.choice(NAMES): [lot.choice(NAMES)]},
        "propertyNames": {"pattern": lot.choice(PATTERNS)},
        "unevaluatedProperties": False,
    }
    chances = {"required": 0.5, "additionalProperties": 0.3}
    schema |= {word: value for word, value in more.items() if lot.random() < chances.get(word, 0.06)}
    if lot.random() < 0.1:
        schema["additionalProperties"] = _schema(lot, depth + 1) or True
    return schema


def _inner(schema, found):
    """Collect the schemas in one, itself too."""
    if isinstance(schema, dict):
        found.append(schema)
        for word, value in schema.items():
            if word in ("properties", "patternProperties", "$defs"):
                for part in value.values():
                    _inner(part, found)
            elif word in ("anyOf", "oneOf", "allOf", "prefixItems"):
                for part in value:
                    _inner(part, found)
            elif word in ("items", "contains", "not", "if", "then", "else", "additionalProperties"):
                _inner(value, found)
    return found


def _changed(lot, schema):
    """Return the schema with one change somewhere."""
    schema = copy.deepcopy(schema)
    place = lot.choice(_inner(schema, []))
    kind = place.get("type")
    kind = kind if isinstance(kind, str) else None
    words = [word for word in place if word not in ("$ref", "$defs", "properties", "type")]
    draw = lot.random()
    if draw < 0.25 and words:
        place.pop(lot.choice(words))
    elif draw < 0.5 and kind in ("integer", "number", "string", "array"):
        more = _words(lot, kind, MOST_DEEP)
        word = lot.choice(sorted(more))
        place[word] = more[word]
    elif draw < 0.75 and "properties" in place:
        name = lot.choice(NAMES)
        if name not in place["properties"] or lot.random() < 0.4:
            place["properties"][name] = _schema(lot, MOST_DEEP)
        else:
            del place["properties"][name]
            place["required"] = [other for other in place.get("required", ()) if other != name]
    elif draw < 0.9 and "properties" in place:
        more = [*place.get("required", ()), *place["properties"]]
        place |= lot.choice(({"required": sorted({*more[:-1], lot.choice(more)} if more else more)}, {CLOSED: False}))
    elif "enum" in place:
        place["enum"] = [*place["enum"], lot.choice(("z", 7, False))]
    elif kind == "integer":
        place["type"] = "number"
    elif "$ref" not in place and "$defs" not in place:
        place.clear()
        place |= _schema(lot, 2)
    return schema


def document(lot, schema, root, depth=0):
    """Return a document that may be valid by a schema: it goes along it, and goes wrong now and then."""
    if lot.random() < 0.06 or depth > 6 or not isinstance(schema, dict):
        return _anything(lot)
    inner = [part for word in ("anyOf", "oneOf", "allOf") for part in schema.get(word, ())]
    inner += [schema[word] for word in ("if", "then", "else") if word in schema]
    if "$ref" in schema:
        inner.append(root["$defs"][schema["$ref"].removeprefix("#/$defs/")])
    if inner:
        return document(lot, lot.choice(inner), root, depth + 1)
    if "enum" in schema:
        return copy.deepcopy(lot.choice(schema["enum"]))
    kind = schema.get("type", lot.choice(KINDS))
    kind = lot.choice(kind) if isinstance(kind, list) else kind
    made = {"object": _members, "array": _items}.get(kind)
    return _scalar(lot, kind) if made is None else made(lot, schema, root, depth)


def _items(lot, schema, root, depth):
    parts = schema.get("prefixItems", [])
    items = [parts[at] if at < len(parts) else schema.get("items", {}) for at in range(lot.choice((0, 1, 2, 3)))]
    if items and "contains" in schema and lot.random() < 0.5:
        items[-1] = schema["contains"]
    return [document(lot, item, root, depth + 1) for item in items]


def _members(lot, schema, root, depth):
    parts = schema.get("properties", {})
    names = [name for name in parts if name in schema.get("required", ()) or lot.random() < 0.6]
    names += [name for name in (*NAMES, "e") if name not in names and lot.random() < 0.15]
    rest = schema.get("additionalProperties", {})
    return {name: document(lot, parts.get(name, rest), root, depth + 1) for name in names}


def _scalar(lot, kind):
    if kind == "integer":
        return lot.choice(range(-1, 12))
    if kind == "number":
        return lot.choice(NUMBERS)
    if kind == "string":
        return lot.choice(TEXTS)
    return None if kind == "null" else lot.random() < 0.5


def _anything(lot):
    return lot.choice([*TEXTS, *NUMBERS, None, True, [], [1], {}, {"a": 1}, {"a": "a", "b": 1}])
