"""What crashes are tried on: scenes of the shipped library, each done in a process that may die at any system call.

As a process it serves: `run SCENE FOLDER LOG WRONG` on a line of its input forks a child that does the scene, so that
what is imported is imported once. The child says the numbers of its threads, waits for a line `go` (a tracer is
attached meanwhile), and the server says how it ended. `prepare SCENE FOLDER` makes what a scene begins with and ends
without closing, as after a crash.

The log has a line for each thing said, written at once: `commit NAME` before a commit named by its idempotency key
(`try NAME` before anything else), `done NAME REVISION` once it is acknowledged, `unknown NAME`, `found NAME REVISION`
or `void NAME` as `find_commit` answered, `failed NAME ERROR`, and `broken NAME ERROR` for what should never be raised.
"""

import ctypes
import os
import random
import signal
import sys
import threading
import traceback
import uuid
from dataclasses import replace
from functools import partial
from pathlib import Path

import next_schema

from blackboard import Blackboard, BlackboardError, CommitUnknown, Contract, Team, external, on
from blackboard.choreography import Choreography, Role, may
from blackboard.store import apply, commit, compact, sqlite

SECONDS = 60
"""After so long a scene is taken for hanging and ends by SIGALRM."""

THREADS = 3
WORKER = "worker"
OPERATOR = "operator"
JOBS = 4
COMPACTED = 12
"""The first revision that is kept, well within what the scene begins with."""
PR_SET_PTRACER = 0x59616D61


class Log:
    """Lines that are in the file before anything else happens, whenever this process dies."""

    def __init__(self, place):
        self._place = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def __call__(self, line):
        os.write(self._place, f"{line}\n".encode())

    def tried(self, name, do, *, word="try"):
        """Do something, say what came of it, and return its result, None where it failed."""
        self(f"{word} {name}")
        try:
            result = do()
        except CommitUnknown:
            self(f"unknown {name}")
        except BlackboardError as error:
            self(f"failed {name} {type(error).__name__}")
        except Exception as error:  # noqa: BLE001 - the log says it, and the check fails
            self(f"broken {name} {type(error).__name__}: {error} {traceback.format_exc()!r}")
        else:
            self(f"done {name} {getattr(result, 'revision', result)}")
            return result
        return None


def commit_named(board, log, name, fill, begin=None):
    """Commit what `fill` puts into a transaction, and find out where the answer is unknown; None where it is not."""
    begin = begin or partial(board.transaction, WORKER, role=OPERATOR)

    def do():
        transaction = begin(idempotency_key=name)
        fill(transaction)
        return transaction.commit()

    done = log.tried(name, do, word="commit")
    if done is None:
        try:
            done = board.find_commit(name, author=WORKER)
        except BlackboardError as error:
            log(f"lost {name} {type(error).__name__}")
        else:
            log(f"void {name}" if done is None else f"found {name} {done.revision}")
    return done


def several(name):
    """Return what a commit of these scenes does: two decisions that wake somebody, and a component built on one."""

    def fill(transaction):
        for half in ("left", "right"):
            transaction.decide(f"job/{name}-{half}", Contract.value({"of": name, "filling": "x" * 600}))
        transaction.ask(f"asked/{name}", "why?")
        transaction.write(f"made-{name}", {"text.txt": name * 300})

    return fill


def open_board(folder, log):
    """Open the board of a scene; None where that failed, as the log says."""
    return log.tried("open", lambda: Blackboard.open(folder / "board.db"))


# --- the scenes ------------------------------------------------------------------------------------------------------


def create(folder, log, threads):
    board = log.tried("create", lambda: Blackboard.open(folder / "board.db", create=True))
    if board is not None:
        commit_named(board, log, "first", several("first"))
        log.tried("close", board.close)


def groups(folder, log, threads):
    """Three threads commit at once, again and again, so that they share a sync."""
    board = open_board(folder, log)
    if board is None:
        return
    together = threading.Barrier(THREADS)

    def work(number):
        for turn in range(3):
            together.wait()
            name = f"group-{number}-{turn}"
            commit_named(board, log, name, several(name))

    threads.run(work)
    log.tried("close", board.close)


def agenda(folder, log, threads):
    """Claim, renew, complete, fail and give back; what is done twice would be seen in the list of results."""
    board = open_board(folder, log)
    if board is None:
        return
    leases = log.tried("claim", lambda: board.claim(WORKER, limit=JOBS)) or ()
    for lease in leases:
        log(f"leased {lease.target} {lease.token}")
    for number, lease in enumerate(leases):
        log.tried(f"renew-{lease.token}", lambda lease=lease: lease.renew(lease_seconds=100))
        if number == JOBS - 1:
            log.tried(f"release-{lease.token}", lambda lease=lease: lease.release(reason="later", failed=True))
            continue
        complete(board, log, lease)
    log.tried("close", board.close)


def complete(board, log, lease):
    """Record the result of a job under its lease, unless it is recorded, and say that the work is done."""

    def fill(transaction):
        key = f"result/{lease.target.replace('/', '-')}"
        assert transaction.decision(key) is None, key
        transaction.decide(key, Contract.value([lease.token]))

    if commit_named(board, log, f"result-{lease.token}", fill, begin=lease.transaction) is not None:
        log.tried(f"finish-{lease.token}", lease.finish)


def upgrade(folder, log, threads):
    """Bring a board to the schema of a library with one migration more."""
    with next_schema.next_schema():
        board = log.tried("upgrade", lambda: Blackboard.open(folder / "old.db", upgrade=True))
        if board is not None:
            log.tried("close", board.close)


def backup(folder, log, threads):
    board = open_board(folder, log)
    if board is not None:
        commit_named(board, log, "before", several("before"))
        log.tried("backup", lambda: board.backup(folder / "copy.db"))
        commit_named(board, log, "after", several("after"))
        log.tried("close", board.close)


def checkpoint(folder, log, threads):
    """Commit until the log is carried over into the file, and go on at its start."""
    board = open_board(folder, log)
    if board is not None:
        for number in range(5):
            commit_named(board, log, f"more-{number}", several(f"more-{number}"))
        log.tried("close", board.close)


def compaction(folder, log, threads):
    """Fold what came before a revision, between two commits."""
    board = open_board(folder, log)
    if board is not None:
        commit_named(board, log, "before", several("before"))
        log.tried("compaction", lambda: compact.compact(board.store, before=COMPACTED, author="boss"))
        commit_named(board, log, "after", several("after"))
        log.tried("close", board.close)


SCENES = {one.__name__: one for one in (create, groups, agenda, checkpoint, upgrade, backup, compaction)}
"""name -> what is done. A new step is a function here, and what has to hold after it a check in `crash_checks`."""


def prepare(scene, folder):
    """Make what a scene begins with; the board's log stays as a crash leaves it."""
    if scene == "create":
        return
    board = Blackboard.open(folder / ("old.db" if scene == "upgrade" else "board.db"), create=True)
    worker = replace(external(WORKER, role="coder", on=on.accepted("job/*")), max_concurrency=JOBS)
    choreography = Choreography("crash", may(Role("coder", reliable=True), "decide", "result/*"))
    board.install(Team("crash", [worker], choreography=choreography))
    for number in range(JOBS):
        with board.transaction("boss", role=OPERATOR) as transaction:
            transaction.decide(f"job/{number}", Contract.value(number))
    if scene == "compaction":
        for number in range(COMPACTED):
            with board.transaction("boss", role=OPERATOR) as transaction:
                transaction.decision("fill/0")
                transaction.decide("fill/0", Contract.value(f"{number} {'x' * 500}"))
    if scene == "checkpoint":
        # SQLite carries a log of 1,000 pages over at the next commit.
        wal = folder / "board.db-wal"
        number = 0
        while wal.stat().st_size < 960 * 4120:
            number += 1
            with board.transaction("boss", role=OPERATOR) as transaction:
                transaction.decide(f"fill/{number % 7}-{number}", Contract.value("x" * 2000))


# --- wrong stores, each of which the checks have to catch ------------------------------------------------------------


def in_two_transactions(log):
    """State is committed first, its change and revision afterwards."""
    write = apply.Application.rows

    def rows(self):
        write(self)
        raw = self._turn.connection.raw
        raw.execute("COMMIT")
        raw.execute("BEGIN IMMEDIATE")
        # Where it shared a transaction, the end of its savepoint is awaited.
        raw.execute("SAVEPOINT member")

    apply.Application.rows = rows


def answered_early(log):
    """The answer is given before COMMIT."""
    remember = commit.remember

    def answered(turn, author, name, content, done):
        kept = remember(turn, author, name, content, done)
        if kept:
            log(f"done {name} {done.revision}")
        return kept

    commit.remember = answered


def revision_from_memory(log):
    """The number of the next commit is kept by the process, which counts on though one of them failed."""
    begin = apply.Application.__init__
    newest = [0]

    def counted(self, turn, intent, plan):
        begin(self, turn, intent, plan)
        newest[0] = self.revision = max(newest[0] + 1, self.revision)

    apply.Application.__init__ = counted


def normal(log):
    """Commits do not wait for the disk."""
    Blackboard.open = partial(Blackboard.open, durability="normal")


def unsynced(log):
    """Nothing waits for the disk, ever."""
    begin = sqlite.Database.__init__

    def careless(self, *arguments, **named):
        begin(self, *arguments, **{**named, "synchronous": "OFF"})

    sqlite.Database.__init__ = careless


WRONG = {one.__name__: one for one in (in_two_transactions, answered_early, revision_from_memory, normal, unsynced)}


# --- the process -----------------------------------------------------------------------------------------------------


class Threads:
    """Threads that stand ready before the scene begins, so that a tracer can be put on each of them."""

    def __init__(self):
        self._begin = threading.Barrier(THREADS + 1)
        self._work = lambda number: None
        self._threads = [threading.Thread(target=self._wait, args=(n,), daemon=True) for n in range(THREADS)]
        for thread in self._threads:
            thread.start()

    @property
    def numbers(self):
        return [os.getpid(), *(thread.native_id for thread in self._threads)]

    def run(self, work):
        self._work = work
        self._begin.wait()
        for thread in self._threads:
            thread.join()

    def _wait(self, number):
        self._begin.wait()
        self._work(number)


def child(scene, folder, place, wrong):
    """Do a scene once the tracer is there."""
    signal.alarm(SECONDS)
    # Where only ancestors may trace, the tests' tracer may.
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
    # Temporary names are made of such numbers; the tracer has to know them beforehand.
    numbers = random.Random(scene)
    uuid.uuid4 = lambda: uuid.UUID(int=numbers.getrandbits(128), version=4)
    threads, log = Threads(), Log(place)
    say(f"threads {' '.join(map(str, threads.numbers))}")
    assert hear() == "go"
    if wrong in WRONG:
        WRONG[wrong](log)
    SCENES[scene](Path(folder), log, threads)
    log("end")


def say(line):
    os.write(1, f"{line}\n".encode())


def hear():
    """Read a line, and no more than it: the rest may be another process's."""
    line = b""
    while (byte := os.read(0, 1)) not in (b"", b"\n"):
        line += byte
    return line.decode()


def serve():
    while line := hear():
        what, *arguments = line.split("\t")
        number = os.fork()
        if number == 0:
            try:
                if what == "run":
                    child(*arguments)
                else:
                    prepare(arguments[0], Path(arguments[1]))
            except BaseException:  # noqa: BLE001 - a forked child ends here, whatever it was
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        say(f"ended {os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])}")


if __name__ == "__main__":
    # What is imported late is imported before the forks.
    import alembic.command
    import alembic.config  # noqa: F401

    sys.stderr.flush()
    serve()
