"""What races do: one author's part of it, run in a thread by a test or as a process of its own.

As a process: `fault_worker.py LOCATION AUTHOR COMMITS SEED LOG [CLOCK]`. Each acknowledged commit is one line of the
log,
`WORKLOAD REVISION`, written after the answer came; a refusal is `WORKLOAD REFUSED PREMISES`. Whatever is raised that is
no refusal ends the process with a traceback.
"""

import os
import random
import sys
import time

from blackboard import Blackboard, Conflict, Contract, IllegalTransition, NotPermitted, Reserved

SHELVES = 25
"""So that a long race does not read thousands of decisions in each transaction."""

OPERATOR = "operator"
"""The authors are operators, since what they do again and again is amended without end."""


class Author:
    """One author of a race, doing one thing at a time at random."""

    def __init__(self, board, name, seed, log):
        self.board, self.name, self.log = board, name, log
        self.random = random.Random(f"{seed} {name}")
        self.done = 0

    def run(self, commits):
        for _ in range(commits):
            self.once(self.random.choice(sorted(WORKLOADS)))

    def once(self, workload):
        """Do one thing until it is committed or can no longer be done."""
        while True:
            transaction = self.board.transaction(self.name, role=WORKLOADS[workload][1])
            try:
                if WORKLOADS[workload][0](self, transaction) is False:
                    transaction.discard()
                    return
                done = transaction.commit()
            except Conflict as conflict:
                if not conflict.premises:
                    raise AssertionError(f"{workload} was refused without a premise") from conflict
                self.log(f"{workload} refused {len(conflict.premises)}")
                continue
            except Reserved as reserved:
                self.log(f"{workload} reserved 1")
                time.sleep(min(reserved.expires_in_seconds, 0.01))
                continue
            except (IllegalTransition, NotPermitted):
                # Somebody else's vote was the last one, or a round ended.
                self.log(f"{workload} late 1")
                return
            self.log(f"{workload} {done.revision}")
            return

    # --- what is done ------------------------------------------------------------------------------------------------

    def count(self, transaction):
        """Add one to a counter: no update may be lost. Who did it is part of it, or two would agree on one number."""
        found = transaction.decision("race/count")
        count = found.value["count"] if found else 0
        transaction.decide("race/count", Contract.value({"count": count + 1, "by": self.name}))

    def skew(self, transaction):
        """Go off duty only while the other one is on duty: never are both off."""
        on_duty = {key: transaction.decision(f"race/duty-{key}").value for key in "ab"}
        mine = self.random.choice("ab")
        other = "b" if mine == "a" else "a"
        if on_duty[mine] and not on_duty[other]:
            return False
        transaction.decide(f"race/duty-{mine}", Contract.value(not on_duty[mine]))
        return None

    def phantom(self, transaction):
        """Take the next number on a shelf, which is how many there are: no two get the same."""
        shelf = self.random.randrange(SHELVES)
        there = transaction.decisions(f"item/{shelf}/*")
        self.done += 1
        transaction.decide(f"item/{shelf}/{self.name}-{self.done}", Contract.value({"number": len(there)}))

    def facet(self, transaction):
        """Add one's own facet to a decision that others add theirs to: none is lost."""
        found = transaction.decision("race/facets")
        self.done += 1
        value = dict(found.value) if found else {}
        # A few facets, each with a number that only grows, so that the decision stays small.
        name = f"{self.name}_{self.random.randrange(3)}".replace("-", "_")
        value[name] = value.get(name, 0) + 1
        transaction.decide("race/facets", Contract.value(value))

    def build(self, transaction):
        """Write a component against one facet, or a pattern, of what others amend meanwhile."""
        component = f"built-{self.random.randrange(4)}"
        transaction.component(component)
        if self.random.random() < 0.3:
            transaction.decisions("pinned/*")
        else:
            transaction.decision("pinned/a", facets=[self.random.choice(["x", "y", "z"])])
        self.done += 1
        transaction.write(component, {"by.txt": f"{self.name} {self.done}"})

    def amend(self, transaction):
        """Amend what others pin: whoever pinned it is stale and on the agenda, however close it was."""
        name = self.random.choice(["a", "b"])
        found = transaction.decision(f"pinned/{name}")
        if found is not None and self.random.random() < 0.2:
            transaction.retract(f"pinned/{name}", reason="for now")
            return
        value = dict(found.value) if found else {"x": 0, "y": 0}
        facet = self.random.choice(["x", "y", "z"])
        if facet in value and self.random.random() < 0.3:
            del value[facet]
        else:
            value[facet] = self.random.randrange(3)
        transaction.decide(f"pinned/{name}", Contract.value(value))

    def propose(self, transaction):
        """Put something up for a vote."""
        self.done += 1
        transaction.propose(f"api/{self.name}-{self.done}", Contract.value(self.done))

    def vote(self, transaction):
        """Vote yes on something that is up: two of three accept it, and nothing waits that has its two."""
        pending = self.up_for_a_vote()
        if not pending:
            return False
        key, version = self.random.choice(pending)
        transaction.vote(key, version=version, approve=True)
        return None

    def up_for_a_vote(self):
        """Return (key, version) of what is proposed and was not voted on by this author."""
        query = """SELECT k.key, v.version FROM version v JOIN key k ON k.id = v.key_id
            WHERE v.state = 'proposed' AND NOT EXISTS (SELECT 1 FROM vote o
              WHERE o.key_id = v.key_id AND o.version = v.version AND o.author = ?)"""
        with self.board.store.database.reading() as connection:
            return [tuple(row) for row in connection.raw.execute(query, (self.name,))]


WORKLOADS = {
    "count": (Author.count, OPERATOR),
    "skew": (Author.skew, OPERATOR),
    "phantom": (Author.phantom, OPERATOR),
    "facet": (Author.facet, OPERATOR),
    "build": (Author.build, OPERATOR),
    "amend": (Author.amend, OPERATOR),
    "propose": (Author.propose, OPERATOR),
    "vote": (Author.vote, None),
}
"""name -> (what is done, in which role); a vote is cast in the author's only one."""


def main(location, author, commits, seed, log):
    # Unbuffered, one write for each line: what is in the file was acknowledged, whenever this process dies.
    place = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    with Blackboard.open(location) as board:
        worker = Author(board, author, seed, lambda line: os.write(place, f"{line}\n".encode()))
        worker.run(int(commits))


if __name__ == "__main__":
    main(*sys.argv[1:])
