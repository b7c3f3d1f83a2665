"""Teams whose models know nothing but their prompts build programs that work.

Where a prompt hides something, or a model does its work badly, the run does not converge and says why.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from loopback import Asked, Loopback, Said
from test_docs import BB, blocks
from tools import ROOT

from blackboard import Blackboard, Check, Contract, Controller, Outcome, Team
from blackboard.choreography import reviewed
from blackboard.cli.teamfile import Options, load_team
from knowledge_sources import mediator
from knowledge_sources import tester as by_reading
from knowledge_sources.facts import Fact, render
from shown import Habit, Member, Seen
from shown.plans import PLANS, RECIPES_PROMPT, TODO_PROMPT, WORDS_PROMPT, WORDS_STUB

TEXT = "One fish, two fish.\nRed fish: blue fish2fish! It's TWO o'clock.\n"
OF_LETTERS = "fish 5\ntwo 2\nblue 1\nclock 1\nit 1\no 1\none 1\nred 1\ns 1\n"
OF_DIGITS_TOO = "fish 3\ntwo 2\nblue 1\nclock 1\nfish2fish 1\nit 1\no 1\none 1\nred 1\ns 1\n"
WELL = Member()


@dataclass
class Built:
    """What a team built.

    Attributes:
        outcome: How its run ended.
        board: Where it built.
        prompts: What its models were shown, in order.
        program: Its folder.
    """

    outcome: Outcome
    board: Blackboard
    prompts: list[Seen]
    program: Path

    def of(self, act: str) -> list[Seen]:
        return [one for one in self.prompts if one.act[0] == act]

    def why(self) -> str:
        """Return what is left to do, and what the failed checks printed."""
        now = self.board.snapshot()
        logs = (one.log for found in now.components() for one in now.verdicts(found.key) if not one.passed)
        return "\n".join([*(f"{one.key}: {one.reason}" for one in self.outcome.obligations), *logs])


def started(program: Path, *arguments: str) -> tuple[int, str]:
    """Start a program that was exported; return its status and what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=program, capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, done.stdout


def of_readme(model: object) -> Team:
    names: dict[str, Any] = {}
    exec(blocks("python")[1], names)  # noqa: S102 - our own README
    return names["team"](Options(model=model))


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Built]:
    """Return a way to let a team work: `build(make_team, answer)`."""
    with Blackboard.open(tmp_path / "board.db", create=True, durability="normal") as board:

        def run(make: Callable[[object], Team], answer: Callable[[Asked], Said] = WELL) -> Built:
            with Loopback(answer) as server:
                outcome = Controller(board, make(server.model())).run()
                prompts = [Seen(one) for one in server.asked]
            board.snapshot().export(tmp_path / "program")
            return Built(outcome, board, prompts, tmp_path / "program")

        yield run


def assert_shown(prompt: Seen, stubs: Mapping[str, str], asked: str) -> None:
    """Assert that a coder's prompt shows contracts whole and where they live, the team's prompt and the checks."""
    named = {**prompt.task.get("implements", {}), **prompt.task.get("uses", {})}
    shown = {one.header["key"]: one for one in prompt.of("decision", language="python")}
    assert shown.keys() == {key for key in named if key in stubs}
    for key, one in shown.items():
        assert lines_of(one.body) == lines_of(PART if named[key] else stubs[key])
        where = "file" if one.header["side"] == "implements" else "import"
        assert one.header[where] == PLACES[key][where == "import"].replace("Book, " if named[key] else "", "")
    assert [one.body for one in prompt.of("prompt")] == [asked]
    assert [one.body for one in prompt.of("check")] == ["python -m unittest discover"]


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


PLACES = {
    "api/words": ("words.py", "from words import count"),
    "api/entries": ("entries.py", "from entries import Entry, add, finish"),
    "api/store": ("kept/store.py", "from kept.store import load, save"),
    "api/recipes": ("recipes/book.py", "from recipes.book import Book, Recipe"),
    "api/lines": ("recipes/lines.py", "from recipes.lines import line"),
}


PART = PLANS[RECIPES_PROMPT]["decisions"][0]["text"].partition("class Book")[0]
"""What the component `lines` uses of the contract `api/recipes`."""


def stubs_of(asked: str) -> dict[str, str]:
    return {one["key"]: one["text"] for one in PLANS[asked]["decisions"]}


def test_the_team_of_the_readme_builds_what_its_prompt_asks_for(build) -> None:
    built = build(of_readme)
    assert built.outcome.kind == "converged", built.why()
    (built.program / "text.txt").write_text(TEXT)
    assert started(built.program, "-m", "count_words", "text.txt") == (0, OF_LETTERS)
    assert started(built.program, "-m", "count_words", "absent.txt") == (1, "")
    assert {one.act[1] for one in built.of("write")} == {"words", "count-command"}
    for prompt in built.of("write"):
        assert_shown(prompt, stubs_of(WORDS_PROMPT), WORDS_PROMPT)


WORDS_TRIALS = (("text.txt",), (0, OF_LETTERS)), (("absent.txt",), (1, ""))
TODO_TRIALS = (
    (("list",), (0, "")),
    (("add", "buy milk"), (0, "")),
    (("add", "call ann"), (0, "")),
    (("done", "1"), (0, "")),
    (("list",), (0, "1 [x] buy milk\n2 [ ] call ann\n")),
    (("done", "3"), (1, "")),
)
RECIPES_TRIALS = (
    (("find", "soup"), (0, "")),
    (("add", "Tomato soup", "90"), (0, "")),
    (("add", "Bean Soup", "125"), (0, "")),
    (("add", "Bread", "30"), (0, "")),
    (("add", "Tomato soup", "45"), (0, "")),
    (("find", "soup"), (0, "Bean Soup (2:05)\nTomato soup (0:45)\n")),
)


def test_the_models_of_the_recipes_build_what_they_are_asked_for(build) -> None:
    built = build(lambda model: load_team(ROOT / "examples" / "recipes" / "team.py", Options(model=model)))
    assert built.outcome.kind == "converged", built.why()
    for arguments, expected in RECIPES_TRIALS:
        assert started(built.program, "-m", "recipes", *arguments) == expected


@pytest.mark.parametrize(
    ("asked", "module", "trials"),
    [
        (WORDS_PROMPT, "count_words", WORDS_TRIALS),
        (TODO_PROMPT, "todo", TODO_TRIALS),
        (RECIPES_PROMPT, "recipes", RECIPES_TRIALS),
    ],
    ids=["words", "todo", "recipes"],
)
def test_what_bb_init_begins_with_builds_what_it_is_asked_for(tmp_path, asked, module, trials) -> None:
    folder, program = tmp_path / "team", tmp_path / "team" / "program"
    bb("init", folder)
    team = folder / "team.py"
    team.write_text(team.read_text().replace("Say here what is to be built.", asked))
    with Loopback(Member()) as server:
        bb("run", folder, "--model", "openai:loopback", url=server.url, beside=stand_in(tmp_path / "lib"))
        prompts = [Seen(one) for one in server.asked]
    (program / "text.txt").write_text(TEXT)
    for arguments, expected in trials:
        assert started(program, "-m", module, *arguments) == expected
    writes = [one for one in prompts if one.act[0] == "write"]
    assert {one.act[1] for one in writes} == {one["name"] for one in PLANS[asked]["tasks"]}
    for prompt in writes:
        assert_shown(prompt, stubs_of(asked), asked)


def bb(*arguments: object, url: str = "", beside: str = "") -> str:
    """Run the command; return what it prints."""
    paths = [path for path in (beside, os.environ.get("PYTHONPATH", "")) if path]
    more = {"PYTHONPATH": os.pathsep.join(paths), "OPENAI_BASE_URL": url, "OPENAI_API_KEY": "loopback"}
    command = [str(BB), *map(str, arguments)]
    done = subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def stand_in(folder: Path) -> str:
    """Lay a module in the place of LangChain's own, which the tests do not need, that makes models by their names."""
    module = folder / "langchain" / "chat_models.py"
    module.parent.mkdir(parents=True)
    module.write_text(
        "from langchain_openai import ChatOpenAI\n"
        "def init_chat_model(model, **settings):\n"
        "    return ChatOpenAI(model=model.partition(':')[2], **settings)\n"
    )
    return str(folder)


# --- models that do it badly ---


BADLY = pytest.mark.parametrize(
    ("habit", "component", "said"),
    [
        (Habit.GUESSES_IMPORTS, "count-command", "import words_lib: there is no such module; api/words is the module"),
        (Habit.WRITES_NO_TESTS, "words", "[no test ran]"),
        (Habit.IGNORES_DOCSTRINGS, "words", 'self.assertEqual(words.count("a b b"), [("b", 2), ("a", 1)])'),
        (
            Habit.ANSWERS_NO_HELP,
            "count-command",
            "`python -m count_words --help` ended with status 1: there is no file",
        ),
    ],
    ids=lambda one: one.name if isinstance(one, Habit) else "",
)


@BADLY
def test_a_model_that_does_it_badly_never_converges_and_it_is_said_why(build, habit, component, said) -> None:
    built = build(of_readme, Member(frozenset({habit})))
    assert built.outcome.kind != "converged"
    assert component in {one.key for one in built.outcome.obligations}
    assert said in built.why()


@BADLY
def test_what_it_did_badly_is_shown_to_it_and_can_be_mended(build, habit, component, said) -> None:
    built = build(of_readme, Member(frozenset({habit}), mends=True))
    assert built.outcome.kind == "converged", built.why()
    assert any(said in log.body for one in built.of("write") for log in one.of("log", component=component))
    (built.program / "text.txt").write_text(TEXT)
    assert started(built.program, "-m", "count_words", "text.txt") == (0, OF_LETTERS)


# --- prompts that hide something ---


def without_places(fact: Fact) -> Fact:
    hidden = ("module", "import", "file")
    return replace(fact, header={name: said for name, said in fact.header.items() if name not in hidden})


def without_docstrings(fact: Fact) -> Fact:
    return replace(fact, body=re.sub(r'""".*?"""', "...", fact.body, flags=re.DOTALL))


def without_command(fact: Fact) -> Fact:
    return replace(fact, body="") if fact.kind == "check" else fact


@pytest.mark.parametrize(
    ("hide", "said"),
    [
        (without_places, "import command: there is no such module"),
        (without_docstrings, "words.py:2: count: Missing return statement"),
        (without_command, "[no test ran]"),
    ],
)
def test_a_prompt_that_hides_something_gives_no_program(build, hide, said) -> None:
    def answer(asked: Asked) -> dict[str, Any]:
        seen = Seen(asked)
        if seen.act[0] == "write":
            first, second = asked.body["messages"][:2]
            content = render([hide(fact) for fact in seen.facts])
            asked = replace(asked, body={**asked.body, "messages": [first, {**second, "content": content}]})
        return Member()(asked)

    built = build(of_readme, answer)
    assert built.outcome.kind != "converged"
    assert said in built.why()


# --- other sentences, other judges ---


def judged(model: object) -> Team:
    """Return the team of the README with a tester that reads what was built."""
    team = of_readme(model)
    return Team(
        team.prompt,
        [*team.sources, by_reading("tess", model, check="reading")],
        choreography=team.choreography,
        checks=[*team.checks, Check("reading", on="words")],
    )


LETTERS, DIGITS = "A word is a maximal run of letters.", "A word is a maximal run of letters and digits."


def proposed(board: Blackboard, stub: str) -> None:
    """Propose another text for the contract of the words, as the architect."""
    with board.transaction("ari", role="architect") as transaction:
        transaction.decision("api/words")
        transaction.propose("api/words", Contract.python(stub))


def verdicts(board: Blackboard, *, since: int) -> set[tuple[str, str]]:
    """Return (check, component) of the verdicts that came since a revision."""
    now = board.snapshot()
    every = (one for found in now.components() for one in now.verdicts(found.key))
    return {(one.check, one.component) for one in every if one.revision > since}


def test_another_sentence_of_a_contract_is_shown_to_who_judges_and_reaches_the_program(build) -> None:
    first = build(judged)
    assert first.outcome.kind == "converged", first.why()
    before = first.board.revision
    proposed(first.board, WORDS_STUB.replace(LETTERS, DIGITS))
    second = build(judged)
    assert second.outcome.kind == "converged", second.why()
    votes = second.of("vote")
    assert len(votes) >= 2
    for vote in votes:
        (proposal,) = vote.of("proposal", key="api/words")
        assert DIGITS in proposal.body
        assert all(word in str(proposal.header["changes"]) for word in ("count: documentation", "letters and digits"))
    judgements = second.of("judge")
    (contract,) = judgements[0].of("decision", key="api/words")
    assert DIGITS in contract.body
    assert "letters and digits" in str(contract.header["changes"])
    rerun = {("conformance", "words"), ("unit", "words"), ("unit", "count-command"), ("reading", "words")}
    assert verdicts(second.board, since=before) >= rerun
    written = second.of("write")
    assert {one.act[1] for one in written} == {"words"}
    for one in written:
        (contract,) = one.of("decision", key="api/words")
        assert DIGITS in contract.body
        assert "letters and digits" in str(contract.header["changes"])
    (second.program / "text.txt").write_text(TEXT)
    assert started(second.program, "-m", "count_words", "text.txt") == (0, OF_DIGITS_TOO)


def test_a_sentence_that_nobody_judges_by_reading_makes_the_checks_run_again_and_nobody_write(build) -> None:
    first = build(of_readme)
    before = first.board.revision
    proposed(first.board, WORDS_STUB.replace(LETTERS, DIGITS))
    second = build(of_readme)
    assert second.outcome.kind == "converged", second.why()
    assert {one.act[0] for one in second.prompts} == {"vote"}
    assert verdicts(second.board, since=before) >= {("conformance", "words"), ("unit", "words")}


def mediated(model: object) -> Team:
    """Return the team of the README with a mediator."""
    team = of_readme(model)
    return Team(
        team.prompt,
        [*team.sources, mediator("mia", model)],
        choreography=reviewed(3, coders=2, rounds=2, mediator_seconds=300),
        checks=team.checks,
    )


def test_reviewers_lose_what_says_nothing_and_a_mediator_settles_it(build) -> None:
    built = build(mediated, Member(frozenset({Habit.PROPOSES_NO_DOCSTRINGS})))
    assert built.outcome.kind == "converged", built.why()
    (mediation,) = built.of("mediate")
    assert mediation.act[1] == "api/words"
    assert {len(one.header["against"]) for one in mediation.of("rejected")} <= {2, 3}
    assert len(mediation.of("rejected")) == 2
    (built.program / "text.txt").write_text(TEXT)
    assert started(built.program, "-m", "count_words", "text.txt") == (0, OF_LETTERS)
