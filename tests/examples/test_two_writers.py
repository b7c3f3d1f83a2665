"""The smallest example: two writers, one conflict, its premises shown, repaired."""

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "two_writers.py"


def test_it_shows_what_was_refused_and_why_and_what_a_change_concerns():
    done = subprocess.run([sys.executable, EXAMPLE], capture_output=True, text=True, timeout=60, check=True)
    refused, premise, title, identity = done.stdout.splitlines()
    assert refused.startswith("refused: api/notes#id changed")
    assert "clients make the ids" in refused
    assert premise == '  api/notes#id: "int" -> "str", by ann'
    assert (title, identity) == ("after a change of the title: current", "after a change of the id: stale")
