"""What a change means for others is told with its cost: before it, of what is proposed, and between two revisions."""

import pytest
from rich.console import Console

from blackboard import Budget, Contract, Controller, Team, external, knowledge_source, on
from blackboard.choreography import Choreography, Role, agree, each, may, quorum
from blackboard.cli import report
from blackboard.cli.impact import decide
from blackboard.cli.place import Author
from blackboard.cli.render import render
from blackboard.testing import FakeClock, open_memory

API = "class Note:\n    id: {}\n    title: str\n    def tagged(self, tag: str = ''{}) -> bool: ...\n"
SPENT = 12_400


@knowledge_source(role="coder", on=on.accepted("task/*"), name="cora")
def cora(context):
    with context.hold(20_000) as held:
        held.settle(SPENT)
    name = context.target.removeprefix("task/")
    with context.transaction() as transaction:
        transaction.decision("api/notes", facets=["Note.id" if name == "server" else "Note.tagged"])
        transaction.component(name)
        transaction.write(name, {f"{name}.txt": name})


@pytest.fixture
def board():
    """A board on which `server` relies on one facet of a decision and `cli` on another, each for `SPENT` tokens."""
    architect, reviewer, coder = Role("architect"), Role("reviewer", reliable=True), Role("coder")
    voted = agree(architect.proposes("api/{name}"), by=quorum(1, of=reviewer), amendments=3, within_seconds=60,
                  otherwise=Role("operator", reliable=True).decides("api/{name}"))  # fmt: skip
    choreography = Choreography("notes", each("api/{name}", voted, at_most=3), may(coder, "write", "*"))
    rik = external("rik", role="reviewer", on=on.proposed("api/*"))
    team = Team("notes", [cora, rik], choreography=choreography, budget=Budget(tokens=100_000))
    with open_memory(clock=FakeClock()) as board:
        board.install(team)
        with board.transaction("olga", role="operator") as transaction:
            transaction.decide("api/notes", Contract.python(API.format("int", "")))
            for name in ("server", "cli"):
                transaction.decide(f"task/{name}", Contract.task(summary=name))
        Controller(board, team, workers=1).run()
        yield board


def changed(kind="str", more=", deep: bool = False"):
    return {"api/notes": Contract.python(API.format(kind, more))}


def shown(record):
    screen = Console(width=10_000)
    with screen.capture() as captured:
        screen.print(render(record))
    return captured.get().splitlines()


LEFT = "stale: server  (1 of 2 components; about 12k tokens at this run's rate)     suspect: cli"


def test_before_it_is_decided(board):
    told = shown(decide(board, Author("olga", "operator"), changed(), dry_run=True))
    assert told[0] == "would amend api/notes 1 -> 2"
    assert told[1] == "  Note.id int -> str   breaking for uses, breaking for implements"
    assert told[2].startswith("  Note.tagged ")
    assert told[2].endswith("   compatible for uses, breaking for implements")
    assert told[3:] == [f"  {LEFT}"]


def test_while_it_is_proposed(board):
    with board.transaction("ada", role="operator") as transaction:
        transaction.decision("api/notes")
        transaction.propose("api/notes", changed()["api/notes"])
    proposed, accepted = report.decision(board, "api/notes").versions
    assert (proposed.affected.stale, proposed.affected.tokens, accepted.affected.stale) == (("server",), SPENT, ())
    assert f"    {LEFT}" in shown(report.decision(board, "api/notes"))


def test_between_the_revisions_before_and_after_it(board):
    before = board.revision
    after = decide(board, Author("olga", "operator"), changed()).revision
    assert shown(report.diff(board, before, after))[-1] == f"  {LEFT}"
    assert report.diff(board, after, after).affected.rework == ()


def test_what_a_component_was_built_against_shows_what_became_of_it(board):
    decide(board, Author("olga", "operator"), changed())
    assert shown(report.component(board, "server"))[1:3] == [
        "  uses api/notes 1 (now 2): Note.id",
        "    Note.id int -> str   breaking for uses",
    ]
    assert report.component(board, "server", at=board.revision - 1).pins[0].changes == ()
