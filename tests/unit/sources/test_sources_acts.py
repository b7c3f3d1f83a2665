"""The prompt of each act in a small project holds every fact that its author needs."""

import pytest
from sources_kit import Answers, of_kind, run

from blackboard import Check, Contract, Team
from blackboard.choreography import reviewed
from blackboard.testing import open_memory
from knowledge_sources import architect, coder, mediator, planner, reviewer
from knowledge_sources import tester as by_reading
from knowledge_sources.facts import in_order, render
from knowledge_sources.model import instructions

PROMPT = "Make a command that counts the words of a file and keeps the counts."
STORAGE = '''"""Keeps counts between runs.

module: counter.storage
"""
class NotFound(Exception):
    """Nothing was saved under this name."""


def load(name: str) -> int:
    """Return a count; it counts words and not characters.

    Raises:
        NotFound: See there.
    """
'''
WORDS = 'def count(text: str) -> int:\n    """Count words; a word is a maximal run of letters."""\n'
NEW_WORDS = 'def count(text: str, *, least: int = 1) -> int:\n    """Count words of at least this many letters."""\n'
UNIT = Check("unit", on="**", command=["python", "-m", "unittest", "discover"])
TASK = Contract.task(
    summary="count words and keep the count",
    implements=["api/words"],
    uses=["api/storage"],
    checks=["unit"],
    files=["words.py", "test_words.py"],
    command=["python", "-m", "words"],
    probe=["--version"],
)
STATES = {"language": "python", "text": NEW_WORDS, "rationale": "short words are noise"}


@pytest.fixture
def board():
    with open_memory() as opened:
        with opened.transaction("ann") as transaction:
            transaction.decide("prompt", Contract.text(PROMPT))
            transaction.decide("api/storage", Contract.python(STORAGE), rationale="one file is enough")
            transaction.decide("api/words", Contract.python(WORDS))
            transaction.decide("task/words", TASK)
        yield opened


def install_voters(board):
    """Let arthur propose and two of three reviewers accept."""
    idle = Answers(answer={})
    sources = [architect("arthur", idle), *(reviewer(name, idle) for name in ("rita", "rob", "ruby"))]
    board.install(Team(PROMPT, tuple(sources), choreography=reviewed(3)))


def prompt_of(source, model, board, target, **desk):
    run(board, source, target, **desk)
    return render(in_order(model.shown[-1]))


def ask(board):
    with board.transaction("ann", role="operator") as transaction:
        transaction.ask("api/words", "What is the smallest word that counts?", options=[1, 2])


def holds(text, *facts):
    assert [fact for fact in facts if fact not in text] == []


def test_a_planner_is_shown_the_prompt_what_is_decided_and_every_check(board):
    model = Answers(answer={})
    text = prompt_of(planner("paula", model), model, board, "prompt", checks=(UNIT,))
    holds(text, PROMPT, "it counts words and not characters", "count words and keep the count")
    holds(text, '"check":"unit"', "python -m unittest discover")


def test_an_architect_is_shown_who_needs_the_key_and_what_these_tasks_rest_on(board):
    ask(board)
    model = Answers(answer=STATES)
    text = prompt_of(architect("arthur", model), model, board, "api/words")
    holds(text, PROMPT, "What is the smallest word that counts?", "count words and keep the count")
    holds(
        text, "a maximal run of letters", "it counts words and not characters", "from counter.storage import NotFound"
    )


def test_what_is_decided_while_an_architect_thinks_is_no_conflict_if_it_was_not_shown(board):
    with board.transaction("ann") as transaction:
        transaction.decide("task/other", Contract.task(summary="show counts", uses=["api/words", "api/screen"]))
    ask(board)

    def decide():
        with board.transaction("ann") as transaction:
            transaction.decide("api/screen", Contract.value({"width": 80}))

    run(board, architect("arthur", Answers(answer=STATES, meanwhile=decide)), "api/words")
    assert board.snapshot().versions("api/words")[-1].author == "arthur"


def test_a_reviewer_is_shown_the_tasks_the_old_text_the_new_one_and_the_difference(board):
    install_voters(board)
    ask(board)
    model = Answers(answer={"approve": True})
    run(board, architect("arthur", Answers(answer=STATES)), "api/words")
    text = prompt_of(reviewer("rita", model), model, board, "api/words")
    holds(text, PROMPT, "a maximal run of letters", "at least this many letters", "short words are noise")
    holds(text, "parameter least by name: not taken -> taken", "count words and keep the count")
    holds(text, "it counts words and not characters")


def test_a_mediator_is_shown_the_question_and_what_the_tasks_rest_on(board):
    with board.transaction("ann") as transaction:
        transaction.decide("task/other", Contract.task(summary="show counts", uses=["api/screen", "api/storage"]))
        transaction.ask("api/screen", "How wide is it?")
    model = Answers(answer={"language": "value", "text": "80"})
    text = prompt_of(mediator("mia", model), model, board, "api/screen")
    holds(text, PROMPT, "How wide is it?", "show counts", "it counts words and not characters")


def test_a_coder_is_shown_all_that_its_component_has_to_fit(board):
    with board.transaction("carl") as transaction:
        transaction.component("keeper")
        transaction.decision("api/storage", side="implements")
        transaction.write("keeper", {"counter/storage.py": "def load(name: str) -> int: ...\n"})
    model = Answers(answer={"files": {"words.py": "wrong"}})
    source = coder("cora", model)
    run(board, source, "words")
    with board.transaction("unit", role="tester") as transaction:
        transaction.component("words")
        transaction.verdict("unit", "words", passed=False, log="AssertionError: 1 != 2")
    text = prompt_of(source, model, board, "words", checks=(UNIT,), previous="it came too late")
    holds(text, PROMPT, "count words and keep the count", "words.py", "test_words.py", "--version", "-m")
    holds(text, "a maximal run of letters", '"file":"words.py"')
    holds(text, "it counts words and not characters", '"import":"from counter.storage import NotFound, load"')
    holds(text, "one file is enough", "python -m unittest discover", "AssertionError: 1 != 2", "it came too late")
    holds(text, "def load(name: str) -> int: ...", "wrong", '"author":"ann"', '"revision":1')


def test_a_tester_is_shown_what_the_component_was_built_against(board):
    run(board, coder("cora", Answers(answer={"files": {"words.py": "count = len\n"}})), "words")
    model = Answers(answer={"passed": True})
    text = prompt_of(by_reading("tess", model, check="sense"), model, board, "words")
    holds(text, PROMPT, '"check":"sense"', "count words and keep the count", "a maximal run of letters", "count = len")
    holds(text, "it counts words and not characters")


LONG = "because " * 200_000
STATED = {"language": "value", "text": "80"}


@pytest.mark.parametrize(
    ("source", "target", "bad", "good", "told"),
    [
        (planner, "prompt", {"questions": [{"key": "how wide", "question": "?"}]}, {}, "how wide"),
        (planner, "prompt", {"decisions": [{**STATED, "key": "../screen"}]}, {}, "../screen"),
        (planner, "prompt", {"tasks": [{"name": "a b", "summary": "x"}]}, {}, "task/a b"),
        (planner, "prompt", {"questions": [{"key": "api/x", "question": LONG}]}, {}, "the question has"),
        (architect, "api/screen", {**STATED, "rationale": LONG}, STATED, "the rationale has"),
        (mediator, "api/screen", {**STATED, "rationale": LONG}, STATED, "the rationale has"),
        (reviewer, "api/words", {"approve": True, "reason": LONG}, {"approve": True}, "the reason has"),
        (by_reading, "words", {"passed": True, "log": LONG}, {"passed": True}, "the log has"),
    ],
)
def test_what_the_board_does_not_take_is_told_to_the_model_for_its_repair(board, source, target, bad, good, told):
    run(board, coder("cora", Answers(answer={"files": {"words.py": "count = len\n"}})), "words")
    if source is reviewer:
        install_voters(board)
        ask(board)
        run(board, architect("arthur", Answers(answer=STATES)), target)
    answers = iter([bad, good])
    model = Answers(answer=lambda _: next(answers))
    more = {"check": "sense"} if source is by_reading else {}
    run(board, source("rita", model, **more), target)
    assert len(model.said) == 2
    assert told in model.said[1]


def test_a_plan_that_was_repaired_is_brought_in_once(board):
    key = {"questions": [{"key": "api/screen", "question": "How wide?"}]}
    answers = iter([{**key, "tasks": [{"name": "a b", "summary": "x"}]}, key])
    run(board, planner("paula", Answers(answer=lambda _: next(answers))), "prompt")
    assert len(board.snapshot().questions("api/screen")) == 1


def test_the_instructions_of_a_coder_say_in_words_what_the_checks_of_every_team_demand():
    text = instructions("write")
    holds(text, "`conformance`", "`starts`", "ran no test")


def test_the_instructions_of_a_planner_say_where_modules_files_tests_and_the_entry_point_come_from():
    text = instructions("plan", "languages")
    holds(text, "module: ", "`files`", "`command`", "`probe`", "test_clock.py", "`checks`", "blocks `check`")


def test_files_of_providers_that_fit_are_shown_though_another_one_is_too_long(board):
    with board.transaction("carl") as transaction:
        transaction.component("keeper")
        transaction.decision("api/storage", side="implements")
        transaction.write("keeper", {"counter/a.py": "x" * 50_000, "counter/storage.py": "short = 1\n"})
    model = Answers(answer={"files": {"words.py": "count = len\n"}})
    run(board, coder("cora", model), "words")
    long, short = of_kind(model.shown[0], "provider")
    assert "50000 characters" in long.body
    assert (short.body, short.header["state"]) == ("short = 1\n", "current")


def test_a_command_that_is_very_long_is_cut_and_says_so(board):
    script = Check("script", on="**", command=["python", "-c", "pass\n" * 5_000])
    model = Answers(answer={"files": {"words.py": "count = len\n"}})
    run(board, coder("cora", model), "words", checks=(script,))
    [check] = of_kind(model.shown[0], "check")
    assert len(check.body) < 10_000
    assert check.body.startswith("python -c 'pass\n")
    assert "characters are left out]" in check.body


FILMS = '''from dataclasses import dataclass
@dataclass
class Film:
    """A film."""
    title: str
    minutes: int
def longest(films: list[Film]) -> Film: ...
def close() -> None: ...
'''


@pytest.mark.parametrize("named", ["Film", "longest"])
def test_a_class_that_a_task_needs_is_shown_and_pinned_with_its_members(board, named):
    with board.transaction("ann") as transaction:
        transaction.decide("api/films", Contract.python(FILMS))
        transaction.decide("task/show", Contract.task(summary="show", uses={"api/films": [named]}))
    model = Answers(answer={"files": {"show.py": "count = len\n"}})
    text = prompt_of(coder("cora", model), model, board, "show")
    holds(text, "    title: str", "    minutes: int")
    assert "def close" not in text
    pinned = {pin.name for pin in board.snapshot().component("show").pins if pin.key == "api/films"}
    assert pinned >= {"Film", "Film.title", "Film.minutes"}


def test_an_option_that_is_a_contract_is_shown_as_its_text(board):
    stub = {"language": "python", "text": WORDS}
    with board.transaction("ann", role="operator") as transaction:
        transaction.ask("api/words", "Which form?", options=[stub, "long", 7])
    model = Answers(answer=STATES)
    run(board, architect("arthur", model), "api/words")
    [question] = of_kind(model.shown[0], "question")
    assert question.header["options"] == ["long", 7]
    assert question.body == f"Which form?\n\nAn option, in language python:\n\n{WORDS}"


def test_an_architect_sees_proposals_for_what_the_same_tasks_need(board):
    with board.transaction("ann") as transaction:
        transaction.decide("task/other", Contract.task(summary="show counts", uses=["api/words", "api/screen"]))
    install_voters(board)
    with board.transaction("ann", role="operator") as transaction:
        transaction.ask("api/screen", "How wide is it?")
    run(board, architect("arthur", Answers(answer={"language": "value", "text": '{"width":80}'})), "api/screen")
    ask(board)
    model = Answers(answer=STATES)
    run(board, architect("arthur", model), "api/words")
    [proposal] = of_kind(model.shown[0], "proposal")
    assert (proposal.header["key"], proposal.body) == ("api/screen", '{"width":80}')


def test_a_coder_of_a_stale_component_is_shown_what_changed_since_it_was_written(board):
    model = Answers(answer={"files": {"words.py": "old"}})
    source = coder("cora", model)
    run(board, source, "words")
    with board.transaction("ann") as transaction:
        transaction.decision("api/words")
        transaction.decide("api/words", Contract.python(NEW_WORDS))
    run(board, source, "words")
    changed = {fact.header["key"]: fact.header.get("changes") for fact in of_kind(model.shown[1], "decision")}
    assert changed == {
        "api/words": [
            (
                "count: parameter least by name: not taken -> taken; documentation: "
                '"Count words; a word is a maximal run of letters." -> "Count words of at least this many letters."'
            )
        ],
        "api/storage": None,
    }
    assert [fact.header.get("changes") for fact in of_kind(model.shown[0], "decision")] == [None, None]


def test_the_verdict_of_another_check_while_a_coder_mends_does_not_waste_its_reply(board):
    def fail(check):
        with board.transaction(check, role="tester") as transaction:
            transaction.component("words")
            transaction.verdict(check, "words", passed=False, log=f"{check} failed")

    run(board, coder("cora", Answers(answer={"files": {"words.py": "old"}})), "words")
    fail("unit")
    model = Answers(answer={"files": {"words.py": "new"}}, meanwhile=lambda: fail("conformance"))
    run(board, coder("cora", model), "words")
    assert [log.body for log in of_kind(model.shown[0], "log")] == ["unit failed"]
    assert board.snapshot().component("words").text("words.py") == "new"


def test_a_table_of_which_a_task_needs_a_column_is_shown_and_pinned_whole(board):
    ddl = "create table tag (name text primary key);\n-- Kept for ever.\ncreate table note (id integer, title text);\n"
    with board.transaction("ann") as transaction:
        transaction.decide("db/schema", Contract("sql", ddl))
        transaction.decide("task/show", Contract.task(summary="show", uses={"db/schema": ["note.id"]}))
    model = Answers(answer={"files": {"show.py": "count = len\n"}})
    run(board, coder("cora", model), "show")
    [schema] = of_kind(model.shown[0], "decision")
    assert schema.body == "-- Kept for ever.\ncreate table note (id integer, title text);"
    pinned = {pin.name for pin in board.snapshot().component("show").pins if pin.key == "db/schema"}
    assert pinned == {"note", "note.id", "note.title"}


def test_a_value_is_shown_with_the_question_that_it_answers(board):
    with board.transaction("ann") as transaction:
        transaction.ask("style/rest", "Who pays the cent that is left over?", options=["first", "payer"])
    with board.transaction("ann") as transaction:
        transaction.decision("style/rest")
        transaction.decide("style/rest", Contract.value("first"))
        transaction.decide("task/show", Contract.task(summary="show", uses=["style/rest", "api/storage"]))
    model = Answers(answer={"files": {"show.py": "1\n"}})
    run(board, coder("cora", model), "show")
    shown = {fact.header["key"]: fact.header for fact in of_kind(model.shown[0], "decision")}
    assert shown["style/rest"]["answers"] == "Who pays the cent that is left over?"
    assert shown["style/rest"]["options"] == ["first", "payer"]
    assert "answers" not in shown["api/storage"]
