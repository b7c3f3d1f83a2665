"""A system tool that is not there skips a test, which is counted, or fails it where it was asked for."""

import shutil

import pytest
from tools import REQUIRE, require_tool


def test_a_tool_that_is_there_is_found(monkeypatch) -> None:
    monkeypatch.setenv(REQUIRE, "all")
    assert require_tool("git") == shutil.which("git")


@pytest.mark.parametrize("asked", ["", "git", "tmux, strace"])
def test_a_tool_that_is_not_there_skips(monkeypatch, asked) -> None:
    monkeypatch.setenv(REQUIRE, asked)
    with pytest.raises(pytest.skip.Exception, match="no-such-tool is not installed"):
        require_tool("no-such-tool")


@pytest.mark.parametrize("asked", ["all", "no-such-tool", "git,no-such-tool", "git no-such-tool"])
def test_a_tool_that_was_asked_for_and_is_not_there_fails(monkeypatch, asked) -> None:
    monkeypatch.setenv(REQUIRE, asked)
    with pytest.raises(pytest.fail.Exception, match="asks for it"):
        require_tool("no-such-tool")
