import dataclasses
import io
import json
import types
import typing
import unicodedata
from collections.abc import Mapping

import pytest
from rich.console import Console

from blackboard.clean import clean
from blackboard.cli.affected import Affected
from blackboard.cli.records import (
    ActivationLine,
    Cause,
    DecisionReport,
    DiffReport,
    FacetLine,
    Frame,
    ImpactReport,
    KeyChange,
    Record,
    StatusReport,
    VersionLine,
    WhyReport,
    to_json,
)
from blackboard.cli.render import render
from blackboard.cli.screen import screen
from blackboard.cli.terminal import emit
from blackboard.contracts.losing import Lost
from blackboard.spec.convergence import Obligation

HOSTILE = "x\x1b[31m\x9b2J\r\n\u202eevil\u200b\ufeff [red]b[/red] [link=http://a]c[/link] :smile: \x07\ud800"
RECORDS = [record for record in typing.get_args(Record) if record is not Frame]


def filled(kind):
    """Return a value of a type in which every text is hostile."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return kind(**{field.name: filled(field.type) for field in dataclasses.fields(kind)})
    if origin in (types.UnionType, typing.Union):
        return HOSTILE if str in arguments else filled(next(one for one in arguments if one is not type(None)))
    if origin is tuple:
        return (filled(arguments[0]),) if arguments[-1] is ... else tuple(filled(one) for one in arguments)
    if origin is Mapping:
        return {HOSTILE: filled(arguments[1])}
    return {int: 1, float: 1.0, bool: True}.get(kind, HOSTILE)


def printed(renderable, width=10_000):
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=False).print(renderable)
    return out.getvalue()


def unseen(text):
    return [one for one in text if one != "\n" and unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


@pytest.mark.parametrize("record", RECORDS)
def test_hostile_text_anywhere_in_a_record_is_printed_as_visible_text(record):
    shown = printed(render(filled(record)))
    assert not unseen(shown)
    assert r"x\x1b[31m\x9b2J" in shown
    assert r"\u202eevil\u200b\ufeff [red]b[/red] [link=http://a]c[/link] :smile: \x07\ud800" in shown


def test_hostile_text_in_the_live_view_is_visible_text_on_one_line_a_row():
    frame = filled(Frame)
    for width in (80, 160):
        shown = printed(screen(frame, width), width)
        assert not unseen(shown)
        assert r"x\x1b[31m\x9b2J" in shown


@pytest.mark.parametrize("record", [*RECORDS, Frame])
def test_hostile_text_in_json_is_ascii_and_comes_back_as_it_was(record):
    text = to_json(filled(record))
    assert text.isascii()
    assert not unseen(text)
    assert HOSTILE in _texts(json.loads(text))


def _texts(value):
    if isinstance(value, dict):
        return {text for one in (*value.keys(), *value.values()) for text in _texts(one)}
    if isinstance(value, list):
        return {text for one in value for text in _texts(one)}
    return {value} if isinstance(value, str) else set()


def test_escapes_of_a_terminal_come_only_from_our_own_styles():
    out = io.StringIO()
    Console(file=out, width=10_000, force_terminal=True, color_system="standard").print(render(filled(WhyReport)))
    for style in ("\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"):
        out = io.StringIO(out.getvalue().replace(style, ""))
    assert "\x1b" not in out.getvalue()


def test_why_reads_as_the_design_says():
    broke = FacetLine("Recipe.id", "int -> str", "breaking", "", "")
    shown = WhyReport(
        key="http-api",
        kind="component",
        state="stale",
        since=57,
        causes=(
            Cause(57, "ann", "operator", "amended api/ids 2 -> 3", "clients make them", (broke,)),
            Cause(41, "coder-2", "", "wrote http-api 2 against api/recipes 2 (facets Recipe.id, Recipe.title)"),
        ),
        waits_for=(),
        left=(),
        next=(ActivationLine("coder", "http-api", "stale", "pending", 3.0, 0, 57),),
    )
    assert printed(render(shown)).splitlines() == [
        "http-api is stale since 57",
        '  57 ann (operator) amended api/ids 2 -> 3 "clients make them": Recipe.id int -> str, breaking for uses',
        "  41 coder-2 wrote http-api 2 against api/recipes 2 (facets Recipe.id, Recipe.title)",
        "  next: coder on http-api, rating 3, pending since 57 (stale)",
    ]


def test_an_impact_says_what_would_be_stale_what_it_costs_and_who_refuses():
    line = FacetLine("recipe.id", "int -> text", "breaking", "breaking", "undecided")
    shown = ImpactReport(
        changes=(KeyChange("db/schema", 2, 3, (line,)),),
        affected=Affected(("http-api", "storage"), ("cli",), (), ("doc/ids",), 9, 41_380),
        refused_by="a == b",
        constraint="constraint/ids",
        together="bb decide db/schema schema.sql api/recipes recipes.pyi",
    )
    assert printed(render(shown)).splitlines() == [
        "would amend db/schema 2 -> 3:  recipe.id int -> text   breaking for uses, breaking for implements (undecided)",
        "  stale: http-api, storage  (2 of 9 components; about 41k tokens at this run's rate)     suspect: cli",
        "  decisions stale: doc/ids",
        "  refused by constraint/ids: a == b;  amend them together:",
        "  bb decide db/schema schema.sql api/recipes recipes.pyi",
    ]


def test_a_version_that_lost_says_for_which_facets():
    lost = (Lost("api/ids", "id", '"int"', '"str"'), Lost("db/ids", "page", None, "50"), Lost("db/ids", "n", "1", "1"))
    line = VersionLine(2, "rejected", "value", "ann", "", "", 7, None, None, (), "too late", "", lost=lost)
    assert printed(render(DecisionReport("db/ids", "accepted", 1, (), (line,)))).splitlines()[2:] == [
        "    too late",
        "    api/ids id was accepted otherwise: int -> str",
        "    db/ids page was accepted otherwise: absent -> 50",
        "    db/ids n stays 1",
    ]


def test_the_set_of_facet_names_is_shown_only_where_it_says_something_new():
    added = FacetLine("b", "absent -> 1", "breaking", "breaking")
    names = FacetLine("", "facets: 1 added", "breaking", "breaking")
    language = FacetLine("", "language value -> python", "breaking", "breaking")
    change = KeyChange("k", 1, 2, (names, added))
    report = ImpactReport((change,))
    assert "facets" not in printed(render(report))
    changed = dataclasses.replace(report, changes=(dataclasses.replace(change, facets=(language, added)),))
    assert "language value -> python" in printed(render(changed))


def status(kind, **agenda):
    left = (Obligation("server", "required: nobody wrote it", ("coder-1",)),)
    return StatusReport("b.db", 7, kind == "converged", kind, left, (), "", {"open": 1}, {}, agenda)


def test_a_board_on_which_somebody_works_has_not_stalled_yet():
    assert printed(render(status("stalled"))).startswith("stalled at revision 7 of b.db")
    assert printed(render(status("stalled", leased=1))).startswith("at work at revision 7 of b.db")


def test_what_is_left_names_who_is_waited_for():
    assert "  server: required: nobody wrote it (waits for coder-1)" in printed(render(status("stalled"))).splitlines()


def test_a_long_line_is_never_wrapped_without_a_terminal(capsys):
    cause = Cause(1, "ann", "operator", "decided k 1", "because " * 200)
    emit(WhyReport("k", "decision", "accepted", 1, (cause,), (), (), ()), as_json=False)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_clean_is_what_makes_a_hostile_key_visible():
    assert clean(HOSTILE) in printed(render(WhyReport(HOSTILE, "", "", None, (), (), (), ())))


def test_a_proof_is_shown_where_it_is_asked_for_and_that_there_is_none_always():
    proved = FacetLine("create", "limit was added", "breaking", "breaking", "create('a')\ncreate('b')")
    unproved = FacetLine("list", "int -> str", "breaking", "none", "undecided")
    change = KeyChange("api/notes", 1, 2, (proved, unproved))
    short, long = (printed(render(DiffReport(1, 2, (change,), (), proofs=proofs))) for proofs in (False, True))
    assert "create('a')" not in short
    assert "undecided" in short
    assert "create('a')\n    create('b')" in long
    assert long.count("this worked") == 1
