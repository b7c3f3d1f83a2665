"""Commits that one process leaves and another one applies in its turn: the same comes of them, or nothing at all."""

import io
import os
import pickle
import shutil
import subprocess

import pytest
from lining import Twins, deciding, until
from test_store_joint import two_rules

from blackboard import CommitUnknown, Contract, Team, external, on
from blackboard.spec import changes
from blackboard.spec.changes import Committed
from blackboard.store.errands import _PLAN, Errands, _Reading
from blackboard.store.slips import Answer, Slips

# --- the same comes of them -------------------------------------------------------------------------------------------


def build(to, text, **premises):
    return to.written("server", text, by="bob", **premises)


def prepared_freely(board, to, clock):
    to.decided("api/ids", {"kind": "int", "maker": "server"})
    to.decided("db/ids", "integer")
    to.proposed("db/page", 20)
    build(to, "one", uses=["api/ids"], facets={"db/ids": ["$"]}, listed=["db/*"])


def prepared_with_a_team(board, to, clock):
    board.install(two_rules(within_seconds=60))
    to.decided("api/page", 10, by="boss", role="operator")
    to.proposed("api/ids", "int", by="art")
    to.proposed("api/ids", "text", by="art")
    to.voted("api/ids", 1, by="rev-1")
    clock.sleep(61)


def prepared_under_a_lease(board, to, clock):
    board.install(Team("build", [external("coder", role="coder", on=on.stale("*"))]))
    to.decided("api/ids", "int", by="boss", role="operator")
    to.decided("task/server", Contract.task(summary="build", uses=["api/ids"]), by="boss", role="operator")
    to.written("server", "one", by="boss", role="operator", uses=["api/ids"])
    to.decided("api/ids", "text", by="boss", role="operator")


def rebuilt_under_a_lease(board, to):
    (lease,) = board.claim("coder", lease_seconds=60)
    transaction = lease.transaction()
    to.write(transaction, "server", "two", uses=["api/ids"])
    return transaction.commit


def jointly(board, to):
    transaction = board.transaction("art")
    transaction.decision("db/ids")
    transaction.propose_jointly({"api/ids": Contract.value("uuid"), "db/ids": Contract.value("uuid")})
    return transaction.commit


def withdrawn(board, to):
    transaction = board.transaction("art")
    transaction.withdraw("api/ids", version=2)
    return transaction.commit


def imported(board, _to, number=4):
    transaction = board.transaction("bob")
    transaction.component("use")
    transaction.write("use", {"use.py": f"import lib\nlib.connect().find({number})\n"})
    return transaction.commit


def prepared_with_an_interface(board, to, clock):
    stub = "class Store:\n    def find(self, id: int) -> str: ...\ndef connect() -> Store: ...\n"
    to.decided("api/lib", Contract.python(stub))
    with board.transaction("ann") as transaction:
        transaction.write("lib", {"lib.py": stub}, implements=["api/lib"])
    imported(board, to, 3)()


def interface_changed(board, to):
    stub = "class Store:\n    def find(self, id: str) -> str: ...\ndef connect() -> Store: ...\n"
    return lambda: to.decided("api/lib", Contract.python(stub))


ACTS = {
    "ask": (prepared_freely, lambda _, to: lambda: to.asked("db/sort", "which?")),
    "decide": (prepared_freely, lambda _, to: lambda: to.decided("new/ids", "int")),
    "decide over": (prepared_freely, lambda _, to: lambda: to.decided("api/ids", {"kind": "text"})),
    "retract": (prepared_freely, lambda _, to: lambda: to.retracted("api/ids")),
    "propose": (prepared_freely, lambda _, to: lambda: to.proposed("api/ids", "uuid")),
    "write": (
        prepared_freely,
        lambda _, to: lambda: build(to, "two", uses=["api/ids"], implements=["db/ids"], listed=["db/*"]),
    ),
    "judge": (prepared_freely, lambda _, to: lambda: to.judged("server", passed=False)),
    "write what imports": (prepared_with_an_interface, imported),
    "change what is imported": (prepared_with_an_interface, interface_changed),
    "propose to voters": (prepared_with_a_team, lambda _, to: lambda: to.proposed("db/ids", "int", by="art")),
    "propose jointly": (prepared_with_a_team, jointly),
    "withdraw": (prepared_with_a_team, withdrawn),
    "vote": (prepared_with_a_team, lambda _, to: lambda: to.voted("api/ids", 2, by="rev-2")),
    "vote and settle": (prepared_with_a_team, lambda _, to: lambda: to.voted("api/ids", 1, by="rev-2")),
    "tick": (prepared_with_a_team, lambda board, _: board.tick),
    "rebuild under a lease": (prepared_under_a_lease, rebuilt_under_a_lease),
}


@pytest.mark.parametrize("overtaken", [False, True], ids=["at its head", "behind another commit"])
@pytest.mark.parametrize("act", ACTS)
def test_what_another_process_applies_is_what_would_have_been_applied_alone(
    location, given, monkeypatch, act, overtaken
):
    prepare, begin = ACTS[act]
    right = Errands.text

    def text(errands, attempt):
        told = right(errands, attempt)
        made = _PLAN.made(_Reading(io.BytesIO(told)).load()[-1])
        # A set tells its members in any order.
        assert (made, repr(made._replace(footprint=None))) == (
            attempt.planned,
            repr(attempt.planned._replace(footprint=None)),
        )
        return told

    monkeypatch.setattr(Errands, "text", text)
    twins = Twins(location, monkeypatch, lambda board, clock: prepare(board, given(board), clock))
    twins.compare(
        lambda owner: begin(owner, given(owner)),
        lambda leader: given(leader).decided("free/other", 1, by="boss", role="operator") if overtaken else None,
    )
    assert twins.line.boards[1] in twins.line.answered
    twins.close()


# --- refused means that nothing happened ------------------------------------------------------------------------------


def test_who_cannot_do_it_alone_while_another_may_be_doing_it_says_that_it_is_unknown(line, leader, owner, monkeypatch):
    """As where the one whose turn it is stands still in the midst of it, and goes on later."""
    told = []

    def commit():
        try:
            deciding(owner, name="call-1").commit()
        except CommitUnknown as unknown:
            told.append(unknown.idempotency_key)

    owner.store.writer.session.connection().raw.execute("PRAGMA busy_timeout = 0")
    session = leader.store.writer.session
    after_all = session.commit
    session.commit = lambda key: (until(lambda: told), after_all(key))
    monkeypatch.setattr("blackboard.store.tickets.PATIENCE_SECONDS", 0.05)
    line.behind(leader, commit)
    assert told == ["call-1"]
    assert leader.find_commit("call-1", author="ann").revision == 1


# --- what is left may be anything -------------------------------------------------------------------------------------


class Odd(str):
    """A text of an application that cannot be sent."""

    __slots__ = ()

    def __reduce_ex__(self, _protocol):
        raise RuntimeError


def test_what_cannot_be_left_for_others_is_done_alone(line, leader, owner, given):
    (done,) = line.behind(leader, lambda: given(owner).asked("db/ids", Odd("which?")))
    assert (done.revision, line.answered) == (1, [])


def test_what_is_too_long_to_be_answered_is_not_left_for_others(line, leader, owner):
    transaction = deciding(owner)
    for number in range(25):
        transaction.decide(f"api/a-rather-long-name/of-many/{number}", Contract.value(number))
    (done,) = line.behind(leader, transaction.commit)
    assert (done.revision, len(done.accepted), line.answered) == (1, 26, [])
    assert leader.store.database.remembered.head.revision == 0


class Call:
    def __init__(self, function, *arguments):
        self.told = function, arguments

    def __reduce__(self):
        return self.told


def globally(module, name):
    return b"\x80\x04c%s\n%s\n." % (module, name)


def spoiled(kind, name):
    """Return a text that gives a class another attribute."""
    module = kind.__module__.encode()
    return b"\x80\x04c%s\n%s\nN}\x8c%c%s)s\x86b." % (module, kind.__name__.encode(), len(name), name)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(lambda made: pickle.dumps(Call(os.mkdir, str(made))), id="a function of the system"),
        pytest.param(lambda made: pickle.dumps(Call(eval, f"__import__('os').mkdir({str(made)!r})")), id="eval"),
        pytest.param(lambda made: pickle.dumps(Call(shutil.copy, __file__, str(made))), id="a function of a library"),
        pytest.param(lambda made: pickle.dumps(Call(subprocess.Popen, ["mkdir", str(made)])), id="a class"),
        pytest.param(lambda _: pickle.dumps(Committed(1, (), 0)), id="a record"),
        pytest.param(lambda _: globally(b"builtins", b"list"), id="a kind of plain values"),
        pytest.param(lambda _: globally(b"blackboard.spec.keys", b"matches"), id="a function of the spec"),
        pytest.param(lambda _: globally(b"blackboard.spec.changes", b"NamedTuple"), id="what a module imports"),
        pytest.param(lambda _: globally(b"blackboard.spec.changes", b"Plan.__new__"), id="a method"),
        pytest.param(lambda _: globally(b"blackboard.store.tickets", b"Tickets"), id="a class of another room"),
        pytest.param(lambda _: globally(b"blackboard.spec.nowhere", b"Plan"), id="a module that is not there"),
        pytest.param(lambda _: spoiled(changes.Plan, b"changes"), id="another attribute of a class"),
        pytest.param(lambda _: spoiled(changes.Committed, b"revision"), id="another attribute of a frozen class"),
        pytest.param(lambda _: b"", id="nothing"),
        pytest.param(lambda _: pickle.dumps((1, 2)), id="too few parts"),
    ],
)
def test_no_text_makes_whoever_reads_it_do_or_become_anything(owner, tmp_path, text):
    made, before = tmp_path / "made", {kind: dict(vars(kind)) for kind in (changes.Plan, changes.Committed)}
    errands = owner.store.errands
    assert errands.member(text(made), lambda: True) is None
    assert errands.done(text(made)) is None
    assert not made.exists()
    assert {kind: dict(vars(kind)) for kind in before} == before


def test_what_is_written_beside_the_plan_is_done_by_its_owner(location, monkeypatch):
    """Limits and resources of a team are no part of a plan."""
    twins = Twins(location, monkeypatch, lambda *_: None)
    team = Team("build", [external("coder", role="coder", on=on.stale("*"))], resources={"gpu": 2})
    assert twins.compare(lambda owner: lambda: owner.install(team), lambda _: None).revision == 1
    assert twins.line.answered == []
    twins.close()


WRONG = {
    "intent": lambda told, plan: ((1, 2), plan),
    "key": lambda told, plan: ((*told[:5], None, *told[6:]), plan),
    "reads": lambda told, plan: ((*told[:3], 7, 9, *told[5:]), plan),
    "plan": lambda told, plan: (told, 7),
    "rows": lambda told, plan: (told, [*plan[:2], [(7, ["no/such"]), 7], *plan[3:]]),
    "changes": lambda told, plan: (told, [*plan[:3], [None], *plan[4:]]),
    "number of parts": lambda told, plan: (told, plan[:4]),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_an_errand_of_wrong_parts_harms_nobody(line, leader, owner, given, monkeypatch, wrong):
    errands = owner.store.errands
    right = errands.text

    def text(attempt):
        alike, content, told, plan = _Reading(io.BytesIO(right(attempt))).load()
        return pickle.dumps((alike, content, *WRONG[wrong](told, plan)))

    monkeypatch.setattr(errands, "text", text)
    first = []
    (done,) = line.behind(
        leader,
        lambda: given(owner).decided("api/ids", "int"),
        act=lambda: first.append(given(leader).decided("db/ids", "int")),
    )
    assert (first[0].revision, done.revision, line.answered) == (1, 2, [])
    assert owner.verify().revision == 2


def test_an_answer_that_tells_nothing_is_no_answer(line, leader, owner, given, monkeypatch):
    answer = Slips.answer
    monkeypatch.setattr(Slips, "answer", lambda slips, slip, _: answer(slips, slip, Answer(b"not that")))
    (done,) = line.behind(leader, lambda: given(owner).decided("api/ids", "int"))
    assert (done, line.answered) == (Committed(1, (("api/ids", 1),), 0), [owner])
    assert owner.revision == 1


# --- whose file it is -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("of_line", "of_board", "used"), [(0o646, 0o644, 0), (0o664, 0o644, 0), (0o666, 0o666, 1)])
def test_nothing_is_done_for_those_who_may_not_write_the_board(line, given, of_line, of_board, used):
    leader = line.open()
    line.location.chmod(of_board)
    line.location.with_name("board.db-queue").chmod(of_line)
    leader, owner = line.open(), line.open()
    (done,) = line.behind(leader, lambda: given(owner).decided("api/ids", "int"))
    assert (done.revision, line.answered) == (1, [owner] * used)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("owned", [{"uid": 12345}, {"gid": 12345}])
def test_nothing_is_done_where_somebody_else_made_the_line(line, given, owned):
    line.open()
    line.location.chmod(0o664)
    queue = line.location.with_name("board.db-queue")
    queue.chmod(0o664)
    os.chown(queue, owned.get("uid", -1), owned.get("gid", -1))
    leader, owner = line.open(), line.open()
    (done,) = line.behind(leader, lambda: given(owner).decided("api/ids", "int"))
    assert (done.revision, line.answered) == (1, [])
