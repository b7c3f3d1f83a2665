"""A board of each schema, and what it says of itself: later libraries may not change a word of it.

`python tests/store/golden_boards.py` makes the pair of files for the schema of this checkout, in `golden/`: a board on
which the recipes example ran, and to which was added what that run lacks. It is run once for each schema.
"""

import gzip
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from blackboard import Blackboard, Contract
from blackboard.store.schema import SCHEMA

GOLDEN = Path(__file__).parent / "golden"
EXAMPLE = Path(__file__).parents[2] / "examples" / "recipes"


def unpacked(schema: str, folder: Path) -> Path:
    """Return a copy of the golden board of a schema."""
    folder.mkdir(exist_ok=True)
    place = folder / "board.db"
    with gzip.open(GOLDEN / f"schema-{schema}.db.gz") as packed, place.open("wb") as file:
        shutil.copyfileobj(packed, file)
    return place


def observed(board: Blackboard) -> dict[str, object]:
    """Return what a reader sees: the feed, and the spec as of a few revisions."""
    head = board.revision
    moments = sorted({1, head // 4, head // 2, 3 * head // 4, head})
    return {
        "epoch": board.cursor.epoch,
        "revision": head,
        "digest": board.cursor.digest,
        "changes": [[one.revision, one.ordinal, one.kind, one.key, one.author] for one in board.changes(after=0)],
        "moments": {str(moment): _moment(board.snapshot(at=moment)) for moment in moments},
    }


def _moment(snapshot) -> dict[str, object]:
    return {
        "decisions": [
            [one.key, one.version, str(one.state), one.contract.language, one.contract.text]
            for one in snapshot.decisions("**")
        ],
        "components": [
            [one.key, one.version, str(one.state), sorted(one.files), [[*map(str, pin)] for pin in _pins(one)]]
            for one in snapshot.components("**")
        ],
        "questions": [[one.key, one.question] for one in snapshot.questions("**")],
    }


def _pins(component) -> list[tuple[object, ...]]:
    return sorted((one.key, one.name, str(one.side), one.version, one.digest) for one in component.pins)


def make(location: Path) -> None:
    """Run the example on a new board, then do what it does not do."""
    program = "from blackboard.cli.main import run; run()"
    command = [sys.executable, "-c", program, "run", EXAMPLE, "--board", location, "--plain"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with Blackboard.open(location) as board:

        def act(do) -> None:
            with board.transaction("ann", role="operator") as transaction:
                do(transaction)

        act(lambda transaction: transaction.decide("notes/first", Contract.text("kept")))
        act(lambda transaction: transaction.decide("notes/second", Contract.text("given up")))
        act(
            lambda transaction: (
                transaction.decision("notes/second"),
                transaction.retract("notes/second", reason="nobody reads it"),
            )
        )
        act(lambda transaction: (transaction.decisions("notes/*"), transaction.write("index", {"index.txt": "first"})))
        act(lambda transaction: transaction.decide("notes/third", Contract.text("came later")))
        act(lambda transaction: transaction.ask("notes/fourth", "is it needed?", options=("yes", "no")))


def main() -> None:
    """Write the files of this schema."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "board.db"
        make(place)
        with Blackboard.open(place) as board:
            said = observed(board)
        connection = sqlite3.connect(place)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("VACUUM")
        connection.close()
        GOLDEN.mkdir(exist_ok=True)
        (GOLDEN / f"schema-{SCHEMA}.db.gz").write_bytes(gzip.compress(place.read_bytes(), mtime=0))
        (GOLDEN / f"schema-{SCHEMA}.json").write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
