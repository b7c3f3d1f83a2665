"""A worker that may die at any moment: claims jobs, records a result of each under its lease, says that it is done.

`fault_mortal.py LOCATION`: a line `TARGET TOKEN` for each result that it was told is recorded; ends when nothing is
left.
"""

import os
import sys
import time

from blackboard import Blackboard, Contract


def work(board, lease):
    """Record a result unless one is there, which an earlier holder may have recorded before it died."""
    transaction = lease.transaction()
    key = lease.target.replace("job", "result")
    if transaction.decision(key) is None:
        transaction.decide(key, Contract.value(lease.token))
        transaction.commit()
        os.write(1, f"{lease.target} {lease.token}\n".encode())
    lease.finish()


def left(board):
    with board.store.database.reading() as connection:
        query = "SELECT count(*) FROM activation WHERE state IN ('pending', 'leased')"
        return connection.raw.execute(query).fetchone()[0]


def main(location):
    with Blackboard.open(location, durability="normal") as board:
        while True:
            leases = board.claim("worker", limit=50, lease_seconds=600)
            # Nobody takes one over while this process lives: they are long.
            for lease in leases:
                work(board, lease)
            if not leases:
                if not left(board):
                    return
                # What was lost with a worker waits a moment before it may be claimed again.
                time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
