"""S4, S6: a snapshot is one moment, answers the same for ever, and is never older than what was acknowledged."""

import dataclasses
import os
import socket
import threading

import pytest

from blackboard import Contract, Invalid, InvalidPath


def seen(snapshot):
    """Return everything that a snapshot answers."""
    keys = sorted({one.key for one in snapshot.decisions()} | KEYS)
    return {
        "decisions": snapshot.decisions(),
        "single": {key: snapshot.decision(key) for key in keys},
        "versions": {key: snapshot.versions(key) for key in keys},
        "components": snapshot.components(),
        "questions": snapshot.questions(),
        "verdicts": {one.key: snapshot.verdicts(one.key) for one in snapshot.components()},
        "fingerprint": snapshot.convergence().fingerprint,
    }


KEYS = {"api/ids", "api/page", "api/asked", "task/server", "db/named"}


def a_history(to):
    """Yield after each commit of a history that has a bit of everything."""
    yield to.decided("api/ids", {"kind": "int", "maker": "server"})
    yield to.asked("api/page", "how many?")
    yield to.written("server", "one", facets={"api/ids": ["kind"]}, listed=["db/*"])
    yield to.judged("server", passed=False)
    yield to.decided("api/ids", {"kind": "text", "maker": "server"})
    yield to.decided("api/page", 20)
    yield to.written("server", "two", facets={"api/ids": ["kind"]})
    yield to.judged("server", passed=True)
    yield to.decided("db/ids", 1)
    yield to.decided("task/server", Contract.task(summary="build", uses=["db/named"]))
    yield to.retracted("api/ids", reason="it was wrong")
    yield to.asked("api/ids", "what now?")
    yield to.decided("api/ids", {"kind": "uuid", "maker": "client"})
    yield to.asked("api/page", "really?")
    yield to.retracted("api/page")
    for number in range(17):
        yield to.decided("api/many", number)
    yield to.decided("api/many", "ruled", role="operator")


def test_every_old_revision_still_says_what_it_said(board, given):
    said = {0: seen(board.snapshot())}
    for done in a_history(given(board)):
        assert done.revision == board.revision
        said[done.revision] = seen(board.snapshot())
    assert len(said) == board.revision + 1
    for revision, answer in said.items():
        snapshot = board.snapshot(at=revision)
        assert snapshot.revision == revision
        assert seen(snapshot) == answer, revision


def test_every_old_revision_of_a_vote_still_says_what_it_said(board, given, voting_team):
    board.install(voting_team(rounds=2))
    to, said = given(board), {}

    def note():
        said[board.revision] = seen(board.snapshot())

    for reviewers, approve in ((("rev-1", "rev-2"), False), (("rev-1", "rev-2", "rev-3"), True)):
        to.proposed("api/ids", f"{approve}", by="art")
        note()
        for reviewer in reviewers[:2]:
            to.voted("api/ids", len(board.snapshot().versions("api/ids")), by=reviewer, approve=approve)
            note()
    to.proposed("api/ids", "amended", by="art")
    note()
    with board.transaction("art") as transaction:
        transaction.withdraw("api/ids", version=3)
    note()
    assert {one.state for one in board.snapshot().versions("api/ids")} == {"rejected", "accepted", "withdrawn"}
    for revision, answer in said.items():
        assert seen(board.snapshot(at=revision)) == answer, revision


def test_a_snapshot_does_not_move(board, given):
    given(board).decided("api/ids", "int")
    snapshot = board.snapshot()
    given(board).decided("api/ids", "text")
    given(board).retracted("api/ids")
    assert snapshot.decision("api/ids").value == "int"
    assert [one.state for one in snapshot.versions("api/ids")] == ["accepted"]


def test_a_transaction_reads_from_its_snapshot(board, given):
    given(board).decided("api/ids", "int")
    transaction = board.transaction("bob")
    given(board).decided("api/ids", "text")
    given(board).decided("api/new", 1)
    assert transaction.decision("api/ids").value == "int"
    assert transaction.decision("api/new") is None
    assert [one.key for one in transaction.decisions("**")] == ["api/ids"]
    transaction.discard()


def test_a_retracted_version_stays_retracted_after_a_new_one(board, given):
    to = given(board)
    to.decided("api/ids", "int")
    to.retracted("api/ids", reason="wrong")
    to.decided("api/ids", "text")
    assert [(one.state, one.reason) for one in board.snapshot().versions("api/ids")] == [
        ("retracted", "wrong"),
        ("accepted", ""),
    ]
    assert [(one.state, one.reason) for one in board.snapshot(at=1).versions("api/ids")] == [("accepted", "")]


def test_there_is_no_snapshot_of_the_future(board, given):
    given(board).decided("api/ids", "int")
    assert board.snapshot(at=0).decisions() == ()
    for revision in (-1, 2):
        with pytest.raises(Invalid):
            board.snapshot(at=revision)


def test_an_acknowledged_commit_is_in_the_next_snapshot_of_everybody(file_board, location, given):
    from blackboard import Blackboard

    with Blackboard.open(location) as other:
        for number in range(20):
            given(file_board).decided("api/ids", number, role="operator")
            assert other.snapshot().decision("api/ids").value == number


def test_snapshots_and_transactions_hold_nothing_open(file_board, location, given):
    given(file_board).decided("api/ids", "int")
    held = [file_board.snapshot() for _ in range(5)]
    thinking = [file_board.transaction(f"a{number}") for number in range(5)]
    for reader in (*held, *thinking):
        reader.decision("api/ids")
    # A checkpoint that truncates the log needs that nobody reads in it.
    raw = file_board.store.database.connect()
    assert raw.raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()["busy"] == 0
    raw.close()
    given(file_board).decided("api/page", 20)


def test_one_answer_is_from_one_moment_while_others_write(file_board, given, length):
    """Two keys are always amended together, so no answer may hold different values of them."""
    board = file_board
    stop, torn = threading.Event(), []

    def read():
        while not stop.is_set():
            values = {one.value for one in board.snapshot().decisions("pair/*")}
            if len(values) > 1:
                torn.append(values)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(length(60, 500)):
        with board.transaction("ann", role="operator") as transaction:
            for key in ("pair/a", "pair/b"):
                transaction.decision(key)
                transaction.decide(key, Contract.value(number))
    stop.set()
    for reader in readers:
        reader.join()
    assert torn == []


def test_a_snapshot_is_exported_as_files(board, given, tmp_path):
    given(board).decided("api/ids", "int")
    with board.transaction("bob") as transaction:
        transaction.write("server", {"server/app.py": "one", "data.bin": b"\x00\xff"})
    at = board.revision
    with board.transaction("bob") as transaction:
        transaction.component("server")
        transaction.write("server", {"server/app.py": "two", "data.bin": None})
    board.snapshot(at=at).export(tmp_path / "old")
    board.snapshot().export(tmp_path / "new")
    assert (tmp_path / "old/server/app.py").read_text() == "one"
    assert (tmp_path / "old/data.bin").read_bytes() == b"\x00\xff"
    assert (tmp_path / "new/server/app.py").read_text() == "two"
    assert not (tmp_path / "new/data.bin").exists()


def test_an_export_over_an_older_one_removes_what_is_no_component_s_and_nothing_else(board, given, tmp_path):
    given(board).decided("api/ids", "int")
    with board.transaction("bob") as transaction:
        transaction.write("server", {"server/app.py": "one", "server/old.py": "gone soon", "data.bin": b"1"})
    folder = tmp_path / "program"
    board.snapshot().export(folder)
    (folder / "notes.txt").write_text("mine")
    (folder / "data.bin").unlink()
    (folder / "data.bin").mkdir()
    with board.transaction("bob") as transaction:
        transaction.component("server")
        transaction.write("server", {"server/old.py": None, "data.bin": None})
    board.snapshot().export(folder)
    left = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert left == [".spec/decisions.json", ".spec/files.json", "notes.txt", "server/app.py"]
    assert (folder / "data.bin").is_dir()


@pytest.mark.parametrize("listed", ['["../outside.txt"]', '["/etc/hostname"]', "[1]", "{}", "no JSON", '["link.txt"]'])
def test_what_a_forged_list_names_outside_the_folder_stays(board, tmp_path, listed):
    outside, folder = tmp_path / "outside.txt", tmp_path / "folder"
    outside.write_text("mine")
    (folder / ".spec").mkdir(parents=True)
    (folder / "link.txt").symlink_to(outside)
    (folder / ".spec" / "files.json").write_text(listed)
    board.snapshot().export(folder)
    assert outside.read_text() == "mine"
    assert (folder / "link.txt").is_symlink()


@pytest.mark.parametrize("name", [".env", "conftest.py", "team.py", ".github/workflows/x.yml"])
def test_what_tools_run_unasked_is_exported_only_if_it_is_allowed_by_name(board, tmp_path, name):
    with board.transaction("bob") as transaction:
        transaction.write("server", {name: "1", "app.py": "2"})
    with pytest.raises(InvalidPath) as caught:
        board.snapshot().export(tmp_path / "out")
    assert caught.value.path == name
    assert not (tmp_path / "out").exists()
    board.snapshot().export(tmp_path / "out", allow=[name])
    assert (tmp_path / "out" / name).read_text() == "1"


def test_an_export_replaces_no_file_that_no_export_wrote(board, tmp_path):
    with board.transaction("bob") as transaction:
        transaction.write("server", {"a.py": "ours", "main.py": "ours"})
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "main.py").write_text("mine")
    with pytest.raises(InvalidPath, match="no export wrote"):
        board.snapshot().export(folder)
    assert [path.name for path in folder.iterdir()] == ["main.py"]
    board.snapshot().export(folder, allow=["main.py"])
    assert (folder / "main.py").read_text() == "ours"
    with board.transaction("bob") as transaction:
        transaction.component("server")
        transaction.write("server", {"main.py": "newer"})
    board.snapshot().export(folder)
    assert (folder / "main.py").read_text() == "newer"


@pytest.mark.parametrize("place", ["a.py", ".spec/files.json"])
def test_an_export_never_opens_a_pipe(board, tmp_path, place):
    with board.transaction("bob") as transaction:
        transaction.write("server", {"a.py": "1"})
    (tmp_path / ".spec").mkdir()
    os.mkfifo(tmp_path / place)
    with pytest.raises(InvalidPath, match="pipe"):
        board.snapshot().export(tmp_path)


@pytest.mark.parametrize("inside", [True, False])
def test_an_export_goes_through_no_link_and_makes_no_folder_behind_one(board, tmp_path, inside):
    with board.transaction("bob") as transaction:
        transaction.write("server", {"a.py": "1", "out/sub/b.py": "2"})
    folder = tmp_path / "program"
    behind = folder / ".git" if inside else tmp_path / "elsewhere"
    behind.mkdir(parents=True)
    (folder / "out").symlink_to(behind) if inside else (folder.mkdir(), (folder / "out").symlink_to(behind))
    with pytest.raises(InvalidPath, match="link") as caught:
        board.snapshot().export(folder, allow=["out/sub/b.py"])
    assert caught.value.path == "out/sub/b.py"
    assert list(behind.iterdir()) == []
    assert not (folder / "a.py").exists()


def test_a_socket_in_the_place_of_a_folder_is_refused_before_anything_is_written(board, tmp_path, monkeypatch):
    with board.transaction("bob") as transaction:
        transaction.write("server", {"a.py": "1", "web/b.py": "2"})
    folder = tmp_path / "program"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as there:
        there.bind("web")
        with pytest.raises(InvalidPath, match="socket"):
            board.snapshot().export(folder)
    assert [path.name for path in folder.iterdir()] == ["web"]


def test_a_place_that_is_too_deep_for_the_system_is_refused_by_the_same_error(board, tmp_path):
    with board.transaction("bob") as transaction:
        transaction.write("server", {"/".join(["a" * 200] * 5): "1"})
    with pytest.raises(InvalidPath, match="too long"):
        board.snapshot().export(tmp_path / "/".join(["b" * 200] * 17))


def test_an_allowed_name_neither_opens_a_folder_with_a_dot_nor_replaces_files_elsewhere(board, tmp_path):
    """Who allows config.toml does not think of .cargo/config.toml, nor of a config.toml of another folder."""
    with board.transaction("bob") as transaction:
        transaction.write("server", {".cargo/config.toml": "1"})
    with pytest.raises(InvalidPath) as caught:
        board.snapshot().export(tmp_path, allow=["config.toml"])
    assert caught.value.path == ".cargo/config.toml"
    with board.transaction("bob") as transaction:
        transaction.component("server")
        transaction.write("server", {".cargo/config.toml": None, "config.toml": "1", "web/config.toml": "2"})
    for place in (tmp_path / "config.toml", tmp_path / "web" / "config.toml"):
        place.parent.mkdir(exist_ok=True)
        place.write_text("mine")
    with pytest.raises(InvalidPath) as caught:
        board.snapshot().export(tmp_path, allow=["config.toml"])
    assert caught.value.path == "web/config.toml"
    assert (tmp_path / "config.toml").read_text() == "mine"


def test_what_no_component_may_hold_is_not_exported_from_a_board_that_holds_it(board, tmp_path):
    """A board that others wrote may hold what this library would have refused; no permission covers it."""
    with board.transaction("bob") as transaction:
        transaction.write("server", {"config": "1"})
    held = board.snapshot().component("server")
    for path in (".git/config", ".spec/files.json", "../out.py", "cafe\u0301.py"):
        snapshot = board.snapshot()
        snapshot.components = lambda path=path: (dataclasses.replace(held, files={path: b"1"}),)
        with pytest.raises(InvalidPath) as caught:
            snapshot.export(tmp_path / "out", allow=[path, "config"])
        assert caught.value.path == path
        assert not (tmp_path / "out").exists()


def test_components_whose_files_differ_in_case_only_are_not_exported(board, tmp_path):
    with board.transaction("bob") as transaction:
        transaction.write("server", {"shop/A.py": "1"})
        transaction.write("client", {"shop/a.py": "2"})
    with pytest.raises(InvalidPath, match="case"):
        board.snapshot().export(tmp_path)
