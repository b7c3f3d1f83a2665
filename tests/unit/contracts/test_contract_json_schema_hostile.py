"""Whatever schemas are compared, it ends within a second and 200 MB, in an answer or a typed error."""

import json
import subprocess
import sys
import time

import pytest
from cpu_time import within_a_second
from tools import untraced

from blackboard.contracts.json_schema.conform import findings
from blackboard.contracts.language import Contract
from blackboard.errors import InvalidContract

ASKED = """
import json, os, resource, sys, time
from blackboard.contracts.language import Contract
from blackboard.errors import BlackboardError

def answered(language, old, new):
    resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
    spent, read = [], []
    steps = [lambda: read.append(Contract(language, old)), lambda: read.append(Contract(language, new))]
    for step in (*steps, lambda: len(read) == 2 and read[0].compare(read[1])):
        begin = time.process_time()
        try:
            step()
        except BlackboardError:
            pass
        spent.append(time.process_time() - begin)
    # Not ru_maxrss: a child is told that of its parent if that is more.
    [peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return f"{sum(spent)} {peak}"

Contract("json-schema", "true").compare(Contract("json-schema", "false"))
for line in sys.stdin:
    if os.fork() == 0:
        print(answered(*json.loads(line)), flush=True)
        os._exit(0)
    if os.wait()[1]:
        print("it died", flush=True)
"""
"""A small process that has a child of its own answer each question: to import it all costs more than most answers."""


@pytest.fixture(scope="module")
def looked_at():
    """Return a way to compare two texts of a language in bounds of time and memory."""
    command = [sys.executable, "-c", ASKED]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=untraced()) as asked:

        def look(language, old, new):
            def measured():
                print(json.dumps([language, old, new]), file=asked.stdin, flush=True)
                seconds, kilobytes = map(float, asked.stdout.readline().split())
                assert kilobytes < 200_000
                return seconds

            assert within_a_second(measured)

        yield look


WHOLE, TEXT = {"type": "integer"}, {"type": "string"}


def nested(depth, make, schema):
    for _ in range(depth):
        schema = make(schema)
    return schema


def chain(count, make, last):
    named = {f"D{index}": make({"$ref": f"#/$defs/D{index + 1}"}) for index in range(count)}
    return {"$ref": "#/$defs/D0", "$defs": {**named, f"D{count}": last}}


def product(word, **more):
    return {"allOf": [{word: [{"multipleOf": n + 2, "minimum": m} for n in range(12)]} for m in range(12)], **more}


def loop(last):
    return {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": [{"$ref": "#/$defs/a"}, last]}}}


def pair(make):
    return make(WHOLE), make(TEXT)


PAIRS = {
    "a reference to itself": ({"$ref": "#"}, {"$ref": "#", "type": "string"}),
    "references in a circle": pair(loop),
    "a product of oneOf": (product("oneOf"), product("oneOf", maximum=1_000_000)),
    "a product of anyOf": (product("anyOf"), product("anyOf", maximum=1_000_000)),
    "many negations": pair(lambda last: nested(30, lambda inner: {"not": inner}, last)),
    "each definition twice in the one before": pair(
        lambda last: chain(25, lambda ref: {"anyOf": [ref, {"not": ref}]}, last)
    ),
    "a catastrophic pattern": ({"pattern": "^(a+)+$", "minLength": 60}, {"pattern": "^(a|aa)+b$"}),
    "a pattern of many states": ({"pattern": "(a{1,900}){1,900}"}, {"pattern": "a|b"}),
    "a pattern that remembers": ({"pattern": "a" + "(a|b)" * 200 + "$"}, {"pattern": "b" + "(a|b)" * 200 + "$"}),
    "many patterns of names": pair(lambda of: {"patternProperties": {f"^(a{n}+)+$": of for n in range(300)}}),
    "many values": ({"enum": [f"v{n}" for n in range(40_000)]}, {"enum": [f"w{n}" for n in range(40_000)]}),
    "many objects": ({"enum": [{"a": n} for n in range(20_000)]}, {"required": ["b"]}),
    "many names": ({"required": [f"p{n}" for n in range(20_000)]}, {"required": [f"q{n}" for n in range(20_000)]}),
    "many branches": pair(
        lambda of: {"anyOf": [{"properties": {"k": {"const": n}, "v": of}, "required": ["k"]} for n in range(1_000)]}
    ),
    "many not evaluated": pair(
        lambda of: {"unevaluatedProperties": False, "anyOf": [{"properties": {f"p{n}": of}} for n in range(300)]}
    ),
    "not evaluated within not evaluated": pair(
        lambda of: nested(
            28, lambda inner: {"anyOf": [inner], "unevaluatedProperties": False}, {"properties": {"a": of}}
        )
    ),
    "endless lists": ({"minItems": 10**12, "uniqueItems": True}, {"minItems": 10**12 + 1}),
    "endless texts": ({"minLength": 10**15}, {"minLength": 10**15 + 1, "pattern": "a"}),
    "endless numbers": ({"multipleOf": 1e-300, "minimum": 1e300}, {"multipleOf": 7**100, "maximum": 10**400}),
    "many of a kind": ({"contains": WHOLE, "minContains": 90}, {"contains": TEXT, "minContains": 90}),
    "ten thousand levels": ("[" * 10_000, '{"not":' * 10_000),
    "as many changed properties as are read": pair(lambda of: {"properties": {f"p{n}": of for n in range(3_900)}}),
    "many names of a closed object": pair(
        lambda of: {
            "type": "object",
            "additionalProperties": False,
            "properties": {f"p{n}": of for n in range(3_000)},
        }
    ),
    "a megabyte of schemas": pair(lambda of: {"properties": {f"p{n}": {**of, "x": "x" * 50} for n in range(14_000)}}),
}


@pytest.mark.parametrize(("old", "new"), PAIRS.values(), ids=PAIRS)
def test_hostile_schemas_are_answered_within_a_second_and_200_megabytes(looked_at, old, new):
    looked_at("json-schema", *(one if isinstance(one, str) else json.dumps(one) for one in (old, new)))


APIS = {
    "ten thousand levels": "a: " + "[" * 10_000,
    "a megabyte of YAML": "openapi: 3.1.0\nx-a:\n" + "- {a: b}\n" * 110_000,
    "aliases": "a: &a [1]\n" + "".join(f"x{n}: &x{n} [*{'a' if n == 0 else f'x{n - 1}'}]\n" for n in range(30_000)),
}


@pytest.mark.parametrize("text", APIS.values(), ids=APIS)
def test_hostile_documents_of_a_server_are_answered_too(looked_at, text):
    looked_at("openapi", text, text)


def served(schemas, **more):
    """Return a server that takes and gives what is of the first of some shared schemas."""
    content = {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{next(iter(schemas))}"}}}}
    paths = {"/a": {"post": {"requestBody": content, "responses": {"200": content}}}}
    return {"openapi": "3.1.0", "paths": {**paths, **more}, "components": {"schemas": schemas}}


def referring(schema, to="D"):
    """Return a schema whose references are to what a server shares."""
    return json.loads(
        json.dumps(schema).replace("#/$defs/", "#/components/schemas/").replace('"#"', f'"#/components/schemas/{to}"')
    )


def shared(schema):
    named = {name: referring(one) for name, one in schema.get("$defs", {}).items()}
    return served({"D": referring({word: part for word, part in schema.items() if word != "$defs"}), **named})


def all_to_all(count, of):
    refs = [{"$ref": f"#/components/schemas/S{number}"} for number in range(count)]
    return served({f"S{number}": {"anyOf": [of, *refs]} for number in range(count)})


SERVERS = {
    **{
        f"schemas: {name}": tuple(map(shared, old_new))
        for name, old_new in PAIRS.items()
        if isinstance(old_new[0], dict)
    },
    "a tree of itself": pair(
        lambda of: served({"T": {"properties": {"v": of, "t": {"items": {"$ref": "#/components/schemas/T"}}}}})
    ),
    "each of many refers to all": pair(lambda of: all_to_all(50, of)),
    "each of as many as are read refers to all": pair(lambda of: all_to_all(43, of)),
    "a megabyte of operations": pair(
        lambda of: served(
            {"D": of},
            **{f"/p{n}": {"get": {"parameters": [{"name": "q", "in": "query", "schema": of}]}} for n in range(9_000)},
        )
    ),
    "a megabyte of shared schemas": pair(
        lambda of: served({f"S{n}": {**of, "x-a": f"{n}" + "x" * 220} for n in range(3_500)})
    ),
    "many operations that share a schema": pair(
        lambda of: served(
            {"D": {"properties": {f"p{n}": of for n in range(300)}}},
            **{
                f"/p{n}": {"put": {"requestBody": {"content": {"a/b": {"schema": {"$ref": "#/components/schemas/D"}}}}}}
                for n in range(300)
            },
        )
    ),
    "many operations, each changed twice": pair(
        lambda of: served(
            {"D": of},
            **{
                f"/p{n}": {
                    "get": {
                        "parameters": [{"name": "q", "in": "query", "schema": of}],
                        "responses": {"200": {"content": {"a/b": {"schema": {"properties": {"a": of}}}}}},
                    }
                }
                for n in range(800)
            },
        )
    ),
    "many parameters": pair(
        lambda of: served(
            {"D": of},
            **{"/p": {"get": {"parameters": [{"name": f"q{n}", "in": "query", "schema": of} for n in range(9_000)]}}},
        )
    ),
    "references that lead on and on": pair(
        lambda of: {
            **served({"D": of}, **{"/p": {"get": {"parameters": [{"$ref": "#/components/parameters/P0"}]}}}),
            "components": {
                "parameters": {f"P{n}": {"$ref": f"#/components/parameters/P{n + 1}"} for n in range(9_000)}
            },
        }
    ),
}


def test_references_are_read_up_to_a_bound():
    assert len(Contract("openapi", json.dumps(all_to_all(43, WHOLE))).facets) > 43
    with pytest.raises(InvalidContract, match="references"):
        Contract("openapi", json.dumps(all_to_all(50, WHOLE)))


@pytest.mark.parametrize(("old", "new"), SERVERS.values(), ids=SERVERS)
def test_hostile_changes_of_a_server_are_answered_too(looked_at, old, new):
    looked_at("openapi", json.dumps(old), json.dumps(new))


RECORD = {"required": ["id"], "properties": {"id": {"type": "integer"}, "tag": {"type": "string", "minLength": 1}}}
LONG = {
    "integers": ({"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}, ["a", *[1] * 400_000]),
    "records": ({"$defs": {"R": RECORD}, "items": {"$ref": "#/$defs/R"}}, [{"id": 1, "tag": "a"}] * 36_000),
    "records that differ": ({"uniqueItems": True}, [{"id": number, "tag": "a"} for number in range(32_000)]),
    "texts of a pattern": ({"items": {"pattern": "^[a-z]{3}-[0-9]+$"}}, [f"abc-{number}" for number in range(60_000)]),
    "names of a pattern": ({"propertyNames": {"pattern": "^k[0-9]"}}, {f"k{number}": 1 for number in range(60_000)}),
    "pairs": ({"items": {"prefixItems": [{"type": "integer"}, {"type": "string"}]}}, [[1, "a"]] * 70_000),
}


@pytest.mark.parametrize(("schema", "document"), LONG.values(), ids=LONG)
def test_a_long_document_is_judged_within_a_second(schema, document):
    program = """
import sys, time
from blackboard.contracts.json_schema.conform import findings
from blackboard.contracts.language import Contract
body, text = Contract("json-schema", sys.argv[1]).body, sys.stdin.read()
begin = time.process_time()
assert findings(body, {"m.json": text}) == []
print(time.process_time() - begin)
"""
    command = [sys.executable, "-c", program, json.dumps(schema)]
    asked = json.dumps(document, separators=(",", ":"))

    def measured():
        done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True, env=untraced())
        return float(done.stdout)

    assert within_a_second(measured)


ITSELF = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "properties": {"next": {"$ref": "#"}, "all": {"uniqueItems": True}, "text": {"pattern": "^(a|a)*$"}},
    "items": {"$ref": "#"},
    "prefixItems": [True, {"type": "string"}],
}


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ([0, "a", {"next": {"all": [1, "1", True, {"a": 1}, {"a": [1]}]}}], None),
        ([0, "a", {}, {"next": {"all": [{"a": 1, "b": 2}, 3, {"b": 2, "a": 1.0}]}}], "[3].next.all"),
        ([0, 1], "[1]"),
        ([0, "a", [0, "a", [0, 2]]], "[2][2][1]"),
        ({"next": {"text": "a" * 40 + "b"}}, "next.text"),
        ({"next": {"text": "a" * 40}}, None),
    ],
)
def test_what_is_wrong_is_found_in_its_place_however_it_is_reached(document, place):
    found = findings(Contract.json_schema(ITSELF).body, {"m.json": json.dumps(document)})
    assert [one.what.partition(": ")[0] for one in found] == ([] if place is None else [place])


TRIED = [
    {"properties": {"a": {"$ref": "#"}}, "type": "object", "required": ["a"]},
    {"properties": {"a": {"$ref": "#"}}, "type": "object", "required": ["b"]},
    {"type": "integer"},
]


@pytest.mark.parametrize("depth", [14, 40])
def test_a_document_that_alternatives_try_on_and_on_is_said_not_to_be_judged(depth):
    program = """
import resource, sys
from blackboard.contracts.json_schema.conform import findings
from blackboard.contracts.language import Contract
resource.setrlimit(resource.RLIMIT_CPU, (8, 8))
print(*findings(Contract("json-schema", sys.argv[1]).body, {"a.json": sys.argv[2]}))
"""
    document = json.dumps(nested(depth, lambda inner: {"a": inner}, "x"))
    command = [sys.executable, "-c", program, json.dumps({"oneOf": TRIED}), document]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=untraced())

    assert done.stdout.startswith("a.json: not judged: ")


TTL = {"ttl": {"type": "integer"}}


@pytest.mark.parametrize(
    ("schema", "document", "places"),
    [
        ({"properties": {"a": {"pattern": "^(?=x)y"}, **TTL}}, '{"a": "z", "ttl": "x"}', ["ttl"]),
        ({"properties": {"a": {"pattern": "^(?=x)y"}, **TTL}}, '{"a": "z", "ttl": 1}', []),
        ({"properties": {"a": {"not": {"pattern": "^(?=x)y"}}, **TTL}}, '{"a": "z", "ttl": "x"}', ["ttl"]),
        ({"properties": {"a": {"not": {"pattern": "^(?=x)y"}}, **TTL}}, '{"a": "z", "ttl": 1}', []),
        ({"patternProperties": {"^(x+)+$": {"type": "integer"}}, "properties": TTL}, '{"ttl": "x"}', ["ttl"]),
        ({"patternProperties": {"^(en|de)-[a-z]+$": {"type": "string"}}}, '{"en-us": 3}', ["en-us"]),
        ({"patternProperties": {"^(x+)+$": {}}, "additionalProperties": {"type": "null"}}, '{"x": 1, "y": 1}', ["y"]),
        ({"patternProperties": {"^(x+)+$": {}}, "unevaluatedProperties": False}, '{"y": 1}', []),
    ],
)  # fmt: skip
def test_a_pattern_that_cannot_be_matched_hides_nothing_else(schema, document, places):
    found = findings(Contract.json_schema({"type": "object", **schema}).body, {"a.json": document})
    assert [one.what.partition(":")[0] for one in found] == places


def test_a_name_is_matched_in_time():
    schema = {"type": "object", "patternProperties": {"^(x+)+$": {"type": "integer"}}, "additionalProperties": False}

    def measured():
        began = time.process_time()
        [found] = findings(Contract.json_schema(schema).body, {"a.json": f'{{"{"x" * 5_000}y": 1}}'})
        assert found.what.startswith("xxx")
        return time.process_time() - began

    assert within_a_second(measured)
