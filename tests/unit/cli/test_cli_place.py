import getpass

import pytest
import typer

from blackboard.cli.exits import Exit, of_outcome
from blackboard.cli.place import Author, author_of, find_board
from blackboard.errors import Invalid, InvalidKey, Unavailable
from blackboard.spec.convergence import Obligation

PERSON = Obligation("a", "a question", ("ann",), person=True)
SOURCE = Obligation("b", "it is stale", ("coder",))


@pytest.fixture
def project(tmp_path):
    (tmp_path / "team.py").write_text("")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    return tmp_path


def test_the_option_comes_before_the_variable_and_that_before_the_folder(project):
    environment = {"BB_BOARD": "variable.db"}
    assert find_board("option.db", environment, project) == "option.db"
    assert find_board(None, environment, project) == "variable.db"
    assert find_board(None, {"BB_BOARD": ""}, project) == str(project / "board.db")


def test_the_board_stands_beside_the_nearest_team_upward(project):
    assert find_board(None, {}, project / "deep" / "er") == str(project / "board.db")
    (project / "deep" / "team.py").write_text("")
    assert find_board(None, {}, project / "deep" / "er") == str(project / "deep" / "board.db")


def test_without_a_team_the_error_says_how_to_name_a_board(tmp_path):
    with pytest.raises(Unavailable, match="--board or BB_BOARD"):
        find_board(None, {}, tmp_path)


def test_an_author_is_the_accounts_user_as_operator_unless_said(monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "ann")
    assert author_of(None) == Author("ann", "operator")
    assert author_of("bob") == Author("bob", "operator")
    assert author_of("bob:reviewer") == Author("bob", "reviewer")
    assert author_of(":reviewer") == Author("ann", "reviewer")


@pytest.mark.parametrize("text", ["a b", "a\x1b", "a/b", "a:b:c", "\u202ea"])
def test_a_name_that_is_no_name_is_refused(text):
    with pytest.raises(InvalidKey):
        author_of(text)


def test_an_account_without_a_name_is_told_to_say_one(monkeypatch):
    def nobody():
        raise OSError("no name")

    monkeypatch.setattr(getpass, "getuser", nobody)
    with pytest.raises(typer.BadParameter, match="--as"):
        author_of(None)
    assert author_of("ann").name == "ann"


@pytest.mark.parametrize(
    ("kind", "left", "status"),
    [
        ("converged", (), Exit.YES),
        ("stalled", (SOURCE,), Exit.NO),
        ("stalled", (SOURCE, PERSON), Exit.NO),
        ("stalled", (PERSON,), Exit.PERSON),
        ("stalled", (), Exit.NO),
        ("oscillating", (PERSON,), Exit.NO),
        ("budget_exhausted", (PERSON,), Exit.NO),
        ("aborted", (PERSON,), Exit.FAILED),
    ],
)
def test_the_exit_status_answers_whether_it_converged(kind, left, status):
    assert of_outcome(kind, left) == status


def test_a_name_that_is_empty_is_no_other_board(tmp_path):
    with pytest.raises(Invalid):
        find_board("", {"BB_BOARD": "other.db"}, tmp_path)
