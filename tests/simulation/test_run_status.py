"""What `bb run` and `bb status` say of a run that a source stopped, and of work that was given up."""

import pytest

from blackboard.cli.exits import Exit
from blackboard.cli.main import main

TEAM = """
from blackboard import GiveUp, StopRun, Team, knowledge_source, on
from blackboard.choreography import Choreography, Role, may


def team(options):
    @knowledge_source(name="ari", role="architect", on=[on.accepted("prompt")])
    def architect(context):
        raise {error}

    return Team("x", [architect], choreography=Choreography("free", may(Role("architect"), "decide", "**")))
"""

WRITES = """
from blackboard import Contract, Team, knowledge_source, on
from blackboard.choreography import Choreography, Role, may


def team(options):
    @knowledge_source(name="cora", role="coder", on=[on.accepted("prompt")])
    def coder(context):
        with context.transaction() as transaction:
            if transaction.component("shop") is None:
                transaction.write("shop", {"pyproject.toml": "[project]"})

    return Team("x", [coder], choreography=Choreography("free", may(Role("coder"), "write", "**")))
"""


@pytest.fixture
def say(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BB_BOARD", raising=False)

    def say(error, *arguments):
        (tmp_path / "team.py").write_text(TEAM.format(error=error))
        status = main([*arguments])
        shown = capsys.readouterr()
        return status, shown.out + shown.err

    return say


def test_a_run_that_a_source_stopped_could_not_answer_and_says_why(say):
    status, shown = say('StopRun("401: the key is not accepted")', "run", ".", "--plain")
    assert status == Exit.FAILED
    assert "401: the key is not accepted" in shown


def test_a_converged_run_whose_program_may_not_be_written_says_so_and_has_converged(tmp_path, monkeypatch, capsys):
    """What agents called their files is no fault of the run; which of them are written is its operator's choice."""
    monkeypatch.delenv("BB_BOARD", raising=False)
    (tmp_path / "team.py").write_text(WRITES)
    assert main(["run", str(tmp_path), "--plain"]) == Exit.YES
    shown = capsys.readouterr()
    assert "converged" in shown.out
    assert "the program is in" not in shown.out
    assert "pyproject.toml" in shown.err
    assert "--allow" in shown.err
    assert not (tmp_path / "program").exists()
    assert main(["run", str(tmp_path), "--plain", "--allow", "pyproject.toml"]) == Exit.YES
    assert (tmp_path / "program" / "pyproject.toml").read_text() == "[project]"


def test_work_that_was_given_up_is_shown_with_the_command_that_retries_it(say):
    error = 'GiveUp("the prompt names no program")'
    status, shown = say(error, "run", ".", "--plain")
    assert status == Exit.NO
    assert "bb board retry ari prompt" in shown
    for arguments in (["status"], ["why", "prompt"]):
        _, shown = say(error, *arguments)
        assert "GiveUp: the prompt names no program" in shown, arguments
