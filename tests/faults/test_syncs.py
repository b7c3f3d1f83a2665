"""S1: whatever was answered had been synced before, as the system saw it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tools import require_tool

SCRIPT = """
import os, sys
from blackboard import Blackboard, Conflict, Contract

def say(word):
    os.write(1, f"<{word}>".encode())

say("opening")
board = Blackboard.open("board.db", create=True, durability=sys.argv[1])
say("opened")
with board.transaction("ann") as ann:
    ann.decide("api/notes", Contract.value("int"), rationale="first")
say("committed")
behind = board.transaction("bob")
behind.decision("api/notes")
behind.decide("api/notes", Contract.value("str"))
say("reading")
board.snapshot().decision("api/notes")
say("read")
behind.commit()
say("amended")
"""


@pytest.fixture
def seen(tmp_path: Path):
    """Return a way to run the script and see, between its words, which files of the board were synced."""
    strace = require_tool("strace")

    def run(durability: str) -> dict[str, list[str]]:
        trace = tmp_path / "trace"
        options = ["-f", "-y", "-e", "trace=fsync,fdatasync,write", "-s", "40", "-o", trace]
        command = [strace, *options, sys.executable, "-c", SCRIPT, durability]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        assert ran.returncode == 0, ran.stderr
        found: dict[str, list[str]] = {}
        since: list[str] = []
        for line in trace.read_text().splitlines():
            if word := re.search(r'write\(1<[^>]*>, "<(\w+)>"', line):
                found[word[1]], since = since, []
            elif synced := re.search(r"(?:fsync|fdatasync)\(\d+<([^>]*)>\)\s+= 0", line):
                since.append(Path(synced[1]).name)
        return found

    return run


def test_a_commit_is_synced_before_it_is_answered_and_so_is_what_an_opened_board_shows(seen) -> None:
    synced = seen("full")
    assert list(synced) == ["opening", "opened", "committed", "reading", "read", "amended"]
    assert {word for word, files in synced.items() if "board.db-wal" in files} == {"opened", "committed", "amended"}


def test_with_normal_durability_no_commit_waits_for_the_disk(seen) -> None:
    synced = seen("normal")
    assert [synced[word] for word in ("committed", "reading", "read", "amended")] == [[], [], [], []]
