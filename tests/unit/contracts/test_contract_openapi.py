"""The language `openapi`: what is asked of a server and what it answers."""

import json

import pytest
from changes.every import APIS
from changes.messages import Api
from changes.row import Answer, Ask

from blackboard.contracts.language import Contract, language_for_suffix
from blackboard.errors import InvalidContract
from blackboard.spec.effects import UNDECIDED

RECIPES = """\
openapi: 3.1.0
info: {title: Recipes, version: "1"}
servers: [{url: https://example.org}]
security: [{key: []}]
paths:
  /recipes/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer}}
    get:
      operationId: readRecipe
      parameters:
        - {name: lang, in: query, schema: {enum: [en, no]}, example: en}
        - {$ref: "#/components/parameters/Trace"}
      responses:
        200:
          description: It.
          headers: {X-Rate: {schema: {type: integer}, required: true}}
          content: {application/json: {schema: {$ref: "#/components/schemas/Recipe"}}}
        4xx: {description: Not it.}
    put:
      security: []
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Recipe"}}}}
      responses: {"204": {description: Done.}}
components:
  parameters:
    Trace: {name: X-Trace, in: header, schema: {type: string}}
  schemas:
    Recipe: {type: object, properties: {title: {$ref: "#/components/schemas/Title"}}}
    Title: {type: string, description: What it is called.}
    Old: {type: string}
  securitySchemes:
    key: {type: http, scheme: bearer}
"""
HEADER = "GET /recipes/{} 200 header x-rate"
TITLE = {"#/components/schemas/Title": {"type": "string"}}
RECIPE = {
    "#/components/schemas/Recipe": {
        "type": "object",
        "properties": {"title": {"$ref": "#/components/schemas/Title"}},
    },
    **TITLE,
}


def message(proof):
    """Return the message that a proof is."""
    said = json.loads(proof.partition(": ")[2])
    headers = said.get("headers", {})
    if "request" in said:
        return Ask(said["request"], said.get("body"), headers, said.get("media", "application/json"))
    return Answer(said["response"], said["status"], said.get("body"), said.get("media"))


def test_every_part_is_a_facet():
    facets = Contract("openapi", RECIPES).facets

    assert set(facets) == {
        "GET /recipes/{}",
        "GET /recipes/{} path 1",
        "GET /recipes/{} query lang",
        "GET /recipes/{} header x-trace",
        "GET /recipes/{} 200",
        "GET /recipes/{} 200 header x-rate",
        "GET /recipes/{} 200 application/json",
        "GET /recipes/{} 4XX",
        "PUT /recipes/{}",
        "PUT /recipes/{} path 1",
        "PUT /recipes/{} body",
        "PUT /recipes/{} body application/json",
        "PUT /recipes/{} 204",
        "schemas Recipe",
        "schemas Title",
        "schemas Old",
        "security key",
        "servers",
    }
    assert facets["GET /recipes/{}"] == {"security": ['{"key":[]}']}
    assert facets["PUT /recipes/{}"] == {"security": []}
    assert facets["GET /recipes/{} query lang"]["schema"] == {"enum": ["en", "no"]}
    assert facets["GET /recipes/{} 200 application/json"] == {
        "schema": {"$ref": "#/components/schemas/Recipe"},
        "refs": RECIPE,
    }
    assert [facets[f"schemas {name}"]["direction"] for name in ("Recipe", "Title", "Old")] == ["both"] * 3


def test_a_document_in_yaml_is_the_same_in_json():
    assert Contract("openapi", Contract("openapi", RECIPES).skeleton()).digest == Contract("openapi", RECIPES).digest


@pytest.mark.parametrize("suffix", ["json", "yaml", "yml"])
def test_a_file_is_known_by_its_suffix(suffix):
    assert language_for_suffix(f"api/recipes.openapi.{suffix}", "") == "openapi"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("operationId: readRecipe", "operationId: read\n      summary: Read it.\n      tags: [a]"),
        ("description: What it is called.", "description: Its name., example: Soup"),
        ("{id}", "{recipe}"),
        ("example: en", "description: Which one."),
        ("200:", "'200':"),
    ],
)
def test_docs_and_names_that_are_never_sent_are_no_facets(before, after):
    changed = RECIPES.replace(before, after).replace("name: id,", "name: recipe," if before == "{id}" else "name: id,")

    assert changed != RECIPES
    old, new = Contract("openapi", RECIPES), Contract("openapi", changed)
    assert old.facets == new.facets
    assert {effect for change in old.compare(new).effects.values() for effect in change[:2]} <= {"documentation"}


@pytest.mark.parametrize("row", APIS, ids=[row.name for row in APIS])
def test_each_break_is_shown_by_a_message_that_one_sends_and_the_other_does_not_take(row):
    old, new = row.contracts()
    for name, change in old.compare(new).effects.items():
        assert change.reason
        if "breaking" not in (change.uses, change.implements):
            assert change.proof == ""
        elif not name.startswith("schemas "):
            before, after, shown = Api(row.old), Api(row.new), message(change.proof)
            assert (before.sent(shown) and not after.received(shown)) or (
                after.sent(shown) and not before.received(shown)
            )


@pytest.mark.parametrize(
    ("before", "after", "facet", "uses", "implements"),
    [
        ("key: []", "key: [], other: []", "GET /recipes/{}", "breaking", "compatible"),
        ("{key: []}]", "{key: []}, {other: []}]", "GET /recipes/{}", "compatible", "breaking"),
        ("scheme: bearer", "scheme: basic", "security key", "breaking", "breaking"),
        ("example.org", "example.com", "servers", "breaking", "breaking"),
        ("{type: integer}, required", "{type: number}, required", HEADER, "breaking", "compatible"),
        ("}, required: true}}\n", "}}}\n", HEADER, "breaking", "compatible"),
        ("enum: [en, no]}", "enum: [en, no]}, style: pipeDelimited", "GET /recipes/{} query lang", *["breaking"] * 2),
    ],
)
def test_what_else_a_server_says_is_compared(before, after, facet, uses, implements):
    changed = RECIPES.replace(before, after)
    change = Contract("openapi", RECIPES).compare(Contract("openapi", changed)).effects[facet]

    assert changed != RECIPES
    assert (change.uses, change.implements) == (uses, implements)


def test_a_schema_that_changes_changes_all_that_refer_to_it():
    changed = RECIPES.replace("Title: {type: string", "Title: {type: [string, 'null']")
    effects = Contract("openapi", RECIPES).compare(Contract("openapi", changed)).effects

    assert {name: (change.uses, change.implements) for name, change in effects.items()} == {
        "GET /recipes/{} 200 application/json": ("breaking", "compatible"),
        "PUT /recipes/{} body application/json": ("compatible", "breaking"),
        "schemas Recipe": ("breaking", "breaking"),
        "schemas Title": ("breaking", "breaking"),
    }
    assert UNDECIDED not in {change.proof for change in effects.values()}


TOP = "openapi: 3.1.0\ninfo: {title: a, version: '1'}\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 0),
        ("openapi: 3.0.0", 0),
        ("- openapi: 3.1.0", 0),
        ("openapi: 3.1.0\nopenapi: 3.1.0", 2),
        (TOP + "paths: !!python/object:os.system {}", 3),
        (TOP + "paths: *nowhere", 3),
        (TOP + "paths: {<<: {}}", 3),
        (TOP + "paths: [}", 3),
        (TOP + "paths: {}\n---\na: 1", 4),
        (TOP + "paths: {? [1]: 2}", 3),
        (TOP + "paths: " + "[" * 300 + "]" * 300, 3),
        (TOP + "paths: {/a: {$ref: '#/paths/~1a'}}", 0),
        (TOP + "paths: {/a: {$ref: 'other.yaml'}}", 0),
        (TOP + "paths: {/a: 3}", 0),
        (TOP + "paths: {'/a/{b}': {get: {}}, '/a/{c}': {get: {}}}", 0),
        (TOP + "paths: {/a: {get: {parameters: [{name: a, in: path}]}}}", 0),
        (TOP + "paths: {/a: {get: {parameters: [{name: a, in: query, schema: {type: strng}}]}}}", 0),
        (TOP + "components: {schemas: {A: {$ref: '#/components/schemas/B'}}}", 0),
        (TOP + "components: {schemas: {A: 3}}", 0),
        (TOP + "jsonSchemaDialect: https://example.org/dialect", 0),
    ],
)
def test_what_is_no_such_document_is_refused(text, line):
    with pytest.raises(InvalidContract) as caught:
        Contract("openapi", text)
    assert caught.value.language == "openapi"
    assert caught.value.line == line or not line


def test_what_is_wrong_in_json_has_its_place():
    schemas = {"A": {"type": "object", "properties": {"a": {"type": "strng"}}}}
    text = json.dumps({"openapi": "3.1.0", "components": {"schemas": schemas}}, indent=1)
    with pytest.raises(InvalidContract) as caught:
        Contract("openapi", text)

    assert '"strng"' in text.split("\n")[caught.value.line - 1]


def test_aliases_are_read_as_far_as_they_do_not_multiply():
    text = TOP + "x-a: &a {type: integer}\ncomponents: {schemas: {A: *a, B: *a}}"
    bomb = TOP + "x-0: &x0 [1, 2]\n" + "".join(f"x-{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 9))

    assert Contract("openapi", text).facets["schemas A"]["schema"] == {"type": "integer"}
    with pytest.raises(InvalidContract, match="more than"):
        Contract("openapi", bomb)


@pytest.mark.parametrize(
    ("before", "after", "facet", "reason"),
    [
        ("{type: integer}, required", "{type: number}, required", HEADER, "type integer -> number"),
        ("}, required: true}}\n", "}}}\n", HEADER, "required -> optional"),
    ],
)
def test_a_reason_is_in_the_words_of_the_document(before, after, facet, reason):
    change = Contract("openapi", RECIPES).compare(Contract("openapi", RECIPES.replace(before, after))).effects[facet]

    assert change.reason == reason


EVENTS = (
    TOP
    + """\
x-own: {a: 1}
paths:
  x-own: {a: 1}
  /r:
    post:
      callbacks:
        done:
          "{$request.query.to}":
            post:
              requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Event"}}}}
              responses: {"204": {description: Seen.}}
      responses: {"204": {description: Done.}}
webhooks:
  news:
    post:
      requestBody: {content: {application/json: {schema: {type: integer}}}}
      responses: {"204": {description: Seen.}}
components:
  schemas:
    Event: {type: object, required: [id], properties: {id: {type: integer}}}
"""
)


@pytest.mark.parametrize(
    ("before", "after", "uses", "implements"),
    [
        ("schema: {type: integer}", "schema: {type: number}", "breaking", "compatible"),
        ("id: {type: integer}", "id: {type: [integer, 'null']}", "breaking", "compatible"),
        ("required: [id]", "required: [id, at]", "compatible", "breaking"),
        (
            '      responses: {"204": {description: Seen.}}',
            '      responses: {"200": {description: Seen.}}',
            *["breaking"] * 2,
        ),
        ("  news:", "  olds:", "breaking", "breaking"),
        ("        done:", "        ended:", "breaking", "breaking"),
        ("    post:\n      requestBody", "    put:\n      requestBody", "breaking", "breaking"),
    ],
)
def test_in_callbacks_and_webhooks_who_implements_asks(before, after, uses, implements):
    compared = Contract("openapi", EVENTS).compare(Contract("openapi", EVENTS.replace(before, after)))

    assert (compared.effect("uses"), compared.effect("implements")) == (uses, implements)


def test_a_callback_has_no_callbacks():
    with pytest.raises(InvalidContract, match="of its own"):
        Contract(
            "openapi", EVENTS.replace('      responses: {"204": {description: Seen.}}', "      callbacks: {a: {b: {}}}")
        )


V1 = "servers: [{url: 'https://example.org/v1'}]"


@pytest.mark.parametrize(
    ("old", "new", "uses", "implements"),
    [
        ("", "servers: [{url: /v2}]", "breaking", "breaking"),
        ("", "servers: [{url: 'https://example.org'}]", "compatible", "compatible"),
        (V1, V1.replace("v1", "v2"), "breaking", "breaking"),
        (V1, V1.replace("]", ", {url: 'https://example.org/v2'}]"), "compatible", "breaking"),
        (V1.replace("]", ", {url: 'https://example.org/v2'}]"), V1, "breaking", "compatible"),
        (V1, V1.replace("'}", "', description: Here.}"), "none", "none"),
    ],
)
def test_requests_are_sent_to_servers(old, new, uses, implements):
    compared = Contract("openapi", TOP + old).compare(Contract("openapi", TOP + new))
    own = [TOP + "paths: {/r: {get: {" + (text or "servers: []") + "}}}" for text in (old, new)]
    of_one = Contract("openapi", own[0]).compare(Contract("openapi", own[1]))

    assert (compared.effect("uses"), compared.effect("implements")) == (uses, implements)
    assert of_one.effect("uses") == (uses if old else "breaking")
    assert all(change.proof != UNDECIDED for change in compared.effects.values())


def test_who_asks_is_known_by_the_scheme_and_not_by_its_name():
    renamed = RECIPES.replace("key:", "token:").replace("[key", "[token")
    same = Contract("openapi", RECIPES).compare(Contract("openapi", renamed))
    spelled = Contract("openapi", RECIPES.replace("scheme: bearer", "scheme: Bearer, bearerFormat: JWT"))
    keyed = RECIPES.replace("type: http, scheme: bearer", "type: apiKey, in: header, name: X-Key")
    bearer = Contract("openapi", RECIPES).compare(Contract("openapi", keyed))
    assert {same.effect("uses"), same.effect("implements")} == {"compatible"}
    assert not Contract("openapi", RECIPES).compare(spelled).effects
    assert bearer.effects["security key"].uses == "breaking"


def test_a_key_is_sent_where_its_scheme_says():
    keyed = RECIPES.replace("type: http, scheme: bearer", "type: apiKey, in: header, name: X-Key")
    gone = keyed.replace("    get:\n", "    head:\n")

    proof = Contract("openapi", keyed).compare(Contract("openapi", gone)).effects["GET /recipes/{}"].proof
    assert message(proof).headers == {"x-key": "…"}


def test_how_a_body_is_encoded_is_compared():
    form = TOP + "paths: {/r: {post: {requestBody: {content: {multipart/form-data: {schema: {}, %s}}}, responses: {}}}}"
    old, new = (Contract("openapi", form % f"encoding: {{a: {{contentType: {kind}}}}}") for kind in ("a/b", "a/c"))

    assert old.compare(new).effect("uses") == "breaking"
