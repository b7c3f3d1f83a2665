"""One commit whose process dies by SIGKILL at a point of it.

`fault_crash.py LOCATION POINT KEY` with POINT one of `begun`, `applied`, `committed`; KEY is the idempotency key.
"""

import os
import signal
import sys

from blackboard import Blackboard, Contract
from blackboard.store import session


def main(location, point, key):
    with Blackboard.open(location) as board:
        transaction = board.transaction("ann", idempotency_key=key)
        transaction.decision("api/ids")
        transaction.decide("api/ids", Contract.value("text"))
        transaction.write("server", {"server.txt": "x" * 100_000})

        def die(reached):
            if reached == point:
                os.kill(os.getpid(), signal.SIGKILL)

        session.at_point = die
        transaction.commit()


if __name__ == "__main__":
    main(*sys.argv[1:])
