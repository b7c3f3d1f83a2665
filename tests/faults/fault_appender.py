"""Transactions on lists, at random: read some keys, read patterns, append elements that nobody else appends.

As a process: `fault_appender.py LOCATION NAME COMMITS SEED LOG`. A line of the log is JSON: before the commit
`{"name", "begun", "reads", "patterns", "appends"}`, after it `{"name", "ended", "answer"}` with the answer a revision
or `refused`; what is unknown has no answer.
"""

import json
import os
import random
import sys
import time

from blackboard import Blackboard, CommitUnknown, Conflict, Contract, Reserved

GROUPS, KEYS = 2, 3
ERA = 150
"""Revisions for which the same lists are used, so that none grows without end."""


class Appender:
    """One transaction, step by step, and what it saw."""

    def __init__(self, board, name, draw, now=time.monotonic):
        self.name, self.draw, self.now = name, draw, now
        self.begun = now()
        self.transaction = board.transaction("appender", role="operator", idempotency_key=name)
        self.era = self.transaction.revision // ERA
        self.reads: dict[str, list[str]] = {}
        self.patterns: list[str] = []
        self.appends: dict[str, list[str]] = {}
        self.steps = draw.choices([self.read, self.scan, self.append], weights=[3, 2, 4], k=draw.randrange(1, 5))

    def key(self):
        return f"list/{self.draw.randrange(GROUPS)}/{self.era}/{self.draw.randrange(KEYS)}"

    def read(self):
        self.seen(self.key())

    def scan(self):
        pattern = f"list/{self.draw.randrange(GROUPS)}/{self.era}/*"
        self.patterns.append(pattern)
        for one in self.transaction.decisions(pattern):
            self.reads[one.key] = list(one.value)

    def seen(self, key):
        found = self.transaction.decision(key)
        self.reads[key] = [] if found is None else list(found.value)
        return self.reads[key]

    def append(self):
        key = self.key()
        if key in self.appends:
            return
        element = f"{self.name}-{len(self.appends)}"
        self.transaction.decide(key, Contract.value([*self.seen(key), element]))
        self.appends[key] = [element]

    @property
    def record(self):
        return {
            "name": self.name,
            "begun": self.begun,
            "reads": self.reads,
            "patterns": self.patterns,
            "appends": self.appends,
        }

    def commit(self):
        """Commit and return the answer as the log says it; None where it is unknown."""
        try:
            answer = self.transaction.commit().revision
        except (Conflict, Reserved):
            answer = "refused"
        except CommitUnknown:
            return None
        return {"name": self.name, "ended": self.now(), "answer": answer}


def main(location, name, commits, seed, log):
    place = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def say(record):
        os.write(place, (json.dumps(record) + "\n").encode())

    draw = random.Random(f"{seed} {name}")
    with Blackboard.open(location) as board:
        for number in range(int(commits)):
            appender = Appender(board, f"{name}-{number}", draw)
            for step in appender.steps:
                step()
            say(appender.record)
            answer = appender.commit()
            if answer is not None:
                say(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
