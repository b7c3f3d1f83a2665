"""An operator's commands about the agenda and the board: pause, drain, resume, cancel, retry, unlock, budget, seal."""

import math
import time
from typing import Annotated

import typer

from blackboard.board import Blackboard
from blackboard.cli.exits import Exit
from blackboard.cli.place import AuthorOption, BecauseOption, BoardOption, JsonOption, author_of, opened
from blackboard.cli.records import DoneReport
from blackboard.cli.terminal import complain, emit
from blackboard.errors import IllegalTransition
from blackboard.spec.activation import ActivationState
from blackboard.spec.changes import Committed
from blackboard.spec.halt import HaltAct
from blackboard.store import agenda, operate
from blackboard.store.budgets import RESOURCES
from blackboard.store.operate import Operator

_LOOK_SECONDS = 0.1

Source = Annotated[str, typer.Argument(metavar="SOURCE", help="The source of the activation.")]
Target = Annotated[str, typer.Argument(metavar="TARGET", help="The key that the activation is about.")]

_RESOURCES = f"{', '.join(RESOURCES[:-1])} or {RESOURCES[-1]}"


def _amount(text: str) -> float:
    """Parse the new amount of a budget."""
    amount = _number(text)
    if not (math.isfinite(amount) and amount > 0):
        raise typer.BadParameter(f"{text} is no amount; give a number that is finite and more than 0")
    return amount


def _seconds(text: str) -> float:
    """Parse a finite number of seconds."""
    seconds = _number(text)
    if not (math.isfinite(seconds) and seconds >= 0):
        raise typer.BadParameter(f"{text} is no time; give seconds, finite and 0 or more")
    return seconds


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _resource(text: str) -> str:
    if text not in RESOURCES:
        raise typer.BadParameter(f"{text} is no budget; give {_RESOURCES}")
    return text


def pause(
    *, because: BecauseOption = "", author: AuthorOption = None, board: BoardOption = None, as_json: JsonOption = False
) -> int:
    """Hand out no work; runs with a lease go on, and idle controllers end."""
    with opened(board) as found:
        done = operate.halt(found.store, _operator(author, because), HaltAct.PAUSE)
    return _said(done, "the board is paused", as_json=as_json)


def drain(
    *,
    wait: Annotated[
        float, typer.Option("--wait", parser=_seconds, metavar="SECONDS", help="The longest time to wait.")
    ] = 60,
    because: BecauseOption = "",
    author: AuthorOption = None,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Hand out no work and wait until no lease is live; the exit status is 1 if one still is."""
    with opened(board) as found:
        done = operate.halt(found.store, _operator(author, because), HaltAct.DRAIN)
        left = _left(found, wait)
    if left:
        complain(f"the board is draining and {left} leases are still live: wait longer, or unlock their targets")
        return Exit.NO
    return _said(done, "the board is drained: nothing runs", as_json=as_json)


def _left(board: Blackboard, wait_seconds: float) -> int:
    """Wait at most this long until no lease is live, and return the number of live leases."""
    until = time.monotonic() + wait_seconds
    while True:
        agenda.sweep(board.store)
        with board.store.database.reading() as connection:
            live = operate.live_leases(connection)
        if not live or time.monotonic() >= until:
            return live
        time.sleep(_LOOK_SECONDS)


def resume(
    *, because: BecauseOption = "", author: AuthorOption = None, board: BoardOption = None, as_json: JsonOption = False
) -> int:
    """Hand out work again after pause or drain."""
    with opened(board) as found:
        done = operate.halt(found.store, _operator(author, because), HaltAct.RESUME)
    return _said(done, "the board hands out work", as_json=as_json)


def cancel(
    source: Source,
    target: Target,
    *,
    because: BecauseOption = "",
    author: AuthorOption = None,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Cancel an activation and revoke its lease; only a new trigger makes it pending again."""
    with opened(board) as found:
        done = operate.cancel(found.store, _operator(author, because), source=source, target=target)
    return _said(done, f"cancelled {source} on {target}", as_json=as_json)


def retry(
    source: Source,
    target: Annotated[
        str, typer.Argument(metavar="[TARGET]", help="The key; without it all dead activations of the source.")
    ] = "",
    *,
    because: BecauseOption = "",
    author: AuthorOption = None,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make dead activations of a source pending again, and end the quarantine of the source."""
    with opened(board) as found:
        targets = [target] if target else _given_up(found, source)
        for one in targets:
            done = operate.retry(found.store, _operator(author, because), source=source, target=one)
    return _said(done, f"{source} on {', '.join(targets)} is pending again", as_json=as_json)


def _given_up(board: Blackboard, source: str) -> list[str]:
    """Return the targets of a source's dead activations; raise if there is none."""
    with board.store.database.reading() as on:
        work = agenda.open_activations(on)
    found = sorted(one.target for one in work if one.source == source and one.state is ActivationState.DEAD)
    if not found:
        raise IllegalTransition(f"the work of {source}", "not given up", "to be retried")
    return found


def unlock(
    target: Target,
    *,
    because: BecauseOption = "",
    author: AuthorOption = None,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Revoke all leases and reservations on a key; nothing more can be committed under them."""
    with opened(board) as found:
        done = operate.unlock(found.store, _operator(author, because), target=target)
    return _said(done, f"{target} is free", as_json=as_json)


def budget(
    resource: Annotated[str, typer.Argument(parser=_resource, metavar="RESOURCE", help=f"{_RESOURCES}.")],
    cap: Annotated[
        float, typer.Argument(parser=_amount, metavar="AMOUNT", help="The new limit, with what is already spent.")
    ],
    *,
    because: BecauseOption = "",
    author: AuthorOption = None,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Raise a budget; the new limit stays until the team file changes this budget."""
    with opened(board) as found:
        done = operate.raise_budget(found.store, _operator(author, because), resource=resource, cap=cap)
    return _said(done, f"the budget of {resource} is {cap:g}", as_json=as_json)


def seal(
    *,
    off: Annotated[bool, typer.Option("--off", help="Lift the seal; the board is paused afterwards.")] = False,
    because: BecauseOption = "",
    author: AuthorOption = None,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> int:
    """Refuse every write until the seal is lifted."""
    act, said = (HaltAct.UNSEAL, "the seal is lifted; the board is paused") if off else (HaltAct.SEAL, "it is sealed")
    with opened(board) as found:
        done = operate.halt(found.store, _operator(author, because), act)
    return _said(done, said, as_json=as_json)


def _operator(author: str | None, because: str) -> Operator:
    who = author_of(author)
    return Operator(who.name, who.role, because)


def _said(done: Committed, act: str, *, as_json: bool) -> int:
    emit(DoneReport(done.revision, (act,)), as_json=as_json)
    return Exit.YES
