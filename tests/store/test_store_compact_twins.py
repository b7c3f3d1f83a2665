"""Compaction changes nothing of what a kept revision shows, and nothing of what comes after it.

The property at the heart: on a random history that is compacted at a random revision, whatever a kept revision showed
before it shows after, the chain is whole, and going on gives what the same acts give on a twin that keeps everything.
"""

import random
from dataclasses import replace

import pytest
from compactions import first_of, folded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_store_model import BOUND, COMPONENTS, KEYS, Play, WithATeam, composed, histories

from blackboard import Blackboard, Compacted
from blackboard.plan import plan
from blackboard.store import compact as compaction
from blackboard.store import read, retell
from blackboard.store.statements import Statement


def shown(board, revision, head):
    """Return everything that a revision shows, but for the texts of versions that were neither accepted nor live."""
    snapshot = board.snapshot(at=revision)
    texts = {}
    for key in KEYS:
        for one in snapshot.versions(key):
            standing = one.state in ("accepted", "proposed")
            said = (one.contract.text, one.votes) if standing else (one.language,)
            texts[key, one.version] = (one.state, one.author, one.reason, one.rationale, one.bases, said)
    return (
        snapshot.decisions(),
        snapshot.components(),
        snapshot.questions(),
        texts,
        {key: snapshot.verdicts(key) for key in COMPONENTS},
        {key: snapshot.versions_of(key)[1] for key in KEYS},
        heads_at(snapshot),
        # What the agenda says counts at the head alone.
        None if revision == head else outcome(snapshot),
    )


def heads_at(snapshot):
    """Return key -> since when each facet has its value."""
    with snapshot.reading() as on:
        return {key: read.facet_heads(on, key, snapshot.revision) for key in KEYS}


def outcome(snapshot):
    found = snapshot.convergence()
    return found.kind, found.obligations, found.fingerprint


def feed(board, after):
    return [
        (one.revision, one.ordinal, one.kind, one.key, one.version, one.author) for one in board.changes(after=after)
    ]


@pytest.fixture
def _a_small_bound(monkeypatch):
    monkeypatch.setattr("blackboard.plan.decisions.GENERATION_BOUND", BOUND)


class Alone(Play):
    """Acts on a board without asking the model, which knows nothing of compaction."""

    def read(self, real, model, one):
        if one.what == "whole":
            real.decision(one.key)
        else:
            super().read(real, model, one)


class Together(Alone, WithATeam):
    """The same under a team."""


class Twins:
    """Two boards to which the same happens; one of them is compacted now and then."""

    def __init__(self, play, one, two):
        self.plays = [play(one), play(two)]

    def go_on(self, history):
        """Play a history on both, without the model: what the boards answer has to be the same."""
        answers = [self._answers(play, history) for play in self.plays]
        assert answers[0] == answers[1]

    def _answers(self, play, history):
        found = []
        for script in history:
            real, _ = play.begun(script)
            try:
                done = real.commit()
                found.append((done.accepted, ()))
            except (Compacted, AssertionError):
                raise
            except Exception as error:  # noqa: BLE001 - whichever it is, the twin has to give it too
                premises = [(one.key, one.facet, one.base, one.current) for one in getattr(error, "premises", ())]
                found.append((type(error).__name__, premises))
        return found

    def standing(self, board):
        snapshot = board.snapshot()
        return (
            {one.key: (one.version, one.state, one.contract.text) for one in snapshot.decisions()},
            {one.key: (one.version, one.state, one.files) for one in snapshot.components()},
            {one.key: one.question for one in snapshot.questions()},
            outcome(snapshot)[0],
            outcome(snapshot)[2],
        )


@pytest.mark.usefixtures("_a_small_bound")
@pytest.mark.parametrize("play", [Alone, Together], ids=["alone", "team"])
def test_compaction_changes_nothing_of_what_a_kept_revision_shows(play, length):
    @settings(max_examples=length(10, 1000), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(histories, st.integers(0, 2**32))
    def every(history, number):
        play_apart(play, history, number)

    every()


def play_apart(play, history, number):
    """Play a history in parts on a board that is compacted after each, and on a twin that keeps everything."""
    drawing = random.Random(number)
    parts = [history[part::3] for part in range(3)]
    with Blackboard.in_memory() as board, Blackboard.in_memory() as twin:
        twins = Twins(play, board, twin)
        for part in parts:
            twins.go_on(without_evidence(part))
            compacted(board, drawing)
            board.verify(known_head=board.cursor)
            assert twins.standing(board) == twins.standing(twin)
        for part in parts:
            twins.go_on(without_evidence(part))
        assert told_otherwise(board) == []


def without_evidence(history):
    """Return a history in which nobody cites a revision: the twins' revisions have different numbers."""
    return [replace_acts(script) for script in history]


def replace_acts(script):
    return replace(script, acts=tuple(replace(act, evidence=()) for act in script.acts))


def compacted(board, drawing):
    head, first = board.revision, first_of(board)
    if head <= first:
        return
    before = drawing.randint(first + 1, head)
    seen = {revision: shown(board, revision, head) for revision in range(before, head + 1)}
    told, known = feed(board, before - 1), board.cursor
    late = board.changes(after=before - 1, limit=1).cursor
    done = folded(board, before)
    assert (done.revision, done.head_before) == (head + 1, head)
    for revision, expected in seen.items():
        assert shown(board, revision, head) == expected, revision
    assert feed(board, before - 1) == [*told, (head + 1, 0, "compacted", None, None, "olga")]
    assert feed(board, known)[0][:3] == (head + 1, 0, "compacted")
    assert feed(board, late) == feed(board, late.revision)
    board.verify(known_head=known)
    assert told_otherwise(board) == []
    for revision in (before - 1, 0):
        with pytest.raises(Compacted) as refused:
            board.snapshot(at=revision)
        assert refused.value.first == before
    if before > 1:
        with pytest.raises(Compacted):
            board.changes(after=before - 2)


def told_otherwise(board):
    """Return why the kept history cannot be told again from what was kept, or in what the board differs from it."""
    with board.store.database.reading() as on:
        told = retell.retell(on, plan, until=board.revision)
        with told.store.database.reading() as again:
            found = [told.stopped] if told.stopped else list(retell.differences(on, again))
        told.close()
    return found


# --- tests of the tests: each of these compactions is wrong on purpose, and the property has to notice ---------------

WRONG = {
    "the past goes": """DELETE FROM tenure WHERE revision < (
        SELECT max(l.revision) FROM tenure l WHERE l.key_id = tenure.key_id AND l.revision < :before)""",
    "keys forget when they changed": "UPDATE compacted_key SET mod_revision = 0",
    "patterns that were listed go": "DELETE FROM pattern_pin",
    "verdicts go": "DELETE FROM verdict WHERE revision < :before",
    "pins go": "DELETE FROM pin WHERE component_version = 1",
    "files go": "DELETE FROM component_file WHERE version = 1",
    "texts go that are compared with": "UPDATE version SET text = NULL WHERE revision < :before",
    "digests go": "UPDATE version SET digest = '1:0' WHERE revision < :before",
    "questions go": "DELETE FROM question WHERE revision < :before",
    "one change more goes": "DELETE FROM change WHERE revision = :before",
    "keys forget how often they were amended": "UPDATE key SET generation = 0",
}


@pytest.mark.usefixtures("_a_small_bound")
def test_each_wrong_compaction_is_noticed(monkeypatch, length):
    names = list(WRONG)
    # The short form tries what is lost most easily; the long one everything.
    for name in names[: length(3, len(names))]:
        with monkeypatch.context() as patched:
            patched.setattr(compaction, "_PRUNE", (*compaction._PRUNE, Statement(WRONG[name])))
            # A store that holds what it must not may fail anyhow.
            with pytest.raises((Exception, pytest.fail.Exception)):
                for number, history in enumerate(composed(40)):
                    play_apart(Alone, history, number)
