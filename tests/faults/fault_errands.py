"""A process that commits as fast as it can, and says what it was told, and whether another one did it.

`fault_errands.py LOCATION NAME LIFE COMMITS`. A line for each commit: `told NUMBER REVISION by NAME` with `self` or
`another`, or `refused NUMBER`, or `unknown NUMBER`; NUMBER counts the commits of this life.
"""

import os
import random
import sys

from blackboard import Blackboard, CommitUnknown, Conflict, Contract, Reserved
from blackboard.store.errands import Errands


def main(location, name, life, commits):
    draw, answered, done = random.Random(f"{name} {life}"), [], Errands.done

    def told(errands, answer):
        answered.append(True)
        return done(errands, answer)

    Errands.done = told
    with Blackboard.open(location) as board:
        for number in range(int(commits)):
            answered.clear()
            mark = f"{name}-{life}-{number}"
            key = "all/one" if draw.random() < 0.1 else f"own/{name}/{number % 5}"
            transaction = board.transaction(name, role="operator", idempotency_key=mark)
            transaction.decision(key)
            transaction.decide(key, Contract.value(mark))
            try:
                line = f"told {number} {transaction.commit().revision} {'another' if answered else 'self'}"
            except (Conflict, Reserved):
                line = f"refused {number} 0 -"
            except CommitUnknown:
                line = f"unknown {number} 0 -"
            os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
