"""What the doctor says of what follows from a history, told again from its beginning or from what a compaction kept."""

import pytest
from examinations import examine, faults, write

from blackboard import Blackboard, Contract, Team, external, on
from blackboard.choreography import Choreography, Role, agree, each, may, quorum
from blackboard.plan import plan
from blackboard.store import retell
from blackboard.store.compact import compact
from blackboard.store.surroundings import Level


@pytest.fixture
def compacted(location, given, voting_team):
    """Return a closed board that was compacted in the middle of a vote, and its head."""
    with Blackboard.open(location, create=True, durability="normal") as board:
        board.install(voting_team())
        to = given(board)
        to.asked("api/ids", by="art")
        for number in range(2):
            to.decided(f"free/k{number}", {"kind": number}, role="operator")
        with board.transaction("boss", role="operator") as transaction:
            transaction.decide("task/web", Contract.task(summary="s", uses=["free/k0", "api/*", "later/x"]))
        to.written("cli", uses=["free/k0"], listed=["free/*"], by="art")
        to.proposed("api/ids", {"kind": "int"}, by="art")
        to.voted("api/ids", 1, by="rev-1")
        before = board.revision + 1
        to.voted("api/ids", 1, by="rev-2")
        to.decided("free/k0", {"kind": "text"}, role="operator")
        compact(board.store, planner=plan, before=before, author="olga")
        to.decided("free/k1", {"kind": "text"}, role="operator")
        head = board.cursor
    write(location, "PRAGMA wal_checkpoint(TRUNCATE)")
    return location, head


def test_a_compacted_board_is_sound_and_told_again_from_what_was_kept(compacted):
    place, head = compacted
    found = examine(place, full=True, known_head=head)
    assert found.level(Level.FAULT, Level.UNSEEN) == ()
    assert any("what stands is what follows" in one.what for one in found.level(Level.NOTE))


def hurried_team(votes=2):
    """Return a team that has a minute for each round of a vote."""
    architect, operator = Role("architect", reliable=True), Role("operator", reliable=True)
    reviewer = Role("reviewer", members=3, reliable=True)
    agreed = agree(
        architect.proposes("api/{name}"),
        by=quorum(votes, of=reviewer),
        rounds=3,
        amendments=5,
        within_seconds=60,
        otherwise=operator.decides("api/{name}"),
    )
    choreography = Choreography("hurried", each("api/{name}", agreed, at_most=100), may(architect, "ask", "api/*"))
    members = [
        external("art", role="architect", on=on.asked("api/*")),
        *(external(f"rev-{n}", role="reviewer", on=on.proposed("api/*")) for n in range(1, 4)),
    ]
    return Team("hurried", members, choreography=choreography)


def test_teams_deadlines_and_bounds_are_told_across_a_compaction(location, given):
    now = [1000.0]
    with Blackboard.open(location, create=True, durability="normal", clock=lambda: now[0]) as board:
        board.install(hurried_team())
        to = given(board)
        with board.transaction("boss", role="operator") as transaction:
            transaction.decide("free/x", Contract.value(1))
        to.asked("api/a", by="art")
        to.asked("api/b", by="art")
        to.proposed("api/b", {"kind": 1}, by="art")
        to.voted("api/b", 1, by="rev-1", approve=False)
        compact(board.store, planner=plan, before=board.revision, author="olga")
        to.voted("api/b", 1, by="rev-2", approve=False)
        now[0] += 5000
        assert board.tick() > 0
        board.install(hurried_team(votes=3))
        compact(board.store, planner=plan, before=board.revision, author="olga")
        to.asked("api/c", by="art")
        board.install(hurried_team(votes=1))
        head = board.cursor
    found = examine(location, full=True, known_head=head)
    assert found.level(Level.FAULT, Level.UNSEEN) == ()
    assert any("what stands is what follows" in one.what for one in found.level(Level.NOTE)), found.findings


OF_COMPACTED = {
    "a wish to be woken": "INSERT INTO wakes VALUES (1, 'coder', 'stale', 1)",
    "a position": "UPDATE position SET state = replace(state, '1', '2')",
    "a need": "DELETE FROM need WHERE named = 1",
    "a pattern": "INSERT INTO pattern VALUES (99, 'a/*')",
    "an effect from before": "UPDATE facet_effect SET uses = 'none'",
    "a question": "UPDATE key SET question_revision = question_revision + 1 WHERE key = 'api/ids'",
    "a row that was kept": "DELETE FROM compacted_row WHERE name = 'need'",
    "when a key was first named": "UPDATE key SET create_revision = 2 WHERE key = 'later/x'",
}


@pytest.mark.parametrize("statement", OF_COMPACTED.values(), ids=OF_COMPACTED)
def test_what_does_not_follow_from_what_was_kept_is_found(compacted, statement):
    place, head = compacted
    write(place, statement)
    assert faults(place, full=True, known_head=head) != []


def test_what_was_folded_under_other_rules_is_not_called_damage(location, given):
    """Then nobody knows what followed from it, and nothing is claimed."""

    def nothing_follows(facts, intent):
        return plan(facts, intent._replace(acts=()))

    with Blackboard.open(location, create=True, durability="normal") as board:
        for number in range(4):
            given(board).decided("k", number)
        compact(board.store, planner=nothing_follows, before=3, author="olga")
        head = board.cursor
    found = examine(location, full=True, known_head=head)
    assert found.level(Level.FAULT, Level.UNSEEN) == ()
    assert any("what followed from the history before revision 3 was not kept" in one.what for one in found.findings)


def test_a_history_is_told_again_on_random_boards(memory_board, given):
    """Asked, proposed, jointly proposed, withdrawn, decided, upheld, retracted, written and judged, in one history."""
    to = given(memory_board)
    to.asked("a/ids")
    to.decided("a/ids", {"kind": "int"})
    to.decided("a/ids", {"kind": "text", "size": 3})
    with memory_board.transaction("ann") as transaction:
        transaction.propose_jointly({"b": Contract.value(1), "c": Contract.value(2)}, rationale="together")
    to.written("server", uses=["a/ids"], listed=["*"])
    to.judged("server", passed=False)
    to.asked("a/ids", "still?")
    to.decided("a/ids", {"kind": "text", "size": 3})
    with memory_board.transaction("boss", role="operator") as transaction:
        transaction.decide("task/web", Contract.task(summary="s", uses=["a/ids", "d/*"]))
        transaction.ask("d/x", "what?")
    to.retracted("a/ids")
    to.decided("d/x", 1)
    with memory_board.store.database.reading() as on:
        told = retell.retell(on, plan, until=memory_board.revision)
        with told.store.database.reading() as again:
            assert (told.stopped, list(retell.differences(on, again))) == ("", [])
        told.close()
