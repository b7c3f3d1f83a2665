"""Let readers answer the prompts of a whole team: `PYTHONPATH=tests python -m reader.by_hand SPEC FOLDER`.

A planner, an architect, reviewers and coders build one of `specs.SPECS`. Each of their prompts becomes a file in
FOLDER/prompts and waits there for its reply (see `file_model`). At the end the program is exported to FOLDER/program,
tried by calls that nobody of the team has seen, and this is printed:

- the outcome, and what is left to do;
- how often each component was written, and with which result;
- what the planner asked, and what each reader noted as open;
- each trial and whether it held.

Exits 0 if the board converged and every trial held. The same call goes on with a run that was interrupted.
"""

import argparse
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from reader.file_model import FileChatModel, questions_path
from reader.specs import SPECS, Spec, Trial

from blackboard import Blackboard, Check, Controller, Outcome, Team
from blackboard.choreography import reviewed
from knowledge_sources import architect, coder, planner, reviewer
from knowledge_sources.facts import parse

PATIENCE_SECONDS = 24 * 3600.0
"""How long a reader may take."""
TRIAL_SECONDS = 30
UNIT = Check("unit", on="**", command=["python", "-m", "unittest", "discover"])


def team(spec: Spec, model: FileChatModel, *, reviewers: int = 1, coders: int = 2) -> Team:
    """Return the team that builds a spec, all of whose members ask one model."""
    patient = {"timeout_seconds": PATIENCE_SECONDS, "call_seconds": PATIENCE_SECONDS}
    return Team(
        spec.prompt,
        [
            planner("planner", model, **patient),
            architect("architect", model, **patient),
            *(reviewer(f"reviewer-{number}", model, **patient) for number in range(1, reviewers + 1)),
            *(coder(f"coder-{number}", model, checks=[UNIT.name], **patient) for number in range(1, coders + 1)),
        ],
        choreography=reviewed(
            reviewers, coders=coders, within_seconds=PATIENCE_SECONDS, lease_seconds=PATIENCE_SECONDS
        ),
        checks=[UNIT],
    )


def build(spec: Spec, folder: Path, model: FileChatModel, *, reviewers: int = 1, coders: int = 2) -> Outcome:
    """Run the team on FOLDER/board.db, and export what it built to FOLDER/program."""
    folder.mkdir(parents=True, exist_ok=True)
    with Blackboard.open(folder / "board.db", create=True) as board:
        outcome = Controller(board, team(spec, model, reviewers=reviewers, coders=coders)).run()
        board.snapshot().export(folder / "program")
    return outcome


def tried(spec: Spec, program: Path) -> Iterator[tuple[Trial, str]]:
    """Make the calls of a spec, and yield each with what is wrong; the empty text where it held."""
    for trial in spec.trials:
        for path, text in trial.writes.items():
            (program / path).write_text(text, "utf-8")
        yield trial, _fault(trial, program)


def report(outcome: Outcome, spec: Spec, folder: Path) -> tuple[list[str], bool]:
    """Return the lines to print, and whether everything held."""
    lines = [f"outcome: {outcome.kind}"]
    lines += [f"  left: {one.key}: {one.reason}" for one in outcome.obligations]
    prompts = sorted((folder / "prompts").glob("*.prompt.md"))
    asked = Counter(_act(prompt) for prompt in prompts)
    lines += [f"prompts: {count} to {act} {target}" for (act, target), count in sorted(asked.items())]
    with Blackboard.open(folder / "board.db") as board:
        now = board.snapshot()
        lines += [f"component {one.key}: {one.state}, version {one.version}" for one in now.components()]
        lines += [
            f"verdict {one.check} on {one.component}: {'passed' if one.passed else 'failed'}"
            for component in now.components()
            for one in now.verdicts(component.key)
        ]
        lines += [f"decision {one.key}: version {one.version}" for one in now.decisions() if "/" in one.key]
    for prompt in prompts:
        notes = questions_path(prompt)
        if notes.exists() and notes.read_text("utf-8").strip():
            lines += [f"questions of {prompt.name}:", notes.read_text("utf-8").strip()]
    trials = list(tried(spec, folder / "program"))
    lines += [f"trial {' '.join(trial.arguments)}: {fault or 'held'}" for trial, fault in trials]
    return lines, outcome.kind == "converged" and not any(fault for _, fault in trials)


def _act(prompt: Path) -> tuple[str, str]:
    you = next(
        fact.header for fact in parse(prompt.read_text("utf-8").partition("===== human")[2]) if fact.kind == "you"
    )
    return str(you["act"]), str(you["target"])


def _fault(trial: Trial, program: Path) -> str:
    command = [sys.executable, *trial.arguments]
    try:
        done = subprocess.run(command, cwd=program, capture_output=True, text=True, timeout=TRIAL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"it did not end within {TRIAL_SECONDS} s"
    if (done.returncode == 0) if trial.status is None else (done.returncode != trial.status):
        return f"status {done.returncode} instead of {trial.status}: {done.stderr[-300:]}"
    if trial.prints is not None and _trimmed(done.stdout) != _trimmed(trial.prints):
        return f"printed {done.stdout!r} instead of {trial.prints!r}"
    return ""


def _trimmed(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def main() -> int:
    """Build one spec and print how it went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", choices=sorted(SPECS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--reviewers", type=int, default=1)
    parser.add_argument("--coders", type=int, default=2)
    options = parser.parse_args()
    spec, folder = SPECS[options.spec], options.folder.resolve()
    model = FileChatModel(folder=folder / "prompts", announces=True)
    outcome = build(spec, folder, model, reviewers=options.reviewers, coders=options.coders)
    lines, held = report(outcome, spec, folder)
    print("\n".join(lines))  # noqa: T201 - the report
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
