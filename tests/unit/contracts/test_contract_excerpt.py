"""The text of some facets, as it is shown to whoever builds on them."""

import json

from blackboard.contracts.language import Contract

STUB = '''"""Counts words.

module: words
"""
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass
class Counts:
    """What was counted."""

    total: int
    """All words."""
    longest: str

    def top(self, limit: int) -> list[str]: ...


class Other:
    x: int


def count(text: str, *, minimum_length: int = 1) -> Counts:
    """Count the words of a text; a word is a maximal run of letters.

    Raises:
        ValueError: minimum_length is below 1 (characters, not bytes).
    """
    ...


def unrelated() -> Other: ...
'''


def test_the_text_of_all_facets_is_the_text_itself():
    contract = Contract.python(STUB)

    assert contract.excerpt() == STUB
    assert contract.excerpt(contract.facets) == STUB


def test_a_function_is_shown_with_its_docstring_and_the_classes_that_it_mentions():
    shown = Contract.python(STUB).excerpt(["count"])

    assert "a word is a maximal run of letters" in shown
    assert "characters, not bytes" in shown
    assert "@dataclass\nclass Counts:" in shown
    assert "module: words" in shown
    assert "Other" not in shown
    assert Contract.python(shown).facets["count"] == Contract.python(STUB).facets["count"]


def test_a_member_is_shown_within_the_first_lines_of_its_class():
    shown = Contract.python(STUB).excerpt(["Counts.longest"])

    assert 'class Counts:\n    """What was counted."""\n' in shown
    assert "    longest: str" in shown
    assert "def top" not in shown
    assert "    total: int" not in shown
    assert "All words" not in shown


def test_a_class_without_shown_members_is_still_a_stub():
    shown = Contract.python("class Other:\n    x: int\nclass B: y: int\n").excerpt(["Other"])

    assert shown == "class Other:\n    ...\n"
    assert Contract.python("class B: y: int\nz: int\n").excerpt(["B.y"]) == "class B: y: int\n"


def test_of_other_languages_single_facets_are_lines_of_json():
    contract = Contract.value({"limits": {"size": 3}, "port": 80})

    assert contract.excerpt(["port"]) == "port: 80\n"
    assert contract.excerpt(["absent"]) == ""


DDL = """-- What is kept of notes.

-- A note is never deleted.
create table note (
  id integer primary key, -- made by the client
  minutes integer
);
-- Words to find notes by.
create table tag (name text primary key);
create index note_minutes on note (minutes);
alter table note add column title text;
"""


def test_a_table_is_shown_by_its_statements_with_their_comments():
    contract = Contract("sql", DDL)

    shown = contract.excerpt(["note.id"])
    assert shown == (
        "-- A note is never deleted.\ncreate table note (\n  id integer primary key, -- made by the client\n"
        "  minutes integer\n);\nalter table note add column title text;\n"
    )
    assert contract.excerpt(["tag"]) == "-- Words to find notes by.\ncreate table tag (name text primary key);\n"
    assert contract.excerpt(["index note_minutes"]) == "create index note_minutes on note (minutes);\n"
    assert contract.excerpt(["absent"]) == ""


def test_a_table_is_shown_with_what_comment_says_of_it_and_of_nothing_else():
    tables = "create table note (id integer);\ncreate table tag (name text);\n"
    of_note = "comment on table note is 'Never deleted.';\ncomment on column note.id is 'In seconds.';\n"
    of_tag = "comment on column tag.name is 'One word.';\n"
    for comments in (of_tag + of_note, of_note + of_tag):
        contract = Contract("sql", tables + comments)
        assert contract.excerpt(["note.id"]) == tables.splitlines(keepends=True)[0] + of_note
        assert contract.excerpt(["tag"]) == tables.splitlines(keepends=True)[1] + of_tag


def test_single_facets_are_shown_with_the_sentences_that_document_them():
    fields = {"ttl": {"type": "integer", "description": "In\nseconds."}, "name": {"type": "string"}}
    contract = Contract.json_schema({"type": "object", "properties": fields}, direction="both")
    ttl, name = contract.excerpt(["ttl"]), contract.excerpt(["name"])
    assert ttl.endswith("}  # In seconds.\n")
    assert "#" not in name


def test_an_operation_is_shown_with_its_summary_and_description():
    got = {"summary": "Read notes", "description": "Newest first.", "responses": {"200": {"description": "Found."}}}
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/notes": {"get": got}}}
    assert "  # Read notes: Newest first.\n" in Contract("openapi", json.dumps(document)).excerpt(["GET /notes"])
