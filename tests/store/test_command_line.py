"""The command `bb` as a person starts it: processes, terminals, pipes and signals."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from blackboard import Blackboard, Contract

BB = str(Path(sys.executable).with_name("bb"))
PATIENCE_SECONDS = 60

TEAM = """
import time
from words import GREETING
from blackboard import Budget, Check, Contract, Team, knowledge_source, on
from blackboard.choreography import architect_and_coders
from knowledge_sources import human

def planner(*, asks):
    @knowledge_source(role="planner", on=on.accepted("prompt"), name="planner")
    def plan(context):
        with context.transaction() as tx:
            if tx.decision("task/greeter") is None:
                tx.ask("api/greeting", "how?", options=["plain", "warm"])
                tx.decide("task/greeter", Contract.task(summary="greets", uses={"api/greeting": []}, checks=["runs"]))
                if asks:
                    tx.ask("style/tone", "how loud?")
    return plan

@knowledge_source(role="architect", on=[on.asked("api/*"), on.required("api/*")], name="architect")
def choose(context):
    with context.transaction() as tx:
        if tx.decision(context.target) is None:
            tx.decide(context.target, Contract.value(GREETING))

def coder(name, seconds):
    @knowledge_source(role="coder", on=[on.required("*"), on.stale("*"), on.failed("runs")], name=name)
    def code(context):
        for _ in range(int(seconds * 20)):
            if context.cancelled:
                return
            time.sleep(0.05)
        with context.transaction() as tx:
            tx.decision("task/greeter", side="implements")
            said = tx.decision("api/greeting").value
            tx.component("greeter")
            tx.write("greeter", {"greet.py": f"print({said!r})\\n"})
    return code

def team(options):
    values = options.values
    sources = [planner(asks="person" in values), coder("coder-1", float(values.get("seconds", 0)))]
    if values.get("architect") != "none":
        sources.append(choose)
    if "person" in values:
        sources.append(human(values["person"], on=[on.asked("style/*"), on.contested("**")]))
    limit = int(values["limit"]) if "limit" in values else None
    checks = [Check("runs", on="*", command=["python3", "greet.py"])]
    choreography = architect_and_coders(within_seconds=float(values.get("within", 300)))
    return Team("greet", sources, choreography=choreography, checks=checks, budget=Budget(activations=limit))
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "team.py").write_text(TEAM)
    (tmp_path / "words.py").write_text('GREETING = "plain"\n')
    return tmp_path


def environment():
    kept = {name: value for name, value in os.environ.items() if name not in ("BB_BOARD", "COLUMNS", "LINES")}
    return {**kept, "TERM": "xterm", "PYTHONWARNINGS": "error"}


def bb(*arguments, cwd=None):
    done = subprocess.run(
        [BB, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=environment(),
        timeout=PATIENCE_SECONDS,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def fingerprint(done):
    return next(line.split()[1] for line in done.stdout.splitlines() if line.startswith("fingerprint"))


@contextmanager
def started(*arguments, **options):
    """Start `bb` beside the test and end it, whatever happens."""
    process = subprocess.Popen([BB, *map(str, arguments)], env=environment(), **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@contextmanager
def on_a_terminal(*arguments, columns=100, lines=40):
    """Start `bb` on a terminal of its own; yields the process and a function that reads until a text was shown."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    shown = bytearray()

    def until(text):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text.encode() not in shown:
            ready, _, _ = select.select([ours], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"{text!r} was not shown, but {bytes(shown[-2000:])!r}"
            try:
                shown.extend(os.read(ours, 65536))
            except OSError:  # the last process on the terminal is gone
                break
        assert text.encode() in shown, bytes(shown[-2000:])
        return shown.decode(errors="replace")

    with started(*arguments, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        try:
            yield process, until
        finally:
            os.close(ours)


def test_run_converges_says_where_the_program_is_and_the_program_runs(project):
    done = bb("run", project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == f"the program is in {project / 'program'}"
    assert "coder-1 wrote greeter 1" in done.stdout
    assert "runs judged greeter 1: runs passed" in done.stdout
    greeted = subprocess.run([sys.executable, project / "program" / "greet.py"], capture_output=True, check=True)
    assert greeted.stdout == b"plain\n"
    assert bb("status", cwd=project).returncode == 0


def test_run_goes_on_with_the_board_that_is_there(project):
    first = bb("run", project)
    again = bb("run", project / "team.py")
    assert (first.returncode, again.returncode) == (0, 0)
    assert fingerprint(first) == fingerprint(again)
    with Blackboard.open(project / "board.db") as board:
        assert "wrote" not in again.stdout
        head = board.revision
    assert f"converged at revision {head} " in again.stdout


def test_an_operators_decision_makes_the_next_run_rewrite_what_relies_on_it(project):
    first = bb("run", project)
    (project / "warm.json").write_text('"warm"')
    dry = bb("decide", "api/greeting", "warm.json", "--dry-run", cwd=project)
    assert dry.returncode == 0
    assert dry.stdout.splitlines() == [
        "would amend api/greeting 1 -> 2:  $ plain -> warm   breaking for uses, breaking for implements (undecided)",
        "  stale: greeter  (1 of 1 components)",
    ]
    assert bb("decide", "api/greeting", "warm.json", "--because", "people", cwd=project).returncode == 0
    why = bb("why", "greeter", cwd=project)
    assert why.stdout.splitlines()[0].startswith("greeter is stale since ")
    assert 'amended api/greeting 1 -> 2 "people": $ plain -> warm, breaking for uses' in why.stdout
    assert "next: coder-1 on greeter, rating 0, pending since" in why.stdout
    assert bb("status", cwd=project).returncode == 1
    second = bb("run", project)
    assert second.returncode == 0
    assert fingerprint(first) != fingerprint(second)
    assert (project / "program" / "greet.py").read_text() == "print('warm')\n"


def test_a_run_that_nobody_can_finish_is_stalled_and_names_what_is_left(project):
    done = bb("run", project, "--option", "architect=none", "--option", "within=1")
    assert done.returncode == 1
    assert "stalled at revision" in done.stdout
    assert "api/greeting: " in done.stdout
    assert not (project / "program").exists()


def test_a_run_whose_rest_waits_for_a_person_has_a_status_of_its_own_until_the_person_acted(project):
    options = ("--option", "person=ann", "--option", "within=3")
    done = bb("run", project, *options)
    assert done.returncode == 4, done.stdout
    assert "(waits for ann)" in done.stdout
    assert bb("status", cwd=project).returncode == 4
    (project / "tone.json").write_text('"low"')
    assert bb("decide", "style/tone", "tone.json", "--as", "ann", cwd=project).returncode == 0
    assert bb("run", project, *options).returncode == 0


def test_a_budget_that_is_used_up_is_a_no(project):
    done = bb("run", project, "--option", "limit=2")
    assert done.returncode == 1
    assert "budget_exhausted at revision" in done.stdout
    assert "2 of 2 activations" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_in_order_as_aborted(project, number):
    with started("run", project, "--option", "seconds=50", stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if "api/greeting 1" in line:
                break
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) == 3
        assert "aborted at revision" in process.stdout.read()
    assert bb("run", project).returncode == 0


def test_run_draws_on_a_terminal_and_leaves_the_report_behind(project):
    with on_a_terminal("run", project, "--option", "seconds=1") as (process, until):
        until("left to do (")
        shown = until("the program is in")
        assert process.wait(PATIENCE_SECONDS) == 0
    # What remains is printed after the other screen was left.
    assert "at revision" in shown[shown.rindex("\x1b[?1049l") :]


def test_watch_follows_another_process_at_once_and_ends_when_interrupted(project):
    place = project / "board.db"
    with (
        Blackboard.open(place, create=True) as board,
        on_a_terminal("watch", "--board", place) as (process, until),
    ):
        until("last changes")
        with board.transaction("ann") as transaction:
            transaction.ask("api/late", "when?")
        until("api/late")
        with board.transaction("ann") as transaction:
            transaction.decide("api/soon", Contract.value(1))
        until("api/soon")
        process.send_signal(signal.SIGINT)
        until("\x1b[?1049l")
        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize("arguments", [("watch", "--json"), ("log", "--follow", "--json")])
def test_a_follower_in_another_process_sees_every_revision_once_in_order(project, arguments):
    place = project / "board.db"
    with (
        Blackboard.open(place, create=True) as board,
        started(*arguments, "--board", place, stdout=subprocess.PIPE, text=True) as process,
    ):
        number = 0
        # The follower says nothing before it follows, so commits go on until its first line is there.
        while not select.select([process.stdout], [], [], 0.05)[0]:
            number += 1
            decide(board, number)
        for extra in range(20):
            decide(board, number + 1 + extra)
        seen = [json.loads(process.stdout.readline())["revision"]]
        while len(seen) < 2 * (number + 21 - seen[0]):
            seen.append(json.loads(process.stdout.readline())["revision"])
    assert seen == sorted([*range(seen[0], number + 21)] * 2)
    if arguments[0] == "log":
        assert seen[0] == 1


def decide(board, number):
    with board.transaction("ann") as transaction:
        transaction.decide(f"k{number}", Contract.value(number))


@pytest.mark.parametrize("option", ["--plain", "--follow"])
def test_a_reader_that_goes_away_ends_a_command_quietly(project, option):
    place = project / "board.db"
    with Blackboard.open(place, create=True) as board, board.transaction("ann") as transaction:
        for number in range(2000):
            transaction.decide(f"k{number}", Contract.value(number))
    arguments = ["log", "--after", "0", "--board", place, *([] if option == "--plain" else [option])]
    with started(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(1)
        process.stdout.close()
        # Where the pipe closes inside the last write, Python does not say so.
        assert process.wait(PATIENCE_SECONDS) in ((141,) if option == "--follow" else (0, 141))
        assert process.stderr.read() == b""


def test_a_terminal_that_cannot_spell_a_text_gets_escapes(project):
    with Blackboard.open(project / "board.db", create=True) as board, board.transaction("ann") as transaction:
        transaction.ask("api/cheese", "Käse?")
    shown = subprocess.run(
        [BB, "why", "api/cheese", "--board", project / "board.db"],
        capture_output=True,
        check=True,
        env={**environment(), "PYTHONIOENCODING": "ascii"},
        timeout=PATIENCE_SECONDS,
    )
    assert rb"asked: K\xe4se?" in shown.stdout


@pytest.mark.parametrize("arguments", [("status",), ("log", "--follow"), ("watch",)])
def test_what_is_no_board_is_refused_in_one_line_and_left_alone(project, arguments):
    place = project / "board.db"
    place.write_text("not a board\n")
    done = bb(*arguments, cwd=project)
    assert done.returncode == 3
    assert done.stderr.startswith(f"bb: {place} is not a board")
    assert done.stderr.count("\n") == 1
    assert place.read_text() == "not a board\n"


def test_a_team_that_is_wrong_makes_no_board(project):
    (project / "words.py").write_text("GREETING = 1 / 0\n")
    done = bb("run", project)
    assert done.returncode == 3
    assert "words.py line 1" in done.stderr
    assert not (project / "board.db").exists()
