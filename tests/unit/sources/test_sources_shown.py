"""A coder that sees nothing but its prompt can write a component that fits: what the prompt has to hold for that."""

import pytest
from sources_kit import Answers, of_kind, run

from blackboard import Check, Conflict, Contract, Failure
from blackboard.testing import open_memory
from knowledge_sources import coder
from knowledge_sources.facts import in_order, render
from knowledge_sources.refusals import refusal_fact

STORAGE = '''"""Keeps counts.

module: counter.storage
"""
class NotFound(Exception): ...


def load(name: str) -> int:
    """Return a count, in words and not in characters.

    Raises:
        NotFound: Nothing was saved under this name.
    """


def save(name: str, count: int) -> None: ...
'''
WORDS = 'def count(text: str) -> int:\n    """Count words; a word is a maximal run of letters."""\n'
WRITES = {"files": {"words.py": "def count(text: str) -> int:\n    return len(text.split())\n"}}
UNIT = Check("unit", on="*", command=["python", "-m", "unittest", "discover", "-s", "a folder"])


@pytest.fixture
def board():
    with open_memory() as opened:
        with opened.transaction("ann") as transaction:
            transaction.decide("prompt", Contract.text("make me a command that counts words"))
            transaction.decide("api/storage", Contract.python(STORAGE))
            transaction.decide("api/words", Contract.python(WORDS))
            task = Contract.task(
                summary="count words",
                implements=["api/words"],
                uses={"api/storage": ["load"]},
                files=["words.py"],
                command=["python", "words.py"],
            )
            transaction.decide("task/words", task)
            transaction.decide("task/keeper", Contract.task(summary="keep", implements=["api/storage"]))
        yield opened


def prompt_of(board, **desk):
    model = Answers(answer=WRITES)
    run(board, coder("cora", model), "words", **desk)
    return model.shown[-1]


def test_the_prompt_of_the_team_is_shown_and_pinned(board):
    [prompt] = of_kind(prompt_of(board), "prompt")
    assert prompt.body == "make me a command that counts words"
    assert "prompt" in {pin.key for pin in board.snapshot().component("words").pins}


def test_a_decision_that_is_used_is_shown_with_its_docstrings_and_how_to_import_it(board):
    used = next(fact for fact in of_kind(prompt_of(board), "decision") if fact.header["side"] == "uses")
    assert used.header["module"] == "counter.storage"
    assert used.header["import"] == "from counter.storage import NotFound, load"
    assert used.header["facets"] == ["NotFound", "__module__", "load"]
    assert "in words and not in characters" in used.body
    assert "def save" not in used.body


def test_a_decision_that_is_implemented_says_in_which_file(board):
    own = next(fact for fact in of_kind(prompt_of(board), "decision") if fact.header["side"] == "implements")
    assert (own.header["module"], own.header["file"]) == ("words", "words.py")
    assert "a maximal run of letters" in own.body


def test_the_task_is_one_block_with_the_entry_point(board):
    [task] = of_kind(prompt_of(board), "task")
    assert '"command": [\n  "python",\n  "words.py"\n ]' in task.body
    assert '"probe"' not in task.body


def test_the_checks_are_shown_as_the_lines_that_a_shell_would_take(board):
    other = Check("lint", on="others/*", command=["lint"])
    [check] = of_kind(prompt_of(board, checks=(UNIT, other)), "check")
    assert (check.header["check"], check.body) == ("unit", "python -m unittest discover -s 'a folder'")


def test_the_files_of_a_provider_are_shown_and_a_change_of_them_is_no_conflict(board):
    def store(text):
        with board.transaction("carl") as transaction:
            transaction.component("keeper")
            transaction.decision("api/storage", side="implements")
            transaction.write("keeper", {"counter/storage.py": text})

    store("def load(name): ...\n")
    model = Answers(answer=WRITES, meanwhile=lambda: store("def load(name: str) -> int: ...\n"))
    run(board, coder("cora", model), "words")
    [provider] = of_kind(model.shown[0], "provider")
    assert (provider.header["component"], provider.header["path"]) == ("keeper", "counter/storage.py")
    assert provider.body == "def load(name): ...\n"
    assert board.snapshot().component("words").state == "current"


def test_after_a_conflict_the_difference_and_the_own_draft_are_shown(board):
    def amend():
        model.meanwhile = None
        with board.transaction("ann") as transaction:
            transaction.decision("api/words")
            transaction.decide("api/words", Contract.python("def count(text: str, *, least: int) -> int: ...\n"))

    model = Answers(answer=WRITES, meanwhile=amend)
    source = coder("cora", model)
    with pytest.raises(Conflict) as refused:
        run(board, source, "words")
    run(board, source, "words", previous=Failure.of(refused.value))
    [told] = of_kind(model.shown[1], "refused")
    assert told.header == {"reason": "conflict"}
    assert "api/words#count" in told.body
    [draft] = of_kind(model.shown[1], "draft")
    assert draft.body == WRITES["files"]["words.py"]


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        ("UnreadableReply", "invalid reply", "could not be read"),
        ("ReplyTruncated", "cut off", "was cut off"),
        ("ModelRefused", "declined", "You declined"),
        ("TimeoutError", "time-out", "in time"),
        ("ModelTimeout", "time-out", "in time"),
        ("NotPermitted", "not permitted", "rules did not permit it"),
        ("Inconsistent", "constraint", "constraint false"),
        ("Returning", "returning", "given up"),
        ("TooLarge", "refused", "was refused"),
    ],
)
def test_each_kind_of_refusal_is_told_in_its_own_words(error, kind, words):
    fact = refusal_fact(Failure(error, "because of x"))
    assert fact.header == {"reason": kind}
    assert words in fact.body
    assert "because of x" in fact.body
    assert "somebody changed" not in fact.body


@pytest.mark.parametrize("error", ["ModelFailed", "RetryLater", "Released", "Reserved", "BudgetExhausted"])
def test_a_failure_that_is_not_about_the_reply_is_not_shown(board, error):
    assert of_kind(prompt_of(board, previous=Failure(error, "the provider was busy")), "refused") == []


def test_two_attempts_share_the_beginning_of_their_prompts(board):
    first = prompt_of(board)
    with board.transaction("tess") as transaction:
        transaction.component("words")
        transaction.verdict("unit", "words", passed=False, log="wrong")
    second = prompt_of(board)
    shared = render(in_order(first))
    assert render(in_order(second)).startswith(shared)
