"""Small teams whose members are functions, for runs in virtual time."""

from collections.abc import Callable, Sequence

from blackboard import on
from blackboard.board import Blackboard
from blackboard.choreography.steps import Choreography, may
from blackboard.choreography.values import Role
from blackboard.contracts.language import Contract
from blackboard.control.context import Context
from blackboard.control.controller import Controller
from blackboard.control.source import Source, knowledge_source
from blackboard.control.team import Check, Team
from blackboard.spec.convergence import Outcome

TASKS = {
    "storage": ({"db/schema": []}, {}),
    "server": ({"api/notes": []}, {"db/schema": []}),
    "web": ({}, {"api/notes": []}),
}

PASSES = Check("unit", on="*", command=["python", "-c", "pass"])


def planner(tasks: dict = TASKS) -> Source:
    @knowledge_source(name="planner", role="planner", on=on.accepted("prompt"))
    def plan(context: Context) -> None:
        with context.transaction() as transaction:
            transaction.decision("prompt")
            for name, (implements, uses) in tasks.items():
                if transaction.decision(f"task/{name}") is None:
                    task = Contract.task(summary=f"build {name}", implements=implements, uses=uses)
                    transaction.decide(f"task/{name}", task)

    return plan


def architect(text: Callable[[str], object] = str) -> Source:
    @knowledge_source(name="architect", role="architect", on=[on.required("*/*"), on.asked("**")])
    def settle(context: Context) -> None:
        with context.transaction() as transaction:
            if transaction.decision(context.target) is None:
                transaction.decide(context.target, Contract.value({"is": text(context.target)}))

    return settle


def coder(name: str = "coder", *, wrong: Sequence[str] = ()) -> Source:
    """Return a coder who writes what its task names into one file; `wrong` components come out wrong once."""
    once = set(wrong)

    @knowledge_source(name=name, role="coder", on=[on.required("*"), on.stale("*"), on.failed("unit")])
    def write(context: Context) -> None:
        with context.transaction() as transaction:
            task = transaction.decision(f"task/{context.target}")
            if task is None:
                return
            facets = task.contract.facets
            lines = [f"# {key}: {transaction.decision(key, side='implements').value}" for key in facets["implements"]]
            lines += [f"# {key}: {transaction.decision(key).value}" for key in facets["uses"]]
            transaction.component(context.target)
            if context.target in once:
                once.discard(context.target)
                lines.append("wrong = True")
            transaction.write(context.target, {f"{context.target}.txt": "\n".join([*lines, ""])})

    return write


def builders(*more: Source, checks: Sequence[Check] = (), **team: object) -> Team:
    """Return a team that builds all of TASKS."""
    return Team("take notes", [planner(), architect(), coder(), *more], checks=checks, **team)


def free(*names: str) -> Choreography:
    """Return a choreography in which members of these roles may do everything to every key."""
    acts = ("ask", "propose", "vote", "decide", "retract", "withdraw", "write", "check")
    steps = [may(Role(name, members=9), act, "**") for name in names for act in acts]
    return Choreography("free", *steps)


def run(board: Blackboard, team: Team, *, seed: int | None = 1, workers: int = 4) -> Outcome:
    return Controller(board, team, seed=seed, workers=workers).run()


def said(outcome: Outcome) -> dict[str, str]:
    """Return key -> reason of the obligations."""
    return {one.key: one.reason for one in outcome.obligations}
