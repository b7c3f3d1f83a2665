"""The file of a board is opened by SQLite alone: no command, method or source of this process opens it beside it.

To close any other descriptor of the file, one that only read it too, drops the locks that SQLite holds in this
process, and acknowledged commits vanish. What Python opens is seen by an audit hook; what SQLite's C code opens is not.
"""

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from tools import ROOT, require_tool

from blackboard import Blackboard, Contract, ReadOnly
from blackboard.cli.exits import Exit
from blackboard.cli.main import BOARD_COMMANDS, COMMANDS, main
from blackboard.store.sqlite import BESIDE
from knowledge_sources import Folder

NAMES = {f"board.db{suffix}" for suffix in ("", *BESIDE) if suffix != "-line"}

_seen: list[tuple[str, int]] = []
_looking = False


def _note(event, arguments):
    if _looking and event in ("open", "os.truncate", "os.remove", "os.rename", "os.link"):
        path = arguments[0]
        if isinstance(path, str | bytes) and Path(os.fsdecode(path)).name in NAMES:
            _seen.append((event, arguments[2] if event == "open" else 0))


sys.addaudithook(_note)  # it stays for as long as the process does, and is deaf outside `watched`


@contextmanager
def watched():
    """Give the list of what is done meanwhile to a board's files by anybody but SQLite."""
    global _looking  # noqa: PLW0603 - an audit hook has no other place
    _seen.clear()
    found: list[tuple[str, int]] = []
    _looking = True
    try:
        yield found
    finally:
        _looking = False
        # A file that this process has just made is open nowhere yet.
        found += [(event, flags) for event, flags in _seen if not flags & os.O_EXCL]


ARGUMENTS = {
    "run": [["run", "team", "--plain"]],
    "watch": [["watch", "--once"]],
    "status": [["status"], ["status", "--json"]],
    "why": [["why", "api/ids"]],
    "show": [["show"], ["show", "api/ids"], ["show", "server", "--files"], ["show", "--at", "1"]],
    "decide": [
        ["decide", "api/page", "page.json"],
        ["decide", "api/page", "page.json", "--dry-run"],
    ],
    "propose": [["propose", "api/more", "page.json"]],
    "vote": [["vote", "api/ids", "--yes"]],
    "log": [["log"], ["log", "--json"]],
    "diff": [["diff", "api/ids"], ["diff", "1", "2"]],
    "ask": [["ask", "api/other", "which?"]],
    "revert": [["revert", "api/ids", "--because", "no"]],
    "init": [["init", "begun"]],
    "export": [["export", "out"], ["export", "."], ["export", "out", "--at", "2"]],
    "create": [["board", "create", "new/board.db"], ["board", "create", "board.db"]],
    "upgrade": [["board", "upgrade"]],
    "backup": [["board", "backup", "copy.db"]],
    "copy": [["board", "copy", "own.db"]],
    "compact": [["board", "compact", "--before", "3", "--yes"]],
    "doctor": [["board", "doctor"], ["board", "doctor", "--full", "--json"]],
    "pause": [["board", "pause"], ["board", "resume"]],
    "drain": [["board", "drain", "--wait", "0"]],
    "resume": [["board", "resume"]],
    "cancel": [["board", "cancel", "writer", "api/ids"]],
    "retry": [["board", "retry", "writer", "api/ids"]],
    "unlock": [["board", "unlock", "api/ids"]],
    "budget": [["board", "budget", "tokens", "5"]],
    "seal": [["board", "seal"], ["board", "seal", "--off"]],
}
"""Command -> command lines that make it do its work."""

TEAM = """
from blackboard import Team, knowledge_source, on

@knowledge_source(role="writer", on=on.asked("**"))
def writer(lease, transaction):
    transaction.decide(lease.target, __import__("blackboard").Contract.value(1))

def team(options):
    return Team("build", [writer])
"""


def names_of(commands):
    return {command.__name__ for command in commands}


@pytest.fixture
def place(tmp_path, monkeypatch, given):
    """Return a folder with a board in use: one connection is open the whole time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BB_BOARD", str(tmp_path / "board.db"))
    (tmp_path / "page.json").write_text("20")
    (tmp_path / "new").mkdir()
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "team.py").write_text(TEAM)
    with Blackboard.open(tmp_path / "board.db", create=True, durability="normal") as board:
        given(board).decided("api/ids", "int")
        given(board).decided("api/ids", "text")
        given(board).written("server", uses=["api/ids"])
        yield tmp_path


def test_every_command_has_a_line():
    # A worker runs until it gets a signal; it has the code of a run.
    assert names_of((*COMMANDS, *BOARD_COMMANDS)) - {"work"} <= ARGUMENTS.keys()


@pytest.mark.parametrize("command", sorted(ARGUMENTS))
def test_no_command_opens_the_file_beside_sqlite(place, command):
    with watched() as opened:
        for arguments in ARGUMENTS[command]:
            assert main(arguments) is not None
    assert opened == []
    with Blackboard.open(place / "board.db") as board:
        board.verify()


def test_what_is_opened_beside_sqlite_is_seen(place):
    """The broken subject: a copy as bytes, a look at the first page, a log that is truncated."""
    for act in (
        (place / "board.db").read_bytes,
        lambda: os.close(os.open("board.db-wal", os.O_RDONLY)),
        lambda: os.truncate(place / "board.db-shm", (place / "board.db-shm").stat().st_size),
    ):
        with watched() as opened:
            act()
        assert len(opened) == 1


METHODS = {
    "revision": lambda board, _: board.revision,
    "cursor": lambda board, _: board.cursor,
    "snapshot": lambda board, _: [board.snapshot().decisions(), board.snapshot(at=1).convergence()],
    "changes": lambda board, _: board.changes(after=0),
    "watch": lambda board, _: list(board.watch(after=0, timeout_seconds=0.05)),
    "transaction": lambda board, _: board.transaction("ann").decision("api/ids"),
    "run_transaction": lambda board, _: board.run_transaction(
        lambda transaction: transaction.decide("k", Contract.value(1)), "ann"
    ),
    "find_commit": lambda board, _: board.find_commit("k", author="ann"),
    "claim": lambda board, _: board.claim("ann"),
    "install": lambda board, team: board.install(team),
    "differences": lambda board, team: board.differences(team),
    "tick": lambda board, _: board.tick(),
    "next_deadline": lambda board, _: board.next_deadline(),
    "verify": lambda board, _: board.verify(known_head=board.cursor),
    "backup": lambda board, _: board.backup("copy.db"),
    "copy": lambda board, _: board.copy("own.db", author="ann"),
    "owns": lambda board, _: board.owns("board.db"),
    "upgrade": lambda board, _: board.upgrade(),
    "close": lambda board, _: board.close(),
}
"""Public name of a board -> how it is used."""


def public(kind):
    return {name for name in vars(kind) if not name.startswith("_")} - {"open", "in_memory", "store"}


def test_every_method_is_used():
    assert public(Blackboard) <= METHODS.keys()


def test_no_method_opens_the_file_beside_sqlite(place, voting_team):
    with watched() as opened:
        with Blackboard.open("board.db") as board:
            for use in METHODS.values():
                use(board, voting_team())
    assert opened == []


def test_no_source_opens_the_file_beside_sqlite(place):
    """Programs and experts that ask a model build something, and a folder is in step."""
    board = place / "recipes" / "board.db"
    board.parent.mkdir()
    with watched() as opened:
        assert main(["run", str(ROOT / "examples" / "recipes"), "--board", str(board), "--plain"]) == 0
        with Blackboard.open(board) as found, Folder(found, place / "recipes", author="ann"):
            pass
    assert opened == []


@pytest.mark.parametrize("name", sorted(NAMES | {"board.db-line"}))
def test_a_component_cannot_write_over_the_board(place, given, name):
    """What an agent calls its files is its own choice; where they are exported to is a person's."""
    with Blackboard.open("board.db") as board:
        with board.transaction("eve") as transaction:
            transaction.write("evil", {name: "not a board any more"})
        kept = board.cursor
        with watched() as opened:
            with pytest.raises(ReadOnly):
                board.snapshot().export(place)
            folder = Folder(board, place, author="ann")
            folder.sync()
        assert opened == []
        assert name in folder.troubles
        assert board.verify() == kept


def test_another_name_of_the_board_is_the_board(place):
    with Blackboard.open("board.db") as board:
        (place / "link.db").hardlink_to(place / "board.db")
        assert board.owns("link.db")
        assert board.owns(place / "team" / ".." / "board.db")
        assert board.owns("board.db-wal")
        assert not board.owns("page.json")
        assert not board.owns("nothing.db")


def test_the_system_saw_the_same(place):
    """A cross-check of the hook: each descriptor of the file was opened as SQLite opens it."""
    strace = require_tool("strace")
    trace = place / "trace"
    program = "import sys; from blackboard.cli.main import main; sys.exit(main(sys.argv[1:]))"
    for arguments in (["status"], ["board", "doctor", "--full"], ["decide", "api/z", "page.json"]):
        seen = [strace, "-f", "-e", "trace=execve,open,openat", "-s", "400", "-o", trace]
        command = [*seen, sys.executable, "-c", program, *arguments]
        ran = subprocess.run(command, cwd=place, check=False, capture_output=True, text=True, timeout=60)
        assert ran.returncode in (Exit.YES, Exit.NO), ran.stderr
        lines = trace.read_text().splitlines()
        # A process of its own may read the bytes: its first call says that it is one.
        readers = {line.split()[0] for line in lines if "execve(" in line and "pages.py" in line}
        opened = [line for line in lines if re.search(r'/board\.db(-wal|-shm|-journal)?"', line) and "open" in line]
        assert opened
        for line in opened:
            assert line.split()[0] in readers or "O_NOFOLLOW" in line, line
