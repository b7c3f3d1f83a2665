"""Small specs for readers: what a team is asked to build, and trials that nobody of the team has seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Trial:
    """One call of the finished program.

    Attributes:
        arguments: Of `python`, as the prompt of the spec states them.
        prints: What standard output has to be, without blank lines and the blanks at the ends of lines; None: it does
            not matter.
        status: The exit status; None: any but 0.
        writes: Path -> text of files that are put there before the call.
    """

    arguments: tuple[str, ...]
    prints: str | None = None
    status: int | None = 0
    writes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spec:
    """A prompt and the trials of what becomes of it; the calls of one spec share a folder, in this order."""

    prompt: str
    trials: tuple[Trial, ...]


_TEXT = "One fish, two fish.\nRed fish: blue fish! It's 2 o'clock.\n"
_DOCUMENT = "# Cooking\n\n## Soup\n\n```\n# not a heading\n```\n\n### Hot soup\n\n## Bread & butter\n"

SPECS: Mapping[str, Spec] = {
    "words": Spec(
        "Make a library that counts how often each word occurs in a text, and a command `python -m words "
        "FILE` that prints the three most frequent words of a file, one `word count` per line, the most "
        "frequent first and words of the same count in alphabetical order. Words are compared in lower "
        "case; a word is a maximal run of letters.",
        (
            Trial(("-m", "words", "text.txt"), "fish 4\nblue 1\nclock 1", writes={"text.txt": _TEXT}),
            Trial(("-m", "words", "absent.txt"), None, status=None),
        ),
    ),
    "units": Spec(
        "Make a command `python -m units AMOUNT FROM TO` that converts lengths (m, km, mi, ft) and "
        "temperatures (C, F, K), such as `python -m units 2 km m`, and prints the number with two "
        "decimals and nothing else. Converting a length into a temperature is an error: a message on "
        "standard error and status 1.",
        (
            Trial(("-m", "units", "2", "km", "m"), "2000.00"),
            Trial(("-m", "units", "100", "C", "F"), "212.00"),
            Trial(("-m", "units", "1", "mi", "ft"), "5280.00"),
            Trial(("-m", "units", "1", "mi", "C"), "", status=1),
        ),
    ),
    "splitter": Spec(
        "Make an expense splitter that keeps its data in `expenses.db` (SQLite) in the current folder. "
        "`python -m splitter add PAYER AMOUNT PERSON...` records that PAYER paid AMOUNT for all the "
        "persons named, in equal parts; `python -m splitter settle` prints who owes whom, one `DEBTOR "
        "owes CREDITOR AMOUNT` per line with two decimals, netted so that between two persons there is at "
        "most one line.",
        (
            Trial(("-m", "splitter", "add", "ann", "30", "ann", "bob", "kim")),
            Trial(("-m", "splitter", "add", "bob", "6", "ann", "bob")),
            Trial(("-m", "splitter", "settle"), "bob owes ann 7.00\nkim owes ann 10.00"),
        ),
    ),
    "todo": Spec(
        "Make a to-do list kept in `todo.json` in the current folder: `python -m todo add TEXT`, `python "
        "-m todo done NUMBER` and `python -m todo list`. The list prints `NUMBER [ ] TEXT`, with `[x]` "
        "for what is done, in the order in which it was added; numbers begin at 1 and never change. "
        "Whatever names no entry is an error with status 1.",
        (
            Trial(("-m", "todo", "add", "buy milk")),
            Trial(("-m", "todo", "add", "call ann")),
            Trial(("-m", "todo", "done", "1")),
            Trial(("-m", "todo", "list"), "1 [x] buy milk\n2 [ ] call ann"),
            Trial(("-m", "todo", "done", "7"), None, status=1),
        ),
    ),
    "contents": Spec(
        "Make a command `python -m contents FILE` that prints a table of contents of a Markdown file: one "
        "line `- [Title](#anchor)` for each heading that begins with `#`, two more spaces of indentation "
        "for each level below the first. The anchor is the title in lower case without punctuation, with "
        "a hyphen for each blank, as GitHub makes it. Lines in fenced code blocks are no headings.",
        (
            Trial(
                ("-m", "contents", "page.md"),
                "- [Cooking](#cooking)\n  - [Soup](#soup)\n    - [Hot soup](#hot-soup)\n"
                "  - [Bread & butter](#bread--butter)",
                writes={"page.md": _DOCUMENT},
            ),
        ),
    ),
}
