"""Record examples/recorded anew from who answers files: `PYTHONPATH=tests python -m reader.record FOLDER WHO`.

Each prompt becomes a file in FOLDER and waits there for its reply (see `file_model`); WHO is named as the model that
gave it. A prompt that is the same as before keeps its reply; replies to prompts that are no more are removed.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from reader.file_model import FileChatModel

from blackboard import Controller
from blackboard.cli.teamfile import Options, load_team
from blackboard.testing import open_memory
from knowledge_sources import model as asking

PATIENCE_SECONDS = 24 * 3600.0
"""How long a reader may take."""
EXAMPLE = Path(__file__).parents[2] / "examples" / "recorded"


def main() -> int:
    """Run the team once, and keep what the reader says."""
    parser = argparse.ArgumentParser(description="Record the example anew from a reader who answers files.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("who")
    options = parser.parse_args()
    sys.path.insert(0, str(EXAMPLE))
    from recorded import Recorded

    asking.CALL_SECONDS = PATIENCE_SECONDS
    reader = FileChatModel(folder=options.folder, announces=True, reader=options.who)
    model = Recorded(calls=EXAMPLE / "calls", model=reader)
    with open_memory() as board:
        team = load_team(EXAMPLE / "team.py", Options(model=model))
        patient = [replace(one, timeout_seconds=PATIENCE_SECONDS) for one in team.sources]
        outcome = Controller(board, replace(team, sources=patient)).run()
    model.forget_others()
    print(outcome.kind, *(f"{one.key}: {one.reason}" for one in outcome.obligations), sep="\n")  # noqa: T201
    return 0 if outcome.kind == "converged" else 1


if __name__ == "__main__":
    raise SystemExit(main())
