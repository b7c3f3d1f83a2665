"""A watcher as a process of its own: one line for each batch, `REVISION KEYS…`, until a revision is reached.

`fault_watcher.py LOCATION AFTER UNTIL LOG`
"""

import os
import sys

from blackboard import Blackboard


def main(location, after, until, log):
    place = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    with Blackboard.open(location) as board:
        for batch in board.watch(after=int(after)):
            revisions = {change.revision for change in batch}
            assert len(revisions) == 1, batch
            assert [change.ordinal for change in batch] == list(range(len(batch))), batch
            os.write(place, f"{batch[0].revision} {' '.join(change.key for change in batch)}\n".encode())
            if batch[0].revision >= int(until):
                return


if __name__ == "__main__":
    main(*sys.argv[1:])
