"""A folder and a board in step: both ways, without echo, and nothing is lost."""

import os
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackboard import Contract
from blackboard.testing import open_memory
from knowledge_sources import Folder, files
from knowledge_sources.files import BASE_FILE, Step, step

PATIENCE_SECONDS = 20


@pytest.fixture
def board():
    with open_memory() as opened:
        yield opened


@pytest.fixture
def folder(board, tmp_path):
    """A folder that is brought in step by hand."""
    return Folder(board, tmp_path / "work", author="ann")


def write(board, component, files, author="cora"):
    with board.transaction(author) as transaction:
        transaction.component(component)
        transaction.write(component, files)


def decide(board, key, contract):
    with board.transaction("bob") as transaction:
        transaction.decision(key)
        transaction.decide(key, contract)


def eventually(holds):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        threading.Event().wait(0.01)


def files_in(path):
    return {
        one.relative_to(path).as_posix(): one.read_bytes()
        for one in path.rglob("*")
        if one.is_file() and one.name != BASE_FILE
    }


# --- the rule --------------------------------------------------------------------------------------------------------

texts = st.sampled_from([None, "a", "b", "c"])


@given(folder=texts, base=texts, board=texts)
def test_a_step_never_overwrites_what_is_new(folder, base, board):
    told = step(folder, base, board)
    if told is Step.PULL:
        assert folder == base
    if told is Step.PUSH:
        assert board == base
    if told is Step.NOTHING:
        assert folder == board
    if told is Step.PART:
        assert len({folder, base, board}) == 3


@given(base=texts, text=texts)
def test_what_one_side_changed_goes_to_the_other(base, text):
    expected = (Step.NOTHING, Step.NOTHING) if base == text else (Step.PULL, Step.PUSH)
    assert (step(base, base, text), step(text, base, base)) == expected


# --- from the board to the folder ------------------------------------------------------------------------------------


def test_what_is_accepted_appears_in_the_folder(board, folder):
    write(board, "shop", {"shop.py": "1\n", "lib/till.py": b"\xff\x00"})
    folder.path.mkdir()
    folder.sync()
    assert files_in(folder.path) == {"shop.py": b"1\n", "lib/till.py": b"\xff\x00"}


def test_a_file_that_the_board_gave_up_goes(board, folder):
    write(board, "shop", {"shop.py": "1\n", "till.py": "2\n"})
    folder.path.mkdir()
    folder.sync()
    write(board, "shop", {"till.py": None})
    folder.sync()
    assert set(files_in(folder.path)) == {"shop.py"}


def test_its_own_writes_do_not_echo(board, folder):
    write(board, "shop", {"shop.py": "1\n"})
    folder.path.mkdir()
    before = board.revision
    for _ in range(3):
        folder.sync()
    assert board.revision == before


# --- from the folder to the board ------------------------------------------------------------------------------------


def test_an_edit_becomes_a_commit_of_the_folders_author(board, folder):
    write(board, "shop", {"shop.py": "1\n"})
    folder.path.mkdir()
    folder.sync()
    (folder.path / "shop.py").write_text("2\n")
    before = board.revision
    folder.sync()
    folder.sync()
    component = board.snapshot().component("shop")
    assert (component.text("shop.py"), component.author, component.version) == ("2\n", "ann", 2)
    assert board.revision == before + 1


def test_a_file_that_is_deleted_in_the_folder_goes_from_the_component(board, folder):
    write(board, "shop", {"shop.py": "1\n", "till.py": "2\n"})
    folder.path.mkdir()
    folder.sync()
    (folder.path / "till.py").unlink()
    folder.sync()
    assert set(board.snapshot().component("shop").files) == {"shop.py"}


def test_a_file_that_a_task_names_can_begin_in_the_folder(board, folder):
    decide(board, "task/shop", Contract.task(summary="sell", files=["shop.py"]))
    folder.path.mkdir()
    folder.sync()
    (folder.path / "shop.py").write_text("1\n")
    (folder.path / "notes.txt").write_text("mine\n")
    folder.sync()
    assert set(board.snapshot().component("shop").files) == {"shop.py"}
    assert (folder.path / "notes.txt").read_text() == "mine\n"


def test_an_edited_component_is_still_pinned(board, folder):
    decide(board, "api/notes", Contract.value({"id": "int", "title": "str"}))
    decide(board, "task/shop", Contract.task(summary="sell", uses={"api/notes": ["id"]}, files=["shop.py"]))
    with board.transaction("cora") as transaction:
        transaction.decision("task/shop")
        transaction.decision("api/notes", facets=["id"])
        transaction.write("shop", {"shop.py": "1\n"})
    pinned = {(pin.key, pin.name) for pin in board.snapshot().component("shop").pins}
    folder.path.mkdir()
    folder.sync()
    (folder.path / "shop.py").write_text("2\n")
    folder.sync()
    component = board.snapshot().component("shop")
    assert component.version == 2
    assert {(pin.key, pin.name) for pin in component.pins} == pinned
    decide(board, "api/notes", Contract.value({"id": "str", "title": "str"}))
    assert board.snapshot().component("shop").state == "stale"


def test_a_component_without_a_task_keeps_the_facets_that_it_was_pinned_to(board, folder):
    decide(board, "api/notes", Contract.value({"id": "int", "title": "str"}))
    with board.transaction("cora") as transaction:
        transaction.decision("api/notes", facets=["id"], side="implements")
        transaction.write("shop", {"shop.py": "1\n"})
    folder.path.mkdir()
    folder.sync()
    (folder.path / "shop.py").write_text("2\n")
    folder.sync()
    pins = board.snapshot().component("shop").pins
    assert {(pin.key, pin.name, pin.side) for pin in pins} == {("api/notes", "id", "implements")}


# --- both at once ----------------------------------------------------------------------------------------------------


def test_when_both_changed_the_folders_text_is_kept_beside_the_boards(board, folder):
    write(board, "shop", {"shop.py": "1\n"})
    folder.path.mkdir()
    folder.sync()
    (folder.path / "shop.py").write_text("from the folder\n")
    write(board, "shop", {"shop.py": "from the board\n"})
    folder.sync()
    found = files_in(folder.path)
    assert found.pop("shop.py") == b"from the board\n"
    [(name, content)] = found.items()
    assert name.startswith("shop.py.conflict-")
    assert content == b"from the folder\n"
    assert name in folder.troubles["shop.py"]
    assert board.snapshot().component("shop").text("shop.py") == "from the board\n"


def test_two_conflicts_on_one_file_keep_both_texts(board, folder):
    write(board, "shop", {"shop.py": "1\n"})
    folder.path.mkdir()
    folder.sync()
    for number in (1, 2):
        (folder.path / "shop.py").write_text(f"folder {number}\n")
        write(board, "shop", {"shop.py": f"board {number}\n"})
        folder.sync()
    assert set(files_in(folder.path).values()) == {b"board 2\n", b"folder 1\n", b"folder 2\n"}


def test_edits_made_while_nobody_looked_are_told_from_old_texts(board, folder):
    write(board, "shop", {"shop.py": "1\n"})
    write(board, "till", {"till.py": "1\n"})
    folder.path.mkdir()
    folder.sync()
    (folder.path / "shop.py").write_text("edited\n")
    write(board, "till", {"till.py": "2\n"})
    Folder(board, folder.path, author="ann").sync()
    now = board.snapshot()
    assert (now.component("shop").text("shop.py"), now.component("till").text("till.py")) == ("edited\n", "2\n")
    assert files_in(folder.path) == {"shop.py": b"edited\n", "till.py": b"2\n"}


def test_an_edit_that_is_refused_stays_and_is_told_once(board, tmp_path):
    told = []
    board_folder = Folder(board, tmp_path / "work", author="no name/at all", report=told.append)
    write(board, "shop", {"shop.py": "1\n"})
    board_folder.path.mkdir()
    board_folder.sync()
    (board_folder.path / "shop.py").write_text("2\n")
    for _ in range(2):
        board_folder.sync()
    assert (board_folder.path / "shop.py").read_text() == "2\n"
    assert board.snapshot().component("shop").text("shop.py") == "1\n"
    [sentence] = told
    assert sentence.startswith("the edit of shop.py stays here alone: ")


def test_a_text_that_is_saved_while_the_boards_is_put_down_is_not_lost(board, folder, monkeypatch):
    write(board, "shop", {"shop.py": "1\n"})
    folder.path.mkdir()
    folder.sync()
    write(board, "shop", {"shop.py": "from the board\n"})
    put_down = files.os.fsync

    def saved_meanwhile(descriptor):
        put_down(descriptor)
        monkeypatch.setattr(files.os, "fsync", put_down)
        (folder.path / "shop.py").write_text("saved meanwhile\n")

    monkeypatch.setattr(files.os, "fsync", saved_meanwhile)
    folder.sync()
    assert set(files_in(folder.path).values()) == {b"from the board\n", b"saved meanwhile\n"}


def test_a_link_that_leads_out_of_the_folder_is_left_alone(board, folder, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    folder.path.mkdir()
    (folder.path / "lib").symlink_to(outside)
    write(board, "shop", {"lib/shop.py": "1\n"})
    folder.sync()
    assert list(outside.iterdir()) == []
    assert "lib/shop.py" in folder.troubles


# --- while it runs ---------------------------------------------------------------------------------------------------


def test_while_it_runs_both_ways_go_by_themselves(board, tmp_path):
    place = tmp_path / "work"
    write(board, "shop", {"shop.py": "1\n"})
    with Folder(board, place, author="ann", settle_seconds=0.02):
        assert (place / "shop.py").read_text() == "1\n"
        write(board, "shop", {"shop.py": "2\n"})
        eventually(lambda: (place / "shop.py").read_text() == "2\n")
        (place / "shop.py").write_text("3\n")
        eventually(lambda: board.snapshot().component("shop").text("shop.py") == "3\n")
        settled = board.revision
    assert board.revision == settled
    assert files_in(place) == {"shop.py": b"3\n"}


def test_the_last_edit_before_the_stop_is_taken_in(board, tmp_path):
    place = tmp_path / "work"
    write(board, "shop", {"shop.py": "1\n"})
    with Folder(board, place, author="ann", settle_seconds=30):
        (place / "shop.py").write_text("2\n")
    assert board.snapshot().component("shop").text("shop.py") == "2\n"


# --- what is not the board's -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["conftest.py", ".env", "team.py"])
def test_a_file_that_tools_run_unasked_is_kept_in_step_only_if_it_is_allowed(board, folder, name):
    write(board, "shop", {name: "1\n", "shop.py": "2\n"})
    folder.path.mkdir()
    folder.sync()
    assert files_in(folder.path) == {"shop.py": b"2\n"}
    assert name in folder.troubles
    allowing = Folder(board, folder.path, author="ann", allow=[name])
    allowing.sync()
    assert (folder.path / name).read_bytes() == b"1\n"


def test_a_file_that_was_there_before_the_boards_stays(board, folder):
    folder.path.mkdir()
    (folder.path / "shop.py").write_text("mine\n")
    write(board, "shop", {"shop.py": "the board's\n"})
    folder.sync()
    assert files_in(folder.path) == {"shop.py": b"mine\n"}
    assert "shop.py" in folder.troubles
    assert board.snapshot().component("shop").text("shop.py") == "the board's\n"


def test_nothing_is_written_through_a_link_inside_the_folder(board, folder):
    (folder.path / ".git").mkdir(parents=True)
    (folder.path / "lib").symlink_to(".git")
    write(board, "shop", {"lib/config": "[core]\n"})
    folder.sync()
    assert list((folder.path / ".git").iterdir()) == []
    assert "lib/config" in folder.troubles


@pytest.mark.parametrize("path", [".git/config", ".in-step.json", ".spec/files.json"])
def test_no_permission_covers_what_belongs_to_git_the_board_or_the_folder(board, tmp_path, path):
    decide(board, "task/shop", Contract.task(summary="sell", files=[path]))
    folder = Folder(board, tmp_path / "work", author="ann", allow=[path])
    (folder.path / path).parent.mkdir(parents=True)
    (folder.path / path).write_text("{}")
    folder.sync()
    assert path in folder.troubles
    assert board.snapshot().components() == ()


def test_of_two_files_that_differ_in_case_only_one_is_kept_in_step(board, folder):
    write(board, "shop", {"Shop.py": "1\n"})
    write(board, "till", {"shop.py": "2\n"})
    folder.path.mkdir()
    folder.sync()
    assert files_in(folder.path) == {"Shop.py": b"1\n"}
    assert "Shop.py" in folder.troubles["shop.py"]


def test_a_pipe_in_the_place_of_the_folders_own_file_is_not_opened(board, folder):
    write(board, "shop", {"shop.py": "1\n"})
    folder.path.mkdir()
    os.mkfifo(folder.path / files.BASE_FILE)
    folder.sync()
    assert (folder.path / "shop.py").read_bytes() == b"1\n"


def test_a_pipe_in_the_place_of_a_file_is_left_alone(board, folder):
    write(board, "shop", {"shop.py": "1\n"})
    folder.path.mkdir()
    os.mkfifo(folder.path / "shop.py")
    folder.sync()
    assert (folder.path / "shop.py").is_fifo()
    assert "shop.py" in folder.troubles
