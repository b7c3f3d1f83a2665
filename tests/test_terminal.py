"""What a person sees: `bb` in a real terminal."""

import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tools import require_tool

from blackboard import Blackboard, Contract

BB = Path(sys.executable).parent / "bb"
PATIENCE_SECONDS = 30


class Terminal:
    """A terminal of its own, with a shell in a folder."""

    def __init__(self, tmux: str, folder: Path) -> None:
        self._tmux = [tmux, "-L", f"bb-{uuid.uuid4().hex[:8]}", "-f", "/dev/null"]
        self._run("new-session", "-d", "-x", "110", "-y", "32", "-c", str(folder), "env PS1='$ ' sh")

    def _run(self, *arguments: str) -> str:
        return subprocess.run([*self._tmux, *arguments], capture_output=True, text=True, check=True).stdout

    def type(self, text: str) -> None:
        self._run("send-keys", "-l", text)
        self._run("send-keys", "Enter")

    def press(self, key: str) -> None:
        self._run("send-keys", key)

    @property
    def screen(self) -> str:
        return self._run("capture-pane", "-p")

    def wait(self, shows: Callable[[str], bool]) -> str:
        """Return the first screen that shows it."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not shows(screen := self.screen):
            assert time.monotonic() < until, screen
            time.sleep(0.05)
        return screen

    def close(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    found = Terminal(require_tool("tmux"), tmp_path)
    yield found
    found.close()


def test_a_watcher_shows_what_another_process_does_and_ends_when_it_is_interrupted(terminal, location) -> None:
    with Blackboard.open(location, create=True) as board:
        terminal.type(f"{BB} watch --board {location}; echo ended with $?")
        terminal.wait(lambda screen: "obligations" in screen.lower() or "decisions" in screen.lower())
        with board.transaction("ann") as ann:
            ann.ask("api/notes", "what is a note?")
        terminal.wait(lambda screen: "api/notes" in screen)
        with board.transaction("ann") as ann:
            ann.decide("api/notes", Contract.value({"id": "int"}))
        with board.transaction("bob") as bob:
            bob.decision("api/notes")
            bob.write("shop", {"shop.py": "print()\n"})
        screen = terminal.wait(lambda screen: "shop" in screen)
        assert "accepted" in screen
        terminal.press("C-c")
        terminal.wait(lambda screen: "ended with" in screen.replace("echo ended with", ""))


def test_hostile_text_does_not_reach_the_terminal_as_more_than_text(terminal, location) -> None:
    with Blackboard.open(location, create=True) as board, board.transaction("ann") as ann:
        ann.decide("api/notes", Contract.value({"id": "\x1b[2J\x1b]0;owned\x07int"}), rationale="\u202esti\x1b[31m red")
    terminal.type(f"{BB} show api/notes --board {location}; echo ended with $?")
    screen = terminal.wait(lambda screen: "ended with 0" in screen)
    assert "bb show api/notes" in screen
    assert "[31m red" in screen
