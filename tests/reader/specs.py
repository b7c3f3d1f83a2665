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
_PEAS = "2026-03-01 Bought seeds: peas, beans\n2026-03-02 Planted peas"
_SHEET = "09:15-10:45 garden\n\n22:30-09:30 night shift\n08:00-10:00 desk\n23:45-00:15 garden\n"
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
    "hours": Spec(
        "Make a command `python -m hours FILE` that adds up a time sheet. Each line of the file is a span and a "
        "project, such as `09:15-10:45 garden`; a span that ends before it begins passes midnight. Print one "
        "`H:MM PROJECT` for each project, the longest total first and equal totals by name; hours are not padded "
        "and may be more than 24. Empty lines are skipped; a line of any other form is an error that names its "
        "number, with status 1 and nothing on standard output.",
        (
            Trial(
                ("-m", "hours", "sheet.txt"),
                "11:00 night shift\n2:00 desk\n2:00 garden",
                writes={"sheet.txt": _SHEET},
            ),
            Trial(("-m", "hours", "bad.txt"), "", status=1, writes={"bad.txt": "08:00-09:00 desk\nlunch\n"}),
            Trial(("-m", "hours", "late.txt"), "", status=1, writes={"late.txt": "24:10-25:00 desk\n"}),
        ),
    ),
    "lending": Spec(
        "Make a library of things to lend, kept in `lending.json` in the current folder: `python -m lending add "
        "TITLE`, `python -m lending lend NUMBER PERSON`, `python -m lending back NUMBER` and `python -m lending "
        "list`, which prints `NUMBER TITLE` and, where it is lent, ` (PERSON)` after it. Numbers begin at 1. "
        "Lending what is lent, giving back what is not, and a number that names nothing are errors with status 1 "
        "that change nothing.",
        (
            Trial(("-m", "lending", "add", "ladder")),
            Trial(("-m", "lending", "add", "drill")),
            Trial(("-m", "lending", "lend", "1", "ann")),
            Trial(("-m", "lending", "lend", "1", "bob"), None, status=1),
            Trial(("-m", "lending", "back", "2"), None, status=1),
            Trial(("-m", "lending", "lend", "3", "bob"), None, status=1),
            Trial(("-m", "lending", "list"), "1 ladder (ann)\n2 drill"),
            Trial(("-m", "lending", "back", "1")),
            Trial(("-m", "lending", "list"), "1 ladder\n2 drill"),
        ),
    ),
    "join": Spec(
        "Make a command `python -m join LEFT RIGHT COLUMN` that prints the inner join of two CSV files with "
        "header lines as CSV: the columns of LEFT, then those of RIGHT without COLUMN; rows in the order of LEFT,"
        " then of RIGHT. A column name that both files have beside COLUMN is an error, as is a file without "
        "COLUMN: a message, status 1 and nothing on standard output.",
        (
            Trial(
                ("-m", "join", "people.csv", "pets.csv", "name"),
                'name,city,pet\nann,"Ulm, old town",cat\nann,"Ulm, old town",dog\nkim,Bonn,fish',
                writes={
                    "people.csv": 'name,city\nann,"Ulm, old town"\nbob,Rome\nkim,Bonn\n',
                    "pets.csv": "pet,name\ncat,ann\nfish,kim\ndog,ann\n",
                },
            ),
            Trial(("-m", "join", "people.csv", "pets.csv", "age"), "", status=1),
            Trial(("-m", "join", "people.csv", "people.csv", "name"), "", status=1),
        ),
    ),
    "notes": Spec(
        "Make a diary kept in `notes.db` (SQLite) in the current folder: `python -m notes add DATE TEXT` with "
        "dates as `2026-03-01`, `python -m notes month 2026-03`, which prints `DATE TEXT` by date and, within a "
        "day, in the order in which they were added, and `python -m notes find WORD`, which prints the same for "
        "the notes that contain the whole word in any case. A date that does not exist is an error with status 1.",
        (
            Trial(("-m", "notes", "add", "2026-03-02", "Planted peas")),
            Trial(("-m", "notes", "add", "2026-03-01", "Bought seeds: peas, beans")),
            Trial(("-m", "notes", "add", "2026-04-01", "Rain, no peasants about")),
            Trial(("-m", "notes", "add", "2026-02-30", "Never"), None, status=1),
            Trial(("-m", "notes", "month", "2026-03"), _PEAS),
            Trial(("-m", "notes", "find", "PEAS"), _PEAS),
        ),
    ),
}
