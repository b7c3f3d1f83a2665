"""S3, S5, S6: histories of eight processes that are killed and paused at random are strictly serializable."""

import json
import random
import signal
import threading
from functools import partial
from pathlib import Path

import fault_appender
import histories
import pytest
from fault_appender import Appender
from histories import Done
from lives import KILLED, Lives

from blackboard import Blackboard
from blackboard.spec.keys import matches
from blackboard.store import commit as commits
from blackboard.testing import open_memory

WORKER = Path(fault_appender.__file__)
PROCESSES = 8
LIMIT_SECONDS = 900
"""A run that takes longer is ended; a hang is a failure."""


class Run(Lives):
    """Processes that append, are killed and started again, are stopped and continued."""

    def __init__(self, location, seed, *, lines, kills, pauses):
        super().__init__(workers=PROCESSES, limit_seconds=LIMIT_SECONDS)
        self.location, self.seed = location, seed
        self.lines, self.kills, self.pauses = lines, kills, pauses
        self.draws = [random.Random(f"{seed} {number}") for number in range(PROCESSES)]
        self.logs: list[dict] = []
        self.moved = threading.Condition()

    def lives(self, number):
        """Let a process live until it has said enough; now and then it is killed and another one goes on."""
        kills = self.kills if number < PROCESSES // 2 else self.kills // 2
        for life in range(kills + 1):
            last = life == kills
            name = f"p{number}.{life}"
            fatal = 0 if last else self.draws[number].randrange(1, self.lines)
            commits = self.lines if last else 10**6
            heard = partial(self.take, self.draws[number], fatal)
            ended = self.life(WORKER, self.location, name, commits, self.seed, "/dev/stdout", heard=heard)
            if ended != (0 if last else KILLED):
                self.problems.append(f"{name} ended with {ended}")

    def take(self, draw, fatal, process, count, line):
        with self.moved:
            if line.endswith("\n"):
                self.logs.append(json.loads(line))
            self.moved.notify_all()
        if count == fatal:
            process.kill()
        elif draw.random() < self.pauses:
            self.pause(process)

    def pause(self, process):
        """Stop a process until the others have said something; where it holds what they wait for, for a moment."""
        process.send_signal(signal.SIGSTOP)
        with self.moved:
            enough = len(self.logs) + PROCESSES
            self.moved.wait_for(lambda: len(self.logs) > enough, timeout=0.05)
        process.send_signal(signal.SIGCONT)


def committed(records, board):
    """Return the transactions that were committed, asking the board about those that nobody answered."""
    tried, answers = {}, {}
    for record in records:
        (tried if "begun" in record else answers)[record["name"]] = record
    history, unknown = [], 0
    for name, record in tried.items():
        answer = answers.get(name)
        if answer is None:
            unknown += 1
            if board.find_commit(name, author="appender") is None and record["appends"]:
                continue
        elif answer["answer"] == "refused":
            continue
        parts = {part: record[part] for part in ("begun", "reads", "patterns", "appends")}
        history.append(Done(name, **parts, **({"ended": answer["ended"]} if answer else {})))
    return history, unknown


def lists(board):
    return {one.key: list(one.value) for one in board.snapshot().decisions("list/**")}


def feed_is_serial(board, history):
    """Every list grows by one commit after the other: the feed, replayed, gives the state at every revision."""
    appended = {element: one for one in history for elements in one.appends.values() for element in elements}
    texts = {}
    for change in board.changes(after=0):
        if change.kind == "accepted" and change.key.startswith("list/"):
            now = next(one for one in board.snapshot().versions(change.key) if one.version == change.version)
            before = texts.get(change.key, [])
            after = json.loads(now.contract.text)
            assert after[:-1] == before
            assert after[-1] in appended
            texts[change.key] = after
    assert texts == lists(board)


def test_eight_processes_killed_and_paused_leave_a_serializable_history(location, seed, length):
    Blackboard.open(location, create=True).close()
    run = Run(location, seed, lines=length(20, 400), kills=length(1, 8), pauses=length(0.1, 0.05))
    run.go()
    assert run.problems == []
    with Blackboard.open(location) as board:
        history, unknown = committed(run.logs, board)
        verdict = histories.judge(history, lists(board), matches)
        refused = sum(record.get("answer") == "refused" for record in run.logs)
        print(f"{len(history)} committed, {refused} refused, {unknown} unknown")  # noqa: T201
        assert verdict.is_serializable, verdict
        assert refused > 0
        assert board.verify().revision == board.revision
        feed_is_serial(board, history)
        replays_at_every_revision(board)


def replays_at_every_revision(board):
    """What the feed gave until a revision is what a snapshot of it shows."""
    texts: dict[str, str] = {}
    versions = {key: {one.version: one.contract.text for one in board.snapshot().versions(key)} for key in lists(board)}
    by_revision: dict[int, list] = {}
    for change in board.changes(after=0):
        by_revision.setdefault(change.revision, []).append(change)
    assert sorted(by_revision) == list(range(1, board.revision + 1))
    for revision, changes in by_revision.items():
        texts |= {one.key: versions[one.key][one.version] for one in changes if one.kind == "accepted"}
        seen = {one.key: one.contract.text for one in board.snapshot(at=revision).decisions("list/**")}
        assert seen == texts, revision


# --- tests of the tests ----------------------------------------------------------------------------------------------


def interleaved(board, seed, count):
    """Let several transactions go on step by step, whoever is drawn; returns their history."""
    draw = random.Random(seed)
    moment = iter(range(10**9))
    going, records = [], []
    for number in range(count):
        going.append(Appender(board, f"t{number}", draw, now=lambda: float(next(moment))))
        while len(going) > (0 if number == count - 1 else 3):
            appender = draw.choice(going)
            if appender.steps:
                appender.steps.pop()()
                continue
            going.remove(appender)
            answer = appender.commit()
            records += [appender.record, answer]
    return committed(records, board)[0]


def test_interleaved_transactions_are_serializable(seed, length):
    with open_memory() as board:
        history = interleaved(board, seed, length(150, 2000))
        assert histories.judge(history, lists(board), matches).is_serializable


def test_a_store_that_validates_writes_only_is_caught(seed, monkeypatch):
    whole = commits.broken_reads

    def of_writes(on, intent):
        written = {getattr(act, "key", None) for act in intent.acts}
        return [one for one in whole(on, intent) if one[1] in written and one[0] != "pattern"]

    monkeypatch.setattr(commits, "broken_reads", of_writes)
    with open_memory() as board:
        history = interleaved(board, seed, 300)
        verdict = histories.judge(history, lists(board), matches)
    assert verdict.cycles
    assert "rw" in verdict.kinds


def test_a_store_that_validates_no_patterns_is_caught(seed, monkeypatch):
    whole = commits.broken_reads
    monkeypatch.setattr(
        commits, "broken_reads", lambda on, intent: [one for one in whole(on, intent) if one[0] != "pattern"]
    )
    monkeypatch.setattr(fault_appender, "ERA", 6)  # so that keys appear all the time
    with open_memory() as board:
        history = interleaved(board, seed, 500)
        verdict = histories.judge(history, lists(board), matches)
    assert verdict.cycles


AT_ONCE = {"begun": 0.0, "ended": 9.0}
G0 = (
    [Done("a", **AT_ONCE, appends={"x": [1], "y": [1.5]}), Done("b", **AT_ONCE, appends={"x": [2], "y": [2.5]})],
    {"x": [1, 2], "y": [2.5, 1.5]},
)
G1C = (
    [
        Done("a", **AT_ONCE, reads={"y": [2]}, appends={"x": [1]}),
        Done("b", **AT_ONCE, reads={"x": [1]}, appends={"y": [2]}),
    ],
    {"x": [1], "y": [2]},
)
G_SINGLE = (
    [Done("a", **AT_ONCE, reads={"x": [], "y": [2]}), Done("b", **AT_ONCE, appends={"x": [1], "y": [2]})],
    {"x": [1], "y": [2]},
)
WRITE_SKEW = (
    [
        Done("a", **AT_ONCE, reads={"x": [], "y": []}, appends={"x": [1]}),
        Done("b", **AT_ONCE, reads={"x": [], "y": []}, appends={"y": [2]}),
    ],
    {"x": [1], "y": [2]},
)
PHANTOM = (
    [
        Done("a", **AT_ONCE, patterns=["list/*"], appends={"list/a": [1]}),
        Done("b", **AT_ONCE, patterns=["list/*"], appends={"list/b": [2]}),
    ],
    {"list/a": [1], "list/b": [2]},
)
STALE = (
    [Done("a", 0, 1, appends={"x": [1]}), Done("b", 2, 3, reads={"x": []})],
    {"x": [1]},
)


@pytest.mark.parametrize(
    ("history", "end", "kinds"),
    [
        pytest.param(*G0, {"ww"}, id="G0"),
        pytest.param(*G1C, {"wr"}, id="G1c"),
        pytest.param(*G_SINGLE, {"wr", "rw"}, id="G-single"),
        pytest.param(*WRITE_SKEW, {"rw"}, id="write skew"),
        pytest.param(*PHANTOM, {"rw"}, id="phantom"),
        pytest.param(*STALE, {"rw", "time"}, id="stale in real time"),
    ],
)
def test_each_anomaly_is_found(history, end, kinds):
    verdict = histories.judge(history, end, matches)
    assert verdict.wrong == ()
    assert [len(cycle) for cycle in verdict.cycles] == [2]
    assert verdict.kinds == kinds


@pytest.mark.parametrize(
    ("history", "end"),
    [
        pytest.param([Done("a", 0, 1, appends={"x": [1]})], {"x": []}, id="an acknowledged append is lost"),
        pytest.param([Done("a", 0, 1, appends={"x": [1]})], {"x": [1, 1]}, id="it is there twice"),
        pytest.param([], {"x": [1]}, id="a refused append is there"),
        pytest.param(
            [
                Done("a", 0, 1, appends={"x": [1]}),
                Done("b", 0, 1, appends={"x": [2]}),
                Done("c", 0, 1, reads={"x": [2]}),
            ],
            {"x": [1, 2]},
            id="a list that never was is read",
        ),
    ],
)
def test_what_is_wrong_without_a_cycle_is_found_too(history, end):
    verdict = histories.judge(history, end, matches)
    assert verdict.wrong
    assert not verdict.is_serializable


def test_a_serial_history_is_let_through():
    history = [
        Done("a", 0, 1, reads={"x": []}, appends={"x": [1]}),
        Done("b", 0.5, 3, patterns=["*"], reads={"x": [1]}, appends={"y": [2]}),
        Done("c", 2, 4, reads={"x": [1], "y": []}),
        Done("d", 5, 6, patterns=["*"], reads={"x": [1], "y": [2]}, appends={"x": [3], "z": [4]}),
        Done("e", 5, reads={"z": [4]}),
    ]
    assert histories.judge(history, {"x": [1, 3], "y": [2], "z": [4]}, matches).is_serializable
