"""The documents of a component are held against what was agreed of its interface, with file and line."""

import json

import pytest

from blackboard.contracts.conformance import JUDGED, conformance_plan
from blackboard.contracts.language import Contract
from blackboard.contracts.openapi.text import read_text

AGREED = """\
openapi: 3.1.0
info: {title: Notes, version: "1"}
paths:
  /notes/{id}:
    get:
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
        - {name: lang, in: query, schema: {enum: [en, no]}}
      responses:
        "200":
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Note"}
    delete:
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
      responses: {"204": {description: Gone.}}
components:
  schemas:
    Note:
      type: object
      required: [title]
      properties: {title: {type: string}}
"""
MORE = (
    AGREED.replace("{id}:", "{key}:")
    .replace("name: id", "name: key")
    .replace("    delete:", "    put: {responses: {'204': {description: Done.}}}\n    delete:")
)
NEEDED = "- {name: new, in: query, required: true}\n        "
REST = AGREED[: AGREED.index("  /notes")] + "  /other:\n    get: {responses: {'204': {description: Done.}}}\n"
ONE = AGREED[: AGREED.index("    delete:")] + AGREED[AGREED.index("components:") :]
OTHER = AGREED[: AGREED.index("    get:")] + AGREED[AGREED.index("    delete:") : AGREED.index("components:")]


def as_json(text):
    return json.dumps(read_text(text), indent=1)


def found(files, *, keys=("api/notes",)):
    plan = conformance_plan({key: (Contract("openapi", AGREED), None) for key in keys}, files)
    assert plan.probes == {}
    return [str(one) for one in plan.found] + list(plan.unjudged)


@pytest.mark.parametrize(
    "files",
    [
        {"notes.openapi.yaml": AGREED},
        {"docs/any.openapi.json": as_json(AGREED)},
        {"openapi.yaml": MORE, "package.json": '{"openapi": 1', "conf.yml": "a: {openapi: 1}"},
        {"a.yaml": ONE, "b.json": as_json(OTHER), "c.yml": REST},
        {"notes.openapi.yml": AGREED, "vendor/else.openapi.yaml": AGREED.replace("string", "integer")},
    ],
    ids=["the same", "in JSON", "more than agreed", "in several documents", "beside others' documents"],
)
def test_documents_that_provide_it_are_not_complained_about(files):
    assert found(files) == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a.py": ""}, ["api/notes could be judged by a file notes.openapi.yaml, and there is none"]),
        ({"a.openapi.yaml": OTHER}, ["a.openapi.yaml: GET /notes/{} is missing"]),
        (
            {"a.openapi.yaml": REST, "b.openapi.yaml": OTHER},
            ["b.openapi.yaml: GET /notes/{} is missing"],
        ),
        (
            {"openapi.yaml": AGREED.replace("[title]", "[]").replace("type: string", "type: [string, 'null']")},
            ["openapi.yaml:12: GET /notes/{} 200 application/json: "],
        ),
        (
            {"openapi.json": as_json(AGREED.replace("enum: [en, no]", "enum: [en]"))},
            ["openapi.json:19: GET /notes/{} query lang: "],
        ),
        (
            {"openapi.yaml": AGREED.replace("- {name: lang", NEEDED + "- {name: lang")},
            ["openapi.yaml:8: GET /notes/{} query new: parameter added"],
        ),
        (
            {"openapi.yaml": AGREED.replace("        - {name: lang, in: query, schema: {enum: [en, no]}}\n", "")},
            ["openapi.yaml:5: GET /notes/{} query lang is missing"],
        ),
        ({"notes.openapi.yaml": "openapi: 3.1.0\npaths: {/a: 1}"}, ["notes.openapi.yaml: paths//a: an object"]),
        ({"notes.openapi.json": '{"openapi":\n 3.1.}'}, ["notes.openapi.json:2: "]),
        ({"openapi.yaml": AGREED.replace("3.1.0", "3.0.0")}, ["openapi.yaml: a document of OpenAPI 3.1"]),
    ],
)  # fmt: skip
def test_what_breaks_who_uses_what_was_agreed_is_found_with_file_and_line(files, expected):
    complaints = found(files)
    assert len(complaints) == len(expected), complaints
    for said, begins in zip(complaints, expected, strict=True):
        assert said.startswith(begins)


def test_a_component_that_implements_two_interfaces_has_each_held_against_its_own():
    files = {"notes.openapi.yaml": AGREED, "other.openapi.yaml": REST}
    assert found(files, keys=("api/notes", "api/other")) == [
        "other.openapi.yaml: DELETE /notes/{} is missing",
        "other.openapi.yaml: GET /notes/{} is missing",
    ]


def test_interfaces_are_among_what_can_be_judged():
    assert "openapi" in JUDGED
