"""The same experts, texts and selector without a board: `python without_board.py [DIR]`.

Nothing is agreed, so each coder goes by what it takes for granted. Each tests its part as far as that is possible
alone; then the parts are put together and asked the same questions as a program that was built on a board. They fail,
and the exit status is 1.
"""

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

from end_to_end import run
from rich.console import Console
from rich.table import Table

from knowledge_sources.facts import Fact
from knowledge_sources.scripted import Script, read_script

HERE = Path(__file__).resolve().parent
ATTEMPTS = 3


def coders(script: Script) -> list[str]:
    """Return the names of those who write."""
    return [name for name, expert in script.experts.items() if expert.role == "coder"]


def shares(script: Script) -> list[tuple[Mapping[str, Any], str]]:
    """Return who writes what: the planner's tasks, dealt out to the coders in turn."""
    planner = next(name for name, expert in script.experts.items() if expert.role == "planner")
    plan = script.answer([Fact("you", {"name": planner, "role": "planner", "act": "plan", "target": "plan"})])
    return list(zip(plan["tasks"], cycle(coders(script)), strict=False))


def matrix(script: Script) -> Table:
    """Return what each coder assumes, a row for each question."""
    table = Table("question", *coders(script), title="What each takes for granted")
    for name in script.experts[coders(script)[0]].assumes:
        assumed = [str(script.experts[coder].assumes[name]) for coder in coders(script)]
        table.add_row(name.replace("#", " "), *assumed)
    return table


def most_common(script: Script) -> dict[str, Any]:
    """Return the decisions that nobody made, as most of the coders assume them: key -> JSON value."""
    decisions: dict[str, Any] = {}
    for name in script.experts[coders(script)[0]].assumes:
        key, _, facet = name.partition("#")
        ((value, _),) = Counter(script.experts[coder].assumes[name] for coder in coders(script)).most_common(1)
        *outer, last = facet.split(".")
        part = decisions.setdefault(key, {})
        for segment in outer:
            part = part.setdefault(segment, {})
        part[last] = value
    return decisions


def write_alone(script: Script, task: Mapping[str, Any], coder: str, *, others: Iterable[str]) -> Mapping[str, str]:
    """Return the files of one component as one coder writes them: path -> text.

    A component that uses nothing of `others` (keys that other components implement) can be checked alone, so it is,
    and is mended as long as its check fails.
    """
    name = task["name"]
    you = Fact("you", {"name": coder, "role": "coder", "act": "write", "target": name})
    files: Mapping[str, str] = script.answer([you])["files"]
    if set(task["uses"]) & set(others):
        return files
    for _ in range(ATTEMPTS):
        with tempfile.TemporaryDirectory() as folder:
            save(files, Path(folder))
            command = [sys.executable, "-B", str(HERE / "check.py"), name]
            tested = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own check
        if tested.returncode == 0:
            break
        log = Fact("log", {"check": "unit", "component": name, "passed": False}, tested.stdout + tested.stderr)
        old = [Fact("file", {"component": name, "path": path}, text) for path, text in files.items()]
        files = script.answer([you, *old, log])["files"]
    return files


def build(script: Script, folder: Path) -> None:
    """Write the program: each component by its coder, nobody asking anybody."""
    shared = shares(script)
    implemented = {task["name"]: set(task["implements"]) for task, _ in shared}
    for task, coder in shared:
        others = {key for name, keys in implemented.items() if name != task["name"] for key in keys}
        save(write_alone(script, task, coder, others=others), folder)


def save(files: Mapping[str, str], folder: Path) -> None:
    """Write files into a folder."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Build the program without a board and test it."""
    parser = argparse.ArgumentParser(description="Build the recipes program without agreeing on anything.")
    parser.add_argument("folder", metavar="DIR", type=Path, nargs="?", help="where to leave the program")
    options = parser.parse_args(arguments)
    script = read_script(HERE)
    console = Console()
    console.print(matrix(script))
    console.print(", ".join(f"{coder} writes {task['name']}" for task, coder in shares(script)), "\n")
    with _folder(options.folder) as folder:
        build(script, folder)
        console.print("Tested against what most of them assume:")
        return 0 if run(folder, most_common(script)) else 1


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as temporary:
        yield Path(temporary)


if __name__ == "__main__":
    sys.exit(main())
