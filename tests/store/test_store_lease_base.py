"""What is read under a lease is of the history that this process knows, as all that it reads."""

import sqlite3

import pytest

from blackboard import Blackboard, Contract, Forked, Team, external, on


def test_what_was_read_under_a_lease_is_not_committed_in_another_history(location, tmp_path, given):
    team = Team("make it", [external("coder", role="coder", on=on.stale("*"))])
    with Blackboard.open(location, create=True) as board:
        board.install(team)
        given(board).decided("api/ids", "int", role="operator")
        given(board).decided("task/server", Contract.task(summary="build", uses=["api/ids"]), role="operator")
        with board.transaction("ann", role="operator") as first:
            first.decision("api/ids")
            first.write("server", {"server.txt": "first"})
        given(board).decided("api/ids", "text", role="operator")
        (lease,) = board.claim("coder")
        board.backup(tmp_path / "then.db")
        with Blackboard.open(location) as other:
            given(other).decided("api/ids", "read by the holder", role="operator")
        transaction = lease.transaction()
        assert transaction.decision("api/ids").value == "read by the holder"
        transaction.component("server")
        transaction.write("server", {"server.txt": "as it read"})
        # Somebody takes the file back in place, and others bring it to the same revision again.
        with sqlite3.connect(tmp_path / "then.db") as then, sqlite3.connect(location) as now:
            then.backup(now)
        then.close()
        now.close()
        with Blackboard.open(location) as other:
            given(other).decided("api/ids", "never read by the holder", role="operator")
            assert other.revision == transaction.revision
        with pytest.raises(Forked):
            transaction.commit()
