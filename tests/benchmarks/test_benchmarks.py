"""The benchmarks run and say what they found; how fast anything is, no test asserts."""

import json
import sqlite3
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET

import pytest
from tools import require_tool

from blackboard import Blackboard

from . import boards, growth, releases, report, slow_disk
from .__main__ import main
from .bars import BARS
from .floors import batches, commits
from .floors.group_commit import GroupWriter
from .measure import Bar, Bench, Line, Size, in_turns


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(tmp_path, Size.TINY)


@pytest.mark.parametrize("bar", BARS)
def test_every_bar_is_measured_beside_its_floor(bench, bar) -> None:
    lines = list(BARS[bar](bench))
    assert lines
    for line in lines:
        shown = line.as_json()
        assert {"bar", "case", "ratio", "limit", "sense", "met", "floor", "fsync_ms"} <= set(shown)
        assert (shown["bar"], shown["sense"] in ("at most", "at least")) == (bar, True)
        if line.skipped is None:
            assert shown["ratio"] >= 0
            assert shown["fsync_ms"] > 0
            assert isinstance(shown["met"], bool)
        if line.floor.endswith(".py"):
            assert (slow_disk.SOURCE.parents[2] / line.floor).is_file()


def test_nothing_is_left_behind(bench) -> None:
    list(BARS["P1"](bench))
    assert list(bench.folder.iterdir()) == []


# --- what is printed ---


def made(*, ratio: float | None = 1.0) -> list[Line]:
    bar = Bar("P0", "a case", 2.0, "floors/none.py", "at least")
    return [bar.skipped("no reason") if ratio is None else bar.measured(ratio, 0.1, ours_ms=2.0)]


def test_a_bar_at_least_is_met_from_its_limit_on() -> None:
    assert [line.met for line in (*made(ratio=1.9), *made(ratio=2.0))] == [False, True]


def test_what_was_skipped_is_neither_met_nor_missed() -> None:
    line = made(ratio=None)[0]
    assert (line.met, line.as_json()["skipped"]) == (None, "no reason")


@pytest.mark.parametrize("show", [report.as_json, report.as_table, report.as_readme])
def test_every_report_names_the_case_and_its_ratio(show) -> None:
    shown = show(made(ratio=1.25))
    assert "a case" in shown
    assert "1.25" in shown
    assert "no reason" in show(made(ratio=None))


@pytest.mark.parametrize("met", [True, False])
def test_the_exit_status_says_whether_every_bar_was_met(monkeypatch, capsys, tmp_path, met) -> None:
    monkeypatch.setitem(BARS, "P1", lambda _bench: made(ratio=2.0 if met else 1.0))
    assert main(["--only", "P1", "--json", "--folder", str(tmp_path)]) == (0 if met else 1)
    assert [line["met"] for line in json.loads(capsys.readouterr().out)] == [met]


def test_a_bar_that_there_is_not_is_refused(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "P0"])
    assert "P14" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["none", "file"])
def test_a_folder_that_is_none_is_said_in_one_sentence(capsys, tmp_path, place) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended:
        main(["--folder", str(tmp_path / place)])
    assert ended.value.code == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.endswith(f"argument --folder: {tmp_path / place} is no folder that is there; make it, or name another")


def test_what_cannot_be_decided_between_releases_is_counted(tmp_path) -> None:
    texts = {
        "old": {"a.pyi": "import m\nk: int\ndef f(x: m.A) -> int: ...\ndef g() -> int: ...\ndef _h() -> int: ...\n"},
        "new": {
            "a.pyi": "import m\nk: int\ndef f(x: m.B) -> int: ...\ndef g() -> str: ...\n",
            "b.pyi": "from m import *\n",
        },
    }
    for folder, files in texts.items():
        (tmp_path / folder).mkdir()
        for name, text in files.items():
            (tmp_path / folder / name).write_text(text)
    step = releases.compare("lib", "1", "2", tmp_path / "old", tmp_path / "new")
    assert (step.facets, step.changed, step.undecided, step.share, step.share_of_changed) == (3, 2, 1, 1 / 3, 0.5)
    assert [one.partition(":")[0] for one in step.unread] == ["b.pyi"]
    assert "50.0%" in releases.as_table([step])


def test_growth_is_drawn(bench) -> None:
    found = growth.measure(bench)
    picture = ET.fromstring(growth.as_svg(found))  # noqa: S314 - it was made here
    svg = "{http://www.w3.org/2000/svg}"
    assert len(picture.findall(f"{svg}polyline")) == len(growth.CASES)
    assert all(case in growth.as_table(found) for case in growth.CASES)
    width = float(picture.get("viewBox").split()[2])
    legend = [one for one in picture.findall(f"{svg}text") if one.get("text-anchor") is None]
    assert len(legend) == len(growth.CASES)
    # A letter of this size is 7 units wide at most, on average.
    assert [one.text for one in legend if float(one.get("x")) + 7 * len(one.text) > width] == []


def test_rounds_are_done_in_turns_each_first_as_often_as_the_other() -> None:
    order: list[str] = []
    pairs = in_turns(lambda: order.append("A") or 4.0, lambda: order.append("B") or 2.0, rounds=4, warm=0)
    assert "".join(order) == "ABBAABBA"
    assert pairs.ratio == 2.0


# --- what is measured is what it is said to be ---


def test_a_board_made_in_bulk_is_the_one_that_commits_would_have_made(tmp_path) -> None:
    boards.committed(tmp_path / "committed.db", keys=7, waves=3)
    boards.inserted(tmp_path / "inserted.db", keys=7, waves=3)
    assert content(tmp_path / "inserted.db") == content(tmp_path / "committed.db")
    with Blackboard.open(tmp_path / "inserted.db") as board:
        assert board.verify().revision == 21


def content(path) -> dict[str, list[dict[str, object]]]:
    """Return every row of every table, without what no two boards share."""
    on = sqlite3.connect(path)
    names = [row[0] for row in on.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    found = {name: rows(on.execute(f"SELECT * FROM {name}")) for name in names}
    on.close()
    return found


def rows(cursor) -> list[dict[str, object]]:
    columns = [column[0] for column in cursor.description]
    return [{name: value for name, value in zip(columns, row, strict=True) if name != "epoch"} for row in cursor]


def test_a_slow_disk_is_slow(tmp_path) -> None:
    require_tool("cc")
    library = slow_disk.compiled(tmp_path)
    program = (
        "import os, time; handle = os.open('f', os.O_CREAT | os.O_WRONLY); began = time.monotonic();"
        "os.fsync(handle); os.fdatasync(handle); print(time.monotonic() - began)"
    )
    environment = slow_disk.environment(library, 20)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert float(done.stdout) >= 0.04


def test_without_a_compiler_the_slow_disk_is_skipped(monkeypatch, bench) -> None:
    monkeypatch.setattr(slow_disk.shutil, "which", lambda _name: None)
    assert [line.skipped for line in BARS["SLOW"](bench)] == [slow_disk.NO_COMPILER] * 2


@pytest.fixture
def floor(tmp_path):
    commits.create(tmp_path / "floor.db")
    store = commits.Store(tmp_path / "floor.db")
    yield store
    store.close()


def test_the_floor_refuses_a_commit_whose_reads_are_gone(floor) -> None:
    floor.commit("ann", {"a": None}, {"a": "1"}, "one")
    with pytest.raises(commits.Refused):
        floor.commit("bob", {"a": None}, {"b": "1"}, "two")
    assert floor.head() == 1


def test_the_floor_answers_a_repetition_with_the_first_result(floor) -> None:
    assert [floor.commit("ann", {}, {"a": "1"}, "one") for _ in range(2)] == [1, 1]
    assert floor.head() == 1


def test_the_floor_reads_the_past(floor) -> None:
    for value in ("1", "2"):
        floor.commit("ann", {}, {"a": value}, value)
    assert [floor.read("a", at)[0] for at in (1, 2)] == ["1", "2"]
    assert floor.read("a", 0) is None


def test_the_floors_group_commit_refuses_one_member_alone_and_loses_nothing(floor, tmp_path) -> None:
    group = GroupWriter(tmp_path / "floor.db")
    refused: list[str] = []

    def work(lane: int) -> None:
        for number in range(20):
            try:
                # Every fourth relies on a key that is not there.
                reads = {"nobody": "x"} if number % 4 == 0 else {}
                group.commit("ann", reads, {f"{lane}": str(number)}, f"{lane}-{number}")
            except commits.Refused:
                refused.append(f"{lane}-{number}")

    threads = [threading.Thread(target=work, args=(lane,)) for lane in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    group.close()
    assert (len(refused), floor.head()) == (40, 120)


def test_the_floors_agenda_runs_everything_once(tmp_path) -> None:
    batches.create(tmp_path / "floor.db", activations=25)
    ran: list[str] = []
    assert batches.run(tmp_path / "floor.db", ran.append, at_once=8) == 25
    assert len(set(ran)) == len(ran) == 25
