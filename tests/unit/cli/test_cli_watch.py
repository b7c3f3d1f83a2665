import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from blackboard import Contract, Team, external, on
from blackboard.cli.overview import Rows, picture
from blackboard.cli.screen import room, screen
from blackboard.cli.watch import ASKED_SHARE, Lines, RecentOutcome, follow, frame
from blackboard.testing import FakeClock, open_memory

ROWS = Rows(decisions=5, components=4, agenda=3, changes=6, obligations=2)


def grown(board, size):
    """Decide, ask, build, judge and put on the agenda so many things."""
    board.install(Team("p", [external("ann", role="planner", on=on.accepted("api/*"))]))
    with board.transaction("ann", role="operator") as transaction:
        for number in range(size):
            transaction.decide(f"api/k{number:05}", Contract.value(number))
            transaction.ask(f"api/q{number:05}", "which?")
    with board.transaction("ann", role="operator") as transaction:
        for number in range(3):
            transaction.decision(f"api/k{number:05}")
        for number in range(size):
            transaction.write(f"c{number:05}", {f"c{number}.py": ""})


def steps(board, rows):
    """Return the steps of the engine's machine that one picture takes, which depend on nothing but the data."""
    counted = 0

    def count():
        nonlocal counted
        counted += 1

    with board.store.database.reading() as connection:
        raw = connection.raw
    raw.set_progress_handler(count, 1)
    picture(board.store, rows)
    raw.set_progress_handler(None, 0)
    return counted


def test_a_frame_costs_the_same_on_a_board_three_times_as_large():
    costs = []
    for size in (300, 900):
        with open_memory() as board:
            grown(board, size)
            assert len(picture(board.store, ROWS).agenda) == ROWS.agenda
            costs.append(steps(board, ROWS))
    assert costs[1] <= 1.1 * costs[0]


def test_a_frame_has_no_more_rows_than_there_is_room_for():
    with open_memory() as board:
        grown(board, 100)
        shown = frame(board, ROWS, RecentOutcome(board))
    assert len(shown.decisions) == 5
    assert len(shown.components) == 4
    assert len(shown.changes) == 6
    assert len(shown.obligations) == 2
    assert shown.obligations_left > 2


def test_what_is_pressing_comes_before_what_is_settled():
    with open_memory() as board:
        with board.transaction("ann") as transaction:
            transaction.decide("api/ids", Contract.value("int"))
        with board.transaction("bob") as transaction:
            transaction.decision("api/ids")
            transaction.write("server", {"server.py": ""})
        with board.transaction("ann") as transaction:
            transaction.ask("api/late", "when?")
        with board.transaction("ann") as transaction:
            transaction.decision("api/ids")
            transaction.decide("api/ids", Contract.value("uuid"))
        with board.transaction("bob") as transaction:
            transaction.write("other", {"other.py": ""})
        shown = picture(board.store, ROWS)
    assert [(line.key, line.state) for line in shown.decisions] == [("api/late", "open"), ("api/ids", "accepted")]
    assert [(line.key, line.state) for line in shown.components] == [("server", "stale"), ("other", "current")]
    assert shown.components[0].why == "api/ids $: int -> uuid"


def test_the_agenda_says_who_holds_a_lease_and_for_how_long_by_the_stores_clock():
    clock = FakeClock()
    with open_memory(clock=clock) as board:
        board.install(Team("p", [external("ann", role="planner", on=on.accepted("prompt"))]))
        (waiting,) = picture(board.store, ROWS).agenda
        assert (waiting.source, waiting.target, waiting.state, waiting.holder) == ("ann", "prompt", "pending", "")
        board.claim("ann", lease_seconds=60)
        clock.sleep(20)
        (leased,) = picture(board.store, ROWS).agenda
    assert (leased.state, leased.expires_in_seconds) == ("leased", 40)
    assert leased.holder


def test_a_component_shows_the_verdicts_on_its_newest_version_only():
    with open_memory() as board:
        for version in (1, 2):
            with board.transaction("bob") as transaction:
                transaction.component("server")
                transaction.write("server", {"server.py": str(version)})
            if version == 1:
                with board.transaction("tess") as transaction:
                    transaction.verdict("unit", "server", passed=False, log="no")
                assert picture(board.store, ROWS).components[0].verdicts == (("unit", False),)
        assert picture(board.store, ROWS).components[0].verdicts == ()


class Counted:
    """A board that counts how often it is asked, and whose clock a test moves."""

    def __init__(self, takes):
        self.now, self.takes, self.asked = 0.0, takes, 0

    def clock(self):
        return self.now

    def snapshot(self):
        return self

    def convergence(self):
        self.asked += 1
        self.now += self.takes
        return self.asked


@given(st.floats(0.001, 30), st.lists(st.floats(0, 100), max_size=200))
def test_asking_for_what_is_left_takes_a_twentieth_of_the_time_at_most(takes, waits):
    board = Counted(takes)
    left = RecentOutcome(board, board.clock)
    for wait in waits:
        board.now += wait
        left.outcome()
    assert board.asked * takes <= takes + board.now / ASKED_SHARE + 1e-6


def test_what_is_left_is_known_from_the_first_frame_on():
    board = Counted(5.0)
    assert RecentOutcome(board, board.clock).outcome() == 1


@pytest.fixture(scope="module")
def busy():
    """A board with more of everything than any screen has room for."""
    with open_memory() as board:
        grown(board, 120)
        yield board


@given(st.integers(20, 300), st.integers(3, 100))
def test_a_frame_fits_every_screen(busy, width, height):
    shown = frame(busy, room(width, height), RecentOutcome(busy))
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=False).print(screen(shown, width))
    lines = out.getvalue().splitlines()
    assert max(len(line) for line in lines) <= width
    assert len(lines) <= max(height, 12)


class Seen:
    def __init__(self):
        self.revisions = []

    def show(self, changes):
        self.revisions += [change.revision for change in changes]


def test_following_shows_every_revision_once_and_what_came_last():
    with open_memory() as board:
        seen, rounds = Seen(), iter(range(5))

        def alive():
            number = next(rounds)
            with board.transaction("ann") as transaction:
                transaction.decide(f"k{number}", Contract.value(number))
            return number < 4

        follow(board, seen, after=0, alive=alive, wait_seconds=5)
    assert sorted(set(seen.revisions)) == [1, 2, 3, 4, 5]
    assert seen.revisions == sorted(seen.revisions)
    assert len(seen.revisions) == 10


def test_lines_leave_out_what_install_wrote(capsys):
    with open_memory() as board:
        board.install(Team("p", [external("ann", role="planner", on=on.accepted("prompt"))]))
        Lines(board).show(board.changes(after=0))
        assert {line.split()[3] for line in capsys.readouterr().out.splitlines()} == {"prompt"}
        Lines(board, pattern="member/*").show(board.changes(after=0))
        assert {line.split()[3] for line in capsys.readouterr().out.splitlines()} == {
            "member/ann",
            "member/conformance",
            "member/starts",
        }
