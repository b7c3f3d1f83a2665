"""The stand-in for a model that somebody answers by hand: its files, and a whole team that asks it."""

import asyncio
import json
import threading

import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from reader.by_hand import build, report
from reader.file_model import FileChatModel, prompt_text, questions_path, reply_path
from reader.specs import SPECS, Spec, Trial

from knowledge_sources.facts import parse

MESSAGES = [SystemMessage("rules"), HumanMessage("facts")]
PATIENCE_SECONDS = 60

STUB = '"""How words are counted."""\ndef count(text: str) -> int:\n    """Return how many words there are."""\n'
ANSWERS = {
    "plan": {
        "decisions": [{"key": "api/counting", "language": "python", "text": STUB}],
        "tasks": [
            {
                "name": "counting",
                "summary": "count words",
                "implements": {"api/counting": []},
                "files": ["counting.py", "test_counting.py"],
                "command": ["python", "-m", "counting"],
            }
        ],
    },
    "propose": {"language": "python", "text": STUB},
    "vote": {"approve": True},
    "write": {
        "files": {
            "counting.py": (
                "import sys\n\n\ndef count(text: str) -> int:\n    return len(text.split())\n\n\n"
                'if __name__ == "__main__" and "--help" not in sys.argv:\n    print(count(sys.argv[1]))\n'
            ),
            "test_counting.py": (
                "import unittest\n\nfrom counting import count\n\n\nclass Counting(unittest.TestCase):\n"
                '    def test_two(self) -> None:\n        self.assertEqual(count("a b"), 2)\n'
            ),
        }
    },
}


class Readers(threading.Thread):
    """Somebody who answers every prompt of a folder, until told that nobody asks any more."""

    def __init__(self, folder, answer):
        super().__init__(daemon=True)
        self.folder, self.answer, self.done = folder, answer, threading.Event()

    def run(self):
        while not self.done.wait(0.02):
            for prompt in self.folder.glob("*.prompt.md"):
                if not reply_path(prompt).exists():
                    reply_path(prompt).write_text(self.answer(prompt.read_text("utf-8")), "utf-8")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()


def act_of(text):
    return next(fact.header["act"] for fact in parse(text.partition("===== human")[2]) if fact.kind == "you")


@pytest.mark.parametrize(
    "ask", [lambda model: model.invoke(MESSAGES), lambda model: asyncio.run(model.ainvoke(MESSAGES))]
)
def test_a_prompt_is_a_file_and_so_is_its_reply(tmp_path, ask):
    with Readers(tmp_path, lambda text: f"read {len(text)}"):
        said = ask(FileChatModel(folder=tmp_path))
    text = (tmp_path / "001.prompt.md").read_text("utf-8")
    assert text == prompt_text(MESSAGES)
    assert said.content == f"read {len(text)}"
    assert said.usage_metadata["total_tokens"] > 0


def test_the_same_prompt_is_answered_once_and_another_one_gets_the_next_number(tmp_path):
    model = FileChatModel(folder=tmp_path)
    with Readers(tmp_path, str.upper):
        first = model.invoke(MESSAGES).content
        second = model.invoke([HumanMessage("other")]).content
    assert FileChatModel(folder=tmp_path).invoke(MESSAGES).content == first != second
    assert sorted(path.name for path in tmp_path.glob("*.prompt.md")) == ["001.prompt.md", "002.prompt.md"]


@pytest.mark.parametrize("name", sorted(SPECS))
def test_a_spec_is_a_prompt_of_a_few_sentences_with_trials_that_say_what_must_come_out(name):
    spec = SPECS[name]
    assert spec.prompt.count(". ") + 1 <= 4
    assert any(trial.prints for trial in spec.trials)


def test_a_whole_team_is_answered_by_hand_and_its_program_is_tried(tmp_path):
    spec = Spec(
        "Count words.",
        (Trial(("-m", "counting", "one two"), "2"), Trial(("-m", "counting", "one"), "7")),
    )
    prompts = tmp_path / "prompts"
    with Readers(prompts, lambda text: json.dumps(ANSWERS[act_of(text)])):
        outcome = build(spec, tmp_path, FileChatModel(folder=prompts))
    questions_path(prompts / "001.prompt.md").write_text("Are numbers words?", "utf-8")
    lines, held = report(outcome, spec, tmp_path)
    told = "\n".join(lines)
    assert outcome.kind == "converged", told
    assert {act_of(prompt.read_text("utf-8")) for prompt in prompts.glob("*.prompt.md")} == {*ANSWERS}
    assert "prompts: 1 to write counting" in told
    assert "verdict unit on counting: passed" in told
    assert "Are numbers words?" in told
    assert "trial -m counting one two: held" in told
    assert not held
    assert "trial -m counting one: printed '1\\n' instead of '7'" in told
