"""Imports modules and starts entry points; its text is run in the sandbox, it is not imported there.

    python -I -c TEXT PLAN REPORT

PLAN names a JSON file: `modules` are [name, path] in the order in which they are imported, `files` the paths of which
the imports are looked up, also those that come late, `bases` the folders where imports begin, `probes` [component,
arguments…], `seconds` how long each of them may take. Modules are imported in one process, so that what they share is
imported once; where a module hangs or ends the process, it is named, and another process imports the rest. What failed
goes to REPORT: the place is the innermost line of the program itself.
"""

import ast
import importlib
import importlib.util
import json
import os
import select
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

MOST_HUNG = 3
"""After so many modules that did not end no more are imported."""

SHOWN_BYTES = 4_000
"""So much of the end of an entry point's output is reported."""


def imported(modules: Sequence[Sequence[str]], bases: Sequence[str], seconds: float) -> list[list[Any]]:
    """Import modules; return [module, path, line, why] for each that cannot be."""
    failed: list[list[Any]] = []
    done = hung = 0
    while done < len(modules) and hung < MOST_HUNG:
        answers, why = one_process(modules[done:], bases, seconds)
        failed += [one for one in answers if one]
        done += len(answers)
        if why:
            name, path = modules[done]
            failed.append([name, path, 0, why])
            done += 1
            hung += 1
    return failed


def one_process(modules: Sequence[Sequence[str]], bases: Sequence[str], seconds: float) -> tuple[list[list[Any]], str]:
    """Import modules in a process of their own; return an answer for each, and why it ended before the last."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        answer_all(modules, bases, write)
        os._exit(0)
    os.close(write)
    buffer, why = b"", ""
    while buffer.count(b"\n") < len(modules):
        if not select.select([read], [], [], seconds)[0]:
            why = f"it did not end within {seconds:g} s when it was imported"
            break
        chunk = os.read(read, 1 << 16)
        if not chunk:
            why = "it ended the process when it was imported"
            break
        buffer += chunk
    os.close(read)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return [json.loads(line) for line in buffer.split(b"\n")[:-1]], why


def answer_all(modules: Sequence[Sequence[str]], bases: Sequence[str], write: int) -> None:
    """Import one module after the other and say how it went, in the process that imports."""
    sys.path[:0] = [str(Path.cwd()), *(str(Path(base).resolve()) for base in bases)]
    sys.argv = [""]
    for name, path in modules:
        answer: list[Any] = []
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001 -- whatever it raises, it cannot be imported
            answer = [name, *placed(error, path), said(error)]
        os.write(write, json.dumps(answer).encode() + b"\n")


def nowhere(paths: Sequence[str], bases: Sequence[str]) -> list[list[Any]]:
    """Return [module, path, line, why] for each import of a module that does not exist, inside functions too.

    Left out is what the program itself may do without: an import under a condition, or whose failure it handles.
    """
    sys.path[:0] = [str(Path.cwd()), *(str(Path(base).resolve()) for base in bases)]
    failed: list[list[Any]] = []
    for path in paths:
        try:
            found = [*needed(ast.parse(Path(path).read_bytes()))]
        except (SyntaxError, ValueError, RecursionError):
            continue  # the import of this file reports it
        for name, line in found:
            if importlib.util.find_spec(name.partition(".")[0]) is None:
                failed.append([name, path, line, f"ModuleNotFoundError: No module named {name!r}"])
    return failed


def needed(parent: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the modules that code imports in any case, each with its line."""
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.Import):
            yield from ((one.name, node.lineno) for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno
        elif not isinstance(node, ast.Try) and not (isinstance(node, ast.If) and "__name__" not in ast.dump(node.test)):
            yield from needed(node)


def placed(error: BaseException, path: str) -> tuple[str, int]:
    """Return file and line of the program where an error comes from; the module's own where none is known."""
    here = Path.cwd()
    places = [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        places.append((error.filename or "", error.lineno or 0))
    for name, line in reversed(places):
        if name and Path(name).resolve().is_relative_to(here):
            return str(Path(name).resolve().relative_to(here)), line
    return path, 0


def said(error: BaseException) -> str:
    """Return an error in one line."""
    return " ".join("".join(traceback.format_exception_only(type(error), error)).split("\n")[-2].split())[:300]


def answered(arguments: Sequence[str], seconds: float) -> tuple[str, str]:
    """Start an entry point; return why it is not answered, and the end of its output."""
    command = [sys.executable if arguments[0] == "python" else arguments[0], *arguments[1:]]
    try:
        done = subprocess.run(  # noqa: S603 -- it is what is asked
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except OSError as error:
        return f"cannot be started: {error.strerror}", ""
    except subprocess.TimeoutExpired as error:
        return f"did not end within {seconds:g} s", (error.stdout or b"")[-SHOWN_BYTES:].decode(errors="replace")
    output = done.stdout[-SHOWN_BYTES:].decode(errors="replace")
    return (f"ended with status {done.returncode}" if done.returncode else ""), output


def main() -> None:
    """Do what the plan says."""
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    report = Path(sys.argv[2]).resolve()
    seconds = plan["seconds"]
    failed = imported(plan["modules"], plan["bases"], seconds)
    places = {(path, line) for _, path, line, _ in failed}
    failed += [one for one in nowhere(plan["files"], plan["bases"]) if (one[1], one[2]) not in places]
    probes = []
    # An entry point of a program whose modules cannot be imported says the same in other words.
    for component, *arguments in [] if failed else plan["probes"]:
        why, output = answered(arguments, seconds)
        if why:
            probes.append([component, " ".join(arguments), why, output])
    report.write_text(json.dumps({"imports": failed, "probes": probes}), encoding="utf-8")


if __name__ == "__main__":
    main()
