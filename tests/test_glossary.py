"""One word for one concept: the glossary lists the terms, and nothing is named by a word that the design forbids."""

import ast
import re
from collections.abc import Iterator

import pytest
from test_docs import bb_commands
from tools import ROOT, python_files, repository_files, shown

import blackboard
from blackboard.store import schema

GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
ROWS = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", GLOSSARY, re.MULTILINE)[1:]
LANGUAGE = {"BlackboardError", "Full", "Invalid", "NotABoard", "ReadOnly", "TooLarge", "Unavailable"}
"""Public names that say what they mean with no term of ours."""

FORBIDDEN = {
    *("manager", "util", "utils", "helper", "helpers", "misc", "certificate"),  # the design
    *("slip", "errand", "bell", "courtesy", "tenure", "standing", "salvage", "retell", "anew"),  # coined once
    *("stands", "told", "beside", "met"),  # riddles in the place of a noun
}
OF_OTHERS = {"run_manager"}
"""Names that a library of others asks for."""

NOT_YET = ("blackboard/store/",)
"""Where names are still to be changed; a room whose names are changed leaves this list."""


def words(name: str) -> set[str]:
    """Return the words of an identifier: `SpecState.key_id` -> spec, state, key, id; plurals as they are."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}


def identifiers(text: str) -> Iterator[str]:
    """Yield what a module defines: names of functions, classes, arguments, variables and attributes."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.arg():
                yield node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.attr


def forbidden(names: Iterator[str]) -> set[str]:
    return {name for name in names if words(name) & FORBIDDEN and name not in OF_OTHERS}


def spans(text: str) -> Iterator[str]:
    """Yield the words between backticks."""
    for span in re.findall(r"`([^`\n]+)`", text):
        yield from re.findall(r"\w+", span)


# --- what the glossary lists ---


def test_every_term_occurs_once_in_order_with_one_sentence() -> None:
    terms = [re.sub(r"[^a-z ]", " ", term.lower()) for term, _, _ in ROWS]
    assert terms == sorted(set(terms))
    assert [meaning for _, meaning, _ in ROWS if not re.fullmatch(r"[A-Z].*[^.]\.", meaning)] == []


@pytest.mark.parametrize("table", sorted(schema.metadata.tables))
def test_the_glossary_lists_every_table(table) -> None:
    assert table in set(spans(GLOSSARY))


@pytest.mark.parametrize("command", sorted(command for command in bb_commands() if command not in ("watch", "log")))
def test_the_glossary_lists_every_command(command) -> None:
    assert re.search(rf"`bb {command}\b", GLOSSARY)


@pytest.mark.parametrize(
    "name", sorted(name for name in blackboard.__all__ if isinstance(getattr(blackboard, name), type))
)
def test_the_glossary_lists_every_public_class(name) -> None:
    assert name in set(spans(GLOSSARY)) or name in LANGUAGE


def test_the_glossary_names_files_that_exist() -> None:
    named = re.findall(r"`((?:blackboard/)?[a-z_]+/(?:[a-z_]+\.py)?)`", GLOSSARY)
    assert [path for path in named if not any((ROOT / folder / path).exists() for folder in (".", "blackboard"))] == []


# --- what nothing is named ---


@pytest.mark.parametrize("path", python_files("blackboard", "knowledge_sources", "examples"), ids=shown)
def test_no_forbidden_word_names_anything(path) -> None:
    where = path.relative_to(ROOT).as_posix()
    if not where.startswith(NOT_YET):
        assert forbidden(identifiers(path.read_text("utf-8"))) == set()
        assert not words(path.stem) & FORBIDDEN


@pytest.mark.parametrize("path", [path for path in repository_files() if path.suffix == ".md"], ids=shown)
def test_no_document_names_anything_by_a_forbidden_word(path) -> None:
    text = path.read_text("utf-8")
    assert forbidden(spans(text)) == set()


def test_a_name_with_a_forbidden_word_is_found() -> None:
    assert forbidden(identifiers("class KeyStanding: pass")) == {"KeyStanding"}
    assert forbidden(identifiers("def f(beside): self._told = 1")) == {"beside", "_told"}
    assert forbidden(spans("see `bb board salvage`")) == {"salvage"}
