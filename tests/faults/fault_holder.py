"""A holder of a lease as a process of its own, that thinks until it is told to go on.

`fault_holder.py LOCATION`: says `leased TOKEN`, waits for a line, commits under the lease, says `committed REVISION` or
`lost`, then whether it may renew, finish and give back: `renew lost`, …
"""

import sys

from blackboard import Blackboard, Contract, LeaseLost


def main(location):
    with Blackboard.open(location) as board:
        (lease,) = board.claim("worker", lease_seconds=5)
        transaction = lease.transaction()
        transaction.decision("result/0")
        transaction.decide("result/0", Contract.value("the zombie's"))
        say(f"leased {lease.token}")
        sys.stdin.readline()
        try:
            say(f"committed {transaction.commit().revision}")
        except LeaseLost:
            say("lost")
        for name in ("renew", "finish", "release"):
            try:
                getattr(lease, name)()
                say(f"{name} done")
            except LeaseLost:
                say(f"{name} lost")


def say(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
