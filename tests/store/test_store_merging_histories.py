"""Random histories on a board that merges by facet: what stands follows from them, and each merged text from its bases.

Authors propose from old reads, vote, take back, retract and rule; the operator folds the log now and then. Whatever
came of it, the chain, the rows and the whole history told again agree, one version at most is accepted, and a merged
version has its base where its other base changed nothing, and that other one's changes elsewhere.
"""

import random

import pytest
from compactions import first_of, folded
from examinations import examine
from test_store_merging import BASE, merging_team

from blackboard import Blackboard, Contract
from blackboard.errors import Compacted, Refused
from blackboard.store.surroundings import Level

KEYS = ("api/notes", "free/notes")
LEAVES = ("ids", "page", "sort")


class Crowd:
    """People who act at random on a board, each from what it read last."""

    def __init__(self, board, draw):
        self.board, self.draw = board, draw
        self.open = []
        self.refused = 0

    def step(self):
        act = self.draw.choices(
            (self.begin, self.end, self.vote, self.take_back, self.rule, self.retract), (12, 11, 24, 1, 0.5, 0.5)
        )[0]
        try:
            act()
        except (Refused, Compacted):
            self.refused += 1

    def begin(self):
        """Read a key and change a leaf of it, mostly one of the author's own, to be committed later."""
        key, author = self.draw.choice(KEYS), self.draw.choice(("art", "bea"))
        transaction = self.board.transaction(author)
        standing = transaction.decision(key)
        own = {"art": "ids", "bea": "page"}[author] if self.draw.random() < 0.8 else self.draw.choice(LEAVES)
        value = {**BASE, **(standing.value if standing else {}), own: self.draw.randrange(1000)}
        transaction.propose(key, Contract.value(value))
        self.open.append(transaction)

    def end(self):
        if self.open:
            self.open.pop(self.draw.randrange(len(self.open))).commit()

    def vote(self):
        live = [one for one in self.board.snapshot().versions("api/notes") if one.state == "proposed"]
        if live:
            version = self.draw.choice(live).version
            with self.board.transaction(self.draw.choice(("rev-1", "rev-2"))) as transaction:
                transaction.vote("api/notes", version=version, approve=self.draw.random() < 0.97)

    def take_back(self):
        live = [one for one in self.board.snapshot().versions("api/notes") if one.state == "proposed"]
        if live:
            one = self.draw.choice(live)
            with self.board.transaction(one.author) as transaction:
                transaction.withdraw("api/notes", version=one.version)

    def rule(self):
        key = self.draw.choice(KEYS)
        with self.board.transaction("boss", role="operator") as transaction:
            transaction.decision(key)
            transaction.decide(key, Contract.value({leaf: self.draw.randrange(40) for leaf in LEAVES}))

    def retract(self):
        with self.board.transaction("boss", role="operator") as transaction:
            transaction.decision("free/notes")
            transaction.retract("free/notes", reason="anew")


def check_versions(board):
    """Return how many versions were merged; each has what its bases have."""
    merged = 0
    for key in KEYS:
        versions = {one.version: one for one in board.snapshot().versions(key)}
        assert sum(one.state == "accepted" for one in versions.values()) <= 1
        for one in versions.values():
            if len(one.bases) == 2:
                merged += 1
                stood, part = (versions[number] for number in one.bases)
                assert part.state == "merged"
                began = versions[part.bases[0]]
                texts = [each.contract for each in (one, stood, part, began)]
                if all(text is not None for text in texts):
                    made, ours, theirs, base = (dict(text.digests) for text in texts)
                    changed = {leaf: digest for leaf, digest in theirs.items() if base.get(leaf) != digest}
                    assert made == {**ours, **changed}
                    assert all(ours[leaf] == base[leaf] or ours[leaf] == changed[leaf] for leaf in changed)
            elif one.state == "merged":
                assert any(one.version in other.bases for other in versions.values())
    return merged


def check_board(board):
    board.verify()
    found = examine(board.store.location, full=True, known_head=board.cursor)
    assert found.level(Level.FAULT, Level.UNSEEN) == ()


FAILED_ONCE = (3850344153, 3850344156)
"""Seeds: a text that a merge began with had been folded away (both)."""


def play(path, seed, *, folds):
    """Play a history and check what it came to; return how many versions were merged."""
    draw = random.Random(seed)
    with Blackboard.open(path, create=True, durability="normal") as board:
        board.install(merging_team(amendments=40))
        crowd = Crowd(board, draw)
        for key in KEYS:
            with board.transaction("boss", role="operator") as transaction:
                transaction.decide(key, Contract.value(BASE))
        for _ in range(70):
            crowd.step()
            if folds and draw.random() < 0.04:
                folded(board, draw.randint(first_of(board), board.revision))
        check_board(board)
        return check_versions(board)


@pytest.mark.parametrize("folds", [False, True])
def test_whatever_happens_on_a_merging_board_follows_from_its_history(folds, tmp_path, seed, length):
    count = length(6, 150)
    assert sum(play(tmp_path / f"{number}.db", seed + number, folds=folds) for number in range(count))


@pytest.mark.parametrize("seed", FAILED_ONCE)
def test_histories_that_failed_once_hold(seed, tmp_path):
    play(tmp_path / "board.db", seed, folds=True)
