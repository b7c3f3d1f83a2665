"""An errand that does not go through leaves no trace: its owner gets by itself what it would have got alone."""

import pytest
from lining import Line, Twins, deciding

from blackboard import (
    Conflict,
    Contract,
    IllegalTransition,
    KeyReused,
    LeaseLost,
    NotPermitted,
    Reserved,
    Sealed,
    Team,
    external,
    on,
)
from blackboard.spec.halt import HaltAct
from blackboard.store import operate
from blackboard.store.operate import Operator


def decided(board, _clock):
    deciding(board, value="int").commit()


def refused_once(board, clock, *, author="slow"):
    if board.revision == 0:
        decided(board, clock)
    slow = deciding(board, value=f"{author} {board.revision}", by=author)
    deciding(board, value=f"quick {board.revision}", by="quick").commit()
    with pytest.raises(Conflict):
        slow.commit()


def refused_twice(board, clock):
    refused_once(board, clock)
    refused_once(board, clock)


def committed_under_the_key(board, _clock):
    deciding(board, value="int", name="call-1").commit()


def voted_once(team):
    def prepared(board, _clock):
        board.install(team)
        with board.transaction("art") as transaction:
            transaction.propose("api/ids", Contract.value("int"))
        voting(board, "rev-1")()

    return prepared


def voting(board, author):
    transaction = board.transaction(author)
    transaction.vote("api/ids", version=1, approve=True)
    return transaction.commit


def leased(board, clock):
    board.install(Team("build", [external(f"coder-{n}", role="coder", on=on.stale("*")) for n in (1, 2)]))
    for value in ("int", "text"):
        with board.transaction("boss", role="operator") as transaction:
            transaction.decision("api/ids")
            transaction.decide("api/ids", Contract.value(value))
            if value == "int":
                transaction.decide("task/server", Contract.task(summary="build", uses=["api/ids"]))
        if value == "int":
            write(board.transaction("boss", role="operator"), "one")()


def write(transaction, text):
    transaction.decision("api/ids")
    transaction.component("server")
    transaction.write("server", {"server.txt": text})
    return transaction.commit


def over(value="text", **named):
    return lambda board: deciding(board, value=value, **named).commit


def nothing(_board):
    pass


def quicker(board):
    deciding(board, value="quicker", by="quick").commit()


def sealed(board):
    operate.halt(board.store, Operator("boss", reason="an audit"), HaltAct.SEAL)


def declared_void(board):
    assert board.find_commit("call-1", author="ann") is None


@pytest.mark.parametrize(
    ("prepare", "begin", "act", "error"),
    [
        pytest.param(decided, over(by="slow"), quicker, Conflict, id="in conflict"),
        pytest.param(refused_once, over(by="slow"), quicker, Conflict, id="in conflict again, and reserved"),
        pytest.param(refused_twice, over(by="quick"), nothing, Reserved, id="reserved for another"),
        pytest.param(decided, over(), sealed, Sealed, id="sealed"),
        pytest.param(committed_under_the_key, over(name="call-1"), nothing, KeyReused, id="another under its key"),
        pytest.param(decided, over(name="call-1"), declared_void, KeyReused, id="its key declared void"),
    ],
)
def test_who_is_refused_is_refused_as_if_alone(location, monkeypatch, prepare, begin, act, error):
    twins = Twins(location, monkeypatch, prepare)
    assert isinstance(twins.compare(begin, act), error)
    assert twins.line.answered == []
    twins.close()


def test_who_lost_its_lease_is_refused_as_if_alone(location, monkeypatch):
    clocks = []
    twins = Twins(location, monkeypatch, lambda board, clock: (leased(board, clock), clocks.append(clock)))

    def begin(board):
        (lease,) = board.claim("coder-1", lease_seconds=10)
        return write(lease.transaction(), "two")

    def taken_over(board):
        clocks[0].sleep(11)
        assert board.claim("coder-2", lease_seconds=10)
        clocks[0].now -= 11

    assert isinstance(twins.compare(begin, taken_over), LeaseLost)
    assert twins.line.answered == []
    twins.close()


def test_a_vote_that_comes_too_late_is_refused_as_if_alone(location, monkeypatch, voting_team):
    twins = Twins(location, monkeypatch, voted_once(voting_team(votes=2)))
    late = twins.compare(lambda owner: voting(owner, "rev-3"), lambda leader: voting(leader, "rev-2")())
    assert isinstance(late, IllegalTransition)
    assert twins.line.answered == []
    twins.close()


def test_who_has_a_right_no_longer_is_refused_as_if_alone(location, monkeypatch, voting_team):
    twins = Twins(location, monkeypatch, voted_once(voting_team(reviewers=3)))

    def asking(owner):
        transaction = owner.transaction("art")
        transaction.ask("api/page", "how many?")
        return transaction.commit

    nobody = Team("later", [external("kim", role="architect", on=on.asked("api/*"))])
    told = twins.compare(asking, lambda leader: leader.install(nobody))
    assert isinstance(told, NotPermitted)
    assert twins.line.answered == []
    twins.close()


def test_a_plan_that_was_overtaken_is_made_again_as_if_alone(location, monkeypatch, voting_team):
    twins = Twins(location, monkeypatch, voted_once(voting_team(votes=3)))
    settled = twins.compare(lambda owner: voting(owner, "rev-3"), lambda leader: voting(leader, "rev-2")())
    assert settled.accepted == (("api/ids", 1),)
    assert twins.line.answered == []
    twins.close()


def test_of_several_in_line_those_before_the_one_refused_are_answered_and_those_behind_keep_their_order(
    location, monkeypatch
):
    line = Line(location, monkeypatch)
    leader, *owners = [line.open() for _ in range(5)]
    decided(leader, None)
    keys = ("a", "api/ids", "b", "c")
    works = [deciding(owner, key, "mine").commit for owner, key in zip(owners, keys, strict=True)]
    answers = line.behind(leader, *works, act=lambda: quicker(leader))
    # In the turn of the leader: its own, and that of the first.
    assert leader.store.database.remembered.head.revision == 3
    assert isinstance(answers.pop(1), Conflict)
    assert [answer.revision for answer in answers] == [3, 4, 5]
    assert line.answered[0] is owners[0]
    assert owners[1] not in line.answered
    line.close()
