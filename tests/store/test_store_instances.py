"""The bound of an `each` is asked of a kept number, which is exact, and of nothing that others change meanwhile."""

import pytest

from blackboard import Blackboard, Contract, Damaged, NotPermitted, Team, external, on
from blackboard import transaction as transactions
from blackboard.choreography import Choreography, Role, each, may, within
from blackboard.choreography.values import OPERATOR
from blackboard.store.facts import HeadFacts
from blackboard.store.statements import Statement

KEYS = [f"api/k-{number}" for number in range(4)]


def team(template="api/{name}", *, at_most=3, name="bounded") -> Team:
    architect = Role("architect")
    settled = within(60, architect.decides(template), otherwise=Role(OPERATOR, reliable=True).decides(template))
    protocol = Choreography(name, each(template, settled, at_most=at_most), may(architect, "decide", "other/*"))
    members = [
        external("ari", role="architect", on=on.asked("**")),
        external("art", role="architect", on=on.asked("x")),
    ]
    return Team("make it", members, choreography=protocol)


def decide(board, *keys, value=1, author="ari") -> None:
    with board.transaction(author) as transaction:
        for key in keys:
            transaction.decision(key)
            transaction.decide(key, Contract.value(value))


def kept(board) -> dict[str, int]:
    with board.store.database.reading() as on_board:
        return {row["template"]: row["keys"] for row in on_board.all(Statement("SELECT * FROM instance_count"))}


def write(board, statement: str) -> None:
    board.store.writer.run(lambda turn: turn.run(Statement(statement)))


def test_the_number_of_instances_is_kept_with_each_key_that_appears(board):
    board.install(team())
    decide(board, *KEYS[:2])
    decide(board, "other/x")
    decide(board, KEYS[0], value=2)
    assert kept(board) == {"api/{name}": 2}
    board.verify()


def test_a_joint_commit_is_counted_key_by_key(board):
    board.install(team())
    decide(board, KEYS[0])
    with pytest.raises(NotPermitted, match="3 keys under api/"):
        decide(board, *KEYS[1:])
    decide(board, *KEYS[:3], value=2)
    assert kept(board) == {"api/{name}": 3}
    with pytest.raises(NotPermitted):
        decide(board, KEYS[3])


def test_another_choreography_begins_its_own_numbers(board):
    board.install(team())
    decide(board, *KEYS[:2])
    board.install(team("api/{part}", at_most=3, name="second"))
    decide(board, KEYS[2])
    assert kept(board) == {"api/{part}": 3}
    with pytest.raises(NotPermitted):
        decide(board, KEYS[3])


def test_a_number_that_is_not_there_is_counted(board):
    board.install(team())
    decide(board, *KEYS[:2])
    write(board, "DELETE FROM instance_count")
    decide(board, KEYS[2])
    assert kept(board) == {"api/{name}": 3}


def test_a_wrong_number_is_damage(board):
    board.install(team())
    decide(board, *KEYS[:2])
    write(board, "UPDATE instance_count SET keys = keys - 1")
    with pytest.raises(Damaged, match="instances"):
        board.verify()


def test_a_number_under_a_template_that_nobody_bounds_is_damage(board):
    board.install(team())
    decide(board, *KEYS[:2])
    write(board, "UPDATE instance_count SET template = 'api/{nane}'")
    with pytest.raises(Damaged, match="instances"):
        board.verify()


def test_numbers_of_an_earlier_choreography_go_with_it(board):
    board.install(team())
    decide(board, *KEYS[:2])
    board.install(team("api/{part}", at_most=3, name="second"))
    assert "api/{name}" not in kept(board)
    board.verify()


def test_who_adds_a_key_meanwhile_makes_no_plan_anew_while_there_is_room(board, monkeypatch, before_the_row):
    board.install(team(at_most=10))
    decide(board, KEYS[0])
    before_the_row(board, lambda: decide(board, KEYS[2], author="art"))
    assert plans_of(board, monkeypatch) == 1
    before_the_row(board, lambda: decide(board, KEYS[0], value=2, author="art"))
    assert plans_of(board, monkeypatch, key=KEYS[3]) == 1
    assert [one.key for one in board.snapshot().decisions("api/*")] == [*KEYS[:4]]


def test_who_takes_the_last_place_meanwhile_is_noticed(board, monkeypatch, before_the_row):
    board.install(team(at_most=2))
    decide(board, KEYS[0])
    before_the_row(board, lambda: decide(board, KEYS[2], author="art"))
    with pytest.raises(NotPermitted):
        plans_of(board, monkeypatch)
    assert [one.key for one in board.snapshot().decisions("api/*")] == [KEYS[0], KEYS[2]]


def plans_of(board, monkeypatch, key=KEYS[1]) -> int:
    """Return how often a commit of a new key is planned."""
    real, seen = transactions.plan, []

    def counted(facts, intent):
        if intent.author == "ari":
            seen.append(intent)
        return real(facts, intent)

    monkeypatch.setattr(transactions, "plan", counted)
    decide(board, key)
    monkeypatch.undo()
    return len(seen)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("api/*", "api/zz"), ("**", "a/0"), ("api/**", "api/a/0"), ("none/*", None), ("*", None)],
)
def test_the_first_accepted_key_under_a_pattern_is_found_however_far_it_is(pattern, expected):
    with Blackboard.in_memory() as board:
        decide(board, "a/0", *(f"api/a/{number}" for number in range(60)), "api/zz")
        with board.store.database.reading() as connection:
            found = HeadFacts(connection, board.store.kept).accepted_under(pattern)
    assert found == expected
