"""A new board's file: whole under its name, made once however many ask for it."""

import threading

import pytest

from blackboard import Blackboard, Contract, Full, Unavailable
from blackboard.store import creation, upgrade


def names(folder):
    return sorted(one.name for one in folder.iterdir())


def test_a_board_that_many_make_at_once_is_one(tmp_path):
    place, epochs, failed = tmp_path / "board.db", [], []
    together = threading.Barrier(8)

    def make():
        together.wait()
        try:
            with Blackboard.open(place, create=True) as board:
                epochs.append(board.cursor.epoch)
        except Exception as error:  # noqa: BLE001 - told by the test
            failed.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(set(epochs)) == 1
    assert [one for one in names(tmp_path) if not one.startswith("board.db")] == []


def test_a_board_that_somebody_makes_meanwhile_stands(tmp_path, monkeypatch):
    place, make = tmp_path / "board.db", upgrade.create

    def slowly(store):
        make(store)
        monkeypatch.setattr(upgrade, "create", make)
        with Blackboard.open(place, create=True) as other, other.transaction("ann") as transaction:
            transaction.decide("api/ids", Contract.value("int"))

    monkeypatch.setattr(upgrade, "create", slowly)
    with Blackboard.open(place, create=True) as board:
        assert board.snapshot().decision("api/ids").value == "int"
    assert [one for one in names(tmp_path) if not one.startswith("board.db")] == []


def test_a_board_that_could_not_be_made_is_not_there_and_what_was_there_stays(tmp_path, monkeypatch):
    def full(store):
        raise Full(store.location)

    monkeypatch.setattr(upgrade, "create", full)
    (tmp_path / "empty.db").touch()
    for name in ("new.db", "empty.db"):
        with pytest.raises(Full) as refused:
            Blackboard.open(tmp_path / name, create=True)
        assert refused.value.location == str(tmp_path / name)
    assert names(tmp_path) == ["empty.db"]


def test_a_board_needs_a_folder_and_is_made_behind_no_link_to_nothing(tmp_path):
    (tmp_path / "link.db").symlink_to(tmp_path / "nothing.db")
    for place in (tmp_path / "none" / "board.db", tmp_path / "link.db"):
        with pytest.raises(Unavailable) as refused:
            creation.create(place)
        assert refused.value.location == str(place)
    assert names(tmp_path) == ["link.db"]
